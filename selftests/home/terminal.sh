# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of run
#
# scripts/top with a pool made up in a directory, on no terminal and on one; both it
# and scripts/doctor in a guest; and the guest of 'make vm', at its terminal.

# in_pool FILE: standard input becomes the file of that name in debugfs.
in_pool() {
	cat >"$pool/sys/kernel/debug/pocketmm/$1"
}

# 1024 pages with something of everything in the last 256.
fine_pool() {
	local name

	pool=$dir/pool
	rm -rf "$pool"
	mkdir -p "$pool"/sys/{module/pocketmm/parameters,kernel/debug/pocketmm} "$pool/proc"
	echo 100.00 50.00 >"$pool/proc/uptime"
	for name in era=2.4 expand=upper pcp=0 search=linear purge=eager placement=lifo; do
		echo "${name#*=}" >"$pool/sys/module/pocketmm/parameters/${name%=*}"
	done
	fine_files
}

fine_files() {
	in_pool blocks <<-END
	0 order=9 free
	512 order=8 free
	768 order=3 used who+0x1/0x2 [m]
	776 order=3 free
	784 order=4 free
	800 order=5 used parked
	832 order=0 used area+0x1/0x2 [m] pid=1 comm=x stack=y
	833 order=0 free pcp
	834 order=1 free pid=1 comm=x stack=y
	836 order=2 free
	840 order=3 free
	848 order=4 free
	864 order=5 free
	896 order=7 used
	END
	in_pool mappings <<-END
	0: 832+1
	139264:
	END
	in_pool vmallocinfo <<-END
	0x0000000000000001-0x0000000000000002    8192 area+0x1/0x2 [m] pages=1 vmalloc N0=1
	0x0000000000000002-0x0000000000000003  131072 unpurged vm_area
	0x0000000000000003-0x0000000000000004    8192 who+0x5/0x6 [m] phys=0x00000000fed00000 ioremap
	END
	in_pool window <<-END
	0 8192 area vmalloc pages=1
	8192 131072 lazy
	139264 8192 area ioremap pages=1
	147456 4046848 hole
	END
	in_pool stats <<-END
	total_pages 1024
	min_free_pages 20
	allocations 1234
	window_bytes 4194304
	areas 2
	lazy_bytes 131072
	refused_double_free 3
	refused_areas 4
	END
}

# top_once [OPTION]...
top_once() {
	run "$top/scripts/top" --once --root "$pool" "$@"
}

# line_with TEXT: of $out.
line_with() {
	grep -F -- "$1" <<<"$out"
}

longest() {
	awk '{ if (length($0) > most) most = length($0) } END { print most + 0 }' <<<"$out"
}

top_frames() {
	fine_pool
	top_once
	is 'a frame without a terminal' "$status" 0
	is 'has no escape codes' "$(tr -d '\n[:print:]' <<<"$out")" ''
	is 'and is 24 lines of 80' "$(wc -l <<<"$out") $(longest)" '24 80'
	has 'it says how the module is loaded' "$(head -n 1 <<<"$out")" 'era=2.4  upper  pcp=0  linear  eager  lifo'
	is 'how many pages are what' "$(sed -n 2p <<<"$out")" \
		'1024 pages, 4M: # used 136  = mapped 1  . pcp 1  ! parked 32  9 free 854  min 20'
	is 'blocks of each order' \
		"$(awk '/^Order/ { on = 1; next } /^Pages/ { exit } on { printf "%s:%s ", $1, $3 }' <<<"$out")" \
		'9:1 8:1 7:0 6:0 5:1 4:2 3:2 2:1 1:1 0:0 '
	has 'counters since load' "$(line_with allocations)" 1234
	is 'refusals of every kind together' "$(line_with refused | awk '{ print $NF }')" 7
	has 'what most pages of a cell are' "$(line_with '     768 ')" \
		"##334444!!!!!!!!12334444$(printf '5%.0s' {1..8})$(printf '#%.0s' {1..32})"
	has 'areas, holes and what waits' "$(line_with Window)" \
		'Window 4M, areas: 2, holes: 1, the largest 3.9M, to be purged: 128K'
	has 'an area and who asked for it' "$(line_with '= vmalloc')" 'pages=1              area+0x1/0x2'
}

top_sizes() {
	out=$(COLUMNS=150 LINES=50 "$top/scripts/top" --once --root "$pool")
	has 'a large screen has a cell for each page' "$(line_with '     768 ')" \
		"########33333333$(printf '4%.0s' {1..16})$(printf '!%.0s' {1..32})=.112222"
	has 'and room for all areas' "$(line_with '@ ioremap')" who+0x5/0x6
	out=$(LINES=22 "$top/scripts/top" --once --root "$pool")
	has 'what is too much for it is counted' "$(tail -n 1 <<<"$out")" \
		"3 more: $pool/sys/kernel/debug/pocketmm/window"
	out=$(COLUMNS=50 LINES=15 "$top/scripts/top" --once --root "$pool")
	is 'a small one is not overrun' "$(wc -l <<<"$out") $(longest)" '15 50'
}

top_refusals() {
	top_once --interval 0
	is 'an interval of 0 is refused' "$status" 2
	top_once --bogus
	has 'an unknown option' "$status $out" "2 top: unknown option: --bogus"
	run "$top/scripts/top" --root "$pool"
	has 'no terminal and no --once' "$status $out" '1 top: standard output is no terminal'
	on_terminal 80 24 "TERM=dumb '$top/scripts/top' --root '$pool'"
	has 'a terminal that is dumb' "$status $out" "1 top: TERM is 'dumb'"
	mv "$pool/sys/kernel/debug/pocketmm" "$dir/away"
	top_once
	has 'debugfs that is not mounted' "$status $out" '1 top: debugfs is not mounted'
	mv "$dir/away" "$pool/sys/kernel/debug/pocketmm"
	top_as_user
	rm -r "${pool:?}/sys/module/pocketmm"
	top_once
	has 'a module that is not loaded' "$status $out" '1 top: the module is not loaded'
}

top_as_user() {
	local user=()

	chmod 755 "$dir"
	chmod 700 "$pool/sys/kernel/debug"
	((EUID)) || user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	((EUID == 0)) || chmod 0 "$pool/sys/kernel/debug"
	cp "$top/scripts/top" "$dir/top"
	run "${user[@]}" "$dir/top" --once --root "$pool"
	has 'who is not root' "$status $out" '1 top: debugfs is for root alone'
	chmod 700 "$pool/sys/kernel/debug"
}

# top_ended_by HOW STATUS: the terminal is as it was before.
top_ended_by() {
	out=$(expect "$here/top.exp" "$1" "$top/scripts/top" "$pool" 2>&1)
	is "ended by $1" "$(tr -d '\r' <<<"$out" | tail -n 1)" "status $2, terminal restored, modes the same"
}

top_on_terminal() {
	fine_pool
	top_ended_by q 0
	top_ended_by INT 130
	top_ended_by TERM 143
	top_ended_by unload 1
	has 'and says why' "$out" 'the module has been unloaded'
	fine_pool
	top_ended_by other-key-then-q 0
	is 'each key draws anew' "$(grep -o 'pocketmm  era' <<<"$out" | wc -l)" 3
	out=$(NO_COLOR=1 expect "$here/top.exp" q "$top/scripts/top" "$pool" 2>&1)
	lacks 'NO_COLOR is heeded' "$out" '48;5;'
	out=$(expect "$here/top.exp" q "$top/scripts/top" "$pool" 2>&1)
	has 'otherwise there are colours' "$out" $'\e[48;5;208'
	out=$(grep -a . <<<"${out##*$'\e[H'}" | sed '/1049l/,$d' | sed 's/\x1b\[[0-9;?]*[A-Za-z]//g' | tr -d '\r')
	is 'it fits in 100 columns and 30 lines' "$(($(wc -l <<<"$out") <= 30)) $(($(longest) <= 100))" '1 1'
	has 'and uses them' "$(head -n 1 <<<"$out" | wc -m)" 101
}

test_top() {
	top_frames
	top_sizes
	top_refusals
	top_on_terminal
}

# --- in a guest

# The module that DKMS has built, if test_dkms has run.
test_guest() {
	local files=(--file "$top/scripts/top" --file "$top/scripts/doctor" --file "$here/guest:/home-guest")

	[[ ! -d $dir/modules ]] || files+=(--file "$dir/modules:/lib/modules")
	run "$top/scripts/vm" --kernel "$kernel" "${files[@]}" -- 'sh /home-guest'
	is 'the guest came to an end' "$status" 0
	is 'doctor before the load: rights and debugfs are there' \
		"$(grep -cE '^before: ok +(rights|debugfs)' <<<"$out")" 2
	has 'modprobe, or insmod' "$out" "loaded $([[ -d $dir/modules ]] && echo by DKMS || echo from the build)"
	has 'doctor after it: nothing is in the way' "$out" 'doctor says 0'
	has 'top: the pages of an area are told from others' "$(line_with '2048 pages')" \
		'# used 8  = mapped 9  . pcp 0  ! parked 0  9 free 2031'
	has 'an area by its place' "$(line_with '= vmalloc')" 'pages=5              pmm_cmd_vmalloc+'
	has 'once it is unloaded' "$out" 'top: the module is not loaded'
}

# vm_at_terminal HOW [OPTION]...: sets $out to what was seen and what came of it.
vm_at_terminal() {
	local how=$1
	shift

	out=$(expect "$here/vm.exp" "$how" "$top/scripts/vm" --kernel "$kernel" --interactive "$@" 2>&1 |
		tr -d '\r')
}

test_terminal() {
	run "$top/scripts/vm" --interactive
	has 'an interactive guest without a terminal is refused' "$status $out" '125 vm: --interactive needs a terminal'
	rm -rf "$top/build/vm"
	PARAMS='era=2.4 chunk=8M' vm_at_terminal session
	is 'a long line is folded, and does not scroll' "$(grep -c '[0-9]<[0-9]' <<<"$out")" 0
	has 'the guest knows the terminal' "$out" $'xterm-256color\nrecorded 0'
	is 'the file of a recording has come out' "$(grep -c '"name":"alloc"' "$top/build/vm/a.jsonl") $(cat "$top/build/vm/in b/c d")" '1 odd'
	has 'which is said' "$out" "vm: the guest left $top/build/vm/a.jsonl"
	rm -rf "$top/build/vm"
	has 'make vm has a guide' "$out" 'pocketmm-record -o /out/NAME.jsonl'
	has 'with commands' "$out" "echo 'alloc order=3' >command; cat result"
	is 'of one screen' "$(($(sed -n '/a machine of its own/,/if nothing else does/p' <<<"$out" | wc -l) <= 22))" 1
	has 'a shell where commands are given' "$out" '1 alloc order=3 -> ok block=1 page=2040'
	has 'the size of the terminal' "$out" 'size 30 100'
	has 'scripts/top in it' "$out" 'era=2.4  upper'
	has 'and rates in that' "$out" 'rates seen'
	is 'its end is that of the shell' "$(tail -n 1 <<<"$out")" 'status 7, modes the same'
	PARAMS=chunk=nonsense vm_at_terminal plug
	has 'a parameter that is refused is explained' "$out" 'chunk=nonsense is refused'
	is 'Ctrl-a x pulls the plug' "$(tail -n 1 <<<"$out")" 'status 125, modes the same'
	vm_at_terminal kill --append "pocketmm_mark=$$"
	is 'a machine that is killed leaves the terminal as it was' \
		"$(tail -n 1 <<<"$out")" 'status 124, modes the same'
}

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of run and record.sh
#
# Surroundings that are allowed but seldom: paths with any character in them, a closed
# standard input, no HOME.

# A directory for temporary files that awk, sed, QEMU and the shell have other ideas of.
# shellcheck disable=SC2016 # as it stands
readonly ODD='a b,c\d=&|*$(e)'

# A machine that ends at once, and says what it was to write to.
# shellcheck disable=SC2016 # for that shell
make_silent_machine() {
	mkdir -p "$dir/silent"
	printf '%s\n' '#!/bin/bash' 'for word; do [[ $word != *,id=output,* ]] || echo "$word" >"'"$dir"'/asked"; done' \
		>"$dir/silent/qemu-system-x86_64"
	chmod +x "$dir/silent/qemu-system-x86_64"
}

# silent_vm OPTION...
silent_vm() {
	run env PATH="$dir/silent:$PATH" TMPDIR="$odd" "$top/scripts/vm" --kernel 6.12-cloud --virtual-time --accel tcg --no-module "$@" -- true
}

odd_places_of_vm() {
	make_silent_machine
	silent_vm
	has 'vm in an odd place comes to its machine' "$out" 'went down without a verdict'
	is 'which knows the place' "$(sed 's/.*path=//; s/pocketmm-vm\.[^/]*/X/' "$dir/asked")" "${odd//,/,,}/X/output"
	silent_vm --mem 127M
	is 'less memory than any kernel needs is refused' "$status:$out" '125:vm: --mem is too small for the kernel: 128M is the least'
	silent_vm --mem 256M
	has 'a machine of little memory may have had too little' "$out" 'vm: with 256M of memory, which may be too little for 6.12-cloud'
	silent_vm --gdb "$odd/gdb"
	has 'and may be debugged there' "$out" 'went down without a verdict'
	(cd "$odd" && echo 'Kernel panic - x' >a=b && "$top/scripts/vm" --scan a=b) >"$dir/said" 2>&1 </dev/null
	is 'a console whose name looks like an assignment is read' $? 126
	run bash -c "PATH='$dir/silent':\$PATH '$top/scripts/vm' --kernel 6.12-cloud --virtual-time --accel tcg --no-module -- true <&-"
	has 'vm without a standard input' "$out" 'went down without a verdict'
}

odd_places_of_record() {
	local awk

	made_up_machine
	entry 'x [1' 5 1.5 "$AN_EVENT" >"$machine/events"
	for awk in $(awks); do
		use_awk "$awk"
		on_made_up env TMPDIR="$odd" "$top/scripts/record" -o "$odd/$awk.jsonl" --title 'a\b\\c' -- true
		out=$(cat "$odd/$awk.jsonl" 2>&1)
		is "$awk: record in an odd place, with an odd title" "$(json 'r[0].title + those("event").length')" 'a\b\\c1'
		fine_pool
		rm -rf "${odd:?}/pool" && cp -r "$pool" "$odd/pool"
		out=$(cd "$odd" && PATH=$awk_path:$PATH LINES=22 "$top/scripts/top" --once --root "./pool" 2>&1)
		has "$awk: top with an odd root" "$(cd "$odd" && mv pool 'x=\n' && PATH=$awk_path:$PATH LINES=22 "$top/scripts/top" --once --root 'x=\n' 2>&1)" \
			'3 more: ./x=\n/sys/kernel'
		rm -rf "${odd:?}"/x=*
	done
	on_made_up sh -c "'$top/scripts/record' -o '$dir/no-input' -- cat <&-"
	is 'record without a standard input' "$status$(tail -n 1 "$dir/no-input" | cut -c 1-14)" '0{"type":"end",'
}

odd_uses_of_view() {
	run env -u HOME -u XDG_CACHE_HOME "$top/viewer/view" --bogus
	lacks 'view without HOME' "$out" unbound
	run "$top/viewer/view" -o
	is 'view -o without a file' "$status:$out" '1:view: -o needs a file'
	for place in /dev/null/x /proc/x/y "$dir"; do
		run node -e "import('$top/viewer/write.js').then((m) => m.writeOrFail('$place', 'x'))"
		is "view -o $place says in one line that it cannot" "$status:${out%%: E*}:$(wc -l <<<"$out")" "1:view: cannot write $place:1"
	done
	run node -e "import('$top/viewer/format.js').then((m) => console.log(m.parseRecording('\uFEFF' +
		require('fs').readFileSync('$top/viewer/demo/modern.jsonl', 'utf8').replace(/\n/g, '\r\n')).header.mode))"
	is 'a recording with a byte order mark, and with carriage returns' "$out" trace
}

# refused_there NAME COMMAND...: the first line of what it says is why.
refused_there() {
	local name=$1
	shift

	run "$@"
	is "$name in ${place@Q} says that it cannot" \
		"$((status > 0)) $(head -n 1 <<<"$out" | grep -c 'kbuild cannot build in a path with a blank, or any of : ; , =')" '1 1'
}

# A clone in such a place can build nothing, whatever is asked to do it.
clone_in_odd_place() {
	local place=$1 clone="$dir/$1/clone" command

	mkdir -p "$clone" && cp -r "$top"/{scripts,docs,viewer,bench,proof,selftests,*.md,Makefile,Kbuild} "$clone/"
	for command in 'setup vm' 'vm -- true' 'check unit' 'check vm:6.12-cloud' 'vmtest model' 'example 6.12-cloud x' \
		'bench --only pages' 'fuzz --check' 'labs' 'demo' 'lint'; do
		# shellcheck disable=SC2086 # words
		refused_there "scripts/$command" "$clone/scripts/"$command
	done
	for command in '' KERNEL=6.12-cloud modules_install vm check; do
		refused_there "make $command" bash -c 'cd "$1" && exec make $2' bash "$clone" "$command"
	done
	refused_there 'make -f' make -f "$clone/Makefile" KERNEL=6.12-cloud
	run "$clone/scripts/labs" --help
	is 'what builds nothing works there' "$status" 0
	run bash -c 'cd "$1" && make help' bash "$clone"
	has 'as does make help' "$status$out" '0Build'
}

clones_in_odd_places() {
	clone_in_odd_place 'with blank'
	clone_in_odd_place 'a:b,c=d'
	# shellcheck disable=SC2016 # as it stands
	clone_in_odd_place "\$(e) & it's #1"
}

# There a build works.
clone_in_fine_place() {
	local clone="$dir/a+b@c~d^e!f-ü"

	mkdir -p "$clone" && cp -r "$top"/{scripts,Makefile,Kbuild,*.[ch],host,ui,watch} "$clone/"
	run bash -c 'cd "$1" && env -u MAKEFLAGS make KERNEL=6.12-cloud' bash "$clone"
	is 'a clone in a path with other characters builds' "$status $([[ -s $clone/build/6.12-cloud/pocketmm.ko ]] && echo built)" '0 built'
}

test_odd() {
	local odd=$dir/$ODD machine awk_path

	mkdir -p "$odd"
	odd_places_of_vm
	if can_mount; then
		odd_places_of_record
	else
		ok 'record in an odd place # SKIP mounts are not allowed here'
	fi
	odd_uses_of_view
	clones_in_odd_places
	clone_in_fine_place
}

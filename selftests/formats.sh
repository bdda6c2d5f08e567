#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The debugfs files: names and modes, each format by a strict expression,
# buddyinfo and vmallocinfo read by the same code as the kernel's own, sums that
# must agree between files, no addresses where everybody can read, output of
# many pages, and who may read and write.
#
# with --switches only: era=2.4 era=2.6 pcp=0 purge=eager placement=packed

. ./lib.sh

readonly USER=1000

modes() {
	is 'names and modes' "$(cd $PMM && stat -c '%a %n %U' -- * | tr '\n' ',')" \
		'444 blocks root,444 buddyinfo root,200 command root,444 extfrag_index root,444 freelist root,444 mappings root,600 mem root,400 page_owner root,444 pairmap root,400 result root,444 showmem root,444 stats root,444 unusable_index root,400 verify root,444 version root,400 vmallocinfo root,444 window root,'
}

# A state with something of everything: free, on a per-CPU list, used, parked, mapped, three kinds of areas,
# holes, and addresses that wait for a flush.
mixed_state() {
	load chunk=$((777 * PAGE)) window=$((1024 * PAGE))
	must 'alloc order=0'
	must 'alloc order=3 count=3'
	must 'alloc order=2'
	must 'vmap block=1,2,5'
	must 'free block=3'
	must 'free block=5'
	must 'alloc order=0 count=2'
	must 'free block=6'
	must 'free block=7'
	must "vmalloc size=$((10 * PAGE - 960))"
	must "vmalloc size=$PAGE"
	must "vmalloc size=$((3 * PAGE)) user"
	must 'vfree area=3'
	must "ioremap phys=$DEVICE size=1024"
	must "vmalloc size=$((2 * PAGE))"
}

readonly RANGE='0x[0-9a-f]{16}-0x[0-9a-f]{16} +[0-9]+'
readonly NUMBERS='( [0-9]+)*'
readonly SYMBOL='[a-z_0-9]+(\.[a-z0-9.]+)*\+0x[0-9a-f]+/0x[0-9a-f]+ \[pocketmm\]'

small_formats() {
	is 'version' "$(cat $PMM/version)" 1
	matches 'buddyinfo' "$(cat $PMM/buddyinfo)" 'Node 0, zone   Pocket ( +[0-9]+ ){10}'
	matches 'freelist' "$(cat $PMM/freelist)" "order [0-9]:$NUMBERS"
	is 'freelist has every order' "$(cut -c 7 $PMM/freelist | tr -d '\n')" 0123456789
	matches 'pairmap' "$(cat $PMM/pairmap)" 'order [0-8]: pairs=[0-9]+ set=[0-9]+ list=([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?'
	is 'pairmap has every order but the top' "$(cut -c 7 $PMM/pairmap | tr -d '\n')" 012345678
	matches 'stats' "$(cat $PMM/stats)" '[a-z][a-z_]* [0-9]+'
	is 'stats has each name once' "$(cut -d' ' -f1 $PMM/stats | sort | uniq -d)" ''
	matches 'verify' "$(cat $PMM/verify)" 'ok( [a-z]+=[0-9]+)+'
	showmem_format
}

# The zone's lines of 2.4's Alt-SysRq-M.
showmem_format() {
	cpus=0
	with pcp=0 || cpus=$((1 + $(nproc)))
	is 'showmem has four lines, and one a CPU where each has lists' "$(wc -l <$PMM/showmem)" $((4 + cpus))
	matches 'showmem: first line' "$(sed -n 1p $PMM/showmem)" 'Free pages: +[0-9]+kB \( *0kB HighMem\)'
	matches 'showmem: zone' "$(sed -n 2p $PMM/showmem)" \
		'Zone:Pocket freepages: *[0-9]+kB min: *[0-9]+kB low: *[0-9]+kB high: *[0-9]+kB'
	matches 'showmem: counts' "$(sed -n 3p $PMM/showmem)" '\( Active: 0, inactive: 0, free: [0-9]+ \)'
	matches 'showmem: orders' "$(sed -n 4p $PMM/showmem)" \
		"$(for order in 0 1 2 3 4 5 6 7 8 9; do printf '[0-9]+\\*%dkB ' $(((PAGE / 1024) << order)); done)= [0-9]+kB\\)"
	# Those of 2.6.28's show_free_areas().
	if with pcp=1; then
		is 'showmem: per-CPU lists' "$(sed -n 5p $PMM/showmem)" 'Pocket per-cpu:'
		matches 'showmem: each CPU' "$(sed '1,5d' $PMM/showmem)" \
			'CPU +[0-9]+: hi: +[0-9]+, btch: +[0-9]+ usd: +[0-9]+'
	else
		pass 'showmem: no per-CPU lists # SKIP pcp=0'
		pass 'showmem: nor CPUs # SKIP pcp=0'
	fi
}

large_formats() {
	matches 'blocks' "$(cat $PMM/blocks)" "[0-9]+ order=[0-9] (free( pcp)?|used( parked| $SYMBOL)?)"
	matches 'window' "$(cat $PMM/window)" '[0-9]+ [0-9]+ (area (ioremap|vmalloc|vmap) pages=[0-9]+|hole|lazy)'
	matches 'vmallocinfo' "$(cat $PMM/vmallocinfo)" \
		"$RANGE( $SYMBOL)?( pages=[0-9]+)?( phys=0x[0-9a-f]{16})? (ioremap|vmalloc|vmap)( user)?( N0=[0-9]+)?|$RANGE unpurged vm_area"
	matches 'result' "$(cat $PMM/result)" "[0-9]+ vmalloc size=$((2 * PAGE)) -> ok area=[0-9]+ offset=[0-9]+ size=$((2 * PAGE)) pages=2"
}

# tiles: reads 'START LENGTH' lines; prints where they end if each begins where the one before ended.
tiles() {
	awk '$1 != at { print "gap at " at ", next is " $1; exit } { at = $1 + $2 } END { printf "%.0f\n", at }'
}

block_lengths() {
	sed 's/ order=/ /' $PMM/blocks | awk '{ length_ = 1; for (i = 0; i < $2; i++) length_ *= 2; print $1, length_ }'
}

tilings() {
	is 'the blocks tile the chunk' "$(block_lengths | tiles)" 777
	is 'areas and holes tile the window' "$(tiles <$PMM/window)" $((1024 * PAGE))
	is 'no two holes in a row, nor two that wait' \
		"$(awk '$3 != "area" && $3 == was { bad++ } { was = $3 } END { print bad + 0 }' $PMM/window)" 0
	is 'each block is aligned to its size' "$(block_lengths | awk '$1 % $2' | wc -l)" 0
	is 'an area is its pages and a guard page' \
		"$(awk -v page="$PAGE" '$3 == "area" { sub(/pages=/, "", $5); if (($5 + 1) * page != $2) print }' $PMM/window)" ''
}

# The same numbers in every file that has them.
agreement() {
	free=$(stat_of free_pages)
	is 'free pages: freelist' "$(freelist_pages)" "$free"
	is 'free pages: blocks' "$(block_lengths | paste -d' ' - $PMM/blocks | awk '/ free$/ { n += $2 } END { print n }')" "$free"
	is 'pages on per-CPU lists: blocks' "$(block_lengths | paste -d' ' - $PMM/blocks | awk '/ free pcp$/ { n += $2 } END { print n + 0 }')" \
		"$(stat_of pcp_pages)"
	is 'and showmem' "$(awk '/^CPU/ { n += $NF } END { print n + 0 }' $PMM/showmem)" "$(stat_of pcp_pages)"
	is 'free pages: showmem' "$(sed -n 's/.*free: \([0-9]*\) ).*/\1/p' $PMM/showmem)" "$free"
	is 'free pages: buddyinfo' "$(buddy_pages <$PMM/buddyinfo)" "Pocket $free"
	is 'free blocks: blocks and freelist' "$(awk '/ free$/ { print $1 }' $PMM/blocks | sort)" \
		"$(cut -d: -f2 $PMM/freelist | tr ' ' '\n' | grep . | sort)"
	is 'areas: window and stats' "$(grep -c area $PMM/window)" "$(stat_of areas)"
	is 'areas: vmallocinfo and window' "$(areas_of $PMM/vmallocinfo)" \
		"$(awk '$3 == "area" { print $2, $4 } $3 == "lazy" { print $2, "other" }' $PMM/window)"
	is 'addresses that wait: window and stats' "$(awk '$3 == "lazy" { n += $2 } END { printf "%.0f\n", n }' $PMM/window)" \
		"$(stat_of lazy_bytes || echo 0)"
	is 'pair bits: pairmap and freelist' "$(cat $PMM/pairmap)" "$(pairs_from_lists)"
}

freelist_pages() {
	awk '{ size = 1; for (i = 0; i < NR - 1; i++) size *= 2; n += (NF - 2) * size } END { print n }' $PMM/freelist
}

# buddy_pages: the kernel's buddyinfo or ours, as 'ZONE PAGES' lines.
buddy_pages() {
	awk '
	$1 != "Node" || $2 !~ /^[0-9]+,$/ || $3 != "zone" { print "not buddyinfo: " $0 }
	{ size = 1; n = 0; for (i = 5; i <= NF; i++) { n += $i * size; size *= 2 } print $4, n }'
}

# areas_of FILE: the kernel's vmallocinfo or ours, as 'SIZE KIND' lines; the range must have that size.
areas_of() {
	awk '
	function hex(s,    i, n) {
		for (i = 11; i <= 18; i++) n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
		return n
	}
	{
		split($1, range, "-")
		if (range[1] !~ /^0x[0-9a-f]+$/ || $2 !~ /^[0-9]+$/) print "not vmallocinfo: " $0
		if ((hex(range[2]) - hex(range[1]) + 4294967296) % 4294967296 != $2 % 4294967296) print "not the size: " $0
		kind = "other"
		for (i = 3; i <= NF; i++) if ($i ~ /^(ioremap|vmalloc|vmap)$/) kind = $i
		print $2, kind
	}' "$1"
}

same_code_as_the_kernel() {
	known=$(($(mem_free) * 1024 / PAGE))
	total=$(buddy_pages </proc/buddyinfo | awk '{ n += $2 } END { print n }')
	matches "the kernel's buddyinfo" "$(buddy_pages </proc/buddyinfo)" '(DMA|DMA32|Normal) [0-9]+'
	within "the kernel's free pages in it" "$total" $((known * 9 / 10)) $((known + 1024))
	matches "the kernel's vmallocinfo" "$(areas_of /proc/vmallocinfo)" '[0-9]+ (ioremap|vmalloc|vmap|other)'
	matches "the window is there" "$(grep pocketmm /proc/vmallocinfo)" '.* (4198400|[0-9]+) .*\[pocketmm\].*'
}

# Addresses of the kernel's have ffff in front; none is where everybody may read.
no_addresses() {
	for file in version buddyinfo freelist pairmap blocks window showmem stats; do
		is "no address in $file" "$(grep -ciE '(0x|\b)ffff[0-9a-f]{6}|0x[0-9a-f]{9}' $PMM/$file)" 0
	done
	is 'nor in what commands say' "$(grep -ciE 'ffff[0-9a-f]{6}' $PMM/result)" 0
}

# as_user COMMAND...
as_user() {
	"$TRY" user $USER "$@" 2>&1
}

# The directory of debugfs is closed to all but root by default: open it, then each file decides.
who_may() {
	is 'debugfs is closed by default' "$(as_user cat $PMM/version | sed 's/.*: //')" 'Permission denied'
	mount -o remount,mode=755 /sys/kernel/debug || bail 'cannot remount debugfs'
	for file in version buddyinfo freelist pairmap blocks window showmem stats; do
		is "a user reads $file" "$(as_user cat $PMM/$file | md5sum)" "$(md5sum <$PMM/$file)"
	done
	for file in vmallocinfo verify result mem; do
		is "a user does not read $file" "$(as_user cat $PMM/$file | sed 's/.*: //')" 'Permission denied'
	done
	for file in command mem stats version; do
		is "a user does not write $file" "$(as_user "$TRY" write $PMM/$file reset)" EACCES
	done
	mount -o remount,mode=700 /sys/kernel/debug || bail 'cannot remount debugfs'
}

# 21 is CAP_SYS_ADMIN.
capability() {
	before=$(state)
	is 'root without CAP_SYS_ADMIN does not command' "$("$TRY" nocap 21 "$TRY" write $PMM/command 'alloc order=0')" EPERM
	is 'and nothing has changed' "$(state)" "$before"
	is 'root without CAP_SYS_ADMIN reads' "$("$TRY" nocap 21 cat $PMM/freelist)" "$(cat $PMM/freelist)"
	is 'root without another capability commands' "$("$TRY" nocap 22 "$TRY" write $PMM/command purge)" 'ok 5'
}

# An open file goes on showing what it began with; read from the start it shows what is now.
snapshots() {
	exec 8<$PMM/window
	read -r first <&8
	must "vmalloc size=$PAGE"
	is 'the rest is of the same moment' "$(first_and_rest | tiles)" $((1024 * PAGE))
	exec 8<&-
}

first_and_rest() {
	printf '%s\n' "$first"
	cat <&8
}

# Every second one of 16384 pages free: a thousand pages of text, to the last line.
fragmented() {
	pages=$(quick 4096 16384) half=$(quick 2048 8192)
	load "chunk=$((pages * PAGE))"
	yes 'alloc order=0 count=2048' | head -n $((pages / 2048)) | many
	free_even | many
	home
	is 'blocks: a line a page' "$(wc -l <$PMM/blocks)" "$pages"
	is 'blocks: in order' "$(block_lengths | tiles)" "$pages"
	is 'blocks: every second one free' "$(grep -c ' free$' $PMM/blocks)" "$half"
	is 'freelist: all of order 0' "$(sed -n 1p $PMM/freelist | cut -d: -f2 | tr ' ' '\n' | grep -c .)" "$half"
	is 'freelist: none twice' "$(sed -n 1p $PMM/freelist | cut -d: -f2 | tr ' ' '\n' | grep . | sort -n | uniq)" "$(seq 0 2 $((pages - 2)))"
	is 'pairmap: every bit of order 0' "$(sed -n 1p $PMM/pairmap)" "order 0: pairs=$half set=$half list=0-$((half - 1))"
	is 'the same in small reads' "$(head -c 9999 $PMM/blocks | dd bs=37 2>/dev/null | md5sum)" \
		"$(dd if=$PMM/blocks bs=37 2>/dev/null | head -c 9999 | md5sum)"
	matches 'verify' "$(cat $PMM/verify)" "ok pages=$pages blocks=$pages free=$half used=$half .*"
	must reset
	is 'reset' "$(free_total)" "$pages"
	unload
}

plan 81
echo 1 >/proc/sys/kernel/kptr_restrict
mixed_state
modes
small_formats
large_formats
tilings
agreement
same_code_as_the_kernel
no_addresses
who_may
capability
snapshots
must reset
unload
fragmented
finish

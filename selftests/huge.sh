#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Areas of 2 MiB and more in era modern: aligned to 2 MiB and mapped by 2 MiB
# entries for as many whole largest blocks as there are, which `window` and
# `vmallocinfo` tell; everything else is as with small pages.  (The client module
# looks at the page tables.)
#
# with --switches only: expand=upper pcp=0 search=linear purge=eager placement=packed poison=1

. ./lib.sh

# step COMMAND REPLY WINDOW-LINE: of the area that the command makes.
step() {
	must "$1"
	is "$1 -> $2" "$out" "ok $2"
	is "$1: window" "$(grep "^$(value offset) " "$PMM/window")" "$3"
}

placed() {
	load chunk=16M window=32M era=modern purge=eager
	step 'vmalloc size=4M' 'area=1 offset=0 size=4194304 pages=1024' '0 4198400 area vmalloc pages=1024 huge=2'
	step 'vmalloc size=2M' 'area=2 offset=6291456 size=2097152 pages=512' \
		'6291456 2101248 area vmalloc pages=512 huge=1'
	step 'vmalloc size=2056K' 'area=3 offset=10485760 size=2105344 pages=514' \
		'10485760 2109440 area vmalloc pages=514 huge=1'
	step 'vmalloc size=2044K' 'area=4 offset=12595200 size=2093056 pages=511' \
		'12595200 2097152 area vmalloc pages=511'
	step 'vmalloc size=4096' 'area=5 offset=4198400 size=4096 pages=1' '4198400 8192 area vmalloc pages=1'
	step 'vmalloc size=2097151' 'area=6 offset=16777216 size=2097152 pages=512' \
		'16777216 2101248 area vmalloc pages=512 huge=1'
	is 'vmallocinfo has them' "$(grep -o 'huge=[0-9]*' "$PMM/vmallocinfo" | tr '\n' ' ')" 'huge=2 huge=1 huge=1 huge=1 '
	matches 'verify has looked at each entry' "$(cat "$PMM/verify")" 'ok .* areas=6 mapped=3074'
	is 'its pages are single ones' "$(grep -c ' order=0 used pmm_cmd_vmalloc' "$PMM/blocks")" 3074
	contents
	must reset
	home
	is 'all is whole again' "$(order 9 | wc -w) $(cat "$PMM/window")" '8 0 33554432 hole'
	unload
}

# Through the window, by the pool's own calls.
contents() {
	must 'fill area=1 seed=1'
	must 'fill area=3 seed=3'
	cmd 'check area=1 seed=1'
	is 'what was written is read' "$out" ok
	is 'across the end of an entry' "$("$TRY" pread "$PMM/mem" 2097148 8 | cut -c 18-)" 'ok 8'
	must 'check area=3 seed=3'
	is 'the guard page reads as zeros' "$("$TRY" pread "$PMM/mem" 4194304 4)" '00000000 ok 4'
	cmd "free page=$(page_of_area 1) order=0"
	is 'a page of it is its own' "$out" 'error EBUSY the page belongs to an area'
}

page_of_area() {
	must "pages area=$1"
	first_page=$(value pages)
	echo "${first_page%%,*}"
}

# As many entries as there are whole blocks, from the area's start on.
partly() {
	load chunk=6M window=32M era=modern
	must 'alloc order=3'
	must 'vmalloc size=5M'
	matches 'two of three blocks are whole' "$(head -n 1 "$PMM/window")" '0 5246976 area vmalloc pages=1280 huge=2'
	matches 'verify' "$(cat "$PMM/verify")" 'ok .* mapped=1280'
	must "vfree area=1"
	is 'and go back' "$(free_total)" 1528
	must reset
	unload
}

# none SIZE: with a page missing from every block.
without_whole_blocks() {
	load chunk=4M window=16M era=modern
	must 'alloc order=0 count=1024'
	awk -v RS='[ \n]' -F= '$1 == "block" { block = $2 } $1 == "page" && $2 % 512 != 77 { print "free block=" block }' \
		"$PMM/result" | many
	must 'vmalloc size=2M'
	is 'without whole blocks: page by page' "$out $(head -n 1 "$PMM/window")" \
		'ok area=1 offset=0 size=2097152 pages=512 0 2101248 area vmalloc pages=512'
	must 'fill area=1 seed=5'
	must 'check area=1 seed=5'
	must reset
	unload
}

# Where nothing aligned fits, anything else does.
no_aligned_room() {
	load chunk=4M window=3M era=modern
	must 'vmalloc size=4096'
	must 'vmalloc size=2M'
	is 'no aligned room: any address' "$out $(sed -n 2p "$PMM/window")" \
		'ok area=2 offset=8192 size=2097152 pages=512 8192 2101248 area vmalloc pages=512'
	must 'fill area=2 seed=6'
	must 'check area=2 seed=6'
	must reset
	unload
}

# Other eras know nothing of it.
other_eras() {
	for era in 2.4 2.6; do
		load chunk=8M window=16M era=$era
		must 'vmalloc size=2M'
		must 'vmalloc size=2M'
		is "era $era: one behind the other, page by page" "$(head -n 2 "$PMM/window")" \
			"$(printf '%s\n' '0 2101248 area vmalloc pages=512' '2101248 2101248 area vmalloc pages=512')"
		must reset
		unload
	done
}

# Freed, such an area waits as a whole; small areas and large ones come after it at the same address.
# Where small areas were their tables may be cached still: each of the two that make room is flushed.
again() {
	load chunk=8M window=16M era=modern
	tables=0
	for _ in 1 2 3; do
		flushes=$(stat_of tlb_flushes)
		must 'vmalloc size=4M'
		is 'a large area' "$(value offset)" 0
		is 'flushes for tables' $(($(stat_of tlb_flushes) - flushes)) $tables
		tables=2
		must "fill area=$(value area) seed=7"
		must reset
		home
		printf 'vmalloc size=1M\nvmalloc size=1M\nvmalloc size=1M\n' | many
		is 'small ones in its place' "$(cut -d' ' -f1 "$PMM/window" | head -n 3 | tr '\n' ' ')" '0 1052672 2105344 '
		must reset
		home
	done
	unload
}

plan 36
expect_log_begin
placed
expect_log_end
partly
without_whole_blocks
no_aligned_room
other_eras
again
finish

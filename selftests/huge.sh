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
	load chunk=$((4096 * PAGE)) window=$((8192 * PAGE)) era=modern purge=eager
	step "vmalloc size=$((1024 * PAGE))" "area=1 offset=0 size=$((1024 * PAGE)) pages=1024" "0 $((1025 * PAGE)) area vmalloc pages=1024 huge=2"
	step "vmalloc size=$((512 * PAGE))" "area=2 offset=$((1536 * PAGE)) size=$((512 * PAGE)) pages=512" \
		"$((1536 * PAGE)) $((513 * PAGE)) area vmalloc pages=512 huge=1"
	step "vmalloc size=$((514 * PAGE))" "area=3 offset=$((2560 * PAGE)) size=$((514 * PAGE)) pages=514" \
		"$((2560 * PAGE)) $((515 * PAGE)) area vmalloc pages=514 huge=1"
	step "vmalloc size=$((511 * PAGE))" "area=4 offset=$((3075 * PAGE)) size=$((511 * PAGE)) pages=511" \
		"$((3075 * PAGE)) $((512 * PAGE)) area vmalloc pages=511"
	step "vmalloc size=$PAGE" "area=5 offset=$((1025 * PAGE)) size=$PAGE pages=1" "$((1025 * PAGE)) $((2 * PAGE)) area vmalloc pages=1"
	step "vmalloc size=$((512 * PAGE - 1))" "area=6 offset=$((4096 * PAGE)) size=$((512 * PAGE)) pages=512" \
		"$((4096 * PAGE)) $((513 * PAGE)) area vmalloc pages=512 huge=1"
	is 'vmallocinfo has them' "$(grep -o 'huge=[0-9]*' "$PMM/vmallocinfo" | tr '\n' ' ')" 'huge=2 huge=1 huge=1 huge=1 '
	matches 'verify has looked at each entry' "$(cat "$PMM/verify")" 'ok .* areas=6 mapped=3074'
	is 'its pages are single ones' "$(grep -c ' order=0 used pmm_cmd_vmalloc' "$PMM/blocks")" 3074
	contents
	must reset
	home
	is 'all is whole again' "$(order 9 | wc -w) $(cat "$PMM/window")" "8 0 $((8192 * PAGE)) hole"
	unload
}

# Through the window, by the pool's own calls.
contents() {
	must 'fill area=1 seed=1'
	must 'fill area=3 seed=3'
	cmd 'check area=1 seed=1'
	is 'what was written is read' "$out" ok
	is 'across the end of an entry' "$("$TRY" pread "$PMM/mem" $((512 * PAGE - 4)) 8 | cut -c 18-)" 'ok 8'
	must 'check area=3 seed=3'
	is 'the guard page reads as zeros' "$("$TRY" pread "$PMM/mem" $((1024 * PAGE)) 4)" '00000000 ok 4'
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
	load chunk=$((1536 * PAGE)) window=$((8192 * PAGE)) era=modern
	must 'alloc order=3'
	must "vmalloc size=$((1280 * PAGE))"
	matches 'two of three blocks are whole' "$(head -n 1 "$PMM/window")" "0 $((1281 * PAGE)) area vmalloc pages=1280 huge=2"
	matches 'verify' "$(cat "$PMM/verify")" 'ok .* mapped=1280'
	must "vfree area=1"
	is 'and go back' "$(free_total)" 1528
	must reset
	unload
}

# none SIZE: with a page missing from every block.
without_whole_blocks() {
	load chunk=$((1024 * PAGE)) window=$((4096 * PAGE)) era=modern
	must 'alloc order=0 count=1024'
	awk -v RS='[ \n]' -F= '$1 == "block" { block = $2 } $1 == "page" && $2 % 512 != 77 { print "free block=" block }' \
		"$PMM/result" | many
	must "vmalloc size=$((512 * PAGE))"
	is 'without whole blocks: page by page' "$out $(head -n 1 "$PMM/window")" \
		"ok area=1 offset=0 size=$((512 * PAGE)) pages=512 0 $((513 * PAGE)) area vmalloc pages=512"
	must 'fill area=1 seed=5'
	must 'check area=1 seed=5'
	must reset
	unload
}

# Where nothing aligned fits, anything else does.
no_aligned_room() {
	load chunk=$((1024 * PAGE)) window=$((768 * PAGE)) era=modern
	must "vmalloc size=$PAGE"
	must "vmalloc size=$((512 * PAGE))"
	is 'no aligned room: any address' "$out $(sed -n 2p "$PMM/window")" \
		"ok area=2 offset=$((2 * PAGE)) size=$((512 * PAGE)) pages=512 $((2 * PAGE)) $((513 * PAGE)) area vmalloc pages=512"
	must 'fill area=2 seed=6'
	must 'check area=2 seed=6'
	must reset
	unload
}

# Other eras know nothing of it; nor does any where a table has more pages than a largest block.
other_eras() {
	for era in 2.4 2.6 $(leaves || echo modern); do
		load chunk=$((2048 * PAGE)) window=$((4096 * PAGE)) "era=$era"
		must "vmalloc size=$((512 * PAGE))"
		must "vmalloc size=$((512 * PAGE))"
		is "era $era: one behind the other, page by page" "$(head -n 2 "$PMM/window")" \
			"$(printf '%s\n' "0 $((513 * PAGE)) area vmalloc pages=512" "$((513 * PAGE)) $((513 * PAGE)) area vmalloc pages=512")"
		must reset
		unload
	done
}

# Freed, such an area waits as a whole; small areas and large ones come after it at the same address.
# Where small areas were their tables may be cached still: each of the two that make room is flushed.
again() {
	load chunk=$((2048 * PAGE)) window=$((4096 * PAGE)) era=modern
	tables=0
	for _ in 1 2 3; do
		flushes=$(stat_of tlb_flushes)
		must "vmalloc size=$((1024 * PAGE))"
		is 'a large area' "$(value offset)" 0
		is 'flushes for tables' $(($(stat_of tlb_flushes) - flushes)) $tables
		tables=2
		must "fill area=$(value area) seed=7"
		must reset
		home
		yes "vmalloc size=$((256 * PAGE))" | head -n 3 | many
		is 'small ones in its place' "$(cut -d' ' -f1 "$PMM/window" | head -n 3 | tr '\n' ' ')" "0 $((257 * PAGE)) $((514 * PAGE)) "
		must reset
		home
	done
	unload
}

plan $((36 + $(leaves; echo $?)))
if leaves; then
	expect_log_begin
	placed
	expect_log_end
	partly
	again
else
	skips 32 'no entry maps a largest block' "a table has more pages than the 512 of a block"
fi
without_whole_blocks
no_aligned_room
other_eras
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Unloading with things held: each block and each area is named with who asked
# for it, in words that are the same every time, and all memory goes back.

. ./lib.sh

readonly BY='by pmm_[a-z_0-9]+(\.[a-z0-9.]+)*\+0x[0-9a-f]+/0x[0-9a-f]+ \[pocketmm\]'

# rmmod must not be refused: what commands hold is freed.
rmmod_with_leaks() {
	log_mark
	expect_log_begin
	is "$1: rmmod" "$("$TRY" rmmod pocketmm)" ok
	expect_log_end
	report=$(log_since)
}

lines_about() {
	printf '%s\n' "$report" | grep -E "$1"
}

blocks_and_areas() {
	load chunk=$((1024 * PAGE))
	must 'alloc order=0'
	page=$(value page)
	must 'alloc order=4'
	block=$(value page)
	must "vmalloc size=$((3 * PAGE - 2288))"
	must 'vmap block=2'
	must "ioremap phys=$DEVICE size=1024"
	rmmod_with_leaks 'blocks and areas'
	matches 'the page' "$(lines_about "block $page ")" "leak: block $page order 0, $BY"
	matches 'the block' "$(lines_about "block $block ")" "leak: block $block order 4, $BY"
	is 'blocks in all' "$(lines_about 'blocks,')" 'leak: 2 blocks, 17 pages in all'
	matches 'the area of vmalloc' "$(lines_about 'offset 0,')" "leak: area at offset 0, $((3 * PAGE)) bytes, $BY"
	matches 'the area of vmap' "$(lines_about "offset $((4 * PAGE)),")" "leak: area at offset $((4 * PAGE)), $((16 * PAGE)) bytes, $BY"
	matches 'the device' "$(lines_about "offset $((21 * PAGE)),")" "leak: area at offset $((21 * PAGE)), $PAGE bytes, $BY"
	is 'areas in all' "$(lines_about 'areas,')" "leak: 3 areas, $((20 * PAGE)) bytes in all"
	is 'what was done about it' "$(lines_about '^freed')" 'freed 2 blocks and 3 areas that commands still held'
	is 'and all went back' "$(lines_about '^unloaded')" "unloaded, 1024 pages are the kernel's again"
	is 'nothing else' "$(printf '%s\n' "$report" | wc -l)" 9
}

# Of many leaks only some are named, but all are counted.
many_blocks() {
	load chunk=$((1024 * PAGE))
	must 'alloc order=0 count=500'
	rmmod_with_leaks 'many blocks'
	within 'not every one is named' "$(lines_about 'leak: block ' | wc -l)" 1 100
	is 'but all are counted' "$(lines_about 'blocks,')" 'leak: 500 blocks, 500 pages in all'
}

# Freed, but still mapped: the block is no leak of its own, and comes back with the area.
parked_block() {
	load chunk=$((1024 * PAGE))
	must 'alloc order=1'
	must 'vmap block=1'
	must 'free block=1'
	rmmod_with_leaks 'parked block'
	is 'the area is named' "$(lines_about 'areas,')" "leak: 1 areas, $((2 * PAGE)) bytes in all"
	is 'the freed block is no leaked block' "$(lines_about 'blocks,')" ''
	is 'its pages went back, too' "$(lines_about 'still referenced:|lost')" ''
}

# A process that maps a user area keeps the module busy; what the process had is no concern of the pool's.
busy() {
	load chunk=$((1024 * PAGE))
	must "vmalloc size=$PAGE user"
	exec 9<"$PMM/mem"
	is 'busy while mem is open' "$("$TRY" rmmod pocketmm)" EAGAIN
	exec 9>&-
	rmmod_with_leaks 'no longer busy'
	is 'the area is named' "$(lines_about 'areas,')" "leak: 1 areas, $PAGE bytes in all"
}

# Freed by their page rather than by their ID: commands no longer hold anything.
freed_by_page() {
	load chunk=$((1024 * PAGE))
	must 'alloc order=3'
	page=$(value page)
	must "vmalloc size=$PAGE"
	must "free page=$page order=3"
	must 'vfree offset=0'
	log_mark
	unload
	is 'no leak' "$(log_since)" "unloaded, 1024 pages are the kernel's again"
}

plan 22
blocks_and_areas
many_blocks
parked_block
busy
freed_by_page
finish

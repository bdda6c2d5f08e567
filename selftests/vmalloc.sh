#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The vmalloc family by commands: which pages an area gets, what is in them,
# seen from both sides, vmap of blocks that are freed while mapped, and areas
# for user mappings.

. ./lib.sh

# pages_of AREA
pages_of() {
	must "pages area=$1"
	value pages
}

# Single pages, taken as the buddy allocator hands them out, given back in ascending address order.
page_lists() {
	load chunk=$((1024 * PAGE)) expand=upper pcp=0 placement=lifo
	must "vmalloc size=$((3 * PAGE))"
	is 'an area of three pages' "$(pages_of 1)" 1023,1022,1021
	must "vmalloc size=$((5 * PAGE - 480))"
	is 'an area of five pages but 480 bytes' "$(pages_of 2)" 1020,1019,1018,1017,1016
	is 'what is left' "$(lists)" '3:1008 4:992 5:960 6:896 7:768 8:512 9:0'
	must 'vfree area=1'
	is 'the first goes back' "$(lists)" '0:1021 1:1022 3:1008 4:992 5:960 6:896 7:768 8:512 9:0'
	must "vmalloc size=$((2 * PAGE))"
	is 'and the next area gets of it' "$(pages_of 3)" 1021,1023
	must 'vfree area=2'
	must 'vfree area=3'
	is 'all is back' "$(lists)" 9:512,0
	unload
}

page_lists_lower() {
	load chunk=$((1024 * PAGE)) expand=lower pcp=0 placement=lifo
	must "vmalloc size=$((3 * PAGE))"
	is 'lower: an area of three pages' "$(pages_of 1)" 512,513,514
	must "vmalloc size=$((5 * PAGE - 480))"
	is 'lower: an area of five pages but 480 bytes' "$(pages_of 2)" 515,516,517,518,519
	is 'lower: what is left' "$(lists)" '3:520 4:528 5:544 6:576 7:640 8:768 9:0'
	must 'vfree area=1'
	is 'lower: the first goes back' "$(lists)" '0:514 1:512 3:520 4:528 5:544 6:576 7:640 8:768 9:0'
	must "vmalloc size=$((2 * PAGE))"
	is 'lower: and the next area gets of it' "$(pages_of 3)" 514,512
	must 'vfree area=2'
	must 'vfree area=3'
	is 'lower: all is back' "$(lists)" 9:512,0
	unload
}

# The pages of an area are nobody's to free but the area's.
pages_belong_to_area() {
	load chunk=$((1024 * PAGE))
	must "vmalloc size=$PAGE"
	page=$(pages_of 1)
	cmd "free page=$page order=0"
	matches 'a page of an area' "$out" 'error EBUSY .*'
	is 'is counted' "$(stat_of refused_mapped_page)" 1
	matches 'blocks calls it used' "$(grep "^$page " $PMM/blocks)" "$page order=0 used [a-z_]+.*"
	must 'vfree area=1'
	unload
}

# Half of the pool is free, and no two pages of it together: that is what vmalloc is for.
scattered() {
	load chunk=$((1024 * PAGE))
	must 'alloc order=0 count=1024'
	seq 0 2 1022 | sed 's/.*/free page=& order=0/' | many
	cmd 'alloc order=1'
	matches 'no two pages together' "$out" 'error ENOMEM .*'
	must "vmalloc size=$((512 * PAGE))"
	is 'half the pool in one area' "$(value pages)" 512
	is 'of every second page' "$(pages_of 1 | tr ',' '\n' | sort -n | tr '\n' ' ')" "$(seq -s ' ' 0 2 1022) "
	must 'fill area=1 seed=11'
	must 'check area=1 seed=11'
	must reset
	home
	# shellcheck disable=SC2046 # each word is a block
	is 'whole again' "$(sorted $(order 9))" '0 512'
	unload
}

# In pages; each a size in bytes that is not whole pages.
sizes() {
	load chunk=$((1024 * PAGE)) window=$((2048 * PAGE))
	for pages in 1 2 3 31 255; do
		must "vmalloc size=$((pages * PAGE - (PAGE - 1)))"
		is "$pages pages for one byte in the last" "$(value size) $(value pages)" "$((pages * PAGE)) $pages"
	done
	must reset
	must "vmalloc size=$((1024 * PAGE))"
	is 'all of the pool' "$(free_total)" 0
	must reset
	unload
}

# Flushes: none to map, one to unmap, at once or when it is asked for.
flushes() {
	load chunk=$((256 * PAGE))
	must "vmalloc size=$((16 * PAGE))"
	is 'mapping flushes nothing' "$(stat_of tlb_flushes)" 0
	must 'vfree area=1'
	if with purge=lazy; then
		is 'unmapping flushes later' "$(stat_of tlb_flushes)" 0
		must purge
		is 'once' "$out $(stat_of tlb_flushes)" 'ok flushes=1 1'
	else
		is 'unmapping flushes at once' "$(stat_of tlb_flushes)" 1
		pass 'once'
	fi
	must purge
	is 'nothing is left to purge' "$out" 'ok flushes=0'
	must drain
	must drain
	is 'nothing is left to drain' "$out" 'ok pages=0'
	unload
}

# Data written through the window is read through the direct map, and the other way round.
two_views() {
	load chunk=$((1024 * PAGE))
	must 'alloc order=2'
	page=$(value page)
	must 'vmap block=1'
	is 'vmap of a block' "$out" "ok area=1 offset=0 size=$((4 * PAGE)) pages=4"
	# shellcheck disable=SC2046 # each word is a page
	is 'has its pages' "$(pages_of 1)" "$(joined $(seq "$page" $((page + 3))))"
	must 'fill block=1 seed=5'
	cmd 'check area=1 seed=5'
	is 'written to the block, read in the area' "$out" ok
	must 'fill area=1 seed=6'
	cmd 'check block=1 seed=6'
	is 'written to the area, read in the block' "$out" ok
	cmd 'check block=1 seed=5'
	matches 'another seed is another pattern' "$out" 'error EIO byte 0 is 0x[0-9a-f]+, not 0x[0-9a-f]+'
	must 'vunmap area=1'
	must 'check block=1 seed=6'
	must 'free block=1'
	unload
}

several_blocks() {
	load chunk=$((1024 * PAGE))
	must 'alloc order=0'
	first=$(value page)
	must 'alloc order=3'
	second=$(value page)
	must 'alloc order=1'
	third=$(value page)
	must 'vmap block=3,1,2'
	# shellcheck disable=SC2046 # each word is a page
	is 'several blocks in the order given' "$(pages_of 1)" \
		"$third,$((third + 1)),$first,$(joined $(seq "$second" $((second + 7))))"
	must 'vmap block=1,1'
	is 'a page twice' "$(pages_of 2)" "$first,$first"
	printf A | "$TRY" pwrite $PMM/mem $((12 * PAGE)) >/dev/null
	is 'shows in both places' "$("$TRY" pread $PMM/mem $((12 * PAGE)) 1) $("$TRY" pread $PMM/mem $((13 * PAGE)) 1)" '41 ok 1 41 ok 1'
	is 'and in the other area' "$("$TRY" pread $PMM/mem $((2 * PAGE)) 1)" '41 ok 1'
	must reset
	unload
}

# A block that is freed while an area maps it is parked, and comes back with the last mapping.
parked() {
	load chunk=$((16 * PAGE))
	must 'alloc order=1'
	page=$(value page)
	must 'vmap block=1'
	must 'vmap block=1'
	must 'free block=1'
	is 'freed while mapped' "$out" 'ok parked=1'
	is 'the page is neither free nor lost' "$(free_total) $(stat_of parked_pages)" '14 2'
	is 'blocks says so' "$(grep "^$page " $PMM/blocks)" "$page order=1 used parked"
	matches 'verify is content' "$(cat $PMM/verify)" 'ok .* parked=1 .*'
	parked_is_not_free
	must 'vunmap area=1'
	is 'one mapping less' "$(stat_of parked_pages)" 2
	must 'vunmap area=2'
	home
	is 'recycled with the last mapping' "$(stat_of parked_pages) $(lists)" '0 4:0'
	unload
}

parked_is_not_free() {
	cmd "free page=$page order=1"
	matches 'a parked block is not freed twice' "$out" 'error EINVAL the page is already free'
	cmd 'alloc order=0 count=15'
	matches 'nor handed out' "$out" 'error ENOMEM 14 of 15 .*'
	must drain
	must drain
	is 'nor drained' "$out $(stat_of parked_pages)" 'ok pages=0 2'
	must 'fill area=2 seed=9'
	must 'check area=1 seed=9'
}

# An area for users is zeroed, whatever was in the pages before.
zeroed() {
	load chunk=$((16 * PAGE))
	must 'alloc order=4'
	must 'fill block=1 seed=1'
	must 'free block=1'
	for flag in user zero 'zero user'; do
		must "vmalloc size=$((16 * PAGE)) $flag"
		is "vmalloc $flag: zeroed" "$(head -c $((16 * PAGE)) $PMM/mem | tr -d '\000' | wc -c)" 0
		must "fill area=$(value area) seed=2"
		must reset
	done
	must "vmalloc size=$PAGE"
	must "vmalloc size=$PAGE user"
	is 'only the one is marked' "$(grep -c ' user' $PMM/vmallocinfo)" 1
	must reset
	unload
}

plan 52
expect_log_begin
page_lists
page_lists_lower
pages_belong_to_area
scattered
sizes
flushes
two_views
several_blocks
parked
zeroed
expect_log_end
finish

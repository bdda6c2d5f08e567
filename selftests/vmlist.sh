#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The vm_struct list and the window: lowest-address first fit, exact fits, holes
# and their reuse, the guard page in each area's size, and a window that is full.
# Where frees of areas wait for a flush (purge=lazy), each is purged at once.
#
# with --switches only: era=2.4 era=2.6 search=linear purge=eager

. ./lib.sh

# step COMMAND REPLY WINDOW: the window as 'OFFSET+PAGES' for areas, '.PAGES' for holes, guard pages included.
step() {
	must "$1"
	is "$1 -> $2" "$out" "ok${2:+ $2}"
	home
	is "$1: window" "$(window)" "$3"
}

window() {
	set --
	while read -r w_offset w_size w_kind _; do
		case $w_kind in
		area) set -- "$@" "$((w_offset / PAGE))+$((w_size / PAGE))" ;;
		hole) set -- "$@" ".$((w_size / PAGE))" ;;
		esac
	done <"$PMM/window"
	echo "$*"
}

first_fit() {
	load chunk=$((256 * PAGE)) window=$((256 * PAGE))
	is 'fresh: one hole' "$(cat $PMM/window)" "0 $((256 * PAGE)) hole"
	step "vmalloc size=$PAGE" "area=1 offset=0 size=$PAGE pages=1" '0+2 .254'
	is 'the guard page is in the size' "$(head -n 1 $PMM/window)" "0 $((2 * PAGE)) area vmalloc pages=1"
	step "vmalloc size=$((3 * PAGE))" "area=2 offset=$((2 * PAGE)) size=$((3 * PAGE)) pages=3" '0+2 2+4 .250'
	step 'vmalloc size=1' "area=3 offset=$((6 * PAGE)) size=$PAGE pages=1" '0+2 2+4 6+2 .248'
	step "vmalloc size=$((PAGE + 1))" "area=4 offset=$((8 * PAGE)) size=$((2 * PAGE)) pages=2" '0+2 2+4 6+2 8+3 .245'
	reuse
	unload
}

# The lowest hole that is large enough, not the best one, and exact fits are taken.
reuse() {
	step 'vfree area=2' '' '0+2 .4 6+2 8+3 .245'
	step "vmalloc size=$((4 * PAGE))" "area=5 offset=$((11 * PAGE)) size=$((4 * PAGE)) pages=4" '0+2 .4 6+2 8+3 11+5 .240'
	step "vmalloc size=$PAGE" "area=6 offset=$((2 * PAGE)) size=$PAGE pages=1" '0+2 2+2 .2 6+2 8+3 11+5 .240'
	step "vmalloc size=$PAGE" "area=7 offset=$((4 * PAGE)) size=$PAGE pages=1" '0+2 2+2 4+2 6+2 8+3 11+5 .240'
	step 'vfree area=1' '' '.2 2+2 4+2 6+2 8+3 11+5 .240'
	step 'vfree area=6' '' '.4 4+2 6+2 8+3 11+5 .240'
	step 'vfree area=3' '' '.4 4+2 .2 8+3 11+5 .240'
	step "vmalloc size=$PAGE" "area=8 offset=0 size=$PAGE pages=1" '0+2 .2 4+2 .2 8+3 11+5 .240'
	step "vmalloc size=$((2 * PAGE))" "area=9 offset=$((16 * PAGE)) size=$((2 * PAGE)) pages=2" '0+2 .2 4+2 .2 8+3 11+5 16+3 .237'
	step "vfree offset=$((4 * PAGE))" '' '0+2 .6 8+3 11+5 16+3 .237'
	step "vmalloc size=$((5 * PAGE))" "area=10 offset=$((2 * PAGE)) size=$((5 * PAGE)) pages=5" '0+2 2+6 8+3 11+5 16+3 .237'
	step 'reset' 'blocks=0 areas=5' '.256'
}

# 256 pages hold 128 areas of one page and its guard page.
window_full() {
	load chunk=$((256 * PAGE)) window=$((256 * PAGE))
	for _ in 1 2 3 4 5 6 7 8; do
		echo "vmalloc size=$PAGE vmalloc size=1 vmalloc size=100 vmalloc size=$((PAGE - 1))" | sed 's/ vm/\nvm/g'
		yes "vmalloc size=$PAGE" | head -n 12
	done | many
	is '128 areas' "$(stat_of areas) $(grep -c area $PMM/window) $(grep -c hole $PMM/window)" '128 128 0'
	before=$(state)
	cmd "vmalloc size=$PAGE"
	matches 'no room for one more' "$out" 'error ENOSPC .*'
	is 'and nothing has changed' "$(state)" "$before"
	must 'vfree area=77'
	step_in_hole
	must 'vfree area=128'
	must 'vmalloc size=1'
	is 'the last hole is used to the last page' "$(value offset)" $((254 * PAGE))
	must reset
	unload
}

step_in_hole() {
	cmd "vmalloc size=$((PAGE + 1))"
	matches 'a hole that is a page too small' "$out" 'error ENOSPC .*'
	must "vmalloc size=$PAGE"
	is 'the hole that was freed' "$(value offset)" $((76 * 2 * PAGE))
}

# The end of the window counts even when the list is empty.
whole_window() {
	load chunk=$((512 * PAGE)) window=$((256 * PAGE))
	cmd "vmalloc size=$((256 * PAGE))"
	matches 'the guard page does not fit' "$out" 'error ENOSPC .*'
	step "vmalloc size=$((255 * PAGE))" "area=1 offset=0 size=$((255 * PAGE)) pages=255" '0+256'
	is 'one line, no hole' "$(cat $PMM/window)" "0 $((256 * PAGE)) area vmalloc pages=255"
	cmd 'vmalloc size=1'
	matches 'not one page more' "$out" 'error ENOSPC .*'
	step 'vfree area=1' '' '.256'
	unload
}

# A window whose size is not a multiple of a page table's range, and smaller than the chunk.
odd_window() {
	load chunk=$((4096 * PAGE)) window=$((1027 * PAGE))
	step "vmalloc size=$((1026 * PAGE))" "area=1 offset=0 size=$((1026 * PAGE)) pages=1026" '0+1027'
	must 'fill area=1 seed=3'
	must 'check area=1 seed=3'
	matches 'every entry is right' "$(cat $PMM/verify)" 'ok .* areas=1 mapped=1026'
	step 'vfree area=1' '' '.1027'
	unload
}

# Each kind of area takes its place in the same list.
mixed_kinds() {
	load chunk=$((256 * PAGE)) window=$((256 * PAGE))
	must 'alloc order=1'
	step 'vmap block=1' "area=1 offset=0 size=$((2 * PAGE)) pages=2" '0+3 .253'
	step "ioremap phys=$DEVICE size=1024" "area=2 offset=$((3 * PAGE)) size=$PAGE pages=1" '0+3 3+2 .251'
	step "vmalloc size=$PAGE user" "area=3 offset=$((5 * PAGE)) size=$PAGE pages=1" '0+3 3+2 5+2 .249'
	is 'kinds' "$(cat $PMM/window)" "0 $((3 * PAGE)) area vmap pages=2
$((3 * PAGE)) $((2 * PAGE)) area ioremap pages=1
$((5 * PAGE)) $((2 * PAGE)) area vmalloc pages=1
$((7 * PAGE)) $((249 * PAGE)) hole"
	step 'iounmap area=2' '' '0+3 .2 5+2 .249'
	step 'vunmap area=1' '' '.5 5+2 .249'
	step "vmalloc size=$((4 * PAGE))" "area=4 offset=0 size=$((4 * PAGE)) pages=4" '0+5 5+2 .249'
	must reset
	unload
}

plan 65
first_fit
window_full
whole_window
odd_window
mixed_kinds
finish

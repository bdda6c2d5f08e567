#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# purge=lazy: pages go back at once, addresses after a flush, one for many; nobody
# gets them before.  A purge comes when it is asked for, when there is no room
# otherwise, and when more than 32 MiB wait for each doubling of the CPUs.
# purge=eager beside it, where nothing ever waits.
#
# with --switches only: era=2.4 pcp=0 search=linear poison=1
# needs two processors: with one, the limit is where nobody asks for it

. ./lib.sh

# window: 'OFFSET+PAGES' for areas, '.PAGES' for holes, '~PAGES' for what waits; guard pages included.
window() {
	set --
	while read -r w_offset w_size w_kind _; do
		case $w_kind in
		area) set -- "$@" "$((w_offset / PAGE))+$((w_size / PAGE))" ;;
		hole) set -- "$@" ".$((w_size / PAGE))" ;;
		lazy) set -- "$@" "~$((w_size / PAGE))" ;;
		esac
	done <"$PMM/window"
	echo "$*"
}

# step COMMAND REPLY WINDOW FLUSHES
step() {
	must "$1"
	is "$1 -> $2" "$out" "ok${2:+ $2}"
	is "$1: window, flushes" "$(window) $(stat_of tlb_flushes)" "$3 $4"
}

waits() {
	load chunk=$((256 * PAGE)) window=$((256 * PAGE)) purge=lazy
	step "vmalloc size=$((2 * PAGE))" "area=1 offset=0 size=$((2 * PAGE)) pages=2" '0+3 .253' 0
	step "vmalloc size=$PAGE" "area=2 offset=$((3 * PAGE)) size=$PAGE pages=1" '0+3 3+2 .251' 0
	step "vmalloc size=$PAGE" "area=3 offset=$((5 * PAGE)) size=$PAGE pages=1" '0+3 3+2 5+2 .249' 0
	step 'vfree area=1' '' '~3 3+2 5+2 .249' 0
	step "vmalloc size=$PAGE" "area=4 offset=$((7 * PAGE)) size=$PAGE pages=1" '~3 3+2 5+2 7+2 .247' 0
	step 'vfree area=3' '' '~3 3+2 ~2 7+2 .247' 0
	is 'what waits is no area' "$(stat_of areas) $(stat_of lazy_bytes)" "2 $((5 * PAGE))"
	is 'its pages are free' "$(free_total)" 254
	matches 'verify' "$(cat "$PMM/verify")" 'ok .* areas=2 mapped=2'
	is 'vmallocinfo has it in the words of the kernel' "$(grep -c ' unpurged vm_area$' "$PMM/vmallocinfo")" 2
	step 'vfree area=2' '' '~7 7+2 .247' 0
	step purge flushes=1 '.7 7+2 .247' 1
	is 'nothing waits any more' "$(stat_of lazy_bytes)" 0
	step purge flushes=0 '.7 7+2 .247' 1
	step "vmalloc size=$((4 * PAGE))" "area=5 offset=0 size=$((4 * PAGE)) pages=4" '0+5 .2 7+2 .247' 1
	refused_while_it_waits
	unload
}

refused_while_it_waits() {
	must 'vfree area=4'
	expect_log_begin
	for command in 'vfree area=4' "vfree offset=$((7 * PAGE))"; do
		cmd "$command"
		matches "$command: no such area" "$out" 'error ENOENT .*'
	done
	expect_log_end
	is 'it reads as zeros' "$("$TRY" pread "$PMM/mem" $((7 * PAGE)) 4)" '00000000 ok 4'
	must reset
}

# Each kind of area waits, and is gone with one flush.
kinds() {
	load chunk=$((256 * PAGE)) window=$((256 * PAGE)) purge=lazy
	must 'alloc order=1'
	must 'vmap block=1'
	must "ioremap phys=$DEVICE size=1024"
	must "vmalloc size=$((2 * PAGE)) user"
	must 'vunmap area=1'
	must 'iounmap area=2'
	must 'vfree area=3'
	is 'vmap, ioremap and vmalloc wait' "$(window) $(stat_of tlb_flushes)" '~8 .248 0'
	step purge flushes=1 .256 1
	must 'vmap block=1'
	must 'free block=1'
	must 'vunmap area=4'
	is 'a page that was freed under a vmap comes back at once' "$(free_total) $(stat_of parked_pages)" '256 0'
	must reset
	unload
}

# Many frees, one flush; where each flushes, as many.
many_frees() {
	for purge in lazy eager; do
		load chunk=$((1024 * PAGE)) window=$((2048 * PAGE)) "purge=$purge"
		yes "vmalloc size=$((2 * PAGE))" | head -n 200 | many
		before=$(stat_of tlb_flushes)
		seq 200 | sed 's/^/vfree area=/' | many
		at_once=$(($(stat_of tlb_flushes) - before))
		must purge
		case $purge in
		lazy) is '200 frees, one flush' "$at_once $out $(window)" '0 ok flushes=1 .2048' ;;
		eager) is '200 frees, 200 flushes' "$at_once $out $(window)" '200 ok flushes=0 .2048' ;;
		esac
		unload
	done
}

# When there is no room, what waits is purged first, and only then a request fails.
no_room() {
	load chunk=$((512 * PAGE)) window=$((64 * PAGE)) purge=lazy
	must "vmalloc size=$((25 * PAGE))"
	must "vmalloc size=$((25 * PAGE))"
	must 'vfree area=1'
	step "vmalloc size=$((16 * PAGE))" "area=3 offset=0 size=$((16 * PAGE)) pages=16" '0+17 .9 26+26 .12' 1
	must 'vfree area=3'
	cmd "vmalloc size=$((50 * PAGE))"
	is 'what cannot be had even so is refused' "$out" 'error ENOSPC no hole in the window is large enough'
	is 'after a purge' "$(window) $(stat_of tlb_flushes)" '.26 26+26 .12 2'
	cmd "vmalloc size=$((50 * PAGE))"
	is 'and the next time without one' "$(stat_of tlb_flushes)" 2
	must reset
	must purge
	must 'alloc order=4'
	for command in 'vmap block=1' "ioremap phys=$EMPTY size=$((12 * PAGE))"; do
		must "vmalloc size=$((60 * PAGE))"
		must "vfree area=$(value area)"
		flushes=$(stat_of tlb_flushes)
		must "$command"
		is "${command%% *} purges when there is no room" "$(value offset) $(($(stat_of tlb_flushes) - flushes))" '0 1'
		case $command in
		vmap*) must "vunmap area=$(value area)" ;;
		esac
		must purge
	done
	must reset
	unload
}

# As much waits as the kernel lets wait, to the page, and then all is purged at once.
threshold() {
	cpus=$(nproc) doublings=1
	while [ "$cpus" -gt 1 ]; do
		cpus=$((cpus / 2)) doublings=$((doublings + 1))
	done
	most=$((doublings * 33554432 / PAGE))
	load chunk=$((2048 * PAGE)) window=$((131072 * PAGE)) purge=lazy era=2.6
	waiting=0
	while [ $((waiting + 2001)) -le $most ]; do
		printf 'vmalloc size=%d\nvfree offset=%d\n' $((2000 * PAGE)) $((waiting * PAGE)) | "$TRY" batch "$PMM/command" >/dev/null ||
			bail "$(cat "$PMM/result")"
		waiting=$((waiting + 2001))
	done
	rest=$((most - waiting))
	printf 'vmalloc size=%d\nvfree offset=%d\n' $(((rest - 1) * PAGE)) $((waiting * PAGE)) |
		"$TRY" batch "$PMM/command" >/dev/null || bail "$(cat "$PMM/result")"
	is 'as much as may wait' "$(stat_of lazy_bytes) $(stat_of tlb_flushes)" "$((most * PAGE)) 0"
	must "vmalloc size=$PAGE"
	must "vfree area=$(value area)"
	is 'two pages more, and all is purged' "$(stat_of lazy_bytes) $(stat_of tlb_flushes) $(window)" '0 1 .131072'
	unload
}

# Nothing waits at unload that could not be given up.
unloaded_while_it_waits() {
	load chunk=$((256 * PAGE)) window=$((256 * PAGE)) purge=lazy
	must "vmalloc size=$((2 * PAGE))"
	must 'vfree area=1'
	log_mark
	unload
	is 'unloaded while addresses wait' "$(log_since)" "unloaded, 256 pages are the kernel's again"
}

eager() {
	load chunk=$((256 * PAGE)) window=$((256 * PAGE)) purge=eager
	step "vmalloc size=$((2 * PAGE))" "area=1 offset=0 size=$((2 * PAGE)) pages=2" '0+3 .253' 0
	step "vmalloc size=$PAGE" "area=2 offset=$((3 * PAGE)) size=$PAGE pages=1" '0+3 3+2 .251' 0
	step 'vfree area=1' '' '.3 3+2 .251' 1
	step "vmalloc size=$((2 * PAGE))" "area=3 offset=0 size=$((2 * PAGE)) pages=2" '0+3 3+2 .251' 1
	step purge flushes=0 '0+3 3+2 .251' 1
	is 'eager: nothing waits' "$(stat_of lazy_bytes)" 0
	must reset
	unload
}

plan 55
waits
kinds
many_frees
no_room
threshold
unloaded_while_it_waits
eager
finish

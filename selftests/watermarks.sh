#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Watermarks: after an allocation at least min_free pages are left for ordinary
# callers, a quarter of that for __GFP_HIGH, nothing for __GFP_MEMALLOC; and so
# the exact number of pages that each of them can get.
#
# with --switches only: era=2.4 era=2.6 expand=upper pcp=0 placement=packed poison=1

. ./lib.sh

# gets GFP COUNT: that many pages and not one more.
gets() {
	[ "$2" = 0 ] || must "alloc order=0 count=$2 gfp=$1"
	cmd "alloc order=0 gfp=$1" && out="one more: $out"
	matches "$reserve: $1 gets $2 pages" "$out" 'error ENOMEM .*'
}

# levels MIN_FREE KERNEL ATOMIC MEMALLOC: of 256 pages; each takes what the one before could not.
levels() {
	reserve=min_free=$1
	load chunk=$((256 * PAGE)) "min_free=$1"
	gets kernel "$2"
	gets atomic "$3"
	gets memalloc "$4"
	is "$reserve: all pages are out" "$(free_total)" 0
	must reset
	home
	is "$reserve: and back" "$(lists)" 8:0
	unload
}

all_levels() {
	sample 4 >/tmp/rows <<-END
	0 256 0 0
	1 255 1 0
	3 253 3 0
	4 252 3 1
	7 249 6 1
	63 193 48 15
	64 192 48 16
	255 1 192 63
	256 0 192 64
	auto 236 15 5
	END
	while read -r min_free kernel atomic memalloc; do
		levels "$min_free" "$kernel" "$atomic" "$memalloc"
	done </tmp/rows
}

# orders: a block counts with all its pages, so 8 of 32 pages leave 0 and 7 leave 32.
orders() {
	load chunk=$((256 * PAGE)) min_free=32
	reserve='min_free=32, order 5'
	must 'alloc order=5 count=7 gfp=kernel'
	before=$(state)
	cmd 'alloc order=5 gfp=kernel'
	matches 'order 5: the eighth block is not for ordinary callers' "$out" 'error ENOMEM .*'
	cmd 'alloc order=5 gfp=atomic'
	matches 'order 5: nor for atomic ones' "$out" 'error ENOMEM .*'
	is 'order 5: refusals change nothing' "$(state)" "$before"
	cmd 'alloc order=0 gfp=kernel'
	matches 'order 5: not one page' "$out" 'error ENOMEM .*'
	must 'alloc order=4 gfp=atomic'
	is 'order 5: atomic gets half of it' "$(free_total)" 16
	must 'alloc order=4 gfp=memalloc'
	is 'order 5: memalloc gets the rest' "$(free_total)" 0
	must reset
	unload
}

# vmalloc is an ordinary caller.
areas() {
	load chunk=$((256 * PAGE)) min_free=64
	before=$(state)
	cmd "vmalloc size=$((193 * PAGE))"
	matches 'vmalloc of one page too many' "$out" 'error ENOMEM .*'
	is 'vmalloc gives back what it had taken' "$(state)" "$before"
	must "vmalloc size=$((192 * PAGE))"
	is 'vmalloc of what ordinary callers may have' "$(free_total)" 64
	must reset
	unload
}

# Giving pages back opens the pool again, at once and to the page.
recovers() {
	load chunk=$((256 * PAGE)) min_free=64
	must 'alloc order=0 count=192'
	must 'alloc order=0 gfp=atomic'
	must 'free block=1'
	cmd 'alloc order=0'
	matches 'one page short of the mark' "$out" 'error ENOMEM .*'
	must 'free block=2'
	cmd 'alloc order=0'
	matches 'at the mark' "$out" 'ok block=[0-9]+ page=[0-9]+'
	must reset
	unload
}

# A pool so large that per-CPU lists take as many at a time as they ever do; what they keep counts.
large_pool() {
	load chunk=$((16384 * PAGE)) min_free=100
	reserve='16384 pages, min_free=100'
	gets kernel 16284
	gets atomic 75
	must 'free block=1'
	cmd 'alloc order=0'
	matches '16384 pages: what is freed is kept back, wherever it is' "$out" 'error ENOMEM .*'
	gets memalloc 26
	is '16384 pages: all pages are out' "$(free_total)" 0
	must reset
	is '16384 pages: and back' "$(free_total)" 16384
	unload
}

plan $((17 + 5 * $(quick 3 10)))
expect_log_begin
all_levels
orders
areas
recovers
large_pool
expect_log_end
finish

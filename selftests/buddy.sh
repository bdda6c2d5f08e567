#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The buddy allocator: split and coalesce, step by step, with every free list
# spelt out; either half; LIFO; odd sizes; exhaustion.  Where each block and list
# is spelt out, they are those of the free lists alone, the last freed first.
#
# with --switches only: era=2.4 era=2.6 expand=upper pcp=0 placement=packed poison=1

. ./lib.sh

# step COMMAND REPLY LISTS: each compared as it stands.
step() {
	must "$1"
	is "$1 -> $2" "$out" "ok${2:+ $2}"
	is "$1: free lists" "$(lists)" "$3"
}

# 1024 pages are two largest blocks; a page is cut out of the one at the head.
split_upper() {
	load chunk=$((1024 * PAGE)) expand=upper pcp=0 placement=lifo
	is 'fresh: the last block freed is at the head' "$(lists)" '9:512,0'
	step 'alloc order=0' 'block=1 page=1023' '0:1022 1:1020 2:1016 3:1008 4:992 5:960 6:896 7:768 8:512 9:0'
	step 'alloc order=0' 'block=2 page=1022' '1:1020 2:1016 3:1008 4:992 5:960 6:896 7:768 8:512 9:0'
	step 'alloc order=0' 'block=3 page=1021' '0:1020 2:1016 3:1008 4:992 5:960 6:896 7:768 8:512 9:0'
	step 'alloc order=3' 'block=4 page=1008' '0:1020 2:1016 4:992 5:960 6:896 7:768 8:512 9:0'
	step 'alloc order=3' 'block=5 page=1000' '0:1020 2:1016 3:992 5:960 6:896 7:768 8:512 9:0'
	step 'alloc order=9' 'block=6 page=0' '0:1020 2:1016 3:992 5:960 6:896 7:768 8:512'
	coalesce_upper
	unload
}

# The same blocks go back in another order; nothing may be left in pieces.
coalesce_upper() {
	step 'free block=1' '' '0:1023,1020 2:1016 3:992 5:960 6:896 7:768 8:512'
	step 'free block=4' '' '0:1023,1020 2:1016 3:1008,992 5:960 6:896 7:768 8:512'
	step 'free block=2' '' '0:1020 1:1022 2:1016 3:1008,992 5:960 6:896 7:768 8:512'
	step 'free block=3' '' '3:992 4:1008 5:960 6:896 7:768 8:512'
	step 'free block=6' '' '3:992 4:1008 5:960 6:896 7:768 8:512 9:0'
	step 'free block=5' '' '9:512,0'
}

split_lower() {
	load chunk=$((1024 * PAGE)) expand=lower pcp=0 placement=lifo
	step 'alloc order=0' 'block=1 page=512' '0:513 1:514 2:516 3:520 4:528 5:544 6:576 7:640 8:768 9:0'
	step 'alloc order=0' 'block=2 page=513' '1:514 2:516 3:520 4:528 5:544 6:576 7:640 8:768 9:0'
	step 'alloc order=1' 'block=3 page=514' '2:516 3:520 4:528 5:544 6:576 7:640 8:768 9:0'
	step 'alloc order=2' 'block=4 page=516' '3:520 4:528 5:544 6:576 7:640 8:768 9:0'
	step 'free block=1' '' '0:512 3:520 4:528 5:544 6:576 7:640 8:768 9:0'
	step 'free block=3' '' '0:512 1:514 3:520 4:528 5:544 6:576 7:640 8:768 9:0'
	step 'free block=2' '' '2:512 3:520 4:528 5:544 6:576 7:640 8:768 9:0'
	step 'free block=4' '' '9:512,0'
	unload
}

# pages_of COUNT: the pages that COUNT single allocations get, in order.
pages_of() {
	must "alloc order=0 count=$1"
	pages=
	for word in $out; do
		case $word in
		page=*) pages="$pages ${word#page=}" ;;
		esac
	done
	echo "${pages# }"
}

order_of_pages() {
	load chunk=$((16 * PAGE)) expand=upper
	is 'upper: from the top down' "$(pages_of 16)" '15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0'
	must reset
	home
	is 'all are back' "$(lists)" 4:0
	unload
	load chunk=$((16 * PAGE)) expand=lower
	is 'lower: from the bottom up' "$(pages_of 16)" '0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15'
	must reset
	home
	is 'all are back, too' "$(lists)" 4:0
	unload
}

# The last one freed is the first one handed out.
lifo() {
	load chunk=$((16 * PAGE)) pcp=0 placement=lifo
	must 'alloc order=0 count=16'
	step 'free page=3 order=0' '' 0:3
	step 'free page=9 order=0' '' 0:9,3
	step 'free page=6 order=0' '' 0:6,9,3
	step 'alloc order=0' 'block=17 page=6' 0:9,3
	step 'free page=12 order=0' '' 0:12,9,3
	step 'alloc order=0' 'block=18 page=12' 0:9,3
	step 'alloc order=0' 'block=19 page=9' 0:3
	must reset
	unload
}

# Every second page free: half the pool, and not two pages together.
fragmentation() {
	load chunk=$((16 * PAGE))
	must 'alloc order=0 count=16'
	for page in 0 2 4 6 8 10 12 14; do
		echo "free page=$page order=0"
	done | many
	home
	# shellcheck disable=SC2046 # each word is a page
	is 'every second page is free' "$(lists | wc -w) $(sorted $(order 0))" '1 0 2 4 6 8 10 12 14'
	expect_log_begin
	cmd 'alloc order=1'
	expect_log_end
	matches 'order 1 fails with half the pool free' "$out" 'error ENOMEM .*'
	for page in 1 5 3 7 9 13 11 15; do
		echo "free page=$page order=0"
	done | many
	home
	is 'the other half makes it whole' "$(lists)" 4:0
	unload
}

# every_order EXPAND: alone, each order comes from the end of the pool that is handed out.
every_order() {
	load chunk=$((512 * PAGE)) "expand=$1"
	order=0
	while [ $order -le 9 ]; do
		page=0
		[ "$1" = lower ] || page=$((512 - (1 << order)))
		must "alloc order=$order"
		is "$1: order $order begins at" "$(value page)" $page
		is "$1: order $order leaves" "$(free_total)" $((512 - (1 << order)))
		must "free block=$((order + 1))"
		home
		is "$1: order $order is back" "$(lists)" 9:0
		order=$((order + 1))
	done
	unload
}

# exhaustion PAGES LISTS: a request that is met in part is undone as if it had not been.
exhaustion() {
	load "chunk=$(($1 * PAGE))"
	must 'alloc order=0'
	before=$(state)
	expect_log_begin
	cmd "alloc order=0 count=$1"
	matches "$1: one page too many" "$out" "error ENOMEM $(($1 - 1)) of $1 blocks available, all given back"
	is "$1: and nothing has changed" "$(state)" "$before"
	must "alloc order=0 count=$(($1 - 1))"
	is "$1: nothing is left" "$(free_total) $(lists)" '0 '
	cmd 'alloc order=0'
	expect_log_end
	matches "$1: not even one page" "$out" 'error ENOMEM .*'
	must reset
	home
	is "$1: reset gives all back" "$(lists)" "$2"
	unload
}

# The words of the log when the pool has nothing, once.  (How many lines there may be in a while is counted
# anew with each load.)
failure_line() {
	load chunk=$((16 * PAGE))
	must 'alloc order=4'
	log_mark
	expect_log_begin
	cmd 'alloc order=2'
	expect_log_end
	matches 'one line when nothing is left' "$(log_since)" \
		'order-2 allocation failed: gfp=[A-Z_a-z|]+, 0 of 16 pages free, by pmm_[a-z_]+(\.[a-z0-9.]+)*\+0x[0-9a-f]+/0x[0-9a-f]+ \[pocketmm\]'
	must reset
	unload
}

counters() {
	load chunk=$((1024 * PAGE)) pcp=0
	must 'alloc order=0'
	is 'a page out of 512: nine cuts' "$(stat_of allocations) $(stat_of splits)" '1 9'
	must 'free block=1'
	is 'and nine merges' "$(stat_of frees) $(stat_of merges)" '1 9'
	must 'alloc order=9 count=2'
	is 'whole blocks are not cut' "$(stat_of allocations) $(stat_of splits)" '3 9'
	expect_log_begin
	cmd 'alloc order=0'
	expect_log_end
	is 'a failure is counted' "$(stat_of failures)" 1
	must reset
	unload
}

# zeroed ORDER: of a pool that was full of a pattern, a block is handed out zeroed.
zeroed() {
	load chunk=$((512 * PAGE))
	must 'alloc order=9'
	must 'fill block=1 seed=7'
	must 'check block=1 seed=7'
	must 'free block=1'
	must "alloc order=$1 zero"
	must 'vmap block=2'
	size=$((PAGE << $1))
	is "order $1 zeroed" "$(head -c $size $PMM/mem | tr -d '\000' | wc -c)" 0
	is "order $1 read in full" "$(head -c $size $PMM/mem | wc -c)" $size
	must reset
	unload
}

plan 146
split_upper
split_lower
order_of_pages
lifo
fragmentation
every_order upper
every_order lower
exhaustion 16 4:0
exhaustion 777 '0:776 3:768 8:512 9:0'
exhaustion 1000 '3:992 5:960 6:896 7:768 8:512 9:0'
failure_line
counters
zeroed 0
zeroed 3
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Per-CPU lists (pcp=1): what is taken and freed on one CPU passes the free lists
# by, a batch at a time; a drain, an allocation that would fail and a CPU that
# goes bring everything back; and the books balance throughout.  A pool of 64 MiB
# has batches of 64 pages, and a CPU keeps three of them at most.
#
# with --switches only: era=2.4 era=2.6 expand=upper placement=packed
# needs two processors: one goes and comes, and each has lists of its own

. ./lib.sh

readonly BATCH=64 HIGH=192

# On one CPU, so that it is known which lists are meant.
on_cpu() {
	taskset -p "$(printf %x $((1 << $1)))" $$ >/dev/null || bail "taskset $1"
}

on_any_cpu() {
	taskset -p "$(printf %x $(((1 << CPUS) - 1)))" $$ >/dev/null || bail taskset
}

# pages: free on the free lists, on per-CPU lists.
pages() {
	echo "$(stat_of free_pages) $(stat_of pcp_pages)"
}

# balance NAME USED: every page is somewhere, and verify has counted the same.
balance() {
	is "$1: free, kept, used and parked are all" \
		$(($(stat_of free_pages) + $(stat_of pcp_pages) + $2 + $(stat_of parked_pages))) "$(stat_of total_pages)"
	counted=$(grep -c ' free pcp$' "$PMM/blocks")
	matches "$1: verify" "$(cat "$PMM/verify")" "ok .* pcp=$counted .*"
}

# The first page brings a batch, and those after it nothing, down to the last.
refill() {
	load chunk=$((16384 * PAGE)) pcp=1
	is 'fresh: nothing is kept' "$(pages)" '16384 0'
	must 'alloc order=0'
	is 'one page: a batch is taken, one of it handed out' "$(pages)" "$((16384 - BATCH)) $((BATCH - 1))"
	is 'which is no fast allocation' "$(stat_of pcp_allocations) $(stat_of allocations)" '0 1'
	lists_before=$(cat "$PMM/freelist" "$PMM/pairmap")
	must "alloc order=0 count=$((BATCH - 1))"
	is 'the rest of the batch: the free lists are not touched' "$(cat "$PMM/freelist" "$PMM/pairmap")" "$lists_before"
	is 'all of it is handed out' "$(pages)" "$((16384 - BATCH)) 0"
	is 'and counted' "$(stat_of pcp_allocations) $(stat_of allocations)" "$((BATCH - 1)) $BATCH"
	balance 'a batch in use' $BATCH
	must 'alloc order=0'
	is 'one more: the next batch' "$(pages)" "$((16384 - 2 * BATCH)) $((BATCH - 1))"
	flush
	unload
}

# Freed pages are kept, up to the limit; then the coldest batch goes back.
flush() {
	must reset
	is 'freed: kept, and the free lists are as they were' "$(pages)" "$((16384 - 2 * BATCH)) $((2 * BATCH))"
	is 'freed: each counts once' "$(stat_of frees)" $((BATCH + 1))
	must "alloc order=0 count=$((HIGH + 8))"
	is 'more than was kept: batches are added' "$(pages)" "$((16384 - 4 * BATCH)) $((4 * BATCH - HIGH - 8))"
	must drain
	is 'a drain brings back what is kept' "$out $(pages)" "ok pages=$((4 * BATCH - HIGH - 8)) $((16384 - HIGH - 8)) 0"
	must reset
	is 'freed: at most three batches are kept' "$(pages)" "$((16384 - HIGH + BATCH - 8)) $((HIGH - BATCH + 8))"
	balance 'after a flush' 0
	must drain
	is 'drained: all are whole again' "$(lists | tr , '\n' | wc -l) $(pages)" '32 16384 0'
}

# page_of ID: of $reply
page_of() {
	page_after=${reply#* block="$1" page=}
	echo "${page_after%% *}"
}

# kept ID: what `blocks` says of the block's page.
kept() {
	grep "^$(page_of "$1") " "$PMM/blocks" || echo 'part of another block'
}

# The page freed last is handed out first, and the coldest pages go back first.
hot_and_cold() {
	load chunk=$((16384 * PAGE)) pcp=1
	must "alloc order=0 count=$((HIGH + 1))"
	reply=$out
	must drain
	seq $HIGH | sed 's/^/free block=/' | many
	is 'cold: as many as there is room for' "$(stat_of pcp_pages)" $HIGH
	must "free block=$((HIGH + 1))"
	is 'cold: with one more a batch goes back' "$(stat_of pcp_pages)" $((HIGH - BATCH + 1))
	for id in 1 $BATCH; do
		isnt "cold: page $id, of the first that were freed" "$(kept "$id")" "$(page_of "$id") order=0 free pcp"
	done
	for id in $((BATCH + 1)) $HIGH; do
		is "cold: page $id is kept" "$(kept "$id")" "$(page_of "$id") order=0 free pcp"
	done
	must 'alloc order=0'
	is 'hot: the page freed last' "$(value page)" "$(page_of $((HIGH + 1)))"
	must reset
	unload
}

# Each order up to where there are lists has its own; a batch is as many pages whatever the order.
orders() {
	load chunk=$((16384 * PAGE)) pcp=1
	for order in 1 2 3; do
		must "alloc order=$order"
		is "order $order: a batch" "$(pages)" "$((16384 - BATCH)) $((BATCH - (1 << order)))"
		is "order $order: blocks of it" "$(grep -c " order=$order free pcp\$" "$PMM/blocks")" $(((BATCH >> order) - 1))
		must reset
		is "order $order: freed onto its list" "$(pages)" "$((16384 - BATCH)) $BATCH"
		must drain
	done
	must 'alloc order=9'
	is 'largest blocks have no list' "$(pages)" '15872 0'
	must reset
	is 'nor when they are freed' "$(pages)" '16384 0'
	unload
}

# Small pools have small batches, down to none.
small_pools() {
	load chunk=$((16 * PAGE)) pcp=1
	must 'alloc order=0 count=16'
	is '16 pages: all can be had' "$(pages)" '0 0'
	must reset
	is '16 pages: none is lost' "$(free_total)" 16
	balance '16 pages' 0
	home
	is '16 pages: whole again' "$(lists)" 4:0
	unload
	load chunk=$((2048 * PAGE)) pcp=1
	must 'alloc order=0'
	is '8 MiB: a batch is of eight pages' "$(pages)" '2040 7'
	must reset
	unload
}

# A batch splits no block that the request would not split: one free block of each order is enough
# for one request of each.
greed() {
	load chunk=$((1024 * PAGE)) pcp=1 expand=lower
	must 'alloc order=9'
	must 'alloc order=0'
	must drain
	is 'one free block of each order' "$(lists | sed 's/:[0-9]*//g')" '0 1 2 3 4 5 6 7 8'
	for order in 0 1 2 3 4 5 6 7 8; do
		must "alloc order=$order"
	done
	is 'a request for each of them: no page is left' "$(free_total)" 0
	must reset
	unload
}

# As 2.6.28's show_free_areas() has them.
shown() {
	load chunk=$((16384 * PAGE)) pcp=1
	on_cpu 0
	must 'alloc order=0'
	is 'showmem has the CPU that was used' "$(grep '^CPU' "$PMM/showmem" | head -n 1 | tr -s ' ')" \
		"CPU 0: hi: $HIGH, btch: $BATCH usd: $((BATCH - 1))"
	is 'and the one that was not' "$(grep '^CPU' "$PMM/showmem" | sed -n 2p | tr -s ' ')" \
		"CPU 1: hi: $HIGH, btch: $BATCH usd: 0"
	must reset
	unload
	load chunk=$((256 * PAGE)) pcp=0
	is 'without lists there is no such line' "$(grep -c -i cpu "$PMM/showmem")" 0
	is 'nor any page' "$(stat_of pcp_pages)" 0
	unload
}

# A request that only what other CPUs keep can meet gets it.
exhaustion() {
	load chunk=$((16384 * PAGE)) pcp=1
	on_cpu 0
	must 'alloc order=0 count=40'
	must reset
	on_cpu 1
	must 'alloc order=0 count=40'
	must reset
	is 'both CPUs keep pages' "$(grep -c '^CPU.*usd: *[1-9]' "$PMM/showmem")" 2
	must 'alloc order=9 count=32'
	is 'yet every largest block can be had' "$(pages)" '0 0'
	must reset
	on_cpu 0
	must 'alloc order=0 count=40'
	must reset
	on_cpu 1
	must 'alloc order=0 count=16384'
	is 'and every page' "$(pages)" '0 0'
	expect_log_begin
	cmd 'alloc order=0'
	expect_log_end
	matches 'and then none' "$out" 'error ENOMEM .*'
	must reset
	on_cpu 0
	must "vmalloc size=$((16384 * PAGE))"
	is 'an area of the whole pool, too' "$(pages)" '0 0'
	must reset
	unload
}

# Misuse is found on these lists as it is elsewhere.
misuse() {
	load chunk=$((16384 * PAGE)) pcp=1
	must 'alloc order=1'
	page=$(value page)
	must "free page=$page order=1"
	matches 'the block is kept' "$(grep "^$page " "$PMM/blocks")" "$page order=1 free pcp"
	expect_log_begin
	for command in "page=$page order=1" "page=$page order=0" "page=$((page + 1)) order=0"; do
		cmd "free $command"
		is "$command is refused" "$out" 'error EINVAL the page is already free'
	done
	expect_log_end
	is 'each is counted' "$(stat_of refused_double_free)" 3
	balance 'after misuse' 0
	unload
}

# On a busy host a processor may take too long to come for the kernel's taste.
online() {
	for _ in 1 2 3 4 5; do
		echo "$2" >"/sys/devices/system/cpu/cpu$1/online" && return
		sleep 1
	done
	bail "cpu$1 does not go $2"
}

# When a CPU goes, its pages become available to all; it comes back with empty lists.
hotplug() {
	if [ ! -w /sys/devices/system/cpu/cpu1/online ]; then
		for what in 'pages are kept' 'they are back' 'one CPU is left' 'it is back' 'verify' \
			'many times' 'nothing is lost'; do
			pass "hotplug: $what # SKIP cpu1 cannot be switched off"
		done
		return
	fi
	load chunk=$((16384 * PAGE)) pcp=1
	on_cpu 1
	must "alloc order=0 count=$((BATCH + 8))"
	must reset
	on_cpu 0
	is 'hotplug: cpu1 keeps pages' "$(pages)" "$((16384 - 2 * BATCH)) $((2 * BATCH))"
	online 1 0
	is 'hotplug: it goes, and they are back' "$(pages)" '16384 0'
	is 'hotplug: showmem has one CPU left' "$(grep -c '^CPU' "$PMM/showmem")" $((CPUS - 1))
	must 'alloc order=0 count=10'
	online 1 1
	on_cpu 1
	must 'alloc order=0 count=10'
	must reset
	balance 'hotplug: cpu1 is back' 0
	unload
	repeated_hotplug
}

# While pages come and go on both, and `verify` looks.
repeated_hotplug() {
	load chunk=$((4096 * PAGE)) pcp=1
	on_any_cpu
	while [ ! -e /tmp/stop ]; do
		echo 'alloc order=0 count=100' >"$PMM/command" && echo reset >"$PMM/command"
	done 2>/dev/null &
	times=0
	while [ $times -lt "$TIMES" ]; do
		online 1 0
		read -r verdict _ <"$PMM/verify"
		[ "$verdict" = ok ] || break
		online 1 1
		times=$((times + 1))
	done
	touch /tmp/stop
	wait
	rm /tmp/stop
	is 'hotplug: many times, and nothing is found' "$verdict $times" "ok $TIMES"
	must reset
	must drain
	is 'hotplug: nothing is lost' "$(pages)" '4096 0'
	unload
}

TIMES=$(quick 2 10)
CPUS=$(nproc)
[ "$CPUS" -ge 2 ] || skip_all 'needs two CPUs'
plan 66
on_cpu 0
refill
hot_and_cold
orders
greed
small_pools
shown
exhaustion
misuse
hotplug
on_any_cpu
finish

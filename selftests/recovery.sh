#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# All pages are the kernel's again after unload: MemFree and /proc/buddyinfo
# before and after many loads of different sizes, in good order, with things
# held, and refused.  The first round warms up what the kernel keeps for itself.
# A long run loads 500 times and more, each time with other parameters.

. ./lib.sh

# In pages.
CYCLES=$(quick '777 16 6144' \
	'256 16 777 4097 1000 16384 512 2559 8192 17 32768 256 6144 1024 768 3072 25600 1280 12288')

REPEATS=$(quick 1 1 14)
# With this number of them, a size meets another one in each repeat of the list.
SWITCHES='era=2.4 era=2.6 era=modern expand=upper pcp=0 search=linear purge=eager placement=packed min_free=0
	era=2.4,placement=packed era=2.6,search=tree,purge=eager window=1M node=0'

# In kB; noise of a kernel that is otherwise idle. The chunks of one round are 110 thousand pages. In a long run it is two
# pages for each load.
readonly TOLERANCE=2048

# huge: free kB in blocks of 512 pages and more, of all zones.
huge() {
	awk -v smallest=$((PAGE / 2)) '{ for (i = 14; i <= NF; i++) { kb = smallest; for (j = 14; j < i; j++) kb *= 2; n += $i * kb } } END { print n + 0 }' \
		/proc/buddyinfo
}

# switches: the next row of the list, in a long run.
switches() {
	[ -n "${POCKETMM_LONG-}" ] || return
	# shellcheck disable=SC2086 # words are wanted
	set -- $SWITCHES
	shift $((loads % $#))
	echo "$1" | tr , ' '
}

cycle() {
	# shellcheck disable=SC2046 # words are wanted
	load "chunk=$(($1 * PAGE))" $(switches)
	loads=$((loads + 1))
	must 'alloc order=0 count=4'
	must "vmalloc size=$((2 * PAGE))"
	must 'alloc order=2'
	must 'vmap block=5,2'
	[ "$2" = held ] || must reset
	"$TRY" rmmod pocketmm >/dev/null || bail 'rmmod'
}

# A chunk that is not available, and a bad value: everything taken before must be given back.
refusals() {
	for _ in 1 2; do
		insmod_with chunk=126M "below=$((RAM_FLOOR + 128))M" >/dev/null && bail 'an impossible chunk was loaded'
		insmod_with chunk=$((16384 * PAGE)) window=4096000M >/dev/null && bail 'an impossible window was loaded'
	done
	cycle 16 reset
}

# settle: pages that the kernel frees late come back within seconds, pages on its per-CPU lists when
# another small load makes it empty them, and blocks that it broke for pages of its own when these are
# freed or moved; lost pages never do.
settle() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		free_after=$(mem_free) huge_after=$(huge)
		[ $((free_before - free_after)) -gt $TOLERANCE ] ||
			[ $((huge_before - huge_after)) -gt $((4 * TOLERANCE)) ] || return
		sleep 1
		cycle 16 reset
		{ echo 3 >/proc/sys/vm/drop_caches && echo 1 >/proc/sys/vm/compact_memory; } 2>/dev/null
	done
}

# round NAME COMMAND...: compares before and after.
round() {
	name=$1
	shift
	free_before=$(mem_free) huge_before=$(huge)
	"$@"
	settle
	note "$name: MemFree $free_before -> $free_after kB," \
		"in blocks of 512 pages and more $huge_before -> $huge_after kB"
	within "$name: MemFree lost, in kB" $((free_before - free_after)) -65536 $TOLERANCE
	within "$name: large blocks lost, in kB" $((huge_before - huge_after)) -1048576 \
		$((4 * TOLERANCE))
}

# all_sizes STATE TIMES
# shellcheck disable=SC2317 # called by name
all_sizes() {
	for _ in $(seq "$2"); do
		for size in $CYCLES; do
			cycle "$size" "$1"
		done
	done
}

# A window's page tables stay with the kernel, for the next one there: 128 of them.
# shellcheck disable=SC2317 # called by name
large_windows() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		load chunk=$((16 * PAGE)) window=$((65536 * PAGE))
		unload
	done
}

[ "$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)" -gt $((100 * PAGE)) ] || skip_all "needs $((PAGE / 10)) MB"
plan 9
loads=0
expect_log_begin
# Page tables of windows of all these sizes are kept by the kernel, and used again.
all_sizes held 1
refusals
round 'unloaded in good order' all_sizes reset "$REPEATS"
round 'unloaded with things held' all_sizes held "$REPEATS"
round 'refused' refusals
large_windows
round 'large windows' large_windows
within 'loads and unloads' $loads "$(quick 9 40 500)" 100000
expect_log_end
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# For how long interrupts are off while a file is read, in instructions: no
# longer than a bound, of a small pool or a large one, with every second page
# taken, so that there are as many blocks as there can be.  What others change
# between two pieces of a file must not show.  The bound also holds while parked
# pages are checked, however many there are.
#
# not with --switches: it is about size

. ./lib.sh

CLIENT=/sys/kernel/debug/pocketmm_client
CLIENT_KO=${POCKETMM_CLIENT_KO:-client/pocketmm_client.ko}
BOUND=200000
FILES='verify blocks freelist pairmap buddyinfo showmem unusable_index extfrag_index stats'

# Does the clock count instructions, each of one nanosecond or of eight?
virtual_time() {
	echo 1 >$CLIENT/irqs_off
	thousand=$(sed 's/.*=//' $CLIENT/irqs_off)
	{ [ "$thousand" -ge 998 ] && [ "$thousand" -le 1002 ]; } ||
		{ [ "$thousand" -ge 7984 ] && [ "$thousand" -le 8016 ]; }
}

# stretch FILE: the longest while its first line is read, which takes a snapshot.
stretch() {
	echo 1 >$CLIENT/irqs_off
	head -n 1 "$PMM/$1" >/tmp/line
	sed 's/instructions=\([0-9]*\) .*/\1/' $CLIENT/irqs_off
}

# requests FILE: how often memory is asked for while all of the file is read.
requests() {
	must 'fail nth=1000'
	cat "$PMM/$1" >/tmp/whole
	echo $((1000 - $(stat_of fail_nth)))
	must 'fail nth=0'
}

# A copy for each size of seq_file's buffer would be a walk for each.
copied_once() {
	is "freelist of $1 MiB is copied once, with what it has seen" "$(requests freelist)" 2
	is "pairmap of $1 MiB is copied once" "$(requests pairmap)" 1
	is "blocks of $1 MiB are copied once" "$(requests blocks)" 1
}

# While threads and timers use the pool, what is read is complete all the same, and nothing is there twice.
while_busy() {
	expect_log_begin
	echo 1 >$CLIENT/stress || bail 'the client does not start'
	for _ in 1 2 3; do
		cut -c 1-3 $PMM/verify
		tr ' ' '\n' <$PMM/freelist | grep '^[0-9][0-9]*$' | sort | uniq -d | head -n 3
		awk 'BEGIN { for (i = 0; i < 10; i++) pages["order=" i] = i ? 2 * pages["order=" (i - 1)] : 1 }
			$1 != at + 0 { print "not at " at ": " $0 }
			{ at = $1 + pages[$2] }
			END { print at }' $PMM/blocks
	done >/tmp/busy
	busy=$(cat $CLIENT/stress)
	echo 0 >$CLIENT/stress
	expect_log_end
	note "$busy"
	is "a busy pool of $1 pages" "$(sort -u /tmp/busy | tr '\n' ' ')" "$1 ok  "
}

# longest COMMAND...: the longest stretch until the command, such as a function below, has ended.
longest() {
	echo 1 >$CLIENT/irqs_off
	"$@"
	sed 's/instructions=\([0-9]*\) .*/\1/' $CLIENT/irqs_off
}

# shellcheck disable=SC2317 # by longest
drain() {
	echo drain >"$PMM/command"
}

# shellcheck disable=SC2317 # by longest
map_and_unmap() {
	echo 1 >"$CLIENT/ram"
}

# With their references gone, nothing else is done to the pool.
# shellcheck disable=SC2317 # by longest
let_go() {
	echo 0 >"$CLIENT/parked"
	tries=30
	while [ "$(stat_of parked_pages)" != 0 ] && [ $((tries -= 1)) -gt 0 ]; do
		sleep 0.1
	done
}

# Most of the pool is freed while it is still referenced.
with_parked() {
	parked=$(($1 * 1048576 * 3 / PAGE / 4))
	echo $parked >$CLIENT/parked || bail 'the client cannot park pages'
	is "$parked pages are parked" "$(stat_of parked_pages)" $parked
	for work in drain map_and_unmap let_go; do
		nr=$(longest "$work")
		note "$nr instructions for $work with $parked pages parked"
		within "$work with $parked pages parked" "$nr" 1 $BOUND
	done
	is "all $parked are free again" "$(stat_of parked_pages)" 0
}

of_a_pool() {
	load "chunk=${1}M"
	"$TRY" insmod "$CLIENT_KO" >/dev/null || bail "insmod $CLIENT_KO"
	echo 1 >$CLIENT/half || bail 'the client cannot take half of the pool'
	for file in $FILES; do
		longest=$(stretch "$file")
		note "$longest instructions for $file of $1 MiB"
		within "$file of $1 MiB keeps interrupts off for some instructions" "$longest" 1 $BOUND
	done
	is "freelist of $1 MiB has each block once" \
		"$(tr ' ' '\n' <$PMM/freelist | grep -c '^[0-9]*$') $(tr ' ' '\n' <$PMM/freelist | grep '^[0-9]*$' | sort -u | wc -l)" \
		"$(awk '{ for (i = 5; i <= NF; i++) n += $i } END { print n, n }' $PMM/buddyinfo)"
	copied_once "$1"
	[ "$1" != "$FEW" ] || while_busy $(($1 * 1048576 / PAGE))
	matches "verify of $1 MiB" "$(cat $PMM/verify)" "ok pages=$(($1 * 1048576 / PAGE)) .*"
	echo 0 >$CLIENT/half
	with_parked "$1"
	"$TRY" rmmod pocketmm_client >/dev/null
	unload
}

load chunk=4M
"$TRY" insmod "$CLIENT_KO" >/dev/null || bail "insmod $CLIENT_KO"
virtual_time
clock=$?
"$TRY" rmmod pocketmm_client >/dev/null
unload
[ $clock = 0 ] || skip_all 'the clock does not count instructions'
FEW=$(quick 32 128)
plan $((2 * ($(echo "$FILES" | wc -w) + 10) + 1))
of_a_pool "$FEW"
of_a_pool $((4 * FEW))
finish

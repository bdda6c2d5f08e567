#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Everything at once, on all CPUs: commands, readers of every file, mappings of
# the window, and the client module's threads and timers; `verify` is read
# throughout and must never find anything.  Afterwards all is free again.  Then
# the same in rounds of so many operations from threads, softirqs and hard
# interrupts, while a CPU goes and comes; between two rounds all is given back,
# and nothing may be missing.  At last the module is loaded and unloaded while
# others open, read and map its files.
#
# needs two processors: races between them are what it looks for

. ./lib.sh

CLIENT=/sys/kernel/debug/pocketmm_client
CLIENT_KO=${POCKETMM_CLIENT_KO:-client/pocketmm_client.ko}
SECONDS_LONG=${POCKETMM_HAMMER_SECONDS:-$(quick 2 12)}
CYCLES=$(quick 5 50 200)
ROUNDS=$(quick 1 2 10)
OPERATIONS=$(quick 20000 100000 1000000)	# of a round
CPU=/sys/devices/system/cpu/cpu1/online

# field NAME TEXT
field() {
	echo "$2" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

memfree() {
	awk '$1 == "MemFree:" { print $2 }' /proc/meminfo
}

hammer_it() {
	expect_log_begin
	log_mark
	echo 1 >"$CLIENT/stress" || bail 'the client does not start'
	done=$(./hammer run "$SECONDS_LONG")
	is 'hammer' "$?" 0
	note "$done"
	busy=$(cat "$CLIENT/stress")
	echo 0 >"$CLIENT/stress"
	note "$busy"
	expect_log_end
}

# Running out of pages is no fault; all other lines are.
clean_log() {
	is 'the log has nothing but failed allocations' \
		"$(log_since | grep -vE '(order-[0-9]+ allocation|vmalloc of [0-9]+ bytes) failed|callbacks suppressed')" ''
}

did_something() {
	for what in commands reads verdicts mappings; do
		isnt "there were $what" "$(field "$what" "$done")" 0
	done
	isnt 'the client used the pool' "$(field uses "$busy")" 0
	is 'the client found nothing wrong' "$(field wrong "$(cat "$CLIENT/stress")")" 0
}

# wrong TEXT: in one of the rounds.
wrong() {
	bad="${bad:+$bad
}round $round: $1"
}

# A CPU goes and comes, for as long as /tmp/storming is there.
hotplug() {
	times=0
	while [ -w $CPU ] && [ -e /tmp/storming ]; do
		echo 0 >$CPU && times=$((times + 1))
		sleep 0.2
		echo 1 >$CPU
		sleep 0.3
	done
	echo $times >/tmp/hotplugs
}

# What stats counts itself, of blocks alone; an area or a run is many.
block_operations() {
	echo $(($(stat_of allocations) + $(stat_of frees)))
}

storm() {
	rm -f /tmp/stormed
	: >/tmp/storming
	hotplug &
	{
		"$TRY" write "$CLIENT/storm" "$OPERATIONS" >/tmp/stormed.new
		mv /tmp/stormed.new /tmp/stormed
	} &
	while [ ! -e /tmp/stormed ]; do
		./hammer run 2 >/tmp/hammered || wrong "hammer: $(cat /tmp/hammered)"
		commands=$((commands + $(field commands "$(tail -n 1 /tmp/hammered)")))
		reads=$((reads + $(field reads "$(tail -n 1 /tmp/hammered)")))
	done
	rm /tmp/storming
	wait
	[ "$(cat /tmp/stormed)" = "ok ${#OPERATIONS}" ] || wrong "the client: $(cat /tmp/stormed)"
	hotplugs=$((hotplugs + $(cat /tmp/hotplugs)))
}

# All is given back: nothing is held, nothing waits, and nothing is missing.
quiet() {
	must reset
	must purge
	must drain
	busy=$(cat "$CLIENT/stress")
	note "round $round: $busy"
	operations=$((operations + $(field operations "$busy")))
	for context in thread softirq hardirq; do
		[ $context = hardirq ] && grep -q PREEMPT_RT /proc/version || [ "$(field $context "$busy")" -gt 0 ] ||
			wrong "nothing from $context"
	done
	[ "$(field wrong "$busy")" = 0 ] || wrong "the client found $busy"
	[ "$(field operations "$busy")" -ge "$OPERATIONS" ] || wrong 'fewer operations than asked for'
	[ "$(free_total)" = "$(stat_of total_pages)" ] || wrong "free pages: $(free_total) of $(stat_of total_pages)"
	[ "$(cat "$PMM/window")" = "0 $(stat_of window_bytes) hole" ] || wrong "window: $(head -n 3 "$PMM/window")"
	verdict=$(cat "$PMM/verify")
	[ "${verdict%% *}" = ok ] || wrong "verify: $verdict"
}

storms() {
	expect_log_begin
	log_mark
	bad='' operations=0 hotplugs=0 commands=0 reads=0 blocks=$(block_operations)
	for round in $(seq "$ROUNDS"); do
		storm
		quiet
	done
	note "$operations operations of the client's, with $(($(block_operations) - blocks)) of blocks in stats," \
		"$hotplugs times a CPU went, $commands commands, $reads reads, in $ROUNDS rounds"
	is 'each round: all given back, nothing missing, verify, no mark lost' "$bad" ''
	within 'operations' "$operations" $((ROUNDS * OPERATIONS)) 1000000000
	if [ -w $CPU ]; then
		isnt 'a CPU went and came' "$hotplugs" 0
	else
		pass 'a CPU went and came # SKIP no CPU can go'
	fi
	expect_log_end
	clean_log
}

# The kernel's own caches breathe, and some memory it frees late; the pool is 16 MiB.
memory_recovers() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		sync
		echo 3 >/proc/sys/vm/drop_caches
		lost=$((before - $(memfree)))
		[ $lost -gt 4096 ] || break
		sleep 1
	done
	note "MemFree is $lost kB less than before"
	within 'the memory is the kernel'\''s again' "$lost" -1000000 4096
}

churn() {
	expect_log_begin
	log_mark
	done=$(./hammer churn "$CYCLES")
	is 'load and unload against openers' "$?" 0
	note "$done"
	is 'all cycles' "$(field cycles "$done")" "$CYCLES"
	isnt 'files were read meanwhile' "$(field reads "$done")" 0
	[ ! -e /sys/module/pocketmm ]
	is 'the module is gone' "$?" 0
	is 'the log has no fault' "$(log_since | grep -vE ' allocation failed|^chunk of |^unloaded|^leak: |^freed |suppressed')" ''
	expect_log_end
}

[ -e "$CLIENT_KO" ] || skip_all "no $CLIENT_KO"
plan 22
echo 3 >/proc/sys/vm/drop_caches
before=$(memfree)
load chunk=$((4096 * PAGE)) window=$((8192 * PAGE))
"$TRY" insmod "$CLIENT_KO" >/dev/null || bail "insmod $CLIENT_KO"
hammer_it
clean_log
did_something
storms
all_free
is 'the client unloads' "$("$TRY" rmmod pocketmm_client)" ok
unload
memory_recovers
churn
finish

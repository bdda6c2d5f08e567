#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Everything at once, on all CPUs: commands, readers of every file, mappings of
# the window, and the client module's threads and timers; `verify` is read
# throughout and must never find anything.  Afterwards all is free again.  Then
# the module is loaded and unloaded while others open its files.

. ./lib.sh

CLIENT=/sys/kernel/debug/pocketmm_client
CLIENT_KO=${POCKETMM_CLIENT_KO:-client/pocketmm_client.ko}
SECONDS_LONG=${POCKETMM_HAMMER_SECONDS:-$(quick 3 12)}
CYCLES=$(quick 5 50)

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

all_free() {
	must reset
	must purge
	must drain
	is 'all pages are free' "$(free_total)" "$(stat_of total_pages)"
	is 'the window is one hole' "$(cat "$PMM/window")" "0 $(stat_of window_bytes) hole"
	is 'verify' "$(cut -c 1-3 "$PMM/verify")" 'ok '
	is 'the client unloads' "$("$TRY" rmmod pocketmm_client)" ok
	unload
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
plan 18
echo 3 >/proc/sys/vm/drop_caches
before=$(memfree)
load chunk=16M window=32M
"$TRY" insmod "$CLIENT_KO" >/dev/null || bail "insmod $CLIENT_KO"
hammer_it
clean_log
did_something
all_free
memory_recovers
churn
finish

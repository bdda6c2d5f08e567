#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The C API, as a driver sees it: runs every case of the client module (client/)
# and turns its report into KTAP, then looks at what the module made of the
# misuse, at the reference that a client holds on it, and at the report when a
# client has gone without freeing.

. ./lib.sh

CLIENT=/sys/kernel/debug/pocketmm_client
CLIENT_KO=${POCKETMM_CLIENT_KO:-client/pocketmm_client.ko}
OWN_TESTS=33

# Each result of the client's is one of ours; a report cut short leaves the plan unkept.
replay() {
	while read -r word rest; do
		case $word in
		'#') echo "# $rest" ;;
		ok) pass "$rest" ;;
		skip) pass "${rest%: *} # SKIP ${rest##*: }" ;;
		not) fail "${rest#ok }" ;;
		plan) ;;
		*) fail "report: $word $rest" ;;
		esac
	done
}

report() {
	expect_log_begin
	log_mark
	cat "$CLIENT/results" >/tmp/client-report
	log_since >/tmp/client-log
	expect_log_end
	read -r word cases </tmp/client-report
	[ "$word" = plan ] || bail 'the client module reports nothing'
}

counted() {
	for name in foreign_page bad_order double_free wrong_order middle_of_block mapped_page; do
		isnt "stats counts refused_$name" "$(stat_of "refused_$name")" 0
	done
	isnt 'stats counts refused_areas' "$(stat_of refused_areas)" 0
}

# With purge=lazy mappings that were unmapped take one flush all together: a hundred, or fewer if pages are larger,
# since no more than 32 MiB may wait.
map_ram_flushes() {
	must purge
	flushes=$(stat_of tlb_flushes)
	times=$((409600 / PAGE))
	echo $times >"$CLIENT/ram" || bail 'the client cannot map'
	if with purge=lazy; then
		is "$times mappings wait for a flush" $(($(stat_of tlb_flushes) - flushes)) 0
		isnt 'their addresses wait' "$(stat_of lazy_bytes)" 0
		must purge
		is 'one flush is enough' "$out $(stat_of lazy_bytes)" 'ok flushes=1 0'
	else
		is "$times mappings, as many flushes" $(($(stat_of tlb_flushes) - flushes)) $times
		is 'no address waits' "$(stat_of lazy_bytes)" 0
		must purge
		is 'nothing is left to flush' "$out" 'ok flushes=0'
	fi
	is 'no area is left' "$(stat_of areas)" 0
}

# A flag that cannot be honoured is refused by name.
flags() {
	for flag in __GFP_ACCOUNT __GFP_COMP 'an unknown flag'; do
		is "the log says that $flag was refused" "$(grep -c "^allocation refused: $flag: .* by .*pocketmm_client" /tmp/client-log)" 1
	done
	is 'and once that __GFP_NOFAIL may fail' "$(grep -c '^__GFP_NOFAIL cannot be kept.* by .*pocketmm_client' /tmp/client-log)" 1
}

# Before all other misuse: few such lines are let through within five seconds.
free_twice() {
	expect_log_begin
	log_mark
	echo 1 >"$CLIENT/twice" || bail 'the client cannot free an area twice'
	twice=$(log_since)
	expect_log_end
}

# The log says which code freed the area first, and which frees it again, even if a worker had to refuse that.
freed_twice() {
	by='by client_twice_write+0x[0-9a-f]*/0x[0-9a-f]* \[pocketmm_client\]'
	is 'the log names who frees an area twice, and who freed it before' \
		"$(echo "$twice" | grep -c "^Trying to vfree() nonexistent vm area ([0-9a-f]*), $by; freed before $by\$")" 2
	is 'and has no other line' "$(echo "$twice" | wc -l)" 2
}

# Its code is gone; the log has neither a name that is now another's nor an address.  Few such lines are let through
# within five seconds.
freed_by_the_unloaded() {
	sleep 6
	expect_log_begin
	log_mark
	cmd "vfree offset=$((2 * PAGE))"
	is 'nothing begins there' "$out" 'error ENOENT nonexistent vm area'
	matches 'the log says that an unloaded module freed it' "$(log_since)" \
		'Trying to vfree\(\) nonexistent vm area \([0-9a-f]+\), by pmm_[a-z_]+\+.*; freed before by \(unloaded module\)'
	expect_log_end
}

leave_things_behind() {
	must purge
	expect_log_begin
	echo 1 >"$CLIENT/twice" || bail 'the client cannot free an area twice'
	expect_log_end
	echo 1 >"$CLIENT/leak" || bail 'the client cannot leak'
	is 'stats lists the areas that were left' "$(stat_of areas)" 2
	is 'vmallocinfo names the client' "$(grep -c 'client_leak_write.*pocketmm_client' "$PMM/vmallocinfo")" 2
	is 'blocks names the client' "$(grep -c 'order=2 used.*client_leak_write' "$PMM/blocks")" 1
	expect_log_begin
	log_mark
	is 'the client unloads' "$("$TRY" rmmod pocketmm_client)" ok
	left=$(log_since)
	expect_log_end
	is 'the log names what left a block' "$(echo "$left" | grep -c '^leak: block [0-9]* order 2, by client_leak_write.*\[pocketmm_client\]')" 1
	is 'and areas' "$(echo "$left" | grep -c '^leak: area at offset .*, by client_leak_write.*\[pocketmm_client\]')" 2
	is 'verify after the client has gone' "$(cut -c 1-3 "$PMM/verify")" 'ok '
}

# The caller's module is gone, and so is its name; an address would say nothing, and to those who must not know.
report_leaks() {
	expect_log_begin
	log_mark
	is 'the module unloads with things left' "$("$TRY" rmmod pocketmm)" ok
	leaks=$(log_since | grep 'leak: ')
	expect_log_end
	is 'nor does it have an address' "$(echo "$leaks" | grep -v 'in all$' | grep -vc 'by (unloaded module)')" 0
	is 'the leak report has the block' "$(echo "$leaks" | grep -c 'block [0-9]* order 2')" 1
	is 'the leak report has both areas' "$(echo "$leaks" | grep -c "area at offset [0-9]*, \($((3 * PAGE))\|$PAGE\) bytes")" 2
}

[ -e "$CLIENT_KO" ] || skip_all "no $CLIENT_KO"
load chunk=$((4096 * PAGE)) window=$((8192 * PAGE))
switches="pcp=$(param pcp)"
! with purge=lazy || switches="$switches lazy=1"
! with search=tree || switches="$switches tree=1"
! with era=modern || switches="$switches modern=1"
# shellcheck disable=SC2086 # words are wanted
"$TRY" insmod "$CLIENT_KO" $switches >/dev/null || bail "insmod $CLIENT_KO"
free_twice
report
plan $((cases + OWN_TESTS))
replay </tmp/client-report
is 'verify after all cases' "$(cut -c 1-3 "$PMM/verify")" 'ok '
is 'the module stays while the client is loaded' "$("$TRY" rmmod pocketmm)" EAGAIN
freed_twice
counted
map_ram_flushes
isnt 'the log names who misused a page' "$(grep -c 'free refused: .* by test_.*pocketmm_client' /tmp/client-log)" 0
flags
leave_things_behind
freed_by_the_unloaded
report_leaks
finish

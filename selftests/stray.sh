#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A client that drops references that are not its own, gives pages of the pool to
# the kernel, or frees them with flags set.  Such a block is never handed out
# again; nobody inherits anything; and unloading frees no memory that is somebody
# else's by then.

. ./lib.sh

CLIENT=/sys/kernel/debug/pocketmm_client
CLIENT_KO=${POCKETMM_CLIENT_KO:-client/pocketmm_client.ko}

load_both() {
	load chunk=$((16384 * PAGE)) window=$((16384 * PAGE)) min_free=0
	"$TRY" insmod "$CLIENT_KO" >/dev/null || bail "insmod $CLIENT_KO"
}

# trial CASE QUARANTINED WHAT: one of the client's, and the pages that are in quarantine afterwards.
trial() {
	log_mark
	quarantined=$2
	cat "$CLIENT/stray/$1" >/tmp/stray-report
	while read -r word text; do
		case $word in
		'#') note "$text" ;;
		ok) pass "$3" ;;
		skip)
			quarantined=$(stat_of quarantined)
			pass "$3 # SKIP ${text##*: }"
			;;
		not) fail "$3" ;;
		esac
	done </tmp/stray-report
	is "$1: stats" "$(stat_of quarantined)" "$quarantined"
	is "$1: verify" "$(cut -c 1-3 "$PMM/verify")" 'ok '
	lines=$(log_since)
}

# told COUNT WHAT WHY: lines of the log.
told() {
	is "the log tells $2" "$(echo "$lines" | grep -c "is quarantined: $3")" "$1"
}

cases() {
	load_both
	trial put 9 'put_page() of pages in use'
	told 2 'of both blocks' 'a reference was dropped .*by stray_put.*\[pocketmm_client\]'
	trial kernel_free 10 "the kernel's __free_page(), five thousand times"
	told 1 'of the page' 'a reference was dropped .*by stray_kernel_free.*\[pocketmm_client\]'
	trial put_after_free 11 'put_page() of a free page'
	told 1 'of the page' 'a reference was dropped .*'
	trial put_while_mapped 12 'put_page() twice of a page that is mapped'
	told 1 'of the page' 'a reference was dropped .*'
	trial locked 12 'pages that are freed locked and dirty'
	trial private 12 'a page that is freed with page->private set'
	trial contents 12 'what was in a page'
	trial hwpoison 13 'memory that has failed'
	log_mark
	is 'the client unloads' "$("$TRY" rmmod pocketmm_client)" ok
	is 'the pool unloads' "$("$TRY" rmmod pocketmm)" ok
	lines=$(log_since)
	is 'nothing is missing' "$(echo "$lines" | grep -c 'are missing\|still referenced')" 0
}

# gone COUNT LEAST: pages that were given away are in a file now, LEAST of them or more, which must survive.
gone() {
	load_both
	size=$((($1 + 1000) * 5 * PAGE / 3))
	echo "$1" >"$CLIENT/away" || bail 'the client cannot give pages away'
	yes 'these pages are mine' | head -c $size >/tmp/mine
	sum=$(md5sum </tmp/mine)
	within "$1 given away: the file has most of them, if they are many" "$(cat "$CLIENT/away")" "$2" "$1"
	log_mark
	echo 0 >"$CLIENT/away"
	is "$1 given away: half of them are freed, and quarantined" "$(stat_of quarantined)" $(($1 / 2))
	is "$1 given away: verify" "$(cut -c 1-3 "$PMM/verify")" 'ok '
	isnt "$1 given away: the log tells" "$(log_since | grep -c "is quarantined: it was given to the kernel's own allocator")" 0
	log_mark
	is "$1 given away: the client unloads" "$("$TRY" rmmod pocketmm_client)" ok
	is "$1 given away: the pool unloads" "$("$TRY" rmmod pocketmm)" ok
	is "$1 given away: the log says that they are missing" \
		"$(log_since | grep -c "^$1 pages are missing and were left alone: a user gave them")" 1
	is "$1 given away: the file is as it was" "$(md5sum </tmp/mine)" "$sum"
	rm /tmp/mine
	yes 'these are others' | head -c $size | md5sum >/tmp/others
	rm /tmp/others
	log_mark
	load chunk=$((4096 * PAGE))
	is "$1 given away: the pool can be loaded again" "$(cut -c 1-3 "$PMM/verify")" 'ok '
	unload
}

[ -e "$CLIENT_KO" ] || skip_all "no $CLIENT_KO"
plan 49
many=$(quick 1500 12000)
expect_log_begin
cases
gone "$many" $((many / 2))
gone 2 0
expect_log_end
finish

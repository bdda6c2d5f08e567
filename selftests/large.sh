#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A chunk of 1 GiB in a machine of 3 GiB: 262144 pages, taken singly, every
# second one freed, and all of it printed.

. ./lib.sh

readonly PAGES=262144

whole() {
	is 'pages' "$(stat_of total_pages) $(stat_of free_pages)" "$PAGES $PAGES"
	is 'largest blocks' "$(order 9 | wc -w)" 512
	matches 'verify' "$(cat $PMM/verify)" "ok pages=$PAGES blocks=512 free=512 used=0 .*"
}

# In commands of at most as many blocks as a reply holds in reason.
take_all() {
	i=0
	while [ $i -lt 64 ]; do
		echo 'alloc order=0 count=4096' >$PMM/command || bail "alloc $i: $(tail -c 200 $PMM/result)"
		i=$((i + 1))
	done
	is 'every page is out' "$(stat_of free_pages)" 0
}

# Block N is page 262144 - N.
free_every_second() {
	awk 'BEGIN { for (i = 2; i <= 262144; i += 2) print "free block=" i }' | many
	is 'every second page is back' "$(stat_of free_pages)" $((PAGES / 2))
}

# Each line of the text is looked at once.
print_all() {
	is 'blocks: complete, in order, every second one free' \
		"$(awk '$1 != NR - 1 || $2 != "order=0" || $3 != (NR % 2 ? "free" : "used") { print "line " NR ": " $0; exit }
		END { print NR }' $PMM/blocks)" $PAGES
	is 'freelist: order 0' "$(awk '{ print NF - 2; exit }' $PMM/freelist)" $((PAGES / 2))
	is 'pairmap: order 0' "$(head -n 1 $PMM/pairmap)" 'order 0: pairs=131072 set=131072 list=0-131071'
	is 'buddyinfo: order 0' "$(awk '{ print $5 }' $PMM/buddyinfo)" $((PAGES / 2))
	matches 'verify' "$(cat $PMM/verify)" "ok pages=$PAGES blocks=$PAGES free=131072 used=131072 .*"
}

back() {
	must reset
	is 'all pages coalesce' "$(stat_of free_pages) $(order 9 | wc -w)" "$PAGES 512"
}

[ "$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)" -gt 2600000 ] || skip_all 'needs 3 GiB'
plan 11
load chunk=1G window=16M
whole
take_all
free_every_second
print_all
back
unload
finish

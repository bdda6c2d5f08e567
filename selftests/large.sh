#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A chunk of 1 GiB in a machine of 3 GiB: 262144 pages, taken singly, every
# second one freed, and all of it printed.
#
# not with --switches: it is about size

. ./lib.sh

MB=$(quick 64 1024)
PAGES=$((MB * 1048576 / PAGE))

whole() {
	is 'pages' "$(stat_of total_pages) $(stat_of free_pages)" "$PAGES $PAGES"
	is 'largest blocks' "$(order 9 | wc -w)" $((PAGES / 512))
	matches 'verify' "$(cat $PMM/verify)" "ok pages=$PAGES blocks=$((PAGES / 512)) free=$((PAGES / 512)) used=0 .*"
}

# In commands of at most as many blocks as a reply holds in reason.
take_all() {
	i=0
	while [ $i -lt $((PAGES / 4096)) ]; do
		echo 'alloc order=0 count=4096' >$PMM/command || bail "alloc $i: $(tail -c 200 $PMM/result)"
		free_even
		i=$((i + 1))
	done >/tmp/frees
	is 'every page is out' "$(free_total)" 0
}

free_every_second() {
	many </tmp/frees
	rm /tmp/frees
	home
	is 'every second page is back' "$(stat_of free_pages)" $((PAGES / 2))
}

# Each line of the text is checked once.
print_all() {
	is 'blocks: complete, in order, every second one free' \
		"$(awk '$1 != NR - 1 || $2 != "order=0" || $3 != (NR % 2 ? "free" : "used") { print "line " NR ": " $0; exit }
		END { print NR }' $PMM/blocks)" $PAGES
	is 'freelist: order 0' "$(awk '{ print NF - 2; exit }' $PMM/freelist)" $((PAGES / 2))
	is 'pairmap: order 0' "$(head -n 1 $PMM/pairmap)" \
		"order 0: pairs=$((PAGES / 2)) set=$((PAGES / 2)) list=0-$((PAGES / 2 - 1))"
	is 'buddyinfo: order 0' "$(awk '{ print $5 }' $PMM/buddyinfo)" $((PAGES / 2))
	matches 'verify' "$(cat $PMM/verify)" "ok pages=$PAGES blocks=$PAGES free=$((PAGES / 2)) used=$((PAGES / 2)) .*"
}

back() {
	must reset
	home
	is 'all pages coalesce' "$(stat_of free_pages) $(order 9 | wc -w)" "$PAGES $((PAGES / 512))"
}

[ "$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)" -gt 2600000 ] || skip_all 'needs 3 GiB'
plan 11
load "chunk=${MB}M" window=$((4096 * PAGE))
whole
take_all
free_every_second
print_all
back
unload
finish

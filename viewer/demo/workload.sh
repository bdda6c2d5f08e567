#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What the demo's recordings show, under scripts/record in a guest: commands to
# the module, and marks that say what they are about.  'tour' is for comparing eras,
# 'scatter' for comparing placements.  The same commands every time.

PMM=/sys/kernel/debug/pocketmm

mark() {
	echo "$1" >"$POCKETMM_MARK"
}

# run TEXT...: commands; $blocks are the numbers of what the last one was given.
run() {
	status=0
	for text; do
		echo "$text" >"$PMM/command" || status=1
	done 2>/dev/null
	blocks=$(grep -o 'block=[0-9]* page' "$PMM/result" | sed 's/[^0-9]//g')
	return $status
}

# every N OFFSET NUMBER...: every Nth of them.
every() {
	echo "$@" | awk '{ for (i = 3 + $2; i <= NF; i += $1) print $i }'
}

free_blocks() {
	for number; do
		run "free block=$number"
	done
}

# A page, blocks of many orders, and what freeing every second one leaves.
orders() {
	mark 'one page is asked for'
	run 'alloc order=0'
	mark 'it is freed, and meets its buddies all the way up'
	free_blocks "$blocks"
	mark 'blocks of orders 0 to 5, in turn'
	some=
	for order in 0 1 2 3 4 5 0 1 2 3 4 5; do
		run "alloc order=$order"
		some="$some $blocks"
	done
	mark 'every second one is freed'
	# shellcheck disable=SC2046,SC2086 # a list
	free_blocks $(every 2 0 $some)
}

# Areas take the lowest hole; what they leave is one, at once or after a purge.
areas() {
	mark 'areas, one behind the other, each with its guard page'
	run 'vmalloc size=20K' 'vmalloc size=60K' 'vmalloc size=32K' 'vmalloc size=12K'
	mark 'the second and the third are freed'
	run 'vfree area=2' 'vfree area=3'
	mark 'the next takes the lowest hole that fits; what waits for a purge is none'
	run 'vmalloc size=40K' 'ioremap phys=0xfed00000 size=4K'
	mark 'purge'
	run 'purge'
	run 'vmalloc size=16K'
}

# Half of the memory is free, and none of it of use to a large request.
rescue() {
	mark 'the rest is taken, in blocks of 2 to 32 pages'
	run 'drain'
	take_all
	mark 'every second of them is freed: much is free, but in small pieces'
	# shellcheck disable=SC2046,SC2086 # a list
	free_blocks $(every 2 1 $taken)
	mark 'so 64 pages side by side are not to be had'
	if run 'alloc order=6'; then
		echo 'workload.sh: there are 64 pages side by side' >&2
		exit 1
	fi
	mark 'but an area takes them from wherever they are'
	run 'vmalloc size=256K'
}

take_all() {
	taken=
	while :; do
		for order in 5 3 4 2 5 4 1 3 4; do
			run "alloc order=$order" || return 0
			taken="$taken $blocks"
		done
	done
}

tour() {
	orders
	areas
	rescue
	mark 'all is freed'
	run 'reset' 'drain' 'purge'
}

# The blocks that are left of many lie here and there; then the oldest go and others come,
# until none of the first is left.
scatter() {
	mark 'blocks of 8 pages fill three quarters'
	run 'alloc order=3 count=192'
	mark 'three of four are freed, here and there'
	# shellcheck disable=SC2046,SC2086 # a list
	set -- $(echo $blocks | awk '{ for (i = 1; i <= NF; i++) print (i * 79) % 193, $i }' |
		sort -n | awk '{ print $2 }')
	held=
	while [ $# -gt 0 ]; do
		free_blocks "$1" "$2" "$3"
		held="$held $4"
		shift 4
	done
	mark 'again and again the oldest is freed and another comes'
	turn_over
	mark 'how much can be had in blocks of 512 pages?'
	run 'alloc order=9' 'alloc order=9' 'alloc order=9' || return 0	# some are not to be had
}

turn_over() {
	# shellcheck disable=SC2086 # a list
	set -- $held
	for round in $(seq 60); do
		free_blocks "$1"
		shift
		# shellcheck disable=SC2086 # a list
		[ $((round % 2)) = 1 ] || { run 'alloc order=3 count=2' && set -- "$@" $blocks; }
	done
}

case ${1-} in
tour | scatter) "$1" ;;
*) echo 'usage: workload.sh tour|scatter' >&2; exit 2 ;;
esac

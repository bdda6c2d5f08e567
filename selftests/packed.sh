#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# placement=packed takes from the fullest 2 MiB block that has what is asked for,
# so that emptier ones become whole; placement=lifo, beside it, takes what was
# freed last.
#
# with --switches only: expand=upper poison=1

. ./lib.sh

# In a pool of two blocks one lacks a page and has a free page left from the split, and of the other 128 pages
# are free in one piece.
choice() {
	load chunk=$((1024 * PAGE)) pcp=0 "placement=$1"
	must 'alloc order=9'
	must 'alloc order=8'
	full=$(($(value page) / 512))
	must 'alloc order=7'
	must 'alloc order=7'
	must 'free block=1'
	must 'alloc order=0'
	is "$1: what is full has nothing" $(($(value page) / 512)) $((1 - full))
	must 'free block=4'
	must 'alloc order=0'
	is "$1: a page comes from" "$(from)" "$2"
	must 'alloc order=3'
	is "$1: eight pages come from" "$(from)" "$3"
	must 'alloc order=8'
	is "$1: and 256 from where they are" "$(from)" emptier
	must reset
	unload
}

from() {
	if [ $(($(value page) / 512)) = "$full" ]; then echo fuller; else echo emptier; fi
}

# churn: 4096 pages are taken and all but 512 given back, anywhere; then for each page that goes another comes.
churn() {
	awk -v seed="$SEED" -v times="$TIMES" '
	function below(n) { seed = (seed * 16807) % 2147483647; return seed % n }
	function drop(i) { print "free block=" id[i]; id[i] = id[--held] }
	BEGIN {
		print "alloc order=0 count=4096"
		for (i = 0; i < 4096; i++) id[i] = i + 1
		held = next_id = 4096
		while (held > 512) drop(below(held))
		while (times--) {
			drop(below(held))
			print "alloc order=0"
			id[held++] = ++next_id
		}
	}' | many
}

# whole PLACEMENT: how many of eight 2 MiB blocks are free throughout, after all that.
whole() {
	load chunk=$((4096 * PAGE)) pcp=0 "placement=$1"
	churn
	is "$1: pages" "$(stat_of free_pages)" 3584
	matches "$1: verify" "$(cat "$PMM/verify")" 'ok .*'
	set -- "$1" "$(order 9)"
	whole=$(echo "$2" | wc -w)
	note "$1: $whole of 8 blocks are whole; one would be enough for what is used"
	must reset
	is "$1: all are whole again" "$(order 9 | wc -w)" 8
	unload
}

TIMES=4096
SEED=${PACKED_SEED:-$((1 + $$))}
note "seed $SEED"
plan 16
choice lifo emptier emptier
choice packed fuller fuller
whole lifo
lifo=$whole
whole packed
within 'packed: whole blocks' "$whole" 4 7
within 'packed: more of them than lifo leaves' $((whole - lifo)) 3 7
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The pair bits: a worked example with every bit spelt out before and after each
# step, and random states whose map is computed anew from the free lists, by the
# invariant alone: a bit is 1 when exactly one of the two buddies is on the list.
#
# with --switches only: era=2.4 era=2.6 expand=upper pcp=0 placement=packed poison=1

. ./lib.sh

# step COMMAND BITS
step() {
	must "$1"
	home
	is "$1: bits" "$(bits)" "$2"
}

# 1024 pages; pair P of order N is the blocks at 2P << N and (2P + 1) << N.
worked_example() {
	load chunk=$((1024 * PAGE)) expand=upper placement=lifo
	is 'fresh: no bit is set' "$(bits)" ''
	step 'alloc order=0' '0:511 1:255 2:127 3:63 4:31 5:15 6:7 7:3 8:1'
	step 'alloc order=0' '1:255 2:127 3:63 4:31 5:15 6:7 7:3 8:1'
	step 'alloc order=0' '0:510 2:127 3:63 4:31 5:15 6:7 7:3 8:1'
	step 'alloc order=3' '0:510 2:127 4:31 5:15 6:7 7:3 8:1'
	step 'alloc order=9' '0:510 2:127 4:31 5:15 6:7 7:3 8:1'
	step 'free block=1' '0:510-511 2:127 4:31 5:15 6:7 7:3 8:1'
	step 'free block=3' '0:511 1:255 2:127 4:31 5:15 6:7 7:3 8:1'
	step 'free block=5' '0:511 1:255 2:127 4:31 5:15 6:7 7:3 8:1'
	step 'free block=4' '0:511 1:255 2:127 3:63 4:31 5:15 6:7 7:3 8:1'
	step 'free block=2' ''
	unload
}

worked_example_lower() {
	load chunk=$((1024 * PAGE)) expand=lower placement=lifo
	step 'alloc order=2' '2:64 3:32 4:16 5:8 6:4 7:2 8:1'
	step 'alloc order=1' '1:129 3:32 4:16 5:8 6:4 7:2 8:1'
	step 'free block=1' '1:129 2:64 3:32 4:16 5:8 6:4 7:2 8:1'
	step 'free block=2' ''
	unload
}

# Blocks behind the end never were: the pair of the last block has its bit set for as long as the one is free.
odd_tail() {
	load chunk=$((777 * PAGE))
	is '777 pages: the tail' "$(bits)" '0:388 3:48 8:1'
	is '777 pages: as many pairs as begin in them' "$(awk '{ print $3 }' $PMM/pairmap | tr '\n' ' ')" \
		'pairs=389 pairs=195 pairs=98 pairs=49 pairs=25 pairs=13 pairs=7 pairs=4 pairs=2 '
	step 'alloc order=0' '3:48 8:1'
	step 'free block=1' '0:388 3:48 8:1'
	step 'alloc order=3' '0:388 8:1'
	step 'free block=2' '0:388 3:48 8:1'
	unload
}

# random: sets $draw to 0..$1-1
random() {
	seed=$(((seed * 1103515245 + 12345) & 0x7fffffff))
	draw=$(((seed >> 12) % $1))
}

# Up to 40 blocks are held; what does not fit is none the worse.
random_step() {
	random 100
	if [ $# -gt 0 ] && { [ $# -ge 40 ] || [ "$draw" -lt 45 ]; }; then
		random $#
		shift "$draw"
		must "free block=$1"
		freed=$1
		return
	fi
	random 8
	freed=
	cmd "alloc order=$draw" || return
	out=${out#*block=}
	held="$held ${out%% *}"
}

# without WORD: from $held
without() {
	set -- "$1" ' '"$held "
	held=${2%% "$1" *}' '${2#* "$1" }
}

random_walk() {
	steps=0
	while [ $steps -lt 25 ]; do
		# shellcheck disable=SC2086 # each word is a block
		random_step $held
		[ -z "$freed" ] || without "$freed"
		steps=$((steps + 1))
	done
}

# random_states PAGES EXPAND COUNT
random_states() {
	load "chunk=$(($1 * PAGE))" "expand=$2"
	held=
	note "$1 pages, expand=$2: seed $seed"
	states=0
	while [ $states -lt "$3" ]; do
		random_walk
		states=$((states + 1))
		home
		is "$1 pages, $2: state $states" "$(cat $PMM/pairmap)" "$(pairs_from_lists)"
	done
	must reset
	home
	is "$1 pages, $2: all back" "$(cat $PMM/pairmap)" "$(pairs_from_lists)"
	unload
}

seed=${PAIRS_SEED:-$$}
plan $((25 + $(quick 8 30)))
worked_example
worked_example_lower
odd_tail
expect_log_begin
random_states 16 upper "$(quick 2 6)"
random_states 777 upper "$(quick 2 8)"
random_states 1000 lower "$(quick 2 8)"
random_states 4097 upper "$(quick 2 8)"
expect_log_end
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The search for the chunk: pages that can be moved do not stand in its way, even
# while the kernel does not know yet that they can be.
#
# not with --switches: the chunk does not go by them

. ./lib.sh

# As large a part of the memory below BELOW that every such chunk has its middle.
MB=1048576
CHUNK=600 BELOW=800
readonly MB CHUNK BELOW

# behind_a_page TIMES: a page that waits for the LRU lists is in the middle of each range that is large enough.
behind_a_page() {
	i=0
	while [ $i -lt "$1" ]; do
		i=$((i + 1))
		is "a page waits in the middle, time $i" \
			"$(./pmm-waiting $(((RAM_FLOOR + BELOW - CHUNK + 16) * MB)) $(((RAM_FLOOR + CHUNK - 16) * MB)) \
				"$KO" chunk=${CHUNK}M "below=$((RAM_FLOOR + BELOW))M" window=16M)" ok
		"$TRY" rmmod pocketmm >/dev/null || bail "rmmod: it is not loaded"
	done
}

# Otherwise the kernel itself is in the way of every such chunk, and the rest would say nothing.
there_is_room() {
	load chunk=${CHUNK}M "below=$((RAM_FLOOR + BELOW))M" window=16M
	is 'there is room for the chunk' "$(stat_of total_pages)" $((CHUNK * MB / PAGE))
	unload
}

TIMES=$(quick 2 4)
plan $((1 + TIMES))
there_is_room
behind_a_page "$TIMES"
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A mixed workload under scripts/record: the client module's storm from threads,
# softirqs and hard interrupts, and commands from a shell on each CPU at once, after
# which much is held and much has been cut and merged.  Some of it fails for lack of
# pages; that is part of it.

PMM=/sys/kernel/debug/pocketmm
CLIENT=/sys/kernel/debug/pocketmm_client

# A device that may be mapped: lib.sh.
: "${DEVICE:=0xfed00000}"

mark() {
	echo "$1" >"$POCKETMM_MARK"
}

# commands SEED: some free what others have freed already.
commands() {
	awk -v seed="$1" -v device="$DEVICE" '
	function dice(n) { return int(rand() * n) }
	BEGIN {
		srand(seed)
		for (i = 1; i <= 120; i++) {
			what = dice(10)
			if (what < 4)
				print "alloc order=" dice(dice(4) ? 4 : 9) " count=" 1 + dice(3)
			else if (what < 6)
				print "free block=" 1 + dice(i)
			else if (what < 8)
				print "vmalloc size=" 1 + dice(300) "K" (dice(2) ? " user" : "")
			else if (what < 9)
				print "vfree area=" 1 + dice(i / 3)
			else
				print dice(8) ? "vmap block=" 1 + dice(i) : dice(2) ? "purge" : "drain"
		}
		print "ioremap phys=" device " size=1024"
	}'
}

drive() {
	commands "$1" | while read -r command; do
		echo "$command" >"$PMM/command"
	done 2>/dev/null
}

# id KEY COMMAND: runs it, and prints what its result says of KEY.
id() {
	echo "$2" >"$PMM/command"
	sed -n "s/.* $1=\([0-9]*\).*/\1/p" "$PMM/result"
}

# A block that is freed while it is mapped, and recycled when it no longer is.
park() {
	block=$(id block 'alloc order=1')
	area=$(id area "vmap block=$block")
	echo "free block=$block" >"$PMM/command"
	echo "vunmap area=$area" >"$PMM/command"
	echo drain >"$PMM/command"
}

case ${1-} in
drive) drive "$2"; exit ;;
esac
mark 'a parked block'
park
mark 'storm'
echo 400 >"$CLIENT/storm"
mark 'commands on each CPU'
taskset 1 sh "$0" drive 1 &
taskset 2 sh "$0" drive 2 &
wait
mark 'the end'

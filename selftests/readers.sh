#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What an open file keeps: its snapshot is charged to the reader's cgroup, and
# is as large as there are blocks, not pages.
#
# not with --switches: it is about the files

. ./lib.sh

readonly GROUPS_DIR=/tmp/cgroups
readonly READERS=$GROUPS_DIR/readers

# charged: what the cgroup is charged for, in bytes. Each CPU charges a batch of 64 pages at once
# and uses it up by and by; a limit that is exceeded gives back what has not been used.
charged() {
	echo 0 >$READERS/memory.high
	echo max >$READERS/memory.high
	cat $READERS/memory.current
}

# held FILE: KiB that the cgroup is charged for while five readers have the file open.
held() {
	(
		echo 0 >$READERS/cgroup.procs
		exec 3<"$1" 4<"$1" 5<"$1" 6<"$1" 7<"$1"
		for fd in 3 4 5 6 7; do
			head -c 1 >/dev/null <&$fd
		done
		echo 0 >$GROUPS_DIR/cgroup.procs
		echo $(($(charged) / 1024))
	)
}

mkdir -p $GROUPS_DIR
mount -t cgroup2 none $GROUPS_DIR 2>/dev/null
grep -qsw memory $GROUPS_DIR/cgroup.controllers || skip_all 'no cgroups that account for memory'
echo +memory >$GROUPS_DIR/cgroup.subtree_control
mkdir $READERS
plan 4
load chunk=$((16384 * PAGE))
few=$(held $PMM/blocks)
within 'five readers of few blocks hold little, KiB' "$few" 0 500
must 'alloc order=0 count=16384'
for file in blocks page_owner; do
	within "five readers of $file with 16384 blocks pay for them, KiB" "$(($(held $PMM/$file) - few))" 1000 1600
done
must reset
is 'verify' "$(cut -c 1-3 $PMM/verify)" 'ok '
unload
rmdir $READERS
umount $GROUPS_DIR
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs tests of an installed kselftest tree one after another and looks, after
# each, at what it left behind: the module must be gone, and the kernel log must
# have no line of the module's at warning level or above that the test did not
# announce (lib.sh).  So each test is followed by one more result, 'aftermath',
# and starts from a clean machine whatever the one before it did.
#
# The module parameters that every load begins with (lib.sh) are in the line before
# the first test.
#
# usage: each.sh DIRECTORY COLLECTION [run_kselftest.sh option]... -- TEST...

top=$1
collection=$2
shift 2
options=
while [ "$1" != -- ]; do
	options="$options $1"
	shift
done
shift

# A line between 'expect begin' and 'expect end' is wanted.  Levels 0 to 4 are emergency to warning.
unwanted_lines() {
	dmesg -r | awk -v mark="$mark" '
	index($0, mark) { on = 1; next }
	/pocketmm-selftest: expect begin/ { wanted = 1; next }
	/pocketmm-selftest: expect end/ { wanted = 0; next }
	!on || wanted { next }
	/pocketmm: (loading out-of-tree module taints|module verification failed)/ { next }
	/^<[0-9]+>.*(pocketmm: |pmm_[a-z_]+: )/ && substr($0, 2) % 8 <= 4 { sub(/^<[0-9]+>/, ""); print }
	/pocketmm: leak: / && substr($0, 2) % 8 > 4 { print }'
}

# Things that a test left are removed all the same, so that the next one can run.
leftover_module() {
	[ -e /sys/module/pocketmm ] || return
	echo 'the module is still loaded'
	rmmod pocketmm 2>&1
}

leftover_processes() {
	for pid in $(pidof timeout); do
		echo "process $pid is still running"
		kill -KILL "$pid"
	done
}

aftermath() {
	found=$(leftover_processes; leftover_module; unwanted_lines)
	echo 'TAP version 13'
	echo '1..1'
	if [ -z "$found" ]; then
		echo "ok 1 aftermath: $collection: $1"
	else
		printf '%s\n' "$found" | sed 's/^/# /'
		echo "not ok 1 aftermath: $collection: $1"
	fi
}

# In hundredths of a second.
now() {
	read -r up _ </proc/uptime
	echo "${up%.*}${up#*.}"
}

echo "parameters: ${POCKETMM_PARAMS-}"
for test; do
	mark="pocketmm-selftest: test $test $$"
	echo "$mark" >/dev/kmsg
	start=$(now)
	# shellcheck disable=SC2086 # options are words
	"$top/run_kselftest.sh" $options -t "$collection:$test"
	echo "# $test took $((($(now) - start + 50) / 100)) s"
	aftermath "$test"
done
exit 0

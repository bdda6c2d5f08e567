#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# node=: on a machine with two nodes the whole chunk lies where it was asked
# for, by the kernel's own account of the nodes; the rest is refused.  With
# $POCKETMM_NUMA, which scripts/vmtest --numa sets, another machine is no excuse.
#
# not with --switches: nodes do not go by them
# needs two processors: one on each node

. ./lib.sh

NODES=/sys/devices/system/node

# span NODE: first and last page frame of all its zones.
span() {
	awk -v node="$1" '
	/^Node / { here = ($2 + 0 == node) }
	here && $1 == "spanned" { spanned = $2 }
	here && $1 == "start_pfn:" && spanned {
		if (!n++ || $2 < first) first = $2
		if ($2 + spanned - 1 > last) last = $2 + spanned - 1
	}
	END { print first + 0, last + 0 }' /proc/zoneinfo
}

# node_free NODE: kB, when the kernel has settled.
node_free() {
	mem_free >/dev/null
	awk '$3 == "MemFree:" { print $4 }' "$NODES/node$1/meminfo"
}

# said: what the last load said of the chunk, as 'FIRST LAST NODE'.
said() {
	set -- "$(log_since | sed -n 's/^chunk of.*frames \(0x[0-9a-f]*\)-\(0x[0-9a-f]*\), node \([0-9]*\);.*/\1 \2 \3/p')"
	# shellcheck disable=SC2086 # words are wanted
	set -- $1
	echo $(($1)) $(($2)) "$3"
}

# lies_on NODE HOW PARAMETER...: HOW runs insmod.
lies_on() {
	node=$1 how=$2
	shift 2
	free_before=$(node_free "$node")
	log_mark
	# shellcheck disable=SC2086 # words are wanted
	$how "$TRY" insmod "$KO" ${POCKETMM_PARAMS-} chunk=$((32768 * PAGE)) window=$((256 * PAGE)) "$@" >/dev/null || bail "$how insmod $*: $(dmesg | tail -n 1)"
	taken=$((free_before - $(node_free "$node")))
	# shellcheck disable=SC2046 # words are wanted
	set -- $(said) $(span "$node") "${how:+$how }$*"
	is "$6: the node" "$3" "$node"
	within "$6: the first frame is the node's" "$1" "$4" "$5"
	within "$6: and the last" "$2" "$4" "$5"
	# What each CPU keeps back comes and goes.
	within "$6: its free memory is less by the chunk, in kB" "$taken" 98304 196608
	matches "$6: buddyinfo" "$(cat $PMM/buddyinfo)" "Node $node, zone +Pocket .*"
	must 'alloc order=0 count=64'
	must reset
	unload
}

# refused_with NAME PARAMETERS ERRNO LINE
refused_with() {
	log_mark
	# shellcheck disable=SC2086 # words are wanted
	is "$1" "$(insmod_with $2)" "$3"
	matches "$1: its line" "$(log_since)" "$4"
}

if [ "$(cat $NODES/online 2>/dev/null)" != 0-1 ]; then
	[ -z "${POCKETMM_NUMA-}" ] || bail "two nodes were promised, but online are $(cat $NODES/online 2>&1)"
	skip_all 'needs two nodes'
fi
plan 25
# shellcheck disable=SC2046 # words are wanted
set -- $(span 0) $(span 1)
within 'the nodes do not overlap' "$3" $(($2 + 1)) 999999999
lies_on 0 '' node=0
lies_on 1 '' node=1
lies_on 0 'taskset 1' node=-1
lies_on 1 'taskset 2' node=-1
expect_log_begin
refused_with 'a node that is not there' node=5 EINVAL 'node=5 is refused: -1 or an online node, of 0-1'
refused_with 'more than the node has' "chunk=$(awk '$3 == "MemTotal:" { print $4 }' $NODES/node1/meminfo)K node=1" ENOMEM \
	'no room for chunk=[0-9]+K on node 1: [0-9]+ ranges tried; largest size worth trying: chunk=[0-9]+K'
expect_log_end
finish

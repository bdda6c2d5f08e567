#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's part of run: trace-cmd, perf and bpftrace see one and the same
# workload, of which each event is known beforehand; in a quick run only trace-cmd
# does.  At last it tells the state of a pool that has been used and stands still,
# for gdb.

# shellcheck source=../lib.sh
. ./lib.sh

# From an empty pool with era=2.4: cut six times, taken, freed, merged six times;
# an area of three pages, and its flush.
cat >/tmp/workload <<'END'
echo alloc order=3 >$PMM/command
echo reset >$PMM/command
END
cat >/tmp/areas <<'END'
for i in 1 2 3 4; do
	echo vmalloc size=12K >$PMM/command
done
echo reset >$PMM/command
END

# The events of /tmp/workload, without where the pool lies and who asked.
cat >/tmp/expected <<'END'
split: page=1536 order=9 kept=1536
split: page=1792 order=8 kept=1792
split: page=1920 order=7 kept=1920
split: page=1984 order=6 kept=1984
split: page=2016 order=5 kept=2016
split: page=2032 order=4 kept=2032
alloc: page=2040 order=3 kind=page from=zone gfp_flags=GFP_KERNEL
free: page=2040 order=3 kind=page to=zone
coalesce: page=2040 order=3 buddy=2032
coalesce: page=2032 order=4 buddy=2016
coalesce: page=2016 order=5 buddy=1984
coalesce: page=1984 order=6 buddy=1920
coalesce: page=1920 order=7 buddy=1792
coalesce: page=1792 order=8 buddy=1536
END

# plain: of what a tool prints, the events as they are in /tmp/expected.
plain() {
	sed -n 's/.*[ :]\([a-z_]*: *\(page\|offset\|cpu\|reason\|what\)=\)/\1/p' |
		sed 's/: */: /; s/ pfn=[^ ]*//; s/ caller=.*//; s/|__GFP_[A-Z]*//g'
}

same_events() {
	is "$1" "$(plain </tmp/said)" "$(cat /tmp/expected)"
}

# try COMMAND...: its output goes to /tmp/said; a failure is reported.
try() {
	"$@" </dev/null >/tmp/said 2>/tmp/complaint || note "$* $(cat /tmp/complaint)"
}

trace_cmd() {
	try trace-cmd record -q -e pocketmm -o /tmp/trace.dat sh /tmp/workload
	try trace-cmd report -q -i /tmp/trace.dat
	same_events 'trace-cmd: record and report'
	cp /tmp/said /tmp/report
	is 'trace-cmd: the page frame is a number' "$(grep -c 'alloc: .*pfn=0x[0-9a-f]* ' /tmp/report)" 1
	is 'trace-cmd: the caller has a name' "$(grep -c 'alloc: .*caller=pmm_cmd_alloc' /tmp/report)" 1
	trace-cmd start -q -e pocketmm 2>/dev/null && sh /tmp/workload && trace-cmd stop
	try trace-cmd show
	same_events 'trace-cmd: start, stop and show, as the kernel prints them'
	trace-cmd reset
	try trace-cmd record -q -e pocketmm:alloc -f 'order > 3' -o /tmp/trace.dat sh /tmp/workload
	try trace-cmd report -q -i /tmp/trace.dat
	is 'trace-cmd: a filter on a field leaves nothing' "$(plain </tmp/said)" ''
	try trace-cmd record -q -e pocketmm:alloc -f 'order == 3' -o /tmp/trace.dat sh /tmp/workload
	try trace-cmd report -q -i /tmp/trace.dat
	is 'trace-cmd: another leaves one' "$(plain </tmp/said)" "$(grep alloc /tmp/expected)"
}

# count EVENT: in perf stat's table.
count() {
	awk -F, -v event="pocketmm:$1" '$3 == event { print $1 }' /tmp/counts
}

perf_tool() {
	try perf stat -x, -o /tmp/counts -e 'pocketmm:*' sh /tmp/workload
	for event in split alloc free coalesce vmalloc flush; do
		is "perf stat: $event" "$(count $event)" "$(grep -c "^$event:" /tmp/expected)"
	done
	try perf record -q -a -e 'pocketmm:*' -o /tmp/perf.data sh /tmp/workload
	try perf script -i /tmp/perf.data
	same_events 'perf record and script'
}

# bt NAME WORKLOAD: what it prints is in /tmp/said.
bt() {
	try bpftrace -c "sh $2" "$1.bt"
	note "$1.bt: $(grep '^@' /tmp/said)"
}

# has NAME TEXT: a line of /tmp/said begins so.
has() {
	found=$(grep -F -e "$2" /tmp/said | grep -c -v '^Attaching')
	[ "$found" = 1 ] || note "$(cat /tmp/said)"
	is "$1" "$found" 1
}

bpf_trace() {
	bt sizes /tmp/workload
	has 'sizes.bt: the order' '[3, 4)                 1 |'
	has 'sizes.bt: who asked' '@blocks[pmm_cmd_alloc]: 1'
	bt sizes /tmp/areas
	has 'sizes.bt: areas of 12 KiB and a guard page' '[16K, 32K)             4 |'
	has 'sizes.bt: who asked for them' '@areas[pmm_cmd_vmalloc]: 4'
	bt lifetimes /tmp/areas
	is 'lifetimes.bt: of twelve pages' "$(lifetimes '@block_us[0]')" 12
	is 'lifetimes.bt: of four areas' "$(lifetimes '@area_us')" 4
	bt splits /tmp/workload
	has 'splits.bt: six cuts for one block' '@splits[pmm_cmd_alloc, 3]: 6'
	has 'splits.bt: a merge of each order' '@merges[8]: 1'
	bt flushes /tmp/areas
	has 'flushes.bt: one for each area' '@flushes: 4'
	has 'flushes.bt: four were freed' '@freed_areas: 4'
}

# Of an area that waits for a purge.
bpf_lazy() {
	# shellcheck disable=SC2016 # for the workload's shell
	echo 'echo purge >$PMM/command' >>/tmp/areas
	bt flushes /tmp/areas
	has 'flushes.bt: one for all' '@flushes: 1'
	bt waits /tmp/areas
	has 'waits.bt: all of them waited' '@waiting: 65536'
	has 'waits.bt: and were purged' '@purged: 65536'
	matches 'waits.bt: a time' "$(grep -A 1 '@wait_ms' /tmp/said | tail -n 1)" '\[[0-9KM]+(, [0-9KM]+\))?\]? +[0-9]+ \|.*'
}

slow_tools() {
	load chunk=8M era=2.4
	perf_tool
	bpf_trace
	unload
	load chunk=8M era=2.6 pcp=0
	bpf_lazy
	unload
}

# lifetimes MAP: how many a histogram of /tmp/said counts, lines 'FROM, TO)  N |@@@ |'.
lifetimes() {
	awk -v map="$1:" '
	/^@/ { inside = index($0, map) == 1; next }
	inside && /\|/ { split($0, part, "|"); n += substr(part[1], match(part[1], /[0-9]+ *$/)) }
	END { print n + 0 }' /tmp/said
}

# use_pool: blocks of many orders, holes, and areas of each type.
use_pool() {
	load chunk=8M
	must 'alloc order=3 count=7'
	must 'free block=2'
	must 'free block=5'
	must 'vmalloc size=2M'
	must 'vmalloc size=100K'
	must 'vmalloc size=200K'
	must 'vfree area=2'
	must 'vmap block=1,3'
	must "ioremap phys=$DEVICE size=1024"
}

# tell NAME COMMAND...
tell() {
	name=$1
	shift
	"$@" | sed "s/^/# state: $name: /"
}

stand_still() {
	tell sections grep -H . /sys/module/pocketmm/sections/.[a-z]*
	for file in freelist pairmap window stats; do
		tell $file cat $PMM/$file
	done
	echo '# standing still'
	# Virtual time passes at once where nothing happens, so a sleep would be over.
	mkfifo /tmp/never && cat /tmp/never
}

plan "$(quick 6 27)"
load chunk=8M era=2.4
trace_cmd
unload
[ -n "${POCKETMM_QUICK-}" ] || slow_tools
use_pool
stand_still

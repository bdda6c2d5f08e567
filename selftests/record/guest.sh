#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's part of run: a recording of the same workload with each setting,
# left in /tmp/NAME.jsonl, and the other promises of scripts/record.

# shellcheck source=../lib.sh
. ./lib.sh

readonly INSTANCE=/sys/kernel/tracing/instances/pocketmm

# try COMMAND...: sets $status; what it says is in /tmp/said.
try() {
	"$@" </dev/null >/tmp/said 2>&1
	status=$?
}

# refused NAME TEXT: the last try did not record.
refused() {
	is "$1" "$status $(grep -cF -e "$2" /tmp/said)" '125 1'
}

# tidy NAME: nothing is left of a recording.
tidy() {
	is "$1" "$(ls -d $INSTANCE /tmp/pocketmm-record.* 2>/dev/null)" ''
}

arguments() {
	try ./record -o /tmp/x --bogus 1 -- true
	refused 'an unknown option' 'unknown option --bogus'
	try ./record -o /tmp/x
	refused 'no workload' 'no workload'
	try ./record --buffer 12x -- true
	refused 'a bad number' '--buffer needs a positive number'
	try ./record -o /tmp/x -- true
	refused 'no module' 'the module is not loaded'
	load chunk=8M
	try ./record -o /tmp/nowhere/x -- true
	refused 'no place for the file' "cannot write '/tmp/nowhere/x'"
	try env POCKETMM_TRACEFS=/tmp/none ./record -o /tmp/x -- true
	refused 'no tracefs' 'mount -t tracefs'
	try unshare -U ./record -o /tmp/x -- true
	refused 'another user than root' 'must be root'
	mkdir $INSTANCE
	try ./record -o /tmp/x -- true
	refused 'one at a time' 'another recording runs'
	rmdir $INSTANCE
	is 'none of these left a file' "$(ls /tmp/x 2>/dev/null)" ''
}

# Other users of tracing see nothing of it.
others() {
	echo 1 >/sys/kernel/tracing/events/pocketmm/free/enable
	try ./record -o /tmp/x -- sh -c 'exit 7'
	is 'the status is the workload'\''s' "$status" 7
	is 'what others trace is still traced' "$(cat /sys/kernel/tracing/events/pocketmm/free/enable)" 1
	is 'and nothing else is' "$(cat /sys/kernel/tracing/events/pocketmm/enable)" X
	echo 0 >/sys/kernel/tracing/events/pocketmm/free/enable
	tidy 'nothing is left behind'
}

# shellcheck disable=SC2016 # for the workload's shell
marks() {
	must drain
	try ./record -o /tmp/x -- sh -c 'echo "first \"one\"" >"$POCKETMM_MARK"; echo alloc order=3 >$PMM/command
		printf "two\nlines" >"$POCKETMM_MARK"'
	is 'marks, and an event between them' "$(sed -n 's/.*"mark".*"text":\(".*"\)}/\1/p; s/.*"name":"\(alloc\)".*/\1/p' \
		/tmp/x)" "$(printf '%s\n' '"first \"one\""' alloc '"two lines"')"
	must reset
}

# A command's name and a mark's lines may be any text.
# shellcheck disable=SC2016 # for the workload's shell
texts() {
	must drain
	cp /bin/sh '/tmp/x [0] y'
	try ./record -o /tmp/x -- sh -c 'printf "one\nsee [0] below" >"$POCKETMM_MARK"
		"/tmp/x [0] y" -c "echo alloc order=3 >$PMM/command; true"'
	is 'a name and a mark with brackets' "$status $(sed -n 's/.*"mark".*"text":\(".*"\)}/\1/p; s/.*"comm":\(".*"\),"name":"alloc".*/\1/p' \
		/tmp/x | tr '\n' ' ')" '0 "one see [0] below" "x [0] y" '
	must reset
}

# A reload would leave the last snapshot without its events.
# shellcheck disable=SC2016 # for the workload's shell
reloaded() {
	try ./record -o /tmp/reloaded -- sh -c 'rmmod pocketmm && insmod /pocketmm.ko chunk=8M'
	refused 'a reload' 'loaded anew'
	try ./record -o /tmp/reloaded -- sh -c 'echo 0 >"${POCKETMM_MARK%/*}/events/pocketmm/enable"; echo alloc order=3 >$PMM/command'
	refused 'events that are switched off' 'splits, but the trace has 0'
	is 'neither left a file' "$(ls /tmp/reloaded 2>/dev/null)" ''
	must reset
}

# shellcheck disable=SC2016 # for the workload's shell
# What does not fit into so small a buffer is lost, and what fits is there.
lost() {
	try ./record --buffer 8 -o /tmp/lost.jsonl -- sh -c 'for i in 1 2 3 4 5 6 7 8 9; do
		printf "vmalloc size=200K\nreset\n" >$PMM/command; done; true'
	is 'lost events: status' "$status" 124
	matches 'lost events: they are counted' "$(cat /tmp/said)" 'record: [1-9][0-9]* events were lost: .*'
	matches 'lost events: the file says so' "$(tail -n 1 /tmp/lost.jsonl)" \
		'\{"type":"end","t":[0-9]+,"events":[1-9][0-9]*,"lost":[1-9][0-9]*\}'
	tidy 'lost events: nothing is left behind'
}

# shellcheck disable=SC2016 # for the workload's shell
snapshots() {
	try ./record --snapshots --interval 50 -o /tmp/snapshots.jsonl -- sh -c 'for i in 1 2 3 4 5; do
		echo alloc order=$i >$PMM/command; echo $i >"$POCKETMM_MARK"; sleep 0.3; done'
	is 'snapshots: status' "$status" 0
	within 'snapshots: begin, end, and between' "$(grep -c '"snapshot"' /tmp/snapshots.jsonl)" 3 40
	is 'snapshots: and marks, but no events' \
		"$(grep -c '"mark"' /tmp/snapshots.jsonl) $(grep -c '"event"' /tmp/snapshots.jsonl)" '5 0'
	must reset
}

# alive PID
alive() {
	[ -d "/proc/$1" ] && echo yes
}

# interrupted SIGNAL STATUS: with job control, or SIGINT would be ignored in the background.
# shellcheck disable=SC2016 # for other shells
interrupted() {
	rm -f /tmp/pid
	bash -c 'set -m; ./record -o /tmp/cut.jsonl -- sh -c "sleep 78 & echo \$\$ >/tmp/pid; sleep 77; true" & pid=$!
		for i in $(seq 200); do [ -s /tmp/pid ] && break; sleep 0.1; done
		kill -$1 $pid; wait $pid' bash "$1" 2>/tmp/said
	is "SIG$1: status" "$?" "$2"
	tidy "SIG$1: nothing is left behind"
	is "SIG$1: no file, no workload" "$(ls /tmp/cut.jsonl 2>/dev/null; alive "$(cat /tmp/pid)"; grep -lsx 'sleep.7[78].' /proc/[0-9]*/cmdline)" ''
}

# setting NAME PARAMETER...
setting() {
	name=$1
	shift
	load chunk=8M "$@"
	"$TRY" insmod ./pocketmm_client.ko pcp="$(param pcp)" lazy="$([ "$(param purge)" = lazy ]; echo $((1 - $?)))" \
		modern="$([ "$(param era)" = modern ]; echo $((1 - $?)))" >/tmp/said || bail "the client: $(cat /tmp/said)"
	try ./record -o "/tmp/$name.jsonl" -- sh ./workload.sh
	is "$name: recorded" "$status $(cat /tmp/said)" '0 '
	"$TRY" rmmod pocketmm_client >/tmp/said || bail "the client: $(cat /tmp/said)"
	must reset
	unload
}

# A watermark that refuses twice, the second time below what per-CPU lists keep, and a size that no block has.
# shellcheck disable=SC2016 # for the workload's shell
guarded() {
	load chunk=8M min_free=600
	try ./record -o /tmp/guarded.jsonl -- sh -c 'exec 2>/dev/null; for what in 9 9 9 "0 count=450"; do echo alloc order=$what >$PMM/command; done; true'
	is 'guarded: recorded' "$status $(cat /tmp/said)" '0 '
	must reset
	unload
	load chunk=8M min_free=4
	try ./record -o /tmp/whole.jsonl -- sh -c 'exec 2>/dev/null; echo alloc order=9 count=3 >$PMM/command
		echo alloc order=0 >$PMM/command; echo alloc order=9 >$PMM/command; true'
	is 'whole: recorded' "$status $(cat /tmp/said)" '0 '
	must reset
	unload
}

plan 37
arguments
others
marks
texts
reloaded
lost
snapshots
interrupted TERM 143
interrupted INT 130
must reset
unload
setting 2.4 era=2.4
setting 2.6 era=2.6
setting modern era=modern
setting packed era=2.6 placement=packed
guarded
finish

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of run and record.sh
#
# Signals, readers that go and terminals that go: nothing of a script is left running,
# and none waits for what cannot come.

# left_of NUMBER: how many processes sleep for so many seconds, once those that end have ended.
left_of() {
	local try

	for ((try = 0; try < 50; try++)); do
		pgrep -fx "sleep $1" >/dev/null || break
		sleep 0.1
	done
	pgrep -fxc "sleep $1"
}

# signalled SIGNAL STARTED COMMAND...: sends it to the command once that file is there; sets $status and
# $out.  Signals that are ignored here, as nohup ignores hang-ups, are not ignored there.
# shellcheck disable=SC2016 # for that shell
signalled() {
	rm -f "$2"
	run env --default-signal=INT,QUIT,HUP,TERM bash -c 'set -m; signal=$1 started=$2; shift 2; "$@" & pid=$!
		for ((try = 0; try < 300; try++)); do [[ ! -s $started ]] || break; sleep 0.1; done
		kill "-$signal" $pid; wait $pid' sh "$@"
}

# shellcheck disable=SC2016 # for the workload's shell
signals_to_record() {
	local number=300.977$RANDOM signal workload

	workload="(sleep $number; true) & sh -c 'sleep $number; true' & grep SigIgn /proc/self/status >'$dir/ignored'
		trap 'exit 3' INT; echo \$PPID >'$dir/pids'; sleep $number; true"
	for signal in INT=130 TERM=143 HUP=129; do
		rm -f "$dir/pids"
		on_made_up bash -c 'set -m; env --default-signal=INT,QUIT,HUP,TERM "$1" -o "$2/cut" -- sh -c "$3" & pid=$!
			for ((try = 0; try < 300; try++)); do [[ ! -s $2/pids ]] || break; sleep 0.1; done
			kill -$4 $pid; wait $pid' sh "$top/scripts/record" "$dir" "$workload" "${signal%=*}"
		is "record and ${signal%=*}: its status" "$status" "${signal#*=}"
		is 'no file, and nothing of the workload is left' "$([[ -e $dir/cut ]]; echo $?) $(left_of "$number")" '1 0'
		is 'which could be interrupted' $((0x$(cut -f2 "$dir/ignored") & 2)) 0
	done
}

# A machine that says more than a pipe holds.
# shellcheck disable=SC2016 # for that shell
readers_of_vm() {
	mkdir -p "$dir/talks"
	printf '%s\n' '#!/bin/bash' 'output=$(grep -o "id=output,path=[^ ]*" <<<"$*")' 'exec yes >"${output#*path=}"' \
		>"$dir/talks/qemu-system-x86_64"
	chmod +x "$dir/talks/qemu-system-x86_64"
	run bash -c 'PATH=$1:$PATH "$2" --kernel 6.12-cloud --virtual-time --accel tcg --no-module --timeout 60 -- true | head -n 1
		echo "${PIPESTATUS[0]}"' sh "$dir/talks" "$top/scripts/vm"
	is 'vm ends with the reader of its output' "$out" $'y\n125'
}

# shellcheck disable=SC2016 # for that shell
signals_to_check() {
	local number=300.978$RANDOM signal jobs

	make_copy
	fake bin/make "echo here >'$dir/started'" "sleep $number" 'true'
	for jobs in 1 2; do
		for signal in INT=130 TERM=143 HUP=129; do
			signalled "${signal%=*}" "$dir/started" env PATH="$copy/bin:$PATH" "$copy/scripts/check" -j $jobs unit lint
			is "check -j $jobs and ${signal%=*}" "$status $(left_of "$number")" "${signal#*=} 0"
		done
	done
}

terminals_that_go() {
	fine_pool
	out=$(expect "$here/top.exp" gone "$top/scripts/top" "$pool" 2>&1)
	is 'top ends when its terminal is gone, without a signal' "$(tail -n 1 <<<"$out")" 'it ended'
}

test_signals() {
	local machine copy

	is 'record ends processes as others do' "$(sed -n '/^# end_marked /,/^}$/p' "$top/scripts/record")" \
		"$(sed -n '/^# end_marked /,/^}$/p' "$top/scripts/end.sh")"
	made_up_machine
	if can_mount; then
		signals_to_record
	else
		ok 'signals to record # SKIP mounts are not allowed here'
	fi
	readers_of_vm
	signals_to_check
	terminals_that_go
}

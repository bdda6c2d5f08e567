# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of run
#
# scripts/record away from any pool: traces made up here, converted with each awk that
# there is.  selftests/record has those of a guest.

# entry COMM PID SECONDS TEXT: a line of a trace.
entry() {
	printf '%16s-%-7d [001] d..2. %12s: %s\n' "$1" "$2" "$3" "$4"
}

# note SECONDS TEXT: a line that record leaves in a trace.
note() {
	entry record.sh 77 "$1" "tracing_mark_write: record:77:$2"
}

# write_state FILE: of a pool in which nothing happened.
write_state() {
	printf '%s\n' @stats 'total_pages 1' 'window_bytes 4096' 'allocations 0' @freelist 'order 0: 0' @pairmap \
		@blocks '0 order=0 free' @window '0 4096 hole' >"$1"
}

# made_up_machine: a /sys with a pool in it, where tracefs gives each instance a trace: the notes of the
# process that makes it, and between them the lines in $machine/events.
made_up_machine() {
	local name pool

	machine=$dir/made-up
	pool=$machine/sys/kernel/debug/pocketmm
	rm -rf "$machine"
	mkdir -p "$pool" "$machine"/sys/{module/pocketmm/parameters,kernel/tracing/{instances,events/pocketmm}} "$machine/bin"
	echo 2.4 >"$machine/sys/module/pocketmm/parameters/era"
	write_state "$dir/state"
	for name in stats freelist pairmap blocks window mappings; do
		sed -n "/^@$name/,/^@/{/^@/!p}" "$dir/state" >"$pool/$name"
	done
	: >"$machine/events"
	made_up_tracefs
}

# shellcheck disable=SC2016 # for that shell
made_up_tracefs() {
	local program real

	for program in mkdir rmdir; do
		real=$(command -v $program)
		printf '%s\n' '#!/bin/bash' "[[ \$1 == */instances/pocketmm ]] || exec $real \"\$@\"" \
			"$(declare -f entry note)" "machine=$machine" >"$machine/bin/$program"
	done
	echo 'rm -rf "$1"' >>"$machine/bin/rmdir"
	printf '%s\n' 'mkdir -p "$1"/{options,events/pocketmm,per_cpu/cpu0} && echo "entries: 4" >"$1/per_cpu/cpu0/stats"' \
		'{ note 1.1 begin:1; note 1.2 end:1; cat "$machine/events"; note 9.1 begin:2; note 9.2 end:2; } |' \
		'	sed "s/record:77:/record:$PPID:/" >"$1/trace"' >>"$machine/bin/mkdir"
	sed -i "s,mkdir -p,$(command -v mkdir) -p," "$machine/bin/mkdir"
	chmod +x "$machine"/bin/*
}

# on_made_up COMMAND...: with that /sys.
# shellcheck disable=SC2016 # for that shell
on_made_up() {
	apart sh -c 'machine=$1 awk=$2 && shift 2 && mount -t tmpfs tmpfs /sys && cp -r "$machine/sys/." /sys/ && PATH=$machine/bin:$awk:$PATH "$@"' \
		sh "$machine" "${awk_path:-/bin}" "$@"
}

# convert: the lines of standard input, between two snapshots, of whose notes some may be $gone;
# sets $out and $status.
convert() {
	local place=$dir/converted

	rm -rf "$place" && mkdir -p "$place/instance" "$place/sys/pocketmm/parameters"
	echo 2.4 >"$place/sys/pocketmm/parameters/era"
	write_state "$place/1" && cp "$place/1" "$place/2"
	{ echo '# tracer: nop'; echo '#'; note "${at:-1}.000001" begin:1; note "${at:-1}.000002" end:1; cat
		note "${at:-1}.900001" begin:2; note "${at:-1}.900002" end:2; } |
		grep -av ":${gone-none}\$" >"$place/instance/trace"
	# Its process is a number that is known.
	sed '/^main "\$@"/d; s/\$\$/77/g; s,/sys/module,sys,' "$top/scripts/record" >"$place/record"
	out=$(cd "$place" && PATH=$awk_path:$PATH sh -c '. ./record; dir=. instance=instance file=out nr=2 lost=$2
		title=$1; convert' sh "${title-title}" "${lost-0}" 2>&1 </dev/null)
	status=$?
	[[ $status != 0 ]] || out=$(<"$place/out")
}

# json PROGRAM: what it says of the lines of $out, as the array r of objects; UTF-8 must be right.
json() {
	node -e 'const r = new TextDecoder("utf-8", { fatal: true }).decode(require("fs").readFileSync(0))
		.trimEnd().split("\n").map((line) => JSON.parse(line));
		const those = (type) => r.filter((record) => record.type === type);
		console.log('"$1"')' <<<"$out" 2>&1
}

readonly AN_EVENT='split: page=512 order=9 kept=0'

# A task's name is any text of 15 bytes.
names_of_tasks() {
	local comm wanted

	for comm in 'x [1' 'x [0] y' 'a"b\c' 'sh-12 [001] d' $'two\nlines' $'\n' 'q: alloc: p=1' '  blanks ' '' ']'; do
		convert < <(entry "$comm" 4194304 1.5 "$AN_EVENT")
		wanted=${comm//$'\n'/?}
		is "$1: a command named '${comm//$'\n'/ LINE }'" "$(json 'JSON.stringify(those("event"))')" \
			"[{\"type\":\"event\",\"t\":499998,\"cpu\":1,\"pid\":4194304,\"comm\":$(node -p 'JSON.stringify(process.argv[1].trimStart())' \
			"$wanted"),\"name\":\"split\",\"page\":512,\"order\":9,\"kept\":0}]"
	done
}

names_cut_in_characters() {
	local comm

	for comm in $'fourteen abcde\303' $'thirteen bcd\360\237\230' $'\200' $'\355\240\200' $'\340\200\200' $'\377'; do
		convert < <(entry "$comm" 1 1.5 "$AN_EVENT")
		comm=${comm%%[$'\200\355\340\377\303\360']*}
		is "$1: a name with bytes that are no character" "$(json 'those("event")[0].comm')" "$comm"$'\357\277\275'
	done
	convert < <(entry 'ä €😀' 1 1.5 "$AN_EVENT")
	is "$1: and those that are one stay" "$(json 'those("event")[0].comm')" 'ä €😀'
}

texts_of_marks() {
	local text

	for text in $'step one\nsee [0] below' $'one\n# two\n\nthree' 'see-1 [000] below: a: b' 'a "b" \c' $'CPU:0 [LOST\n1]' \
		$'one\nsh-1 [000] d..2. 1.0: free: page=1' 'tracing_mark_write: x'; do
		convert < <(entry sh 5 1.1 "tracing_mark_write: $text"; entry $'a\nb' 5 1.2 "$AN_EVENT")
		is "$1: the mark '${text//$'\n'/ LINE }', and the event after it" \
			"$(json 'those("mark").length + those("mark")[0].text + those("event").length')" \
			"1$(tr -s '\n' ' ' <<<"$text" | sed 's/ $//')1"
	done
}

titles() {
	local title

	# shellcheck disable=SC1003 # backslashes
	for title in 'a\b\n\\' 'say "x"' $'tab\tand\nline' $'\303' $'bell\a'; do
		convert </dev/null
		wanted=${title//$'\n'/ }
		wanted=${wanted//$'\a'/?}
		is "$1: the title '${wanted//$'\303'/BYTE}'" "$(json 'r[0].title')" "${wanted//$'\303'/$'\357\277\275'}"
	done
}

# A line that is nothing is not passed over.
strange_lines() {
	local line

	for line in 'sh-1 [000] split: page=1' "                1-x [000] d..2. 1.5: $AN_EVENT"; do
		convert <<<"$line"
		is "$1: a line that is no event" "$status:$out" "125:record: the trace has a line that is no event: $line"
	done
	lost=5 convert < <(entry sh 1 1.5 "$AN_EVENT")
	is "$1: of lost events it says how many" "$status $(json 'r.at(-1).lost')" '0 5'
	for line in begin:2 end:2; do
		lost=5 gone=$line convert < <(entry sh 1 1.5 "$AN_EVENT")
		is "$1: so it does when the note $line is lost, too" "$status $(json 'those("snapshot").length + "" + r.at(-1).lost')" '0 25'
	done
	convert < <(entry sh 1 1.5 "$AN_EVENT"; note 1.6 begin:2; entry sh 1 1.7 "$AN_EVENT"; note 1.8 end:2)
	is "$1: an event inside a snapshot" "$status:$out" '125:record: the pool changed while a snapshot was read'
	convert < <(entry sh 1 1.5 'split: page=512 word [module]'; entry sh 1 1.6 'split: word')
	is "$1: words that belong to nothing" "$(json 'those("event").length')" 2
}

# recorded NAME WANTED WORKLOAD [OPTION]...: status and message, or the number of snapshots.
recorded() {
	on_made_up "$top/scripts/record" "${@:4}" -o "$dir/recorded" -- sh -c "$3"
	((status)) || { out=$(<"$dir/recorded"); out=$(json 'those("snapshot").length'); }
	is "$1" "$status:$out" "$2"
	rm -f "$dir/recorded"
}

# What the snapshots say of the events, and of the module.
recordings_are_compared() {
	local pool=/sys/kernel/debug/pocketmm meanwhile='125:record: the module was unloaded meanwhile, or loaded anew'

	made_up_machine
	printf '%s\n' 'splits 5' 'merges 7' >>"$machine/sys/kernel/debug/pocketmm/stats"
	mkdir -p "$machine"/sys/devices/system/cpu/{cpu{0,1,2},cpufreq}
	recorded 'a workload that does nothing' 0:2 true
	recorded 'splits, but no event' '125:record: the pool had 2 splits, but the trace has 0' "sed -i 's/splits 5/splits 7/' $pool/stats"
	recorded 'merges, but no event' '125:record: the pool had 1 merges, but the trace has 0' "sed -i 's/merges 7/merges 8/' $pool/stats"
	{ entry sh 1 2.0 'split: page=0 order=1 kept=1'; entry sh 1 2.1 'split_page: page=0 order=2'; } >"$machine/events"
	recorded 'as many splits as events' 0:2 "sed -i 's/splits 5/splits 9/' $pool/stats"
	recorded 'events, but no splits' '125:record: the pool had 0 splits, but the trace has 4' true
	: >"$machine/events"
	recorded 'a reload' "$meanwhile" 'mkdir /sys/module/other && mv /sys/module/pocketmm /sys/module/old && mv /sys/module/other /sys/module/pocketmm'
	recorded 'a reload, in snapshots' "$meanwhile" 'mv /sys/module/pocketmm /sys/module/old; cp -r /sys/module/old /sys/module/pocketmm' --snapshots
	recorded 'an unload' "$meanwhile" 'mv /sys/module/pocketmm /sys/module/old'
	sed -i 's/; note 9.1 begin:2; note 9.2 end:2//' "$machine/bin/mkdir"
	recorded 'a trace that breaks off' '125:record: the trace has no last snapshot' true
	sed -i 's/entries: 4/dropped events: 5/' "$machine/bin/mkdir"
	recorded 'unless events were lost' '124:record: 5 events were lost: a larger --buffer than 8192 keeps them' true
	made_up_machine
	mkdir -p "$machine"/sys/devices/system/cpu/{cpu{0,1,2},cpufreq}
	on_made_up "$top/scripts/record" -o "$dir/recorded" -- rm -r /sys/devices/system/cpu/cpufreq
	out=$(<"$dir/recorded")
	is 'all CPUs count' "$(json 'r[0].cpus')" 3
}

test_record() {
	local awk awk_path machine

	if can_mount; then
		for awk in $(awks); do
			use_awk "$awk"
			recordings_are_compared
		done
	else
		ok 'recordings are compared # SKIP mounts are not allowed here'
	fi

	for awk in $(awks); do
		use_awk "$awk"
		names_of_tasks "$awk"
		names_cut_in_characters "$awk"
		texts_of_marks "$awk"
		titles "$awk"
		strange_lines "$awk"
	done
}

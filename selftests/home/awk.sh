# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of run
#
# The scripts with each awk that there is: they differ in how they write numbers from
# 2^31, which Debian's mawk rounds and busybox cuts.

# awks: the names of those that this machine has.
awks() {
	local awk

	for awk in mawk gawk busybox original-awk; do
		! command -v $awk >/dev/null || echo $awk
	done
}

# use_awk NAME: $awk_path has it as awk.
use_awk() {
	awk_path=$dir/awk-$1
	mkdir -p "$awk_path"
	ln -sf "$(command -v "$1")" "$awk_path/awk"
}

readonly LARGE=12345678901

# A pool that has been loaded for years.
large_pool() {
	fine_pool
	sed -i "s/^allocations .*/allocations $LARGE/; s/^refused_double_free .*/refused_double_free $LARGE/
		s/^window_bytes .*/window_bytes 1099511627776/" "$pool/sys/kernel/debug/pocketmm/stats"
	in_pool window <<<'0 1099511627776 hole'
}

large_numbers_in_top() {
	large_pool
	out=$(PATH=$awk_path:$PATH "$top/scripts/top" --once --root "$pool" 2>&1)
	is "$1: top: counters" "$(grep -oE ' (allocations|refused) .*' <<<"$out" | tr -s ' ')" \
		" allocations - $LARGE"$'\n'" refused - $((LARGE + 4))"
	has "$1: top: sizes" "$out" 'Window 1T, areas: 2, holes: 1, the largest 1T'
}

large_numbers_in_doctor() {
	fine_machine
	put proc/meminfo 'MemAvailable:   9000000000 kB\n'
	put proc/buddyinfo 'Node 0, zone   Normal 0 0 0 0 0 0 0 0 0 0 1000000 \n'
	out=$(PATH=$awk_path:$PATH "$top/scripts/doctor" --root "$machine" --chunk 3000G 2>&1)
	has "$1: doctor: a chunk of terabytes" "$(grep room <<<"$out")" "4000000M are free in blocks of 2M"
}

# from_script FILE NAME: a function of a script.
from_script() {
	sed -n "/^$2() [{(]$/,/^[})]$/p" "$top/scripts/$1"
}

# shellcheck disable=SC2016,SC2034
large_numbers_in_tables() {
	local scale=16 PATH=$awk_path:$PATH

	eval "$(from_script bench quote_names; from_script labs scale_commands; from_script labs only_sizes; from_script bench judge_program)"
	is "$1: labs: sizes of larger pages" "$(printf '%s\n' '```console' '# vmalloc size=1073741824' | scale_commands)" \
		$'```console\n# vmalloc size=17179869184'
	only_sizes 'size 268435456' 'size 4294967296'
	is "$1: labs: and of what is printed" $? 0
	is "$1: bench: large figures" "$(echo "a.b $LARGE" | awk "$(echo 'row|a.b|2|<= 1|' | judge_program)")" \
		"row|$LARGE|2|6172839450.500|<= 1|MISSED"
}

# Seconds since the boot.
large_numbers_in_record() {
	local at

	for at in 2146 2147 5000 123456789; do
		convert < <(entry sh 4194304 "$at.500002" 'vmalloc: offset=4294967296 size=99999999999 type=vmalloc')
		is "$1: record: after $at seconds" "$(json 'those("event")[0].t + " " + those("event")[0].size + " " + r.at(-1).t')" \
			'500000 99999999999 900000'
		convert < <(entry sh 1 $((at + 3000)).000003 "$AN_EVENT"; at=$((at + 6000)) note $((at + 6000)).5 begin:2)
		is "$1: record: for thousands of seconds" "$(json 'those("event")[0].t')" 3000000001
	done
}

test_awk() {
	local awk awk_path

	for awk in $(awks); do
		use_awk "$awk"
		large_numbers_in_top "$awk"
		large_numbers_in_doctor "$awk"
		large_numbers_in_tables "$awk"
		large_numbers_in_record "$awk"
	done
}

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Functions that the shell tests share: KTAP, loading and unloading, commands, and the
# kernel log.  A test sources this file, states its plan and ends with 'finish'.
# Each check is one KTAP result and prints what was expected and what came.
#
# A line of the module's at warning level or above counts against the test in
# whose time it appears (each.sh looks), unless it lies between
# expect_log_begin and expect_log_end: such a test looks at the lines itself.
#
# The module's switches (era=, expand=, pcp=, search=, purge=, placement=, poison=, ...) are not
# a test's own: $POCKETMM_PARAMS has the parameters that every load begins with,
# and each test is to pass with any of them.  A test that is about one setting
# says so where it loads; one whose results depend on a setting asks with().
# With $POCKETMM_QUICK a test does less of the same, because there are many
# settings; with $POCKETMM_LONG the tests that can do so work for an hour.

PMM=/sys/kernel/debug/pocketmm
KO=${POCKETMM_KO:-/pocketmm.ko}
TRY=./pmm-try
export PMM

# Bytes of a page, and the address of the last page that 64 bits can express.  Tests give places and sizes in
# pages.
PAGE=$("$TRY" page)
LAST_PAGE=$(printf %u "-$PAGE")
export PAGE LAST_PAGE

# DEVICE has registers that may be read, and nothing but devices in the pages after it: it is the HPET of a PC, or
# the PL031, a clock, of QEMU's virt machine, whose driver the guest has sent away.  CLAIMED is a device in the
# kernel's hands: the IOAPIC, or the console's port.  EMPTY is where nothing is for 512 MiB, as far as the kernel
# knows: part of what PCI may use.  RAM is an address in RAM, RAM_BEGINS the first one that is the
# kernel's, and RAM_FLOOR where all RAM begins, in MiB.
case $(uname -m) in
aarch64)
	DEVICE=0x9010000 DEVICE_IN_IOMEM='09010000-09010fff : pl031' CLAIMED=0x9000000 EMPTY=0x10000000
	RAM_BEGINS=0x40000000 RAM=0x41000000 RAM_FLOOR=1024
	;;
*)
	DEVICE=0xfed00000 DEVICE_IN_IOMEM='fed00000-fed003ff : HPET' CLAIMED=0xfec00000 EMPTY=0xd0000000
	RAM_BEGINS=0x100000 RAM=0x1000000 RAM_FLOOR=0
	;;
esac
export DEVICE DEVICE_IN_IOMEM CLAIMED EMPTY RAM_BEGINS RAM RAM_FLOOR

planned=0
tests=0
failures=0

# --- KTAP

plan() {
	planned=$1
	echo 'TAP version 13'
	echo "1..$planned"
}

skip_all() {
	echo 'TAP version 13'
	echo "1..0 # SKIP $*"
	exit 4
}

note() {
	while IFS= read -r note_line; do
		printf '# %s\n' "$note_line"
	done <<-END
	$*
	END
}

pass() {
	tests=$((tests + 1))
	echo "ok $tests $1"
}

fail() {
	tests=$((tests + 1))
	failures=$((failures + 1))
	echo "not ok $tests $1"
	because "failed: $tests $1"
}

# because TEXT: why it failed; the reasons are printed once more at the end.
because() {
	case $1 in
	failed:*) ;;
	*) note "$1" ;;
	esac
	reasons="${reasons-}$1
"
}

# skips COUNT NAME REASON: this number of results does not apply here.
skips() {
	for _ in $(seq "$1"); do
		pass "$2 # SKIP $3"
	done
}

# Nothing that follows would mean anything.
bail() {
	echo "Bail out! $*"
	exit 1
}

# Exit status: 0 only when every planned test ran and passed.
finish() {
	[ ! -e /sys/module/pocketmm ] || unload
	[ "$failures" = 0 ] || note "${reasons%?}"
	note "$((tests - failures)) of $tests passed, $planned planned"
	[ "$failures" = 0 ] && [ "$tests" = "$planned" ]
	exit
}

# --- checks

# is NAME GOT WANT
is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
		return
	fi
	fail "$1"
	because "expected: $3"
	because "     got: $2"
}

# isnt NAME GOT UNWANTED
isnt() {
	if [ "$2" != "$3" ]; then
		pass "$1"
		return
	fi
	fail "$1"
	because "expected anything but: $3"
}

# matches NAME TEXT REGEX: there is text, and each line is one of the extended regular expression, whole.
matches() {
	grep -qvxE -e "$3" <<-END
	$2
	END
	if [ $? = 1 ] && [ -n "$2" ]; then
		pass "$1"
		return
	fi
	fail "$1"
	because "expected lines of: $3"
	because "          but got: $(printf '%s\n' "$2" | grep -vxE -e "$3" | head -n 5)"
}

# within NAME GOT LEAST MOST
within() {
	if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then
		pass "$1"
		return
	fi
	fail "$1"
	because "expected: $3 to $4"
	because "     got: $2"
}

# --- the module

# insmod_with [PARAMETER=VALUE]...: follow those that every load begins with; the last of a name counts.
# A load with pcp=1 cannot have poison=1 or owner=1 as well.
insmod_with() {
	insmod_common=${POCKETMM_PARAMS-}
	case " $* " in
	*' pcp=1 '*) insmod_common=$(echo "$insmod_common" | sed 's/poison=1//; s/owner=1//') ;;
	esac
	# shellcheck disable=SC2086 # words are wanted
	"$TRY" insmod "$KO" $insmod_common "$@"
}

# load [PARAMETER=VALUE]...: no test goes on without the module.
load() {
	loaded=$(insmod_with "$@") || bail "insmod ${POCKETMM_PARAMS-} $*: $loaded: $(dmesg | tail -n 1)"
	[ -e "$PMM/command" ] || bail "insmod $*: there is no $PMM/command"
	way_home=
	with pcp=0 || way_home='drain\n'
	with purge=eager || way_home="${way_home}purge\n"
}

# param NAME: as the module that is loaded has it.
param() {
	read -r param_value <"/sys/module/pocketmm/parameters/$1"
	echo "$param_value"
}

# with NAME=VALUE: does the module that is loaded have it?
with() {
	read -r with_value <"/sys/module/pocketmm/parameters/${1%%=*}" && [ "$with_value" = "${1#*=}" ]
}

# quick FEW MANY [VERY_MANY]: how often, in a quick run, otherwise, and in a long one.
quick() {
	if [ -n "${POCKETMM_QUICK-}" ]; then
		echo "$1"
	elif [ -n "${POCKETMM_LONG-}" ]; then
		echo "${3-$2}"
	else
		echo "$2"
	fi
}

# The module's own judgement comes first; rmmod's answer is not believed without a look.
unload() {
	read -r verdict <"$PMM/verify" || bail 'verify cannot be read'
	case $verdict in
	'ok '*) ;;
	*) bail "verify before unload: $verdict" ;;
	esac
	unloaded=$("$TRY" rmmod pocketmm) || bail "rmmod: $unloaded"
	[ ! -e /sys/module/pocketmm ] || bail 'rmmod: the module is still there'
	[ ! -e "$PMM" ] || bail "rmmod: $PMM is still there"
}

# cmd COMMAND: one line; sets $out to what `result` says behind the arrow.
cmd() {
	printf '%s\n' "$1" >"$PMM/command" 2>/dev/null
	cmd_status=$?
	out=
	while read -r out_line; do
		out=${out_line#*-> }
	done <"$PMM/result"
	return "$cmd_status"
}

# must COMMAND: a step that a test builds upon.
must() {
	cmd "$1" || bail "$1: $out"
}

# many: the commands of standard input, as many in one write as it takes.
many() {
	batch=$("$TRY" batch "$PMM/command") || bail "many: $batch: $(tail -n 1 "$PMM/result")"
}

# free_even: commands that free the blocks of which `result` tells that begin at an even page.
free_even() {
	awk -v RS='[ \n]' -F= '$1 == "block" { block = $2 } $1 == "page" && $2 % 2 == 0 { print "free block=" block }' \
		"$PMM/result"
}

# leaves: can one entry map a largest block?  A page table must have as many entries as that has pages, 512.
leaves() {
	[ "$PAGE" = 4096 ]
}

# value KEY: of $out
value() {
	for word in $out; do
		[ "${word%%=*}" != "$1" ] || { echo "${word#*=}"; return; }
	done
	return 1
}

# sample N: of the lines that come in every Nth in a quick run, else all.
sample() {
	awk -v n="$(quick "$1" 1)" 'NR % n == 1 || n == 1'
}

# home: what per-CPU lists keep, and addresses that wait for a flush, are brought home, so that files show what
# is free as if there were no such lists and no such wait.
home() {
	[ -z "$way_home" ] || printf %b "$way_home" >"$PMM/command" || bail "$way_home: $(cat "$PMM/result")"
}

# free_total: pages on the free lists and on per-CPU lists.
free_total() {
	total=0
	while read -r stat_name stat_value; do
		case $stat_name in
		free_pages | pcp_pages) total=$((total + stat_value)) ;;
		esac
	done <"$PMM/stats"
	echo "$total"
}

# stat NAME: a line of `stats`
stat_of() {
	while read -r stat_name stat_value; do
		[ "$stat_name" != "$1" ] || { echo "$stat_value"; return; }
	done <"$PMM/stats"
	return 1
}

# sorted WORD...: in ascending order.
sorted() {
	printf '%s\n' "$@" | sort -n | tr '\n' ' ' | sed 's/ $//'
}

# order N: the free list of one order, head first, without what precedes it.
order() {
	while read -r free_line; do
		case $free_line in
		"order $1:"*) free_line=${free_line#*:}; echo "${free_line# }" ;;
		esac
	done <"$PMM/freelist"
}

# joined WORD...: with commas.  For small files the shell itself is quicker than any program.
joined() {
	IFS=,
	echo "$*"
}

# lists: the free lists that are not empty, as 'N:INDEX,INDEX ...'
lists() {
	set --
	while read -r _ list_order list_rest; do
		[ -n "$list_rest" ] || continue
		list_text=$list_order$list_rest
		# shellcheck disable=SC2086 # words are wanted
		[ "$list_rest" = "${list_rest#* }" ] || list_text=$list_order$(joined $list_rest)
		set -- "$@" "$list_text"
	done <"$PMM/freelist"
	echo "$*"
}

# bits: the pair bits that are set, as 'N:LIST ...'
bits() {
	set --
	while read -r _ bit_order _ _ bit_list; do
		[ "$bit_list" = list= ] || set -- "$@" "$bit_order${bit_list#list=}"
	done <"$PMM/pairmap"
	echo "$*"
}

# state: everything that a refused command must leave as it was, numbers of pages and areas included.  Of blocks
# that were taken from the middle of a list, or kept on a per-CPU list, the place on their free list may be
# another.  It writes commands of its own.
state() {
	home
	if with pcp=0 && with placement=lifo; then
		cat "$PMM/freelist" "$PMM/pairmap" "$PMM/window" "$PMM/verify"
		return
	fi
	awk '
	FILENAME !~ /freelist$/ { print; next }
	{
		line = $1 " " $2
		n = 0
		for (i = 3; i <= NF; i++) {
			for (j = n++; j && at[j] > $i + 0; j--) at[j + 1] = at[j]
			at[j + 1] = $i + 0
		}
		for (i = 1; i <= n; i++) line = line " " at[i]
		print line
	}' "$PMM/freelist" "$PMM/pairmap" "$PMM/window" "$PMM/verify"
}

# pairs_from_lists: the pair map that the free lists imply, by the invariant alone, in the format of `pairmap`.
pairs_from_lists() {
	awk -v pages="$(stat_of total_pages)" '
	function flush_run() {
		if (first < 0) return
		list = list (list == "" ? "" : ",") (first == last ? first : first "-" last)
	}
	{
		n = substr($2, 1, length($2) - 1) + 0
		if (n == 9) next
		for (span = 2; n > 0; n--) span *= 2
		pairs = int((pages + span - 1) / span)
		split("", bit)
		for (i = 3; i <= NF; i++) { p = int($i / span); bit[p] = !bit[p] }
		list = ""; first = -1; set = 0
		for (p = 0; p < pairs; p++) {
			if (!(p in bit) || !bit[p]) continue
			set++
			if (first >= 0 && p == last + 1) { last = p; continue }
			flush_run(); first = last = p
		}
		flush_run()
		print $1, $2, "pairs=" pairs " set=" set " list=" list
	}' "$PMM/freelist"
}

# mem_free: kB, when caches are dropped and what each CPU keeps back is brought home.
mem_free() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	[ ! -w /proc/sys/vm/compact_memory ] || echo 1 >/proc/sys/vm/compact_memory
	[ ! -w /proc/sys/vm/stat_refresh ] || echo 1 >/proc/sys/vm/stat_refresh
	while read -r mem_name mem_kb _; do
		[ "$mem_name" != MemFree: ] || echo "$mem_kb"
	done </proc/meminfo
}

# all_free: three results. Everything that commands held is freed, and then nothing is missing.
all_free() {
	must reset
	must purge
	must drain
	is 'all pages are free' "$(free_total)" "$(stat_of total_pages)"
	is 'the window is one hole' "$(cat "$PMM/window")" "0 $(stat_of window_bytes) hole"
	is 'verify' "$(cut -c 1-3 "$PMM/verify")" 'ok '
}

# --- the kernel log

# log_mark: what follows is seen by log_since.
log_mark() {
	log_marks=$((${log_marks:-0} + 1))
	mark="pocketmm-selftest: mark $$.$log_marks;"
	echo "$mark" >/dev/kmsg
}

# log_since: the module's lines since the last mark, without what the kernel says of any module from outside.
# A reader of the log stops at a line that another CPU has not finished yet; so it is read until it has the end.
log_since() {
	log_ends=$((${log_ends:-0} + 1))
	log_end="pocketmm-selftest: end $$.$log_ends;"
	echo "$log_end" >/dev/kmsg
	"$TRY" log "$mark" "$log_end" || echo "pmm-try log: $?"
}

# Lines of the module in between are wanted.
expect_log_begin() {
	echo 'pocketmm-selftest: expect begin' >/dev/kmsg
}

expect_log_end() {
	echo 'pocketmm-selftest: expect end' >/dev/kmsg
}

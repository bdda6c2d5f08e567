#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Who may do what: modes, CAP_SYS_ADMIN, CAP_SYS_RAWIO, kernel addresses, what is zeroed before
# it can be seen, what can be mapped, and numbers near 2^64 wherever one is
# taken.  docs/security.md has the promises; what depends on how the kernel was
# booted is in lockdown/run.
#
# not with --switches: who may do what does not go by them, and each era is tried here

. ./lib.sh

readonly USER=1000 SYS_RAWIO=17 SYS_ADMIN=21 SYS_TTY=22 SYSLOG=34
readonly M="$PMM/mem" C="$PMM/command"

# wrong TEXT: one more line of what `none_wrong` reports.
wrong() {
	bad="${bad:+$bad
}$1"
}

# none_wrong NAME: nothing was, since the last one.
none_wrong() {
	is "$1" "$bad" ''
	bad=
}

# as_user COMMAND...
as_user() {
	"$TRY" user $USER "$@" 2>&1
}

# try COMMAND...: what write(2) says of each; after one that is done, the rest is not run.
try() {
	said=$("$TRY" write $C "$@" | tr '\n' ' ')
}

# expect 'ERRNO...' COMMAND...: one each, or one for all.
expect() {
	want="$1 "
	shift
	if [ $# -gt 1 ] && [ "${want#* }" = '' ]; then
		want=$(yes "${want% }" | head -n $# | tr '\n' ' ')
	fi
	try "$@"
	[ "$said" = "$want" ] || wrong "$(joined "$@"): $said, not $want"
}

# unchanged NAME: the whole state is that of $before.
unchanged() {
	[ "$(state)" = "$before" ] || wrong 'the state has changed'
	none_wrong "$1"
}

# --- files

# The table of docs/debugfs.md.
readonly MODES='buddyinfo blocks extfrag_index freelist mappings pairmap showmem stats unusable_index version window 444
page_owner result verify vmallocinfo 400
command 200
mem 600'

modes() {
	echo "$MODES" | while read -r row; do
		for name in ${row% *}; do echo "$name ${row##* } 0:0"; done
	done | sort >/tmp/modes
	is 'each file has its mode, and is root'\''s' "$(cd $PMM && stat -c '%n %a %u:%g' -- * | sort)" "$(cat /tmp/modes)"
	is 'the directory is there to be searched' "$(stat -c '%a %u:%g' $PMM)" '755 0:0'
}

# opens FILE MODE: by a user, of the group too.
users_open() {
	while read -r name mode _; do
		case $mode in 444) want=yes ;; *) want=no ;; esac
		got=no
		as_user head -c 1 "$PMM/$name" >/dev/null 2>&1 && got=yes
		[ $got = $want ] || wrong "a user reads $name: $got"
		[ "$(as_user "$TRY" write "$PMM/$name" purge)" = EACCES ] || wrong "a user opens $name for writing"
	done </tmp/modes
	none_wrong 'a user reads what is 0444, and nothing else, and writes nothing'
}

# debugfs lets nobody but root in: for the length of a test it does.
with_debugfs_open() {
	is 'debugfs is closed by default' "$(as_user cat $PMM/version | sed 's/.*: //')" 'Permission denied'
	mount -o remount,mode=755 /sys/kernel/debug || bail 'cannot remount debugfs'
	users_open
	addresses_of_users
	mount -o remount,mode=700 /sys/kernel/debug || bail 'cannot remount debugfs'
}

# no_command NAME ANSWER: of a write that is refused for lack of the capability.
no_command() {
	[ "$2" = EPERM ] || wrong "answer: $2"
	[ "$(cat $PMM/result $PMM/stats)" = "$result" ] || wrong 'result or stats have changed'
	unchanged "$1: EPERM, and nothing changed"
	result=$(cat $PMM/result $PMM/stats)
}

# userns_no_command NAME HOW FILE
userns_no_command() {
	if [ -e /proc/self/ns/user ]; then
		no_command "$1" "$("$TRY" userns "$TRY" "$2" "$3" 'alloc order=0')"
	else
		pass "$1 # SKIP no user namespaces"
	fi
}

# A write needs the right to open the file, and CAP_SYS_ADMIN both of the opener and of the writer.
capability() {
	before=$(state)
	result=$(cat $PMM/result $PMM/stats)
	no_command 'root without CAP_SYS_ADMIN' "$("$TRY" nocap $SYS_ADMIN "$TRY" write $C 'alloc order=0')"
	userns_no_command 'root of a user namespace' write $C
	exec 9>$C
	no_command 'a user who was given the open file' "$(as_user "$TRY" fdwrite 9 'alloc order=0')"
	no_command 'root without CAP_SYS_ADMIN who was given it' "$("$TRY" nocap $SYS_ADMIN "$TRY" fdwrite 9 'alloc order=0')"
	userns_no_command 'root of a user namespace who was given it' fdwrite 9
	is 'the same open file for root' "$("$TRY" fdwrite 9 'purge')" 'ok 5'
	exec 9>&-
	before=$(state)
	result=$(cat $PMM/result $PMM/stats)
	no_command 'a file opened without CAP_SYS_ADMIN, written with' "$("$TRY" deputy $SYS_ADMIN $C 'alloc order=0')"
	is 'a file opened without another capability' "$("$TRY" deputy $SYS_TTY $C 'purge')" 'ok 5'
	is 'root without another capability' "$("$TRY" nocap $SYS_TTY "$TRY" write $C 'purge')" 'ok 5'
	is 'what can only be read needs no capability' "$("$TRY" nocap $SYS_ADMIN cat $PMM/result)" "$(cat $PMM/result)"
	exec 9<$M
	is 'mem goes by who opened it' "$(as_user "$TRY" fdread 9 | wc -c)" "$(stat_of window_bytes)"
	exec 9<&-
}

# raw_refused HOW...: commands that reach beyond what commands hold, each way.
raw_refused() {
	for line in "ioremap phys=$DEVICE size=64" "free page=$page order=0" 'vfree offset=0'; do
		said=$("$TRY" "$@" "$line")
		[ "$said" = EPERM ] || wrong "$1 $line: $said"
		said=$(sed 's/.* -> //' $PMM/result)
		[ "$said" = 'error EPERM it needs CAP_SYS_RAWIO' ] || wrong "$1 $line: $said"
	done
}

# The gate of /dev/mem: devices, and what other modules have, need CAP_SYS_RAWIO too.
rawio() {
	must 'alloc order=0'
	page=$(value page)
	before=$(state)
	raw_refused nocap $SYS_RAWIO "$TRY" write $C
	raw_refused deputy $SYS_RAWIO $C
	exec 9>$C
	raw_refused nocap $SYS_RAWIO "$TRY" fdwrite 9
	exec 9>&-
	unchanged 'root without CAP_SYS_RAWIO maps no device, and frees nothing that commands do not hold'
	is 'nor opens mem to read' "$("$TRY" nocap $SYS_RAWIO "$TRY" pread $M 0 1)" EPERM
	is 'nor to write' "$("$TRY" nocap $SYS_RAWIO "$TRY" write $M x)" EPERM
	is 'nor to map' "$("$TRY" nocap $SYS_RAWIO "$TRY" mmap $M 0 "$PAGE" r)" EPERM
	is 'but gives the other commands' "$("$TRY" nocap $SYS_RAWIO "$TRY" write $C 'vmalloc size=1
vfree area=2')" 'ok 27'
	exec 9<$M
	is 'and reads a mem that was opened with it' "$("$TRY" nocap $SYS_RAWIO "$TRY" fdread 9 | wc -c)" "$(stat_of window_bytes)"
	exec 9<&-
	must reset
}

# What a driver or the kernel has claimed, to the page.
claimed() {
	iomem=$(cat /proc/iomem)
	before=$(state)
	expect EPERM "ioremap phys=$CLAIMED size=4" "ioremap phys=$((CLAIMED + PAGE / 2)) size=8" \
		"ioremap phys=$((CLAIMED - 1)) size=2" "ioremap phys=$((CLAIMED - PAGE)) size=$((3 * PAGE))" \
		"ioremap phys=$((CLAIMED + PAGE - 1)) size=1"
	matches 'the answer says why' "$(sed 's/.* -> //' $PMM/result)" 'error EPERM a driver or the kernel has claimed it: .*'
	unchanged 'ioremap of what a driver or the kernel has claimed is refused'
	is 'and claims nothing itself' "$(cat /proc/iomem)" "$iomem"
}

# --- addresses

readonly HASHED='0x0{8}[0-9a-f]{8}-0x0{8}[0-9a-f]{8} .*'
readonly REAL='0xffff[0-9a-f]{12}-0xffff[0-9a-f]{12} .*'
readonly NONE='0x0{16}-0x0{16} .*'

restrict() {
	echo "$1" >/proc/sys/kernel/kptr_restrict
}

# shows WHO REGEX COMMAND...: vmallocinfo, as that prints it.
shows() {
	name=$1 regex=$2
	shift 2
	matches "vmallocinfo, kptr_restrict=$(cat /proc/sys/kernel/kptr_restrict), $name" "$("$@")" "$regex"
}

addresses_of_root() {
	restrict 0
	shows root "$HASHED" cat $PMM/vmallocinfo
	restrict 1
	shows root "$REAL" cat $PMM/vmallocinfo
	shows 'root without CAP_SYSLOG' "$NONE" "$TRY" nocap $SYSLOG cat $PMM/vmallocinfo
	start=$(sed -n '1s/^0x\([0-9a-f]*\)-.*/\1/p' $PMM/vmallocinfo)
	restrict 2
	shows root "$NONE" cat $PMM/vmallocinfo
}

# given_to_user: what a user reads of vmallocinfo who was given it open.
# shellcheck disable=SC2317 # called by name
given_to_user() {
	as_user "$TRY" fdread 9 9<"$PMM/vmallocinfo"
}

addresses_of_users() {
	for level in 0 1 2; do
		restrict $level
		[ $level = 0 ] && regex=$HASHED || regex=$NONE
		shows 'a user with the file open' "$regex" given_to_user
		for name in buddyinfo blocks freelist pairmap showmem stats version window; do
			! as_user cat "$PMM/$name" | grep -qiE 'ffff[0-9a-f]{8}|0x[0-9a-f]{9}' || wrong "kptr_restrict=$level: $name"
		done
	done
	none_wrong 'no file for everybody has a kernel address'
	restrict 0
}

# Every message of the module in the log, except that of a load that fails for lack of memory.
all_messages() {
	unload
	load chunk=$((1024 * PAGE)) window=$((256 * PAGE))
	insmod_with chunk=1 >/dev/null
	must 'alloc order=2'
	page=$(value page)
	must "vmalloc size=$((2 * PAGE))"
	must "ioremap phys=$DEVICE size=64"
	try "free page=$((page + 1)) order=0" "free page=$page order=1" 'free page=4294967295 order=0' \
		"free page=$page order=12" 'vfree offset=1' "vfree offset=$PAGE" "vfree offset=$LAST_PAGE" \
		'vmalloc size=18446744073709551615' "vmalloc size=$((1024 * PAGE))" "ioremap phys=$RAM size=1"
	unload
	insmod_with chunk=1000G >/dev/null
	insmod_with below=18446744073709551616 >/dev/null
	insmod_with chunk=$((16384 * PAGE)) "below=$((RAM_FLOOR + 64))M" >/dev/null
}

# The addresses in brackets are those of vfree, hashed.
messages() {
	log_mark
	all_messages
	log_since >/tmp/messages
	within 'the module has spoken, lines' "$(wc -l </tmp/messages)" 15 60
	is 'no kernel address in the log' "$(grep -E 'ffff[0-9a-f]{12}' /tmp/messages | grep -v ' to 0xffffffffffffffff$')" ''
	is 'nor that of the window' "$(grep -F "${start#????}" /tmp/messages)" ''
	matches 'vfree'\''s is hashed' "$(grep -o '([0-9a-f]*), by' /tmp/messages)" '\(0{8}[0-9a-f]{8}\), by'
}

# --- what is seen was zeroed

nonzero() {
	tr -d '\000' <$M | wc -c
}

zeroed() {
	load "era=$1" chunk=$((256 * PAGE)) window=$((512 * PAGE))
	must "vmalloc size=$((256 * PAGE))"
	is "era $1: what the pages held before the load is gone" "$(nonzero)" 0
	must 'fill area=1 seed=7'
	within "era $1: the pool is full of a pattern, bytes" "$(nonzero)" $((244 * PAGE)) $((256 * PAGE))
	must 'vfree area=1'
	must purge
	must "vmalloc size=$((64 * PAGE))"
	is "era $1: such an area is not mapped" "$("$TRY" mmap $M "$(value offset)" $((64 * PAGE)) r)" EINVAL
	must reset
	must "vmalloc size=$((256 * PAGE)) user"
	is "era $1: an area for users, through mem" "$(nonzero)" 0
	is "era $1: and mapped" "$("$TRY" mmap $M "$(value offset)" $((256 * PAGE)) r)" 'ok 0'
	unload
}

# --- what is mapped

# maps ANSWER OFFSET LENGTH [PROTECTION [PROTECTION]]: by mmap of mem.
maps() {
	answer=$1
	shift
	[ $# -gt 2 ] || set -- "$@" r
	said=$("$TRY" mmap $M "$@")
	printf '%s\n' "$said" | grep -qxE -e "$answer" || wrong "mmap $*: $said, not $answer"
}

# Area 1 is plain, 2 of vmap, 3 the HPET, 4 for users.
mappings() {
	load chunk=$((1024 * PAGE)) window=$((256 * PAGE))
	must "vmalloc size=$((4 * PAGE))"
	plain=$(value offset)
	must 'alloc order=1'
	must 'vmap block=1'
	vmap=$(value offset)
	must "ioremap phys=$DEVICE size=$PAGE"
	device=$(value offset)
	must "vmalloc size=$((4 * PAGE)) user"
	user=$(value offset)
	before=$(state)
	for offset in $plain $vmap $device $((user + PAGE)) $((user + 4 * PAGE)) $((user + 5 * PAGE)) \
		$((255 * PAGE)) $((256 * PAGE)) $((257 * PAGE)) $((1 << 31)) $((1 << 46)); do
		maps EINVAL "$offset" "$PAGE"
	done
	unchanged 'only an area for users is mapped, from its beginning'
	maps 'ok 0' "$user" $((4 * PAGE))
	for length in $((4 * PAGE + 1)) $((5 * PAGE)) $((256 * PAGE)) $((1 << 40)); do
		maps EINVAL "$user" $length
	done
	for length in 0x7ffffffffffff000 0x8000000000000000 0xfffffffffffff000 0xffffffffffffffff 0; do
		maps 'EINVAL|ENOMEM|EOVERFLOW' "$user" $length
	done
	for offset in $((user + 1)) 0x7ffffffffffff000 0x8000000000000000 0xfffffffffffff000 0xffffffffffffffff; do
		maps 'EINVAL|EOVERFLOW' $offset "$PAGE"
	done
	unchanged 'nor further than it goes, whatever the offset and the length'
	executable
	unload
}

executable() {
	for protection in rx rwx x rxp; do
		maps EPERM "$user" "$PAGE" $protection
	done
	for protection in r rw rp rwp; do
		maps EACCES "$user" "$PAGE" $protection rx
	done
	maps EACCES "$user" "$PAGE" r rw
	maps 'ok 0' "$user" "$PAGE" rw r
	maps 'ok 0' "$user" "$PAGE" rwp
	unchanged 'and never to be executed'
}

# --- what commands map

# ram: 'START LAST' of what /proc/iomem has as RAM, and 'Kernel ...' within it.
ram() {
	sed -n 's/^ *\([0-9a-f]*\)-\([0-9a-f]*\) : \(System RAM\|Kernel .*\)$/0x\1 0x\2/p' /proc/iomem
}

# range FIRST LAST: each of its ends, its middle, all of it, and what only touches it.
range() {
	first=$(($1)) last=$(($2))
	expect EPERM "ioremap phys=$first size=1" "ioremap phys=$last size=1" "ioremap phys=$last size=2" \
		"ioremap phys=$((last - 1)) size=$((2 * PAGE))" "ioremap phys=$(((first + last) / 2)) size=$PAGE" \
		"ioremap phys=$first size=$((last - first + 1))"
	[ $first -lt "$PAGE" ] || expect EPERM "ioremap phys=$((first - 1)) size=2" \
		"ioremap phys=$((first - PAGE)) size=$((last - first + 2 * PAGE + 1))"
	# The page is RAM in part.
	[ $(((last + 1) % PAGE)) = 0 ] || expect EPERM "ioremap phys=$((last + 1)) size=1"
}

no_ram() {
	before=$(state)
	ram >/tmp/ram
	while read -r first last; do
		range "$first" "$last"
	done </tmp/ram
	within 'RAM of this machine, ranges' "$(wc -l </tmp/ram)" 2 1000
	unchanged 'ioremap of RAM is refused, to the last byte'
	frames=$(dmesg | sed -n 's/.*pocketmm: chunk of .* frames 0x\([0-9a-f]*\)-0x\([0-9a-f]*\),.*/0x\1 0x\2/p' | tail -n 1)
	range $((${frames% *} * PAGE)) $(((${frames#* } + 1) * PAGE - 1))
	unchanged 'and so is that of the chunk'
	for phys in 18446744073709551615 $LAST_PAGE 9223372036854775808 4503599627370496; do
		expect EINVAL "ioremap phys=$phys size=1" "ioremap phys=$phys size=$PAGE" "ioremap phys=$phys size=$((PAGE + 1))" \
			"ioremap phys=$phys size=18446744073709551615"
	done
	# To address 2^64, and around it to where RAM is.
	expect EINVAL "ioremap phys=$PAGE size=$LAST_PAGE" "ioremap phys=$PAGE size=${LAST_PAGE%?}$((${LAST_PAGE#"${LAST_PAGE%?}"} + 1))" \
		"ioremap phys=$PAGE size=18446744073709551615"
	unchanged 'and what wraps'
	claimed
}

# Blocks are mapped by the ID that this file gave them, as long as it is theirs.
no_foreign_page() {
	must 'alloc order=1'
	id=$(value block) page=$(value page)
	before=$(state)
	expect EINVAL 'vmap page=0' "vmap page=$page order=1" "vmap phys=$RAM" "vmap size=$PAGE" 'vmap area=1' 'fill page=0 seed=1'
	for other in 0 $((id + 1)) 18446744073709551615; do
		expect ENOENT "vmap block=$other" "vmap block=$id,$other" "fill block=$other seed=1"
	done
	for index in 1024 1025 4294967295; do
		expect EINVAL "free page=$index order=0" "free page=$index order=9"
	done
	unchanged 'no page but those of a block held'
	must "free page=$page order=1"
	before=$(state)
	expect ENOENT "vmap block=$id" "fill block=$id seed=1" "check block=$id seed=1" "free block=$id"
	unchanged 'nor of a block that was freed by its page'
}

# --- numbers

# key COMMAND 'ERRNO...': with 2^64 - 1, 2^64, 2^63, 2^32 and -1 in the place of %.
key() {
	before_key=${1%%\%*} after_key=${1#*\%} errnos=$2
	set --
	for number in 18446744073709551615 18446744073709551616 9223372036854775808 4294967296 -1; do
		set -- "$@" "$before_key$number$after_key"
	done
	expect "$errnos" "$@"
}

numbers() {
	load chunk=$((1024 * PAGE)) window=$((256 * PAGE))
	must "vmalloc size=$PAGE"
	must 'alloc order=0'
	before=$(state)
	key 'alloc order=%' 'ERANGE ERANGE ERANGE ERANGE EINVAL'
	key 'alloc order=0 count=%' 'EINVAL ERANGE EINVAL EINVAL EINVAL'
	key 'free page=% order=0' 'ERANGE ERANGE ERANGE ERANGE EINVAL'
	key 'free page=0 order=%' 'ERANGE ERANGE ERANGE ERANGE EINVAL'
	key 'fail nth=%' 'ERANGE ERANGE ERANGE ERANGE EINVAL'
	unchanged 'orders, counts and indices'
	for line in 'free block=%' 'vfree area=%' 'vunmap area=%' 'iounmap area=%' 'pages area=%' 'vmap block=%' 'vmap block=1,%' \
		'fill area=% seed=1' 'fill block=% seed=1' 'check area=% seed=1' 'check block=% seed=1'; do
		key "$line" 'ENOENT ERANGE ENOENT ENOENT EINVAL'
	done
	unchanged 'IDs'
	key 'vmalloc size=%' 'EINVAL ERANGE EINVAL EINVAL EINVAL'
	key 'vmalloc size=% user' 'EINVAL ERANGE EINVAL EINVAL EINVAL'
	key 'vmalloc size=% zero' 'EINVAL ERANGE EINVAL EINVAL EINVAL'
	key 'vfree offset=%' 'EINVAL ERANGE ENOENT ENOENT EINVAL'
	expect 'EINVAL ERANGE EINVAL EINVAL' "ioremap phys=18446744073709551615 size=1" "ioremap phys=18446744073709551616 size=1" \
		"ioremap phys=9223372036854775808 size=1" "ioremap phys=-1 size=1"
	# In 4 GiB there is RAM, or a device that is claimed.
	key "ioremap phys=$EMPTY size=%" "EINVAL ERANGE EINVAL EPERM EINVAL"
	unchanged 'sizes, offsets and addresses'
	expect 'ERANGE EINVAL' 'fill area=1 seed=18446744073709551616' 'fill area=1 seed=-1'
	expect 'ok 37' 'fill area=1 seed=18446744073709551615'
	expect 'EIO EIO' 'check area=1 seed=18446744073709551614' 'check area=1 seed=4294967295'
	expect 'ok 38' 'check area=1 seed=18446744073709551615'
	unchanged 'a seed may be any number of 64 bits'
	sizes
	unload
}

readonly NEAR_TOP='18446744073709551615 18446744073709551614 18446744073709547521 18446744073709547520 18446744073709547519
	18446744073705357312 18446744069414584320 9223372036854775808 9223372036854775807 18014398509481983K
	17592186044415M 17179869183G'

sizes() {
	for size in $NEAR_TOP; do
		expect EINVAL "vmalloc size=$size" "vmalloc size=$size user" "ioremap phys=$DEVICE size=$size"
	done
	for size in 18014398509481984K 17592186044416M 17179869184G; do
		expect ERANGE "vmalloc size=$size" "ioremap phys=$DEVICE size=$size" "vfree offset=$size"
	done
	unchanged 'sizes near 2^64'
}

grep -q "$DEVICE_IN_IOMEM" /proc/iomem || skip_all 'no HPET on this machine, or PL031'
plan $((50 + 5 * $(quick 1 3)))
bad=
kptr=$(cat /proc/sys/kernel/kptr_restrict)
expect_log_begin
load chunk=$((1024 * PAGE)) window=$((256 * PAGE))
must "vmalloc size=$((2 * PAGE)) user"
modes
capability
rawio
addresses_of_root
with_debugfs_open
messages
for era in $(quick modern '2.4 2.6 modern'); do
	zeroed "$era"
done
mappings
load chunk=$((1024 * PAGE)) window=$((16384 * PAGE))
no_ram
no_foreign_page
unload
numbers
expect_log_end
restrict "$kptr"
finish

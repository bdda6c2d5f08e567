#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel is locked down after the module was loaded, first for integrity, then
# for confidentiality.  Before that: this kernel was booted with init_on_alloc=0,
# so that the pool's pages are as their last owners left them unless the module
# has cleared them.

# shellcheck source=../lib.sh
. ./lib.sh

readonly LOCKDOWN=/sys/kernel/security/lockdown

nonzero() {
	tr -d '\000' <"$PMM/mem" | wc -c
}

# Pages that the kernel has used: a file's, which are dropped.
dirty_memory() {
	yes 'somebody'\''s secret' | head -c 1048576 >/tmp/secret
	for _ in $(seq 200); do
		cat /tmp/secret
	done >/tmp/secrets
	rm /tmp/secret /tmp/secrets
	mem_free >/dev/null
}

stale_pages() {
	dirty_memory
	load chunk=16M window=16M
	must 'vmalloc size=15M'
	is 'pages are clean when the pool begins' "$(nonzero)" 0
	must "fill area=$(value area) seed=1"
	within 'what commands wrote is there' "$(nonzero)" 15400000 15728640
	must reset
	unload
}

# opens FILE r|w: yes, or the errno.
opens() {
	case $2 in
	r) answer=$("$TRY" pread "$PMM/$1" 0 1) ;;
	w) answer=$("$TRY" write "$PMM/$1" '') ;;
	esac
	case $answer in
	*'ok '[0-9]*) echo yes ;;
	*) echo "$answer" ;;
	esac
}

# As long as a file has no bit but for reading it may be opened: fs/debugfs/file.c of the kernel.
locked() {
	echo "$1" >$LOCKDOWN || bail 'the kernel is not locked down'
	is "$1: in force" "$(grep -o '\[.*\]' $LOCKDOWN)" "[$1]"
	for name in version buddyinfo freelist pairmap blocks window showmem stats vmallocinfo verify result; do
		is "$1: $name is read" "$(opens $name r)" yes
	done
	is "$1: verify" "$(cut -c 1-3 "$PMM/verify")" 'ok '
	before=$(cat "$PMM/freelist" "$PMM/window" "$PMM/result")
	is "$1: command is not opened" "$(opens command w)" EPERM
	is "$1: mem is not read" "$(opens mem r)" EPERM
	is "$1: mem is not written" "$(opens mem w)" EPERM
	is "$1: mem is not mapped" "$("$TRY" mmap "$PMM/mem" 0 4096 r)" EPERM
	is "$1: nothing has changed" "$(cat "$PMM/freelist" "$PMM/window" "$PMM/result")" "$before"
	is "$1: what was open before stays open" "$("$TRY" fdread 8 8<&8 | wc -c) $("$TRY" fdwrite 9 "bogus")" "$2 EINVAL"
	is "$1: modes are not changed" "$(chmod 0444 "$PMM/mem" "$PMM/command" 2>&1 | grep -c 'not permitted')" 2
}

plan 45
mount -t securityfs securityfs /sys/kernel/security || bail 'no securityfs'
is 'the kernel is not locked down at first' "$(grep -o '\[.*\]' $LOCKDOWN)" '[none]'
stale_pages
load chunk=4M window=1M
must 'vmalloc size=4096 user'
expect_log_begin
exec 8<"$PMM/mem" 9>"$PMM/command"
locked integrity 1048576
locked confidentiality 0
exec 8<&- 9>&-
unload
is 'once unloaded it is not loaded again' "$(insmod_with chunk=4M)" EPERM
[ ! -e /sys/module/pocketmm ] && [ ! -e "$PMM" ]
is 'and nothing is left' $? 0
expect_log_end
finish

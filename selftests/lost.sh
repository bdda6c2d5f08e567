#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's own vfree(), kvfree(), vunmap(), iounmap() or vm_unmap_ram() of an
# address in the window frees the window under the pool. That is noticed at once:
# the kernel warns, naming the culprit, the pool no longer maps anything, and frees
# and unloading leave alone what belongs to somebody else by then.

. ./lib.sh

CLIENT=/sys/kernel/debug/pocketmm_client
CLIENT_KO=${POCKETMM_CLIENT_KO:-client/pocketmm_client.ko}

# The kernel's warning is wanted here. No console may show it, nor may it stop the machine.
expect_warning() {
	expect_log_begin
	read -r level rest </proc/sys/kernel/printk
	read -r panics </proc/sys/kernel/panic_on_warn
	read -r ignores </sys/module/printk/parameters/ignore_loglevel
	echo 0 >/proc/sys/kernel/panic_on_warn
	echo N >/sys/module/printk/parameters/ignore_loglevel
	echo 1 >/proc/sys/kernel/printk
	log_mark
	expected_from=$mark
}

unexpect_warning() {
	log=$(dmesg | sed "1,/$expected_from/d")
	lines=$(log_since)
	echo "$level $rest" >/proc/sys/kernel/printk
	echo "$ignores" >/sys/module/printk/parameters/ignore_loglevel
	echo "$panics" >/proc/sys/kernel/panic_on_warn
	expect_log_end
}

load_both() {
	load chunk=$((4096 * PAGE)) window=$((8192 * PAGE))
	"$TRY" insmod "$CLIENT_KO" >/dev/null || bail "insmod $CLIENT_KO"
}

# A result of the client's is one of ours.
replay() {
	while read -r word text; do
		case $word in
		'#') echo "# $text" ;;
		ok) pass "$1" ;;
		skip) pass "$1 # SKIP ${text##*: }" ;;
		not) fail "$1" ;;
		esac
	done </tmp/lost-report
}

harmless() {
	load_both
	cat "$CLIENT/lost/harmless" >/tmp/lost-report
	replay "what the kernel's other calls make of the pool's addresses"
	is 'verify after them' "$(cut -c 1-3 "$PMM/verify")" 'ok '
	"$TRY" rmmod pocketmm_client >/dev/null
	unload
}

# What the pool's commands hold when the window goes is theirs to unload with.
hold() {
	must 'alloc order=3'
	must "vmalloc size=$((5 * PAGE)) user"
	must "ioremap phys=$DEVICE size=1024"
}

said() {
	is "$1: the kernel warns" "$(echo "$log" | grep -c 'WARNING: .*vunmap')" 1
	is "$1: and of nothing else" "$(echo "$log" | grep -cE 'BUG|WARNING|Oops')" 1
	isnt "$1: and names the culprit" "$(echo "$log" | grep -v pocketmm: | grep -c " lost_by+0x.* \[pocketmm_client\]")" 0
	is "$1: the pool says so once" "$(echo "$lines" | grep -c '^the window is lost: ')" 1
}

commands_refused() {
	cmd "vmalloc size=$PAGE"
	is "$1: a command is refused" "$out" 'error ENXIO the window is lost: the kernel log has more'
	cmd "fill area=1 seed=1"
	is "$1: so is one that writes to an area" "$out" 'error ENXIO the window is lost: the kernel log has more'
	is "$1: mem cannot be read" "$(dd if="$PMM/mem" bs=1 count=1 2>&1 | grep -c 'No such device')" 1
	is "$1: verify" "$(cat "$PMM/verify")" 'corrupt: the window is lost: the kernel has freed it'
}

goes_home() {
	log_mark
	is "$1: the client unloads" "$("$TRY" rmmod pocketmm_client)" ok
	is "$1: the pool unloads" "$("$TRY" rmmod pocketmm)" ok
	is "$1: all its pages go home" "$(log_since | grep -c "^unloaded, 4096 pages are the kernel's again")" 1
}

by() {
	load_both
	hold
	expect_warning
	cat "$CLIENT/lost/$1" >/tmp/lost-report
	unexpect_warning
	replay "$1"
	said "$1"
	expect_log_begin
	commands_refused "$1"
	goes_home "$1"
	expect_log_end
}

# The pool is asked for nothing between the loss and its unloading.
unnoticed() {
	load_both
	hold
	expect_warning
	cat "$CLIENT/lost/unload" >/tmp/lost-report
	goes_home unnoticed
	unexpect_warning
	replay 'a loss that nobody noticed'
	is 'unnoticed: the kernel warns' "$(echo "$log" | grep -c 'WARNING: .*vunmap')" 1
	is 'unnoticed: unloading does' "$(echo "$log" | grep -c 'pocketmm: the window is lost: ')" 1
}

[ -e "$CLIENT_KO" ] || skip_all "no $CLIENT_KO"
plan 68
harmless
for call in vfree kvfree vunmap iounmap; do
	by $call
done
# The kernel forgets its own record of the window then, 96 bytes, which would count as a leak.
if [ -e /sys/kernel/debug/kmemleak ]; then
	skips 12 vm_unmap_ram "kmemleak would tell of the kernel's record of the area"
else
	by vm_unmap_ram
fi
unnoticed
finish

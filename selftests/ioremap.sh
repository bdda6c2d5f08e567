#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# ioremap: reads a real device, the HPET or a PL031 clock, and compares it with what the
# kernel knows of it; refuses RAM and impossible ranges; the last address is inclusive.
#
# with --switches only: era=2.4 search=linear purge=eager

. ./lib.sh

# register OFFSET: 32 bits of the area at offset 0, as a number.  All kernels read eight bytes at a time if these are
# aligned; fewer are single bytes to some, which a device need not understand.
register() {
	hex=$("$TRY" pread $PMM/mem $(($1 & ~7)) 8)
	case $hex in
	????????????????' ok 8') ;;
	*) bail "register $1: $hex" ;;
	esac
	hex=${hex%% *}
	[ $(($1 & 4)) = 0 ] && hex=${hex%????????} || hex=${hex#????????}
	b3=${hex#??????} b2=${hex#????} b1=${hex#??}
	echo $((0x$b3${b2%%??}${b1%%????}${hex%??????}))
}

# The HPET's general capabilities: revision, number of comparators, 64-bit, vendor; and the period in femtoseconds.
capabilities() {
	low=$(register 0)
	period=$(register 4)
	note "capabilities $low, period $period fs"
	is 'vendor' "$(printf '%#x' $((low >> 16)))" 0x8086
	known=$(dmesg | sed -n 's/.*hpet0: \([0-9]*\) comparators, \([0-9]*\)-bit \([0-9.]*\) MHz counter.*/\1 \2 \3/p')
	is 'as the kernel sees it' \
		"$(((low >> 8 & 31) + 1)) $((low >> 13 & 1 ? 64 : 32)) $((1000000000 / period)).000000" "$known"
}

# Its main counter at 0xf0 runs, as it would for the kernel.
counter() {
	first=$(register 240)
	sleep 1
	second=$(register 240)
	ticks=$(((second - first) & 0xffffffff))
	within 'the counter counts, in milliseconds' $((ticks * (period / 1000) / 1000000000)) 900 60000
}

# What every PrimeCell has in its last registers: its part, 0x31, its designer, ARM, and their mark.
clock_identity() {
	is 'the part' "$(register 4064) $(register 4068)" "$((0x31)) $((0x10))"
	is 'a PrimeCell' "$(register 4080) $(register 4084) $(register 4088) $(register 4092)" '13 240 5 177'
}

# Seconds at 0.
clock_counter() {
	first=$(register 0)
	sleep 3
	within 'the clock runs, in seconds' $(($(register 0) - first)) 2 60
}

behind() {
	is 'what lies behind the registers reads as something' "$("$TRY" pread $PMM/mem 1024 4 | sed 's/.* //')" 4
	is 'the guard page reads as zeros' "$("$TRY" pread $PMM/mem "$PAGE" 4)" '00000000 ok 4'
}

listed() {
	matches 'vmallocinfo has the physical address' "$(cat $PMM/vmallocinfo)" "0x.* $((2 * PAGE)) .* phys=0x0*${DEVICE#0x} ioremap"
	is 'window has the kind' "$(head -n 1 $PMM/window)" "0 $((2 * PAGE)) area ioremap pages=1"
	matches 'verify has looked at the entry' "$(cat $PMM/verify)" 'ok .* areas=1 mapped=1'
}

# A device is neither filled nor compared, it has no pages, and it is given back by its own call.
not_memory() {
	for command in 'fill area=1 seed=1' 'check area=1 seed=1' 'pages area=1' 'vfree area=1' 'vunmap area=1'; do
		cmd "$command"
		matches "$command of a device" "$out" 'error EINVAL .*'
	done
	must 'iounmap area=1'
	home
	is 'the window is empty' "$(cat $PMM/window)" "0 $(stat_of window_bytes) hole"
	cmd 'iounmap area=1'
	matches 'iounmap twice' "$out" 'error ENOENT .*'
}

# maps PHYS SIZE OFFSET BYTES
maps() {
	must "ioremap phys=$1 size=$2"
	is "phys=$1 size=$2" "$(value offset) $(value size)" "$3 $4"
	must "iounmap area=$(value area)"
	home
}

alignments() {
	maps "$(printf '%#x' $((DEVICE + 240)))" 8 240 "$PAGE"
	maps $((DEVICE + 240)) 1 240 "$PAGE"
	maps $DEVICE $((PAGE - 1)) 0 "$PAGE"
	maps $DEVICE "$PAGE" 0 "$PAGE"
	maps $DEVICE $((PAGE + 1)) 0 $((2 * PAGE))
	maps $((DEVICE + PAGE - 1)) 1 $((PAGE - 1)) "$PAGE"
	maps $((DEVICE + PAGE - 1)) 2 $((PAGE - 1)) $((2 * PAGE))
	maps $EMPTY $((16 * PAGE)) 0 $((16 * PAGE))
}

# refused PHYS SIZE ERRNO
refused() {
	cmd "ioremap phys=$1 size=$2"
	matches "phys=$1 size=$2" "$out" "error $3 .*"
	is "phys=$1 size=$2 leaves no area" "$(stat_of areas)" 0
}

# On a PC the kernel's RAM begins behind the hole for old devices.
refusals() {
	refused $RAM "$PAGE" EPERM
	refused $((RAM + 1)) 1 EPERM
	refused $((RAM_BEGINS + 0xfffff)) 1 EPERM
	refused $((RAM_BEGINS - 65536)) 65537 EPERM
	refused $((RAM_BEGINS - 1)) 2 EPERM
	refused $((RAM + 0x7000000)) 1M EPERM
	refused 0 4G EPERM
	refused $DEVICE 0 EINVAL
	refused 0xffffffffffffffff 2 EINVAL
	refused "$LAST_PAGE" $((PAGE + 1)) EINVAL
	refused 0xffffffffffffffff 1 EINVAL
	refused "$LAST_PAGE" "$PAGE" EINVAL
	refused 0x10000000000000 "$PAGE" EINVAL
	refused $DEVICE 18446744073709551615 EINVAL
	refused $EMPTY $((4608 * PAGE)) ENOSPC
}

grep -q "$DEVICE_IN_IOMEM" /proc/iomem || skip_all 'no HPET on this machine, or PL031'
plan 54
load chunk=$((1024 * PAGE))
expect_log_begin
must "ioremap phys=$DEVICE size=$PAGE"
is 'the area' "$out" "ok area=1 offset=0 size=$PAGE pages=1"
if [ $DEVICE = 0xfed00000 ]; then
	capabilities
	counter
else
	clock_identity
	clock_counter
fi
behind
listed
not_memory
expect_log_end
alignments
refusals
unload
finish

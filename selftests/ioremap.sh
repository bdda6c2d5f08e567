#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# ioremap: reads a real device, the HPET, and compares it with what the kernel
# knows of it; refuses RAM and impossible ranges; the last address is inclusive.
#
# with --switches only: era=2.4 search=linear purge=eager

. ./lib.sh

readonly HPET=0xfed00000

# register OFFSET: 32 bits of the area at offset 0, as a number.
register() {
	hex=$("$TRY" pread $PMM/mem "$1" 4)
	case $hex in
	????????' ok 4') ;;
	*) bail "register $1: $hex" ;;
	esac
	hex=${hex%% *}
	b3=${hex#??????} b2=${hex#????} b1=${hex#??}
	echo $((0x$b3${b2%%??}${b1%%????}${hex%??????}))
}

# The general capabilities: revision, number of comparators, 64-bit, vendor; and the period in femtoseconds.
capabilities() {
	must "ioremap phys=$HPET size=1024"
	is 'the area' "$out" 'ok area=1 offset=0 size=4096 pages=1'
	low=$(register 0)
	period=$(register 4)
	note "capabilities $low, period $period fs"
	is 'vendor' "$(printf '%#x' $((low >> 16)))" 0x8086
	known=$(dmesg | sed -n 's/.*hpet0: \([0-9]*\) comparators, \([0-9]*\)-bit \([0-9.]*\) MHz counter.*/\1 \2 \3/p')
	is 'as the kernel sees it' \
		"$(((low >> 8 & 31) + 1)) $((low >> 13 & 1 ? 64 : 32)) $((1000000000 / period)).000000" "$known"
}

# The main counter at 0xf0 runs, as it would for the kernel.
counter() {
	first=$(register 240)
	sleep 1
	second=$(register 240)
	ticks=$(((second - first) & 0xffffffff))
	within 'the counter counts, in milliseconds' $((ticks * (period / 1000) / 1000000000)) 900 60000
	is 'what lies behind the registers reads as something' "$("$TRY" pread $PMM/mem 1024 4 | sed 's/.* //')" 4
	is 'the guard page reads as zeros' "$("$TRY" pread $PMM/mem 4096 4)" '00000000 ok 4'
}

listed() {
	matches 'vmallocinfo has the physical address' "$(cat $PMM/vmallocinfo)" '0x.* 8192 .* phys=0x0*fed00000 ioremap'
	is 'window has the kind' "$(head -n 1 $PMM/window)" '0 8192 area ioremap pages=1'
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
	maps 0xfed000f0 8 240 4096
	maps 4275044592 1 240 4096
	maps 0xfed00000 4095 0 4096
	maps 0xfed00000 4096 0 4096
	maps 0xfed00000 4097 0 8192
	maps 0xfed00fff 1 4095 4096
	maps 0xfed00fff 2 4095 8192
	maps 0xfed00000 64K 0 65536
}

# refused PHYS SIZE ERRNO
refused() {
	cmd "ioremap phys=$1 size=$2"
	matches "phys=$1 size=$2" "$out" "error $3 .*"
	is "phys=$1 size=$2 leaves no area" "$(stat_of areas)" 0
}

# 0x100000 is where the kernel's RAM begins behind the hole for old devices.
refusals() {
	refused 0x1000000 4096 EPERM
	refused 0x1000001 1 EPERM
	refused 0x1fffff 1 EPERM
	refused 0xf0000 65537 EPERM
	refused 0xfffff 2 EPERM
	refused 0x8000000 1M EPERM
	refused 0 4G EPERM
	refused $HPET 0 EINVAL
	refused 0xffffffffffffffff 2 EINVAL
	refused 0xfffffffffffff000 4097 EINVAL
	refused 0xffffffffffffffff 1 EINVAL
	refused 0xfffffffffffff000 4096 EINVAL
	refused 0x10000000000000 4096 EINVAL
	refused 0xfed00000 18446744073709551615 EINVAL
	refused 0xfed00000 18M ENOSPC
}

grep -q 'fed00000-fed003ff : HPET' /proc/iomem || skip_all 'no HPET on this machine'
plan 54
load chunk=4M
expect_log_begin
capabilities
counter
listed
not_memory
expect_log_end
alignments
refusals
unload
finish

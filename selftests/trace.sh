#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The tracepoints: each with its fields and its text, in the order in which
# things happen; none while they are off; enabled and disabled in the midst of
# it all; and a module that goes while they are on.
#
# not with --switches: each era is loaded here by its name

. ./lib.sh

T=/sys/kernel/tracing
EVENTS='alloc coalesce flush free map misuse pcp_drain pcp_refill purge recycle split split_page vfree vmalloc'

on() {
	echo >"$T/trace"
	echo 1 >"$T/events/pocketmm/enable"
}

off() {
	echo 0 >"$T/events/pocketmm/enable"
}

# The events, each as its name and its fields.
events() {
	sed -n 's/^ .* \([a-z_]*: .*\)$/\1/p' "$T/trace"
}

# Without what differs from boot to boot.
told() {
	events | sed 's/ pfn=0x[0-9a-f]*//; s/ gfp_flags=[^ ]*//; s/ caller=.*//'
}

# told_is NAME, and what is expected on standard input.
told_is() {
	is "$1" "$(told)" "$(cat)"
}

fields() {
	grep -o 'field:[^;]*' "$T/events/pocketmm/$1/format" | sed 's/.* //' | grep -v ^common_ | paste -sd' '
}

formats() {
	is 'the events' "$(find "$T/events/pocketmm" -mindepth 1 -type d | sed 's/.*\///' | sort | paste -sd' ')" "$EVENTS"
	while read -r event want; do
		is "fields of $event" "$(fields "$event")" "$want"
	done <<-END
	alloc page pfn order area from gfp_flags caller
	free page pfn order area to caller
	split page order kept
	coalesce page order buddy
	recycle page order
	vmalloc offset size type pages huge caller
	map offset page nr
	vfree offset size lazy
	purge offset size
	flush reason bytes
	misuse area at order reason caller
	END
}

pages_of_2_4() {
	load chunk=$((16 * PAGE)) era=2.4
	on
	must 'alloc order=2'
	must 'alloc order=0'
	must 'free block=1'
	must 'free block=2'
	told_is 'era=2.4: alloc and free' <<-END
	split: page=0 order=4 kept=0
	split: page=8 order=3 kept=8
	alloc: page=12 order=2 kind=page from=zone
	split: page=8 order=2 kept=8
	split: page=10 order=1 kept=10
	alloc: page=11 order=0 kind=page from=zone
	free: page=12 order=2 kind=page to=zone
	free: page=11 order=0 kind=page to=zone
	coalesce: page=11 order=0 buddy=10
	coalesce: page=10 order=1 buddy=8
	coalesce: page=8 order=2 buddy=12
	coalesce: page=8 order=3 buddy=0
	END
	matches 'who asked for what' "$(events | grep '^alloc: page=12 ')" \
		'alloc: page=12 pfn=0x[0-9a-f]+ order=2 kind=page from=zone gfp_flags=GFP_KERNEL caller=pmm_cmd_alloc\+0x[0-9a-f]+/0x[0-9a-f]+ \[pocketmm\]'
	on
	expect_log_begin
	cmd 'alloc order=9'
	cmd 'free page=3 order=0'
	cmd "vfree offset=$PAGE"
	expect_log_end
	told_is 'failure and misuse' <<-END
	alloc: page=-1 order=9 kind=page from=none
	misuse: what=block at=3 order=0 reason=double_free
	misuse: what=area at=$PAGE order=0 reason=nonexistent_area
	END
	areas_of_2_4
	unload
}

areas_of_2_4() {
	on
	must "vmalloc size=$((2 * PAGE))"
	must 'vfree area=1'
	told_is 'era=2.4: vmalloc and vfree' <<-END
	split: page=0 order=4 kept=0
	split: page=8 order=3 kept=8
	split: page=12 order=2 kept=12
	split: page=14 order=1 kept=14
	alloc: page=15 order=0 kind=area from=zone
	alloc: page=14 order=0 kind=area from=zone
	vmalloc: offset=0 size=$((3 * PAGE)) type=vmalloc pages=2 huge=0
	map: offset=0 page=15 nr=1
	map: offset=$PAGE page=14 nr=1
	flush: reason=eager bytes=$((3 * PAGE))
	free: page=15 order=0 kind=area to=zone
	free: page=14 order=0 kind=area to=zone
	coalesce: page=14 order=0 buddy=15
	coalesce: page=14 order=1 buddy=12
	coalesce: page=12 order=2 buddy=8
	coalesce: page=8 order=3 buddy=0
	vfree: offset=0 size=$((3 * PAGE)) lazy=0
	END
}

parked() {
	load chunk=$((16 * PAGE)) era=2.4
	must 'alloc order=4'
	must 'vmap block=1'
	on
	must 'free block=1'
	must 'vunmap area=1'
	must drain
	told_is 'a block that is mapped' <<-END
	free: page=0 order=4 kind=page to=parked
	flush: reason=eager bytes=$((17 * PAGE))
	recycle: page=0 order=4
	vfree: offset=0 size=$((17 * PAGE)) lazy=0
	END
	unload
}

per_cpu_and_lazy() {
	load chunk=$((512 * PAGE)) era=modern
	on
	must 'alloc order=1'
	must 'free block=1'
	must drain
	told_is 'era=modern: a per-CPU list' <<-END
	split: page=0 order=9 kept=256
	split: page=0 order=8 kept=128
	split: page=0 order=7 kept=64
	split: page=0 order=6 kept=32
	split: page=0 order=5 kept=16
	split: page=0 order=4 kept=8
	split: page=0 order=3 kept=4
	split: page=0 order=2 kept=2
	pcp_refill: page=0 order=1
	alloc: page=0 order=1 kind=page from=pcp
	free: page=0 order=1 kind=page to=pcp
	pcp_drain: page=0 order=1
	coalesce: page=0 order=1 buddy=2
	coalesce: page=0 order=2 buddy=4
	coalesce: page=0 order=3 buddy=8
	coalesce: page=0 order=4 buddy=16
	coalesce: page=0 order=5 buddy=32
	coalesce: page=0 order=6 buddy=64
	coalesce: page=0 order=7 buddy=128
	coalesce: page=0 order=8 buddy=256
	END
	on
	must "ioremap phys=$DEVICE size=$PAGE"
	must 'iounmap area=1'
	must purge
	told_is 'era=modern: an area that waits' <<-END
	vmalloc: offset=0 size=$((2 * PAGE)) type=ioremap pages=1 huge=0
	vfree: offset=0 size=$((2 * PAGE)) lazy=1
	flush: reason=lazy bytes=$((2 * PAGE))
	purge: offset=0 size=$((2 * PAGE))
	END
	large_area
	unload
}

large_area() {
	on
	must "vmalloc size=$((512 * PAGE))"
	if ! leaves; then
		skips 1 'era=modern: a largest block by one entry' 'a table has more pages than a block'
	else
		is 'era=modern: a largest block by one entry' "$(told | grep -v '^[cf]')" "alloc: page=0 order=9 kind=area from=zone
split_page: page=0 order=9
vmalloc: offset=0 size=$((513 * PAGE)) type=vmalloc pages=512 huge=1
map: offset=0 page=0 nr=512"
	fi
	must 'vfree area=2'
	must purge
	is 'era=modern: it comes back page by page, and coalesces' "$(told | grep -c ^free:) $(told | grep -c ^coalesce:)" '512 511'
}

# With tracing off, no event appears; and the module behaves the same with tracing on or off.
on_and_off() {
	load chunk=$((2048 * PAGE))
	off
	echo >"$T/trace"
	must 'alloc order=0 count=100'
	must "vmalloc size=$((25 * PAGE))"
	is 'off: nothing is told' "$(told)" ''
	must reset
	must purge
	must drain
	before=$(cat "$PMM/freelist")
	for _ in 1 2 3 4 5; do
		on
		must 'alloc order=0 count=50'
		off
		must "vmalloc size=$((75 * PAGE))"
		on
		must reset
		off
	done
	must purge
	must drain
	is 'on and off: all is free' "$(free_total)" 2048
	is 'on and off: as few and as large blocks' "$(tr ' ' '\n' <"$PMM/freelist" | wc -l)" "$(echo "$before" | tr ' ' '\n' | wc -l)"
	matches 'on and off: verify' "$(cat "$PMM/verify")" 'ok .*'
	unload
}

gone() {
	load chunk=$((256 * PAGE))
	on
	must 'alloc order=0'
	must reset
	is 'the module goes while events are on' "$("$TRY" rmmod pocketmm)" ok
	[ ! -d "$T/events/pocketmm" ]
	is 'and its events with it' "$?" 0
	load chunk=$((256 * PAGE))
	is 'it comes back with them off' "$(cat "$T/events/pocketmm/enable")" 0
	unload
}

[ -d $T ] && { [ -e $T/trace ] || mount -t tracefs none $T 2>/dev/null; }
[ -e $T/trace ] || skip_all 'no tracefs'
echo global >$T/trace_clock
plan 28
load chunk=$((16 * PAGE))
formats
unload
pages_of_2_4
parked
per_cpu_and_lazy
on_and_off
gone
echo local >$T/trace_clock
finish

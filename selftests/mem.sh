#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The file 'mem': reading, writing and seeking in the window, across areas,
# guard pages, holes and its end, with odd offsets and lengths.  (A C program
# tests mmap.)
#
# The window is of 64 pages: area 1 has pages 0-1, its guard page is 2; area 2
# had pages 3-4 and is freed; area 3 has page 6.
#
# with --switches only: era=2.4 search=linear purge=eager poison=1

. ./lib.sh

readonly MEM=$PMM/mem END=$((64 * PAGE))

set_up() {
	load chunk=$((256 * PAGE)) window=$((64 * PAGE))
	must "vmalloc size=$((2 * PAGE)) zero"
	must "vmalloc size=$((2 * PAGE)) zero"
	must "vmalloc size=$PAGE zero"
	must 'vfree area=2'
	text=$(seq -s, 1000 9999)
	printf %s "$text" | head -c $((2 * PAGE)) >/tmp/page01
	seq 5000 9999 | head -c "$PAGE" >/tmp/page6
	cat /tmp/page01 /dev/zero | head -c $((6 * PAGE)) | cat - /tmp/page6 /dev/zero | head -c $END >/tmp/window
}

# puts FILE OFFSET RESULT
puts() {
	is "write of $1 at $2" "$("$TRY" pwrite $MEM "$2" <"$1")" "$3"
}

# same NAME: the window is as the file /tmp/window says, to the last byte.
same() {
	cat $MEM >/tmp/got
	is "$1" "$(cmp /tmp/got /tmp/window 2>&1) $(wc -c </tmp/got)" " $END"
}

whole() {
	is 'all zeros at first' "$(tr -d '\000' <$MEM | wc -c) $(wc -c <$MEM)" "0 $END"
	puts /tmp/page01 0 "ok $((2 * PAGE))"
	puts /tmp/page6 $((6 * PAGE)) "ok $PAGE"
	same 'areas, guard pages and holes'
}

# reads OFFSET LENGTH WANT: the bytes are those of the file, and as many as wanted.
reads() {
	dd if=/tmp/window bs=1 skip="$1" count="$2" 2>/dev/null >/tmp/want
	want=$(od -An -v -tx1 /tmp/want | tr -d ' \n')
	is "$2 bytes at $1" "$("$TRY" pread $MEM "$1" "$2")" "${want:+$want }ok $3"
}

odd_reads() {
	reads 0 1 1
	reads 1 7 7
	reads $((PAGE - 3)) 7 7
	reads $((PAGE - 1)) 2 2
	reads $((2 * PAGE - 3)) 5 5
	reads $((2 * PAGE - 1)) 1 1
	reads $((2 * PAGE)) 3 3
	reads $((3 * PAGE - 3)) 9 9
	reads $((6 * PAGE - 5)) 11 11
	reads $((7 * PAGE - 3)) 13 13
	reads $((2 * PAGE - 192)) 300 300
	reads $((END - 1)) 1 1
}

# Offsets past the end cannot be read or written; those before it can.
ends() {
	reads $((END - 3)) 100 3
	reads $END 1 0
	reads $((END + 1)) 1 0
	reads 4294967296 1 0
	reads 9223372036854775806 1 0
	is 'nothing at 0' "$("$TRY" pread $MEM 0 0)" 'ok 0'
	is 'before the start' "$("$TRY" pread $MEM -1 1)" EINVAL
	printf x >/tmp/x
	puts /tmp/x $END ENOSPC
	puts /tmp/x 9223372036854775806 ENOSPC
	puts /tmp/x -1 EINVAL
	printf abc >/tmp/x
	puts /tmp/x $((END - 2)) 'ok 2'
	same 'nothing has changed'
}

# patch OFFSET TEXT: what a write leaves in pages 0, 1 and 6.
patch() {
	printf %s "$2" >/tmp/x
	puts /tmp/x "$1" "ok ${#2}"
	printf %s "$2" | dd of=/tmp/window bs=1 seek="$1" conv=notrunc 2>/dev/null
}

odd_writes() {
	patch 0 a
	patch 1 bcd
	patch $((PAGE - 5)) 'across a page'
	patch $((2 * PAGE - 2)) zz
	patch $((7 * PAGE - 1)) z
	same 'odd writes'
	printf 'guard pages swallow' >/tmp/x
	puts /tmp/x $((2 * PAGE)) 'ok 19'
	puts /tmp/x $((3 * PAGE)) 'ok 19'
	puts /tmp/x $((7 * PAGE)) 'ok 19'
	puts /tmp/x $((49 * PAGE - 704)) 'ok 19'
	same 'guard pages and holes swallow'
}

# One write over area, guard page, hole and area: the areas get their part.
wide_write() {
	yes 0123456789abcde | head -c $((8 * PAGE)) >/tmp/x
	puts /tmp/x 0 "ok $((8 * PAGE))"
	{
		head -c $((2 * PAGE)) /tmp/x
		head -c $((4 * PAGE)) /dev/zero
		head -c "$PAGE" /tmp/x
		head -c $((57 * PAGE)) /dev/zero
	} >/tmp/window
	same 'a write over everything'
}

seeks() {
	is 'seek to the end' "$("$TRY" seek $MEM 0 end)" "ok $END"
	is 'seek from the end' "$("$TRY" seek $MEM "-$PAGE" end)" "ok $((END - PAGE))"
	is 'seek to a hole' "$("$TRY" seek $MEM $((5 * PAGE - 480)) set)" "ok $((5 * PAGE - 480))"
	is 'seek behind the end' "$("$TRY" seek $MEM $((END + 1)) set)" EINVAL
	is 'seek before the start' "$("$TRY" seek $MEM -1 set)" EINVAL
	is 'read after a seek' "$(dd if=$MEM bs="$PAGE" skip=6 count=1 2>/dev/null | cmp - /tmp/window6 2>&1)" ''
}

# A freed area reads as zeros at once, and comes back with other pages.
after_vfree() {
	must 'vfree area=1'
	reads_zero 'a freed area' 0 $((2 * PAGE))
	home
	must "vmalloc size=$PAGE zero"
	reads_zero 'a new area' 0 "$PAGE"
	must 'vfree area=3'
	must 'vfree area=4'
	reads_zero 'an empty window' 0 $END
	is 'and as much of it' "$(wc -c <$MEM)" $END
}

# reads_zero NAME OFFSET LENGTH
reads_zero() {
	is "$1 reads as zeros" "$(dd if=$MEM bs="$PAGE" skip=$(($2 / PAGE)) count=$(($3 / PAGE)) 2>/dev/null | tr -d '\000' | wc -c)" 0
}

plan 51
set_up
whole
odd_reads
ends
odd_writes
wide_write
dd if=/tmp/window bs="$PAGE" skip=6 count=1 2>/dev/null >/tmp/window6
seeks
after_vfree
unload
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What the next owner of a page finds in it: with init_on_alloc=1 or init_on_free=1,
# for which the kernel was booted, nothing; else what the last one left, unless
# it asks for zeroes.

# shellcheck source=../lib.sh
. ./lib.sh

nonzero() {
	tr -d '\000' <"$PMM/mem" | wc -c
}

# inherits NAME PARAMETER...: an area takes the pages of one that was filled.
inherits() {
	name=$1
	shift
	load chunk=$((256 * PAGE)) window=$((512 * PAGE)) "$@"
	must "vmalloc size=$((200 * PAGE))"
	must "fill area=$(value area) seed=7"
	within "$name: what was filled, bytes" "$(nonzero)" $((190 * PAGE)) $((200 * PAGE))
	must reset
	for pages in 1 40 200; do
		must "vmalloc size=$((pages * PAGE))"
		found=$(nonzero)
		case $cleared in
		yes) is "$name: nothing is left in an area of $pages" "$found" 0 ;;
		no) within "$name: all is left in an area of $pages, bytes" "$found" $((pages * PAGE * 9 / 10)) $((pages * PAGE)) ;;
		esac
		must reset
	done
	must 'vmalloc size=1M user'
	is "$name: nothing is left where zeroes are asked for" "$(nonzero)" 0
	must reset
	is "$name: verify" "$(cut -c 1-3 "$PMM/verify")" 'ok '
	unload
}

cleared=no
! grep -qE 'init_on_(alloc|free)=1' /proc/cmdline || cleared=yes
plan 24
inherits 'modern'
inherits 'no per-CPU lists' pcp=0
inherits 'packed' placement=packed
inherits '2.4' era=2.4
finish

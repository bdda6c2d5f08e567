#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# unusable_index and extfrag_index, worked out once more from buddyinfo; mappings,
# from what each area was given; page_owner, for the kernel's page_owner_sort.
#
# not with --switches: free blocks, areas and owners are reported alike in each

. ./lib.sh

SORT=./page_owner_sort

# expected INDEX: one of the files, from buddyinfo, in thousandths and by mm/vmstat.c's definitions.
expected() {
	awk -v want="$1" '{
		for (o = 0; o < 10; o++) {
			size[o] = o ? 2 * size[o - 1] : 1
			nr[o] = $(5 + o); pages += nr[o] * size[o]; blocks += nr[o]
		}
		printf "%s", substr($0, 1, 22)
		for (o = 0; o < 10; o++) {
			suitable = 0
			for (i = o; i < 10; i++) suitable += nr[i] * size[i - o]
			if (want == "unusable") {
				x = pages ? int((pages - suitable * size[o]) * 1000 / pages) : 1000
				printf "%d.%03d ", int(x / 1000), x % 1000
				continue
			}
			if (!blocks) x = 0
			else if (suitable) x = -1000
			else x = 1000 - int((1000 + int(pages * 1000 / size[o])) / blocks)
			printf "%2d.%03d ", int(x / 1000), x % 1000
		}
		print ""
	}' "$PMM/buddyinfo"
}

indices() {
	is "unusable_index: $1" "$(cat "$PMM/unusable_index")" "$(expected unusable)"
	is "extfrag_index: $1" "$(cat "$PMM/extfrag_index")" "$(expected extfrag)"
}

fragmentation() {
	load chunk=$((256 * PAGE)) pcp=0
	indices 'all is free'
	must 'alloc order=0 count=256'
	indices 'nothing is free'
	is 'nothing is free: unusable' "$(awk '{ print $5 }' "$PMM/unusable_index")" 1.000
	seq 1 2 255 | sed 's/^/free block=/' | many
	indices 'every other page is free'
	matches 'every other page: order 1 fails of fragmentation' "$(cat "$PMM/extfrag_index")" '.* -1\.000  0\.(49|50).*'
	must 'free block=2'
	must 'free block=100'
	must 'free block=102'
	must 'free block=104'
	indices 'a few larger blocks'
	must reset
	unload
}

# pages_of OFFSET: the pages in mappings, one per line.
pages_of() {
	sed -n "s/^$1: //p" "$PMM/mappings" | tr ' ' '\n' | awk -F+ '{ for (i = 0; i < $2; i++) print $1 + i }'
}

# An area by its number in $out: its pages by mappings and by the command.
agrees() {
	offset=$(value offset) area=$(value area)
	must "pages area=$area"
	is "mappings: $1" "$(pages_of "$offset" | paste -sd, -)" "$(value pages)"
}

mappings() {
	load chunk=$((1024 * PAGE)) window=$((2048 * PAGE))
	is 'mappings: empty' "$(cat "$PMM/mappings")" ''
	must "vmalloc size=$((10 * PAGE - 960))"
	agrees 'vmalloc'
	must 'alloc order=3'
	must 'alloc order=0'
	must 'vmap block=1,2'
	agrees 'vmap'
	must "vmalloc size=$((512 * PAGE))"
	agrees 'vmalloc of 512 pages'
	must "ioremap phys=$DEVICE size=1024"
	is 'mappings: of a device there are none' "$(grep "^$(value offset):" "$PMM/mappings")" "$(value offset):"
	is 'mappings: the areas of window' "$(cut -d: -f 1 "$PMM/mappings")" "$(sed -n 's/ .* area .*//p' "$PMM/window")"
	must 'vfree area=1'
	is 'mappings: what is freed is gone' "$(cut -d: -f 1 "$PMM/mappings")" "$(sed -n 's/ .* area .*//p' "$PMM/window")"
	must reset
	unload
}

# With owner=1; without, there is nothing to tell.
page_owner() {
	load chunk=$((256 * PAGE)) owner=0
	must 'alloc order=0'
	is 'page_owner: empty without owner=1' "$(cat "$PMM/page_owner")" ''
	must reset
	unload
	load chunk=$((256 * PAGE)) owner=1 pcp=0
	must 'alloc order=3'
	must 'alloc order=0 count=5'
	must "vmalloc size=$((3 * PAGE))"
	is 'page_owner: a record a block' "$(grep -c '^Page allocated via order' "$PMM/page_owner")" 9
	matches 'page_owner: its first line' "$(grep '^Page allocated' "$PMM/page_owner" | grep -v 'order 0')" \
		'Page allocated via order 3, mask 0x[0-9a-f]+\(GFP_KERNEL\), pid [0-9]+, tgid [0-9]+ \([a-z.-]+\), ts [1-9][0-9]* ns'
	matches 'page_owner: its second' "$(grep '^PFN' "$PMM/page_owner")" 'PFN 0x[0-9a-f]+ page [0-9]+ (area|page)'
	isnt 'page_owner: stacks' "$(grep -c '^ pmm_cmd_alloc+0x' "$PMM/page_owner")" 0
	cat "$PMM/page_owner" >/tmp/owners
	is 'page_owner_sort reads it' "$("$SORT" /tmp/owners /tmp/sorted >/tmp/sort.log 2>&1; echo $?)" 0
	is 'page_owner_sort: who has most' "$(grep -m 1 'times, ' /tmp/sorted)" '5 times, 5 pages, allocated by OTHERS :'
	is 'page_owner_sort: all of them' "$(sed -n 's/^\([0-9]*\) times.*/\1/p' /tmp/sorted | awk '{ n += $1 } END { print n }')" 9
	must reset
	is 'page_owner: nothing is in use' "$(cat "$PMM/page_owner")" ''
	unload
}

[ -x "$SORT" ] || skip_all "no $SORT"
plan 26
fragmentation
mappings
page_owner
finish

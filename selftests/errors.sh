#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What `command` refuses: a table of bad inputs, each with the errno that write
# returns and that `result` names, and proof that nothing has changed; the rules
# of a write; and what the log says of misuse.
#
# with --switches only: era=2.4 era=2.6 pcp=0 purge=eager poison=1

. ./lib.sh

# Blocks: 1 is $page, mapped by area 2; 2 is $block of order 3; 3 was $freed and is free.  Page 0 is in a free
# block of order 9.
# Areas: 1 of vmalloc at 0, pages $mapped and $mapped2; 2 of vmap at page 3 of the window; 3 the device at 5;
# 4 was at 7 and is freed.
set_up() {
	load chunk=$((1024 * PAGE)) window=$((256 * PAGE)) placement=lifo
	must 'alloc order=0'
	page=$(value page)
	must 'alloc order=3'
	block=$(value page)
	must 'alloc order=0'
	must 'free block=3'
	must "vmalloc size=$((2 * PAGE))"
	must 'pages area=1'
	mapped=$(value pages)
	mapped2=${mapped#*,} mapped=${mapped%,*}
	must 'vmap block=1'
	must "ioremap phys=$DEVICE size=1024"
	must "vmalloc size=$PAGE"
	must 'vfree area=4'
	before=$(state)
}

# refused NAME ERRNO: of what was written; the errno of write, its name in `result`, and the state.
refused() {
	while read -r reply; do
		last_reply=$reply
	done <$PMM/result
	said=${last_reply##* -> error }
	after=$(state)
	if [ "$wrote" = "$2" ] && [ "${said%% *}" = "$2" ] && [ "$after" = "$before" ]; then
		pass "$1: $2"
		return
	fi
	fail "$1: $2"
	note "expected: $2 from write, the same from result, and nothing changed"
	note "     got: $wrote from write, '$said' from result"
	[ "$after" = "$before" ] || note "changed: $(printf '%s\n' "$after" | grep -vxF "$before")"
}

# table: lines of 'ERRNO COMMAND', every fourth of them in a quick run.
table() {
	sample 4 >/tmp/rows
	while read -r errno command; do
		wrote=$("$TRY" write $PMM/command "$command")
		refused "'$command'" "$errno"
	done </tmp/rows
}

bad_commands() {
	table <<-END
	EINVAL frobnicate
	EINVAL ALLOC order=0
	EINVAL allocorder=0
	EINVAL =
	EINVAL order=0
	EINVAL purge purge
	EINVAL purge 1
	EINVAL reset all=1
	EINVAL drain=1
	EINVAL purge order=0
	EINVAL #
	END
}

bad_allocs() {
	table <<-END
	EINVAL alloc
	EINVAL alloc 0
	EINVAL alloc order
	EINVAL alloc order=
	EINVAL alloc order=0x
	EINVAL alloc order=x
	EINVAL alloc order=1x
	EINVAL alloc order=-1
	EINVAL alloc order=+1
	EINVAL alloc order=1,2
	EINVAL alloc order=1K
	EINVAL alloc order = 1
	EINVAL alloc order=1 order=1
	EINVAL alloc order=10
	EINVAL alloc order=4294967295
	ERANGE alloc order=4294967296
	ERANGE alloc order=18446744073709551616
	EINVAL alloc order=0 count=0
	EINVAL alloc order=0 count=
	EINVAL alloc order=0 count=-1
	EINVAL alloc order=0 count=1025
	EINVAL alloc order=0 count=18446744073709551615
	ERANGE alloc order=0 count=18446744073709551616
	ENOMEM alloc order=0 count=1024
	ENOMEM alloc order=9 count=2
	EINVAL alloc order=0 gfp=
	EINVAL alloc order=0 gfp
	EINVAL alloc order=0 gfp=nofs
	EINVAL alloc order=0 gfp=kernel,atomic
	EINVAL alloc order=0 gfp=kernel gfp=kernel
	EINVAL alloc order=0 zero=1
	EINVAL alloc order=0 zero zero
	EINVAL alloc order=0 user
	EINVAL alloc order=0 block=1
	EINVAL alloc order=0 rubbish
	EINVAL alloc order=0 rubbish=1
	EINVAL alloc count=1
	END
}

bad_frees() {
	table <<-END
	EINVAL free
	EINVAL free 1
	EINVAL free block=
	EINVAL free block=x
	EINVAL free block=1,
	EINVAL free block=1,2
	EINVAL free block=1 order=0
	EINVAL free block=1 page=$page
	EINVAL free page=$page
	EINVAL free order=0
	ENOENT free block=0
	ENOENT free block=3
	ENOENT free block=4
	ENOENT free block=18446744073709551615
	ERANGE free block=18446744073709551616
	EINVAL free page=0 order=9
	EINVAL free page=0 order=0
	EINVAL free page=1 order=0
	EINVAL free page=$((page ^ 512)) order=0
	EINVAL free page=$block order=2
	EINVAL free page=$block order=4
	EINVAL free page=$block order=0
	EINVAL free page=$((block + 1)) order=0
	EINVAL free page=$((block + 4)) order=2
	EINVAL free page=$page order=1
	EINVAL free page=$((block + 1)) order=1
	EINVAL free page=$block order=10
	EINVAL free page=$block order=4294967295
	ERANGE free page=$block order=4294967296
	EINVAL free page=1024 order=0
	EINVAL free page=4294967295 order=0
	ERANGE free page=4294967296 order=0
	ERANGE free page=18446744073709551615 order=0
	EINVAL free page=-1 order=0
	EBUSY free page=$mapped order=0
	EBUSY free page=$mapped2 order=0
	END
}

bad_areas() {
	table <<-END
	EINVAL vmalloc
	EINVAL vmalloc 4096
	EINVAL vmalloc size=
	EINVAL vmalloc size=0
	EINVAL vmalloc size=0K
	EINVAL vmalloc size=-1
	EINVAL vmalloc size=4KB
	EINVAL vmalloc size=$((1024 * PAGE + 1024))
	EINVAL vmalloc size=$PAGE size=$PAGE
	EINVAL vmalloc size=$PAGE order=0
	EINVAL vmalloc size=$PAGE gfp=atomic
	EINVAL vmalloc size=$PAGE user=1
	EINVAL vmalloc size=18446744073709551615
	EINVAL vmalloc size=$LAST_PAGE
	ERANGE vmalloc size=17179869184G
	ENOSPC vmalloc size=$((256 * PAGE))
	ENOSPC vmalloc size=$((1024 * PAGE))
	EINVAL vfree
	EINVAL vfree area=
	EINVAL vfree area=1 offset=0
	ENOENT vfree area=0
	ENOENT vfree area=4
	ENOENT vfree area=5
	EINVAL vfree area=2
	EINVAL vfree area=3
	EINVAL vfree offset=1
	EINVAL vfree offset=$((PAGE - 1))
	ENOENT vfree offset=$PAGE
	ENOENT vfree offset=$((2 * PAGE))
	EINVAL vfree offset=$((3 * PAGE))
	ENOENT vfree offset=$((7 * PAGE))
	ENOENT vfree offset=$((256 * PAGE))
	EINVAL vfree offset=18446744073709551615
	ENOENT vfree offset=$LAST_PAGE
	EINVAL vunmap
	EINVAL vunmap area=1
	EINVAL vunmap area=3
	EINVAL vunmap block=1
	EINVAL vunmap offset=$((3 * PAGE))
	ENOENT vunmap area=4
	END
}

bad_mappings() {
	table <<-END
	EINVAL vmap
	EINVAL vmap block=
	EINVAL vmap block=1,,2
	EINVAL vmap block=,1
	EINVAL vmap block=1;2
	EINVAL vmap block=1 block=2
	EINVAL vmap block=1 zero
	EINVAL vmap area=1
	ENOENT vmap block=3
	ENOENT vmap block=1,2,3
	EINVAL ioremap phys=$DEVICE
	EINVAL ioremap size=$PAGE
	EINVAL ioremap phys=$DEVICE size=0
	EINVAL ioremap phys=0xffffffffffffffff size=2
	EPERM ioremap phys=$RAM size=$PAGE
	EINVAL iounmap area=1
	EINVAL iounmap area=2
	ENOENT iounmap area=4
	EINVAL pages
	EINVAL pages block=1
	ENOENT pages area=4
	EINVAL pages area=3
	EINVAL fill area=1
	EINVAL fill seed=1
	EINVAL fill area=1 block=1 seed=1
	EINVAL fill block=1,2 seed=1
	EINVAL fill area=1 seed=x
	EINVAL fill area=3 seed=1
	ENOENT fill area=4 seed=1
	ENOENT fill block=3 seed=1
	EINVAL check area=3 seed=1
	ENOENT check block=4 seed=1
	EIO check block=2 seed=123456789
	EIO check area=1 seed=123456789
	EINVAL fail
	EINVAL fail nth=
	EINVAL fail nth=-1
	ERANGE fail nth=4294967296
	END
}

# piped NAME ERRNO COMMAND...: what that prints is one write.
piped() {
	name=$1 errno=$2
	shift 2
	wrote=$("$@" | "$TRY" write $PMM/command)
	refused "$name" "$errno"
}

# good_lines BYTES
# shellcheck disable=SC2317 # called by name
good_lines() {
	yes 'alloc order=0' | head -c "$1"
}

# shellcheck disable=SC2317 # called by name
many_ids() {
	printf 'vmap block=%s1\n' "$(yes 1, | head -n 256 | tr -d '\n')"
}

# vmap_of IDS LENGTH: a line of LENGTH bytes, with 20 digits for each ID, as many as the largest number has; spaces follow.
# shellcheck disable=SC2317 # called by name
vmap_of() {
	awk -v ids="$1" -v length_of_line="$2" 'BEGIN {
		line = "vmap block="
		for (i = 1; i <= ids; i++)
			line = line sprintf("%s%020d", i == 1 ? "" : ",", i)
		while (length(line) < length_of_line)
			line = line " "
		print line
	}'
}

# shellcheck disable=SC2317 # called by name
without_newline() {
	vmap_of "$@" | tr -d '\n'
}

# shellcheck disable=SC2317 # called by name
cut_line() {
	vmap_of 256 5386 | head -c 4096
}

bad_texts() {
	piped 'a NUL byte at the end' EINVAL printf 'alloc order=0\0'
	piped 'a NUL byte in the middle' EINVAL printf 'alloc order=0\0\nalloc order=0'
	piped 'nothing but a NUL byte' EINVAL printf '\0'
	piped 'a carriage return' EINVAL printf 'alloc order=0\r\n'
	piped 'no ASCII' EINVAL printf 'alloc order=0 \303\251\n'
	piped 'a control character' EINVAL printf 'alloc\001order=0\n'
	piped 'an escape sequence' EINVAL printf 'alloc order=0 \033[2J\n'
	piped 'a line of 6144 bytes' E2BIG printf 'alloc order=%06132d\n' 0
	piped 'a line of 8012 bytes' E2BIG printf 'alloc order=%08000d\n' 0
	piped '4096 bytes' E2BIG printf '%4096s' 'alloc order=0'
	piped '4096 bytes of good lines' E2BIG good_lines 4096
	piped '8192 bytes of good lines' E2BIG good_lines 8192
	piped '8204 bytes of whole lines' E2BIG good_lines 8204
	piped '100000 bytes' E2BIG good_lines 100000
	piped 'the first 4096 bytes of a longer vmap' E2BIG cut_line
	piped '257 blocks in a vmap' E2BIG many_ids
	matches 'result is plain text' "$last_reply" '[0-9]+ [ -~]* -> error [A-Z0-9]+ [ -~]*'
}

# Beyond what the state shows: nothing got an ID, and verify finds nothing.
aftermath_of_tables() {
	matches 'verify after all that' "$(cat $PMM/verify)" 'ok .*'
	must 'check area=1 seed=0'
	must 'alloc order=0'
	is 'no ID was used up' "$(value block)" 4
	must "vmalloc size=$PAGE"
	is 'nor an area' "$(value area)" 5
	must reset
	unload
}

# writes NAME WROTE LINES BLOCKS COMMAND...: what that prints; how many commands ran, and how many allocated so far.
writes() {
	name=$1 want=$2 ran="$3 $4"
	shift 4
	is "$name: write" "$("$@" | "$TRY" write $PMM/command)" "$want"
	is "$name: commands that ran, blocks allocated" "$(wc -l <$PMM/result) $(stat_of allocations)" "$ran"
	must reset
}

# shellcheck disable=SC2317 # called by name
padded() {
	yes '' | head -n 8177
	printf 'alloc order=0\n'
}

# Allocations are counted since load.
rules_of_a_write() {
	load chunk=$((1024 * PAGE))
	writes 'no newline at the end' 'ok 13' 1 1 printf 'alloc order=0'
	writes 'empty lines' 'ok 21' 1 2 printf '\n\n \t \nalloc order=0\n\n'
	writes 'nothing but an empty line' 'ok 1' 0 2 printf '\n'
	writes 'spaces and tabs' 'ok 36' 1 4 printf ' \t alloc \t order=0x2   count=0x02\t \n'
	writes 'it stops where one fails' EINVAL 3 6 printf 'alloc order=0\nalloc order=0\nalloc order=10\nalloc order=0\n'
	writes 'a write of 8191 bytes' 'ok 8191' 1 7 padded
	writes 'a line of 6143 bytes' 'ok 6144' 1 8 printf 'alloc order=%06131d\n' 0
	writes 'several commands' 'ok 33' 3 9 printf 'reset\nalloc order=0\nfree block=9\n'
	one_write_each_open
	sequence
	unload
}

one_write_each_open() {
	is 'a second write on the same open' "$("$TRY" write $PMM/command 'alloc order=0' 'alloc order=0' | tr '\n' ' ')" 'ok 13 EINVAL '
	is 'had no effect' "$(stat_of allocations)" 10
	matches 'and result says so' "$(cat $PMM/result)" '[0-9]+ .* -> error EINVAL .*'
	is 'a write of nothing' "$("$TRY" write $PMM/command '')" 'ok 0'
	is 'a write at an offset' "$(printf 'alloc order=0' | "$TRY" pwrite $PMM/command 1)" EINVAL
	is 'had no effect, either' "$(stat_of allocations)" 10
	must reset
}

sequence() {
	must purge
	read -r first _ <$PMM/result
	printf 'purge\ndrain\nbogus\n' | "$TRY" write $PMM/command >/dev/null
	is 'numbers go on by one, failures included' "$(cut -d' ' -f1 $PMM/result | tr '\n' ' ')" \
		"$((first + 1)) $((first + 2)) $((first + 3)) "
	is 'each line repeats its command' "$(cut -d' ' -f2 $PMM/result | tr '\n' ' ')" 'purge drain bogus '
}

# As many blocks as a vmap takes, by IDs as long as they can get; and a line that is too long by one byte.
longest_vmap() {
	load chunk=$((1024 * PAGE))
	must 'alloc order=0 count=256'
	is 'vmap of 256 blocks by IDs of 20 digits' "$(vmap_of 256 5386 | "$TRY" write $PMM/command)" 'ok 5387'
	matches 'result has them all' "$(cat $PMM/result)" "2 vmap block=0+1,.*,0+256 -> ok area=1 .* pages=256"
	is 'a line of 6144 bytes with them' "$(vmap_of 256 6144 | "$TRY" write $PMM/command)" E2BIG
	matches 'result says why' "$(cat $PMM/result)" '3 vmap block=[0-9,]* -> error E2BIG 6144 characters, limit 6143'
	is 'and no area is made' "$(stat_of areas)" 1
	is 'one of 6143 bytes' "$(vmap_of 256 6143 | "$TRY" write $PMM/command)" 'ok 6144'
	is 'the same without a newline' "$(without_newline 256 6143 | "$TRY" write $PMM/command)" E2BIG
	matches 'may have been cut' "$(cat $PMM/result)" '5 \(write\) -> error E2BIG 4096 bytes or more, and no newline .*'
	is '4095 bytes without one' "$(without_newline 190 4095 | "$TRY" write $PMM/command)" 'ok 4095'
	is 'areas at the end' "$(stat_of areas)" 3
	must reset
	unload
}

readonly BY='by pmm_[a-z_0-9]+(\.[a-z0-9.]+)*\+0x[0-9a-f]+/0x[0-9a-f]+ \[pocketmm\]'

# one_line COMMAND LINE COUNTER: one line in the log, one more in `stats`.
one_line() {
	count=$(stat_of "$3")
	log_mark
	cmd "$1"
	matches "log of '$1'" "$(log_since)" "$2"
	is "'$1' is one line" "$(log_since | wc -l)" 1
	is "'$1' is counted" "$(stat_of "$3")" $((count + 1))
}

misuse_in_the_log() {
	set_up
	one_line 'free page=0 order=9' \
		"free refused: the page is already free: page 0 order 9, in the free block 0 of order 9, $BY" refused_double_free
	must 'alloc order=0'
	freed=$(value page)
	must "free block=$(value block)"
	one_line "free page=$freed order=0" \
		"free refused: the page is already free: page $freed order 0, in the free block [0-9]+ of order [0-9], $BY; freed before $BY" \
		refused_double_free
	one_line "free page=$block order=2" \
		"free refused: the block has another order: page $block order 2, in the used block $block of order 3, $BY" refused_wrong_order
	middle=$((block + 1))
	one_line "free page=$middle order=0" \
		"free refused: the page is in the middle of a block: page $middle order 0, in the used block $block of order 3, $BY" refused_middle_of_block
	one_line "free page=$mapped order=0" \
		"free refused: the page belongs to an area: page $mapped order 0, in the mapped block $mapped of order 0, $BY" refused_mapped_page
	one_line 'free page=1024 order=0' "free refused: not a page of this pool: page [0-9a-f]{16} order 0, $BY" refused_foreign_page
	one_line "free page=$middle order=1" "free refused: no such order.*: page $middle order 1, in the .* block [0-9]+ of order [0-9], $BY" refused_bad_order
	one_line 'vfree offset=1' "Trying to vfree\(\) bad address \([0-9a-f]{16}\), $BY" refused_areas
	one_line "vfree offset=$PAGE" "Trying to vfree\(\) nonexistent vm area \([0-9a-f]{16}\), $BY" refused_areas
	must "vmalloc size=$PAGE"
	offset=$(value offset)
	must "vfree area=$(value area)"
	one_line "vfree offset=$offset" "Trying to vfree\(\) nonexistent vm area \([0-9a-f]{16}\), $BY; freed before $BY" refused_areas
	must reset
	unload
}

# However often it is tried, the log is not flooded.
rate_limit() {
	load chunk=$((1024 * PAGE))
	log_mark
	set --
	while [ $# -lt 200 ]; do
		set -- "$@" 'free page=0 order=0' 'vfree offset=0'
	done
	# By one process: the log takes so many lines in five seconds, and so many more in the next.
	"$TRY" write $PMM/command "$@" >/dev/null
	within 'a hundred frees of each kind, lines' "$(log_since | wc -l)" 2 60
	is 'but all are counted' "$(stat_of refused_double_free) $(stat_of refused_areas)" '100 100'
	unload
}

plan $((86 + $(quick 42 162)))
expect_log_begin
misuse_in_the_log
set_up
must 'fill area=1 seed=0'
bad_commands
bad_allocs
bad_frees
bad_areas
bad_mappings
bad_texts
aftermath_of_tables
rules_of_a_write
longest_vmap
rate_limit
expect_log_end
finish

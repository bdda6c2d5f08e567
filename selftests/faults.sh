#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The module's requests to the kernel's allocators fail one after the other: at
# load, in each command, and in each file that is read.  What fails says ENOMEM,
# and has changed nothing.  What succeeds all the same has found another way.
#
# not with --switches: it takes long, and the loads here have several of them

. ./lib.sh

# fails NAME N: of what was just done with the Nth request failing; $said is its errno, or ok.
fails() {
	case $said in
	ENOMEM) failed=$((failed + 1)) ;;
	ok) ;;
	*) wrong="request $2: $said"; return 1 ;;
	esac
}

# summary NAME: one result for a whole walk.
summary() {
	if [ -z "$wrong" ] && [ "$nth" -lt "$LIMIT" ] && [ "$failed" -ge "$2" ]; then
		pass "$1: each of $((nth - 1)) requests"
		note "$1: $failed of $((nth - 1)) were errors"
		return
	fi
	fail "$1: each of its requests"
	because "${wrong:-request $nth was still made, or only $failed of $((nth - 1)) were errors}"
}

LIMIT=100	# no walk has as many requests

# What the kernel keeps back for each CPU comes and goes, and a load makes it empty these lists; a chunk that is
# lost is 256 pages for each load.
windows() {	# as large as those of 256 pages; the per-CPU allocator may have areas of this size
	grep -c " $((1025 * PAGE)) " /proc/vmallocinfo
}

memory_is_back() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		lost=$(($1 - $(mem_free)))
		[ $lost -gt 4096 ] || break
		sleep 1
		load chunk=$((16 * PAGE))
		unload
	done
	within "$2: memory lost, in kB" "$lost" -65536 4096
	is "$2: windows left" "$(windows)" "$windows_before"
}

# A load that fails leaves nothing behind, or the next would not work.
walk_load() {
	wrong='' failed=0 nth=0
	free_before=$(mem_free) windows_before=$(windows)
	while [ -z "$wrong" ] && [ $((nth += 1)) -lt "$LIMIT" ]; do
		said=$(insmod_with "$@" fail_nth="$nth")
		fails "$nth" || break
		if [ "$said" = ENOMEM ]; then
			[ ! -e /sys/module/pocketmm ] || wrong="request $nth: the module is there"
			[ ! -e "$PMM" ] || wrong="request $nth: $PMM is there"
			continue
		fi
		left=$(stat_of fail_nth)
		unload
		[ "$left" = 0 ] || break
	done
	summary "load $*" "$least"
	memory_is_back "$free_before" "load $*"
}

# undo COMMAND KEY COUNT: what $out has of that key, the last first.  Where there was no memory for all of the text,
# the numbers go on to COUNT of them.
undo() {
	ids='' first='' n=0
	for word in $out; do
		[ "${word%%=*}" != "$2" ] || ids="${word#*=} $ids" first=${first:-${word#*=}}
	done
	case $out in
	*'(cut:'*)
		ids=
		while [ "$n" -lt "$3" ]; do
			ids="$((first + n)) $ids" n=$((n + 1))
		done
		;;
	esac
	for id in $ids; do
		must "$1 $2=$id"
	done
}

# walk COMMAND [UNDO KEY [COUNT]]: from and to the same state.
walk() {
	wrong='' failed=0 nth=0
	before=$(state)
	while [ $((nth += 1)) -lt "$LIMIT" ]; do
		must "fail nth=$nth"
		said=$("$TRY" write "$PMM/command" "$1")
		said=${said%% *}
		left=$(stat_of fail_nth)
		read -r out <"$PMM/result"
		must_stop
		fails "$nth" || break
		[ "$said" != ok ] || [ -z "${2-}" ] || undo "$2" "$3" "${4-1}"
		after=$(state)
		[ "$before" = "$after" ] || { wrong="request $nth ($said) changed something"; break; }
		[ "$left" = 0 ] || break
	done
	summary "'$1'" 1
}

# walk_back SETUP VERB KEY: what is given back while a request fails is given back, or is still there to be
# given back once more.
walk_back() {
	wrong='' failed=0 nth=0
	before=$(state)
	while [ $((nth += 1)) -lt "$LIMIT" ]; do
		must "$1"
		id=$(value "$3")
		must "fail nth=$nth"
		said=$("$TRY" write "$PMM/command" "$2 $3=$id${4-}")
		said=${said%% *}
		left=$(stat_of fail_nth)
		must_stop
		fails "$nth" || break
		[ "$said" = ok ] || must "$2 $3=$id${4-}"
		after=$(state)
		[ "$before" = "$after" ] || { wrong="request $nth ($said) changed something"; break; }
		[ "$left" = 0 ] || break
	done
	summary "'$2'" 1
}

# walk_reset: all or nothing.
walk_reset() {
	wrong='' failed=0 nth=0
	must reset
	before=$(state)
	while [ $((nth += 1)) -lt "$LIMIT" ]; do
		must 'alloc order=2 count=3'
		must "vmalloc size=$((2 * PAGE))"
		must "fail nth=$nth"
		said=$("$TRY" write "$PMM/command" reset)
		said=${said%% *}
		left=$(stat_of fail_nth)
		must_stop
		fails "$nth" || break
		[ "$said" = ok ] || must reset
		after=$(state)
		[ "$before" = "$after" ] || { wrong="request $nth ($said) changed something"; break; }
		[ "$left" = 0 ] || break
	done
	summary reset 1
}

# walk_write OFFSET: to mem; it arrives, or nothing does.
walk_write() {
	wrong='' failed=0 nth=0
	while [ $((nth += 1)) -lt "$LIMIT" ]; do
		text=$(printf '%016d' "$nth")
		was=$(dd if="$PMM/mem" bs=1 skip="$1" count=16 2>/dev/null)
		must "fail nth=$nth"
		said=$(printf %s "$text" | "$TRY" pwrite "$PMM/mem" "$1")
		said=${said%% *}
		left=$(stat_of fail_nth)
		must_stop
		fails "$nth" || break
		[ "$said" = ok ] && want=$text || want=$was
		got=$(dd if="$PMM/mem" bs=1 skip="$1" count=16 2>/dev/null)
		[ "$got" = "$want" ] || { wrong="request $nth ($said): $got"; break; }
		[ "$left" = 0 ] || break
	done
	summary 'a write to mem' 1
}

# must_stop: this write must not be the one that fails, nor change $out.
must_stop() {
	printf 'fail nth=0' >"$PMM/command" 2>/dev/null || printf 'fail nth=0' >"$PMM/command" || bail 'fail nth=0'
}

# Counters and lines that the walk itself changes in stats and in result.
unchanging() {
	sed '/^fail_nth /d; s/^[0-9]* fail nth=[0-9]*/fail/'
}

# walk_file LEAST FILE [BLOCKS]: a read that fails says so; one that works says what it said before.
walk_file() {
	wrong='' failed=0 nth=0
	text=$(dd if="$PMM/$2" bs="$PAGE" count="${3-100}" 2>/dev/null | tr -d '\000' | unchanging)
	while [ $((nth += 1)) -lt "$LIMIT" ]; do
		must "fail nth=$nth"
		said=ok
		got=$(dd if="$PMM/$2" bs="$PAGE" count="${3-100}" 2>/tmp/dd-says | tr -d '\000' | unchanging)
		! grep -q 'Cannot allocate memory\|Out of memory' /tmp/dd-says || said=ENOMEM
		left=$(stat_of fail_nth)
		must_stop
		fails "$nth" || break
		[ "$said" != ok ] || [ "$got" = "$text" ] || { wrong="request $nth: other text"; break; }
		[ "$left" = 0 ] || break
	done
	summary "$2" "$1"
}

plan "$(quick 42 48)"
least=8
[ -n "${POCKETMM_QUICK-}" ] || walk_load chunk=$((256 * PAGE))
# The kernel keeps its stack depot once it has one.
load chunk=$((256 * PAGE)) owner=1
unload
walk_load chunk=$((256 * PAGE)) pcp=0 placement=packed owner=1 poison=1
[ -n "${POCKETMM_QUICK-}" ] || walk_load chunk=$((256 * PAGE)) pcp=1 purge=lazy search=tree

load chunk=$((1024 * PAGE)) window=$((1024 * PAGE))
must 'alloc order=0'
must 'alloc order=3'
must "vmalloc size=$((2 * PAGE))"
walk 'alloc order=0' free block
walk 'alloc order=2 count=40' free block 40
walk 'alloc order=9' free block
walk "vmalloc size=$((2 * PAGE))" vfree area
walk "vmalloc size=$((256 * PAGE)) zero" vfree area
walk "vmalloc size=$((3 * PAGE)) user" vfree area
walk 'vmap block=1,2' vunmap area
walk "ioremap phys=$DEVICE size=1024" iounmap area
walk 'pages area=1'
walk 'fill area=1 seed=7'
walk 'check area=1 seed=7'
walk 'fill block=2 seed=3'
walk 'check block=2 seed=3'
walk_back 'alloc order=3' free block
walk_back 'alloc order=3' free page ' order=3'
walk_back "vmalloc size=$((5 * PAGE - 480))" vfree area
walk_back "vmalloc size=$((5 * PAGE - 480))" vfree offset
walk_back 'vmap block=1,2' vunmap area
walk_back "ioremap phys=$DEVICE size=1024" iounmap area
walk purge
walk drain
walk_file 0 version
walk_file 0 buddyinfo
walk_file 1 freelist
walk_file 1 pairmap
walk_file 1 blocks
walk_file 1 vmallocinfo
walk_file 1 window
walk_file 1 mappings
walk_file 1 page_owner
walk_file 0 unusable_index
walk_file 0 extfrag_index
walk_file 0 stats
walk_file 0 result
walk_file 0 showmem
walk_file 0 verify
walk_file 1 mem 2
must 'fill area=1 seed=1'
walk_write 0
walk_reset
finish

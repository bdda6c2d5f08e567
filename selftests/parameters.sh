#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Module parameters: each bad value is refused with -EINVAL and exactly one line
# that names parameter, value and range; good values do what they say.
#
# not with --switches: each parameter is tried here anyway

. ./lib.sh

# The reason that the line must give after 'NAME=VALUE is refused: '.
range_of() {
	case $1 in
	chunk | window) echo "a multiple of $PAGE between 64K and [0-9]+K" ;;
	node) echo '-1 or an online node, of 0' ;;
	below) echo "0, or an address from $(printf '%#x' $((256 * PAGE))), the size of the chunk, to 0xffffffffffffffff" ;;
	min_free) echo 'auto, or pages between 0 and 256' ;;
	fail_nth) echo 'a number between 0 and 2147483647' ;;
	poison | redzone | owner) echo '0 or 1' ;;
	era) echo '2\.4, 2\.6 or modern' ;;
	expand) echo 'upper or lower' ;;
	pcp) echo '0 or 1' ;;
	search) echo 'linear or tree' ;;
	purge) echo 'eager or lazy' ;;
	placement) echo 'lifo or packed' ;;
	esac
}

# refused NAME VALUE: the chunk is of 256 pages where it is not the chunk that is wrong.
refused() {
	log_mark
	case $1 in
	chunk) errno=$(insmod_with "chunk=\"$2\"") ;;
	*) errno=$(insmod_with chunk=$((256 * PAGE)) "$1=\"$2\"") ;;
	esac
	lines=$(log_since)
	case $lines in
	"$1=$2 is refused: "*) matches "$1='$2'" "$errno: ${lines#"$1=$2 is refused: "}" "EINVAL: $(range_of "$1")" ;;
	*) is "$1='$2'" "$errno: $lines" "EINVAL: $1=$2 is refused: and the range" ;;
	esac
	[ ! -e /sys/module/pocketmm ] || bail "$1='$2' was loaded"
}

KB=$((PAGE / 1024))	# of a page
EACH=$(quick 2 1000)

# all_refused NAME VALUE...: the first few of them in a quick run.
all_refused() {
	name=$1
	shift
	tried=0
	for value; do
		[ $tried -lt "$EACH" ] || return
		refused "$name" "$value"
		tried=$((tried + 1))
	done
}

# At 2^64 and beyond: as a number, and through a suffix.
readonly OVERFLOWS='18446744073709551615 18446744073709551616 18014398509481984K 17592186044416M 17179869185G
	0xffffffffffff0000 0x10000000000010000 -18446744073709486080'
readonly NO_NUMBERS='x 0x 0xg 1x 1M1 1MB 1KK M 1,000 1.5M 1e6 +1M -1M -65536 auto1'
readonly NO_SIZES='0 1 4096 61440 60K 65535 65537 1048577 100000G 999999999M'

bad_values() {
	# shellcheck disable=SC2086 # each word is a value
	{
		all_refused chunk '' ' ' '1M 2' ' 1M' $NO_NUMBERS $NO_SIZES $OVERFLOWS
		all_refused window '' '1M 2' x 1x 1M1 M +1M -1M $NO_SIZES $OVERFLOWS
		all_refused node '' ' 0' -2 1 64 1024 4294967296 0x100000000 -1x 0K 18446744073709551615 any +0
		all_refused below '' -1 1 $((256 * PAGE - 1)) 1x x 1MB 18446744073709551616 18014398509481984K 17179869185G
		all_refused min_free 257 -1 '' 1K 1x Auto automatic 4294967296 18446744073709551616 0x101
		all_refused fail_nth '' -1 1x 2147483648
		all_refused era '' 2.5 2.4.22 2.40 2 Modern modernx 'modern '
		all_refused expand '' Upper up lowerx 0 1 'lower '
		all_refused pcp '' 2 -1 00 01 0x1 yes '1 '
		all_refused search '' list Tree trees 0 'linear '
		all_refused purge '' never Lazy lazily 1 'eager '
		all_refused placement '' fifo LIFO pack 0 'packed '
		all_refused poison '' 2 yes
		all_refused redzone '' 2 -1
		all_refused owner '' 00 '1 '
	}
}

first_frame() {
	frame=$(log_since | sed -n 's/^chunk of.*frames \(0x[0-9a-f]*\)-.*/\1/p')
	echo $((frame))
}

# chunk_is VALUE PAGES LISTS
chunk_is() {
	log_mark
	load "chunk=$1"
	is "chunk=$1 has $2 pages" "$(stat_of total_pages) $(stat_of free_pages)" "$2 $2"
	is "chunk=$1 free lists" "$(lists)" "$3"
	unload
	is "chunk=$1 begins where a largest block may" $(($(first_frame) % 512)) 0
}

good_chunks() {
	sample 3 >/tmp/rows <<-END
	$((16 * KB))K 16 4:0
	$((17 * KB))K 17 0:16 4:0
	$((KB / 4))M 256 8:0
	$((KB / 4))m 256 8:0
	$((256 * PAGE)) 256 8:0
	$(printf '%#x' $((256 * PAGE))) 256 8:0
	$((777 * KB))K 777 0:776 3:768 8:512 9:0
	$((1000 * KB))K 1000 3:992 5:960 6:896 7:768 8:512 9:0
	$((4097 * KB))K 4097 0:4096 9:3584,3072,2560,2048,1536,1024,512,0
	$((4 * KB))M 4096 9:3584,3072,2560,2048,1536,1024,512,0
	END
	while read -r value pages free_lists; do
		chunk_is "$value" "$pages" "$free_lists"
	done </tmp/rows
}

# window_is VALUE BYTES
window_is() {
	load chunk=1M "window=$1"
	is "window=$1 in stats" "$(stat_of window_bytes)" "$2"
	is "window=$1 in window" "$(cat $PMM/window)" "0 $2 hole"
	unload
}

good_windows() {
	sample 2 >/tmp/rows <<-END
	auto 4194304
	64K 65536
	$((257 * KB))K $((257 * PAGE))
	512M 536870912
	END
	while read -r value bytes; do
		window_is "$value" "$bytes"
	done </tmp/rows
}

good_nodes() {
	for value in 0 -1 0x0; do
		load chunk=1M "node=$value"
		matches "node=$value" "$(cat $PMM/buddyinfo)" 'Node 0, zone +Pocket .*'
		unload
	done
}

# last_frame: of the chunk, from the line at load.
last_frame() {
	frame=$(log_since | sed -n 's/^chunk of.*frames 0x[0-9a-f]*-\(0x[0-9a-f]*\),.*/\1/p')
	echo $((frame))
}

good_limits() {
	low=$((RAM_FLOOR + 256)) high=$((RAM_FLOOR / 1024 + 1))
	for limit in "${high}G" "${low}M" "$(printf '%#x' $((low << 20)))" 18446744073709551615; do
		log_mark
		load chunk=4M "below=$limit"
		case $limit in
		*G) frames=$((high * 1048576 / KB)) ;;
		1844*) frames=$((4503599627370496 / (KB / 4))) ;;
		*) frames=$((low * 1024 / KB)) ;;
		esac
		within "below=$limit: last page frame" "$(last_frame)" 1024 $((frames - 1))
		unload
	done
}

# reserve_is CHUNK VALUE PAGES: a chunk of so many pages.
reserve_is() {
	load "chunk=$(($1 * PAGE))" "min_free=$2"
	is "chunk=$1 min_free=$2 in stats" "$(stat_of min_free_pages)" "$3"
	matches "chunk=$1 min_free=$2 in showmem" "$(grep ^Zone: $PMM/showmem)" \
		"Zone:Pocket freepages: *[0-9]+kB min: *$((KB * $3))kB low: *$((2 * KB * $3))kB high: *$((3 * KB * $3))kB"
	unload
}

good_reserves() {
	sample 4 >/tmp/rows <<-END
	256 0 0
	256 256 256
	256 0x10 16
	16 auto 20
	2559 auto 20
	2688 auto 21
	4096 auto 32
	32768 auto 255
	END
	while read -r size value pages; do
		reserve_is "$size" "$value" "$pages"
	done </tmp/rows
}

# The longest run of free pages in the first 128 MiB of RAM, in KiB: /proc/kpageflags has a word a page, with bit 10
# for what is free.
longest_free_run() {
	od -An -v -t x8 -w8 -j $((RAM_FLOOR * 8192 / KB)) -N $((1048576 / KB)) /proc/kpageflags | awk -v kb=$KB '
		substr($1, 14, 1) ~ /[4-7c-f]/ { if (++run > longest) longest = run; next }
		{ run = 0 }
		END { print kb * longest }'
}

# Somewhere in these 128 MiB is the kernel's own image, at a random place, so that range is never free as
# a whole.  At least half of the longest free run must be tried: the run need not begin where a
# largest block may.
impossible_chunk() {
	longest=$(longest_free_run)
	log_mark
	is 'an impossible chunk' "$(insmod_with chunk=126M "below=$((RAM_FLOOR + 128))M")" ENOMEM
	line=$(log_since)
	matches 'one line says what was tried' "$line" \
		"no room for chunk=129024K below $(printf '%#x' $(((RAM_FLOOR + 128) << 20))): [0-9]+ ranges tried; largest size worth trying: chunk=[0-9]+K"
	worth=${line##*chunk=}
	within 'the size worth trying is worth it' "${worth%K}" $((longest / 2 - 256 * KB)) 129023
	follow_advice
	is 'and can be had' "$(stat_of total_pages)" $((${worth%K} / KB))
	unload
}

# In so little memory there is no chunk, and nothing smaller that insmod would accept.
no_advice() {
	for where in 'chunk=2M below=2M' 'chunk=64K below=2100K'; do
		log_mark
		# shellcheck disable=SC2086 # words are wanted
		case $(insmod_with $where) in
		ok) unload; pass "$where" ;;
		*)
			line=$(log_since)
			matches "$where" "$line" 'no room for chunk=[0-9]+K below 0x[0-9a-f]+: [0-9]+ ranges tried; (no smaller size is worth trying|largest size worth trying: chunk=(6[4-9]|[7-9][0-9]|[0-9]{3,})K)'
			;;
		esac
	done
}

# What looks free or movable may be pinned when it comes to it, above all where much else goes on; then the log
# says once more what is worth trying.
follow_advice() {
	for _ in 1 2 3 4 5; do
		log_mark
		[ "$(insmod_with "chunk=$worth" "below=$((RAM_FLOOR + 128))M")" != ok ] || return
		note "chunk=$worth could not be had: $(log_since)"
		line=$(log_since)
		worth=${line##*chunk=}
		[ "${worth%K}" -ge $((512 * KB)) ] || break
		sleep 1
	done
	bail "no size that was worth trying could be had: $line"
}

plan $((13 + $(quick 20 54) + $(quick 30 150)))
expect_log_begin
bad_values
impossible_chunk
no_advice
expect_log_end
good_chunks
good_windows
good_nodes
good_limits
good_reserves
finish

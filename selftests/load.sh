#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Loading and unloading: what each says in the log, when it is refused, and
# that the directory comes and goes with the module.

. ./lib.sh

LOADED='chunk of 1024 pages, frames 0x[0-9a-f]+00-0x[0-9a-f]+ff, node 0; window of WINDOW; metadata: [0-9]+ bytes of pair bits, 1024 of page states, [0-9]+ for the window'
LOADED=${LOADED%%WINDOW*}$((4 * PAGE))K${LOADED#*WINDOW}
readonly LOADED
readonly UNLOADED='unloaded, 1024 pages are the kernel.s again'

# The switches in force, whether chosen or by default.
switches() {
	said="era $(param era): expand=$(param expand) pcp=$(param pcp) search=$(param search)"
	said="$said purge=$(param purge) placement=$(param placement)"
	for switch in poison redzone owner; do
		[ "$(param $switch)" = 0 ] || said="$said $switch=1"
	done
	echo "$said"
}

one_line_each_way() {
	log_mark
	load chunk=$((1024 * PAGE))
	matches 'one line at load' "$(log_since)" "$LOADED; $(switches)"
	is 'only one line at load' "$(log_since | wc -l)" 1
	log_mark
	unload
	matches 'one line at unload' "$(log_since)" "$UNLOADED"
	is 'only one line at unload' "$(log_since | wc -l)" 1
}

# A bit a pair and a byte a page: order 0 of 1024 pages has 512 pairs, down to 2 of order 8, in longs.
# With placement=packed a record of 32 bytes for each largest block as well.
metadata_as_promised() {
	load chunk=$((1024 * PAGE))
	with placement=packed && records=2 || records=0
	is 'metadata of 1024 pages' "$(stat_of metadata_bytes)" \
		$((1024 + 64 + 32 + 16 + 8 + 6 * 8 - 8 + 32 * records))
	unload
}

# There are state bytes up to the end of the last largest block, of 512 pages, and the line at load
# counts them all.
states_of_part_of_a_block() {
	log_mark
	load chunk=$((16 * PAGE))
	matches 'a chunk of 16 pages has 512 page states' "$(log_since)" \
		'chunk of 16 pages, .*, 512 of page states, .*'
	unload
}

second_insmod() {
	load chunk=$((256 * PAGE))
	is 'a second insmod is refused' "$(insmod_with)" EEXIST
	matches 'the first one is unharmed' "$(cat $PMM/verify)" 'ok .*'
	unload
	is 'rmmod of what is not there' "$("$TRY" rmmod pocketmm)" ENOENT
}

# held_open FILE MODE: rmmod has to wait for each kind of file that is open.
held_open() {
	load chunk=$((256 * PAGE))
	case $2 in
	r) exec 9<"$PMM/$1" ;;
	w) exec 9>"$PMM/$1" ;;
	esac
	is "rmmod with $1 open" "$("$TRY" rmmod pocketmm)" EAGAIN
	matches "with $1 open the module is unharmed" "$(cat $PMM/verify)" 'ok .*'
	exec 9>&-
	is "rmmod after $1 is closed" "$("$TRY" rmmod pocketmm)" ok
}

default_parameters() {
	log_mark
	load
	is 'default chunk' "$(stat_of total_pages)" $((67108864 / PAGE))
	is 'default window' "$(stat_of window_bytes)" 268435456
	is 'default reserve' "$(stat_of min_free_pages)" 0
	unload
	is 'two lines with defaults' "$(log_since | wc -l)" 2
}

# The parameters can be read back, by everybody.
parameter_files() {
	load chunk=1M min_free=auto
	is 'mode of the parameters' "$(stat -c %a /sys/module/pocketmm/parameters/* | sort -u)" 444
	is 'parameters' "$(cd /sys/module/pocketmm/parameters && echo *)" \
		'below chunk era expand fail_nth min_free node owner pcp placement poison purge redzone search window'
	is 'chunk reads back' "$(cat /sys/module/pocketmm/parameters/chunk)" 1M
	is 'min_free reads back' "$(cat /sys/module/pocketmm/parameters/min_free)" auto
	unload
}

plan 29
one_line_each_way
metadata_as_promised
states_of_part_of_a_block
second_insmod
held_open stats r
held_open blocks r
held_open mem r
held_open command w
default_parameters
parameter_files
finish

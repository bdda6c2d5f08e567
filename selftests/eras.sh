#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# era= presets the switches, and a switch that is given says otherwise: what the
# module then goes by is in sysfs and in the line at load.
#
# not with --switches: it is about them

. ./lib.sh

readonly SWITCHES='expand pcp search purge placement'

# preset ERA: in the order of $SWITCHES.
preset() {
	case $1 in
	2.4) echo upper 0 linear eager lifo ;;
	2.6) echo lower 1 linear lazy lifo ;;
	modern) echo lower 1 tree lazy lifo ;;
	esac
}

# other VALUE: what the switch is not.
other() {
	case $1 in
	upper) echo lower ;; lower) echo upper ;;
	0) echo 1 ;; 1) echo 0 ;;
	linear) echo tree ;; tree) echo linear ;;
	eager) echo lazy ;; lazy) echo eager ;;
	lifo) echo packed ;; packed) echo lifo ;;
	esac
}

# goes_by NAME ERA 'VALUE...' [PARAMETER=VALUE]...: no parameters but these.
goes_by() {
	name=$1 era=$2 values=$3
	shift 3
	log_mark
	outcome=$("$TRY" insmod "$KO" chunk=$((16 * PAGE)) "$@")
	[ "$outcome" = ok ] || bail "insmod $*: $outcome"
	line=$(log_since)
	got=$(for switch in $SWITCHES; do param "$switch"; done | tr '\n' ' ')
	is "$name: sysfs" "$(param era) $got" "$era $values "
	# shellcheck disable=SC2086 # each word is a value
	set -- $values
	is "$name: line at load" "${line##*; }" "era $era: expand=$1 pcp=$2 search=$3 purge=$4 placement=$5"
	matches "$name: verify" "$(cat $PMM/verify)" 'ok .*'
	unload
}

# flipped ERA: each switch by itself.
flipped() {
	for switch in $SWITCHES; do
		values=
		for each in $SWITCHES; do
			# shellcheck disable=SC2046 # each word is a value
			value=$(nth "$each" $(preset "$1"))
			if [ "$each" = "$switch" ]; then
				value=$(other "$value")
				flip=$value
			fi
			values="$values $value"
		done
		goes_by "era=$1 $switch=$flip" "$1" "${values# }" "era=$1" "$switch=$flip"
	done
}

# nth SWITCH VALUE...: its value.
nth() {
	wanted=$1
	shift
	for name in $SWITCHES; do
		[ "$name" != "$wanted" ] || { echo "$1"; return; }
		shift
	done
}

plan $((18 + $(quick 0 45)))
goes_by 'nothing said' modern "$(preset modern)"
for era in 2.4 2.6 modern; do
	goes_by "era=$era" $era "$(preset $era)" era=$era
	[ -n "${POCKETMM_QUICK-}" ] || flipped "$era"
done
goes_by 'a switch before the era' 2.6 'upper 1 linear lazy lifo' expand=upper era=2.6
goes_by 'every switch against its era' 2.4 'lower 1 tree lazy packed' \
	era=2.4 expand=lower pcp=1 search=tree purge=lazy placement=packed
finish

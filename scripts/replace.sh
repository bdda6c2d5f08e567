# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Writing a file that may be there already: scripts that write one source this;
# scripts/record, which is alone in a guest, has a copy of its own.

# in_place FILE: whether it is a device, a pipe, or what a process has open.
in_place() {
	case $1 in
	/dev/std* | /dev/fd/* | /proc/*) return 0 ;;
	*) [ -e "$1" ] && [ ! -f "$1" ] ;;
	esac
}

# writable FILE: a plain one is replaced by another beside it.
writable() {
	[ -n "$1" ] && [ ! -d "$1" ] || return
	[ ! -e "$1" ] || [ -w "$1" ] || return
	in_place "$1" || { path=$(readlink -f "$1") && [ -w "${path%/*}/" ]; }
}

# replace FILE: standard input becomes its contents, or the old ones stay.
replace() (
	if in_place "$1"; then
		exec cat >"$1"
	fi
	path=$(readlink -f "$1") && beside=$path.$$ || exit
	trap 'rm -f "$beside"' EXIT
	{ [ ! -e "$path" ] || cp -p "$path" "$beside"; } && cat >"$beside" && mv -f "$beside" "$path"
)

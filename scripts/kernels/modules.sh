# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of scripts/kernel
#
# Modules of a stock kernel, which the trees of scripts/kernel leave out: the image
# package has some hundred megabytes of them.  Sourced by scripts/kernel after
# archive.sh.

# unpack_modules TREE FILE...: unpacks these files of the package in TREE into TREE.
unpack_modules() {
	local tree=$1 file
	shift

	if ! dpkg-deb --fsys-tarfile "$tree"/*.deb |
	   tar -x -C "$tree" --wildcards "${@/#/*/kernel/}" 2>"$tree/tar.log"; then
		say "the image package lacks one of $*"
		return 1
	fi
	for file; do
		find "$tree" -path "*/kernel/$file" -exec mv -t "$tree" {} + || return 1
	done
	find "$tree" -mindepth 1 -maxdepth 1 ! -name '*.ko*' -exec rm -r {} +
}

# fetch_modules FINAL PACKAGE FILE...
fetch_modules() {
	local final=$1 package=$2 tree
	shift 2

	! intact "$final" || return 0
	say "fetching modules of ${package%%:*}"
	tree=$(mktemp -d "$cache/fetch.XXXXXX") || return 1
	if download "$tree" "$package" && unpack_modules "$tree" "$@" && publish "$tree" "$final"; then
		return 0
	fi
	rm -rf "$tree"
	return 1
}

# modules NAME FILE...: prints the directory that has these modules of the kernel that
# `show NAME` prints, which is not always the archive's newest.
modules() {
	local name tree kernel final
	known_or_die "$1"
	name=$(canonical "$1") && tree=$(tree_or_die "$name") || exit
	shift
	kernel=${tree##*/}
	final=$cache/modules/${kernel}_$(cksum <<<"$*" | cut -d' ' -f 1)
	intact "$final" ||
		{ writable && locked fetch fetch_modules "$final" "linux-image-${kernel%_*}:$arch=${kernel##*_}" "$@"; } ||
		die "cannot get ${*##*/} of $name"
	echo "$final"
}

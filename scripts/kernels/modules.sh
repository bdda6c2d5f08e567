# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of scripts/kernel
#
# Modules of a stock kernel, which the trees of scripts/kernel leave out: the image
# package has some hundred megabytes of them, or since 6.19 a package of their own.
# Sourced by scripts/kernel after archive.sh.

# modules_package RELEASE VERSION: the package that has the modules.
modules_package() {
	local own

	own=$(dependencies "linux-image-$1" "$2" | grep -m 1 "^linux-modules-$1=")
	own=${own%%=*}
	echo "${own:-linux-image-$1}:$arch=$2"
}

# unpack_modules TREE FILE...: unpacks these files of the package in TREE into TREE, and decompresses them.
unpack_modules() {
	local tree=$1 file patterns
	shift

	patterns=("${@/#/*/kernel/}")
	if ! dpkg-deb --fsys-tarfile "$tree"/*.deb |
	   tar -x -C "$tree" --wildcards "${patterns[@]/%/*}" 2>"$tree/tar.log"; then
		say "the package of the modules lacks one of $*"
		return 1
	fi
	for file; do
		find "$tree" -path "*/kernel/$file*" -exec mv -t "$tree" {} + || return 1
	done
	find "$tree" -mindepth 1 -maxdepth 1 ! -name '*.ko*' -exec rm -r {} +
	find "$tree" -name '*.ko.xz' -exec xz -d {} +
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
		{ writable && locked fetch fetch_modules "$final" "$(modules_package "${kernel%_*}" "${kernel##*_}")" "$@"; } ||
		die "cannot get ${*##*/} of $name"
	echo "$final"
}

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # of scripts/kernel
#
# The programs of a guest whose architecture is not the host's: a tree with /bin/busybox,
# /bin/bash, /bin/dash, /usr/bin/timeout and the libraries that these need, from Debian's
# packages.  'applets' in it lists the commands of its busybox.  Sourced by scripts/kernel
# after archive.sh.

readonly USERLAND='busybox-static dash bash coreutils libc6 libtinfo6'
readonly GUEST_PROGRAMS='bin/busybox bin/dash bin/bash usr/bin/timeout'
readonly GUEST_LIBRARIES='libc.so.6 libtinfo.so.6'

# userland_packages RELEASE ARCHITECTURE: the second busybox is to be asked for its applets.
userland_packages() {
	# shellcheck disable=SC2086 # names are words
	closure "$1" "$2" '^$' $USERLAND | grep -E "^(${USERLAND// /|}):" &&
		closure "$1" "$(host_architecture)" '^lib' busybox-static
}

# pick FROM TO TRIPLET: what a guest needs, whether /bin is a directory or a link in these packages.
pick() {
	local from=$1 to=$2 triplet=$3 file found loader

	for file in $GUEST_PROGRAMS; do
		found=$from/$file
		[[ -e $found ]] || found=$from/usr/$file
		install -D "$found" "$to/$file" || return
	done
	for file in $GUEST_LIBRARIES; do
		found=$from/lib/$triplet/$file
		[[ -e $found ]] || found=$from/usr/lib/$triplet/$file
		install -D "$found" "$to/lib/$triplet/$file" || return
	done
	# Where the programs look for it.
	loader=$(LC_ALL=C grep -aom 1 '/lib[0-9]*/ld-linux[-a-z0-9_]*\.so\.[0-9]' "$to/bin/bash") || return
	found=$(find "$from" -type f -name "${loader##*/}" | head -n 1)
	[[ -n $found ]] && install -D "$found" "$to$loader"
}

# unpack_userland TREE TRIPLET
unpack_userland() {
	local deb tree=$1 from=all

	mkdir "$tree/root" "$tree/all" "$tree/host" || return
	for deb in "$tree"/debs/*.deb; do
		from=all
		[[ $deb != *_"$(host_architecture)".deb ]] || from=host
		dpkg-deb -x "$deb" "$tree/$from" || return
	done
	pick "$tree/all" "$tree/root" "$2" &&
		"$(find "$tree/host" -path '*/bin/busybox')" --list-full >"$tree/root/applets"
}

# fetch_userland FINAL RELEASE ARCHITECTURE
fetch_userland() {
	local final=$1 tree packages

	! intact "$final" || return 0
	say "fetching programs for $3"
	mapfile -t packages < <(userland_packages "$2" "$3")
	tree=$(mktemp -d "$cache/fetch.XXXXXX") && mkdir "$tree/debs" || return
	if ((${#packages[@]})) && download "$tree/debs" "${packages[@]}" &&
	   unpack_userland "$tree" "$(triplet_of "$3")" && publish "$tree/root" "$final"; then
		rm -rf "$tree"
		return
	fi
	rm -rf "$tree"
	return 1
}

# releases: the suites that are whole.
releases() {
	tr ' ' '\n' <<<"$SUITES" | grep -v -e -
}

# userland ARCHITECTURE: prints the tree.
userland() {
	local recipe release final

	[[ $1 == @(amd64|arm64) ]] || die "the architecture is amd64 or arm64, not '$1'"
	recipe=$(cksum <"$top/scripts/kernels/userland.sh" | cut -d' ' -f 1)
	for release in $(releases); do
		final=$cache/userland/$1-$release-$recipe
		! intact "$final" || { echo "$final"; return; }
	done
	writable || die "no programs for $1 in $cache, which is read-only"
	no_obstacle_or_die "cannot fetch the programs of a guest on $1"
	have_index || die "no index of Debian's packages, and none to be had"
	for release in $(releases); do
		lists "$release" "$1" >/dev/null || continue
		final=$cache/userland/$1-$release-$recipe
		! locked fetch fetch_userland "$final" "$release" "$1" || { echo "$final"; return; }
	done
	die "cannot fetch the programs of a guest on $1"
}

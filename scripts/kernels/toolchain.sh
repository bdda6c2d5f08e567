# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of scripts/kernel
#
# Compilers for kernels, and kbuild's own programs, on hosts that are older than the
# kernel.  A program from a newer Debian is unpacked with the libraries it needs and
# runs with its own dynamic linker: a script of two lines stands in its place.  Nothing
# is installed.  Sourced by scripts/kernel after archive.sh.

# Neither compilers nor linkers need these to compile a module.
readonly NOT_NEEDED='^(gcc-.*-base|libgcc-.*-dev.*|libcc1-0|libgprofng0|binutils-common|libc-gconv.*|libc-bin|debconf)$'
readonly BINUTILS='ar as ld ld.bfd nm objcopy objdump readelf strip'

triplet_of() {
	case $1 in
	arm64) echo aarch64-linux-gnu ;;
	amd64) echo x86_64-linux-gnu ;;
	esac
}

is_program() {
	[[ $(head -c 4 "$1" | tr -d '\0') == $'\x7fELF' ]] && LC_ALL=C grep -aqm 1 'ld-linux-' "$1"
}

# stand_in SCRIPT LIBRARIES PROGRAM [OPTION...]: the script runs the program with its own
# dynamic linker.
stand_in() {
	local script=$1 linker=$2/ld-linux-x86-64.so.2

	[[ $(host_architecture) == amd64 ]] || linker=$2/ld-linux-aarch64.so.1
	rm -f "$script"
	printf '#!/bin/sh\nexec %s --library-path %s %s "$@"\n' "$linker" "$2" "${*:3}" >"$script" &&
		chmod +x "$script"
}

# shellcheck disable=SC2016 # the script's own name
# wrap TREE FINAL PROGRAM: a stand-in takes its place and hands on its name, by which modpost
# and objtool find the program that does the work.
wrap() {
	mv "$3" "$3.elf" && stand_in "$3" "$2/host" '--argv0 "$0"' "$2${3#"$1"}.elf"
}

# gather_libraries TREE: moves the libraries that were unpacked there into TREE/host.
gather_libraries() {
	local dir

	mkdir -p "$1/host"
	for dir in "$1"/{usr/,}lib/"$(triplet_of "$(host_architecture)")"; do
		[[ ! -d $dir ]] || find "$dir" -maxdepth 1 -name '*.so*' -exec mv -t "$1/host" {} + || return 1
	done
}

# wrap_kbuild TREE FINAL: wraps the programs that build a module; those that sign it do not run.
wrap_kbuild() {
	local program

	gather_libraries "$1" || return 1
	find "$1"/usr/lib/linux-kbuild-* -type f -perm /111 ! -name sign-file ! -name extract-cert |
		while read -r program; do
			! is_program "$program" || wrap "$1" "$2" "$program" || return 1
		done
}

# compiler_package RELEASE ARCHITECTURE VERSION: the name differs between releases, and
# between native and cross compilers.
compiler_package() {
	local file name found

	file=$(lists "$1" "$(host_architecture)") || return 1
	for name in "gcc-$3-$(triplet_of "$2" | tr _ -)" "gcc-$3"; do
		[[ $name == *-linux-gnu || $2 == "$(host_architecture)" ]] || continue
		found=$(/usr/lib/apt/apt-helper cat-file "$file" | grep -cxF "Package: $name")
		((found)) && echo "$name" && return
	done
	return 1
}

# unpack_compiler TREE FINAL TRIPLET VERSION: the programs stay where the compiler expects them;
# bin has the stand-ins, under the names that kbuild calls.
unpack_compiler() {
	local tree=$1 final=$2 triplet=$3 deb program real

	for deb in "$tree"/debs/*.deb; do
		dpkg-deb -x "$deb" "$tree" || return 1
	done
	rm -rf "$tree/debs" "${tree:?}"/{usr/share,etc}
	gather_libraries "$tree" && mkdir -p "$tree/bin" "$tree/plain" || return 1
	find "$tree"/usr/lib{exec,}/gcc*/"$triplet" -type f -perm /111 ! -name '*.so*' 2>/dev/null |
		while read -r program; do
			! is_program "$program" || wrap "$tree" "$final" "$program" || return 1
		done
	for program in $BINUTILS; do
		real=$final/usr/bin/$triplet-$program
		[[ -e $tree${real#"$final"} ]] || continue
		stand_in "$tree/bin/$triplet-$program" "$final/host" "$real" &&
			ln -s "../bin/$triplet-$program" "$tree/plain/$program" || return 1
	done
	stand_in "$tree/bin/$triplet-gcc-$4" "$final/host" "$final/usr/bin/$triplet-gcc-$4" "-B$final/plain/"
}

# fetch_compiler FINAL RELEASE ARCHITECTURE VERSION
fetch_compiler() {
	local final=$1 triplet tree packages name

	intact "$final" && return
	triplet=$(triplet_of "$3")
	say "fetching $triplet-gcc-$4 ($2)"
	name=$(compiler_package "$2" "$3" "$4") ||
		{ say "no gcc-$4 for $3 in $2"; return 1; }
	mapfile -t packages < <(closure "$2" "$(host_architecture)" "$NOT_NEEDED" "$name" "binutils-${triplet//_/-}")
	tree=$(mktemp -d "$cache/fetch.XXXXXX") && mkdir "$tree/debs" || return 1
	if download "$tree/debs" "${packages[@]}" && unpack_compiler "$tree" "$final" "$triplet" "$4" &&
	   publish "$tree" "$final"; then
		return 0
	fi
	rm -rf "$tree"
	return 1
}

# compiler_tree RELEASE ARCHITECTURE VERSION: prints where it is in the cache.
compiler_tree() {
	echo "$cache/compilers/$1-$(triplet_of "$2")-gcc-$3-on-$(host_architecture)"
}

# compiler RELEASE ARCHITECTURE VERSION: prints the directory with the compiler and its
# binutils, or nothing if the host has them.
compiler() {
	local triplet final

	triplet=$(triplet_of "$2")
	if command -v "$triplet-gcc-$3" >/dev/null && command -v "$triplet-ld" >/dev/null; then
		return
	fi
	final=$(compiler_tree "$@")
	intact "$final" && echo "$final/bin" && return
	writable || { say "no $triplet-gcc-$3, neither on this machine nor in $cache, which is read-only"; return 1; }
	no_obstacle_or_die "cannot fetch $triplet-gcc-$3"
	have_index && locked fetch fetch_compiler "$final" "$1" "$2" "$3" && echo "$final/bin"
}

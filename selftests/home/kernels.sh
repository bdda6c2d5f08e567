# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of run
#
# scripts/kernel, with an archive that is made up: small packages, and an apt-get
# that takes them from a directory.  Nothing is fetched from anywhere.

# fake_package NAME ARCHITECTURE VERSION DEPENDS: packs the files in $dir/files, and removes them.
fake_package() {
	local files=$dir/files

	mkdir -p "$files/DEBIAN" "$dir/pool"
	printf '%s: %s\n' Package "$1" Architecture "$2" Version "$3" Maintainer nobody Description test >"$files/DEBIAN/control"
	[[ -z $4 ]] || echo "Depends: $4" >>"$files/DEBIAN/control"
	dpkg-deb -b "$files" "$dir/pool/$1=$3.deb" >/dev/null
	{ cat "$files/DEBIAN/control" && echo 'Size: 1000' && echo; } >>"$dir/packages"
	rm -rf "$files"
}

# fake_image RELEASE VERSION GCC: since 7.0 the image and the configuration have packages of their own.
fake_image() {
	local boot=$dir/files/boot modules=$dir/files/usr/lib/modules/$1

	if [[ $1 == 6.* ]]; then
		mkdir -p "$boot" && echo image >"$boot/vmlinuz-$1"
		echo "CONFIG_CC_VERSION_TEXT=\"x86_64-linux-gnu-gcc-$3 (Debian)\"" >"$boot/config-$1"
		fake_package "linux-image-$1" amd64 "$2" ''
		return
	fi
	mkdir -p "$modules" && fake_package "linux-image-$1" amd64 "$2" "linux-binary-$1 (= $2)"
	mkdir -p "$modules" && echo image >"$modules/vmlinuz"
	fake_package "linux-binary-$1" amd64 "$2" "linux-base-$1 (= $2)"
	mkdir -p "$modules" && echo "CONFIG_CC_VERSION_TEXT=\"x86_64-linux-gnu-gcc-$3 (Debian)\"" >"$modules/config"
	fake_package "linux-base-$1" amd64 "$2" ''
}

# fake_kernel RELEASE VERSION GCC
fake_kernel() {
	local usr=$dir/files/usr

	fake_image "$@"
	mkdir -p "$usr/src/linux-headers-$1" && echo "include /usr/src/common/Makefile" >"$usr/src/linux-headers-$1/Makefile"
	printf '%s\n' "ifneq (\$(DEB_BUILD_ARCH),\$(DEB_HOST_ARCH))" 'override CROSS_COMPILE = x86_64-linux-gnu-' endif \
		>"$usr/src/linux-headers-$1/.kernelvariables"
	fake_package "linux-headers-$1" amd64 "$2" "linux-headers-${1%%-*}-common (= $2), linux-kbuild-${1%%-*}, other | more"
	mkdir -p "$usr/src/common" && : >"$usr/src/common/Makefile"
	fake_package "linux-headers-${1%%-*}-common" all "$2" ''
	mkdir -p "$usr/lib/linux-kbuild-${1%%-*}" && cp /bin/echo "$usr/lib/linux-kbuild-${1%%-*}/modpost"
	fake_package "linux-kbuild-${1%%-*}" amd64 "$2" 'libc6 (>= 2.38)'
}

# fake_libraries NAME: libc6 with this machine's libraries, and NAME, which needs it.
fake_libraries() {
	local libraries=$dir/files/usr/lib/x86_64-linux-gnu

	mkdir -p "$libraries" && cp -L /lib64/ld-linux-x86-64.so.2 /lib/x86_64-linux-gnu/libc.so.6 "$libraries/"
	fake_package libc6 amd64 1 ''
	fake_package "$1" amd64 1 'libc6 (>= 1)'
}

fake_compiler() {
	local usr=$dir/files/usr

	mkdir -p "$usr/bin" && cp /bin/echo "$usr/bin/x86_64-linux-gnu-gcc-99"
	fake_package gcc-99-x86-64-linux-gnu amd64 1 'libc6, binutils-x86-64-linux-gnu'
	mkdir -p "$usr/bin" && cp /bin/echo "$usr/bin/x86_64-linux-gnu-ld"
	fake_package binutils-x86-64-linux-gnu amd64 1 libc6
}

# fake_suite SUITE: it has the packages that were made since the last one.
fake_suite() {
	mkdir -p "$dir/suites"
	mv "$dir/packages" "$dir/suites/mirror_dists_$1_main_binary-amd64_Packages"
}

# As apt-get does, it fails if a suite is missing and updates the others.
fake_apt() {
	mkdir -p "$dir/bin"
	cat >"$dir/bin/apt-get" <<-'END'
	#!/bin/bash
	fake=${0%/bin/*} state= all=$*
	for word; do
		[[ $word != */apt.conf ]] || state=${word%/*}
	done
	case $all in
	*' update')
		echo update >>"$fake/updates"
		[[ ! -e $fake/slow ]] || sleep 2
		[[ ! -e $fake/offline ]] || exit 100
		cp "$fake"/suites/* "$state/lists/"
		exit 100
		;;
	*' download '*)
		for word in ${all##* download }; do
			file=${word%%:*}=${word#*=}.deb
			cp "$fake/pool/$file" . || { echo "E: 404 Not Found: $word"; exit 100; }
		done
		;;
	esac
	END
	printf '#!/bin/sh\n' | tee "$dir/bin/x86_64-linux-gnu-gcc-12" >"$dir/bin/x86_64-linux-gnu-ld"
	chmod +x "$dir/bin"/*
}

# kernel COMMAND...
kernel() {
	run env PATH="$dir/bin:$PATH" POCKETMM_CACHE="$dir/cache" POCKETMM_MIRROR=http://mirror \
		sh -c 'umask 077 && exec "$@"' sh "$top/scripts/kernel" "$@"
}

# The index is read again, as if it were old.
time_passes() {
	rm -f "$dir"/cache/apt/{index,tried}
}

names_and_suites() {
	kernel show 6.12-clod
	is 'an unknown name is an error' "$status:${out%% (*}" "1:kernel: no kernel is called '6.12-clod'"
	kernel show 6.12-cloud
	is 'a kernel is fetched though a suite is missing' "$status" 0
	has 'the missing ones are named' "$out" 'does not carry bookworm-backports, trixie-backports, sid'
	has 'the release that is preferred for 6.12' "$out" 'release=6.12.5+deb12-cloud-amd64'
	has 'the compiler of this machine' "$out"$'\n' $'\npath=\n'
	kernel show 7.3-cloud
	is 'a kernel that only a missing suite has: one line' "$status:$out" \
		'3:kernel: cannot find or fetch 7.3-cloud (the mirror, http://mirror, lacks: bookworm-backports trixie-backports sid bookworm-security trixie-security)'
	kernel show newest-arm64
	is 'nor is there any of an architecture' "${out%% (*}" 'kernel: cannot find any kernel'
	kernel show newest-cloud
	has 'the newest of all' "$out" 'release=7.0.1+deb13-cloud-amd64'
	is 'and its image, from the packages of today' "$(cat "$(sed -n 's/^image=//p' <<<"$out")")" image
	kernel list
	has 'the newest in the list' "$out" $'\n6.12-cloud 6.12.5+deb12-cloud-amd64\n'
}

# The Makefile names the kernels of its tiers, each in one list.
all_are_tested() {
	# shellcheck disable=SC2016 # make's variables
	is 'each kernel has its tiers' \
		"$(make -s --no-print-directory -C "$top" --eval 'tested:; @echo $(in_full) $(in_short) $(in_smoke)' tested |
			tr ' ' '\n' | sort)" \
		"$("$top/scripts/kernel" names | tr ' ' '\n' | grep -vE '^newest|-debug$|-kcsan$' | sort)"
}

compilers() {
	local path tree

	kernel show 6.12-cloud@trixie
	has 'the same name, of another release' "$out" 'release=6.12.10+deb13-cloud-amd64'
	path=$(sed -n 's/^path=//p' <<<"$out")
	is 'a compiler that this machine lacks is fetched, and runs by its own libraries' \
		"$("$path/x86_64-linux-gnu-gcc-99" -c file.c)" "-B${path%/bin}/plain/ -c file.c"
	tree=$(sed -n 's/^build=//p' <<<"$out")
	is 'the programs of kbuild do' "$("${tree%/src/*}/lib/linux-kbuild-6.12.10+deb13/modpost" -x)" -x
	lacks 'on every host' "$(cat "$tree/.kernelvariables")" ifneq
	has 'the headers take it' "$(cat "$tree/.kernelvariables")" ",,$path/)x86_64"
}

# An archive that moves on.
versions() {
	local pool=$dir/pool

	fake_kernel 6.12.6+deb12-cloud-amd64 6.12.6-1 12
	cat "$dir/packages" >>"$dir/suites/mirror_dists_bookworm_main_binary-amd64_Packages" && rm "$dir/packages"
	mv "$pool" "$pool.away"
	time_passes
	kernel show 6.12-cloud
	is 'a version that left the archive is taken from the cache' "$status" 0
	has 'with a message' "$out" 'from the cache: the archive has none that can be fetched'
	has 'and is the one that was there' "$out" 'release=6.12.5+deb12-cloud-amd64'
	mv "$pool.away" "$pool"
	kernel show 6.12-cloud
	has 'a newer one is picked up' "$out" 'release=6.12.6+deb12-cloud-amd64'
}

# What came and is not as expected is no kernel that is missing.
drift() {
	fake_kernel 6.12.7+deb12-cloud-amd64 6.12.7-1 12
	mkdir -p "$dir/files/usr/src/linux-headers-6.12.7+deb12-cloud-amd64" && cd "$dir/files/usr/src"/linux-headers-6.12.7* &&
		echo 'include /usr/src/common/Makefile' >Makefile && : >.kernelvariables
	cd "$top" && sed -i '/^Package: linux-headers-6.12.7+deb12-cloud/,/^$/d' "$dir/packages"
	fake_package linux-headers-6.12.7+deb12-cloud-amd64 amd64 6.12.7-1 \
		'linux-headers-6.12.7+deb12-common (= 6.12.7-1), linux-kbuild-6.12.7+deb12'
	cp "$dir/suites/mirror_dists_bookworm_main_binary-amd64_Packages" "$dir/before"
	cat "$dir/packages" >>"$dir/suites/mirror_dists_bookworm_main_binary-amd64_Packages" && rm "$dir/packages"
	time_passes
	kernel show 6.12-cloud
	is 'a kernel with headers of another kind is an error, whatever the cache has' "$status:${out##*$'\n'}" \
		'1:kernel: the headers of 6.12.7+deb12-cloud-amd64 name no compiler'
	mv "$dir/before" "$dir/suites/mirror_dists_bookworm_main_binary-amd64_Packages"
	time_passes
	kernel list
}

# With a cache of its own.
new_cache() {
	local first cache=$dir/cache

	rm -rf "$dir/cache.away" && mv "$cache" "$dir/cache.away"
	touch "$dir/offline"
	kernel show 6.12-cloud
	is 'an archive that cannot be reached is an error' "$status:${out##*$'\n'}" '1:kernel: cannot find or fetch 6.12-cloud'
	rm "$dir/offline" "$dir/updates"
	touch "$dir/slow"
	sleep 7
	kernel show 6.12-cloud >"$dir/first" 2>&1 &
	first=$!
	for _ in {1..50}; do [[ -e $dir/updates ]] || sleep 0.1; done
	kernel show 6.12-cloud
	is 'who comes while the first index is made waits for it' "$status:$(cat "$dir/updates")" 0:update
	wait "$first"
	rm "$dir/slow"
	cp "$dir/suites/mirror_dists_bookworm_main_binary-amd64_Packages" "$cache/apt/lists/gone_dists_bookworm_main_binary-amd64_Packages"
	rm -f "$cache"/apt/{index,tried}
	kernel show 6.12-cloud
	is 'the lists of another mirror do no harm' "$status" 0
	rm -rf "$cache" && mv "$dir/cache.away" "$cache"
}

corruption() {
	local tree

	tree=$(echo "$dir"/cache/kernels/6.12-cloud/6.12.6*)
	echo >"$tree/boot/vmlinuz-6.12.6+deb12-cloud-amd64"
	kernel show 6.12-cloud
	has 'a tree that lost something is fetched again' "$status:$out" '0:kernel: fetching 6.12.6'
	is 'and is whole' "$(<"$tree/boot/vmlinuz-6.12.6+deb12-cloud-amd64")" image
	is 'nothing is left behind' "$(compgen -G "$dir/cache/fetch.*")" ''
}

# unprivileged COMMAND...: root may write everywhere.
unprivileged() {
	if ((EUID)); then
		"$@"
	else
		setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
	fi
}

read_only() {
	local before

	chmod 755 "$dir" && chmod -R a-w "$dir/cache"
	before=$(find "$dir/cache" -printf '%p %T@\n' | sort)
	kernel() {
		run unprivileged env HOME=/nonexistent PATH="$dir/bin:$PATH" POCKETMM_CACHE="$dir/cache" "$top/scripts/kernel" "$@"
	}
	kernel show 6.12-cloud
	has 'a cache that is read-only serves what it has' "$status:$out" '0:name=6.12-cloud'
	find "$dir/cache/apt" -name index -exec chmod u+w {} + -exec touch -d '1 year ago' {} +
	before=$(find "$dir/cache" -printf '%p %T@\n' | sort)
	kernel show 6.12-cloud
	has 'with an old index, too' "$status:$out" '0:name=6.12-cloud'
	kernel show 6.1-cloud
	is 'what it lacks is an error of one line' "$status:${out%%, which*}" "1:kernel: no intact 6.1-cloud in $dir/cache"
	is 'nothing is written' "$(find "$dir/cache" -printf '%p %T@\n' | sort)" "$before"
	chmod -R u+w "$dir/cache"
}

test_kernels() {
	fake_libraries libelf1
	fake_kernel 6.12.4+deb12-cloud-amd64 6.12.4-1 12
	fake_kernel 6.12.5+deb12-cloud-amd64 6.12.5-1 12
	fake_suite bookworm
	fake_libraries libelf1t64
	fake_kernel 6.12.10+deb13-cloud-amd64 6.12.10-1 99
	fake_kernel 7.0.1+deb13-cloud-amd64 7.0.1-1 12
	fake_compiler
	fake_suite trixie
	fake_apt
	names_and_suites
	all_are_tested
	compilers
	versions
	drift
	corruption
	new_cache
	read_only
}

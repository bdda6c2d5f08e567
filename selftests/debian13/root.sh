# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of run
#
# Root directories of Debian 13, or of $suite, as bare as its container images.
# mmdebstrap makes one archive in the cache, from the mirror that the host's apt uses,
# and each root is unpacked from it, next to it.  Mounts in a root belong to a namespace
# of its own, and are gone with the last process there, however that ends.

readonly VARIANT=minbase

# archive_of_root: prints the archive's path, and makes the archive if it is missing.
archive_of_root() {
	local file new

	file=$roots/$suite-$(host_architecture)-$(echo "$VARIANT $(mirror)" | cksum | cut -d ' ' -f 1).tar
	if [[ ! -s $file ]]; then
		new=$roots/new.tar
		say "bootstrapping $suite from $(mirror)"
		mmdebstrap --quiet --variant=$VARIANT --keyring="$(keyring)" "$suite" "$new" "$(mirror)" >&2 &&
			mv "$new" "$file" || return 1
	fi
	echo "$file"
}

# new_root NAME: sets $root.
new_root() {
	local archive

	archive=$(archive_of_root) || return 1
	root=$work/$1
	mkdir "$root" && tar -xf "$archive" -C "$root" --exclude='./dev/*' || return 1
	# The network is set up as on the host, and dpkg does not wait for a disk.
	cp /etc/hosts /etc/resolv.conf "$root/etc/"
	apt-config dump | grep -E '^Acquire::[a-z]+::Proxy' >"$root/etc/apt/apt.conf.d/proxy"
	echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
	mkdir -p "$root$cache" "$roots/packages/partial"
}

# put_sources ROOT DIRECTORY: a clone of the last commit, with the files as they are now.
put_sources() {
	git clone -q --depth 1 "file://$top" "$1$2" || return 1
	(cd "$top" && git ls-files -z --cached --others --exclude-standard --deduplicate | while read -r -d '' file; do
		[[ ! -e $file ]] || printf '%s\0' "$file"
	done | tar -c --null -T -) | tar -x -C "$1$2"
}

# enter ROOT COMMAND...: runs it there as root, with the variables in $environment, and no longer
# than this script runs.
enter() {
	local status

	# shellcheck disable=SC2016 # for that shell
	setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child sh -c '
		root=$1 cache=$2 packages=$3
		shift 3
		mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount -t tmpfs tmpfs "$root/run" &&
			mount --bind "$cache" "$root$cache" && mount --bind "$packages" "$root/var/cache/apt/archives" &&
			exec chroot "$root" env -i "$@"' sh "$1" "$cache" "$roots/packages" \
		HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		POCKETMM_CACHE="$cache" ${POCKETMM_MIRROR+POCKETMM_MIRROR="$POCKETMM_MIRROR"} \
		"${environment[@]}" "${@:2}" </dev/null &
	inmate=$!
	wait $inmate
	status=$?
	inmate=
	return $status
}

# leave: ends the processes that still run in a root.  They die with the first of them, a little later.
leave() {
	[[ -n ${inmate-} ]] || return 0
	kill -KILL "$inmate" 2>/dev/null && sleep 2
	wait "$inmate" 2>/dev/null
}

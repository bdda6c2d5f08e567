# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of run
#
# Machines that do not run Debian: each script says in one line what to do, and none
# calls an apt-get that knows other packages.  And arm64 machines, as far as another
# machine can test that.

# system_bin NAME LEFT_OUT...: a directory with this machine's programs, except for those left out.
system_bin() {
	local to=$dir/$1 program
	shift

	mkdir -p "$to" && cp -rs /usr/bin/. /bin/. /usr/sbin/. "$to" 2>/dev/null
	for program; do
		rm -f "${to:?}/$program"
	done
}

# on_system FILE COMMAND...: runs it with that os-release, the programs in $system, and an empty cache.
on_system() {
	# shellcheck disable=SC2016 # for that shell
	apart sh -c 'mount --bind "$1" /etc/os-release && shift && exec "$@"' sh "$1" \
		env PATH="$system" HOME="$dir" POCKETMM_CACHE="$dir/no-cache" "${@:2}"
}

# one_line NAME FILE COMMAND...: it must fail, and say in one line that a container is the way.
one_line() {
	local name=$1
	shift

	on_system "$@"
	out=$(grep -v '^make: \*\*\*' <<<"$out")
	if [[ $status != 0 && $out == *'docker build -f Containerfile -t pocketmm . '* && $out != *$'\n'* ]]; then
		ok "$name"
	else
		not_ok "$name" "exit status $status, expected one other than 0, and one line with docker build" "$out"
	fi
}

other_systems() {
	local system=$dir/fedora-bin fedora=$dir/fedora ubuntu=$dir/ubuntu

	printf '%s\n' 'ID=fedora' 'PRETTY_NAME="Fedora Linux 44"' >"$fedora"
	printf '%s\n' 'ID=ubuntu' 'ID_LIKE=debian' 'PRETTY_NAME="Ubuntu 26.04 LTS"' >"$ubuntu"
	system_bin fedora-bin apt-get apt apt-cache dpkg dpkg-deb qemu-system-x86_64
	one_line 'setup without an apt-get' "$fedora" "$top/scripts/setup" vm
	has 'names the system' "$out" 'Fedora Linux 44'
	one_line 'so does its update' "$fedora" "$top/scripts/setup" --update
	one_line 'make demo' "$fedora" make --no-print-directory -C "$top" demo
	one_line 'kernel show' "$fedora" "$top/scripts/kernel" show 6.12-cloud
	one_line 'kernel list' "$fedora" "$top/scripts/kernel" list
	one_line 'kernel update' "$fedora" "$top/scripts/kernel" update
	one_line 'kernel source' "$fedora" "$top/scripts/kernel" source
	one_line 'kernel userland' "$fedora" "$top/scripts/kernel" userland arm64
	one_line 'vm' "$fedora" "$top/scripts/vm" -- true
	system=$dir/ubuntu-bin
	system_bin ubuntu-bin qemu-system-x86_64
	rm -f "$system/apt-get" && printf '%s\n' '#!/bin/sh' "echo called >>$dir/called" 'exit 1' >"$system/apt-get"
	chmod +x "$system/apt-get"
	one_line 'setup on Ubuntu' "$ubuntu" "$top/scripts/setup" vm
	one_line 'vm on Ubuntu' "$ubuntu" "$top/scripts/vm" -- true
	is 'its apt-get is not called' "$(cat "$dir/called" 2>&1)" "cat: $dir/called: No such file or directory"
}

# An older bash cannot even read the scripts, except for their beginning.
old_bash() {
	local script

	mkdir -p "$dir/old" && cp -r "$top/scripts" "$dir/old/"
	sed -i 's/BASH_VERSINFO\[0\] < 4/BASH_VERSINFO[0] < 99/' "$dir/old/scripts/debian.sh"
	for script in setup kernel vm; do
		run "$dir/old/scripts/$script" vm
		has "the bash of macOS: $script" "$status ${out//$'\n'/ LINE }" "1 $script: this is "
		lacks 'in one line' "$out" $'\n'
	done
}

# with_machine NAME COMMAND...
with_machine() {
	mkdir -p "$dir/machine-bin"
	printf '%s\n' '#!/bin/sh' "echo $1" >"$dir/machine-bin/uname"
	chmod +x "$dir/machine-bin/uname"
	run env PATH="$dir/machine-bin:$PATH" "${@:2}"
}

# arm64_machine: what the scripts would install on one that has nothing yet.
arm64_machine() {
	with_machine aarch64 bash -c ". $top/scripts/architecture.sh; default_kernel; purpose_for vm 7.3-cloud-arm64; purpose_for vm 7.3"
	is 'an arm64 machine has kernels and guests of its own' "$out" $'6.12-cloud-arm64\nvm\nvm-amd64'
	with_machine x86_64 bash -c ". $top/scripts/architecture.sh; default_kernel; purpose_for vm 7.3-cloud-arm64; purpose_for vm 7.3"
	is 'as has an amd64 one' "$out" $'6.12-cloud\nvm-arm64\nvm'
	mkdir -p "$dir/bare" && ln -sf /usr/bin/{bash,dirname,sort,env} "$dir/bare/"
	printf '%s\n' '#!/bin/sh' 'echo aarch64' >"$dir/bare/uname" && chmod +x "$dir/bare/uname"
	run env PATH="$dir/bare" bash "$top/scripts/setup" --missing vm vmtest
	has 'whose QEMU is that of arm64' "$out" 'qemu-system-arm'
	lacks 'and not that of amd64' "$out" 'x86'
	with_machine aarch64 "$top/scripts/vm" --help
	has 'scripts/vm says so' "$out" 'default 6.12-cloud-arm64'
}

test_hosts() {
	arm64_machine
	old_bash
	if can_mount; then
		other_systems
	else
		ok 'other systems # SKIP mounts are not allowed here'
	fi
}

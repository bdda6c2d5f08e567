# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of run
#
# scripts/doctor: a machine where nothing is in the way, made up in a directory,
# and then one thing at a time that is.

readonly FINE_RELEASE=6.12.9-amd64

# put PATH TEXT: into the machine.
put() {
	mkdir -p "$(dirname "$machine/$1")"
	printf '%b' "$2" >"$machine/$1"
}

# put_program NAME
put_program() {
	put "usr/bin/$1" '#!/bin/sh\n'
	chmod +x "$machine/usr/bin/$1"
}

# Large enough for 64M: 100 blocks of 2M and 200 of 4M.
fine_machine() {
	machine=$dir/machine
	rm -rf "$machine"
	put proc/sys/kernel/osrelease "$FINE_RELEASE\n"
	put proc/sys/kernel/arch 'x86_64\n'
	put proc/sys/kernel/modules_disabled '0\n'
	put proc/self/status 'Name:\tsh\nCapEff:\t000001ffffffffff\n'
	put proc/mounts 'debugfs /sys/kernel/debug debugfs rw,nosuid 0 0\n'
	put proc/filesystems 'nodev\tdebugfs\n\text4\n'
	put proc/meminfo 'MemTotal:        4000000 kB\nMemAvailable:    2000000 kB\n'
	put proc/buddyinfo 'Node 0, zone   Normal    1    2    3    4    5    6    7    8    9  100  200 \n'
	put sys/kernel/security/lockdown '[none] integrity confidentiality\n'
	put sys/module/module/parameters/sig_enforce 'N\n'
	put "lib/modules/$FINE_RELEASE/build/Makefile" ''
	put "lib/modules/$FINE_RELEASE/build/.config" 'CONFIG_CC_VERSION_TEXT="x86_64-linux-gnu-gcc-12 (Debian) 12"\n'
	put_program x86_64-linux-gnu-gcc-12
	put_program gcc
	put_program make
}

doctor() {
	run "$top/scripts/doctor" --root "$machine" "$@"
}

# in_the_way NAME FINDING WAY [OPTION]...: one finding is BAD, with the way out.
in_the_way() {
	local name=$1 finding=$2 way=$3
	shift 3

	doctor "$@"
	if ((status == 1)) && [[ $(grep -A 1 '^BAD' <<<"$out") == "BAD   "*"$finding"*'-> '*"$way"* ]] &&
	   [[ $(grep -c ^BAD <<<"$out") == 1 && $out == *'1 in the way'* ]]; then
		ok "$name is in the way"
	else
		not_ok "$name is in the way" "exit status $status, expected 1 and '$finding', '$way', alone" "$out"
	fi
	fine_machine
}

# worth_noting NAME FINDING [OPTION]...: it is no obstacle.
worth_noting() {
	local name=$1 finding=$2
	shift 2

	doctor "$@"
	if ((status == 0)) && [[ $(grep '^note' <<<"$out") == *"$finding"* ]]; then
		ok "$name is noted, and no more"
	else
		not_ok "$name is noted, and no more" "exit status $status, expected 0 and '$finding'" "$out"
	fi
	fine_machine
}

doctor_on_fine_machines() {
	fine_machine
	doctor
	is 'nothing is in the way of a machine that has all' "$status: ${out##*$'\n'}" '0: 0 in the way, 0 to be noted'
	is 'and each concern has its line' "$(sed -n 's/^ok *\([a-z]*\) .*/\1/p' <<<"$out" | paste -sd' ')" \
		'kernel rights headers compiler debugfs signing lockdown room module'
	mkdir -p "$machine/sys/module/pocketmm/parameters"
	put sys/module/pocketmm/parameters/era '2.4\n'
	put sys/module/pocketmm/parameters/chunk '8M\n'
	rm -r "${machine:?}/lib" "${machine:?}/usr"
	worth_noting 'no headers where the module is loaded' 'not needed, because the module is loaded'
	put "lib/modules/$FINE_RELEASE/updates/dkms/pocketmm.ko" 'x'
	rm -r "$machine/lib/modules/$FINE_RELEASE/build"
	worth_noting 'no headers where the module is built' 'not needed, because there is'
}

doctor_on_kernels() {
	put proc/sys/kernel/arch 'riscv64\n'
	in_the_way 'another architecture' 'x86-64 and arm64 alone' 'another machine'
	put proc/sys/kernel/osrelease '5.10.0-8-amd64\n'
	mv "$machine/lib/modules/$FINE_RELEASE" "$machine/lib/modules/5.10.0-8-amd64"
	in_the_way 'a kernel that is too old' 'older than 6.1' 'boot a newer kernel'
	put proc/sys/kernel/osrelease '7.99.2\n'
	mv "$machine/lib/modules/$FINE_RELEASE" "$machine/lib/modules/7.99.2"
	worth_noting 'a kernel that is too new' 'newer than 7.3'
	rm -r "${machine:?}/lib"
	in_the_way 'a lack of headers' "none for $FINE_RELEASE" "apt-get install linux-headers-$FINE_RELEASE"
	rm -r "${machine:?}/lib"
	put_program dnf
	in_the_way 'the same where dnf is' "none for $FINE_RELEASE" "dnf install kernel-devel-$FINE_RELEASE"
	rm -r "$machine/lib/modules/$FINE_RELEASE/build"
	ln -s /nowhere "$machine/lib/modules/$FINE_RELEASE/build"
	in_the_way 'a link to headers that are gone' 'leads nowhere' "linux-headers-$FINE_RELEASE"
	rm "$machine/usr/bin/x86_64-linux-gnu-gcc-12"
	in_the_way "a lack of the kernel's compiler" 'missing: x86_64-linux-gnu-gcc-12' 'apt-get install gcc-12'
	rm "$machine/usr/bin/make"
	in_the_way 'a lack of make' 'missing: make' 'apt-get install make'
}

doctor_on_rights() {
	put proc/self/status 'CapEff:\t0000000000000000\n'
	in_the_way 'a user who is not root' 'may not load modules' 'sudo -s'
	put proc/self/status 'CapEff:\t00000000a80425fb\n'
	in_the_way 'root in a container' 'may not load modules' 'sudo -s'
	put proc/self/status 'CapEff:\t0000000000010000\n'
	in_the_way 'a lack of CAP_SYS_ADMIN' 'no CAP_SYS_ADMIN' 'outside of any container'
	put proc/sys/kernel/modules_disabled '1\n'
	in_the_way 'modules_disabled' 'switched off for good' 'reboot'
	put proc/mounts 'proc /proc proc rw 0 0\n'
	in_the_way 'debugfs that is not mounted' 'not mounted' 'mount -t debugfs debugfs /sys/kernel/debug'
	put proc/mounts 'proc /proc proc rw 0 0\n'
	put proc/filesystems '\text4\n'
	in_the_way 'a kernel without debugfs' 'the kernel has none' 'boot another kernel'
}

doctor_on_signing() {
	local variable=sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c

	put $variable '\006\000\000\000\001'
	in_the_way 'Secure Boot' 'Secure Boot is on: the module has to be signed' 'mokutil --import'
	put $variable '\006\000\000\000\000'
	doctor
	is 'Secure Boot that is off is not' "$status" 0
	put sys/module/module/parameters/sig_enforce 'Y\n'
	in_the_way 'module.sig_enforce' 'module.sig_enforce is set' 'mokutil --import'
	put $variable '\006\000\000\000\001'
	put signed.ko 'code~Module signature appended~\n'
	worth_noting 'a module that is signed' 'signed.ko is signed' --module "$machine/signed.ko"
	put $variable '\006\000\000\000\001'
	put signed.ko 'code\n'
	in_the_way 'a module that is not' 'has to be signed' 'mokutil' --module "$machine/signed.ko"
	put sys/kernel/security/lockdown 'none [integrity] confidentiality\n'
	put signed.ko 'code~Module signature appended~\n'
	in_the_way 'lockdown, of a signed module,' 'the files command and mem cannot be opened' 'without lockdown=' \
		--module "$machine/signed.ko"
	rm "$machine/sys/kernel/security/lockdown"
	worth_noting 'lockdown that cannot be seen' 'cannot be seen'
}

doctor_on_room() {
	put proc/meminfo 'MemAvailable:      60000 kB\n'
	in_the_way 'too little memory' '58M available' 'chunk=23M'
	put proc/meminfo 'MemAvailable:      60000 kB\n'
	doctor --chunk 16M
	is 'for a smaller chunk it is enough' "$status" 0
	fine_machine
	put proc/buddyinfo 'Node 0, zone   Normal  9999    2    3    4    5    6    7    8    9  3    2 \n'
	worth_noting 'memory in small pieces' "14M are free in blocks of 2M and more: pages in use have to move"
	doctor --chunk 2T
	is 'a size that is none is refused' "$status" 2
	doctor --chunk
	is 'so is an option without its value' "$status" 2
	doctor --bogus
	is 'and an unknown one' "$status" 2
}

test_doctor() {
	doctor_on_fine_machines
	doctor_on_kernels
	doctor_on_rights
	doctor_on_signing
	doctor_on_room
	run "$top/scripts/doctor"
	is 'on this machine it comes to an end' \
		"$((status <= 1)) $(tail -n 1 <<<"$out" | sed 's/[0-9]*/N/; s/, [0-9]*/, N/')" \
		'1 N in the way, N to be noted'
}

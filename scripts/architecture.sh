# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Which architecture this machine has and which one a kernel has, by Debian's names.  Scripts
# that run guests or compile programs for them source this.

host_architecture() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	*) uname -m ;;
	esac
}

# architecture_of KERNEL: the name ends with it, or with it and the size of pages; names without
# one are of kernels for amd64.
architecture_of() {
	case $1 in
	*-arm64 | *-arm64[-@]*) echo arm64 ;;
	*) echo amd64 ;;
	esac
}

# compiler_for KERNEL: the compiler for programs that run on it.
compiler_for() {
	case $(architecture_of "$1") in
	amd64) echo x86_64-linux-gnu-gcc ;;
	arm64) echo aarch64-linux-gnu-gcc ;;
	esac
}

# purpose_for PURPOSE KERNEL: the purpose for this kernel, as scripts/setup calls it.
purpose_for() {
	local arch

	arch=$(architecture_of "$2")
	echo "$1$([[ $arch == "$(host_architecture)" ]] || echo "-$arch")"
}

# default_kernel: the one that is used where none is named, of this machine's own architecture.
default_kernel() {
	echo "6.12-cloud$([[ $(host_architecture) != arm64 ]] || echo -arm64)"
}

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Whether this machine runs Debian, whose packages the scripts use, and what to do if
# not.  Scripts that install or download packages source this, before anything that the
# bash 3.2 of macOS does not know.

# system_name: what this machine calls its system.
system_name() {
	# shellcheck source=/dev/null
	(. /etc/os-release && echo "${PRETTY_NAME:-$ID}") 2>/dev/null || uname -s
}

# on_debian: Ubuntu and others have an apt-get too, but not all the packages.
on_debian() {
	# shellcheck source=/dev/null
	command -v apt-get >/dev/null && (. /etc/os-release && [[ $ID == debian ]]) 2>/dev/null
}

# way_out: where there is no Debian, a container is the way.
way_out() {
	echo "this is $(system_name), not Debian; in a container: docker build -f Containerfile -t pocketmm . && docker run -it --rm pocketmm"
}

if ((BASH_VERSINFO[0] < 4)); then
	echo "${0##*/}: $(way_out)" >&2
	exit 1
fi

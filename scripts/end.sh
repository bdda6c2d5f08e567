# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# The end of what a script has started in the background: an interrupt does not reach
# it, and a signal to a process not its children.  scripts/record has a copy of its own.

# end_marked NAME=VALUE: ends all processes that were started with that in their environment;
# they are stopped first, so that they start no more.
end_marked() {
	for signal in STOP TERM CONT; do
		# shellcheck disable=SC2046 # numbers
		kill "-$signal" $(grep -lsxzF "$1" /proc/[0-9]*/environ | sed 's/[^0-9]//g') 2>/dev/null
	done
}

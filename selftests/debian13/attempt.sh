# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # log belongs to the scripts that source this
#
# The one way in which run and inside report a step.

# attempt NAME COMMAND...: its output is shown only if it fails.
attempt() {
	local name=$1 start=$SECONDS status
	shift

	"$@" >"$log" 2>&1 </dev/null
	status=$?
	if ((status == 0)); then
		echo "ok $name"
	else
		echo "not ok $name"
		{ echo "exit status $status"; tail -n 60 "$log"; } | cat -v | sed 's/^/# /'
	fi
	echo "# $((SECONDS - start)) s"
	return $status
}

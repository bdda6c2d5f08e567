# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Shows the progress of long work: 'WHAT: 12 of 98 steps, 3 min left', on one line
# of standard error that it overwrites.  If that is no terminal it prints nothing,
# so the scripts that source this need not check.
#
#	progress_begin WHAT TOTAL [UNIT]
#	progress_at N [NOTE]		N of the total are done
#	progress_end			remove the line
#	progress_say TEXT		show another line, while there is no total
#	progress_clear			clear the line before printing something else
#	progress_while PROBE COMMAND...	run the command; N is what PROBE prints meanwhile
#
# The time left is estimated from the time that the finished part took, once there
# is a finished part.

progress_what='' progress_total=0 progress_unit='' progress_since=0

progress_shown() {
	[[ -t 2 ]]
}

progress_say() {
	! progress_shown || printf '\r\e[K%s' "$*" >&2
}

progress_clear() {
	progress_say ''
}

progress_begin() {
	progress_what=$1 progress_total=$2 progress_unit=${3-} progress_since=$SECONDS
	progress_at 0
}

# If the total was too small, stop at the total.
progress_at() {
	local done=$1 of=$progress_total${progress_unit:+ $progress_unit}

	((done <= progress_total)) || done=$progress_total
	progress_say "$progress_what: $done of $of$(progress_left "$done")${2:+, $2}"
}

progress_end() {
	progress_clear
	progress_what='' progress_total=0
}

progress_left() {
	local left

	(($1 > 0 && SECONDS > progress_since)) || return 0
	left=$(((SECONDS - progress_since) * (progress_total - $1) / $1))
	if ((left < 60)); then
		echo ", $left s left"
	else
		echo ", $(((left + 59) / 60)) min left"
	fi
}

# progress_poll PROBE PID: for as long as that process lives.
progress_poll() {
	while kill -0 "$2" 2>/dev/null; do
		progress_at "$($1)"
		sleep 0.5
	done
}

# The poller is no child of this shell, because the command may be a function that waits for all of them.
progress_while() {
	local probe=$1 poller status
	shift

	progress_shown || { "$@"; return; }
	poller=$(progress_poll "$probe" $BASHPID >/dev/null & echo $!)
	"$@"
	status=$?
	while kill "$poller" 2>/dev/null; do sleep 0.02; done
	progress_clear
	return $status
}

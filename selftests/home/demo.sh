# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of run
#
# Tests of make demo: it holds, it fits a terminal, and what it claims are sentences.

# claims: each on one line.
claims() {
	awk '/^  ok / { if (claim) print claim; claim = $0; next }
	claim && /^     [^ ]/ { claim = claim " " $0; next }
	claim { print claim; claim = "" }
	END { if (claim) print claim }' <<<"$out"
}

test_demo() {
	run "$top/scripts/demo" --kernel "$kernel"
	is 'the demonstration holds' "$status" 0
	is 'it fits in 80 columns' "$(awk 'length > 80' <<<"$out")" ''
	is 'each claim is a sentence' "$(claims | grep -v '[.]$')" ''
	has 'all of them are seen' "$out" "$(claims | wc -l) claims, 0 failed"
	lacks 'what was seen stands in it' "$out" %
}

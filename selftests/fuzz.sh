#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Random bytes: to `command`, mutated commands among them, and to `mem` at all
# offsets.  Nothing may break, and afterwards all is free again.  The seed is
# printed; POCKETMM_FUZZ_SEED=N begins the same sequence once more.

. ./lib.sh

SECONDS_LONG=${POCKETMM_FUZZ_SECONDS:-$(quick 2 15)}

# In decimal, for a shell that knows no more than 63 bits.
new_seed() {
	od -A n -N 6 -t u8 /dev/urandom | tr -d ' '
}

scribble() {
	seed=${POCKETMM_FUZZ_SEED:-$(new_seed)}
	note "seed $seed"
	expect_log_begin
	log_mark
	done=$(./scribble "$SECONDS_LONG" "$seed")
	is "scribble $seed" "$?" 0
	note "$done"
	expect_log_end
}

# Each refusal is reported; any other line is an error.
clean_log() {
	is 'the log has nothing but refusals' "$(log_since | grep -vE \
		'(order-[0-9]+ allocation|vmalloc of [0-9]+ bytes) failed|free refused: |Trying to v(free|unmap)|iounmap|callbacks suppressed')" ''
}

did_something() {
	for what in accepted refused transfers mappings verdicts; do
		isnt "some were $what" "$(printf '%s\n' "$done" | tr ' ' '\n' | sed -n "s/^$what=//p")" 0
	done
}

plan 10
load chunk=$((1024 * PAGE)) window=$((2048 * PAGE))
scribble
clean_log
did_something
all_free
finish

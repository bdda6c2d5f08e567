#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# An assertion that is false.
# reported as: not ok 1 a false assertion

# shellcheck source=../lib.sh
. ./lib.sh

plan 1
load chunk=1M
is 'a false assertion' "$(lists)" 9:0
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# An assertion that holds with some parameters of the module and not with others.
# reported as: ^# failed: setting\.sh \[era=2\.6 pcp=0\]: not ok 1 half of a split block

# shellcheck source=../lib.sh
. ./lib.sh

plan 2
load chunk=1M pcp=0
is 'half of a split block' "$(param expand)" upper
is 'what the test says comes last' "$(param pcp)" 0
unload
finish

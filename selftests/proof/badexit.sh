#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# All is well but the exit status.
# reported as: not ok 1 selftests: pocketmm: badexit.sh # exit=1

# shellcheck source=../lib.sh
. ./lib.sh

plan 1
pass 'all is well'
exit 1

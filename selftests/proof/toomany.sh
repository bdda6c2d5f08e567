#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# More results than planned.
# reported as: planned 1, came 2

# shellcheck source=../lib.sh
. ./lib.sh

plan 1
pass 'planned'
pass 'not planned'
exit 0

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Nothing is wrong here: a run that reports this would report anything.

# shellcheck source=../lib.sh
. ./lib.sh

plan 2
load chunk=1M
is 'a true assertion' "$(lists)" 8:0
unload
pass 'and another'
finish

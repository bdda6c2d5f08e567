#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A module that is left loaded.
# reported as: left something behind

# shellcheck source=../lib.sh
. ./lib.sh

plan 1
load chunk=1M
pass 'and no unload'
exit 0

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A result that is missing in the middle.
# reported as: result 3 came where 2 was due

# shellcheck source=../lib.sh
. ./lib.sh

plan 2
echo 'ok 1 first'
echo 'ok 3 third'
exit 0

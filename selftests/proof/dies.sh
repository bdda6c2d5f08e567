#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A test that dies halfway through.
# reported as: planned 3, came 1

# shellcheck source=../lib.sh
. ./lib.sh

plan 3
pass 'still here'
kill -KILL $$
pass 'never seen'

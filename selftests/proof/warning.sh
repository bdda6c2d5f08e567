#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A misuse that the test does not know of: a line in the kernel log.
# reported as: left something behind

# shellcheck source=../lib.sh
. ./lib.sh

plan 1
load chunk=1M
cmd 'free page=0 order=0'
unload
pass 'the test itself is content'
finish

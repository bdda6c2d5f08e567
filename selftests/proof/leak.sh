#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Blocks and areas that are held at the end.
# reported as: left something behind

# shellcheck source=../lib.sh
. ./lib.sh

plan 1
load chunk=1M
must 'alloc order=2'
must 'vmalloc size=4096'
unload
pass 'the test itself is content'
finish

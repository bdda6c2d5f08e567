#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Loading and unloading: what it says in the log, and when it is refused.

. ./lib.sh

plan 3

log_mark
load chunk=4M
is 'fresh free lists' "$(lists)" '9:512,0'
unload
pass unloaded
is 'two lines' "$(log_since | wc -l)" 2
finish

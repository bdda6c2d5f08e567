#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A test that never ends.
# reported as: timed out

# shellcheck source=../lib.sh
. ./lib.sh

plan 2
pass 'about to hang'
sleep 1000
pass 'never seen'
finish

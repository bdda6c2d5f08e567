#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A machine that goes down halfway through.
# reported as: ^# failed: \(run\): the VM did not work

# shellcheck source=../lib.sh
. ./lib.sh

plan 1
pass 'all planned results are there'
reboot -f

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A warning of the kernel, as its log would have it.
# reported as: ^# failed: \(run\): splat in the kernel log

# shellcheck source=../lib.sh
. ./lib.sh

plan 1
echo 'WARNING: CPU: 0 PID: 1 at mm/pocketmm.c:1 proof+0x0/0x0' >/dev/kmsg
pass 'the test itself is content'
finish

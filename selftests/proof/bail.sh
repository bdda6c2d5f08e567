#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A step that a test builds upon fails.
# reported as: Bail out! alloc order=10: error EINVAL

# shellcheck source=../lib.sh
. ./lib.sh

plan 1
load chunk=1M
must 'alloc order=10'
pass 'never seen'

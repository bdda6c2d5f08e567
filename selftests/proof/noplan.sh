#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Results without a plan.
# reported as: no plan

# shellcheck source=../lib.sh
. ./lib.sh

echo 'TAP version 13'
echo 'ok 1 there is no plan'
exit 0

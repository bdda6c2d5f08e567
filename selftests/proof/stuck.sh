#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A machine that never ends: the test has switched its time limit off.
# reported as: ^# failed: \(run\): the VM timed out

# shellcheck source=../lib.sh
. ./lib.sh

plan 1
for pid in $(pidof timeout); do
	kill -STOP "$pid"
done
pass 'all planned results are there'
sleep 1000

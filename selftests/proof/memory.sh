#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Memory that does not come back: a file in memory stands for pages that are lost.
# reported as: not ok 1 lost, in kB

# shellcheck source=../lib.sh
. ./lib.sh

plan 1
before=$(mem_free)
mount -t tmpfs tmpfs /mnt || bail 'cannot mount'
head -c 8388608 /dev/zero >/mnt/lost
after=$(mem_free)
within 'lost, in kB' $((before - after)) -65536 4096
umount /mnt
finish

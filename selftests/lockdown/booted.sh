#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In a kernel that was booted with lockdown: the module carries no signature of a
# key that the kernel knows, so it is not loaded, whatever its parameters.

# shellcheck source=../lib.sh
. ./lib.sh

level=$(sed -n 's/.*lockdown=\([a-z]*\).*/\1/p' /proc/cmdline)
plan 7
mount -t securityfs securityfs /sys/kernel/security || bail 'no securityfs'
is 'the kernel is locked down' "$(grep -o '\[.*\]' /sys/kernel/security/lockdown)" "[$level]"
free_before=$(mem_free)
is 'insmod is refused' "$(insmod_with chunk=4M)" EPERM
is 'with bad parameters, too' "$(insmod_with chunk=1)" EPERM
[ ! -e /sys/module/pocketmm ]
is 'no module is there' $? 0
[ ! -e "$PMM" ]
is 'nor its files' $? 0
# Its pages wait on each CPU's lists, but only up to this limit: twenty copies would be 80 MB.
for _ in $(seq 20); do
	insmod_with chunk=4M >/dev/null
done
within 'twenty of them lose no memory, in kB' $((free_before - $(mem_free))) -65536 20480
# It says so ten times in five seconds at most, whatever it is about: the boot may have used them up.  There were 23
# refusals in all, over any number of such spans.
sleep 6
insmod_with chunk=4M >/dev/null
within 'the kernel says why, lines' "$(dmesg | grep -c 'Lockdown: .*unsigned module loading is restricted')" 1 23
finish

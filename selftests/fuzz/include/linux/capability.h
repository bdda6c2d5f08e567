/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/capability.h>: root has them all. */
#ifndef FUZZ_LINUX_CAPABILITY_H
#define FUZZ_LINUX_CAPABILITY_H

#include <linux/types.h>

#define CAP_SYS_RAWIO	17
#define CAP_SYS_ADMIN	21

static inline bool capable(int cap)
{
	return cap == CAP_SYS_ADMIN || cap == CAP_SYS_RAWIO;
}

#endif /* FUZZ_LINUX_CAPABILITY_H */

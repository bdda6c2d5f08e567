/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/version.h>: newer than any kernel, so host/compat.h has nothing to do. */
#ifndef UNIT_LINUX_VERSION_H
#define UNIT_LINUX_VERSION_H

#define KERNEL_VERSION(a, b, c)	(((a) << 16) + ((b) << 8) + (c))
#define LINUX_VERSION_CODE	KERNEL_VERSION(255, 0, 0)

#endif /* UNIT_LINUX_VERSION_H */

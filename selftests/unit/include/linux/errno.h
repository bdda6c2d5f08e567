/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/errno.h>, which the C library's <errno.h> includes under the same name. */
#ifndef UNIT_LINUX_ERRNO_H
#define UNIT_LINUX_ERRNO_H

#include_next <linux/errno.h>

#endif /* UNIT_LINUX_ERRNO_H */

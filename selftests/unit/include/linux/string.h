/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/string.h>: the C library's functions have the same names. */
#ifndef UNIT_LINUX_STRING_H
#define UNIT_LINUX_STRING_H

#include <string.h>

#endif /* UNIT_LINUX_STRING_H */

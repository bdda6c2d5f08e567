/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/ctype.h>: ASCII whatever the locale, and any char may be asked about. */
#ifndef UNIT_LINUX_CTYPE_H
#define UNIT_LINUX_CTYPE_H

#include <linux/types.h>

static inline int isdigit(int c)
{
	return c >= '0' && c <= '9';
}

static inline int tolower(int c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static inline int isxdigit(int c)
{
	return isdigit(c) || (tolower(c) >= 'a' && tolower(c) <= 'f');
}

#endif /* UNIT_LINUX_CTYPE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for <linux/string.h>: most of the C library's functions have the same names.
 */
#ifndef UNIT_LINUX_STRING_H
#define UNIT_LINUX_STRING_H

#include <stdio.h>
#include <string.h>

/* The first byte that is another. */
static inline void *memchr_inv(const void *start, int c, size_t len)
{
	const unsigned char *at = start, *end = at + len;

	while (at < end && *at == (unsigned char)c)
		at++;
	return at < end ? (void *)at : NULL;
}

static inline ssize_t strscpy(char *to, const char *from, size_t size)
{
	return snprintf(to, size, "%s", from);
}

#endif /* UNIT_LINUX_STRING_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/uaccess.h>: copied to the byte, so that ASan sees a step beyond it. */
#ifndef FUZZ_LINUX_UACCESS_H
#define FUZZ_LINUX_UACCESS_H

#include <linux/err.h>
#include <linux/slab.h>
#include <string.h>

static inline void *memdup_user_nul(const char *from, size_t len)
{
	char *to = kmalloc(len + 1, GFP_KERNEL);

	if (!to)
		return ERR_PTR(-ENOMEM);
	memcpy(to, from, len);
	to[len] = '\0';
	return to;
}

#endif /* FUZZ_LINUX_UACCESS_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/mm.h>. */
#ifndef UNIT_LINUX_MM_H
#define UNIT_LINUX_MM_H

#include <linux/kernel.h>
#include <linux/mm_types.h>

#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL
#define PAGE_ALIGN(x)		(((x) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))
#define PAGE_ALIGNED(x)		IS_ALIGNED((unsigned long)(x), PAGE_SIZE)

static inline int page_count(const struct page *page)
{
	return READ_ONCE(page->refcount);
}

#endif /* UNIT_LINUX_MM_H */

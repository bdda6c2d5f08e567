/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/mm_types.h>: a struct page with the fields that the core may use. */
#ifndef UNIT_LINUX_MM_TYPES_H
#define UNIT_LINUX_MM_TYPES_H

#include <linux/types.h>

struct page {
	struct list_head	lru;
	unsigned long		__folio_index;
	atomic_t		_refcount;
	bool			shim_cleared;	/* by clear_highpage(), and not handed out since */
#ifdef SHIM_PAGE_ALIGNED
} __attribute__((__aligned__(64)));	/* a cache line, as in the kernel */
#else
};
#endif

struct vm_area_struct;

typedef struct {
	unsigned long	pgprot;
} pgprot_t;

#endif /* UNIT_LINUX_MM_TYPES_H */

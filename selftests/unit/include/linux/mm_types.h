/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/mm_types.h>: a struct page with the fields that the core may use. */
#ifndef UNIT_LINUX_MM_TYPES_H
#define UNIT_LINUX_MM_TYPES_H

#include <linux/types.h>

/* As many flags as the core names, and one that a client may set. */
enum pageflags {
	PG_locked,
	PG_dirty,
	PG_owner_priv_1,
	PG_arch_1,
	PG_hwpoison,
	__NR_PAGEFLAGS,
};

#define PAGEFLAGS_MASK		((1UL << __NR_PAGEFLAGS) - 1)
#define CONFIG_MEMORY_FAILURE	1

struct page {
	struct {
		unsigned long	f;
	} flags;
	struct list_head	lru;
	unsigned long		__folio_index;
	unsigned long		private;
	void			*mapping;
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

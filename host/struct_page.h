/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the fields of struct page that are used, each behind accessors; no other file names
 * one. The kernel is about to remove them, and docs/porting.md says what to do then. The
 * accessors are inline because they are on every path; this compiles unchanged in user space.
 *
 * field           who uses it, and when
 * lru             the pool, while the page is the first of a free or parked block
 * __folio_index   the pool, for the caller that took or freed the block: its first page again
 * _refcount       the pool's own reference, from load to unload, and other holders' references
 * mapping,private nobody; but a client may have written there, and the kernel wants them clear
 */
#ifndef POCKETMM_STRUCT_PAGE_H
#define POCKETMM_STRUCT_PAGE_H

#include <linux/list.h>
#include <linux/mm.h>

#include "host/compat.h"

static __always_inline struct list_head *pmm_page_links(struct page *page)
{
	return &page->lru;
}

static __always_inline struct page *pmm_page_of_links(struct list_head *links)
{
	return container_of(links, struct page, lru);
}

/*
 * The caller that took a block, or freed it, is noted in its first page: the kernel uses that word
 * only for pages of a file or of anonymous memory, which these never are. A client that writes
 * there loses nothing but its name in the reports.
 */
static inline void pmm_set_page_caller(struct page *page, unsigned long caller)
{
	WRITE_ONCE(page->__folio_index, caller);
}

static inline unsigned long pmm_page_caller(const struct page *page)
{
	return READ_ONCE(page->__folio_index);
}

/*
 * Does anybody but the allocator hold a reference to this page? A plain read will do: any other
 * holder has held its reference since before the free.
 */
static __always_inline bool pmm_page_referenced(const struct page *page)
{
	/* A holder has held its reference since before the free. */
	return data_race(page->_refcount.counter) != 1;
}

#ifdef __KERNEL__
/* A client may have used these fields of a page. The kernel expects them to be clear. */
static inline void pmm_wipe_page(struct page *page)
{
	page->mapping = NULL;
	set_page_private(page, 0);
}
#endif

#endif /* POCKETMM_STRUCT_PAGE_H */

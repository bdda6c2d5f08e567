/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the fields of struct page that are used, each behind accessors; no other file names
 * one. The kernel is about to remove them, and docs/porting.md says what to do then. The
 * accessors are inline because they are on every path; this compiles unchanged in user space.
 *
 * field           who uses it, and when
 * lru             the pool, while the page is the first of a free or parked block
 * __folio_index   the pool, for the caller that took or freed the block: its first page again
 * _refcount       the pool's own references, from load to unload, and other holders' references
 * _mapcount       the kernel; read at unload
 * flags           the pool's mark, from load to unload; a client may have set others
 * mapping,private nobody; but a client may have written there, and the kernel wants them clear
 */
#ifndef POCKETMM_STRUCT_PAGE_H
#define POCKETMM_STRUCT_PAGE_H

#include <linux/atomic.h>
#include <linux/bitops.h>
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
 * The references that the pool itself has to each of its pages: so many that no client, however
 * often it drops one that is not its own, brings a page to 0 and so into the kernel's lists.
 */
#define PMM_PAGE_REFS		65536

/*
 * Each page of the pool is marked. The kernel's allocator clears the mark, as all flags, when a
 * page comes to it; a page in the swap cache may have the same flag.
 */
#define PMM_PAGE_MARK		BIT(PG_owner_priv_1)

/* The flags that no owner passes on to the next. Those of the zone and of the node stay. */
#define PMM_PAGE_UNCLEAN	(PAGEFLAGS_MASK & ~(PMM_PAGE_MARK | BIT(PG_arch_1) |	\
						    PMM_PG_ARCH_MORE))

/* Memory that has failed must neither be handed out nor be written to. */
#ifdef CONFIG_MEMORY_FAILURE
#define PMM_PAGE_BROKEN		BIT(PG_hwpoison)
#else
#define PMM_PAGE_BROKEN		0UL
#endif

static __always_inline unsigned long pmm_page_flags(const struct page *page)
{
	/* A flag that counts was set before the free. */
	return data_race(*pmm_flags_word(page));
}

static __always_inline int pmm_page_refs(const struct page *page)
{
	/* A holder has held its reference since before the free. */
	return data_race(page->_refcount.counter);
}

#ifdef __KERNEL__
/* Does a process have this page mapped? It is not a part of a folio. */
static inline bool pmm_page_is_mapped(const struct page *page)
{
	return atomic_read(&page->_mapcount) >= 0;
}
#endif

/* Does only the pool hold this page, and does no flag survive its owner? */
static __always_inline bool pmm_page_is_clean(const struct page *page)
{
	return pmm_page_refs(page) == PMM_PAGE_REFS && !(pmm_page_flags(page) & PMM_PAGE_UNCLEAN);
}

/* Is the page the pool's for certain, no reference of the pool's lost, and its memory good? */
static __always_inline bool pmm_page_is_whole(const struct page *page)
{
	return pmm_page_refs(page) >= PMM_PAGE_REFS &&
	       (pmm_page_flags(page) & (PMM_PAGE_MARK | PMM_PAGE_BROKEN)) == PMM_PAGE_MARK;
}

static __always_inline void pmm_set_page_flags(struct page *page, unsigned long clear,
					       unsigned long set)
{
	unsigned long *word = pmm_flags_word(page), old = READ_ONCE(*word);

	while (!try_cmpxchg(word, &old, (old & ~clear) | set))
		;
}

/* An owner may have used these fields of a page. The next one, and the kernel, want them clear. */
static inline void pmm_wipe_page(struct page *page)
{
	pmm_set_page_flags(page, PMM_PAGE_UNCLEAN & ~PMM_PAGE_BROKEN, 0);
	page->mapping = NULL;
	page->private = 0;
}

/* A page is handed out: the caller is noted, and the word that the last owner used is cleared. */
static __always_inline void pmm_take_page(struct page *page, unsigned long caller)
{
	pmm_set_page_caller(page, caller);
	page->private = 0;
}

#endif /* POCKETMM_STRUCT_PAGE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: questions about a page of the zone, and about its watermark. They are small and asked
 * on every path, so they are inline. Functions whose names begin with a double underscore run with
 * zone->lock held.
 */
#ifndef POCKETMM_PAGE_H
#define POCKETMM_PAGE_H

#include "host/struct_page.h"
#include "zone.h"

static inline unsigned long pmm_page_index(const struct pmm_zone *zone, const struct page *page)
{
	return page - zone->mem_map;
}

static inline bool pmm_page_in_zone(const struct pmm_zone *zone, const struct page *page)
{
	return pmm_page_index(zone, page) < zone->nr_pages;
}

/* The pages that must be left on the free lists after an allocation with these flags. */
static inline unsigned long pmm_reserve_for(const struct pmm_zone *zone, gfp_t gfp)
{
	if ((gfp & __GFP_MEMALLOC) && !(gfp & __GFP_NOMEMALLOC))
		return 0;
	if (gfp & __GFP_HIGH)
		return zone->pages_min / 4;
	return zone->pages_min;
}

/*
 * Pairs of blocks of this order that begin inside the zone; the last may lack its upper half, or
 * part of both.
 */
static inline unsigned long pmm_nr_pairs(const struct pmm_zone *zone, unsigned int order)
{
	return DIV_ROUND_UP(zone->nr_pages, 2UL << order);
}

/* How many blocks of this order the watermark allows. */
static __always_inline unsigned long __pmm_allowed(const struct pmm_zone *zone, gfp_t gfp,
						   unsigned int order)
{
	unsigned long reserve = unlikely(zone->pages_min) ? pmm_reserve_for(zone, gfp) : 0;

	return zone->free_pages > reserve ? (zone->free_pages - reserve) >> order : 0;
}

/* Small blocks are searched for a word that their owner left in a page other than the first. */
#define PMM_PRIVATE_ORDERS	4

/* One page of a block: false if somebody else holds it; its flags are added to @flags. */
static __always_inline bool pmm_page_adds(const struct page *page, unsigned long *flags)
{
	*flags |= pmm_page_flags(page);
	return pmm_page_refs(page) == PMM_PAGE_REFS;
}

static __always_inline bool pmm_pages_add(const struct page *page, unsigned long *flags)
{
	return pmm_page_adds(page, flags) && pmm_page_adds(page + 1, flags) &&
	       pmm_page_adds(page + 2, flags) && pmm_page_adds(page + 3, flags);
}

/* pmm_page_is_clean() of each page of a block. */
static __always_inline bool pmm_block_is_clean(const struct page *page, unsigned int order)
{
	const struct page *end = page + (1UL << order), *at = page;
	unsigned long flags = 0, words = 0;

	if (!order)
		return pmm_page_is_clean(page);
	if (order < PMM_PRIVATE_ORDERS) {
		for (; at < end; at++) {
			if (!pmm_page_adds(at, &flags))
				return false;
			words |= at->private;
		}
		return !(flags & PMM_PAGE_UNCLEAN) && !words;
	}
	for (; at < end; at += 16)
		if (!pmm_pages_add(at, &flags) || !pmm_pages_add(at + 4, &flags) ||
		    !pmm_pages_add(at + 8, &flags) || !pmm_pages_add(at + 12, &flags))
			return false;
	return !(flags & PMM_PAGE_UNCLEAN);
}

/*
 * What a block is that is to be freed, or that waits to be: ready if only the pool holds it,
 * broken if a page of it may be the kernel's, or is bad memory.
 */
enum pmm_block_holds {
	PMM_BLOCK_READY,
	PMM_BLOCK_HELD,
	PMM_BLOCK_BROKEN,
};

enum pmm_block_holds pmm_block_holds(const struct page *page, unsigned int order);

/* The lock is no longer held: report what has gone into quarantine. */
static inline void pmm_tell_quarantined(struct pmm_zone *zone)
{
	if (unlikely(READ_ONCE(zone->strays.nr)))
		pmm_report_quarantined(zone);
}

static __always_inline bool pmm_is_refusal(enum pmm_free_result result)
{
	return result > PMM_FREE_PARKED && result != PMM_FREE_QUARANTINED;
}

/* After a free, when the lock is no longer held: what is to be reported of it is. */
static __always_inline enum pmm_free_result pmm_end_free(struct pmm_zone *zone, struct page *page,
							 unsigned int order,
							 enum pmm_free_result result,
							 unsigned long caller)
{
	pmm_tell_quarantined(zone);
	if (unlikely(pmm_is_refusal(result)))
		pmm_refuse_free(zone, page, order, result, caller);
	return result;
}

bool __pmm_make_sound(struct pmm_zone *zone, struct page *page, unsigned int order);

/*
 * The references that show without a further look that nobody has touched a block since it was
 * freed. Of a small block every page is checked, for which this is a count that no page has; of a
 * larger one the first.
 */
static __always_inline int pmm_untouched_refs(unsigned int order)
{
	return order == 1 || order == 2 ? 0 : PMM_PAGE_REFS;
}

/* A block is about to be handed out. False if it goes into quarantine instead. */
static __always_inline bool __pmm_is_sound(struct pmm_zone *zone, struct page *page,
					   unsigned int order, int untouched)
{
	return likely(pmm_page_refs(page) == untouched) || __pmm_make_sound(zone, page, order);
}

#endif /* POCKETMM_PAGE_H */

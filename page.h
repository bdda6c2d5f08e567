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

static __always_inline bool pmm_block_referenced(const struct page *page, unsigned int order)
{
	const struct page *end = page + (1UL << order);

	if (order < 2)
		return pmm_page_referenced(page) || pmm_page_referenced(end - 1);
	for (; page < end; page += 4)
		if (pmm_page_referenced(page) || pmm_page_referenced(page + 1) ||
		    pmm_page_referenced(page + 2) || pmm_page_referenced(page + 3))
			return true;
	return false;
}

#endif /* POCKETMM_PAGE_H */

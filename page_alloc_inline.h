/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the fast paths of the page calls: a single page, from this CPU's list or to it.
 *
 * Both are always inline, because page_alloc.c's calls need them with constants of their own, the
 * order and the kind. As functions they would cost each of these calls a further call, and its
 * arguments. The slow ways are in page_alloc.c.
 */
#ifndef POCKETMM_PAGE_ALLOC_INLINE_H
#define POCKETMM_PAGE_ALLOC_INLINE_H

#include "host/gfp.h"
#include "internal.h"

/* page_alloc.c */
struct page *pmm_alloc_pages_slow(gfp_t gfp, unsigned int order, enum pmm_kind kind,
				  unsigned long caller);
enum pmm_free_result pmm_free_pages_slow(struct page *page, unsigned int order, enum pmm_kind kind,
					 unsigned long caller);

/* init_on_alloc=1, for which the slow way is: it takes from the per-CPU lists likewise. */
static __always_inline bool pmm_zeroes_all(const struct pmm_zone *zone)
{
	return READ_ONCE(zone->detour) & PMM_DETOUR_INIT_ALLOC;
}

static __always_inline struct page *pmm_alloc_pages_caller(gfp_t gfp, unsigned int order,
							   enum pmm_kind kind, unsigned long caller)
{
	struct page *page;
	u8 detour;

	if (likely(!order && !(gfp & PMM_GFP_SLOW))) {
		detour = READ_ONCE(pmm_zone.detour);
		if (likely(!(detour & PMM_DETOUR_PCP_ALLOC))) {
			page = pmm_pcp_alloc(&pmm_zone, 0, kind, caller);
			if (likely(page))
				return page;
		} else if (!pmm_zone.pcp && !(detour & PMM_DETOUR_INIT_ALLOC)) {
			return pmm_zone_alloc_page(&pmm_zone, gfp, kind, caller);
		}
	}
	if ((order < PMM_PCP_ORDERS && pmm_zone.pcp) || gfp & PMM_GFP_SLOW ||
	    pmm_zeroes_all(&pmm_zone))
		return pmm_alloc_pages_slow(gfp, order, kind, caller);
	return pmm_zone_alloc(&pmm_zone, gfp, order, kind, caller);
}

static __always_inline enum pmm_free_result pmm_free_block_caller(struct page *page,
								  unsigned int order,
								  enum pmm_kind kind,
								  unsigned long caller)
{
	if (likely(!order && pmm_pcp_free(&pmm_zone, page, 0, kind, caller, false)))
		return PMM_FREE_OK;
	if (order < PMM_PCP_ORDERS && pmm_zone.pcp)
		return pmm_free_pages_slow(page, order, kind, caller);
	if (!order)
		return pmm_zone_free_page(&pmm_zone, page, kind, caller);
	return pmm_zone_free(&pmm_zone, page, order, kind, caller);
}

#endif /* POCKETMM_PAGE_ALLOC_INLINE_H */

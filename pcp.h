/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the fast paths of the per-CPU lists, for the two callers that they are worth inlining
 * into (page_alloc.c). The rest, and the locking rule, are in pcp.c.
 */
#ifndef POCKETMM_PCP_H
#define POCKETMM_PCP_H

#include "internal.h"

/*
 * This CPU's lists, or NULL: where there are none, and while somebody else looks at them. A caller
 * that gets NULL goes to the zone instead, so nobody waits here.
 */
static __always_inline struct pmm_pcp *pmm_pcp_trylock(const struct pmm_zone *zone,
						       unsigned long *flags)
{
	struct pmm_pcp *pcp;

	if (!zone->pcp)
		return NULL;
	local_irq_save(*flags);
	pcp = this_cpu_ptr(zone->pcp);
	if (likely(!test_and_set_bit_lock(0, &pcp->lock)))
		return pcp;
	local_irq_restore(*flags);
	return NULL;
}

static __always_inline void pmm_pcp_unlock(struct pmm_pcp *pcp, unsigned long flags)
{
	__clear_bit_unlock(0, &pcp->lock);
	local_irq_restore(flags);
}

/* The slot of an entry: each order's part of the ring is half as long as the one before. */
static __always_inline u32 *pmm_pcp_slot(struct pmm_pcp *pcp, unsigned int order, unsigned int n)
{
	unsigned int size = PMM_PCP_RING >> order;

	return &pcp->ring[2 * PMM_PCP_RING - 2 * size + (n & (size - 1))];
}

/**
 * pmm_pcp_alloc() - take a block from this CPU's list
 * @zone: the zone
 * @gfp: which watermark holds
 * @order: below PMM_PCP_ORDERS
 * @caller: who asks
 *
 * Context: Any, hard interrupts included; takes no shared lock.
 * Return: The block, or NULL when the list is empty, busy or absent, or the watermark is near.
 */
static __always_inline struct page *pmm_pcp_alloc(struct pmm_zone *zone, gfp_t gfp,
						  unsigned int order, unsigned long caller)
{
	struct pmm_pcp_list *list;
	struct pmm_pcp *pcp;
	struct page *page;
	unsigned long flags;
	u32 index;

	if (unlikely(zone->pages_min) &&
	    READ_ONCE(zone->free_pages) < (1UL << order) + pmm_reserve_for(zone, gfp))
		return NULL;
	pcp = pmm_pcp_trylock(zone, &flags);
	if (unlikely(!pcp))
		return NULL;
	list = &pcp->list[order];
	if (unlikely(list->top == list->bottom)) {
		pmm_pcp_unlock(pcp, flags);
		return NULL;
	}
	index = *pmm_pcp_slot(pcp, order, --list->top);
	WRITE_ONCE(zone->state[index], PMM_STATE(PMM_USED, order));
	pcp->allocations++;
	pmm_pcp_unlock(pcp, flags);
	page = zone->mem_map + index;
	pmm_set_page_caller(page, caller);
	return page;
}

/**
 * pmm_pcp_free() - put a block on this CPU's list
 * @zone: the zone
 * @page: the block's first page, whatever the caller says it is
 * @order: below PMM_PCP_ORDERS
 *
 * The state byte is claimed atomically, so that of two frees of a block on two CPUs one fails.
 *
 * Context: Any, hard interrupts included; takes no shared lock.
 * Return: false when the zone has to look at it: the list is full, busy or absent, the block is
 * still referenced or others wait for it, or this is misuse.
 */
static __always_inline bool pmm_pcp_free(struct pmm_zone *zone, struct page *page,
					 unsigned int order)
{
	unsigned long flags, index = pmm_page_index(zone, page), i;
	struct pmm_pcp_list *list;
	struct pmm_pcp *pcp;
	bool ok = false;

	if (unlikely(index >= zone->nr_pages) || unlikely(zone->nr_parked))
		return false;
	for (i = 0; i < 1UL << order; i++)
		if (unlikely(page_ref_count(page + i) != 1))
			return false;
	pcp = pmm_pcp_trylock(zone, &flags);
	if (unlikely(!pcp))
		return false;
	list = &pcp->list[order];
	if (likely(list->top - list->bottom < zone->pcp_high >> order) &&
	    likely(cmpxchg(&zone->state[index], PMM_STATE(PMM_USED, order),
			   PMM_STATE(PMM_PCP, order)) == PMM_STATE(PMM_USED, order))) {
		*pmm_pcp_slot(pcp, order, list->top++) = index;
		pcp->frees++;
		ok = true;
	}
	pmm_pcp_unlock(pcp, flags);
	return ok;
}

#endif /* POCKETMM_PCP_H */

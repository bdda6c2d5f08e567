/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the fast paths of the per-CPU lists, for the callers that they are worth inlining into
 * (page_alloc.c, vmalloc.c). The rest, and the locking rule, are in pcp.c.
 */
#ifndef POCKETMM_PCP_H
#define POCKETMM_PCP_H

#include "internal.h"

/* An order's list: each has half the room of the one before. */
static __always_inline u32 *pmm_pcp_list(struct pmm_pcp *pcp, unsigned int order)
{
	return &pcp->index[2 * (PMM_PCP_HIGH - (PMM_PCP_HIGH >> order))];
}

/*
 * This CPU's lists; false while somebody else looks at them, or while an interrupt came just when
 * its own CPU did. Who gets false goes to the zone instead, so nobody waits here. Preemption is off
 * while the bit is held, interrupts need not be.
 */
static __always_inline bool pmm_pcp_trylock(const struct pmm_zone *zone, struct pmm_pcp **pcp)
{
	preempt_disable();
	*pcp = this_cpu_ptr(zone->pcp);
	if (likely(!test_and_set_bit_lock(0, &(*pcp)->lock)))
		return true;
	preempt_enable();
	return false;
}

static __always_inline void pmm_pcp_unlock(struct pmm_pcp *pcp)
{
	__clear_bit_unlock(0, &pcp->lock);
	preempt_enable();
}

/**
 * pmm_pcp_alloc() - take a block from this CPU's list
 * @zone: the zone, which has per-CPU lists
 * @order: below PMM_PCP_ORDERS
 * @kind: PMM_USED or PMM_MAPPED
 * @caller: who asks
 *
 * Context: Any, hard interrupts included; takes no shared lock.
 * Return: The block, or NULL when the list is empty or busy.
 */
static __always_inline struct page *pmm_pcp_alloc(struct pmm_zone *zone, unsigned int order,
						  enum pmm_kind kind, unsigned long caller)
{
	struct pmm_pcp *pcp;
	struct page *page;
	unsigned int nr;
	u32 index;

	if (!pmm_pcp_trylock(zone, &pcp))
		return NULL;
	nr = pcp->nr[order];
	if (unlikely(!nr)) {
		pmm_pcp_unlock(pcp);
		return NULL;
	}
	pcp->nr[order] = --nr;
	index = pmm_pcp_list(pcp, order)[nr];
	WRITE_ONCE(zone->state[index], PMM_STATE(kind, order));
	pmm_pcp_unlock(pcp);
	page = zone->mem_map + index;
	pmm_set_page_caller(page, caller);
	return page;
}

/* As pmm_pcp_free(), for pages below @limit. */
static __always_inline bool __pmm_pcp_free(struct pmm_zone *zone, struct page *page,
					   unsigned int order, enum pmm_kind kind,
					   unsigned long caller, unsigned long limit, bool traced)
{
	unsigned long index = pmm_page_index(zone, page), i;
	u8 used = PMM_STATE(kind, order);
	struct pmm_pcp *pcp;
	unsigned int nr;

	if (unlikely(index >= limit))
		return false;
	/* Only of a block that it is may all pages be looked at. */
	if (order && data_race(zone->state[index]) != used)
		return false;
	for (i = 0; i < 1UL << order; i++)
		if (unlikely(page_ref_count(page + i) != 1))
			return false;
	if (!pmm_pcp_trylock(zone, &pcp))
		return false;
	nr = pcp->nr[order];
	if (unlikely(nr >= zone->pcp_high >> order) ||
	    unlikely(!try_cmpxchg(&zone->state[index], &used, PMM_STATE(PMM_PCP, order)))) {
		pmm_pcp_unlock(pcp);
		return false;
	}
	pmm_set_page_caller(page, caller);
	if (traced)
		pmm_trace_free(zone, index, order, kind, PMM_TRACE_PCP, caller);
	pmm_pcp_list(pcp, order)[nr] = index;
	pcp->nr[order] = nr + 1;
	pcp->frees++;
	pmm_pcp_unlock(pcp);
	return true;
}

/**
 * pmm_pcp_free() - put a block on this CPU's list
 * @zone: the zone
 * @page: the block's first page, whatever the caller says it is
 * @order: below PMM_PCP_ORDERS
 * @kind: as it was allocated
 * @caller: who frees
 *
 * The state byte is claimed atomically, so that of two frees of a block on two CPUs one fails.
 *
 * Context: Any, hard interrupts included; takes no shared lock.
 * Return: false when the zone has to look at it: the list is full, busy or absent, the block is
 * still referenced or others wait for it, or this is misuse; and while events are traced.
 */
static __always_inline bool pmm_pcp_free(struct pmm_zone *zone, struct page *page,
					 unsigned int order, enum pmm_kind kind,
					 unsigned long caller)
{
	/* Either value will do, for who parks a block does not wait for frees under way. */
	return __pmm_pcp_free(zone, page, order, kind, caller, data_race(zone->pcp_limit), false);
}

/**
 * pmm_pcp_alloc_many() - take single pages from this CPU's list
 * @zone: the zone
 * @kind: as for pmm_zone_alloc()
 * @gfp: likewise, for the tracepoint only
 * @caller: likewise
 * @nr: how many are wanted
 * @pages: gets them, the one freed last first
 *
 * Context: Any, hard interrupts included; takes no shared lock.
 * Return: How many there were.
 */
static __always_inline unsigned long pmm_pcp_alloc_many(struct pmm_zone *zone, enum pmm_kind kind,
							gfp_t gfp, unsigned long caller,
							unsigned long nr, struct page **pages)
{
	struct page *page, *mem_map = zone->mem_map;
	u8 *states = zone->state;
	struct pmm_pcp *pcp;
	unsigned long i;
	u32 *list;

	if (unlikely(!READ_ONCE(zone->pcp_quick)))
		return pmm_tracing() ?
		       pmm_pcp_alloc_many_traced(zone, kind, gfp, caller, nr, pages) : 0;
	if (!pmm_pcp_trylock(zone, &pcp))
		return 0;
	nr = min_t(unsigned long, nr, pcp->nr[0]);
	list = pmm_pcp_list(pcp, 0) + pcp->nr[0];
	pcp->nr[0] -= nr;
	for (i = 0; i < nr; i++) {
		u32 index = *--list;

		WRITE_ONCE(states[index], PMM_STATE(kind, 0));
		page = mem_map + index;
		pmm_set_page_caller(page, caller);
		pages[i] = page;
	}
	pmm_pcp_unlock(pcp);
	return nr;
}

/**
 * pmm_pcp_free_many() - put single pages on this CPU's list
 * @zone: the zone
 * @kind: as they were allocated
 * @caller: who frees
 * @nr: how many
 * @pages: the pages
 *
 * Context: Any, hard interrupts included; takes no shared lock.
 * Return: How many went there: up to the first that the zone has to look at.
 */
static __always_inline unsigned long pmm_pcp_free_many(struct pmm_zone *zone, enum pmm_kind kind,
						       unsigned long caller, unsigned long nr,
						       struct page **pages)
{
	struct page *mem_map = zone->mem_map;
	u8 *states = zone->state;
	struct pmm_pcp *pcp;
	unsigned long i;
	u32 *list;

	if (unlikely(!READ_ONCE(zone->pcp_limit)))
		return pmm_tracing() ?
		       pmm_pcp_free_many_traced(zone, kind, caller, nr, pages) : 0;
	if (!pmm_pcp_trylock(zone, &pcp))
		return 0;
	nr = min(nr, (unsigned long)(zone->pcp_high - min(zone->pcp_high, pcp->nr[0])));
	list = pmm_pcp_list(pcp, 0) + pcp->nr[0];
	for (i = 0; i < nr; i++) {
		unsigned long index = pages[i] - mem_map;
		u8 state = PMM_STATE(kind, 0);

		if (unlikely(index >= zone->nr_pages || page_ref_count(pages[i]) != 1 ||
			     !try_cmpxchg(&states[index], &state, PMM_STATE(PMM_PCP, 0))))
			break;
		pmm_set_page_caller(pages[i], caller);
		*list++ = index;
	}
	pcp->nr[0] += i;
	pcp->frees += i;
	pmm_pcp_unlock(pcp);
	return i;
}

#endif /* POCKETMM_PCP_H */

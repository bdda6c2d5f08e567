/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: per-CPU lists: their structure, and their fast paths, which are inline because
 * everything that they save would be lost in a call. The rest, and the locking rule, are in pcp.c.
 *
 * A path that may have to report each page is a template with a constant `watched`: the fast paths
 * pass false, and are closed while events are enabled; pcp.c and page_alloc.c pass true.
 */
#ifndef POCKETMM_PCP_H
#define POCKETMM_PCP_H

#include "page.h"
#include "watch/watch.h"

/*
 * Orders 0..6 have a list: a block of order 6 is a batch of pages, and a larger one would be too
 * much to keep from others. (The kernel's lists hold orders 0..3 and huge pages, since 5.14.)
 *
 * A batch of single pages is an aligned run for as long as there is one, and the state bytes of its
 * pages fill a cache line, so CPUs that allocate and free do not share one.
 */
#define PMM_PCP_ORDERS		7
#define PMM_PCP_BATCH		64U	/* pages; less in a small zone */
#define PMM_PCP_HIGH		(3 * PMM_PCP_BATCH)

/**
 * struct pmm_pcp - the per-CPU lists of one CPU
 * @lock: bit 0 is held with preemption off; its own CPU only tries, so no allocation spins here
 * @nr: length of each list, by order
 * @refilled: blocks that came from the zone into the lists
 * @flushed: blocks that went back
 * @frees: blocks that were freed into the lists; so @refilled + @frees - @flushed, less the blocks
 *	on the lists, were handed out
 * @index: the lists, by page index, each oldest first; the newest is taken, because its cache lines
 *	are warm, and the oldest go back. Order 0 has room for PMM_PCP_HIGH, each next order for
 *	half as many
 */
struct pmm_pcp {
	unsigned long	lock;	/* bit 0: the rest */
	unsigned int	nr[PMM_PCP_ORDERS];
	u64		refilled;
	u64		flushed;
	u64		frees;
	u32		index[2 * PMM_PCP_HIGH - (PMM_PCP_HIGH >> (PMM_PCP_ORDERS - 1))];
};

/* The blocks that the per-CPU lists hold, and the moves that they have made. */
struct pmm_pcp_count {
	unsigned long	pages;
	u64		allocations;
	u64		frees;
};

int pmm_pcp_init(struct pmm_zone *zone);
void pmm_pcp_destroy(struct pmm_zone *zone);
struct page *pmm_pcp_refill(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
			    enum pmm_kind kind, unsigned long caller);
unsigned long pmm_pcp_alloc_many_watched(struct pmm_zone *zone, enum pmm_kind kind, gfp_t gfp,
					 unsigned long caller, unsigned long nr,
					 struct page **pages);
unsigned long pmm_pcp_free_many_watched(struct pmm_zone *zone, enum pmm_kind kind,
					unsigned long caller, unsigned long nr,
					struct page **pages);
void pmm_zone_put_back(struct pmm_zone *zone, const u32 *indices, unsigned int nr,
		       unsigned int order);
bool pmm_pcp_flush(struct pmm_zone *zone, unsigned int order);
void pmm_pcp_drain(struct pmm_zone *zone);
void __pmm_pcp_return(struct pmm_zone *zone);
void pmm_pcp_drain_cpu(struct pmm_zone *zone, unsigned int cpu);
struct page *pmm_zone_alloc_last(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
				 enum pmm_kind kind, unsigned long caller);
void pmm_zone_hold(struct pmm_zone *zone, unsigned long *flags);
void pmm_zone_release(struct pmm_zone *zone, unsigned long flags);
void pmm_pcp_count(struct pmm_zone *zone, struct pmm_pcp_count *count);
unsigned int pmm_pcp_used(struct pmm_zone *zone, unsigned int cpu);

/* An order's list: each has half the room of the one before. */
static __always_inline u32 *pmm_pcp_list(struct pmm_pcp *pcp, unsigned int order)
{
	return &pcp->index[2 * (PMM_PCP_HIGH - (PMM_PCP_HIGH >> order))];
}

/*
 * Lock this CPU's lists. False while another CPU holds them, or in an interrupt that came while
 * this CPU held them. A caller that gets false goes to the zone instead, so nobody waits here.
 * Preemption is off while the bit is held; interrupts need not be.
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

/* The value that pcp_limit would have if nothing had to be told or zeroed. */
static inline unsigned long pmm_pcp_limit(const struct pmm_zone *zone)
{
	return READ_ONCE(zone->detour) & PMM_DETOUR_PCP_FREE & ~PMM_DETOUR_PCP_WATCHED ?
	       0 : zone->nr_pages;
}

/**
 * pmm_pcp_alloc() - take a block from this CPU's list
 * @zone: the zone, which has per-CPU lists
 * @order: below PMM_PCP_ORDERS
 * @kind: PMM_USED or PMM_MAPPED
 * @caller: the code that asks
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
	pmm_take_page(page, caller);
	return page;
}

/* A block has been claimed for a per-CPU list: zero it where that is wanted, and report it. */
static __always_inline void pmm_watch_pcp_free(struct pmm_zone *zone, unsigned long index,
					       unsigned int order, enum pmm_kind kind,
					       unsigned long caller)
{
	if (READ_ONCE(zone->detour) & PMM_DETOUR_INIT_FREE)
		pmm_clear_block(zone->mem_map + index, order);
	pmm_tell_free(zone, index, order, kind, PMM_TRACE_PCP, caller);
}

/**
 * pmm_pcp_free() - put a block on this CPU's list
 * @zone: the zone
 * @page: the block's first page, or so the caller believes
 * @order: below PMM_PCP_ORDERS
 * @kind: as it was allocated
 * @caller: the code that frees it
 * @watched: a constant: whether this path is open while events are enabled, and reports the free
 *
 * The state byte is claimed atomically, so that of two frees of a block on two CPUs one fails.
 *
 * Context: Any, hard interrupts included; takes no shared lock.
 * Return: false when the zone has to decide: the list is full, busy or absent, the block is still
 * referenced or unclean, or this is misuse.
 */
static __always_inline bool pmm_pcp_free(struct pmm_zone *zone, struct page *page,
					 unsigned int order, enum pmm_kind kind,
					 unsigned long caller, bool watched)
{
	unsigned long index = pmm_page_index(zone, page);
	u8 used = PMM_STATE(kind, order);
	struct pmm_pcp *pcp;
	unsigned int nr;

	/* A stale value will do: a free under way does not wait for tracing to begin. */
	if (unlikely(index >= (watched ? pmm_pcp_limit(zone) : data_race(zone->pcp_limit))))
		return false;
	/*
	 * Check the state byte first: only if it names a used block of this order are its other
	 * pages ours to read.
	 */
	if (order && data_race(zone->state[index]) != used)
		return false;
	if (unlikely(!pmm_block_is_clean(page, order)))
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
	if (watched)
		pmm_watch_pcp_free(zone, index, order, kind, caller);
	pmm_pcp_list(pcp, order)[nr] = index;
	pcp->nr[order] = nr + 1;
	pcp->frees++;
	pmm_pcp_unlock(pcp);
	return true;
}

/* The template of pmm_pcp_alloc_many() and its _watched variant. */
static __always_inline unsigned long pmm_pcp_take_many(struct pmm_zone *zone, enum pmm_kind kind,
						       gfp_t gfp, unsigned long caller,
						       unsigned long nr, struct page **pages,
						       bool watched)
{
	struct page *page, *mem_map = zone->mem_map;
	u8 *states = zone->state;
	struct pmm_pcp *pcp;
	unsigned long i;
	u32 *list;

	if (!pmm_pcp_trylock(zone, &pcp))
		return 0;
	nr = min_t(unsigned long, nr, pcp->nr[0]);
	list = pmm_pcp_list(pcp, 0) + pcp->nr[0];
	pcp->nr[0] -= nr;
	for (i = 0; i < nr; i++) {
		u32 index = *--list;

		WRITE_ONCE(states[index], PMM_STATE(kind, 0));
		page = mem_map + index;
		pmm_take_page(page, caller);
		pages[i] = page;
		if (watched)
			pmm_tell_alloc(zone, index, 0, kind, gfp, PMM_TRACE_PCP, caller);
	}
	pmm_pcp_unlock(pcp);
	return nr;
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
 * Return: How many were taken.
 */
static __always_inline unsigned long pmm_pcp_alloc_many(struct pmm_zone *zone, enum pmm_kind kind,
							gfp_t gfp, unsigned long caller,
							unsigned long nr, struct page **pages)
{
	if (unlikely(READ_ONCE(zone->detour) & PMM_DETOUR_PCP_ALLOC))
		return pmm_pcp_alloc_many_watched(zone, kind, gfp, caller, nr, pages);
	return pmm_pcp_take_many(zone, kind, gfp, caller, nr, pages, false);
}

/* The template of pmm_pcp_free_many() and its _watched variant. */
static __always_inline unsigned long pmm_pcp_put_many(struct pmm_zone *zone, enum pmm_kind kind,
						      unsigned long caller, unsigned long nr,
						      struct page **pages, bool watched)
{
	struct page *mem_map = zone->mem_map;
	u8 *states = zone->state;
	struct pmm_pcp *pcp;
	unsigned long i;
	u32 *list;

	if (!pmm_pcp_trylock(zone, &pcp))
		return 0;
	nr = min(nr, (unsigned long)(zone->pcp_high - min(zone->pcp_high, pcp->nr[0])));
	list = pmm_pcp_list(pcp, 0) + pcp->nr[0];
	for (i = 0; i < nr; i++) {
		unsigned long index = pages[i] - mem_map;
		u8 state = PMM_STATE(kind, 0);

		if (unlikely(index >= zone->nr_pages || !pmm_page_is_clean(pages[i]) ||
			     !try_cmpxchg(&states[index], &state, PMM_STATE(PMM_PCP, 0))))
			break;
		pmm_set_page_caller(pages[i], caller);
		if (watched)
			pmm_watch_pcp_free(zone, index, 0, kind, caller);
		*list++ = index;
	}
	pcp->nr[0] += i;
	pcp->frees += i;
	pmm_pcp_unlock(pcp);
	return i;
}

/**
 * pmm_pcp_free_many() - put single pages on this CPU's list
 * @zone: the zone
 * @kind: as they were allocated
 * @caller: the code that frees them
 * @nr: how many
 * @pages: the pages
 *
 * Context: Any, hard interrupts included; takes no shared lock.
 * Return: How many went there: those before the first that the zone has to decide about.
 */
static __always_inline unsigned long pmm_pcp_free_many(struct pmm_zone *zone, enum pmm_kind kind,
						       unsigned long caller, unsigned long nr,
						       struct page **pages)
{
	if (unlikely(!READ_ONCE(zone->pcp_limit)))
		return pmm_pcp_free_many_watched(zone, kind, caller, nr, pages);
	return pmm_pcp_put_many(zone, kind, caller, nr, pages, false);
}

/*
 * A largest block is split only if neither smaller ones nor those that this CPU keeps will do: it
 * may be long until its pages are whole again. zone->lock is held.
 */
static inline void __pmm_spare_largest(struct pmm_zone *zone, unsigned int order)
{
	if (!zone->pcp || order == PMM_MAX_ORDER - 1)
		return;
	for (; order < PMM_MAX_ORDER - 1; order++)
		if (!list_empty(&zone->free_area[order].free_list))
			return;
	__pmm_pcp_return(zone);
}

#endif /* POCKETMM_PCP_H */

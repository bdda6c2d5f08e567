// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: birth and death of a zone, its short cuts, and the call of placement=.
 *
 * Functions whose names begin with a double underscore run with zone->lock held. It compiles
 * unchanged in user space.
 */
#include "internal.h"

/* --- short cuts ------------------------------------------------------------------------------- */

/**
 * __pmm_retune() - close or open the short cuts
 * @zone: the zone
 *
 * This is the one place that knows the reasons (enum pmm_detour).
 *
 * Context: zone->lock held.
 */
void __pmm_retune(struct pmm_zone *zone)
{
	u8 detour = (pmm_tracing() ? PMM_DETOUR_TRACED : 0) |
		    (zone->debug ? PMM_DETOUR_DEBUG : 0) |
		    (zone->placement->pick ? PMM_DETOUR_PLACEMENT : 0) |
		    (zone->pages_min ? PMM_DETOUR_MIN_FREE : 0) |
		    (zone->pcp ? 0 : PMM_DETOUR_NO_PCP) |
		    (want_init_on_alloc(0) ? PMM_DETOUR_INIT_ALLOC : 0) |
		    (want_init_on_free() ? PMM_DETOUR_INIT_FREE : 0);

	lockdep_assert_held(&zone->lock);
	WRITE_ONCE(zone->detour, detour);
	WRITE_ONCE(zone->pcp_limit, detour & PMM_DETOUR_PCP_FREE ? 0 : zone->nr_pages);
}

/**
 * pmm_zone_retune() - tracing has begun or ended, or the zone has gained or lost per-CPU lists
 * @zone: the zone, which need not have been initialised yet
 *
 * A call that is under way may finish on the path that it began.
 *
 * Context: As pmm_zone_free().
 */
void pmm_zone_retune(struct pmm_zone *zone)
{
	unsigned long flags;

	if (!READ_ONCE(zone->state))
		return;
	spin_lock_irqsave(&zone->lock, flags);
	__pmm_retune(zone);
	spin_unlock_irqrestore(&zone->lock, flags);
}

/* --- placement= ------------------------------------------------------------------------------- */

/* As __pmm_take_first(), but placement= chooses the block. */
unsigned int __pmm_take_picked(struct pmm_zone *zone, unsigned int order, unsigned int most,
			       unsigned long *index)
{
	unsigned int high;

	*index = zone->placement->pick(zone, order);
	if (*index == PMM_NONE)
		return PMM_MAX_ORDER;
	high = PMM_STATE_ORDER(zone->state[*index]);
	most = min(high, most);
	if (!__pmm_take_block(zone, index, most, high))
		return PMM_MAX_ORDER;
	zone->placement->update(zone, *index, -(1L << most));
	return high;
}

/* --- birth and death -------------------------------------------------------------------------- */

static int pmm_alloc_maps(struct pmm_zone *zone)
{
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER - 1; order++) {
		unsigned long *map;

		map = pmm_may_fail(kvcalloc(BITS_TO_LONGS(pmm_nr_pairs(zone, order)),
					    sizeof(*map), GFP_KERNEL));
		if (!map)
			return -ENOMEM;
		zone->free_area[order].map = map;
	}
	return 0;
}

/* As 2.4 does at boot: every page is freed singly, in ascending order, by the ordinary path. */
static void pmm_free_all_pages(struct pmm_zone *zone)
{
	unsigned long index, flags;

	spin_lock_irqsave(&zone->lock, flags);
	for (index = 0; index < zone->nr_pages; index++) {
		__pmm_tell_born(zone, index);
		pmm_set_page_caller(zone->mem_map + index, 0);
		__pmm_free_block(zone, index, 0);
		if (index % PMM_MAX_ORDER_PAGES)
			continue;
		/* Let interrupts in now and then. */
		spin_unlock_irqrestore(&zone->lock, flags);
		spin_lock_irqsave(&zone->lock, flags);
	}
	memset(&zone->stat, 0, sizeof(zone->stat));
	spin_unlock_irqrestore(&zone->lock, flags);
}

/**
 * pmm_zone_init() - make a zone of a run of pages, all free
 * @zone: to fill in; the caller has set its @expand, @placement, @pages_min, @debug and @name
 * @mem_map: the first page; its page frame is aligned to the largest block, and each page has
 *	PMM_PAGE_REFS references and the pool's mark
 * @nr_pages: any number from 1; a tail smaller than the largest block is no special case
 *
 * Context: Process context; may sleep.
 * Return: 0, or -ENOMEM with nothing held.
 */
int pmm_zone_init(struct pmm_zone *zone, struct page *mem_map, unsigned long nr_pages)
{
	unsigned int order;

	spin_lock_init(&zone->lock);
	zone->mem_map = mem_map;
	zone->nr_pages = nr_pages;
	zone->free_pages = 0;
	zone->nr_parked = 0;
	zone->turns = 0;
	INIT_LIST_HEAD(&zone->parked);
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		INIT_LIST_HEAD(&zone->free_area[order].free_list);
		zone->free_area[order].map = NULL;
	}
	zone->pageblocks = NULL;
	zone->pcp = NULL;
	atomic_long_set(&zone->transit, 0);
	zone->state = pmm_may_fail(kvzalloc(pmm_nr_states(zone), GFP_KERNEL));
	if (!zone->state || pmm_alloc_maps(zone) ||
	    (zone->placement->init && zone->placement->init(zone))) {
		pmm_zone_destroy(zone);
		return -ENOMEM;
	}
	pmm_zone_retune(zone);
	pmm_free_all_pages(zone);
	return 0;
}

/**
 * pmm_zone_destroy() - forget a zone
 * @zone: the zone, which is no longer in use
 *
 * The pages belong to the caller again, whatever state they were in.
 *
 * Context: Process context; may sleep.
 */
void pmm_zone_destroy(struct pmm_zone *zone)
{
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER; order++) {
		kvfree(zone->free_area[order].map);
		zone->free_area[order].map = NULL;
	}
	kvfree(zone->state);
	zone->state = NULL;
	if (zone->placement->destroy)
		zone->placement->destroy(zone);
}

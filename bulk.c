// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: many blocks taken at once. A run is a number of consecutive blocks that are cut from
 * one free block together; bulk_free.c has the way back, where they merge into larger ones without
 * being listed in between. The free lists end up as they would after the same number of single
 * calls. While events are enabled the same code runs, and reports the steps that those single calls
 * would have taken.
 *
 * It owns nothing; functions whose names begin with a double underscore run with zone->lock held.
 * It compiles unchanged in user space.
 */
#include "block.h"

/**
 * __pmm_take_run() - take blocks of one order, as many as one free block provides
 * @zone: the zone
 * @order: of each
 * @nr: how many at most, not 0
 * @run: gets them
 *
 * Context: zone->lock held.
 * Return: How many; 0 when there is none.
 */
unsigned long __pmm_take_run(struct pmm_zone *zone, unsigned int order, unsigned long nr,
			     struct pmm_block_run *run)
{
	unsigned int most = order + (unsigned int)__fls(nr), high;

	__pmm_spare_largest(zone, order);
	if (likely(!(zone->detour & PMM_DETOUR_PLACEMENT)))
		high = __pmm_take_first(zone, order, most, &run->index);
	else
		high = __pmm_take_picked(zone, order, most, &run->index);
	if (high == PMM_MAX_ORDER)
		return 0;
	run->order = order;
	run->high = high;
	run->nr = 1UL << (min(high, most) - order);
	zone->stat.splits += run->nr - 1;
	return run->nr;
}

/*
 * The blocks of a run, in the order in which single allocations would hand them out: from the end
 * that expand= hands out first. A block that goes to a per-CPU list has no owner: the caller that
 * freed it last stays noted there. One that is not sound is left out. Returns how many are sound.
 */
static unsigned long __pmm_hand_out(struct pmm_zone *zone, const struct pmm_block_run *run,
				    enum pmm_kind kind, unsigned long caller, struct page **pages)
{
	unsigned long index = run->index, nr = run->nr;
	u8 *states = zone->state, state = PMM_STATE(kind, run->order);
	int untouched = pmm_untouched_refs(run->order);
	struct page *page, **first = pages;
	long step = 1L << run->order;

	if (zone->expand == PMM_EXPAND_UPPER) {
		index += (nr - 1) << run->order;
		step = -step;
	}
	page = zone->mem_map + index;
	if (kind == PMM_PCP) {
		for (; nr--; index += step, page += step) {
			if (unlikely(!__pmm_is_sound(zone, page, run->order, untouched)))
				continue;
			states[index] = state;
			*pages++ = page;
		}
		return pages - first;
	}
	for (; nr--; index += step, page += step) {
		if (unlikely(!__pmm_is_sound(zone, page, run->order, untouched)))
			continue;
		states[index] = state;
		pmm_take_page(page, caller);
		*pages++ = page;
	}
	return pages - first;
}

/*
 * A batch for a per-CPU list is free blocks of its order, or what one split yields: more would cost
 * large blocks that no request has asked for.
 */
static bool __pmm_batch_ends(struct pmm_zone *zone, unsigned int order)
{
	unsigned long index;

	if (likely(!(zone->detour & PMM_DETOUR_PLACEMENT)))
		return list_empty(&zone->free_area[order].free_list);
	index = zone->placement->pick(zone, order);
	return index == PMM_NONE || zone->state[index] != PMM_STATE(PMM_FREE, order);
}

/*
 * A debug switch inspects each block, which would take too long under the lock. A per-CPU list gets
 * no batch then.
 */
static unsigned long pmm_zone_alloc_singly(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
					   enum pmm_kind kind, unsigned long caller,
					   unsigned long nr, struct page **pages)
{
	unsigned long got;

	if (kind == PMM_PCP)
		nr = 1;
	for (got = 0; got < nr; got++) {
		pages[got] = pmm_zone_try_alloc(zone, gfp, order, kind, caller);
		if (!pages[got])
			break;
	}
	return got;
}

/**
 * pmm_zone_alloc_bulk() - take many blocks of one order under one lock
 * @zone: the zone
 * @gfp: as for pmm_zone_alloc()
 * @order: likewise
 * @kind: likewise; PMM_PCP for blocks on their way to a per-CPU list
 * @caller: likewise
 * @nr: how many are wanted; interrupts stay off until all are taken
 * @pages: gets the first page of each
 *
 * The blocks, their sequence and the remaining free lists are the same as after as many calls of
 * pmm_zone_alloc(). Nothing is drained when there are too few, and blocks for a per-CPU list are
 * fewer where more would cost a further split. Some parked blocks are recycled afterwards.
 *
 * Context: As pmm_zone_alloc().
 * Return: How many there were.
 */
unsigned long pmm_zone_alloc_bulk(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
				  enum pmm_kind kind, unsigned long caller, unsigned long nr,
				  struct page **pages)
{
	unsigned long flags, got = 0;
	struct pmm_block_run run;

	if (unlikely(READ_ONCE(zone->detour) & PMM_DETOUR_DEBUG))
		return pmm_zone_alloc_singly(zone, gfp, order, kind, caller, nr, pages);
	spin_lock_irqsave(&zone->lock, flags);
	nr = min(nr, __pmm_allowed(zone, gfp, order));
	while (got < nr && __pmm_take_run(zone, order, nr - got, &run)) {
		__pmm_tell_taken(zone, &run, kind, gfp, caller);
		got += __pmm_hand_out(zone, &run, kind, caller, pages + got);
		if (kind == PMM_PCP && __pmm_batch_ends(zone, order))
			break;
	}
	if (kind == PMM_PCP) {
		zone->stat.batches++;
		atomic_long_add(got << order, &zone->transit);
	} else {
		zone->stat.allocations += got;
	}
	if (unlikely(zone->nr_parked))
		__pmm_reap_some(zone, got << order);
	spin_unlock_irqrestore(&zone->lock, flags);
	pmm_tell_quarantined(zone);
	return got;
}

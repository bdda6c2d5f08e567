// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: many blocks at once. A run is a number of consecutive blocks that are cut from one free
 * block together, or that merge into larger ones together without being listed in between. The free
 * lists end up as they would after the same number of single calls. While events are enabled the
 * same code runs, and reports the steps that those single calls would have taken.
 *
 * It owns nothing; functions whose names begin with a double underscore run with zone->lock held.
 * It compiles unchanged in user space.
 */
#include "block.h"

/* --- the two steps, for one block or a run ---------------------------------------------------- */

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

/**
 * __pmm_free_block() - put a block on the free lists
 * @zone: the zone
 * @index: the block's first page, in state PMM_TAIL
 * @order: the block's order
 *
 * Context: zone->lock held.
 */
void __pmm_free_block(struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	unsigned int high = __pmm_put_block(zone, index, order);

	__pmm_tell_merged(index, order, high);
	if (unlikely(zone->detour & PMM_DETOUR_PLACEMENT))
		zone->placement->update(zone, index, 1L << order);
}

/**
 * __pmm_free_run() - put a run on the free lists
 * @zone: the zone
 * @run: the blocks; their pages are in state PMM_TAIL
 * @kind: what they were: PMM_USED, PMM_MAPPED, or PMM_PCP
 * @caller: the code that frees them
 *
 * The result is that of freeing each block in ascending order: aligned groups of them are whole
 * blocks already, and need not be merged step by step.
 *
 * Context: zone->lock held.
 */
void __pmm_free_run(struct pmm_zone *zone, struct pmm_block_run run, enum pmm_kind kind,
		    unsigned long caller)
{
	while (run.nr) {
		unsigned long first = run.index >> run.order;
		unsigned int levels = min3((unsigned int)__fls(run.nr),
					   (unsigned int)__ffs(first | PMM_MAX_ORDER_PAGES),
					   PMM_MAX_ORDER - 1U - run.order);
		unsigned long group = 1UL << levels;

		zone->stat.merges += group - 1;
		__pmm_tell_given(zone, &run, group, kind, caller);
		__pmm_free_block(zone, run.index, run.order + levels);
		run.index += group << run.order;
		run.nr -= group;
	}
}

/* --- allocation ------------------------------------------------------------------------------- */

/*
 * The blocks of a run, in the order in which single allocations would hand them out: from the end
 * that expand= hands out first. A block that goes to a per-CPU list has no owner: the caller that
 * freed it last stays noted there.
 */
static void __pmm_hand_out(struct pmm_zone *zone, const struct pmm_block_run *run,
			   enum pmm_kind kind, unsigned long caller, struct page **pages)
{
	unsigned long index = run->index, nr = run->nr;
	u8 *states = zone->state, state = PMM_STATE(kind, run->order);
	long step = 1L << run->order;
	struct page *page;

	if (zone->expand == PMM_EXPAND_UPPER) {
		index += (nr - 1) << run->order;
		step = -step;
	}
	page = zone->mem_map + index;
	if (kind == PMM_PCP) {
		for (; nr--; index += step, page += step) {
			states[index] = state;
			*pages++ = page;
		}
		return;
	}
	for (; nr--; index += step, page += step) {
		states[index] = state;
		pmm_set_page_caller(page, caller);
		*pages++ = page;
	}
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
 * pmm_zone_alloc(). Nothing is recycled or drained when there are too few, and blocks for a per-CPU
 * list are fewer where more would cost a further split.
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
		__pmm_hand_out(zone, &run, kind, caller, pages + got);
		__pmm_tell_taken(zone, &run, kind, gfp, caller);
		got += run.nr;
		if (kind == PMM_PCP && __pmm_batch_ends(zone, order))
			break;
	}
	if (kind == PMM_PCP)
		atomic_long_add(got << order, &zone->transit);
	else
		zone->stat.allocations += got;
	spin_unlock_irqrestore(&zone->lock, flags);
	return got;
}

/* --- free ------------------------------------------------------------------------------------- */

/*
 * Claim the pages at the head of @pages that form one ascending run, are order-0 blocks of this
 * kind and are not referenced by others, so that they are freed together.
 */
static struct pmm_block_run __pmm_claim_run(struct pmm_zone *zone, struct page **pages,
					    unsigned long nr, enum pmm_kind kind,
					    unsigned long caller)
{
	struct pmm_block_run run = { .index = pmm_page_index(zone, *pages) };
	struct page *page = *pages;

	if (unlikely(!pmm_page_in_zone(zone, page)))
		return run;
	nr = min(nr, zone->nr_pages - run.index);
	for (; run.nr < nr && pages[run.nr] == page; run.nr++, page++) {
		if (pmm_page_referenced(page) ||
		    !pmm_claim(zone->state + run.index + run.nr, PMM_STATE(kind, 0), PMM_TAIL))
			break;
		pmm_set_page_caller(page, caller);
	}
	return run;
}

/* Free pages up to the first that needs a closer check. Returns how many were freed. */
static unsigned long pmm_zone_free_batch(struct pmm_zone *zone, unsigned long nr,
					 struct page **pages, enum pmm_kind kind,
					 unsigned long caller)
{
	unsigned long flags, done = 0;
	struct pmm_block_run run;

	spin_lock_irqsave(&zone->lock, flags);
	do {
		run = __pmm_claim_run(zone, pages + done, nr - done, kind, caller);
		zone->stat.frees += run.nr;
		__pmm_free_run(zone, run, kind, caller);
		done += run.nr;
	} while (run.nr && done < nr);
	if (unlikely(zone->nr_parked))
		__pmm_reap(zone, PMM_REAP_PAGES);
	spin_unlock_irqrestore(&zone->lock, flags);
	return done;
}

/**
 * pmm_zone_free_bulk() - give back many order-0 blocks, a batch at a time under one lock
 * @zone: the zone
 * @nr: length of @pages
 * @pages: no NULL among them
 * @kind: as for pmm_zone_free()
 * @caller: likewise
 *
 * As pmm_zone_free() of each, in this order; runs of ascending pages coalesce in one step.
 *
 * Context: As pmm_zone_free().
 */
void pmm_zone_free_bulk(struct pmm_zone *zone, unsigned long nr, struct page **pages,
			enum pmm_kind kind, unsigned long caller)
{
	unsigned long done = 0, batch;

	while (unlikely(READ_ONCE(zone->detour) & PMM_DETOUR_DEBUG) && done < nr)
		pmm_zone_free(zone, pages[done++], 0, kind, caller);
	while (done < nr) {
		batch = min(nr, done + PMM_BULK_PAGES);
		done += pmm_zone_free_batch(zone, batch - done, pages + done, kind, caller);
		if (unlikely(done < batch))
			pmm_zone_free(zone, pages[done++], 0, kind, caller);
	}
}

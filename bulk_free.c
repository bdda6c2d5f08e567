// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: many blocks given back at once, the way back of bulk.c.
 *
 * It owns nothing; functions whose names begin with a double underscore run with zone->lock held.
 * It compiles unchanged in user space.
 */
#include "block.h"

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

/*
 * Claim the pages at the head of @pages that form one ascending run, are order-0 blocks of this
 * kind, clean and not referenced by others, so that they are freed together.
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
		if (!pmm_page_is_clean(page) ||
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
	spin_unlock_irqrestore(&zone->lock, flags);
	pmm_tell_quarantined(zone);
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

	while (unlikely(READ_ONCE(zone->detour) & (PMM_DETOUR_DEBUG | PMM_DETOUR_INIT_FREE)) &&
	       done < nr)
		pmm_zone_free(zone, pages[done++], 0, kind, caller);
	while (done < nr) {
		batch = min(nr, done + PMM_BULK_PAGES);
		done += pmm_zone_free_batch(zone, batch - done, pages + done, kind, caller);
		if (unlikely(done < batch))
			pmm_zone_free(zone, pages[done++], 0, kind, caller);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: walks over a zone, however large, that keep interrupts off for one piece at a time.
 *
 * No block crosses the border of a largest block, so a piece of whole largest blocks is complete:
 * under zone->lock its state bytes, pair bits and lists agree. Between two pieces others may
 * allocate and free. The counters tell whether they have: all of them only ever rise, so the
 * allocator's paths need no count of their own for this. A walk during which the pool rests shows
 * one moment. If it never rests, the last of PMM_WALK_TRIES walks is taken as it is: each piece is
 * right, but seen at a moment of its own.
 *
 * It only reads, and compiles unchanged in user space. Functions whose names begin with a double
 * underscore run with zone->lock held.
 */
#include "internal.h"

/**
 * __pmm_zone_moment() - what the zone has done so far
 * @zone: the zone
 *
 * Context: zone->lock held.
 * Return: A number that rises when a free list, a pair bit or a parked block changes, or a state
 * byte that no per-CPU list is responsible for.
 */
u64 __pmm_zone_moment(const struct pmm_zone *zone)
{
	const struct pmm_zone_stat *stat = &zone->stat;

	lockdep_assert_held(&zone->lock);
	return stat->allocations + stat->frees + stat->splits + stat->merges + stat->parked +
	       stat->quarantined + stat->batches + zone->turns;
}

/**
 * __pmm_moment() - what the zone and the per-CPU lists have done so far
 * @zone: the zone, held by pmm_zone_hold()
 * @moment: to fill in
 *
 * Context: Between pmm_zone_hold() and pmm_zone_release(), so that no CPU is half way.
 */
void __pmm_moment(struct pmm_zone *zone, struct pmm_moment *moment)
{
	struct pmm_pcp_count count;

	pmm_pcp_count(zone, &count);
	moment->zone = __pmm_zone_moment(zone);
	moment->pcp = count.allocations + count.frees;
}

/**
 * pmm_moment() - __pmm_moment() for a caller that does not hold the zone
 * @zone: the zone
 * @moment: to fill in
 *
 * Context: As pmm_zone_hold().
 */
void pmm_moment(struct pmm_zone *zone, struct pmm_moment *moment)
{
	unsigned long flags;

	pmm_zone_hold(zone, &flags);
	__pmm_moment(zone, moment);
	pmm_zone_release(zone, flags);
}

/**
 * pmm_zone_walk() - visit all pages of a zone, a piece at a time
 * @zone: the zone
 * @step: pages of a piece, a multiple of PMM_MAX_ORDER_PAGES
 * @visit: is called for each piece
 * @arg: for @visit
 *
 * Context: Process context; may sleep. Interrupts are off for one piece.
 * Return: false if @visit has ended the walk.
 */
bool pmm_zone_walk(struct pmm_zone *zone, unsigned long step, pmm_visit_t visit, void *arg)
{
	unsigned long index, flags;
	bool going = true;

	for (index = 0; going && index < zone->nr_pages; index += step) {
		spin_lock_irqsave(&zone->lock, flags);
		going = visit(zone, index, min(index + step, zone->nr_pages), arg);
		spin_unlock_irqrestore(&zone->lock, flags);
		cond_resched();
	}
	return going;
}

/**
 * pmm_zone_snapshot() - walk until the pool has rested meanwhile, or for the last time
 * @zone: the zone
 * @step: as for pmm_zone_walk()
 * @visit: likewise; a visit of page 0 begins anew
 * @arg: for @visit
 *
 * Context: As pmm_zone_walk().
 * Return: false if @visit has ended the walk.
 */
bool pmm_zone_snapshot(struct pmm_zone *zone, unsigned long step, pmm_visit_t visit, void *arg)
{
	struct pmm_moment began, ended;
	unsigned int tries = PMM_WALK_TRIES;

	do {
		pmm_moment(zone, &began);
		if (!pmm_zone_walk(zone, step, visit, arg))
			return false;
		pmm_moment(zone, &ended);
	} while ((began.zone != ended.zone || began.pcp != ended.pcp) && --tries);
	return true;
}

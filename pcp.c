// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: per-CPU lists of free blocks, as 2.6's per_cpu_pages: filled a batch at a time, emptied
 * a batch at a time from the cold end, so that most calls take no shared lock.
 *
 * It owns the lists, and the blocks in state PMM_PCP. What 2.6 keeps on lists through page->lru is
 * kept in arrays of page indices here, which are shorter to follow.
 *
 * A CPU's lists are guarded by one bit, held with interrupts off and for a few instructions, or for
 * one batch. The CPU itself only tries: an allocation that finds the bit taken goes to the zone.
 * Others, who drain, spin. Under PREEMPT_RT that is as good, since nothing sleeps inside. Whoever
 * holds the bit takes no other lock: blocks between such a list and the free lists are in nobody's hands
 * but the mover's, and counted in zone->transit. It compiles unchanged in user space.
 */
#include "internal.h"
#include "pcp.h"

static void pmm_pcp_lock(struct pmm_pcp *pcp)
{
	while (test_and_set_bit_lock(0, &pcp->lock))
		cpu_relax();
}

/* Up to @most of the oldest blocks of a list leave for the zone; returns how many. */
static unsigned int pmm_pcp_take_oldest(struct pmm_zone *zone, struct pmm_pcp *pcp,
					unsigned int order, unsigned int most, u32 *indices)
{
	unsigned int nr = min(pcp->nr[order], most);
	u32 *list = pmm_pcp_list(pcp, order);

	pcp->nr[order] -= nr;
	pcp->flushed += nr;
	memcpy(indices, list, nr * sizeof(*list));
	memmove(list, list + nr, pcp->nr[order] * sizeof(*list));
	atomic_long_add((unsigned long)nr << order, &zone->transit);
	return nr;
}

static unsigned int pmm_pcp_batch(const struct pmm_zone *zone, unsigned int order)
{
	return zone->pcp_batch >> order;
}

/**
 * pmm_pcp_flush() - make room in this CPU's list, when it is full
 * @zone: the zone
 * @order: which list, below PMM_PCP_ORDERS
 *
 * Context: As pmm_zone_free().
 * Return: true when there is room now.
 */
bool pmm_pcp_flush(struct pmm_zone *zone, unsigned int order)
{
	unsigned int nr, length, high = zone->pcp_high >> order;
	u32 indices[PMM_PCP_BATCH];
	struct pmm_pcp *pcp;
	unsigned long flags;

	if (!pmm_pcp_trylock(zone, pcp, flags))
		return false;
	length = pcp->nr[order];
	nr = length < high ? 0 : pmm_pcp_take_oldest(zone, pcp, order, pmm_pcp_batch(zone, order),
						     indices);
	pmm_pcp_unlock(pcp, flags);
	if (nr)
		pmm_zone_put_back(zone, indices, nr, order);
	return length < high || nr;
}

/* The first of them is to be taken next; what does not fit goes back. */
static void pmm_pcp_fill(struct pmm_zone *zone, unsigned int order, struct page **pages,
			 unsigned long nr)
{
	unsigned long flags, all = nr;
	u32 indices[PMM_PCP_BATCH];
	struct pmm_pcp *pcp;

	if (pmm_pcp_trylock(zone, pcp, flags)) {
		u32 *list = pmm_pcp_list(pcp, order);

		while (nr && pcp->nr[order] < zone->pcp_high >> order)
			list[pcp->nr[order]++] = pmm_page_index(zone, pages[--nr]);
		pcp->refilled += all - nr;
		atomic_long_sub((all - nr) << order, &zone->transit);
		pmm_pcp_unlock(pcp, flags);
	}
	if (!nr)
		return;
	for (all = 0; all < nr; all++)
		indices[all] = pmm_page_index(zone, pages[all]);
	pmm_zone_put_back(zone, indices, nr, order);
}

/**
 * pmm_pcp_refill() - take a block from the zone, and a batch for this CPU's list
 * @zone: the zone
 * @gfp: as for pmm_zone_alloc()
 * @order: below PMM_PCP_ORDERS
 * @caller: as for pmm_zone_alloc()
 *
 * The blocks are those that single calls of pmm_zone_alloc() would get, and are handed out in the
 * same order.
 *
 * Context: As pmm_zone_alloc().
 * Return: A block, or NULL when the free lists have none.
 */
struct page *pmm_pcp_refill(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
			    unsigned long caller)
{
	struct page *pages[PMM_PCP_BATCH];
	unsigned long flags, nr;

	if (!zone->pcp || !pmm_pcp_batch(zone, order))
		return NULL;
	nr = pmm_zone_alloc_bulk(zone, gfp, order, PMM_PCP, caller, pmm_pcp_batch(zone, order),
				 pages);
	if (!nr)
		return NULL;
	spin_lock_irqsave(&zone->lock, flags);
	WRITE_ONCE(zone->state[pmm_page_index(zone, pages[0])], PMM_STATE(PMM_USED, order));
	zone->stat.allocations++;
	atomic_long_sub(1L << order, &zone->transit);
	spin_unlock_irqrestore(&zone->lock, flags);
	if (nr > 1)
		pmm_pcp_fill(zone, order, pages + 1, nr - 1);
	return pages[0];
}

/**
 * pmm_pcp_drain_cpu() - bring what one CPU keeps back to the free lists
 * @zone: the zone
 * @cpu: which, online or not
 *
 * Context: As pmm_zone_free().
 */
void pmm_pcp_drain_cpu(struct pmm_zone *zone, unsigned int cpu)
{
	struct pmm_pcp *pcp = per_cpu_ptr(zone->pcp, cpu);
	unsigned int order = 0, nr;
	u32 indices[PMM_PCP_BATCH];
	unsigned long flags;

	while (order < PMM_PCP_ORDERS) {
		local_irq_save(flags);
		pmm_pcp_lock(pcp);
		nr = pmm_pcp_take_oldest(zone, pcp, order, PMM_PCP_BATCH, indices);
		pmm_pcp_unlock(pcp, flags);
		if (nr)
			pmm_zone_put_back(zone, indices, nr, order);
		else
			order++;
	}
}

/**
 * pmm_pcp_drain() - bring what every CPU keeps back to the free lists
 * @zone: the zone
 *
 * Context: As pmm_zone_free().
 */
void pmm_pcp_drain(struct pmm_zone *zone)
{
	unsigned int cpu;

	if (!zone->pcp)
		return;
	for_each_possible_cpu(cpu)
		pmm_pcp_drain_cpu(zone, cpu);
}

/**
 * pmm_pcp_lock_all() - hold all per-CPU lists still
 * @zone: the zone, locked
 * @flags: for pmm_pcp_unlock_all()
 *
 * Context: Any; interrupts are off until pmm_pcp_unlock_all().
 */
void pmm_pcp_lock_all(struct pmm_zone *zone, unsigned long *flags)
{
	unsigned int cpu;

	lockdep_assert_held(&zone->lock);
	local_irq_save(*flags);
	if (!zone->pcp)
		return;
	for_each_possible_cpu(cpu)
		pmm_pcp_lock(per_cpu_ptr(zone->pcp, cpu));
}

/**
 * pmm_pcp_unlock_all() - undo pmm_pcp_lock_all()
 * @zone: the zone
 * @flags: of pmm_pcp_lock_all()
 *
 * Context: Any.
 */
void pmm_pcp_unlock_all(struct pmm_zone *zone, unsigned long flags)
{
	unsigned int cpu;

	if (zone->pcp)
		for_each_possible_cpu(cpu)
			__clear_bit_unlock(0, &per_cpu_ptr(zone->pcp, cpu)->lock);
	local_irq_restore(flags);
}

/**
 * pmm_pcp_count() - what the per-CPU lists hold, and have done
 * @zone: the zone
 * @count: to fill in; its @pages include those in transit
 *
 * Exact between pmm_pcp_lock_all() and pmm_pcp_unlock_all(); else as of about now.
 *
 * Context: Any.
 */
void pmm_pcp_count(struct pmm_zone *zone, struct pmm_pcp_count *count)
{
	unsigned int cpu, order;

	memset(count, 0, sizeof(*count));
	count->pages = atomic_long_read(&zone->transit);
	if (!zone->pcp)
		return;
	for_each_possible_cpu(cpu) {
		const struct pmm_pcp *pcp = per_cpu_ptr(zone->pcp, cpu);

		count->frees += pcp->frees;
		count->allocations += pcp->refilled + pcp->frees - pcp->flushed;
		for (order = 0; order < PMM_PCP_ORDERS; order++) {
			unsigned int nr = READ_ONCE(pcp->nr[order]);

			count->allocations -= nr;
			count->pages += (unsigned long)nr << order;
		}
	}
}

/**
 * pmm_pcp_used() - pages that one CPU keeps
 * @zone: the zone
 * @cpu: which
 *
 * Context: Any.
 * Return: Pages, as of about now.
 */
unsigned int pmm_pcp_used(struct pmm_zone *zone, unsigned int cpu)
{
	const struct pmm_pcp *pcp = per_cpu_ptr(zone->pcp, cpu);
	unsigned int order, used = 0;

	for (order = 0; order < PMM_PCP_ORDERS; order++)
		used += READ_ONCE(pcp->nr[order]) << order;
	return used;
}

/**
 * pmm_pcp_init() - give a zone per-CPU lists, empty
 * @zone: the zone
 *
 * A batch is PMM_PCP_BATCH pages, but in a small zone a 512th of it; a CPU keeps three batches of
 * each order at most.
 *
 * Context: Process context; may sleep.
 * Return: 0 or -ENOMEM.
 */
int pmm_pcp_init(struct pmm_zone *zone)
{
	unsigned long batch = clamp(zone->nr_pages / 512, 1UL, (unsigned long)PMM_PCP_BATCH);

	zone->pcp_batch = 1U << __fls(batch);
	zone->pcp_high = 3 * zone->pcp_batch;
	zone->pcp = alloc_percpu(struct pmm_pcp);
	if (!zone->pcp)
		return -ENOMEM;
	zone->pcp_quick = !zone->pages_min;
	zone->pcp_limit = zone->nr_pages;
	return 0;
}

/**
 * pmm_pcp_destroy() - drain the per-CPU lists and free them
 * @zone: the zone
 *
 * Context: Process context; nobody uses the zone any more.
 */
void pmm_pcp_destroy(struct pmm_zone *zone)
{
	zone->pcp_quick = false;
	zone->pcp_limit = 0;
	pmm_pcp_drain(zone);
	free_percpu(zone->pcp);
	zone->pcp = NULL;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: per-CPU lists of free blocks, as 2.6's per_cpu_pages: filled a batch at a time, emptied
 * a batch at a time from the cold end, so that most calls take no shared lock.
 *
 * It owns the lists, and the blocks in state PMM_PCP. 2.6 links these through page->lru; here they
 * are in arrays of page indices, which are shorter to follow.
 *
 * A CPU's lists are guarded by one bit, held with preemption off and for a few instructions, or for
 * one batch. Allocations and frees only try: a caller that finds the bit taken goes to the zone.
 * Interrupts stay on, so the holder may be code that this very CPU has interrupted, or code whose
 * interrupt waits for a lock that we hold. A drain therefore waits for as long as it takes only
 * where neither is possible: in a task with interrupts on that holds none of our locks. Elsewhere
 * it gives up after a while. The same works under PREEMPT_RT, because nothing sleeps inside. A
 * holder of the bit takes no other lock: blocks between such a list and the free lists belong to
 * the mover alone, and are counted in zone->transit. Functions whose names begin with a double
 * underscore run with zone->lock held. It compiles unchanged in user space.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/highmem.h>

#include "internal.h"

#define PMM_PCP_PATIENCE	1000	/* tries for a bit that must not be waited for */
#define PMM_PCP_TRIES		16	/* drains of all lists by a caller that found nothing */

/* Called with preemption off; false when the lists stay busy for long. */
static bool pmm_pcp_spin(struct pmm_pcp *pcp)
{
	unsigned int looks;

	for (looks = 0; looks < PMM_PCP_PATIENCE; looks++) {
		if (!test_and_set_bit_lock(0, &pcp->lock))
			return true;
		cpu_relax();
	}
	return false;
}

/* Another CPU's lists, to be given back by pmm_pcp_unlock(). */
static bool pmm_pcp_lock(struct pmm_pcp *pcp)
{
	preempt_disable();
	if (pmm_pcp_spin(pcp))
		return true;
	preempt_enable();
	return false;
}

static bool pmm_pcp_may_wait(void)
{
	return !in_interrupt() && !irqs_disabled();
}

/* --- back to the zone ------------------------------------------------------------------------- */

/* The first of these blocks that are one run. */
static struct pmm_block_run __pmm_leave_pcp(struct pmm_zone *zone, const u32 *indices,
					    unsigned int nr, unsigned int order)
{
	struct pmm_block_run run = { .index = *indices, .order = order };

	for (; run.nr < nr && indices[run.nr] == *indices + (run.nr << order); run.nr++)
		zone->state[indices[run.nr]] = PMM_TAIL;
	return run;
}

static void __pmm_put_back(struct pmm_zone *zone, const u32 *indices, unsigned int nr,
			   unsigned int order)
{
	struct pmm_block_run run;
	unsigned int i;

	for (i = 0; i < nr; i += run.nr) {
		run = __pmm_leave_pcp(zone, indices + i, nr - i, order);
		__pmm_free_run(zone, run, PMM_PCP, 0);
	}
	zone->stat.batches++;
	atomic_long_sub((unsigned long)nr << order, &zone->transit);
}

/**
 * pmm_zone_put_back() - take back the blocks that a per-CPU list has no room for
 * @zone: the zone
 * @indices: blocks in state PMM_PCP, counted in @zone->transit
 * @nr: how many, at most PMM_PCP_BATCH
 * @order: of each
 *
 * Context: As pmm_zone_free().
 */
void pmm_zone_put_back(struct pmm_zone *zone, const u32 *indices, unsigned int nr,
		       unsigned int order)
{
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	__pmm_put_back(zone, indices, nr, order);
	spin_unlock_irqrestore(&zone->lock, flags);
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

	if (!pmm_pcp_trylock(zone, &pcp))
		return false;
	length = pcp->nr[order];
	nr = length < high ? 0 : pmm_pcp_take_oldest(zone, pcp, order, pmm_pcp_batch(zone, order),
						     indices);
	pmm_pcp_unlock(pcp);
	if (nr)
		pmm_zone_put_back(zone, indices, nr, order);
	return length < high || nr;
}

/* The first of them is the next to be taken; those that do not fit go back. */
static void pmm_pcp_fill(struct pmm_zone *zone, unsigned int order, struct page **pages,
			 unsigned long nr)
{
	unsigned long all = nr;
	u32 indices[PMM_PCP_BATCH];
	struct pmm_pcp *pcp;

	if (pmm_pcp_trylock(zone, &pcp)) {
		u32 *list = pmm_pcp_list(pcp, order);

		while (nr && pcp->nr[order] < zone->pcp_high >> order)
			list[pcp->nr[order]++] = pmm_page_index(zone, pages[--nr]);
		pcp->refilled += all - nr;
		atomic_long_sub((all - nr) << order, &zone->transit);
		pmm_pcp_unlock(pcp);
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
 * @kind: as for pmm_zone_alloc()
 * @caller: likewise
 *
 * The blocks are those that single calls of pmm_zone_alloc() would get, and are handed out in the
 * same order. The batch is short where more of them would cost another split: see
 * __pmm_batch_ends().
 *
 * Context: As pmm_zone_alloc().
 * Return: A block, or NULL when the free lists have none.
 */
struct page *pmm_pcp_refill(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
			    enum pmm_kind kind, unsigned long caller)
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
	WRITE_ONCE(zone->state[pmm_page_index(zone, pages[0])], PMM_STATE(kind, order));
	zone->stat.allocations++;
	pmm_tell_alloc(zone, pmm_page_index(zone, pages[0]), order, kind, gfp, PMM_TRACE_PCP,
		       caller);
	atomic_long_sub(1L << order, &zone->transit);
	spin_unlock_irqrestore(&zone->lock, flags);
	pmm_take_page(pages[0], caller);
	if (nr > 1)
		pmm_pcp_fill(zone, order, pages + 1, nr - 1);
	return pages[0];
}

/**
 * pmm_pcp_alloc_many_watched() - pmm_pcp_alloc_many() where its short cut is closed
 * @zone: the zone
 * @kind: as for pmm_pcp_alloc_many()
 * @gfp: likewise
 * @caller: likewise
 * @nr: likewise
 * @pages: likewise
 *
 * Context: As pmm_pcp_alloc_many().
 * Return: Likewise; 0 where it is closed for another reason than tracing.
 */
unsigned long pmm_pcp_alloc_many_watched(struct pmm_zone *zone, enum pmm_kind kind, gfp_t gfp,
					 unsigned long caller, unsigned long nr,
					 struct page **pages)
{
	unsigned long i;

	if (READ_ONCE(zone->detour) & PMM_DETOUR_PCP_ALLOC & ~PMM_DETOUR_PCP_WATCHED)
		return 0;
	nr = pmm_pcp_take_many(zone, kind, gfp, caller, nr, pages, true);
	for (i = 0; want_init_on_alloc(gfp) && i < nr; i++)
		clear_highpage(pages[i]);
	return nr;
}

/**
 * pmm_pcp_free_many_watched() - pmm_pcp_free_many() where its short cut is closed
 * @zone: the zone
 * @kind: as for pmm_pcp_free_many()
 * @caller: likewise
 * @nr: likewise
 * @pages: likewise
 *
 * Context: As pmm_pcp_free_many().
 * Return: Likewise; 0 where it is closed for another reason than tracing.
 */
unsigned long pmm_pcp_free_many_watched(struct pmm_zone *zone, enum pmm_kind kind,
					unsigned long caller, unsigned long nr,
					struct page **pages)
{
	return pmm_pcp_limit(zone) ? pmm_pcp_put_many(zone, kind, caller, nr, pages, true) : 0;
}

/* --- draining --------------------------------------------------------------------------------- */

/**
 * pmm_pcp_drain_cpu() - return the blocks that one CPU keeps to the free lists
 * @zone: the zone
 * @cpu: which, online or not
 *
 * A context that must not wait leaves alone the lists of a CPU that holds them for long, or that
 * was interrupted while it held them.
 *
 * Context: As pmm_zone_free().
 */
void pmm_pcp_drain_cpu(struct pmm_zone *zone, unsigned int cpu)
{
	struct pmm_pcp *pcp = per_cpu_ptr(zone->pcp, cpu);
	unsigned int order = 0, nr;
	u32 indices[PMM_PCP_BATCH];

	while (order < PMM_PCP_ORDERS) {
		while (!pmm_pcp_lock(pcp))
			if (!pmm_pcp_may_wait())
				return;
		nr = pmm_pcp_take_oldest(zone, pcp, order, PMM_PCP_BATCH, indices);
		pmm_pcp_unlock(pcp);
		if (nr)
			pmm_zone_put_back(zone, indices, nr, order);
		else
			order++;
	}
}

/**
 * __pmm_pcp_return() - return the blocks that this CPU keeps, before a largest block is split
 * @zone: the zone
 *
 * Lists that are busy are left alone.
 *
 * Context: zone->lock held.
 */
void __pmm_pcp_return(struct pmm_zone *zone)
{
	u32 indices[PMM_PCP_BATCH];
	unsigned int order = 0, nr;
	struct pmm_pcp *pcp;

	while (order < PMM_PCP_ORDERS && pmm_pcp_trylock(zone, &pcp)) {
		nr = pmm_pcp_take_oldest(zone, pcp, order, PMM_PCP_BATCH, indices);
		pmm_pcp_unlock(pcp);
		if (nr)
			__pmm_put_back(zone, indices, nr, order);
		else
			order++;
	}
}

/**
 * pmm_pcp_drain() - return the blocks that all CPUs keep to the free lists
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

/*
 * May a caller that found nothing while blocks were in transit look again? Where it must not wait,
 * the mover may be the code that this very CPU has interrupted: there it may look once more.
 */
static bool pmm_pcp_look_again(unsigned int *looks)
{
	cpu_relax();
	return (*looks)++ < (pmm_pcp_may_wait() ? PMM_PCP_TRIES : 1);
}

/* Return all free blocks to the free lists, and try once more. */
static struct page *pmm_zone_alloc_drained(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
					   enum pmm_kind kind, unsigned long caller)
{
	unsigned int looks = 0;
	struct page *page;
	long moving;

	/* With interrupts off, or in one, this ends before it has checked very many. */
	pmm_zone_reap_most(zone, pmm_pcp_may_wait() ? ULONG_MAX : PMM_REAP_ATOMIC);
	do {
		moving = atomic_long_read(&zone->transit);
		pmm_pcp_drain(zone);
		moving |= atomic_long_read(&zone->transit);
		page = pmm_zone_try_alloc(zone, gfp, order, kind, caller);
		/* Blocks in transit were out of reach, and may have arrived since. */
		moving |= atomic_long_read(&zone->transit);
	} while (!page && moving && pmm_pcp_look_again(&looks));
	return page;
}

/**
 * pmm_zone_alloc_last() - the last resorts of an allocation that the free lists cannot serve
 * @zone: the zone
 * @gfp: as for pmm_zone_alloc()
 * @order: likewise
 * @kind: likewise
 * @caller: likewise
 *
 * Context: As pmm_zone_alloc().
 * Return: As pmm_zone_alloc(); a failure is counted and reported.
 */
noinline struct page *pmm_zone_alloc_last(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
					  enum pmm_kind kind, unsigned long caller)
{
	unsigned long flags, free_pages;
	struct page *page = NULL;

	if (order < PMM_MAX_ORDER)
		page = pmm_zone_alloc_drained(zone, gfp, order, kind, caller);
	if (page)
		return page;
	spin_lock_irqsave(&zone->lock, flags);
	zone->stat.failures++;
	free_pages = zone->free_pages;
	pmm_tell_alloc(zone, PMM_NONE, order, kind, gfp, PMM_TRACE_NOWHERE, caller);
	spin_unlock_irqrestore(&zone->lock, flags);
	if (!(gfp & __GFP_NOWARN))
		pr_warn_ratelimited("order-%u allocation failed: gfp=%pGg, %lu of %lu pages free, by %pS\n",
				    order, &gfp, free_pages, zone->nr_pages, (void *)caller);
	return NULL;
}

/* --- all lists held still --------------------------------------------------------------------- */

/* Preemption is turned off once, however many lists are held. */
static void __pmm_pcp_unlock_below(struct pmm_zone *zone, unsigned int end)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		if (cpu < end)
			__clear_bit_unlock(0, &per_cpu_ptr(zone->pcp, cpu)->lock);
	preempt_enable();
}

static bool __pmm_pcp_lock_all(struct pmm_zone *zone)
{
	unsigned int cpu;

	if (!zone->pcp)
		return true;
	preempt_disable();
	for_each_possible_cpu(cpu) {
		if (!pmm_pcp_spin(per_cpu_ptr(zone->pcp, cpu))) {
			__pmm_pcp_unlock_below(zone, cpu);
			return false;
		}
	}
	return true;
}

/**
 * pmm_zone_hold() - lock the zone and all per-CPU lists, for a view of the whole
 * @zone: the zone
 * @flags: for pmm_zone_release()
 *
 * Context: Process context, interrupts on; they are off until pmm_zone_release().
 */
void pmm_zone_hold(struct pmm_zone *zone, unsigned long *flags)
	__acquires(&zone->lock)
{
	for (;;) {
		spin_lock_irqsave(&zone->lock, *flags);
		if (__pmm_pcp_lock_all(zone))
			return;
		/* A CPU whose interrupt waits for the zone cannot release its lists. */
		spin_unlock_irqrestore(&zone->lock, *flags);
		cpu_relax();
	}
}

/**
 * pmm_zone_release() - undo pmm_zone_hold()
 * @zone: the zone
 * @flags: of pmm_zone_hold()
 *
 * Context: Process context.
 */
void pmm_zone_release(struct pmm_zone *zone, unsigned long flags)
	__releases(&zone->lock)
{
	if (zone->pcp)
		__pmm_pcp_unlock_below(zone, UINT_MAX);
	spin_unlock_irqrestore(&zone->lock, flags);
}

/**
 * pmm_pcp_count() - count what the per-CPU lists hold, and have done
 * @zone: the zone
 * @count: to fill in; its @pages include those in transit
 *
 * Exact between pmm_zone_hold() and pmm_zone_release(); otherwise approximate.
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
 * Return: Pages, approximately.
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
 * A batch is PMM_PCP_BATCH pages, or a 256th of a small zone; a CPU keeps at most three batches of
 * each order.
 *
 * Context: Process context; may sleep.
 * Return: 0 or -ENOMEM.
 */
int pmm_pcp_init(struct pmm_zone *zone)
{
	unsigned long batch = clamp(zone->nr_pages / 256, 1UL, (unsigned long)PMM_PCP_BATCH);

	zone->pcp_batch = 1U << __fls(batch);
	zone->pcp_high = 3 * zone->pcp_batch;
	zone->pcp = pmm_may_fail(alloc_percpu(struct pmm_pcp));
	if (!zone->pcp)
		return -ENOMEM;
	pmm_zone_retune(zone);
	return 0;
}

/**
 * pmm_pcp_destroy() - drain the per-CPU lists and free them
 * @zone: the zone
 *
 * Context: Process context; the zone is no longer in use.
 */
void pmm_pcp_destroy(struct pmm_zone *zone)
{
	pmm_pcp_drain(zone);
	free_percpu(zone->pcp);
	zone->pcp = NULL;
	pmm_zone_retune(zone);
}

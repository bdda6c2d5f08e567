// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: parked blocks. A freed block with a page that is still referenced, for example because
 * a process has it mapped, is parked: it goes back to the free lists when the last reference has
 * gone.
 *
 * No allocation or free of a single block looks at parked blocks, so that they cost others nothing.
 * These do:
 *
 *	pmm_zone_recycle()	the pool has dropped a reference of its own, for example that of a
 *				mapping: it checks the blocks of exactly these pages
 *	__pmm_reap_some()	a batch is taken, under the lock in any case: it checks some of the
 *				blocks that were checked longest ago
 *	pmm_zone_reap()		an allocation before it fails, a drain, and pmm_reap_later(), for
 *				references that the kernel drops and tells nobody: all blocks, a
 *				piece at a time
 *
 * It owns zone->parked. Functions whose names begin with a double underscore run with zone->lock
 * held. It compiles unchanged in user space.
 */
#include "internal.h"

#define PMM_REAP_SHARE	8UL			/* pages of a batch for each parked one checked */
#define PMM_REAP_PIECE	PMM_MAX_ORDER_PAGES	/* parked pages under one lock */

/*
 * A block whose references have gone leaves the queue for the free lists; but for quarantine if it
 * lacks one of the pool's. Returns how many pages became free, or 0 if somebody still holds one.
 */
static unsigned long __pmm_recycle(struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	struct page *page = zone->mem_map + index;

	/* Most often it is the first page that is still held. */
	if (pmm_page_refs(page) > PMM_PAGE_REFS || pmm_block_holds(page, order) == PMM_BLOCK_HELD)
		return 0;
	list_del(pmm_page_links(page));
	WRITE_ONCE(zone->nr_parked, zone->nr_parked - (1UL << order));
	if (!__pmm_make_sound(zone, page, order))
		return 0;
	zone->stat.frees++;
	WRITE_ONCE(zone->state[index], PMM_TAIL);
	__pmm_tell_recycled(zone, index, order);
	__pmm_free_block(zone, index, order);
	return 1UL << order;
}

/**
 * __pmm_park() - keep a freed block until its last reference has gone
 * @zone: the zone
 * @index: the block's first page, in state PMM_PARKED
 * @order: the block's order
 *
 * Context: zone->lock held.
 */
void __pmm_park(struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	struct page *page = zone->mem_map + index;

	list_add_tail(pmm_page_links(page), &zone->parked);
	WRITE_ONCE(zone->nr_parked, zone->nr_parked + (1UL << order));
	zone->stat.parked++;
	/*
	 * The last reference may have gone since it was seen, by a caller that saw nothing parked
	 * yet. One of the two notices: here the state and the number are written before the
	 * references are read, and that caller drops its reference before it reads those
	 * (pmm_window_put_pages()).
	 */
	smp_mb();
	if (likely(!__pmm_recycle(zone, index, order)))
		pmm_reap_later(zone);
}

/**
 * __pmm_reap() - recycle parked blocks that are no longer referenced
 * @zone: the zone
 * @left: how many pages to check at most; gets what is left of them. The blocks checked longest ago
 *	come first, and those that are still referenced go to the end of the queue. It ends early at
 *	a block that is larger, and after PMM_REAP_BLOCKS
 *
 * Context: zone->lock held.
 * Return: How many pages became free.
 */
unsigned long __pmm_reap(struct pmm_zone *zone, unsigned long *left)
{
	struct list_head *links = zone->parked.next, *next;
	unsigned long reaped = 0;
	unsigned int blocks;

	for (blocks = 0; blocks < PMM_REAP_BLOCKS && links != &zone->parked; blocks++) {
		struct page *page = pmm_page_of_links(links);
		unsigned long index = pmm_page_index(zone, page);
		unsigned int order = PMM_STATE_ORDER(zone->state[index]);

		if (1UL << order > *left)
			break;
		*left -= 1UL << order;
		next = links->next;
		reaped += __pmm_recycle(zone, index, order);
		links = next;
	}
	if (links != zone->parked.next && links != &zone->parked) {
		list_rotate_to_front(links, &zone->parked);
		zone->turns++;	/* to a walk that is under way in pieces, this is a change */
	}
	return reaped;
}

/**
 * __pmm_reap_some() - recycle some parked blocks, in a call that takes a batch anyway
 * @zone: the zone
 * @taken: pages of the batch
 *
 * Context: zone->lock held.
 */
void __pmm_reap_some(struct pmm_zone *zone, unsigned long taken)
{
	unsigned long left = taken / PMM_REAP_SHARE;

	__pmm_reap(zone, &left);
}

/**
 * pmm_zone_reap_piece() - __pmm_reap() of one piece, for a walk over all parked blocks
 * @zone: the zone
 * @left: pages that are yet to be checked: at first @nr_parked; gets 0 at the end
 *
 * A walk checks as many pages as were parked when it began. Others may check or recycle some
 * meanwhile, but what is parked anew goes to the end. So when the next block is larger than what is
 * left, all that were there have been checked.
 *
 * Context: As pmm_zone_free().
 * Return: How many pages became free.
 */
unsigned long pmm_zone_reap_piece(struct pmm_zone *zone, unsigned long *left)
{
	unsigned long flags, reaped, some = min(*left, PMM_REAP_PIECE), before = some;

	spin_lock_irqsave(&zone->lock, flags);
	reaped = __pmm_reap(zone, &some);
	spin_unlock_irqrestore(&zone->lock, flags);
	pmm_tell_quarantined(zone);
	if (some == before)
		*left = 0;
	else
		*left -= before - some;
	return reaped;
}

/**
 * pmm_zone_reap_most() - recycle parked blocks that are no longer referenced, but not without end
 * @zone: the zone
 * @most: how many pages to check at most
 *
 * Context: As pmm_zone_free(); interrupts are on between two pieces if they were.
 * Return: How many pages became free.
 */
unsigned long pmm_zone_reap_most(struct pmm_zone *zone, unsigned long most)
{
	unsigned long reaped = 0, left = min(READ_ONCE(zone->nr_parked), most);

	while (left)
		reaped += pmm_zone_reap_piece(zone, &left);
	return reaped;
}

/**
 * pmm_zone_reap() - recycle every parked block that is no longer referenced
 * @zone: the zone
 *
 * Context: As pmm_zone_free(); interrupts are on between two pieces if they were.
 * Return: How many pages became free.
 */
unsigned long pmm_zone_reap(struct pmm_zone *zone)
{
	return pmm_zone_reap_most(zone, ULONG_MAX);
}

/* The block may have been recycled before the lock was taken: look again. */
static void pmm_zone_recycle_block(struct pmm_zone *zone, unsigned long index)
{
	unsigned long flags;
	u8 state;

	spin_lock_irqsave(&zone->lock, flags);
	state = READ_ONCE(zone->state[index]);
	if (PMM_STATE_KIND(state) == PMM_PARKED)
		__pmm_recycle(zone, index, PMM_STATE_ORDER(state));
	spin_unlock_irqrestore(&zone->lock, flags);
	pmm_tell_quarantined(zone);
}

/**
 * pmm_zone_recycle() - references of the pool's own are gone: recycle what waited only for them
 * @zone: the zone
 * @pages: the pages whose references were dropped; others may use them again already. Those outside
 *	the zone are ignored
 * @nr: how many
 *
 * It takes the lock for parked blocks only, once for each.
 *
 * Context: As pmm_zone_free(); a full memory barrier must come between the last of the references
 * and this.
 */
void pmm_zone_recycle(struct pmm_zone *zone, struct page **pages, unsigned long nr)
{
	unsigned long i, index, last = PMM_NONE;

	for (i = 0; i < nr; i++) {
		if (!pmm_page_in_zone(zone, pages[i]))
			continue;
		/* While the block is parked this finds it; otherwise it finds any. */
		index = pmm_head_of(zone, pmm_page_index(zone, pages[i]));
		if (index == last || PMM_STATE_KIND(READ_ONCE(zone->state[index])) != PMM_PARKED)
			continue;
		pmm_zone_recycle_block(zone, index);
		last = index;
	}
}

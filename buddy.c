// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the buddy allocator with pair-bit maps, as in Linux 2.4 (the book's chapter 'Physical
 * Page Allocation').
 *
 * Read it from top to bottom: rmqueue() takes a block and expand() splits it; __free_pages_ok()
 * puts it back and merges it with its buddies. The calls for the rest of the module come last. The
 * pair bit and its invariant are explained in zone.h; the verbs on lists and bits are in block.h.
 *
 * One lock protects a zone. It is taken with interrupts off, so that any context may make any call;
 * under PREEMPT_RT the lock sleeps, which rules out hard interrupts and callers with preemption
 * off. Functions whose names begin with a double underscore run with the lock held. This file knows
 * nothing of modules, debugfs or virtual addresses, and compiles unchanged in user space.
 */
#include "block.h"

/* --- allocation: find a block, and split it --------------------------------------------------- */

/*
 * 2.4's expand(). Cut a block of order @high, already off its list, down to order @low, and return
 * the piece to hand out. Each cut puts one half on the next lower list, which sets the bit of that
 * pair, and goes on with the other half. For a page from a free block of order 2 at index 8,
 * `upper` (2.4) hands out page 11, and lower (2.6.28) page 8:
 *
 *	order 2   [ 8  9 10 11]			 [ 8  9 10 11]
 *	order 1   [ 8  9]kept [10 11]		 [ 8  9] [10 11]kept
 *	order 0           [10]kept [11]out	 [ 8]out [ 9]kept
 *
 * @empty: the lists of all orders from @low up to @high are known to be empty.
 */
static pmm_unrolled struct pmm_block __pmm_expand(struct pmm_zone *zone, struct pmm_block block,
						  unsigned int low, unsigned int high,
						  bool upper, bool empty)
{
	unsigned long pair = block.index >> high;
	unsigned int order;

	for_orders_down(order, high, low) {
		long half = 1L << order;

		__pmm_mark_used(zone, pair, order);
		if (empty)
			__pmm_link_only(zone, pmm_block_beside(block, upper ? 0 : half), order);
		else
			__pmm_link_free(zone, pmm_block_beside(block, upper ? 0 : half), order);
		block = pmm_block_beside(block, upper ? half : 0);
		pair = 2 * pair + upper;
	}
	return block;
}

/* The first half of 2.4's rmqueue(): the first list, from order @low up, that has a block. */
static pmm_unrolled unsigned int __pmm_find_first(struct pmm_zone *zone, unsigned int low,
						  struct pmm_block *block)
{
	struct list_head *head = NULL;
	unsigned int high;

	for_orders_up(high, low, PMM_MAX_ORDER) {
		head = &zone->free_area[high].free_list;
		if (head->next != head)
			break;
	}
	if (unlikely(high == PMM_MAX_ORDER))
		return PMM_MAX_ORDER;
	pmm_keep(head);
	*block = pmm_block_of(zone, list_first_entry(head, struct page, lru));
	return high;
}

/* The block leaves its list, so its pair's bit flips. False if the block was not on the list. */
static inline bool __pmm_remove(struct pmm_zone *zone, struct pmm_block block, unsigned int high)
{
	if (!__pmm_unlink_free(block, high))
		return false;
	if (high < PMM_MAX_ORDER - 1)
		__pmm_mark_used(zone, block.index >> (1 + high), high);
	return true;
}

/* The second half: take the block off its list, and split it down to order @low. */
static pmm_unrolled bool __pmm_remove_and_expand(struct pmm_zone *zone, struct pmm_block *block,
						 unsigned int low, unsigned int high, bool empty)
{
	if (!__pmm_remove(zone, *block, high))
		return false;
	zone->free_pages -= 1UL << low;
	zone->stat.splits += high - low;
	if (zone->expand == PMM_EXPAND_UPPER)
		*block = __pmm_expand(zone, *block, low, high, true, empty);
	else
		*block = __pmm_expand(zone, *block, low, high, false, empty);
	return true;
}

/* 2.4's rmqueue(): the head of the first list that has a block of order @low or larger. */
static pmm_unrolled bool __pmm_rmqueue(struct pmm_zone *zone, unsigned int low,
				       struct pmm_block *block)
{
	unsigned int high = __pmm_find_first(zone, low, block);

	return high < PMM_MAX_ORDER && __pmm_remove_and_expand(zone, block, low, high, true);
}

/**
 * __pmm_take_first() - rmqueue() for a caller that can use more than one block
 * @zone: the zone
 * @low: the order of the blocks
 * @most: at least @low; of a larger block, a piece of this order is taken
 * @index: gets the first page of the piece
 *
 * Context: zone->lock held.
 * Return: The order of the block that the piece was cut from, which bounds the piece's order, too;
 * PMM_MAX_ORDER when no list has a block that is large enough.
 */
unsigned int __pmm_take_first(struct pmm_zone *zone, unsigned int low, unsigned int most,
			      unsigned long *index)
{
	struct pmm_block block;
	unsigned int high = __pmm_find_first(zone, low, &block);

	if (high == PMM_MAX_ORDER ||
	    !__pmm_remove_and_expand(zone, &block, min(high, most), high, true))
		return PMM_MAX_ORDER;
	*index = block.index;
	return high;
}

/**
 * __pmm_take_block() - rmqueue() for a block that was chosen by another rule
 * @zone: the zone
 * @index: the first page of a free block; gets that of the piece that is taken
 * @low: the order that is wanted
 * @high: the block's order
 *
 * Context: zone->lock held.
 * Return: false, with nothing changed, if the block's state byte or links are wrong.
 */
bool __pmm_take_block(struct pmm_zone *zone, unsigned long *index, unsigned int low,
		      unsigned int high)
{
	struct pmm_block block = pmm_block_at(zone, *index);

	if (!__pmm_remove_and_expand(zone, &block, low, high, false))
		return false;
	*index = block.index;
	return true;
}

/* --- free: put a block back, and merge it ----------------------------------------------------- */

/*
 * The loop of 2.4's __free_pages_ok(). Put a block back, and merge it with its buddy for as long as
 * the buddy is free, order by order. The pair bit of each order flips; its old value tells which of
 * two cases this is:
 *
 *	0: the buddy is not on this list. The block goes on the list, and the bit now says that one
 *	   of the two is there.
 *	1: the buddy is on this list. It leaves, the bit now says that neither is there, and the two
 *	   are one block of the next order, which begins at the lower index.
 *
 * A buddy that would lie past the end of the zone was never freed, so a free always finds the bit
 * of that pair 0. The state byte of a buddy is checked before the buddy is unlinked, so that a pair
 * bit flipped by a stray write cannot lead to a broken list; state bytes therefore extend to the
 * end of the last block of the top order. The block's own state byte is PMM_TAIL already.
 *
 * Returns the order of the block that the pages are part of now.
 */
static pmm_unrolled unsigned int __pmm_coalesce(struct pmm_zone *zone, struct pmm_block block,
						unsigned int low)
{
	unsigned long index = block.index, pair = index >> low;
	unsigned int order;

	for_orders_up(order, low, PMM_MAX_ORDER - 1) {
		long half = 1L << order;

		pair >>= 1;
		pmm_keep(pair);
		if (!__pmm_test_and_mark_used(zone, pair, order)) {
			__pmm_link_free(zone, block, order);
			return order;
		}
		if (index & half) {
			if (!__pmm_unlink_free(pmm_block_beside(block, -half), order))
				goto no_buddy;
			block = pmm_block_beside(block, -half);
		} else if (!__pmm_unlink_free(pmm_block_beside(block, half), order)) {
			goto no_buddy;
		}
	}
	__pmm_link_free(zone, block, PMM_MAX_ORDER - 1);
	return PMM_MAX_ORDER - 1;

no_buddy:
	pmm_keep(order);
	__pmm_link_free(zone, block, order);
	return order;
}

/* 2.4's __free_pages_ok(): the merge, and its counters. */
static pmm_unrolled unsigned int __pmm_free_pages_ok(struct pmm_zone *zone, struct pmm_block block,
						     unsigned int order)
{
	unsigned int high;

	lockdep_assert_held(&zone->lock);
	high = __pmm_coalesce(zone, block, order);
	zone->stat.merges += high - order;
	zone->free_pages += 1UL << order;
	return high;
}

/**
 * __pmm_put_block() - __free_pages_ok() for the files that do not have it inline
 * @zone: the zone
 * @index: the block's first page, in state PMM_TAIL
 * @order: the block's order
 *
 * Context: zone->lock held.
 * Return: The order of the block that the pages are part of now.
 */
unsigned int __pmm_put_block(struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	return __pmm_free_pages_ok(zone, pmm_block_at(zone, index), order);
}

/* --- the calls of the rest of the module: a block --------------------------------------------- */

/* rmqueue(), or the choice of placement=; told as a run of one block. */
static bool __pmm_take_one(struct pmm_zone *zone, unsigned int order, struct pmm_block_run *run)
{
	__pmm_spare_largest(zone, order);
	run->high = likely(!(zone->detour & PMM_DETOUR_PLACEMENT)) ?
		    __pmm_take_first(zone, order, order, &run->index) :
		    __pmm_take_picked(zone, order, order, &run->index);
	return run->high < PMM_MAX_ORDER;
}

/**
 * pmm_zone_try_alloc() - take a block from the free lists, or give up
 * @zone: the zone
 * @gfp: as for pmm_zone_alloc()
 * @order: below PMM_MAX_ORDER
 * @kind: as for pmm_zone_alloc()
 * @caller: likewise
 *
 * Context: As pmm_zone_alloc().
 * Return: The block's first page, or NULL.
 */
struct page *pmm_zone_try_alloc(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
				enum pmm_kind kind, unsigned long caller)
{
	struct pmm_block_run run = { .order = order, .nr = 1 };
	struct page *page;
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	do {
		if (!__pmm_allowed(zone, gfp, order) || !__pmm_take_one(zone, order, &run)) {
			spin_unlock_irqrestore(&zone->lock, flags);
			pmm_tell_quarantined(zone);
			return NULL;
		}
	} while (unlikely(!__pmm_is_sound(zone, zone->mem_map + run.index, order,
					  pmm_untouched_refs(order))));
	zone->stat.allocations++;
	zone->state[run.index] = PMM_STATE(kind, order);
	page = zone->mem_map + run.index;
	__pmm_tell_taken(zone, &run, kind, gfp, caller);
	spin_unlock_irqrestore(&zone->lock, flags);
	pmm_tell_quarantined(zone);
	pmm_tell_handed_out(zone, run.index, order, gfp, caller);
	pmm_take_page(page, caller);
	return page;
}

static noinline struct page *pmm_zone_alloc_block(struct pmm_zone *zone, gfp_t gfp,
						  unsigned int order, enum pmm_kind kind,
						  unsigned long caller)
{
	struct page *page = likely(order < PMM_MAX_ORDER) ?
			    pmm_zone_try_alloc(zone, gfp, order, kind, caller) : NULL;

	return likely(page) ? page : pmm_zone_alloc_last(zone, gfp, order, kind, caller);
}

/**
 * pmm_zone_alloc() - take a block of 2^@order pages
 * @zone: the zone
 * @gfp: __GFP_HIGH and __GFP_MEMALLOC reach below the watermark; without __GFP_NOWARN a failure is
 *	reported in one rate-limited line; all other flags are the caller's business
 * @order: 0 to PMM_MAX_ORDER - 1; a larger one fails
 * @kind: PMM_USED, or PMM_MAPPED for a page that only an area may free
 * @caller: the code that asks, for the reports
 *
 * 2.4's rmqueue() with the same choice of block. Before a call fails, it recycles parked blocks
 * whose references have gone, and drains the per-CPU lists.
 *
 * Context: Any; under PREEMPT_RT not from hard interrupts or with preemption off.
 * Return: The block's first page, its contents undefined; NULL when there is no such block.
 */
struct page *pmm_zone_alloc(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
			    enum pmm_kind kind, unsigned long caller)
{
	return order ? pmm_zone_alloc_block(zone, gfp, order, kind, caller) :
		       pmm_zone_alloc_page(zone, gfp, kind, caller);
}

/* With the lock held: the state byte decides whether the block may be freed, or why not. */
static noinline enum pmm_free_result __pmm_free_checked(struct pmm_zone *zone, unsigned long index,
							unsigned int order, enum pmm_kind kind,
							unsigned long caller)
{
	enum pmm_free_result result = PMM_FREE_OK;

	if (unlikely(READ_ONCE(zone->state[index]) != PMM_STATE(kind, order)))
		return __pmm_misuse(zone, index, order, kind);
	if (unlikely(!pmm_claim(zone->state + index, PMM_STATE(kind, order), PMM_TAIL)))
		return PMM_FREE_DOUBLE;
	if (unlikely(!pmm_block_is_clean(zone->mem_map + index, order)))
		result = __pmm_free_unclean(zone, index, order, kind, caller);
	if (unlikely(result))
		return result;
	__pmm_tell_freed(zone, index, order, kind, false, caller);
	pmm_set_page_caller(zone->mem_map + index, caller);
	zone->stat.frees++;
	__pmm_free_block(zone, index, order);
	return PMM_FREE_OK;
}

static noinline enum pmm_free_result pmm_zone_free_block(struct pmm_zone *zone, struct page *page,
							 unsigned int order, enum pmm_kind kind,
							 unsigned long caller)
{
	enum pmm_free_result result;
	unsigned long flags, index = pmm_page_index(zone, page);

	if (unlikely(index >= zone->nr_pages))
		return pmm_refuse_foreign(zone, "page", page, order, caller);
	if (unlikely(order >= PMM_MAX_ORDER))
		return pmm_refuse_free(zone, page, order, PMM_FREE_BAD_ORDER, caller);
	spin_lock_irqsave(&zone->lock, flags);
	result = __pmm_free_checked(zone, index, order, kind, caller);
	spin_unlock_irqrestore(&zone->lock, flags);
	return pmm_end_free(zone, page, order, result, caller);
}

/**
 * pmm_zone_free() - give a block back
 * @zone: the zone
 * @page: the block's first page
 * @order: the block's order
 * @kind: the kind that it was allocated as
 * @caller: the code that frees it, for the reports
 *
 * 2.4's __free_pages_ok(), but misuse is refused: no list is touched, the refusal is counted, and
 * one rate-limited line describes the attempt. A block with a page that is still referenced is
 * parked; one that lacks a reference of the pool's goes into quarantine.
 *
 * Context: Any; under PREEMPT_RT not from hard interrupts or with preemption off.
 * Return: PMM_FREE_OK, PMM_FREE_PARKED, PMM_FREE_QUARANTINED, or the reason for the refusal.
 */
enum pmm_free_result pmm_zone_free(struct pmm_zone *zone, struct page *page, unsigned int order,
				   enum pmm_kind kind, unsigned long caller)
{
	return order ? pmm_zone_free_block(zone, page, order, kind, caller) :
		       pmm_zone_free_page(zone, page, kind, caller);
}

/* --- the same for a page, on the shortest path ------------------------------------------------ */

/**
 * pmm_zone_alloc_page() - pmm_zone_alloc() of order 0
 * @zone: the zone
 * @gfp: as for pmm_zone_alloc()
 * @kind: likewise
 * @caller: likewise
 *
 * Context: As pmm_zone_alloc().
 * Return: As pmm_zone_alloc().
 */
struct page *pmm_zone_alloc_page(struct pmm_zone *zone, gfp_t gfp, enum pmm_kind kind,
				 unsigned long caller)
{
	struct pmm_block block;
	unsigned long flags;

	if (unlikely(READ_ONCE(zone->detour) & PMM_DETOUR_ALLOC))
		return pmm_zone_alloc_block(zone, gfp, 0, kind, caller);
	spin_lock_irqsave(&zone->lock, flags);
	if (unlikely(!__pmm_rmqueue(zone, 0, &block))) {
		spin_unlock_irqrestore(&zone->lock, flags);
		return pmm_zone_alloc_block(zone, gfp, 0, kind, caller);
	}
	zone->stat.allocations++;
	*block.state = PMM_STATE(kind, 0);
	spin_unlock_irqrestore(&zone->lock, flags);
	if (unlikely(pmm_page_refs(pmm_block_page(block)) != PMM_PAGE_REFS))
		return pmm_zone_alloc_another(zone, pmm_block_page(block), gfp, kind, caller);
	pmm_take_page(pmm_block_page(block), caller);
	return pmm_block_page(block);
}

/**
 * pmm_zone_free_page() - pmm_zone_free() of order 0
 * @zone: the zone
 * @page: the page
 * @kind: as for pmm_zone_free()
 * @caller: likewise
 *
 * Context: As pmm_zone_free().
 * Return: As pmm_zone_free().
 */
enum pmm_free_result pmm_zone_free_page(struct pmm_zone *zone, struct page *page,
					enum pmm_kind kind, unsigned long caller)
{
	enum pmm_free_result result;
	struct pmm_block block;
	unsigned long flags;

	if (unlikely(!pmm_page_in_zone(zone, page)))
		return pmm_zone_free_block(zone, page, 0, kind, caller);
	block = pmm_block_of(zone, page);
	spin_lock_irqsave(&zone->lock, flags);
	if (unlikely(zone->detour & PMM_DETOUR_FREE || !pmm_page_is_clean(page) ||
		     !pmm_claim(block.state, PMM_STATE(kind, 0), PMM_TAIL))) {
		/* Still under the lock: misuse now might not look like misuse later. */
		result = __pmm_free_checked(zone, block.index, 0, kind, caller);
		spin_unlock_irqrestore(&zone->lock, flags);
		return pmm_end_free(zone, page, 0, result, caller);
	}
	zone->stat.frees++;
	pmm_set_page_caller(page, caller);
	__pmm_free_pages_ok(zone, block, 0);
	spin_unlock_irqrestore(&zone->lock, flags);
	return PMM_FREE_OK;
}

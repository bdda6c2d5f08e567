// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the buddy allocator with pair-bit maps, as in Linux 2.4 (the book's chapter 'Physical
 * Page Allocation').
 *
 * It owns the zone: free lists, pair bits, state bytes, watermark, and page->lru of free and parked
 * pages. It knows nothing of modules, debugfs or virtual addresses, and compiles unchanged in user
 * space.
 *
 * A zone is protected by its one lock, taken with interrupts off, so that each call may come from
 * any context; under PREEMPT_RT the lock sleeps, and then calls from hard interrupts or with
 * preemption off are not allowed. Functions whose names begin with a double underscore run with the
 * lock held.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "internal.h"

#define PMM_REAP_PAGES	64UL	/* parked pages that a free looks at */

/* --- verbs on the free lists and the state bytes ---------------------------------------------- */

/*
 * The loops over the orders are unrolled: what depends on the order is then a constant in each
 * step, which is half the instructions. The pragmas say PMM_MAX_ORDER, but they know no macros.
 */
static_assert(PMM_MAX_ORDER == 10, "the unroll pragmas");

/* A block by all that is touched of it: its index, the links of its first page, its state byte. */
struct pmm_block {
	unsigned long		index;
	struct list_head	*links;
	u8			*state;
};

static __always_inline struct pmm_block pmm_block_of(const struct pmm_zone *zone,
						     struct page *page)
{
	unsigned long index = pmm_page_index(zone, page);

	return (struct pmm_block){
		.index = index,
		.links = &page->lru,
		.state = zone->state + index,
	};
}

static __always_inline struct pmm_block pmm_block_at(const struct pmm_zone *zone,
						     unsigned long index)
{
	return (struct pmm_block){
		.index = index,
		.links = &zone->mem_map[index].lru,
		.state = zone->state + index,
	};
}

/* The block so many pages behind this one, or before it. */
static __always_inline struct pmm_block pmm_block_beside(struct pmm_block block, long pages)
{
	void *links = block.links;

	return (struct pmm_block){
		.index = block.index + pages,
		.links = links + pages * (long)sizeof(struct page),
		.state = block.state + pages,
	};
}

static __always_inline struct page *pmm_block_page(struct pmm_block block)
{
	return container_of(block.links, struct page, lru);
}

static __always_inline void __pmm_mark(struct pmm_zone *zone, unsigned long index,
				       enum pmm_kind kind, unsigned int order)
{
	zone->state[index] = kind == PMM_TAIL ? PMM_TAIL : PMM_STATE(kind, order);
}

/*
 * list_add() and list_del() without the kernel's DEBUG_LIST, which would cost as much again and,
 * with BUG_ON_DATA_CORRUPTION, kill the machine. The checks are here: who unlinks a block looks at
 * its state byte and at both its neighbours first, and leaves it alone when something is wrong.
 */
static __always_inline void __pmm_link_before(struct pmm_zone *zone, struct pmm_block block,
					      unsigned int order, struct list_head *first)
{
	struct list_head *head = &zone->free_area[order].free_list;

	first->prev = block.links;
	block.links->next = first;
	block.links->prev = head;
	head->next = block.links;
	*block.state = PMM_STATE(PMM_FREE, order);
}

static __always_inline void __pmm_link_free(struct pmm_zone *zone, struct pmm_block block,
					    unsigned int order)
{
	__pmm_link_before(zone, block, order, zone->free_area[order].free_list.next);
}

/* On a list that was just seen to be empty. */
static __always_inline void __pmm_link_only(struct pmm_zone *zone, struct pmm_block block,
					    unsigned int order)
{
	__pmm_link_before(zone, block, order, &zone->free_area[order].free_list);
}

static __always_inline bool __pmm_unlink_free(struct pmm_block block, unsigned int order)
{
	struct list_head *old = block.links, *next, *prev;

	if (unlikely(*block.state != PMM_STATE(PMM_FREE, order)))
		return false;
	next = old->next;
	prev = old->prev;
	if (unlikely(next->prev != old || prev->next != old))
		return false;
	next->prev = prev;
	prev->next = next;
	*block.state = PMM_TAIL;
	return true;
}

/*
 * A block changes hands: of several that free it at once one gets true. The per-CPU lists do so
 * without zone->lock.
 */
static __always_inline bool pmm_claim(u8 *at, u8 from, u8 to)
{
	return try_cmpxchg(at, &from, to);
}

/* --- allocation: split ------------------------------------------------------------------------ */

/*
 * Cut a block of order @high, already off its list, down to @low and return the piece to hand
 * out. Each cut keeps one half, whose pair bit thereby becomes 1, and goes on with the
 * other. For an order-0 request served from a free order-2 block at index 8, `upper` (2.4) hands
 * out 11 and `lower` (2.6.28) hands out 8:
 *
 *	order 2   [ 8  9 10 11]			 [ 8  9 10 11]
 *	order 1   [ 8  9]kept [10 11]		 [ 8  9] [10 11]kept
 *	order 0           [10]kept [11]out	 [ 8]out [ 9]kept
 */
static __always_inline struct pmm_block __pmm_cut(struct pmm_zone *zone, struct pmm_block block,
						  unsigned int low, unsigned int high,
						  bool upper, bool first_fit)
{
	unsigned long pair = block.index >> high;
	unsigned int order;

#pragma GCC unroll 10
	for (order = PMM_MAX_ORDER - 1; order-- > 0; ) {
		long half = 1L << order;

		if (order >= high)
			continue;
		if (order < low)
			break;
		__change_bit(pair, zone->free_area[order].map);	/* 2.4's MARK_USED() */
		if (first_fit)
			__pmm_link_only(zone, pmm_block_beside(block, upper ? 0 : half), order);
		else
			__pmm_link_free(zone, pmm_block_beside(block, upper ? 0 : half), order);
		block = pmm_block_beside(block, upper ? half : 0);
		pair = 2 * pair + upper;
	}
	return block;
}

/* @first_fit: the block is of the first list that is not empty, from that of order @low on. */
static __always_inline struct pmm_block __pmm_expand(struct pmm_zone *zone, struct pmm_block block,
						     unsigned int low, unsigned int high,
						     bool first_fit)
{
	zone->stat.splits += high - low;
	return zone->expand == PMM_EXPAND_UPPER ?
	       __pmm_cut(zone, block, low, high, true, first_fit) :
	       __pmm_cut(zone, block, low, high, false, first_fit);
}

/*
 * 2.4's rmqueue(): the head of the first list that has a block of order @low or larger. Returns its
 * order, PMM_MAX_ORDER when there is none.
 */
static __always_inline unsigned int __pmm_pick_first(struct pmm_zone *zone, unsigned int low,
						     struct pmm_block *block)
{
	struct list_head *head = NULL;
	unsigned int high;

#pragma GCC unroll 10
	for (high = 0; high < PMM_MAX_ORDER; high++) {
		if (high < low)
			continue;
		head = &zone->free_area[high].free_list;
		if (head->next != head)
			break;
	}
	if (unlikely(high == PMM_MAX_ORDER))
		return PMM_MAX_ORDER;
	OPTIMIZER_HIDE_VAR(head);	/* so that head->next is loaded once, not from each list */
	*block = pmm_block_of(zone, list_first_entry(head, struct page, lru));
	return high;
}

static __always_inline unsigned int __pmm_pick(struct pmm_zone *zone, unsigned int low,
					       struct pmm_block *block)
{
	unsigned long index;

	if (likely(!zone->pageblocks))
		return __pmm_pick_first(zone, low, block);
	index = pmm_packed_pick(zone, low);
	if (index == PMM_NONE)
		return PMM_MAX_ORDER;
	*block = pmm_block_at(zone, index);
	return PMM_STATE_ORDER(*block->state);
}

/* Off its list; false when it is not what it should be. */
static __always_inline bool __pmm_unlink_picked(struct pmm_zone *zone, struct pmm_block block,
						unsigned int high)
{
	if (unlikely(!__pmm_unlink_free(block, high)))
		return false;
	if (high < PMM_MAX_ORDER - 1)
		__change_bit(block.index >> (1 + high), zone->free_area[high].map);
	return true;
}

/* Take a page as the book does: not with placement=packed. */
static __always_inline bool __pmm_take_page(struct pmm_zone *zone, struct pmm_block *block)
{
	unsigned int high = __pmm_pick_first(zone, 0, block);

	if (unlikely(high == PMM_MAX_ORDER) || unlikely(!__pmm_unlink_picked(zone, *block, high)))
		return false;
	zone->free_pages--;
	*block = __pmm_expand(zone, *block, 0, high, true);
	return true;
}

static __always_inline unsigned long ____pmm_take_run(struct pmm_zone *zone, unsigned int low,
						      unsigned long nr, struct pmm_block *block,
						      bool traced)
{
	unsigned int high = __pmm_pick(zone, low, block), whole;

	if (high >= PMM_MAX_ORDER || !__pmm_unlink_picked(zone, *block, high))
		return 0;
	if (traced)
		pmm_trace_cut(zone, block->index, low, high);
	whole = min(high, low + (unsigned int)__fls(nr));
	*block = __pmm_expand(zone, *block, whole, high, false);
	zone->free_pages -= 1UL << whole;
	nr = 1UL << (whole - low);
	zone->stat.splits += nr - 1;
	if (unlikely(zone->pageblocks))
		pmm_packed_update(zone, block->index, -(1L << whole));
	return nr;
}

static noinline unsigned long __pmm_take_run_traced(struct pmm_zone *zone, unsigned int low,
						    struct pmm_block *block)
{
	return ____pmm_take_run(zone, low, 1, block, true);
}

/*
 * Take blocks of order @low, at most @nr and all those that one block gives: as so many single
 * requests would; and one at a time while events are traced. Returns how many; the first is @block,
 * the others are behind it.
 */
static noinline unsigned long __pmm_take_run(struct pmm_zone *zone, unsigned int low,
					     unsigned long nr, struct pmm_block *block)
{
	if (pmm_tracing())
		return __pmm_take_run_traced(zone, low, block);
	return ____pmm_take_run(zone, low, nr, block, false);
}

/* How many blocks of this order the watermark allows. */
static __always_inline unsigned long __pmm_allowed(const struct pmm_zone *zone, gfp_t gfp,
						   unsigned int order)
{
	unsigned long reserve = unlikely(zone->pages_min) ? pmm_reserve_for(zone, gfp) : 0;

	return zone->free_pages > reserve ? (zone->free_pages - reserve) >> order : 0;
}

/* --- free: coalesce --------------------------------------------------------------------------- */

/*
 * Put a block back and merge it with its buddy for as long as the buddy is free, order by order.
 * The pair bit of each level flips; what it was tells which of the two cases this is:
 *
 *	0: the buddy is not on this list. This block goes on it, and the bit now says that one of
 *	   the two is there.
 *	1: the buddy is on this list. It leaves, the bit now says that neither is there, and the
 *	   two are one block of the next order, which begins at the lower index.
 *
 * A buddy that would lie behind the end of the zone was never freed, so its bit never reads 1;
 * there are state bytes up to the end of the last largest block, so that one may look. The state
 * byte is looked at before the buddy is unlinked: a pair bit that somebody overwrote must not
 * become a broken list. The block's own state byte is PMM_TAIL already.
 */
static __always_inline unsigned int __pmm_coalesce(struct pmm_zone *zone, struct pmm_block block,
						   unsigned int low)
{
	unsigned long index = block.index, pair = index >> low;
	unsigned int order;

#pragma GCC unroll 10
	for (order = 0; order < PMM_MAX_ORDER - 1; order++) {
		long half = 1L << order;

		if (order < low)
			continue;
		pair >>= 1;
		OPTIMIZER_HIDE_VAR(pair);	/* so that it is shifted, not @index each time */
		if (!__test_and_change_bit(pair, zone->free_area[order].map)) { /* MARK_USED() */
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
	OPTIMIZER_HIDE_VAR(order);	/* so that no step prepares for this, which is never */
	__pmm_link_free(zone, block, order);
	return order;
}

/* Returns the order of what the block is part of now. */
static __always_inline unsigned int __pmm_put(struct pmm_zone *zone, struct pmm_block block,
					      unsigned int order)
{
	unsigned int high;

	lockdep_assert_held(&zone->lock);
	high = __pmm_coalesce(zone, block, order);
	zone->stat.merges += high - order;
	zone->free_pages += 1UL << order;
	return high;
}

static noinline void __pmm_put_traced(struct pmm_zone *zone, unsigned long index,
				      unsigned int order)
{
	pmm_trace_merge(index, order, __pmm_put(zone, pmm_block_at(zone, index), order));
}

static noinline void __pmm_free_block(struct pmm_zone *zone, unsigned long index,
				      unsigned int order)
{
	if (pmm_tracing())
		__pmm_put_traced(zone, index, order);
	else
		__pmm_put(zone, pmm_block_at(zone, index), order);
	if (unlikely(zone->pageblocks))
		pmm_packed_update(zone, index, 1L << order);
}

/*
 * Blocks one behind the other, which end up as if each were freed by itself, in ascending order:
 * whole aligned groups of them merge without ever being listed.
 */
static void __pmm_free_run(struct pmm_zone *zone, unsigned long index, unsigned int order,
			   unsigned long nr)
{
	unsigned long nr_pages = nr << order;

	while (nr_pages) {
		unsigned int whole = min3((unsigned int)__fls(nr_pages),
					  (unsigned int)__ffs(index | PMM_MAX_ORDER_PAGES),
					  PMM_MAX_ORDER - 1U);

		zone->stat.merges += (1UL << (whole - order)) - 1;
		__pmm_free_block(zone, index, whole);
		index += 1UL << whole;
		nr_pages -= 1UL << whole;
	}
}

/*
 * Is anybody but the allocator holding a reference to a page of this block? A plain read: who holds
 * one has held it since before the free.
 */
static __always_inline bool pmm_page_referenced(const struct page *page)
{
	/* Who holds a reference has held it since before the free. */
	return data_race(page->_refcount.counter) != 1;
}

static __always_inline bool pmm_block_referenced(const struct page *page, unsigned int order)
{
	const struct page *end = page + (1UL << order);

	if (order < 2)
		return pmm_page_referenced(page) || pmm_page_referenced(end - 1);
	for (; page < end; page += 4)
		if (pmm_page_referenced(page) || pmm_page_referenced(page + 1) ||
		    pmm_page_referenced(page + 2) || pmm_page_referenced(page + 3))
			return true;
	return false;
}

/* Who may take the shortest ways: nobody where something has to be looked at, or told. */
static void __pmm_retune(struct pmm_zone *zone)
{
	bool traced = pmm_tracing();

	lockdep_assert_held(&zone->lock);
	WRITE_ONCE(zone->plain, !zone->pageblocks && !zone->debug && !traced);
	WRITE_ONCE(zone->pcp_quick, zone->pcp && !zone->pages_min && !traced);
	WRITE_ONCE(zone->pcp_limit, zone->pcp && !zone->nr_parked && !traced ? zone->nr_pages : 0);
}

static void __pmm_park(struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	list_add_tail(&zone->mem_map[index].lru, &zone->parked);
	zone->nr_parked += 1UL << order;
	__pmm_retune(zone);
	zone->stat.parked++;
}

/*
 * Recycle what is no longer referenced among the blocks parked longest, up to about @most pages;
 * those that still are go to the end of the queue.
 */
static unsigned long __pmm_reap(struct pmm_zone *zone, unsigned long most)
{
	unsigned long reaped = 0;
	struct page *page, *next;
	LIST_HEAD(waiting);

	list_for_each_entry_safe(page, next, &zone->parked, lru) {
		unsigned long index = pmm_page_index(zone, page);
		unsigned int order = PMM_STATE_ORDER(zone->state[index]);

		if (!most)
			break;
		most -= min(most, 1UL << order);
		if (pmm_block_referenced(page, order)) {
			list_move_tail(&page->lru, &waiting);
			continue;
		}
		list_del(&page->lru);
		zone->nr_parked -= 1UL << order;
		zone->stat.frees++;
		if (unlikely(zone->debug))
			__pmm_debug_fill(zone, index, order);
		__pmm_mark(zone, index, PMM_TAIL, 0);
		if (pmm_tracing())
			pmm_trace_recycled(index, order);
		__pmm_free_block(zone, index, order);
		reaped += 1UL << order;
	}
	list_splice_tail(&waiting, &zone->parked);
	__pmm_retune(zone);
	return reaped;
}

/* --- misuse: found by the state byte before any list is touched ------------------------------- */

static const struct {
	int		err;
	const char	*why;
} pmm_free_results[PMM_NR_FREE_RESULTS] = {
	[PMM_FREE_OK] = { 0, "freed" },
	[PMM_FREE_PARKED] = { 0, "parked until its last reference is gone" },
	[PMM_FREE_FOREIGN] = { -EINVAL, "not a page of this pool" },
	[PMM_FREE_BAD_ORDER] = { -EINVAL, "no such order, or the page is not aligned to it" },
	[PMM_FREE_DOUBLE] = { -EINVAL, "the page is already free" },
	[PMM_FREE_WRONG_ORDER] = { -EINVAL, "the block has another order" },
	[PMM_FREE_MIDDLE] = { -EINVAL, "the page is in the middle of a block" },
	[PMM_FREE_MAPPED] = { -EBUSY, "the page belongs to an area" },
};

/**
 * pmm_free_why() - put a free's result in words
 * @result: of pmm_zone_free()
 *
 * Context: Any.
 * Return: A constant string.
 */
const char *pmm_free_why(enum pmm_free_result result)
{
	return pmm_free_results[result].why;
}

/**
 * pmm_free_errno() - put a free's result in an errno
 * @result: of pmm_zone_free()
 *
 * Context: Any.
 * Return: 0 when the block was taken back, now or later; else the reason for the refusal: -EINVAL,
 * -EBUSY.
 */
int pmm_free_errno(enum pmm_free_result result)
{
	return pmm_free_results[result].err;
}

/* The first page of the block that this page is inside: the nearest one below that has a kind. */
static unsigned long __pmm_head_of(const struct pmm_zone *zone, unsigned long index)
{
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER; order++) {
		index &= ~0UL << order;
		if (READ_ONCE(zone->state[index]) != PMM_TAIL)
			break;
	}
	return index;
}

static enum pmm_free_result pmm_misuse_of_head(enum pmm_kind is, enum pmm_kind kind)
{
	if (is == PMM_FREE || is == PMM_PARKED || is == PMM_PCP)
		return PMM_FREE_DOUBLE;
	if (is == PMM_MAPPED && kind != PMM_MAPPED)
		return PMM_FREE_MAPPED;
	return PMM_FREE_WRONG_ORDER;
}

/* Why a block that is not in the state it should be in may not be freed. */
static noinline enum pmm_free_result __pmm_misuse(const struct pmm_zone *zone, unsigned long index,
						  unsigned int order, enum pmm_kind kind)
{
	unsigned long head = __pmm_head_of(zone, index);
	enum pmm_kind is = PMM_STATE_KIND(READ_ONCE(zone->state[head]));

	if (!IS_ALIGNED(index, 1UL << order))
		return PMM_FREE_BAD_ORDER;
	if (head != index && is != PMM_FREE && is != PMM_PARKED && is != PMM_PCP)
		return PMM_FREE_MIDDLE;
	return pmm_misuse_of_head(is, kind);
}

static __always_inline enum pmm_free_result
__pmm_free_checked(struct pmm_zone *zone, unsigned long index, unsigned int order,
		   enum pmm_kind kind, unsigned long caller)
{
	u8 state = PMM_STATE(kind, order);

	if (unlikely(READ_ONCE(zone->state[index]) != state))
		return __pmm_misuse(zone, index, order, kind);
	if (unlikely(pmm_block_referenced(zone->mem_map + index, order))) {
		if (!pmm_claim(zone->state + index, state, PMM_STATE(PMM_PARKED, order)))
			return PMM_FREE_DOUBLE;
		if (unlikely(zone->debug))
			__pmm_debug_freed(zone, index, caller);
		pmm_set_page_caller(zone->mem_map + index, caller);
		__pmm_park(zone, index, order);
		if (pmm_tracing())
			pmm_trace_free(zone, index, order, kind, PMM_TRACE_PARKED, caller);
		return PMM_FREE_PARKED;
	}
	if (unlikely(!pmm_claim(zone->state + index, state, PMM_TAIL)))
		return PMM_FREE_DOUBLE;
	if (unlikely(zone->debug)) {
		__pmm_debug_freed(zone, index, caller);
		__pmm_debug_fill(zone, index, order);
	}
	pmm_set_page_caller(zone->mem_map + index, caller);
	if (pmm_tracing())
		pmm_trace_free(zone, index, order, kind, PMM_TRACE_ZONE, caller);
	zone->stat.frees++;
	__pmm_free_block(zone, index, order);
	return PMM_FREE_OK;
}

/*
 * What is told about a refused free: the block that the page is in, as it was under the lock, and
 * who freed the page before, if it was ever freed as the first of a block.
 */
struct pmm_culprit {
	unsigned long	head;
	unsigned long	freed_by;
	u8		state;
};

static void pmm_report_misuse(const struct pmm_zone *zone, const struct page *page,
			      unsigned int order, enum pmm_free_result result,
			      const struct pmm_culprit *in, unsigned long caller)
{
	static const char * const kinds[] = { "no", "free", "used", "mapped", "parked", "free" };
	const struct pmm_owner *owner = zone->debug ? zone->debug->owner : NULL;
	char block[64], who[PMM_WHO_LEN] = "";
	const char *did = "";

	snprintf(block, sizeof(block), "the %s block %lu of order %u",
		 kinds[PMM_STATE_KIND(in->state)], in->head, PMM_STATE_ORDER(in->state));
	if (result == PMM_FREE_DOUBLE && in->freed_by) {
		did = "; freed before by ";
		pmm_debug_who(zone, owner ? &owner[pmm_page_index(zone, page)].freed : NULL,
			      in->freed_by, who);
	} else if (owner && owner[in->head].taken.stack) {
		did = "; taken by ";
		pmm_debug_who(zone, &owner[in->head].taken, 0, who);
	}
	pr_warn_ratelimited("free refused: %s: page %lu order %u, in %s, by %pS%s%s\n",
			    pmm_free_why(result), pmm_page_index(zone, page), order, block,
			    (void *)caller, did, who);
}

/* Counts and reports; zone->lock is not held, but what the report says was so a moment ago. */
static noinline enum pmm_free_result pmm_refuse_free(struct pmm_zone *zone,
						     const struct page *page, unsigned int order,
						     enum pmm_free_result result,
						     unsigned long caller)
{
	struct pmm_culprit in = { };
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	zone->stat.refused[result]++;
	in.head = __pmm_head_of(zone, pmm_page_index(zone, page));
	in.state = READ_ONCE(zone->state[in.head]);
	in.freed_by = pmm_page_caller(page);
	spin_unlock_irqrestore(&zone->lock, flags);
	if (pmm_tracing())
		pmm_trace_misuse(zone, pmm_page_index(zone, page), order, result, caller);
	pmm_report_misuse(zone, page, order, result, &in, caller);
	return result;
}

/**
 * pmm_refuse_foreign() - count and report a free of what is no page of the pool
 * @zone: the zone
 * @what: what it is said to be: a page, or an address
 * @addr: where, which is shown as the kernel shows pointers, as a hash
 * @order: as it was to be freed with
 * @caller: who wanted it
 *
 * Context: As pmm_zone_free().
 * Return: PMM_FREE_FOREIGN.
 */
noinline enum pmm_free_result pmm_refuse_foreign(struct pmm_zone *zone, const char *what,
						 const void *addr, unsigned int order,
						 unsigned long caller)
{
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	zone->stat.refused[PMM_FREE_FOREIGN]++;
	spin_unlock_irqrestore(&zone->lock, flags);
	if (pmm_tracing())
		pmm_trace_misuse(zone, PMM_NONE, order, PMM_FREE_FOREIGN, caller);
	pr_warn_ratelimited("free refused: %s: %s %p order %u, by %pS\n",
			    pmm_free_why(PMM_FREE_FOREIGN), what, addr, order, (void *)caller);
	return PMM_FREE_FOREIGN;
}

/* --- what the rest of the module calls -------------------------------------------------------- */

static struct page *pmm_zone_try_alloc(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
				       enum pmm_kind kind, unsigned long caller)
{
	struct page *page = NULL;
	struct pmm_block block;
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	if (likely(__pmm_allowed(zone, gfp, order) && __pmm_take_run(zone, order, 1, &block))) {
		zone->stat.allocations++;
		*block.state = PMM_STATE(kind, order);
		page = pmm_block_page(block);
		if (pmm_tracing())
			pmm_trace_taken(zone, block.index, order, kind, gfp, caller, 1);
	}
	spin_unlock_irqrestore(&zone->lock, flags);
	if (unlikely(!page))
		return NULL;
	if (unlikely(zone->debug))
		pmm_debug_taken(zone, block.index, order, gfp, caller);
	pmm_set_page_caller(page, caller);
	return page;
}

/* Once more, when all that is free but not on the free lists has been brought there. */
static noinline struct page *pmm_zone_alloc_last(struct pmm_zone *zone, gfp_t gfp,
						 unsigned int order, enum pmm_kind kind,
						 unsigned long caller)
{
	unsigned long flags, free_pages;
	struct page *page = NULL;
	unsigned int looks = 0;
	long moving;

	if (order < PMM_MAX_ORDER) {
		pmm_zone_reap(zone);
		do {
			moving = atomic_long_read(&zone->transit);
			pmm_pcp_drain(zone);
			moving |= atomic_long_read(&zone->transit);
			page = pmm_zone_try_alloc(zone, gfp, order, kind, caller);
			/* What was moving, or is, was in nobody's reach: it may have arrived. */
			moving |= atomic_long_read(&zone->transit);
		} while (!page && moving && pmm_pcp_look_again(&looks));
	}
	if (page)
		return page;
	spin_lock_irqsave(&zone->lock, flags);
	zone->stat.failures++;
	free_pages = zone->free_pages;
	if (pmm_tracing())
		pmm_trace_alloc(zone, PMM_NONE, order, kind, gfp, PMM_TRACE_NOWHERE, caller);
	spin_unlock_irqrestore(&zone->lock, flags);
	if (!(gfp & __GFP_NOWARN))
		pr_warn_ratelimited("order-%u allocation failed: gfp=%pGg, %lu of %lu pages free, by %pS\n",
				    order, &gfp, free_pages, zone->nr_pages, (void *)caller);
	return NULL;
}

static noinline struct page *pmm_zone_alloc_block(struct pmm_zone *zone, gfp_t gfp,
						  unsigned int order, enum pmm_kind kind,
						  unsigned long caller)
{
	struct page *page = NULL;

	if (likely(order < PMM_MAX_ORDER))
		page = pmm_zone_try_alloc(zone, gfp, order, kind, caller);
	return likely(page) ? page : pmm_zone_alloc_last(zone, gfp, order, kind, caller);
}

/*
 * Blocks one behind the other, in the order in which single allocations would hand them out: from
 * the end that expand= hands out first.
 */
static __always_inline void ____pmm_hand_out(struct pmm_zone *zone, unsigned long index,
					     unsigned int order, enum pmm_kind kind,
					     unsigned long caller, unsigned long nr,
					     struct page **pages)
{
	long step = 1L << order;
	struct page *page;

	if (zone->expand == PMM_EXPAND_UPPER) {
		index += (nr - 1) << order;
		step = -step;
	}
	page = zone->mem_map + index;
	for (; nr--; index += step, page += step) {
		__pmm_mark(zone, index, kind, order);
		if (kind != PMM_PCP)
			pmm_set_page_caller(page, caller);
		*pages++ = page;
	}
}

/* Nobody has what goes to a per-CPU list: who freed it last stays noted there. */
static void __pmm_hand_out(struct pmm_zone *zone, unsigned long index, unsigned int order,
			   enum pmm_kind kind, unsigned long caller, unsigned long nr,
			   struct page **pages)
{
	if (kind == PMM_PCP)
		____pmm_hand_out(zone, index, order, PMM_PCP, caller, nr, pages);
	else
		____pmm_hand_out(zone, index, order, kind, caller, nr, pages);
}

/**
 * pmm_zone_alloc() - take a block of 2^@order pages
 * @zone: the zone
 * @gfp: __GFP_HIGH and __GFP_MEMALLOC reach below the watermark; without __GFP_NOWARN a failure is
 *	reported in one rate-limited line; all other flags are the caller's business
 * @order: 0 to PMM_MAX_ORDER - 1; a larger one fails
 * @kind: PMM_USED, or PMM_MAPPED for a page that only an area may free
 * @caller: who asks, for the reports
 *
 * 2.4's rmqueue() with the same choice of block. Before it fails it recycles parked blocks whose
 * references have gone, and drains the per-CPU lists.
 *
 * Context: Any; under PREEMPT_RT not from hard interrupts or with preemption off.
 * Return: The block's first page, its contents undefined and each page with one reference; NULL
 * when there is none.
 */
struct page *pmm_zone_alloc(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
			    enum pmm_kind kind, unsigned long caller)
{
	return order ? pmm_zone_alloc_block(zone, gfp, order, kind, caller) :
		       pmm_zone_alloc_page(zone, gfp, kind, caller);
}

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

	if (unlikely(zone->pages_min || !READ_ONCE(zone->plain)))
		return pmm_zone_alloc_block(zone, gfp, 0, kind, caller);
	spin_lock_irqsave(&zone->lock, flags);
	if (unlikely(!__pmm_take_page(zone, &block))) {
		spin_unlock_irqrestore(&zone->lock, flags);
		return pmm_zone_alloc_block(zone, gfp, 0, kind, caller);
	}
	zone->stat.allocations++;
	*block.state = PMM_STATE(kind, 0);
	pmm_set_page_caller(pmm_block_page(block), caller);
	spin_unlock_irqrestore(&zone->lock, flags);
	return pmm_block_page(block);
}

/* With a debug switch on each block is looked at, which takes too long under the lock. */
static unsigned long pmm_zone_alloc_singly(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
					   enum pmm_kind kind, unsigned long caller,
					   unsigned long nr, struct page **pages)
{
	unsigned long got;

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
 * @nr: how many are wanted; interrupts are off for the whole of them
 * @pages: gets the first page of each
 *
 * The blocks, their order and what is left on the free lists are those of as many calls of
 * pmm_zone_alloc(). Nothing is recycled or drained when there are too few.
 *
 * Context: As pmm_zone_alloc().
 * Return: How many there were.
 */
unsigned long pmm_zone_alloc_bulk(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
				  enum pmm_kind kind, unsigned long caller, unsigned long nr,
				  struct page **pages)
{
	unsigned long flags, got = 0, run;
	struct pmm_block block;

	if (unlikely(zone->debug))
		return pmm_zone_alloc_singly(zone, gfp, order, kind, caller, nr, pages);
	spin_lock_irqsave(&zone->lock, flags);
	nr = min(nr, __pmm_allowed(zone, gfp, order));
	while (got < nr) {
		run = __pmm_take_run(zone, order, nr - got, &block);
		if (!run)
			break;
		__pmm_hand_out(zone, block.index, order, kind, caller, run, pages + got);
		if (pmm_tracing())
			pmm_trace_taken(zone, block.index, order, kind, gfp, caller, run);
		got += run;
	}
	if (kind == PMM_PCP)
		atomic_long_add(got << order, &zone->transit);
	else
		zone->stat.allocations += got;
	spin_unlock_irqrestore(&zone->lock, flags);
	return got;
}

/* All but the fastest case. */
static noinline enum pmm_free_result __pmm_free_slow(struct pmm_zone *zone, unsigned long index,
						     unsigned int order, enum pmm_kind kind,
						     unsigned long caller)
{
	enum pmm_free_result result = __pmm_free_checked(zone, index, order, kind, caller);

	if (unlikely(zone->nr_parked) && result <= PMM_FREE_PARKED)
		__pmm_reap(zone, PMM_REAP_PAGES);
	return result;
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
	result = __pmm_free_slow(zone, index, order, kind, caller);
	spin_unlock_irqrestore(&zone->lock, flags);
	if (unlikely(result > PMM_FREE_PARKED))
		pmm_refuse_free(zone, page, order, result, caller);
	return result;
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

	spin_lock_irqsave(&zone->lock, flags);
	if (unlikely(!pmm_page_in_zone(zone, page) || !zone->plain)) {
		spin_unlock_irqrestore(&zone->lock, flags);
		return pmm_zone_free_block(zone, page, 0, kind, caller);
	}
	block = pmm_block_of(zone, page);
	if (unlikely(pmm_page_referenced(page) || zone->nr_parked ||
		     !pmm_claim(block.state, PMM_STATE(kind, 0), PMM_TAIL))) {
		/* Still under the lock: what is misuse now might not look so later. */
		result = __pmm_free_slow(zone, block.index, 0, kind, caller);
		spin_unlock_irqrestore(&zone->lock, flags);
		if (result > PMM_FREE_PARKED)
			pmm_refuse_free(zone, page, 0, result, caller);
		return result;
	}
	zone->stat.frees++;
	pmm_set_page_caller(page, caller);
	__pmm_put(zone, block, 0);
	spin_unlock_irqrestore(&zone->lock, flags);
	return PMM_FREE_OK;
}

/**
 * pmm_zone_free() - give a block back
 * @zone: the zone
 * @page: the block's first page
 * @order: the block's order
 * @kind: the kind that it was allocated as
 * @caller: who frees, for the reports
 *
 * 2.4's __free_pages_ok(), but misuse is refused: then no list is touched, the refusal is counted
 * and one rate-limited line says what was tried. A block with a page that somebody still references
 * is parked.
 *
 * Context: Any; under PREEMPT_RT not from hard interrupts or with preemption off.
 * Return: PMM_FREE_OK, PMM_FREE_PARKED, or why it was refused.
 */
enum pmm_free_result pmm_zone_free(struct pmm_zone *zone, struct page *page, unsigned int order,
				   enum pmm_kind kind, unsigned long caller)
{
	return order ? pmm_zone_free_block(zone, page, order, kind, caller) :
		       pmm_zone_free_page(zone, page, kind, caller);
}

/*
 * The pages from @pages on that are one ascending run, are order-0 blocks of this kind and are not
 * referenced by others: claimed, to be freed together.
 */
static unsigned long __pmm_claim_run(struct pmm_zone *zone, struct page **pages, unsigned long nr,
				     enum pmm_kind kind, unsigned long caller,
				     unsigned long *index)
{
	struct page *page = *pages;
	unsigned long n;

	if (unlikely(!pmm_page_in_zone(zone, page)))
		return 0;
	*index = pmm_page_index(zone, page);
	nr = min(nr, pmm_tracing() ? 1UL : zone->nr_pages - *index);
	for (n = 0; n < nr && pages[n] == page; n++, page++) {
		if (page_ref_count(page) != 1 ||
		    !pmm_claim(zone->state + *index + n, PMM_STATE(kind, 0), PMM_TAIL))
			break;
		pmm_set_page_caller(page, caller);
	}
	return n;
}

static __always_inline void __pmm_free_claimed(struct pmm_zone *zone, unsigned long index,
					       unsigned long nr, enum pmm_kind kind,
					       unsigned long caller)
{
	if (pmm_tracing())
		pmm_trace_free(zone, index, 0, kind, PMM_TRACE_ZONE, caller);
	__pmm_free_run(zone, index, 0, nr);
}

/**
 * pmm_zone_break() - make a used block as many single pages
 * @zone: the zone
 * @page: the block's first page
 * @order: the block's order
 * @caller: who has the pages
 *
 * Context: As pmm_zone_alloc().
 */
void pmm_zone_break(struct pmm_zone *zone, struct page *page, unsigned int order,
		    unsigned long caller)
{
	unsigned long flags, index = pmm_page_index(zone, page), nr = 1UL << order;

	spin_lock_irqsave(&zone->lock, flags);
	zone->stat.allocations += nr - 1;
	zone->stat.splits += nr - 1;
	memset(zone->state + index, PMM_STATE(PMM_STATE_KIND(zone->state[index]), 0), nr);
	if (pmm_tracing())
		pmm_trace_broken(index, order);
	spin_unlock_irqrestore(&zone->lock, flags);
	if (unlikely(zone->debug))
		pmm_debug_broken(zone, index, order);
	for (; nr--; page++)
		pmm_set_page_caller(page, caller);
}

/**
 * pmm_zone_free_bulk() - give many order-0 blocks back, a batch under one lock
 * @zone: the zone
 * @nr: length of @pages
 * @pages: no NULL among them
 * @kind: as for pmm_zone_free()
 * @caller: likewise
 *
 * As pmm_zone_free() of each, in this order; runs of ascending pages coalesce at once.
 *
 * Context: As pmm_zone_free().
 */
void pmm_zone_free_bulk(struct pmm_zone *zone, unsigned long nr, struct page **pages,
			enum pmm_kind kind, unsigned long caller)
{
	unsigned long done = 0, flags, batch, index, run;

	while (unlikely(zone->debug) && done < nr)
		pmm_zone_free(zone, pages[done++], 0, kind, caller);
	while (done < nr) {
		batch = min(nr, done + PMM_BULK_PAGES);
		spin_lock_irqsave(&zone->lock, flags);
		do {
			run = __pmm_claim_run(zone, pages + done, batch - done, kind, caller,
					      &index);
			zone->stat.frees += run;
			if (run)
				__pmm_free_claimed(zone, index, run, kind, caller);
			done += run;
		} while (run && done < batch);
		if (unlikely(zone->nr_parked))
			__pmm_reap(zone, PMM_REAP_PAGES);
		spin_unlock_irqrestore(&zone->lock, flags);
		if (unlikely(!run))
			pmm_zone_free(zone, pages[done++], 0, kind, caller);
	}
}

/* The first of these blocks that are one run: how many. */
static unsigned int __pmm_leave_pcp(struct pmm_zone *zone, const u32 *indices, unsigned int nr,
				    unsigned int order)
{
	unsigned int run;

	if (pmm_tracing()) {
		pmm_trace_drained(*indices, order);
		nr = 1;
	}
	for (run = 0; run < nr && indices[run] == *indices + (run << order); run++)
		__pmm_mark(zone, indices[run], PMM_TAIL, 0);
	return run;
}

/**
 * pmm_zone_put_back() - what a per-CPU list has too much of
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
	unsigned int i, run;
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	for (i = 0; i < nr; i += run) {
		run = __pmm_leave_pcp(zone, indices + i, nr - i, order);
		__pmm_free_run(zone, indices[i], order, run);
	}
	atomic_long_sub((unsigned long)nr << order, &zone->transit);
	spin_unlock_irqrestore(&zone->lock, flags);
}

/**
 * pmm_zone_reap() - recycle every parked block that nobody references any more
 * @zone: the zone
 *
 * Context: As pmm_zone_free(); interrupts stay off while all parked blocks are looked at.
 * Return: How many pages became free.
 */
unsigned long pmm_zone_reap(struct pmm_zone *zone)
{
	unsigned long flags, reaped;

	spin_lock_irqsave(&zone->lock, flags);
	reaped = __pmm_reap(zone, ULONG_MAX);
	spin_unlock_irqrestore(&zone->lock, flags);
	return reaped;
}

/* --- birth and death of a zone ---------------------------------------------------------------- */

/**
 * pmm_nr_states() - how many state bytes a zone has
 * @zone: the zone
 *
 * There is one for each page up to the end of the last largest block, so that every buddy has one.
 *
 * Context: Any.
 * Return: Their number, which is also their size in bytes.
 */
unsigned long pmm_nr_states(const struct pmm_zone *zone)
{
	return ALIGN(zone->nr_pages, PMM_MAX_ORDER_PAGES);
}

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

/*
 * As 2.4's boot leaves it: every page freed singly, in ascending order, through the ordinary free
 * path.
 */
static void pmm_free_all_pages(struct pmm_zone *zone)
{
	unsigned long index, flags;

	spin_lock_irqsave(&zone->lock, flags);
	for (index = 0; index < zone->nr_pages; index++) {
		if (unlikely(zone->debug))
			__pmm_debug_fill(zone, index, 0);
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
 * @zone: to fill in; its @expand, @placement, @pages_min, @debug and @name are the caller's, set
 *	before
 * @mem_map: the first page; its page frame is aligned to the largest block, and each page has one
 *	reference
 * @nr_pages: any number from 1; a tail that is no multiple of the largest block needs no special
 *	case
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
	INIT_LIST_HEAD(&zone->parked);
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		INIT_LIST_HEAD(&zone->free_area[order].free_list);
		zone->free_area[order].map = NULL;
	}
	zone->pageblocks = NULL;
	zone->pcp = NULL;
	atomic_long_set(&zone->transit, 0);
	zone->state = pmm_may_fail(kvzalloc(pmm_nr_states(zone), GFP_KERNEL));
	if (!zone->state || pmm_alloc_maps(zone) || pmm_packed_init(zone)) {
		pmm_zone_destroy(zone);
		return -ENOMEM;
	}
	pmm_zone_retune(zone);
	pmm_free_all_pages(zone);
	return 0;
}

/**
 * pmm_zone_retune() - tracing has begun or ended, or the zone has got per-CPU lists
 * @zone: the zone; or one that there is not yet
 *
 * Calls that are under way may end as they began.
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

/**
 * pmm_zone_destroy() - forget a zone
 * @zone: the zone; nobody uses it any more
 *
 * The pages are the caller's again, whatever state they were in.
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
	pmm_packed_destroy(zone);
}

/**
 * pmm_zone_count_free() - how many blocks of each order are free
 * @zone: the zone, locked
 * @nr_free: an entry an order
 *
 * Each pair bit that is 1 stands for one free block; what remains is free in largest blocks.
 *
 * Context: zone->lock held; linear in the size of the pair-bit maps.
 */
void pmm_zone_count_free(const struct pmm_zone *zone, unsigned long *nr_free)
{
	unsigned long left = zone->free_pages;
	unsigned int order;

	lockdep_assert_held(&zone->lock);
	for (order = 0; order < PMM_MAX_ORDER - 1; order++) {
		nr_free[order] = bitmap_weight(zone->free_area[order].map,
					       pmm_nr_pairs(zone, order));
		left -= nr_free[order] << order;
	}
	nr_free[order] = left >> order;
}

/**
 * pmm_zone_map_bytes() - what the pair-bit maps cost
 * @zone: the zone
 *
 * Context: Any.
 * Return: Bytes.
 */
unsigned long pmm_zone_map_bytes(const struct pmm_zone *zone)
{
	unsigned long bytes = 0;
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER - 1; order++)
		bytes += BITS_TO_LONGS(pmm_nr_pairs(zone, order)) * sizeof(unsigned long);
	return bytes;
}

/**
 * pmm_zone_metadata() - what the zone costs beside its pages
 * @zone: the zone
 *
 * Context: Any.
 * Return: Bytes of pair-bit maps, state bytes and, if there are any, records of largest blocks; the
 * per-CPU lists cost sizeof(struct pmm_pcp) a CPU more, however large the zone.
 */
unsigned long pmm_zone_metadata(const struct pmm_zone *zone)
{
	unsigned long bytes = pmm_nr_states(zone) + pmm_zone_map_bytes(zone);

	if (zone->pageblocks)
		bytes += DIV_ROUND_UP(zone->nr_pages, PMM_MAX_ORDER_PAGES) *
			 sizeof(*zone->pageblocks);
	return bytes;
}

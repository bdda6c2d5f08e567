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

/* --- one-line verbs on the pair bits, the free lists and the state bytes ---------------------- */

/*
 * 2.4's MARK_USED(): flips the pair's bit and returns what it was. The top order has no buddies and
 * no map.
 */
static bool __pmm_toggle_pair(struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	lockdep_assert_held(&zone->lock);
	if (order == PMM_MAX_ORDER - 1)
		return false;
	return __test_and_change_bit(index >> (1 + order), zone->free_area[order].map);
}

static void __pmm_mark(struct pmm_zone *zone, unsigned long index, enum pmm_kind kind,
		       unsigned int order)
{
	zone->state[index] = kind == PMM_TAIL ? PMM_TAIL : PMM_STATE(kind, order);
}

static void __pmm_link_free(struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	struct pmm_free_area *area = &zone->free_area[order];

	list_add(&zone->mem_map[index].lru, &area->free_list);
	area->nr_free++;
	__pmm_mark(zone, index, PMM_FREE, order);
}

static void __pmm_unlink_free(struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	struct pmm_free_area *area = &zone->free_area[order];

	list_del(&zone->mem_map[index].lru);
	area->nr_free--;
	__pmm_mark(zone, index, PMM_TAIL, 0);
}

/* --- allocation: split ------------------------------------------------------------------------ */

/*
 * Cut a block of order @high, already off its list, down to @low and return the index of the piece
 * to hand out. Each cut keeps one half, whose pair bit thereby becomes 1, and goes on with the
 * other. For an order-0 request served from a free order-2 block at index 8, `upper` (2.4) hands
 * out 11 and `lower` (2.6.28) hands out 8:
 *
 *	order 2   [ 8  9 10 11]			 [ 8  9 10 11]
 *	order 1   [ 8  9]kept [10 11]		 [ 8  9] [10 11]kept
 *	order 0           [10]kept [11]out	 [ 8]out [ 9]kept
 */
static unsigned long __pmm_expand(struct pmm_zone *zone, unsigned long index, unsigned int low,
				  unsigned int high)
{
	while (high > low) {
		unsigned long upper;

		high--;
		upper = index + (1UL << high);
		if (zone->expand == PMM_EXPAND_UPPER) {
			__pmm_link_free(zone, index, high);
			index = upper;
		} else {
			__pmm_link_free(zone, upper, high);
		}
		__pmm_toggle_pair(zone, index, high);
		zone->stat.splits++;
	}
	return index;
}

/* 2.4's rmqueue(): the head of the first list that has a block of this order or larger. */
static struct page *__pmm_rmqueue(struct pmm_zone *zone, unsigned int order)
{
	unsigned int high;

	for (high = order; high < PMM_MAX_ORDER; high++) {
		struct list_head *list = &zone->free_area[high].free_list;
		unsigned long index;

		if (list_empty(list))
			continue;
		index = pmm_page_index(zone, list_first_entry(list, struct page, lru));
		__pmm_unlink_free(zone, index, high);
		__pmm_toggle_pair(zone, index, high);
		zone->free_pages -= 1UL << order;
		return zone->mem_map + __pmm_expand(zone, index, order, high);
	}
	return NULL;
}

/*
 * What must be left after an allocation: __GFP_HIGH may go down to a quarter of the reserve,
 * __GFP_MEMALLOC to 0.
 */
static unsigned long pmm_reserve_for(const struct pmm_zone *zone, gfp_t gfp)
{
	if ((gfp & __GFP_MEMALLOC) && !(gfp & __GFP_NOMEMALLOC))
		return 0;
	if (gfp & __GFP_HIGH)
		return zone->pages_min / 4;
	return zone->pages_min;
}

static struct page *__pmm_try_alloc(struct pmm_zone *zone, gfp_t gfp, unsigned int order)
{
	if (zone->free_pages < (1UL << order) + pmm_reserve_for(zone, gfp))
		return NULL;
	return __pmm_rmqueue(zone, order);
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
 * A buddy that would lie behind the end of the zone was never freed, so its bit never reads 1. The
 * state byte is looked at before the buddy is unlinked: a pair bit that somebody overwrote must not
 * become a broken list.
 */
static void __pmm_free_block(struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	zone->free_pages += 1UL << order;
	__pmm_mark(zone, index, PMM_TAIL, 0);
	while (__pmm_toggle_pair(zone, index, order)) {
		unsigned long buddy = index ^ (1UL << order);

		if (unlikely(buddy >= zone->nr_pages ||
			     zone->state[buddy] != PMM_STATE(PMM_FREE, order)))
			break;
		__pmm_unlink_free(zone, buddy, order);
		index &= buddy;
		order++;
		zone->stat.merges++;
	}
	__pmm_link_free(zone, index, order);
}

/* Is anybody but the allocator holding a reference to a page of this block? */
static bool pmm_block_referenced(const struct page *page, unsigned int order)
{
	unsigned long i;

	for (i = 0; i < 1UL << order; i++)
		if (page_count(page + i) != 1)
			return true;
	return false;
}

static void __pmm_park(struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	list_add_tail(&zone->mem_map[index].lru, &zone->parked);
	__pmm_mark(zone, index, PMM_PARKED, order);
	zone->nr_parked += 1UL << order;
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
		__pmm_free_block(zone, index, order);
		reaped += 1UL << order;
	}
	list_splice_tail(&waiting, &zone->parked);
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
		if (zone->state[index] != PMM_TAIL)
			break;
	}
	return index;
}

static enum pmm_free_result pmm_misuse_of_head(enum pmm_kind is, enum pmm_kind kind)
{
	if (is == PMM_FREE || is == PMM_PARKED)
		return PMM_FREE_DOUBLE;
	if (is == PMM_MAPPED && kind != PMM_MAPPED)
		return PMM_FREE_MAPPED;
	return PMM_FREE_WRONG_ORDER;
}

static enum pmm_free_result __pmm_check_free(const struct pmm_zone *zone, unsigned long index,
					     unsigned int order, enum pmm_kind kind)
{
	unsigned long head;
	enum pmm_kind is;

	if (likely(zone->state[index] == PMM_STATE(kind, order)))
		return PMM_FREE_OK;
	head = __pmm_head_of(zone, index);
	is = PMM_STATE_KIND(zone->state[head]);
	if (head != index && is != PMM_FREE && is != PMM_PARKED)
		return PMM_FREE_MIDDLE;
	return pmm_misuse_of_head(is, kind);
}

static enum pmm_free_result __pmm_free_checked(struct pmm_zone *zone, unsigned long index,
					       unsigned int order, enum pmm_kind kind)
{
	enum pmm_free_result result = __pmm_check_free(zone, index, order, kind);

	if (result != PMM_FREE_OK)
		return result;
	if (unlikely(pmm_block_referenced(zone->mem_map + index, order))) {
		__pmm_park(zone, index, order);
		return PMM_FREE_PARKED;
	}
	zone->stat.frees++;
	__pmm_free_block(zone, index, order);
	return PMM_FREE_OK;
}

/* What is told about a refused free: the block that the page is in, as it was under the lock. */
struct pmm_culprit {
	unsigned long	head;
	u8		state;
};

static void pmm_report_misuse(const struct pmm_zone *zone, const struct page *page,
			      unsigned int order, enum pmm_free_result result,
			      const struct pmm_culprit *in, unsigned long caller)
{
	static const char * const kinds[] = { "no", "free", "used", "mapped", "parked" };

	if (result == PMM_FREE_FOREIGN)
		pr_warn_ratelimited("free refused: %s: order %u, by %pS\n", pmm_free_why(result),
				    order, (void *)caller);
	else
		pr_warn_ratelimited("free refused: %s: page %lu order %u, in the %s block %lu of order %u, by %pS\n",
				    pmm_free_why(result), pmm_page_index(zone, page), order,
				    kinds[PMM_STATE_KIND(in->state)], in->head,
				    PMM_STATE_ORDER(in->state), (void *)caller);
}

/* --- what the rest of the module calls -------------------------------------------------------- */

/**
 * pmm_zone_alloc() - take a block of 2^@order pages
 * @zone: the zone
 * @gfp: __GFP_HIGH and __GFP_MEMALLOC reach below the watermark; all other flags are the caller's
 *	business
 * @order: 0 to PMM_MAX_ORDER - 1; a larger one fails
 * @kind: PMM_USED, or PMM_MAPPED for a page that only an area may free
 * @caller: who asks, for the reports
 *
 * 2.4's rmqueue() with the same choice of block. Before it fails it recycles parked blocks whose
 * references have gone.
 *
 * Context: Any; under PREEMPT_RT not from hard interrupts or with preemption off.
 * Return: The block's first page, its contents undefined and each page with one reference; NULL
 * when there is none.
 */
struct page *pmm_zone_alloc(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
			    enum pmm_kind kind, unsigned long caller)
{
	struct page *page = NULL;
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	if (likely(order < PMM_MAX_ORDER)) {
		page = __pmm_try_alloc(zone, gfp, order);
		if (unlikely(!page && __pmm_reap(zone, ULONG_MAX)))
			page = __pmm_try_alloc(zone, gfp, order);
	}
	if (likely(page)) {
		__pmm_mark(zone, pmm_page_index(zone, page), kind, order);
		pmm_set_page_caller(page, caller);
		zone->stat.allocations++;
	} else {
		zone->stat.failures++;
	}
	spin_unlock_irqrestore(&zone->lock, flags);
	return page;
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
	enum pmm_free_result result = PMM_FREE_FOREIGN;
	struct pmm_culprit in = { };
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	if (likely(pmm_page_in_zone(zone, page))) {
		unsigned long index = pmm_page_index(zone, page);

		result = PMM_FREE_BAD_ORDER;
		if (likely(order < PMM_MAX_ORDER && IS_ALIGNED(index, 1UL << order)))
			result = __pmm_free_checked(zone, index, order, kind);
		if (unlikely(result > PMM_FREE_PARKED)) {
			in.head = __pmm_head_of(zone, index);
			in.state = zone->state[in.head];
		}
	}
	if (unlikely(result > PMM_FREE_PARKED))
		zone->stat.refused[result]++;
	else if (unlikely(zone->nr_parked))
		__pmm_reap(zone, 64);
	spin_unlock_irqrestore(&zone->lock, flags);

	if (unlikely(result > PMM_FREE_PARKED))
		pmm_report_misuse(zone, page, order, result, &in, caller);
	return result;
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

static int pmm_alloc_maps(struct pmm_zone *zone)
{
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER - 1; order++) {
		unsigned long *map;

		map = kvcalloc(BITS_TO_LONGS(pmm_nr_pairs(zone, order)), sizeof(*map), GFP_KERNEL);
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
 * @zone: to fill in; its @expand, @pages_min and @name are the caller's, set before
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
		zone->free_area[order].nr_free = 0;
	}
	zone->state = kvzalloc(nr_pages, GFP_KERNEL);
	if (!zone->state || pmm_alloc_maps(zone)) {
		pmm_zone_destroy(zone);
		return -ENOMEM;
	}
	pmm_free_all_pages(zone);
	return 0;
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
}

/**
 * pmm_zone_metadata() - what the zone costs beside its pages
 * @zone: the zone
 *
 * Context: Any.
 * Return: Bytes of pair-bit maps and state bytes.
 */
unsigned long pmm_zone_metadata(const struct pmm_zone *zone)
{
	unsigned long bytes = zone->nr_pages;
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER - 1; order++)
		bytes += BITS_TO_LONGS(pmm_nr_pairs(zone, order)) * sizeof(unsigned long);
	return bytes;
}

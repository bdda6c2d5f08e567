// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: placement=packed. Of the pageblocks (512 aligned pages, 2 MiB) that can serve a
 * request, take from the fullest, so that emptier ones drain and become whole again.
 *
 * It owns zone->pageblocks and zone->packed: a record for each largest block with how many of its
 * pages are free and the largest order among them, in one tree for each such order, the fullest
 * first. So a choice reads the first record of at most ten trees, and each allocation and free
 * moves one record, O(log n). Within a largest block the pair bits find the free block, since a bit
 * that is 1 says that one of two is on the list. All of it runs under zone->lock: functions whose
 * names begin with a double underscore run with that lock held. It compiles unchanged in user
 * space.
 */
#include "internal.h"

static bool pmm_fuller(struct rb_node *a, const struct rb_node *b)
{
	const struct pmm_pageblock *x = rb_entry(a, struct pmm_pageblock, node);
	const struct pmm_pageblock *y = rb_entry(b, struct pmm_pageblock, node);

	return x->fill.nr_free != y->fill.nr_free ? x->fill.nr_free < y->fill.nr_free : x < y;
}

static bool __pmm_listed(const struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	return zone->state[index] == PMM_STATE(PMM_FREE, order);
}

/* The lowest free block of this order in the largest block that begins at @first, or false. */
static bool __pmm_find_in_block(const struct pmm_zone *zone, unsigned long first,
				unsigned int order, unsigned long *index)
{
	unsigned long pair = first >> (1 + order), nr = PMM_MAX_ORDER_PAGES >> (1 + order);
	unsigned long end = min(pair + nr, pmm_nr_pairs(zone, order));

	*index = first;
	if (order == PMM_MAX_ORDER - 1)
		return __pmm_listed(zone, first, order);
	pair = find_next_bit(zone->free_area[order].map, end, pair);
	if (pair >= end)
		return false;
	*index = pair << (1 + order);
	if (!__pmm_listed(zone, *index, order))
		*index += 1UL << order;
	return true;
}

/* The smallest free block that fits, in the fullest pageblock that has one. */
static unsigned long __pmm_packed_pick(struct pmm_zone *zone, unsigned int order)
{
	struct rb_node *best = NULL, *first;
	unsigned int max = order;
	unsigned long start, index;

	lockdep_assert_held(&zone->lock);
	for (; max < PMM_MAX_ORDER; max++) {
		first = rb_first_cached(&zone->packed[max]);
		if (first && (!best || pmm_fuller(first, best)))
			best = first;
	}
	if (!best)
		return PMM_NONE;
	start = (rb_entry(best, struct pmm_pageblock, node) - zone->pageblocks) *
		PMM_MAX_ORDER_PAGES;
	for (; order < PMM_MAX_ORDER; order++)
		if (__pmm_find_in_block(zone, start, order, &index))
			return index;
	return PMM_NONE;
}

/* The largest block moves to where its new fill belongs. */
static void __pmm_packed_update(struct pmm_zone *zone, unsigned long index, long freed)
{
	struct pmm_pageblock *block = &zone->pageblocks[index / PMM_MAX_ORDER_PAGES];
	unsigned long first = ALIGN_DOWN(index, PMM_MAX_ORDER_PAGES), at;
	int order = PMM_MAX_ORDER - 1;

	lockdep_assert_held(&zone->lock);
	if (block->fill.max_order >= 0)
		rb_erase_cached(&block->node, &zone->packed[block->fill.max_order]);
	block->fill.nr_free += freed;
	while (order >= 0 && !__pmm_find_in_block(zone, first, order, &at))
		order--;
	block->fill.max_order = order;
	if (order >= 0)
		rb_add_cached(&block->node, &zone->packed[order], pmm_fuller);
}

/* Nothing is free yet, so that no record is in a tree. */
static int pmm_packed_init(struct pmm_zone *zone)
{
	unsigned long nr = DIV_ROUND_UP(zone->nr_pages, PMM_MAX_ORDER_PAGES), i;
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER; order++)
		zone->packed[order] = RB_ROOT_CACHED;
	zone->pageblocks = pmm_may_fail(kvcalloc(nr, sizeof(*zone->pageblocks), GFP_KERNEL));
	if (!zone->pageblocks)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		zone->pageblocks[i].fill.max_order = -1;
	return 0;
}

static void pmm_packed_destroy(struct pmm_zone *zone)
{
	kvfree(zone->pageblocks);
	zone->pageblocks = NULL;
}

static struct pmm_fill __pmm_packed_recorded(const struct pmm_zone *zone, unsigned long nr)
{
	return zone->pageblocks[nr].fill;
}

static unsigned long pmm_packed_bytes(const struct pmm_zone *zone)
{
	return DIV_ROUND_UP(zone->nr_pages, PMM_MAX_ORDER_PAGES) * sizeof(*zone->pageblocks);
}

const struct pmm_placement_ops pmm_packed = {
	.init		= pmm_packed_init,
	.destroy	= pmm_packed_destroy,
	.pick		= __pmm_packed_pick,
	.update		= __pmm_packed_update,
	.recorded	= __pmm_packed_recorded,
	.bytes		= pmm_packed_bytes,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: placement=packed, against a model that has neither trees nor pair bits: a scan of a
 * bitmap finds the fullest largest block (512 pages) with a free block that fits, the lowest of
 * equals, and in it the smallest block that fits, again the lowest of equals.
 */
#include <stdlib.h>

#include "zone.h"

#define PAGES		512		/* in a largest block */
#define GFP		(GFP_KERNEL | __GFP_NOWARN)

struct block {
	unsigned long	index;
	unsigned int	order;
};

static struct run {
	const struct setup *setup;
	struct arena	arena;
	bool		*is_free;	/* by page, up to the end of the last largest block */
	struct block	*out;
	unsigned long	nr_out;
	unsigned int	step;
	unsigned long	failures, equals;
	bool		filling;
	unsigned long	drain_to;
} run;

static void where(void)
{
	ktap_say("step %u, %lu blocks out", run.step, run.nr_out);
}

/* --- the model --- */

static unsigned long nr_largest(void)
{
	return DIV_ROUND_UP(run.setup->nr_pages, PAGES);
}

/* By order, the lowest free block of it that is no part of a larger one; -1 for none. */
struct summary {
	unsigned int	nr_free;
	int		lowest[PMM_MAX_ORDER];
};

static void summarize(const bool *is_free, struct summary *summary)
{
	bool whole[PMM_MAX_ORDER + 1][PAGES] = { 0 };
	int order, i;

	summary->nr_free = 0;
	for (i = 0; i < PAGES; i++) {
		whole[0][i] = is_free[i];
		summary->nr_free += is_free[i];
	}
	for (order = 1; order < PMM_MAX_ORDER; order++)
		for (i = 0; i < PAGES >> order; i++)
			whole[order][i] = whole[order - 1][2 * i] && whole[order - 1][2 * i + 1];
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		summary->lowest[order] = -1;
		for (i = (PAGES >> order) - 1; i >= 0; i--)
			if (whole[order][i] && !whole[order + 1][i / 2])
				summary->lowest[order] = i << order;
	}
}

/* The order of the smallest that fits, or PMM_MAX_ORDER. */
static unsigned int smallest(const struct summary *summary, unsigned int order)
{
	while (order < PMM_MAX_ORDER && summary->lowest[order] < 0)
		order++;
	return order;
}

/* The end of the block that is handed out is that which `expand` says. */
static unsigned long model_pick(unsigned int low)
{
	unsigned long nr, best = NO_PAGE;
	unsigned int order, fullest = PAGES + 1;
	struct summary summary;

	for (nr = 0; nr < nr_largest(); nr++) {
		summarize(run.is_free + nr * PAGES, &summary);
		order = smallest(&summary, low);
		if (order == PMM_MAX_ORDER)
			continue;
		run.equals += summary.nr_free == fullest;
		if (summary.nr_free >= fullest)
			continue;
		fullest = summary.nr_free;
		best = nr * PAGES + summary.lowest[order];
		if (run.setup->expand == PMM_EXPAND_UPPER)
			best += (1UL << order) - (1UL << low);
	}
	return best;
}

static void model_mark(const struct block *block, bool is_free)
{
	memset(run.is_free + block->index, is_free, 1UL << block->order);
}

/* --- the zone against the model --- */

/* What is recorded of each largest block. */
static void check_records(void)
{
	const struct pmm_pageblock *blocks = run.arena.zone.pageblocks;
	struct summary summary;
	unsigned long nr;
	int order;

	for (nr = 0; nr < nr_largest(); nr++) {
		summarize(run.is_free + nr * PAGES, &summary);
		for (order = PMM_MAX_ORDER - 1; order >= 0 && summary.lowest[order] < 0; order--)
			;
		ASSERT_EQ(blocks[nr].nr_free, summary.nr_free);
		ASSERT_EQ(blocks[nr].max_order, order);
	}
}

static const struct pmm_pageblock *record(struct rb_node *node)
{
	return node ? rb_entry(node, struct pmm_pageblock, node) : NULL;
}

/* The fullest first, the lowest of equals; the first is at hand. */
static unsigned long check_tree(struct rb_root_cached *tree, int order)
{
	const struct pmm_pageblock *block = record(rb_first(&tree->rb_root)), *next;
	unsigned long nr = 0;

	ASSERT(record(rb_first_cached(tree)) == block);
	for (; block; block = next, nr++) {
		ASSERT_EQ(block->max_order, order);
		next = record(rb_next(&block->node));
		ASSERT(!next || block->nr_free < next->nr_free ||
		       (block->nr_free == next->nr_free && block < next));
	}
	return nr;
}

static void check_trees(void)
{
	struct pmm_zone *zone = &run.arena.zone;
	unsigned long nr, listed = 0;
	int order;

	check_records();
	for (order = 0; order < PMM_MAX_ORDER; order++)
		listed += check_tree(&zone->packed[order], order);
	for (nr = 0; nr < nr_largest(); nr++)
		listed -= zone->pageblocks[nr].max_order >= 0;
	ASSERT_EQ(listed, 0);
}

static void check(void)
{
	check_trees();
	assert_free_blocks(&run.arena.zone, run.is_free);
	ASSERT_SOUND(&run.arena.zone);
}

/* --- steps --- */

static unsigned int random_order(void)
{
	if (ktap_below(4))
		return __builtin_ctzl(ktap_random() | 1 << 5);
	return ktap_below(PMM_MAX_ORDER);
}

static void step_alloc(void)
{
	struct block block = { .order = random_order() };

	block.index = model_pick(block.order);
	ASSERT_EQ(arena_alloc(&run.arena, block.order), block.index);
	if (block.index != NO_PAGE) {
		model_mark(&block, false);
		run.out[run.nr_out++] = block;
		return;
	}
	run.failures++;
	if (run.filling && !ktap_below(8)) {
		run.filling = false;
		run.drain_to = ktap_below(run.nr_out + 1);
	}
}

static void step_free(void)
{
	unsigned long pos = ktap_below(run.nr_out);
	struct block block = run.out[pos];

	run.out[pos] = run.out[--run.nr_out];
	model_mark(&block, true);
	ASSERT_EQ(arena_free(&run.arena, block.index, block.order), PMM_FREE_OK);
}

static void packed_random(const void *arg)
{
	ktap_where = where;
	run.setup = arg;
	arena_init_as(&run.arena, arg);
	run.is_free = calloc(nr_largest(), PAGES);
	memset(run.is_free, true, run.setup->nr_pages);
	run.out = calloc(run.setup->nr_pages, sizeof(*run.out));
	check();
	for (run.step = 0; run.step < 4000; run.step++) {
		run.filling |= run.nr_out <= run.drain_to;
		if (!run.nr_out || ktap_below(4) < (run.filling ? 3 : 1))
			step_alloc();
		else
			step_free();
		if (!ktap_below(8))
			check();
	}
	while (run.nr_out)
		step_free();
	check();
	ASSERT_EQ(run.arena.zone.free_pages, run.setup->nr_pages);
	ktap_say("%lu failures, %lu ties", run.failures, run.equals);
	ASSERT(run.failures && (run.equals || nr_largest() < 5));
	arena_exit(&run.arena);
	free(run.is_free);
	free(run.out);
}

/* --- what it is good for --- */

/*
 * Half of the pool in use, and that half changing all the time: how many largest blocks are whole
 * in the end.
 */
static unsigned long whole_after_churn(const struct setup *setup, u64 seed)
{
	unsigned long nr = setup->nr_pages, out = 0, i, pos, whole;
	unsigned long *index = calloc(nr, sizeof(*index));
	struct arena arena;

	arena_init_as(&arena, setup);
	for (; out < nr; out++)
		index[out] = arena_alloc(&arena, 0);
	for (i = 0; i < 8 * nr; i++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		pos = (seed >> 32) % out;
		ASSERT_EQ(arena_free(&arena, index[pos], 0), PMM_FREE_OK);
		if (out > nr / 2)
			index[pos] = index[--out];
		else
			index[pos] = arena_alloc(&arena, 0);
	}
	whole = zone_nr_free(&arena.zone, PMM_MAX_ORDER - 1);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
	free(index);
	return whole;
}

static void packed_keeps_whole(const void *arg)
{
	struct setup setup = { 64 * PAGES, PMM_EXPAND_LOWER };
	unsigned long lifo, packed;
	u64 seed = ktap_random();

	lifo = whole_after_churn(&setup, seed);
	setup.placement = PMM_PLACE_PACKED;
	packed = whole_after_churn(&setup, seed);
	ktap_say("%lu of 64 largest blocks whole, with LIFO %lu", packed, lifo);
	ASSERT(packed >= lifo + 8);
}

/* A worked case: the hole in the fuller block is taken, though the other one was freed last. */
static void packed_fullest(const void *arg)
{
	struct arena arena;
	unsigned long i;

	arena_init_as(&arena, &(const struct setup) {
		2 * PAGES, PMM_EXPAND_LOWER, PMM_PLACE_PACKED,
	});
	for (i = 0; i < 2 * PAGES; i++)
		ASSERT_EQ(arena_alloc(&arena, 0), i);		/* the lowest of equals first */
	for (i = 100; i < 104; i++)
		ASSERT_EQ(arena_free(&arena, i, 0), PMM_FREE_OK);
	for (i = 600; i < 608; i++)
		ASSERT_EQ(arena_free(&arena, i, 0), PMM_FREE_OK);
	ASSERT_EQ(arena_free(&arena, 700, 0), PMM_FREE_OK);
	ASSERT_EQ(arena_alloc(&arena, 3), 600);			/* only there */
	ASSERT_EQ(arena_free(&arena, 600, 3), PMM_FREE_OK);
	ASSERT_EQ(arena_alloc(&arena, 0), 100);			/* 4 pages free, not 9 */
	ASSERT_EQ(arena_alloc(&arena, 1), 102);			/* the smallest that fits */
	ASSERT_EQ(arena_alloc(&arena, 0), 101);
	ASSERT_EQ(arena_alloc(&arena, 0), 700);
	ASSERT_EQ(arena_alloc(&arena, 0), 600);
	arena_exit(&arena);
}

#define RUN(name, ...)	{ name, packed_random, &(const struct setup){ __VA_ARGS__ } }

const struct ktap_test packed_tests[] = {
	{ "packed-fullest", packed_fullest },
	{ "packed-keeps-whole", packed_keeps_whole },
	RUN("packed-100-upper", 100, PMM_EXPAND_UPPER, PMM_PLACE_PACKED),
	RUN("packed-512-lower", 512, PMM_EXPAND_LOWER, PMM_PLACE_PACKED),
	RUN("packed-777-upper", 777, PMM_EXPAND_UPPER, PMM_PLACE_PACKED),
	RUN("packed-1536-lower", 1536, PMM_EXPAND_LOWER, PMM_PLACE_PACKED),
	RUN("packed-4097-upper", 4097, PMM_EXPAND_UPPER, PMM_PLACE_PACKED),
	RUN("packed-4097-lower", 4097, PMM_EXPAND_LOWER, PMM_PLACE_PACKED),
	{ }
};

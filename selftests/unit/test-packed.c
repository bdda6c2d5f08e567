// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: placement=packed, against the oracle, which has neither trees nor pair bits: it looks
 * through all blocks for the fullest largest block (512 pages) with a free block that fits.
 */
#include <stdlib.h>

#include "zone.h"

#define GFP		(GFP_KERNEL | __GFP_NOWARN)

struct block {
	unsigned long	index;
	unsigned int	order;
};

static struct run {
	const struct setup *setup;
	struct arena	arena;
	struct oracle_buddy oracle;
	struct block	*out;
	unsigned long	nr_out;
	unsigned int	step;
	unsigned long	failures;
	bool		filling;
	unsigned long	drain_to;
} run;

static void where(void)
{
	ktap_say("step %u, %lu blocks out", run.step, run.nr_out);
}

/* --- the zone against the oracle --- */

static unsigned long nr_largest(void)
{
	return DIV_ROUND_UP(run.setup->nr_pages, ORACLE_LARGEST);
}

/* The record of each largest block. */
static void check_records(void)
{
	const struct pmm_pageblock *blocks = run.arena.zone.pageblocks;
	struct oracle_group group;
	unsigned long nr;
	int order;

	for (nr = 0; nr < nr_largest(); nr++) {
		oracle_buddy_group(&run.oracle, nr * ORACLE_LARGEST, &group);
		for (order = PMM_MAX_ORDER - 1; order >= 0 && group.lowest[order] < 0; order--)
			;
		ASSERT_EQ(blocks[nr].fill.nr_free, group.nr_free);
		ASSERT_EQ(blocks[nr].fill.max_order, order);
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
		ASSERT_EQ(block->fill.max_order, order);
		next = record(rb_next(&block->node));
		ASSERT(!next || block->fill.nr_free < next->fill.nr_free ||
		       (block->fill.nr_free == next->fill.nr_free && block < next));
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
		listed -= zone->pageblocks[nr].fill.max_order >= 0;
	ASSERT_EQ(listed, 0);
}

static void check(void)
{
	check_trees();
	assert_oracle_blocks(&run.arena.zone, &run.oracle);
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
	long want = oracle_buddy_alloc(&run.oracle, 0, block.order, ORACLE_USED);

	block.index = want == ORACLE_NONE ? NO_PAGE : (unsigned long)want;
	ASSERT_EQ(arena_alloc(&run.arena, block.order), block.index);
	if (block.index != NO_PAGE) {
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
	oracle_buddy_give(&run.oracle, block.index);
	ASSERT_EQ(arena_free(&run.arena, block.index, block.order), PMM_FREE_OK);
}

static void packed_random(const void *arg)
{
	ktap_where = where;
	run.setup = arg;
	arena_init_as(&run.arena, arg);
	oracle_buddy_init(&run.oracle, run.setup->nr_pages,
			  run.setup->expand == PMM_EXPAND_LOWER, true);
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
	ktap_say("%lu failures, %lu ties", run.failures, run.oracle.ties);
	ASSERT(run.failures && (run.oracle.ties || nr_largest() < 5));
	arena_exit(&run.arena);
	oracle_buddy_exit(&run.oracle);
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
	struct setup setup = { 64 * ORACLE_LARGEST, PMM_EXPAND_LOWER };
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
		2 * ORACLE_LARGEST, PMM_EXPAND_LOWER, PMM_PLACE_PACKED,
	});
	for (i = 0; i < 2 * ORACLE_LARGEST; i++)
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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: long random runs of allocations and frees, each step compared with the oracle.
 *
 * After each step the zone must show the oracle's free lists in the same order, the same pair bits,
 * states and counts, and the same queue of parked blocks.
 */
#include <stdlib.h>

#include "zone.h"

struct size {
	unsigned long	nr_pages;
	enum pmm_expand	expand;
	unsigned int	steps;
	bool		references;	/* now and then a page is referenced when it is freed */
};

struct block {
	unsigned long	index;
	unsigned int	order;
	enum pmm_kind	kind;
};

static struct run {
	const struct size *size;
	struct arena	arena;
	struct oracle_buddy oracle;
	struct pmm_zone_stat stat;	/* expected */
	u8		*state;		/* room for the states that are expected */
	unsigned long	*map;		/* and for pair bits */
	struct block	*out;		/* the blocks that are handed out */
	unsigned long	nr_out;
	unsigned long	*held;		/* the pages with a reference of the test */
	unsigned long	nr_held;
	unsigned int	step;
	bool		filling;	/* until some allocations have failed */
	unsigned long	drain_to;	/* otherwise, down to this many blocks */
} run;

/* --- what the oracle expects --- */

static bool expect_reap(long most)
{
	long freed = oracle_buddy_reap(&run.oracle, most);

	run.stat.frees += freed;
	return freed;
}

/* A free does not check parked blocks. */
static enum pmm_free_result expect_free(const struct block *block)
{
	if (oracle_buddy_referenced(&run.oracle, block->index)) {
		oracle_buddy_park(&run.oracle, block->index);
		run.stat.parked++;
		return PMM_FREE_PARKED;
	}
	oracle_buddy_give(&run.oracle, block->index);
	run.stat.frees++;
	return PMM_FREE_OK;
}

/* Parked blocks are checked only when the request cannot be met without them. */
static unsigned long expect_alloc(gfp_t gfp, unsigned int order, enum pmm_kind kind)
{
	enum oracle_kind as = kind == PMM_USED ? ORACLE_USED : ORACLE_MAPPED;
	long reserve = oracle_buddy_reserve(&run.oracle, gfp & __GFP_HIGH, gfp & __GFP_MEMALLOC);
	long page = oracle_buddy_alloc(&run.oracle, reserve, order, as);

	if (page == ORACLE_NONE && expect_reap(LONG_MAX))
		page = oracle_buddy_alloc(&run.oracle, reserve, order, as);
	if (page == ORACLE_NONE)
		run.stat.failures++;
	else
		run.stat.allocations++;
	return page == ORACLE_NONE ? NO_PAGE : (unsigned long)page;
}

/* --- the zone against the oracle --- */

static void compare_list(const struct list_head *list, long page, const long *next)
{
	const struct page *listed;

	list_for_each_entry(listed, list, lru) {
		ASSERT_EQ(listed - run.arena.pages, page);
		page = next[page];
	}
	ASSERT_EQ(page, ORACLE_NONE);
}

static void compare_bits(unsigned int order)
{
	long words = (oracle_buddy_pairs(&run.oracle, order) + 63) / 64;

	oracle_buddy_pair_bits(&run.oracle, order, run.map);
	ASSERT(!memcmp(run.arena.zone.free_area[order].map, run.map, words * sizeof(*run.map)));
}

static void compare_states(const struct pmm_zone *zone)
{
	static const u8 kinds[] = {
		[ORACLE_INSIDE] = PMM_TAIL, [ORACLE_FREE] = PMM_FREE, [ORACLE_USED] = PMM_USED,
		[ORACLE_MAPPED] = PMM_MAPPED, [ORACLE_PARKED] = PMM_PARKED,
	};
	unsigned long i;

	for (i = 0; i < zone_nr_states(zone); i++)
		run.state[i] = PMM_STATE(kinds[oracle_kind(&run.oracle, i)],
					 oracle_order(&run.oracle, i));
	ASSERT(!memcmp(zone->state, run.state, zone_nr_states(zone)));
}

static void compare_stat(const struct pmm_zone *zone)
{
	unsigned int order;

	run.stat.splits = 0;
	run.stat.merges = 0;
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		run.stat.splits += run.oracle.splits[order];
		run.stat.merges += run.oracle.merges[order];
	}
	ASSERT(!memcmp(&zone->stat, &run.stat, sizeof(run.stat)));
}

static void compare(void)
{
	const struct oracle_buddy *oracle = &run.oracle;
	struct pmm_zone *zone = &run.arena.zone;
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER; order++) {
		compare_list(&zone->free_area[order].free_list, oracle->list[order].head,
			     oracle->next);
		if (order < PMM_MAX_ORDER - 1)
			compare_bits(order);
	}
	assert_counts(zone);
	compare_list(&zone->parked, oracle->parked.tail, oracle->prev);
	compare_states(zone);
	ASSERT_EQ(zone->free_pages, oracle->nr_free);
	ASSERT_EQ(zone->nr_parked, oracle->nr_parked);
	compare_stat(zone);
}

/* --- the run --- */

static void where(void)
{
	ktap_say("step %u: min_free %ld, %lu blocks out, %lu pages held", run.step,
		 run.oracle.pages_min, run.nr_out, run.nr_held);
}

/*
 * Small orders mostly, as in life; now and then any, and more often so in a zone that is slow to
 * fill.
 */
static unsigned int random_order(void)
{
	if (ktap_below(run.size->nr_pages > 4000 ? 3 : 8))
		return __builtin_ctzl(ktap_random() | 1 << 5);
	return ktap_below(PMM_MAX_ORDER);
}

static void random_alloc(void)
{
	static const gfp_t flags[] = {
		GFP_KERNEL, GFP_KERNEL, GFP_ATOMIC, GFP_KERNEL | __GFP_MEMALLOC,
	};
	struct block block = { .order = random_order() };
	gfp_t gfp = flags[ktap_below(ARRAY_SIZE(flags))] | __GFP_NOWARN;
	unsigned long want;
	struct page *page;

	block.kind = ktap_below(2) ? PMM_USED : PMM_MAPPED;
	want = expect_alloc(gfp, block.order, block.kind);
	page = pmm_zone_alloc(&run.arena.zone, gfp, block.order, block.kind, CALLER);
	ASSERT_EQ(page ? (unsigned long)(page - run.arena.pages) : NO_PAGE, want);
	if (page) {
		block.index = want;
		run.out[run.nr_out++] = block;
	} else if (run.filling && !ktap_below(16)) {
		run.filling = false;
		run.drain_to = ktap_below(run.nr_out + 1);
	}
}

static void hold(unsigned long index)
{
	get_page(&run.arena.pages[index]);
	run.oracle.references[index]++;
	run.held[run.nr_held++] = index;
}

/* The pool's own reference, or somebody else's: then the block waits for a reap. */
static void let_go(unsigned long pos)
{
	unsigned long index = run.held[pos], block = oracle_buddy_block(&run.oracle, index);
	struct page *page = &run.arena.pages[index];

	run.held[pos] = run.held[--run.nr_held];
	put_page(page);
	run.oracle.references[index]--;
	if (ktap_below(2))
		return;
	pmm_zone_recycle(&run.arena.zone, &page, 1);
	if (oracle_kind(&run.oracle, block) == ORACLE_PARKED &&
	    !oracle_buddy_referenced(&run.oracle, block)) {
		oracle_buddy_give(&run.oracle, block);
		run.stat.frees++;
	}
}

static void random_free(bool referenced)
{
	unsigned long pos = ktap_below(run.nr_out);
	struct block block = run.out[pos];
	struct page *page = run.arena.pages + block.index;

	run.out[pos] = run.out[--run.nr_out];
	if (referenced && run.nr_held < run.size->nr_pages)
		hold(block.index + ktap_below(1ul << block.order));
	ASSERT_EQ(pmm_zone_free(&run.arena.zone, page, block.order, block.kind, CALLER),
		  expect_free(&block));
}

/*
 * Any page, any order: refused unless it happens to be right, in which case the block is left
 * alone.
 */
static void random_misuse(void)
{
	unsigned long index = ktap_below(run.size->nr_pages);
	unsigned int order = ktap_below(PMM_MAX_ORDER + 2);
	enum pmm_free_result result;

	if (order < PMM_MAX_ORDER && run.oracle.label[index] == ORACLE_LABEL(ORACLE_USED, order))
		return;
	result = pmm_zone_free(&run.arena.zone, run.arena.pages + index, order, PMM_USED, CALLER);
	ASSERT(result > PMM_FREE_PARKED);
	ASSERT(strstr(shim_log_line(), pmm_free_why(result)));
	run.stat.refused[result]++;
}

static void random_step(void)
{
	static const unsigned long reserves[] = { 0, 20, 37, 5 };

	run.filling |= run.nr_out <= run.drain_to;
	if (!ktap_below(200)) {
		run.oracle.pages_min = reserves[ktap_below(ARRAY_SIZE(reserves))];
		run.arena.zone.pages_min = run.oracle.pages_min;
		pmm_zone_retune(&run.arena.zone);
	}
	if (run.nr_held && !ktap_below(3))
		let_go(ktap_below(run.nr_held));
	if (!ktap_below(50)) {
		pmm_zone_reap(&run.arena.zone);
		expect_reap(LONG_MAX);
	}
	if (!ktap_below(20))
		random_misuse();
	else if (!run.nr_out || ktap_below(4) < (run.filling ? 3 : 1))
		random_alloc();
	else
		random_free(run.size->references && !ktap_below(4));
}

/* Everything goes back, and the zone has as few and as large blocks as ever. */
static void give_all_back(void)
{
	unsigned long whole = run.size->nr_pages / 512;

	while (run.nr_held)
		let_go(0);
	while (run.nr_out)
		random_free(false);
	pmm_zone_reap(&run.arena.zone);
	expect_reap(LONG_MAX);
	compare();
	ASSERT_EQ(run.arena.zone.free_pages, run.size->nr_pages);
	ASSERT_EQ(zone_nr_free(&run.arena.zone, 9), whole);
	ASSERT_SOUND(&run.arena.zone);
}

static void random_run(const void *arg)
{
	const struct pmm_zone_stat *stat = &run.stat;
	const struct size *size = arg;

	ktap_where = where;
	run.size = size;
	oracle_buddy_init(&run.oracle, size->nr_pages, size->expand == PMM_EXPAND_LOWER,
			  false);
	run.state = calloc(ALIGN(size->nr_pages, 512), 1);
	run.map = calloc(size->nr_pages / 64 + 1, sizeof(long));
	arena_init(&run.arena, size->nr_pages, size->expand, 0);
	run.out = calloc(size->nr_pages, sizeof(*run.out));
	run.held = calloc(size->nr_pages, sizeof(*run.held));
	compare();
	for (run.step = 0; run.step < size->steps; run.step++) {
		random_step();
		compare();
		if (!ktap_below(16))
			ASSERT_SOUND(&run.arena.zone);
	}
	give_all_back();
	ktap_say("%u steps: %llu allocations, %llu failures, %llu splits, %llu merges, %llu parked",
		 size->steps, stat->allocations, stat->failures, stat->splits, stat->merges,
		 stat->parked);
	ASSERT(stat->failures && stat->splits && stat->merges);
	ASSERT_EQ(!!stat->parked, size->references);
	arena_exit(&run.arena);
	oracle_buddy_exit(&run.oracle);
	free(run.state);
	free(run.map);
	free(run.out);
	free(run.held);
}

#define RUN(name, ...)	{ name, random_run, &(const struct size){ __VA_ARGS__ } }

const struct ktap_test random_tests[] = {
	RUN("random-16-upper", 16, PMM_EXPAND_UPPER, 20000, false),
	RUN("random-16-upper-referenced", 16, PMM_EXPAND_UPPER, 20000, true),
	RUN("random-16-lower", 16, PMM_EXPAND_LOWER, 20000, false),
	RUN("random-16-lower-referenced", 16, PMM_EXPAND_LOWER, 20000, true),
	RUN("random-17-upper", 17, PMM_EXPAND_UPPER, 20000, false),
	RUN("random-17-upper-referenced", 17, PMM_EXPAND_UPPER, 20000, true),
	RUN("random-17-lower", 17, PMM_EXPAND_LOWER, 20000, false),
	RUN("random-17-lower-referenced", 17, PMM_EXPAND_LOWER, 20000, true),
	RUN("random-512-upper", 512, PMM_EXPAND_UPPER, 10000, false),
	RUN("random-512-upper-referenced", 512, PMM_EXPAND_UPPER, 10000, true),
	RUN("random-512-lower", 512, PMM_EXPAND_LOWER, 10000, false),
	RUN("random-512-lower-referenced", 512, PMM_EXPAND_LOWER, 10000, true),
	RUN("random-777-upper", 777, PMM_EXPAND_UPPER, 10000, false),
	RUN("random-777-upper-referenced", 777, PMM_EXPAND_UPPER, 10000, true),
	RUN("random-777-lower", 777, PMM_EXPAND_LOWER, 10000, false),
	RUN("random-777-lower-referenced", 777, PMM_EXPAND_LOWER, 10000, true),
	RUN("random-1000-upper", 1000, PMM_EXPAND_UPPER, 10000, false),
	RUN("random-1000-upper-referenced", 1000, PMM_EXPAND_UPPER, 10000, true),
	RUN("random-1000-lower", 1000, PMM_EXPAND_LOWER, 10000, false),
	RUN("random-1000-lower-referenced", 1000, PMM_EXPAND_LOWER, 10000, true),
	RUN("random-1024-upper", 1024, PMM_EXPAND_UPPER, 10000, false),
	RUN("random-1024-upper-referenced", 1024, PMM_EXPAND_UPPER, 10000, true),
	RUN("random-1024-lower", 1024, PMM_EXPAND_LOWER, 10000, false),
	RUN("random-1024-lower-referenced", 1024, PMM_EXPAND_LOWER, 10000, true),
	RUN("random-4097-upper", 4097, PMM_EXPAND_UPPER, 6000, false),
	RUN("random-4097-upper-referenced", 4097, PMM_EXPAND_UPPER, 6000, true),
	RUN("random-4097-lower", 4097, PMM_EXPAND_LOWER, 6000, false),
	RUN("random-4097-lower-referenced", 4097, PMM_EXPAND_LOWER, 6000, true),
	RUN("random-16384-upper", 16384, PMM_EXPAND_UPPER, 4000, false),
	RUN("random-16384-upper-referenced", 16384, PMM_EXPAND_UPPER, 4000, true),
	RUN("random-16384-lower", 16384, PMM_EXPAND_LOWER, 4000, false),
	RUN("random-16384-lower-referenced", 16384, PMM_EXPAND_LOWER, 4000, true),
	{ }
};

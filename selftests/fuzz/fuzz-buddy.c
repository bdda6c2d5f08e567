// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: the buddy allocator, through the page calls with their per-CPU lists and through the
 * zone's own, beside the oracle.
 *
 * The oracle knows which requests can be met, which frees are right, and what the free lists hold.
 * Which block is handed out, and when a parked block is recycled, is the zone's choice, which the
 * oracle follows. Without per-CPU lists the choice is checked too: it must be one of the smallest
 * blocks that fit, and with placement=packed the very one.
 *
 * The first three bytes are the size of the zone and its switches; then each step is a byte for
 * what to do and a few for its arguments.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "zone.h"

#define MOST_PAGES	2048UL
#define MOST_BULK	200

static struct {
	struct fuzz_input	in;
	struct setup		setup;
	bool			pcp;
	unsigned int		step;
	struct oracle_buddy	oracle;
	unsigned long		references;
	u64			allocations, frees, failures, refused[PMM_NR_FREE_RESULTS];
} run;

static void where(void)
{
	ktap_say("%lu pages expand=%d placement=%d min_free=%lu pcp=%d: step %u",
		 run.setup.nr_pages, run.setup.expand, run.setup.placement, run.setup.pages_min,
		 run.pcp, run.step);
}

/* Before the zone's first page, too. */
static struct page *page_at(long index)
{
	return pmm_zone.mem_map + index;
}

static enum oracle_kind oracle_kind_of(enum pmm_kind kind)
{
	return kind == PMM_MAPPED ? ORACLE_MAPPED : ORACLE_USED;
}

/* A block that is handed out begins here. */
static bool is_out(long page)
{
	return oracle_kind(&run.oracle, page) == ORACLE_USED ||
	       oracle_kind(&run.oracle, page) == ORACLE_MAPPED;
}

/* --- what the oracle expects ------------------------------------------------------------------ */

static void recycle(long block)
{
	oracle_buddy_give(&run.oracle, block);
	run.frees++;
}

/* Parked blocks that are no longer referenced: each may be recycled at any time. */
static void reap(void)
{
	run.frees += oracle_buddy_reap(&run.oracle, LONG_MAX);
}

/* The zone chooses when; the oracle learns of it here. */
static void learn(void)
{
	long page, before;

	for (page = run.oracle.parked.tail; page != ORACLE_NONE; page = before) {
		before = run.oracle.prev[page];
		if (pmm_zone.state[page] == PMM_STATE(PMM_PARKED, oracle_order(&run.oracle, page)))
			continue;
		ASSERT(!oracle_buddy_referenced(&run.oracle, page));
		recycle(page);
	}
}

static bool fits(gfp_t gfp, unsigned int order)
{
	bool memalloc = gfp & __GFP_MEMALLOC && !(gfp & __GFP_NOMEMALLOC);

	return oracle_buddy_fits(&run.oracle,
				 oracle_buddy_reserve(&run.oracle, gfp & __GFP_HIGH, memalloc),
				 order);
}

/* Before it is taken: is this the block, or one of those, that should be? */
static void check_choice(unsigned long index, unsigned int order)
{
	long block;

	ASSERT(oracle_buddy_is_free(&run.oracle, index, order));
	if (run.oracle.packed) {
		ASSERT_EQ(index, oracle_buddy_choose(&run.oracle, order));
		return;
	}
	block = oracle_buddy_block(&run.oracle, index);
	ASSERT_EQ(oracle_order(&run.oracle, block), oracle_buddy_smallest(&run.oracle, order));
	ASSERT_EQ(index, oracle_buddy_end(&run.oracle, block, order));
}

/* --- the zone against the oracle -------------------------------------------------------------- */

static void compare_counts(void)
{
	struct pmm_pcp_count count;
	unsigned int i;

	pmm_pcp_count(&pmm_zone, &count);
	ASSERT_EQ(pmm_nr_free_pages(), run.oracle.nr_free);
	ASSERT_EQ(pmm_zone.stat.allocations + count.allocations, run.allocations);
	ASSERT_EQ(pmm_zone.stat.frees + count.frees, run.frees);
	ASSERT_EQ(pmm_zone.stat.failures, run.failures);
	for (i = 0; i < PMM_NR_FREE_RESULTS; i++)
		ASSERT_EQ(pmm_zone.stat.refused[i], run.refused[i]);
}

static void compare_states(void)
{
	static const enum pmm_kind kinds[] = {
		[ORACLE_INSIDE] = PMM_TAIL, [ORACLE_USED] = PMM_USED,
		[ORACLE_MAPPED] = PMM_MAPPED, [ORACLE_PARKED] = PMM_PARKED,
	};
	const struct oracle_buddy *oracle = &run.oracle;
	long page;

	for (page = 0; page < oracle->nr_pages; page++) {
		u8 state = PMM_STATE(kinds[oracle_kind(oracle, page)], oracle_order(oracle, page));

		ASSERT_EQ(page_ref_count(page_at(page)), PMM_PAGE_REFS + oracle->references[page]);
		if (oracle_kind(oracle, oracle_buddy_block(oracle, page)) != ORACLE_FREE)
			ASSERT_EQ(pmm_zone.state[page], state);
		else
			ASSERT(PMM_STATE_KIND(pmm_zone.state[page]) != PMM_USED &&
			       PMM_STATE_KIND(pmm_zone.state[page]) != PMM_MAPPED);
	}
}

static void compare_lists(void)
{
	assert_oracle_blocks(&pmm_zone, &run.oracle);
	assert_counts(&pmm_zone);
}

static void compare(void)
{
	compare_counts();
	compare_states();
	if (!run.pcp)
		compare_lists();
	ASSERT_SOUND(&pmm_zone);
}

/* --- allocations ------------------------------------------------------------------------------ */

static gfp_t any_gfp(unsigned int byte)
{
	static const gfp_t flags[] = {
		GFP_KERNEL, GFP_ATOMIC, GFP_KERNEL | __GFP_MEMALLOC,
		GFP_ATOMIC | __GFP_MEMALLOC | __GFP_NOMEMALLOC,
	};

	return flags[byte & 3] | (byte & 4 ? __GFP_NOWARN : 0) | (byte & 8 ? __GFP_ZERO : 0);
}

/* The pages that somebody got, each once. */
static void take(struct page *page, unsigned int order, enum pmm_kind kind, gfp_t gfp)
{
	unsigned long index = page - pmm_zone.mem_map, i;

	ASSERT(index < run.setup.nr_pages);
	for (i = index; i < index + (1UL << order) && i < run.setup.nr_pages; i++) {
		long block = oracle_buddy_block(&run.oracle, i);

		if (oracle_kind(&run.oracle, block) == ORACLE_PARKED &&
		    !oracle_buddy_referenced(&run.oracle, block))
			recycle(block);
	}
	ASSERT(oracle_buddy_is_free(&run.oracle, index, order));
	for (i = index; i < index + (1UL << order); i++) {
		ASSERT(!(gfp & __GFP_ZERO) || page_at(i)->shim_cleared);
		page_at(i)->shim_cleared = false;
	}
	oracle_buddy_take(&run.oracle, index, order, oracle_kind_of(kind));
	run.allocations++;
}

static void check_failure(gfp_t gfp)
{
	run.failures++;
	ASSERT_EQ(fuzz_messages("allocation failed"), !(gfp & __GFP_NOWARN));
}

/* By the zone's own call there is no zeroing. */
static struct page *alloc(unsigned int order, gfp_t *gfp, enum pmm_kind kind, bool by_zone)
{
	if (by_zone) {
		*gfp &= ~__GFP_ZERO;
		return pmm_zone_alloc(&pmm_zone, *gfp, order, kind, CALLER);
	}
	if (kind == PMM_MAPPED)
		return pmm_alloc_page_caller(*gfp, kind, CALLER);
	return pmm_alloc_pages(*gfp, order);
}

/*
 * A request that fits must be met, also if it fits only once due parked blocks are recycled. For an
 * order that does not exist, parked blocks are not checked.
 */
static void step_alloc(void)
{
	unsigned int how = fuzz_byte(&run.in), order = fuzz_byte(&run.in);
	enum pmm_kind kind = how & 0x10 ? PMM_MAPPED : PMM_USED;
	bool by_zone = how & 0x20, fitted;
	gfp_t gfp = any_gfp(how);
	struct page *page;

	order = order & 0x80 ? order % 13 : order % 4;
	if (kind == PMM_MAPPED && !by_zone)
		order = 0;
	fitted = fits(gfp, order);
	page = alloc(order, &gfp, kind, by_zone);
	if (page && fitted && !run.pcp)
		check_choice(page - pmm_zone.mem_map, order);
	if (!page || !fitted) {
		if (order < ORACLE_ORDERS)
			reap();
		ASSERT_EQ(!!page, fits(gfp, order));
	}
	if (page)
		take(page, order, kind, gfp);
	else
		check_failure(gfp);
}

/* Slots that are filled already are passed over, and count. */
static void step_alloc_bulk(void)
{
	unsigned int nr = 1 + fuzz_byte(&run.in) % MOST_BULK, i;
	struct page *pages[MOST_BULK] = { }, *filled = page_at(0);
	unsigned int how = fuzz_byte(&run.in);
	gfp_t gfp = any_gfp(how);
	unsigned long got;

	for (i = 0; how & 0x30 && i < nr; i += 1 + (how >> 4))
		pages[i] = filled;
	got = pmm_alloc_pages_bulk(gfp, nr, pages);
	ASSERT(got <= nr);
	for (i = 0; i < nr; i++) {
		bool was = how & 0x30 && i % (1 + (how >> 4)) == 0;

		ASSERT_EQ(!!pages[i], was || i < got);
		if (!was && pages[i])
			take(pages[i], 0, PMM_USED, gfp);
	}
	if (got == nr)
		return;
	reap();
	ASSERT(!fits(gfp, 0));
	check_failure(gfp);
}

/* --- frees ------------------------------------------------------------------------------------ */

/* The answer to a free, whatever is freed. */
static enum pmm_free_result expect_free(long index, unsigned int order, enum pmm_kind kind)
{
	static const enum pmm_free_result results[] = {
		[ORACLE_FREE_OK] = PMM_FREE_OK, [ORACLE_FREE_PARKED] = PMM_FREE_PARKED,
		[ORACLE_FREE_FOREIGN] = PMM_FREE_FOREIGN,
		[ORACLE_FREE_BAD_ORDER] = PMM_FREE_BAD_ORDER,
		[ORACLE_FREE_DOUBLE] = PMM_FREE_DOUBLE, [ORACLE_FREE_MIDDLE] = PMM_FREE_MIDDLE,
		[ORACLE_FREE_MAPPED] = PMM_FREE_MAPPED,
		[ORACLE_FREE_WRONG_ORDER] = PMM_FREE_WRONG_ORDER,
	};

	return results[oracle_buddy_judge(&run.oracle, index, order, oracle_kind_of(kind))];
}

static void freed(long index, enum pmm_free_result result)
{
	if (result == PMM_FREE_OK)
		recycle(index);
	else if (result == PMM_FREE_PARKED)
		oracle_buddy_park(&run.oracle, index);
	else
		run.refused[result]++;
}

static void give(unsigned long index, unsigned int order, enum pmm_kind kind, bool by_zone)
{
	enum pmm_free_result want = expect_free(index, order, kind), got;

	if (by_zone)
		got = pmm_zone_free(&pmm_zone, page_at(index), order, kind, CALLER);
	else
		got = pmm_free_pages_caller(page_at(index), order, kind, CALLER);
	ASSERT_EQ(got, want);
	ASSERT_EQ(fuzz_messages(pmm_free_why(got)), got > PMM_FREE_PARKED);
	freed(index, got);
}

/* A block as it was handed out. */
static void give_back(long block, bool by_zone)
{
	bool mapped = oracle_kind(&run.oracle, block) == ORACLE_MAPPED;

	give(block, oracle_order(&run.oracle, block), mapped ? PMM_MAPPED : PMM_USED, by_zone);
}

/* The next block that is out, from some page on. */
static unsigned long any_block(void)
{
	unsigned long start = fuzz_short(&run.in), i, at;

	for (i = 0; i < run.setup.nr_pages; i++) {
		at = (start + i) % run.setup.nr_pages;
		if (is_out(at))
			return at;
	}
	return NO_PAGE;
}

static void step_free(void)
{
	unsigned int how = fuzz_byte(&run.in);
	unsigned long index = any_block();

	if (index != NO_PAGE)
		give_back(index, how & 1);
}

/* Any page, the first behind the zone and the last before it too, as of any order and kind. */
static void step_free_any(void)
{
	unsigned int how = fuzz_byte(&run.in);
	unsigned long index = fuzz_short(&run.in) % (run.setup.nr_pages + 4) - 2;

	give(index, (how & 0x7f) % (PMM_MAX_ORDER + 2), how & 0x80 ? PMM_MAPPED : PMM_USED,
	     how & 0x40);
}

/*
 * Consecutive pages, upward or downward, with some twice and some slots empty; whether they are
 * single pages in use is not checked. A bulk call reports refused pages only in the log, which
 * must be read before it is full.
 */
static void step_free_bulk(void)
{
	unsigned int nr = 1 + fuzz_byte(&run.in) % 60, how = fuzz_byte(&run.in), i;
	unsigned long start = fuzz_short(&run.in) % run.setup.nr_pages, at;
	struct page *pages[60] = { };
	unsigned long index[60];

	for (i = 0; i < nr; i++) {
		at = how & 1 ? start - i : start + i;
		if (how & 2 && i % 7 == 3)
			at = start;
		index[i] = at % run.setup.nr_pages;
		if (!(how & 4 && i % 5 == 2))
			pages[i] = page_at(index[i]);
	}
	for (i = 0; i < nr; i++)
		if (pages[i])
			freed(index[i], expect_free(index[i], 0, PMM_USED));
	pmm_free_pages_bulk(nr, pages);
	for (i = 0; i < nr; i++)
		ASSERT(!pages[i]);
	fuzz_messages("");
}

/* --- the rest --------------------------------------------------------------------------------- */

static void step_hold(void)
{
	unsigned long index = fuzz_short(&run.in) % run.setup.nr_pages;

	if (!is_out(oracle_buddy_block(&run.oracle, index)))
		return;
	get_page(page_at(index));
	run.oracle.references[index]++;
	run.references++;
}

static void let_go(unsigned long index)
{
	put_page(page_at(index));
	run.oracle.references[index]--;
	run.references--;
}

static void step_let_go(void)
{
	unsigned long start = fuzz_short(&run.in), i, at;

	for (i = 0; run.references && i < run.setup.nr_pages; i++) {
		at = (start + i) % run.setup.nr_pages;
		if (run.oracle.references[at]) {
			let_go(at);
			return;
		}
	}
}

static void step_break(void)
{
	unsigned long index = any_block();
	unsigned int order;

	if (index == NO_PAGE)
		return;
	order = oracle_order(&run.oracle, index);
	pmm_zone_break(&pmm_zone, page_at(index), order, CALLER);
	run.allocations += (1UL << order) - 1;
	oracle_buddy_break(&run.oracle, index);
}

/* Every free page is on the free lists, in as few and as large blocks as possible. */
static void step_drain(void)
{
	pmm_pcp_drain(&pmm_zone);
	pmm_zone_reap(&pmm_zone);
	reap();
	compare_counts();
	compare_lists();
}

static void step_move(void)
{
	shim_set_cpu(fuzz_byte(&run.in) % SHIM_NR_CPUS);
}

static void step_unplug(void)
{
	unsigned int cpu = fuzz_byte(&run.in) % SHIM_NR_CPUS;

	if (cpu != shim_cpu())
		shim_unplug(cpu);
}

static void step_compare(void)
{
	compare();
}

static void (* const steps[])(void) = {
	step_alloc, step_alloc, step_free, step_alloc_bulk, step_free_any, step_free_bulk,
	step_hold, step_let_go, step_break, step_drain, step_move, step_unplug, step_compare,
	step_alloc, step_free, step_free,
};

/* --- a run ------------------------------------------------------------------------------------ */

static void begin(const u8 *data, size_t size)
{
	static const unsigned long reserves[] = { 0, 20, 5, 255 };
	unsigned int how, pages;

	memset(&run, 0, sizeof(run));
	run.in = (struct fuzz_input) { data, size };
	pages = fuzz_short(&run.in);
	how = fuzz_byte(&run.in);
	run.setup.nr_pages = 1 + pages % (how & 0x20 ? MOST_PAGES : 130);
	run.setup.expand = how & 1 ? PMM_EXPAND_LOWER : PMM_EXPAND_UPPER;
	run.setup.placement = how & 2 ? PMM_PLACE_PACKED : PMM_PLACE_LIFO;
	run.setup.pages_min = reserves[how >> 2 & 3];
	run.pcp = how & 0x10;
	oracle_buddy_init(&run.oracle, run.setup.nr_pages, how & 1, how & 2);
	run.oracle.pages_min = run.setup.pages_min;
	shim_set_cpu(0);
	pool_init(&run.setup, run.pcp);
}

static void end(void)
{
	unsigned long i;

	compare();
	for (i = 0; i < run.setup.nr_pages; i++)
		while (run.oracle.references[i])
			let_go(i);
	for (i = 0; i < run.setup.nr_pages; i++)
		if (is_out(i))
			give_back(i, false);
	step_drain();
	ASSERT_EQ(run.oracle.nr_free, run.setup.nr_pages);
	ASSERT_EQ(pmm_zone.free_pages, run.setup.nr_pages);
	ASSERT_EQ(zone_nr_free(&pmm_zone, ORACLE_TOP), run.setup.nr_pages / ORACLE_LARGEST);
	pool_exit();
	oracle_buddy_exit(&run.oracle);
}

void fuzz_one(const u8 *data, size_t size)
{
	ktap_where = where;
	begin(data, size);
	for (; run.in.left; run.step++) {
		steps[fuzz_byte(&run.in) % ARRAY_SIZE(steps)]();
		learn();
		ASSERT_EQ(fuzz_messages(""), 0);
	}
	end();
}

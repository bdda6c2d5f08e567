// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: the buddy allocator, through the page calls with their per-CPU lists and through the
 * zone's own, beside a model that knows of each page only who has it.
 *
 * From that alone follows which requests can be met, which frees are right, and, since free blocks
 * are as large as can be, what the free lists hold. Without per-CPU lists it follows besides which
 * block is taken: one of the smallest that fit, and with placement=packed the very one.
 *
 * The first three bytes are the size of the zone and its switches; then each step is a byte for
 * what to do and a few for its arguments.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "zone.h"

#define MOST_PAGES	2048UL
#define MOST_BULK	200
#define LARGEST		512UL
#define ORDERS		10

/* What a page is part of. */
enum owner { FREE, OUT, PARKED };

struct block {
	enum owner	owner;		/* of a block's first page; what follows too */
	enum pmm_kind	kind;
	unsigned int	order;
};

static struct {
	struct fuzz_input	in;
	struct setup		setup;
	bool			pcp;
	unsigned int		step;
	struct block		block[MOST_PAGES];
	unsigned int		head[MOST_PAGES];	/* of the page's block, unless it is free */
	enum owner		owner[MOST_PAGES];
	unsigned int		extra[MOST_PAGES];	/* references beside the allocator's */
	unsigned long		nr_free, references;
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

/* --- the model: who has what ------------------------------------------------------------------ */

static void model_set(unsigned long head, enum owner owner, enum pmm_kind kind,
		      unsigned int order)
{
	unsigned long i;

	run.block[head] = (struct block){ owner, kind, order };
	for (i = head; i < head + (1UL << order); i++) {
		run.nr_free += (owner == FREE) - (run.owner[i] == FREE);
		run.owner[i] = owner;
		run.head[i] = head;
	}
}

static bool model_referenced(unsigned long head)
{
	unsigned long i;

	for (i = head; i < head + (1UL << run.block[head].order); i++)
		if (run.extra[i])
			return true;
	return false;
}

static bool model_is_head(unsigned long index, enum owner owner)
{
	return run.owner[index] == owner && run.head[index] == index;
}

static void model_recycle(unsigned long head)
{
	run.frees++;
	model_set(head, FREE, 0, run.block[head].order);
}

/* Parked blocks that nobody references any more: each may be recycled at any time. */
static void model_reap(void)
{
	unsigned long i;

	for (i = 0; i < run.setup.nr_pages; i++)
		if (model_is_head(i, PARKED) && !model_referenced(i))
			model_recycle(i);
}

/* When it is, the zone chooses; the model learns of it here. */
static void model_learn(void)
{
	unsigned long i;

	for (i = 0; i < run.setup.nr_pages; i++) {
		if (!model_is_head(i, PARKED) ||
		    pmm_zone.state[i] == PMM_STATE(PMM_PARKED, run.block[i].order))
			continue;
		ASSERT(!model_referenced(i));
		model_recycle(i);
	}
}

/* --- the model: what can be had --------------------------------------------------------------- */

static unsigned long model_reserve(gfp_t gfp)
{
	if (gfp & __GFP_MEMALLOC && !(gfp & __GFP_NOMEMALLOC))
		return 0;
	return gfp & __GFP_HIGH ? run.setup.pages_min / 4 : run.setup.pages_min;
}

/* The block of this order that begins here is within the zone, and all its pages are free. */
static bool model_all_free(unsigned long index, unsigned int order)
{
	unsigned long i, end = index + (1UL << order);

	if (index & (end - index - 1) || end > run.setup.nr_pages)
		return false;
	for (i = index; i < end && run.owner[i] == FREE; i++)
		;
	return i == end;
}

static bool model_fits(gfp_t gfp, unsigned int order)
{
	unsigned long i;

	if (order >= ORDERS || run.nr_free < model_reserve(gfp) + (1UL << order))
		return false;
	for (i = 0; i < run.setup.nr_pages; i += 1UL << order)
		if (model_all_free(i, order))
			return true;
	return false;
}

/* The largest free block that a free page is in: what coalescing leaves. */
static unsigned int model_merged_order(unsigned long index)
{
	unsigned int order = ORDERS - 1;

	while (!model_all_free(index & ~((1UL << order) - 1), order))
		order--;
	return order;
}

/* Free pages of a largest block; 0 when none of its free blocks is of this order. */
static unsigned long model_fullness(unsigned long start, unsigned int order)
{
	unsigned long i, end = min(start + LARGEST, run.setup.nr_pages), nr = 0;
	bool fits = false;

	for (i = start; i < end; i++) {
		nr += run.owner[i] == FREE;
		fits |= !(i & ((1UL << order) - 1)) && model_all_free(i, order);
	}
	return fits ? nr : 0;
}

/* The part of the zone that a block is to be taken from. */
static void model_where(unsigned int order, unsigned long *start, unsigned long *end)
{
	unsigned long at, nr, least = ULONG_MAX;

	*start = 0;
	*end = run.setup.nr_pages;
	if (run.setup.placement != PMM_PLACE_PACKED)
		return;
	for (at = 0; at < run.setup.nr_pages; at += LARGEST) {
		nr = model_fullness(at, order);
		if (nr && nr < least) {
			least = nr;
			*start = at;
			*end = min(at + LARGEST, run.setup.nr_pages);
		}
	}
}

/* The smallest order of a free block that fits, there, and the lowest such block. */
static unsigned int model_smallest(unsigned int order, unsigned long start, unsigned long end,
				   unsigned long *lowest)
{
	unsigned int best = ORDERS, is;
	unsigned long i;

	for (i = start; i < end; i += run.owner[i] == FREE ? 1UL << is : 1) {
		is = run.owner[i] == FREE ? model_merged_order(i) : 0;
		if (run.owner[i] == FREE && is >= order && is < best) {
			best = is;
			*lowest = i;
		}
	}
	return best;
}

/* Before it is taken: is this the block, or one of those, that should be? */
static void check_choice(unsigned long index, unsigned int order)
{
	unsigned long start, end, lowest, whole;
	unsigned int best;

	model_where(order, &start, &end);
	best = model_smallest(order, start, end, &lowest);
	ASSERT_EQ(model_merged_order(index), best);
	whole = index & ~((1UL << best) - 1);
	if (run.setup.placement == PMM_PLACE_PACKED)
		ASSERT_EQ(whole, lowest);
	if (run.setup.expand == PMM_EXPAND_UPPER)
		whole += (1UL << best) - (1UL << order);
	ASSERT_EQ(index, whole);
}

/* --- the zone against the model --------------------------------------------------------------- */

static void compare_counts(void)
{
	struct pmm_pcp_count count;
	unsigned int i;

	pmm_pcp_count(&pmm_zone, &count);
	ASSERT_EQ(pmm_nr_free_pages(), run.nr_free);
	ASSERT_EQ(pmm_zone.stat.allocations + count.allocations, run.allocations);
	ASSERT_EQ(pmm_zone.stat.frees + count.frees, run.frees);
	ASSERT_EQ(pmm_zone.stat.failures, run.failures);
	for (i = 0; i < PMM_NR_FREE_RESULTS; i++)
		ASSERT_EQ(pmm_zone.stat.refused[i], run.refused[i]);
}

static void compare_states(void)
{
	static const enum pmm_kind parked = PMM_PARKED;
	unsigned long i;

	for (i = 0; i < run.setup.nr_pages; i++) {
		const struct block *block = &run.block[run.head[i]];
		u8 state = PMM_STATE(block->owner == PARKED ? parked : block->kind, block->order);

		ASSERT_EQ(page_ref_count(page_at(i)), 1 + run.extra[i]);
		if (run.owner[i] != FREE)
			ASSERT_EQ(pmm_zone.state[i], run.head[i] == i ? state : PMM_TAIL);
		else
			ASSERT(PMM_STATE_KIND(pmm_zone.state[i]) != PMM_USED &&
			       PMM_STATE_KIND(pmm_zone.state[i]) != PMM_MAPPED);
	}
}

static void compare_lists(void)
{
	bool is_free[MOST_PAGES];
	unsigned long i;

	for (i = 0; i < run.setup.nr_pages; i++)
		is_free[i] = run.owner[i] == FREE;
	assert_free_blocks(&pmm_zone, is_free);
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
	for (i = index; i < index + (1UL << order) && i < run.setup.nr_pages; i++)
		if (run.owner[i] == PARKED && !model_referenced(run.head[i]))
			model_recycle(run.head[i]);
	ASSERT(model_all_free(index, order));
	for (i = index; i < index + (1UL << order); i++) {
		ASSERT(!(gfp & __GFP_ZERO) || page_at(i)->shim_cleared);
		page_at(i)->shim_cleared = false;
	}
	model_set(index, OUT, kind, order);
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
 * What fits must be had; what fits only without parked blocks that are due, too: for an order that
 * there is not, nobody looks at these.
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
	fitted = model_fits(gfp, order);
	page = alloc(order, &gfp, kind, by_zone);
	if (page && fitted && !run.pcp)
		check_choice(page - pmm_zone.mem_map, order);
	if (!page || !fitted) {
		if (order < ORDERS)
			model_reap();
		ASSERT_EQ(!!page, model_fits(gfp, order));
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
	model_reap();
	ASSERT(!model_fits(gfp, 0));
	check_failure(gfp);
}

/* --- frees ------------------------------------------------------------------------------------ */

/* The answer to a free, whatever it is that is freed. */
static enum pmm_free_result model_free(unsigned long index, unsigned int order,
				       enum pmm_kind kind)
{
	const struct block *block;

	if (index >= run.setup.nr_pages)
		return PMM_FREE_FOREIGN;
	block = &run.block[run.head[index]];
	if (order >= ORDERS || index & ((1UL << order) - 1))
		return PMM_FREE_BAD_ORDER;
	if (run.owner[index] != OUT)
		return PMM_FREE_DOUBLE;
	if (run.head[index] != index)
		return PMM_FREE_MIDDLE;
	if (block->kind == PMM_MAPPED && kind != PMM_MAPPED)
		return PMM_FREE_MAPPED;
	if (block->kind != kind || block->order != order)
		return PMM_FREE_WRONG_ORDER;
	return model_referenced(index) ? PMM_FREE_PARKED : PMM_FREE_OK;
}

static void model_freed(unsigned long index, enum pmm_free_result result)
{
	if (result == PMM_FREE_OK)
		model_recycle(index);
	else if (result == PMM_FREE_PARKED)
		model_set(index, PARKED, 0, run.block[index].order);
	else
		run.refused[result]++;
}

static void give(unsigned long index, unsigned int order, enum pmm_kind kind, bool by_zone)
{
	enum pmm_free_result want = model_free(index, order, kind), got;

	if (by_zone)
		got = pmm_zone_free(&pmm_zone, page_at(index), order, kind, CALLER);
	else
		got = pmm_free_pages_caller(page_at(index), order, kind, CALLER);
	ASSERT_EQ(got, want);
	ASSERT_EQ(fuzz_messages(pmm_free_why(got)), got > PMM_FREE_PARKED);
	model_freed(index, got);
}

/* The next block that is out, from some page on. */
static unsigned long any_block(void)
{
	unsigned long start = fuzz_short(&run.in), i, at;

	for (i = 0; i < run.setup.nr_pages; i++) {
		at = (start + i) % run.setup.nr_pages;
		if (model_is_head(at, OUT))
			return at;
	}
	return NO_PAGE;
}

static void step_free(void)
{
	unsigned int how = fuzz_byte(&run.in);
	unsigned long index = any_block();

	if (index != NO_PAGE)
		give(index, run.block[index].order, run.block[index].kind, how & 1);
}

/* Any page, the first behind the zone and the last before it too, as of any order and kind. */
static void step_free_any(void)
{
	unsigned int how = fuzz_byte(&run.in);
	unsigned long index = fuzz_short(&run.in) % (run.setup.nr_pages + 4) - 2;

	give(index, (how & 0x7f) % (ORDERS + 2), how & 0x80 ? PMM_MAPPED : PMM_USED,
	     how & 0x40);
}

/*
 * Pages one behind the other, upward or downward, with some twice and some slots empty; whether
 * they are single pages in use is not looked at. A bulk call says nothing of what it refused but
 * in the log, which has to be read before it is full.
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
			model_freed(index[i], model_free(index[i], 0, PMM_USED));
	pmm_free_pages_bulk(nr, pages);
	for (i = 0; i < nr; i++)
		ASSERT(!pages[i]);
	fuzz_messages("");
}

/* --- the rest --------------------------------------------------------------------------------- */

static void step_hold(void)
{
	unsigned long index = fuzz_short(&run.in) % run.setup.nr_pages;

	if (run.owner[index] != OUT)
		return;
	get_page(page_at(index));
	run.extra[index]++;
	run.references++;
}

static void let_go(unsigned long index)
{
	put_page(page_at(index));
	run.extra[index]--;
	run.references--;
}

static void step_let_go(void)
{
	unsigned long start = fuzz_short(&run.in), i, at;

	for (i = 0; run.references && i < run.setup.nr_pages; i++) {
		at = (start + i) % run.setup.nr_pages;
		if (run.extra[at]) {
			let_go(at);
			return;
		}
	}
}

static void step_break(void)
{
	unsigned long index = any_block(), i;
	unsigned int order;

	if (index == NO_PAGE)
		return;
	order = run.block[index].order;
	pmm_zone_break(&pmm_zone, page_at(index), order, CALLER);
	run.allocations += (1UL << order) - 1;
	for (i = 0; i < 1UL << order; i++)
		model_set(index + i, OUT, run.block[index].kind, 0);
}

/* All that is free is on the free lists, in as few and as large blocks as can be. */
static void step_drain(void)
{
	pmm_pcp_drain(&pmm_zone);
	pmm_zone_reap(&pmm_zone);
	model_reap();
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
	run.nr_free = run.setup.nr_pages;
	shim_set_cpu(0);
	pool_init(&run.setup, run.pcp);
}

static void end(void)
{
	unsigned long i;

	compare();
	for (i = 0; i < run.setup.nr_pages; i++)
		while (run.extra[i])
			let_go(i);
	for (i = 0; i < run.setup.nr_pages; i++)
		if (model_is_head(i, OUT))
			give(i, run.block[i].order, run.block[i].kind, false);
	step_drain();
	ASSERT_EQ(run.nr_free, run.setup.nr_pages);
	ASSERT_EQ(pmm_zone.free_pages, run.setup.nr_pages);
	ASSERT_EQ(zone_nr_free(&pmm_zone, ORDERS - 1), run.setup.nr_pages / LARGEST);
	pool_exit();
}

void fuzz_one(const u8 *data, size_t size)
{
	ktap_where = where;
	begin(data, size);
	for (; run.in.left; run.step++) {
		steps[fuzz_byte(&run.in) % ARRAY_SIZE(steps)]();
		model_learn();
		ASSERT_EQ(fuzz_messages(""), 0);
	}
	end();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: long random runs of allocations and frees, each step compared with a model of 2.4's
 * allocator that has no pair bits and no linked lists.
 *
 * The model keeps an array of page numbers for each order, head last, and searches it for the
 * buddy. From those arrays the pair bits are worked out by their definition. After each step the
 * zone must show the same free lists in the same order, the same bits, states and counts. The
 * model also has the watermark, and the queue of parked blocks.
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

struct stack {
	unsigned long	*index;
	unsigned long	nr;
};

static struct model {
	const struct size *size;
	struct stack	list[PMM_MAX_ORDER];	/* free blocks, the list's head last */
	struct stack	parked;			/* oldest first */
	unsigned long	free_pages, parked_pages, pages_min;
	u8		*state;
	int		*extra;			/* references beside the allocator's */
	unsigned long	*map;			/* room to work out pair bits */
	struct pmm_zone_stat stat;
} model;

static struct run {
	struct arena	arena;
	struct block	*out;			/* what is handed out */
	unsigned long	nr_out;
	unsigned long	*held;			/* pages with a reference of ours */
	unsigned long	nr_held;
	unsigned int	step;
	bool		filling;		/* until some allocations have failed */
	unsigned long	drain_to;		/* else the other way, to so many blocks */
} run;

/* --- the model: lists --- */

static void push(struct stack *stack, unsigned long index)
{
	stack->index[stack->nr++] = index;
}

static void remove_at(struct stack *stack, unsigned long pos)
{
	unsigned long *hole = stack->index + pos;

	memmove(hole, hole + 1, (--stack->nr - pos) * sizeof(*hole));
}

static bool remove_index(struct stack *stack, unsigned long index)
{
	unsigned long pos;

	for (pos = 0; pos < stack->nr; pos++) {
		if (stack->index[pos] == index) {
			remove_at(stack, pos);
			return true;
		}
	}
	return false;
}

static void model_list(unsigned long index, unsigned int order)
{
	push(&model.list[order], index);
	model.state[index] = PMM_STATE(PMM_FREE, order);
}

/* --- the model: free --- */

/* Merge while the buddy is listed, then go to the head of the list. */
static void model_put(unsigned long index, unsigned int order)
{
	model.free_pages += 1ul << order;
	model.state[index] = PMM_TAIL;
	while (order < 9 && remove_index(&model.list[order], index ^ 1ul << order)) {
		model.state[index ^ 1ul << order] = PMM_TAIL;
		index &= ~(1ul << order);
		order++;
		model.stat.merges++;
	}
	model_list(index, order);
}

static bool model_referenced(unsigned long index, unsigned int order)
{
	unsigned long i;

	for (i = index; i < index + (1ul << order); i++)
		if (model.extra[i])
			return true;
	return false;
}

/*
 * Look once at each of the oldest, until @most pages or more have been looked at: it is recycled,
 * or goes to the end of the queue.
 */
static bool model_reap(unsigned long most)
{
	unsigned long looks = model.parked.nr, pages = 0;
	bool any = false;

	while (looks-- && pages < most) {
		unsigned long index = model.parked.index[0];
		unsigned int order = PMM_STATE_ORDER(model.state[index]);

		pages += 1ul << order;
		remove_at(&model.parked, 0);
		if (model_referenced(index, order)) {
			push(&model.parked, index);
			continue;
		}
		model.parked_pages -= 1ul << order;
		model.stat.frees++;
		model_put(index, order);
		any = true;
	}
	return any;
}

static enum pmm_free_result model_free(const struct block *block)
{
	enum pmm_free_result result = PMM_FREE_OK;

	if (model_referenced(block->index, block->order)) {
		push(&model.parked, block->index);
		model.state[block->index] = PMM_STATE(PMM_PARKED, block->order);
		model.parked_pages += 1ul << block->order;
		model.stat.parked++;
		result = PMM_FREE_PARKED;
	} else {
		model.stat.frees++;
		model_put(block->index, block->order);
	}
	model_reap(64);
	return result;
}

/* --- the model: allocate --- */

static unsigned long model_reserve(gfp_t gfp)
{
	if (gfp & __GFP_MEMALLOC)
		return 0;
	return gfp & __GFP_HIGH ? model.pages_min / 4 : model.pages_min;
}

static unsigned long model_take(gfp_t gfp, unsigned int low)
{
	unsigned int order = low;
	unsigned long index;

	if (model.free_pages < model_reserve(gfp) + (1ul << low))
		return NO_PAGE;
	while (order < PMM_MAX_ORDER && !model.list[order].nr)
		order++;
	if (order == PMM_MAX_ORDER)
		return NO_PAGE;
	index = model.list[order].index[--model.list[order].nr];
	model.state[index] = PMM_TAIL;
	model.free_pages -= 1ul << low;
	for (; order > low; model.stat.splits++) {
		unsigned long half = 1ul << --order;
		bool upper = model.size->expand == PMM_EXPAND_UPPER;

		model_list(upper ? index : index + half, order);
		index = upper ? index + half : index;
	}
	return index;
}

static unsigned long model_alloc(gfp_t gfp, unsigned int order, enum pmm_kind kind)
{
	unsigned long index = model_take(gfp, order);

	if (index == NO_PAGE && model_reap(ULONG_MAX))
		index = model_take(gfp, order);
	if (index == NO_PAGE) {
		model.stat.failures++;
	} else {
		model.stat.allocations++;
		model.state[index] = PMM_STATE(kind, order);
	}
	return index;
}

static void model_init(const struct size *size)
{
	unsigned int order;
	unsigned long i;

	model.size = size;
	for (order = 0; order < PMM_MAX_ORDER; order++)
		model.list[order].index = calloc(size->nr_pages, sizeof(long));
	model.parked.index = calloc(size->nr_pages, sizeof(long));
	model.state = calloc(ALIGN(size->nr_pages, 512), 1);
	model.extra = calloc(size->nr_pages, sizeof(int));
	model.map = calloc(size->nr_pages / 64 + 1, sizeof(long));
	for (i = 0; i < size->nr_pages; i++)
		model_put(i, 0);
	memset(&model.stat, 0, sizeof(model.stat));
}

static void model_exit(void)
{
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER; order++)
		free(model.list[order].index);
	free(model.parked.index);
	free(model.state);
	free(model.extra);
	free(model.map);
}

/* --- the zone against the model --- */

static void compare_list(const struct list_head *list, const struct stack *want, bool head_last)
{
	const struct page *page;
	unsigned long nr = 0;

	list_for_each_entry(page, list, lru) {
		ASSERT(nr < want->nr);
		ASSERT_EQ(page - run.arena.pages, want->index[head_last ? want->nr - 1 - nr : nr]);
		nr++;
	}
	ASSERT_EQ(nr, want->nr);
}

/*
 * By definition: a listed block's pair has the bit set, unless both are listed, which the
 * exclusive or tells.
 */
static void compare_bits(unsigned int order)
{
	unsigned long pairs = (model.size->nr_pages + (2ul << order) - 1) >> (order + 1), i;
	size_t bytes = (pairs + 63) / 64 * 8;

	memset(model.map, 0, bytes);
	for (i = 0; i < model.list[order].nr; i++) {
		unsigned long pair = model.list[order].index[i] / (2ul << order);

		model.map[pair / 64] ^= 1ul << pair % 64;
	}
	ASSERT(!memcmp(run.arena.zone.free_area[order].map, model.map, bytes));
}

static void compare(void)
{
	struct pmm_zone *zone = &run.arena.zone;
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER; order++) {
		compare_list(&zone->free_area[order].free_list, &model.list[order], true);
		if (order < PMM_MAX_ORDER - 1)
			compare_bits(order);
	}
	assert_counts(zone);
	compare_list(&zone->parked, &model.parked, false);
	ASSERT(!memcmp(zone->state, model.state, zone_nr_states(zone)));
	ASSERT_EQ(zone->free_pages, model.free_pages);
	ASSERT_EQ(zone->nr_parked, model.parked_pages);
	ASSERT(!memcmp(&zone->stat, &model.stat, sizeof(model.stat)));
}

/* --- the run --- */

static void where(void)
{
	ktap_say("step %u: min_free %lu, %lu blocks out, %lu pages held", run.step,
		 model.pages_min, run.nr_out, run.nr_held);
}

/*
 * Small orders mostly, as in life; now and then any, and more often so in a zone that is slow to
 * fill.
 */
static unsigned int random_order(void)
{
	if (ktap_below(model.size->nr_pages > 4000 ? 3 : 8))
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
	want = model_alloc(gfp, block.order, block.kind);
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
	model.extra[index]++;
	run.held[run.nr_held++] = index;
}

static void let_go(unsigned long pos)
{
	unsigned long index = run.held[pos];

	run.held[pos] = run.held[--run.nr_held];
	put_page(&run.arena.pages[index]);
	model.extra[index]--;
}

static void random_free(bool referenced)
{
	unsigned long pos = ktap_below(run.nr_out);
	struct block block = run.out[pos];
	struct page *page = run.arena.pages + block.index;

	run.out[pos] = run.out[--run.nr_out];
	if (referenced && run.nr_held < model.size->nr_pages)
		hold(block.index + ktap_below(1ul << block.order));
	ASSERT_EQ(pmm_zone_free(&run.arena.zone, page, block.order, block.kind, CALLER),
		  model_free(&block));
}

/*
 * Any page, any order: refused unless it happens to be right, in which case the block is left
 * alone.
 */
static void random_misuse(void)
{
	unsigned long index = ktap_below(model.size->nr_pages);
	unsigned int order = ktap_below(PMM_MAX_ORDER + 2);
	enum pmm_free_result result;

	if (order < PMM_MAX_ORDER && model.state[index] == PMM_STATE(PMM_USED, order))
		return;
	result = pmm_zone_free(&run.arena.zone, run.arena.pages + index, order, PMM_USED, CALLER);
	ASSERT(result > PMM_FREE_PARKED);
	ASSERT(strstr(shim_log_line(), pmm_free_why(result)));
	model.stat.refused[result]++;
}

static void random_step(void)
{
	static const unsigned long reserves[] = { 0, 20, 37, 5 };

	run.filling |= run.nr_out <= run.drain_to;
	if (!ktap_below(200)) {
		model.pages_min = reserves[ktap_below(ARRAY_SIZE(reserves))];
		run.arena.zone.pages_min = model.pages_min;
		pmm_zone_retune(&run.arena.zone);
	}
	if (run.nr_held && !ktap_below(3))
		let_go(ktap_below(run.nr_held));
	if (!ktap_below(20))
		random_misuse();
	else if (!run.nr_out || ktap_below(4) < (run.filling ? 3 : 1))
		random_alloc();
	else
		random_free(model.size->references && !ktap_below(4));
}

/* Everything goes back, and the zone has as few and as large blocks as ever. */
static void give_all_back(void)
{
	unsigned long whole = model.size->nr_pages / 512;

	while (run.nr_held)
		let_go(0);
	while (run.nr_out)
		random_free(false);
	pmm_zone_reap(&run.arena.zone);
	model_reap(ULONG_MAX);
	compare();
	ASSERT_EQ(run.arena.zone.free_pages, model.size->nr_pages);
	ASSERT_EQ(zone_nr_free(&run.arena.zone, 9), whole);
	ASSERT_SOUND(&run.arena.zone);
}

static void random_run(const void *arg)
{
	const struct pmm_zone_stat *stat = &model.stat;
	const struct size *size = arg;

	ktap_where = where;
	model_init(size);
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
	model_exit();
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

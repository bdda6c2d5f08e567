// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: every state that a zone of 16 pages can be in, and every step from each; and the same
 * for smaller zones, whose last blocks their end cuts.
 *
 * The blocks in use determine a state, because free pages are merged as far as possible. So a block
 * of order n has f(n) = f(n-1)^2 + 1 states: those of its two halves together, where 'both free' is
 * 'free whole', and one more, in use as a whole. f(0) = 2 gives f(4) = 458,330, each with a number
 * of its own below that. A block that the end of the zone cuts has only the states of its two
 * halves together, because it is never in use as a whole.
 *
 * The search starts from the fresh zone and puts each state that it sees for the first time into a
 * queue. From each state in the queue it tries to allocate every order and to free every block,
 * checks the outcome and puts the zone back. It also tries wrong frees: every one that there is in
 * the small zones, and in the large ones one of each kind, for most states. A state is
 * examined with its free lists in the order in which the search met it first; other orders of the
 * same lists are left to the random runs.
 *
 * The checks after each step depend neither on verify.c nor on the pair bits: the sets of free
 * blocks and the bits are worked out from the pages in use. pmm_zone_verify() also checks each
 * state.
 */
#include <stdlib.h>

#include "zone.h"

#define NR_PAGES	16		/* at most */
#define TOP		4		/* the order of the whole */
#define NO_BLOCK	0xff

struct limits {
	enum pmm_expand	expand;
	unsigned int	nr_pages;
	unsigned int	misuse_share;	/* of so many states, one is tried with every misuse */
	unsigned long	nr_states;
};

/*
 * The order of the block in use that begins at each page, and the pages that no block covers.
 */
struct model {
	u8	used[NR_PAGES];
	u16	free;
};

/*
 * A state waiting its turn: the model, and the free blocks in the order of their lists, from order
 * 0 up.
 */
struct waiting {
	struct model	model;
	u8		nr_free;
	u8		free[NR_PAGES / 2];
};

static struct search {
	const struct limits *limits;
	unsigned long	f[TOP + 1][NR_PAGES + 1];
	struct arena	arena;
	struct image	image;			/* of the state whose turn it is */
	struct model	model;			/* likewise */
	struct waiting	*queue;
	unsigned long	head, tail;
	u8		*seen;
	unsigned long	steps, refusals;
} search;

/* --- the model --- */

/* f[order][pages]: the number of states of a block of that order with @pages pages in the zone. */
static void count_states(void)
{
	unsigned int order, pages, lower;

	for (order = 0; order <= TOP; order++) {
		search.f[order][0] = 1;
		for (pages = 1; order && pages <= 1u << order; pages++) {
			lower = min(pages, 1u << (order - 1));
			search.f[order][pages] = search.f[order - 1][lower] *
						 search.f[order - 1][pages - lower];
		}
		/* In use as a whole; a single page is that or free. */
		search.f[order][1 << order] += order ? 1 : 2;
	}
}

/* The number of the block's pages that are in the zone. */
static unsigned int pages_in(unsigned int index, unsigned int order)
{
	unsigned int nr_pages = search.limits->nr_pages;

	return index < nr_pages ? min(nr_pages - index, 1u << order) : 0;
}

static unsigned int block_mask(unsigned int index, unsigned int order)
{
	return ((1u << (1 << order)) - 1) << index;
}

static unsigned long state_number(const struct model *model, unsigned int index, unsigned int order)
{
	unsigned int pages = pages_in(index, order), middle;
	unsigned long lower, upper;

	if (!pages || !(block_mask(index, order) & ~model->free))
		return 0;
	if (model->used[index] == order)
		return search.f[order][pages] - 1;
	middle = index + (1 << (order - 1));
	lower = state_number(model, index, order - 1);
	upper = state_number(model, middle, order - 1);
	return lower * search.f[order - 1][pages_in(middle, order - 1)] + upper;
}

static void model_alloc(struct model *model, unsigned int index, unsigned int order)
{
	model->used[index] = order;
	model->free &= ~block_mask(index, order);
}

static void model_free(struct model *model, unsigned int index)
{
	model->free |= block_mask(index, model->used[index]);
	model->used[index] = NO_BLOCK;
}

/*
 * The free blocks of each order as sets of their first pages: a block is free when its halves are,
 * and it is listed when the block around it is not free.
 */
static void free_sets(const struct model *model, u16 *listed)
{
	static const u16 aligned[TOP + 1] = { 0xffff, 0x5555, 0x1111, 0x0101, 0x0001 };
	u16 all[TOP + 2] = { model->free };
	unsigned int order;

	for (order = 0; order < TOP; order++)
		all[order + 1] = all[order] & (all[order] >> (1 << order)) & aligned[order + 1];
	for (order = 0; order <= TOP; order++)
		listed[order] = all[order] & ~(all[order + 1] | all[order + 1] << (1 << order));
}

/* --- the zone against the model --- */

static void check_list(unsigned int order, u16 listed)
{
	const struct pmm_free_area *area = &search.arena.zone.free_area[order];
	const struct list_head *pos;
	unsigned int found = 0, nr = 0, size;

	for (pos = area->free_list.next; pos != &area->free_list && nr <= NR_PAGES; nr++) {
		found |= 1u << (list_entry(pos, struct page, lru) - search.arena.pages);
		pos = pos->next;
	}
	ASSERT_EQ(found, listed);
	for (size = 0; listed; size++)
		listed &= listed - 1;
	ASSERT_EQ(nr, size);
}

/* A bit is 1 when exactly one of the pair is listed. */
static void check_bits(unsigned int order, u16 listed)
{
	unsigned long want = 0;

	for (; listed; listed &= listed - 1)
		want ^= 1UL << (__builtin_ctz(listed) >> (order + 1));
	ASSERT_EQ(*search.arena.zone.free_area[order].map, want);
}

static void check_states(const struct model *model, const u16 *listed)
{
	u8 want[NR_PAGES] = { 0 };
	unsigned int index, order, set;

	for (index = 0; index < NR_PAGES; index++)
		if (model->used[index] != NO_BLOCK)
			want[index] = PMM_STATE(PMM_USED, model->used[index]);
	for (order = 0; order <= TOP; order++)
		for (set = listed[order]; set; set &= set - 1)
			want[__builtin_ctz(set)] = PMM_STATE(PMM_FREE, order);
	ASSERT(!memcmp(want, search.arena.zone.state, NR_PAGES));
}

/* An order too large for the zone. */
static void check_unused(unsigned int order)
{
	const struct pmm_free_area *area = &search.arena.zone.free_area[order];

	ASSERT(area->free_list.next == &area->free_list);
	ASSERT(!area->map || !*area->map);
}

static void check_zone(const struct model *model)
{
	u16 listed[TOP + 1];
	unsigned int order;

	free_sets(model, listed);
	for (order = 0; order <= TOP; order++) {
		check_list(order, listed[order]);
		check_bits(order, listed[order]);
	}
	for (; order < PMM_MAX_ORDER; order++)
		check_unused(order);
	check_states(model, listed);
	ASSERT_EQ(search.arena.zone.free_pages, __builtin_popcount(model->free));
}

/* --- the search --- */

static void enqueue(const struct model *model)
{
	struct waiting *waiting = &search.queue[search.tail];
	unsigned long number = state_number(model, 0, TOP);
	const struct page *page;
	unsigned int order;

	if (search.seen[number])
		return;
	search.seen[number] = 1;
	ASSERT(search.tail++ < search.limits->nr_states);
	waiting->model = *model;
	for (order = 0; order <= TOP; order++)
		list_for_each_entry(page, &search.arena.zone.free_area[order].free_list, lru)
			waiting->free[waiting->nr_free++] = page - search.arena.pages;
	ASSERT_SOUND(&search.arena.zone);
}

static void load_free(unsigned int index, unsigned int order)
{
	struct pmm_zone *zone = &search.arena.zone;
	struct pmm_free_area *area = &zone->free_area[order];

	list_add_tail(&search.arena.pages[index].lru, &area->free_list);
	__test_and_change_bit(index >> (1 + order), area->map);
	zone->state[index] = PMM_STATE(PMM_FREE, order);
}

/*
 * Make the zone what it was when this state was met, and take the image that each step from it
 * starts from.
 */
static void load(const struct waiting *waiting)
{
	struct pmm_zone *zone = &search.arena.zone;
	unsigned int order, i;
	u16 listed[TOP + 1];

	search.model = waiting->model;
	free_sets(&waiting->model, listed);
	memset(zone->state, PMM_TAIL, NR_PAGES);
	for (i = 0; i < NR_PAGES; i++)
		if (waiting->model.used[i] != NO_BLOCK)
			zone->state[i] = PMM_STATE(PMM_USED, waiting->model.used[i]);
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		INIT_LIST_HEAD(&zone->free_area[order].free_list);
		if (order < PMM_MAX_ORDER - 1)
			*zone->free_area[order].map = 0;
	}
	for (i = 0; i < waiting->nr_free; i++) {
		for (order = 0; !(listed[order] >> waiting->free[i] & 1); order++)
			;
		load_free(waiting->free[i], order);
	}
	zone->free_pages = __builtin_popcount(waiting->model.free);
	image_save(&search.image, zone);
}

static void finish_step(const struct model *after)
{
	check_zone(after);
	enqueue(after);
	image_restore(&search.image, &search.arena.zone);
	search.steps++;
}

/* The head of the first list that is not empty, and of that the end which `expand` says. */
static unsigned long expected_block(unsigned int low)
{
	const struct pmm_zone *zone = &search.arena.zone;
	const struct page *page;
	unsigned long index;
	unsigned int order;

	for (order = low; order <= TOP && list_empty(&zone->free_area[order].free_list); order++)
		;
	if (order > TOP)
		return NO_PAGE;
	page = list_first_entry(&zone->free_area[order].free_list, struct page, lru);
	index = page - search.arena.pages;
	return zone->expand == PMM_EXPAND_UPPER ? index + (1 << order) - (1 << low) : index;
}

static void step_alloc(unsigned int order)
{
	unsigned long want = expected_block(order);
	struct model after = search.model;

	ASSERT_EQ(arena_alloc(&search.arena, order), want);
	if (want == NO_PAGE)
		ASSERT(image_same(&search.image, &search.arena.zone));
	else
		model_alloc(&after, want, order);
	finish_step(&after);
}

static void step_free(unsigned int index)
{
	struct model after = search.model;

	ASSERT_EQ(arena_free(&search.arena, index, search.model.used[index]), PMM_FREE_OK);
	model_free(&after, index);
	finish_step(&after);
}

/* --- misuse --- */

static enum pmm_free_result expected_refusal(unsigned int index, unsigned int order)
{
	unsigned int head;

	if (index >= search.limits->nr_pages)
		return PMM_FREE_FOREIGN;
	if (index & ((1u << order) - 1))
		return PMM_FREE_BAD_ORDER;
	if (search.model.free >> index & 1)
		return PMM_FREE_DOUBLE;
	for (head = index; search.model.used[head] == NO_BLOCK; head--)
		;
	return head == index ? PMM_FREE_WRONG_ORDER : PMM_FREE_MIDDLE;
}

static void step_misuse(unsigned int index, unsigned int order, enum pmm_free_result refusal)
{
	ASSERT_EQ(arena_free(&search.arena, index, order), refusal);
	ASSERT(*shim_log_line());
	ASSERT(image_same(&search.image, &search.arena.zone));
	search.refusals++;
}

#define NR_ORDERS	(TOP + 2)		/* and one too large for the zone */
#define NR_FREES	((NR_PAGES + 1) * NR_ORDERS)	/* and a page past the end */

/* Wrong frees, starting at a random one: all, or the first refused for each reason. */
static void misuse(bool all)
{
	unsigned int at = ktap_below(NR_FREES), i, tried = 0;

	for (i = 0; i < NR_FREES; i++, at = (at + 1) % NR_FREES) {
		unsigned int index = at / NR_ORDERS, order = at % NR_ORDERS;
		enum pmm_free_result refusal;

		if (index < search.limits->nr_pages && search.model.used[index] == order)
			continue;
		refusal = expected_refusal(index, order);
		if (all || !(tried >> refusal & 1))
			step_misuse(index, order, refusal);
		tried |= 1u << refusal;
	}
}

static void where(void)
{
	char *text;

	image_restore(&search.image, &search.arena.zone);
	text = zone_text(&search.arena.zone);
	ktap_say("state %lu of the queue, step %lu, from the zone\n%s", search.head, search.steps,
		 text);
	free(text);
}

static void all_steps(void)
{
	unsigned int i;

	load(&search.queue[search.head]);
	check_zone(&search.model);
	assert_counts(&search.arena.zone);
	for (i = 0; i <= TOP + 1; i++)
		step_alloc(i);
	for (i = 0; i < NR_PAGES; i++)
		if (search.model.used[i] != NO_BLOCK)
			step_free(i);
	misuse(!ktap_below(search.limits->misuse_share));
}

static void exhaustive(const void *arg)
{
	const struct limits *limits = arg;
	struct model fresh = { .free = (1u << limits->nr_pages) - 1 };

	search.limits = limits;
	count_states();
	ASSERT_EQ(search.f[TOP][limits->nr_pages], limits->nr_states);
	search.queue = calloc(limits->nr_states, sizeof(*search.queue));
	search.seen = calloc(limits->nr_states, 1);
	arena_init(&search.arena, limits->nr_pages, limits->expand, 0);
	image_init(&search.image, &search.arena.zone);
	ktap_where = where;
	memset(fresh.used, NO_BLOCK, sizeof(fresh.used));
	check_zone(&fresh);
	enqueue(&fresh);
	for (; search.head < search.tail; search.head++)
		all_steps();
	ktap_say("%lu states, %lu steps, %lu frees refused", search.tail, search.steps,
		 search.refusals);
	ASSERT_EQ(search.tail, limits->nr_states);
	image_exit(&search.image);
	arena_exit(&search.arena);
	free(search.queue);
	free(search.seen);
}

#define RUN(name, ...)	{ name, exhaustive, &(const struct limits){ __VA_ARGS__ } }

const struct ktap_test exhaustive_tests[] = {
	RUN("exhaustive-upper", PMM_EXPAND_UPPER, 16, 512, 458330),
	RUN("exhaustive-lower", PMM_EXPAND_LOWER, 16, 512, 458330),
	RUN("exhaustive-15-upper", PMM_EXPAND_UPPER, 15, 512, 176020),
	RUN("exhaustive-15-lower", PMM_EXPAND_LOWER, 15, 512, 176020),
	RUN("exhaustive-13-upper", PMM_EXPAND_UPPER, 13, 16, 35204),
	RUN("exhaustive-13-lower", PMM_EXPAND_LOWER, 13, 16, 35204),
	RUN("exhaustive-11-upper", PMM_EXPAND_UPPER, 11, 1, 6770),
	RUN("exhaustive-11-lower", PMM_EXPAND_LOWER, 11, 1, 6770),
	RUN("exhaustive-8-upper", PMM_EXPAND_UPPER, 8, 1, 677),
	RUN("exhaustive-8-lower", PMM_EXPAND_LOWER, 8, 1, 677),
	{ }
};

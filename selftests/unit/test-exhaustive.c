// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: every state that a zone of 16 pages can be in, and every step from each.
 *
 * What is in use determines a state, for what is free is merged as far as it goes. So a block of
 * order n has f(n) = f(n-1)^2 + 1 states: those of its two halves together, where 'both free' is
 * 'free whole', and one more, in use as a whole. f(0) = 2 gives f(4) = 458,330, each with a number
 * of its own below that.
 *
 * The search starts from the fresh zone and puts each state that it sees for the first time into a
 * queue. From each state in the queue it tries to allocate every order and to free every block,
 * checks the outcome and puts the zone back. A state is looked at with its free lists in the order
 * in which the search met it first; other orders of the same lists are left to the random runs.
 *
 * What is checked after each step owes nothing to verify.c or to the pair bits: the sets of free
 * blocks and the bits are worked out from the pages in use. pmm_zone_verify() has its say at each
 * state.
 */
#include <stdlib.h>

#include "zone.h"

#define NR_PAGES	16
#define TOP		4		/* the order of the whole */
#define NR_STATES	458330
#define NO_BLOCK	0xff
#define MISUSE_SHARE	64		/* of so many states, one is tried with every misuse */

/*
 * Which order of block is in use from each page on, and the set of pages that none of them covers.
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
	struct arena	arena;
	struct image	image;			/* of the state whose turn it is */
	struct model	model;			/* likewise */
	struct waiting	*queue;
	unsigned long	head, tail;
	u8		*seen;
	unsigned long	steps, refusals;
} search;

/* --- the model --- */

/* f(n), the number of states of a block of order n. */
static unsigned long nr_states(unsigned int order)
{
	unsigned long f = 2;

	while (order--)
		f = f * f + 1;
	return f;
}

static unsigned int block_mask(unsigned int index, unsigned int order)
{
	return ((1u << (1 << order)) - 1) << index;
}

static unsigned long state_number(const struct model *model, unsigned int index, unsigned int order)
{
	static const unsigned long f[] = { 2, 5, 26, 677, 458330 };

	if (model->used[index] == order)
		return f[order] - 1;
	if (!(block_mask(index, order) & ~model->free))
		return 0;
	return state_number(model, index, order - 1) * f[order - 1] +
	       state_number(model, index + (1 << (order - 1)), order - 1);
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
	ASSERT(search.tail++ < NR_STATES);
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

	if (index & ((1u << order) - 1))
		return PMM_FREE_BAD_ORDER;
	if (search.model.free >> index & 1)
		return PMM_FREE_DOUBLE;
	for (head = index; search.model.used[head] == NO_BLOCK; head--)
		;
	return head == index ? PMM_FREE_WRONG_ORDER : PMM_FREE_MIDDLE;
}

static void step_misuse(unsigned int index, unsigned int order)
{
	if (search.model.used[index] == order)
		return;
	ASSERT_EQ(arena_free(&search.arena, index, order), expected_refusal(index, order));
	ASSERT(*shim_log_line());
	ASSERT(image_same(&search.image, &search.arena.zone));
	search.refusals++;
}

static void misuse_some(void)
{
	unsigned int index, order;

	if (ktap_below(MISUSE_SHARE)) {
		index = ktap_below(NR_PAGES);
		order = ktap_below(TOP + 2);
		step_misuse(index, order);
		return;
	}
	for (index = 0; index < NR_PAGES; index++)
		for (order = 0; order <= TOP + 1; order++)
			step_misuse(index, order);
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
	misuse_some();
}

static void exhaustive(const void *arg)
{
	const enum pmm_expand *expand = arg;
	struct model fresh = { .free = (1u << NR_PAGES) - 1 };

	ASSERT_EQ(nr_states(TOP), NR_STATES);
	search.queue = calloc(NR_STATES, sizeof(*search.queue));
	search.seen = calloc(NR_STATES, 1);
	arena_init(&search.arena, NR_PAGES, *expand, 0);
	image_init(&search.image, &search.arena.zone);
	ktap_where = where;
	memset(fresh.used, NO_BLOCK, sizeof(fresh.used));
	check_zone(&fresh);
	enqueue(&fresh);
	for (; search.head < search.tail; search.head++)
		all_steps();
	ktap_say("%lu states, %lu steps, %lu frees refused", search.tail, search.steps,
		 search.refusals);
	ASSERT_EQ(search.tail, NR_STATES);
	image_exit(&search.image);
	arena_exit(&search.arena);
	free(search.queue);
	free(search.seen);
}

const struct ktap_test exhaustive_tests[] = {
	{ "exhaustive-upper", exhaustive, &(const enum pmm_expand){ PMM_EXPAND_UPPER } },
	{ "exhaustive-lower", exhaustive, &(const enum pmm_expand){ PMM_EXPAND_LOWER } },
	{ }
};

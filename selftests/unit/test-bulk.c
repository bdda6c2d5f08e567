// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: many blocks under one lock are the same blocks as one by one. Two zones go through the
 * same random run, one of them with bulk calls where the other has single ones; pages, their order,
 * the order of the free lists, the bits, states and counters must agree after each step.
 */
#include <stdlib.h>

#include "zone.h"

#define GFP	(GFP_KERNEL | __GFP_NOWARN)
#define MOST	300			/* blocks in one call: more than one batch */

struct block {
	unsigned long	index;
	unsigned int	order;
};

static struct run {
	const struct setup	*setup;
	struct arena		single, bulk;
	struct block		*out;
	unsigned long		nr_out;
	unsigned int		step;
	unsigned long		runs, broken, refused;
} run;

static void where(void)
{
	ktap_say("step %u, %lu blocks out", run.step, run.nr_out);
}

/* --- the two zones beside each other --- */

static void compare_pages(const struct page *a, const struct page *b)
{
	unsigned long i;

	for (i = 0; i < run.setup->nr_pages; i++)
		ASSERT_EQ(pmm_page_caller(&b[i]), pmm_page_caller(&a[i]));
}

static void compare(void)
{
	struct pmm_zone *a = &run.single.zone, *b = &run.bulk.zone;
	char *want = zone_text(a), *got = zone_text(b);

	ASSERT_STR(got, want);
	ASSERT(!memcmp(a->state, b->state, zone_nr_states(a)));
	ASSERT(!memcmp(&a->stat, &b->stat, offsetof(struct pmm_zone_stat, batches)));
	ASSERT_EQ(atomic_long_read(&b->transit), 0);
	if (!ktap_below(16)) {
		compare_pages(run.single.pages, run.bulk.pages);
		ASSERT_SOUND(b);
	}
	free(want);
	free(got);
}

static void remember(unsigned long index, unsigned int order)
{
	run.out[run.nr_out++] = (struct block) { index, order };
}

/* Some of what is out, in no order; the last of them first to go. */
static void shuffle(void)
{
	unsigned long i;

	for (i = run.nr_out; i > 1; i--) {
		unsigned long other = ktap_below(i);
		struct block block = run.out[i - 1];

		run.out[i - 1] = run.out[other];
		run.out[other] = block;
	}
}

/* --- steps --- */

static void step_single(void)
{
	unsigned int order = ktap_below(5);
	unsigned long index = arena_alloc(&run.single, order);

	ASSERT_EQ(arena_alloc(&run.bulk, order), index);
	if (index != NO_PAGE)
		remember(index, order);
}

/* As many as there are; the one call that fails then is no call of the bulk's. */
static void step_alloc(enum pmm_kind kind)
{
	unsigned int order = ktap_below(3) ? 0 : ktap_below(PMM_MAX_ORDER);
	unsigned long nr = 1 + ktap_below(MOST >> (order < 5 ? order : 5)), got, i;
	gfp_t gfp = ktap_below(2) ? GFP : GFP_ATOMIC | __GFP_NOWARN;
	struct page *pages[MOST], *page;

	got = pmm_zone_alloc_bulk(&run.bulk.zone, gfp, order, kind, CALLER, nr, pages);
	ASSERT(got <= nr);
	for (i = 0; i < nr; i++) {
		page = pmm_zone_alloc(&run.single.zone, gfp, order, kind, CALLER);
		if (!page)
			break;
		ASSERT(i < got);
		ASSERT_EQ(pages[i] - run.bulk.pages, page - run.single.pages);
		remember(page - run.single.pages, order);
	}
	ASSERT_EQ(got, i);
	run.single.zone.stat.failures -= got < nr;
	run.runs += got > 1;
}

static void free_single(void)
{
	const struct block *block = &run.out[--run.nr_out];

	ASSERT_EQ(arena_free(&run.single, block->index, block->order), PMM_FREE_OK);
	ASSERT_EQ(arena_free(&run.bulk, block->index, block->order), PMM_FREE_OK);
}

/* Single pages of what is out, from the end. */
static unsigned long collect(struct page **pages, unsigned long most)
{
	unsigned long nr = 0;

	while (nr < most && run.nr_out && !run.out[run.nr_out - 1].order)
		pages[nr++] = run.bulk.pages + run.out[--run.nr_out].index;
	return nr;
}

static int by_address(const void *a, const void *b)
{
	const struct page *x = *(struct page * const *)a, *y = *(struct page * const *)b;

	return x < y ? -1 : x > y;
}

static int by_order(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return (int)y->order - (int)x->order;
}

/* Now and then something among them that must be refused: a page twice, or a stranger. */
static void spoil(struct page **pages, unsigned long nr)
{
	static struct page stranger[2];

	if (nr < 2 || ktap_below(4))
		return;
	run.refused++;
	pages[ktap_below(nr)] = pages[ktap_below(2) ? nr - 1 : 0];
	if (ktap_below(2))
		pages[ktap_below(nr)] = &stranger[1];
}

static struct page *twin(struct page *page)
{
	return pmm_page_in_zone(&run.bulk.zone, page) ?
		       run.single.pages + (page - run.bulk.pages) : page;
}

/* Frees the due pages that the call refused, because otherwise they would be lost to the run. */
static void free_forgotten(struct page **due, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++) {
		unsigned long index = due[i] - run.bulk.pages;

		if (run.bulk.zone.state[index] == PMM_STATE(PMM_USED, 0))
			remember(index, 0);
	}
}

static void step_free(void)
{
	unsigned long nr, i, said = 0;
	struct page *pages[MOST], *due[MOST];

	shuffle();
	if (ktap_below(4))
		qsort(run.out, run.nr_out, sizeof(*run.out), by_order);
	nr = collect(pages, 1 + ktap_below(MOST));
	if (ktap_below(2))
		qsort(pages, nr, sizeof(*pages), by_address);
	memcpy(due, pages, sizeof(due));
	spoil(pages, nr);
	pmm_zone_free_bulk(&run.bulk.zone, nr, pages, PMM_USED, CALLER);
	while (*shim_log_line())
		said++;
	for (i = 0; i < nr; i++)
		pmm_zone_free(&run.single.zone, twin(pages[i]), 0, PMM_USED, CALLER);
	while (*shim_log_line())
		said--;
	ASSERT_EQ(said, 0);
	free_forgotten(due, nr);
}

/* A block is broken into pages, each of which is later freed on its own or with others. */
static void step_break(void)
{
	struct block *block = run.nr_out ? &run.out[ktap_below(run.nr_out)] : NULL;
	unsigned long i;

	if (!block || !block->order || run.nr_out + (1UL << block->order) > run.setup->nr_pages)
		return;
	pmm_zone_break(&run.single.zone, run.single.pages + block->index, block->order, CALLER + 1);
	pmm_zone_break(&run.bulk.zone, run.bulk.pages + block->index, block->order, CALLER + 1);
	for (i = 0; i < 1UL << block->order; i++) {
		ASSERT_EQ(run.bulk.zone.state[block->index + i], PMM_STATE(PMM_USED, 0));
		ASSERT_EQ(pmm_page_caller(run.bulk.pages + block->index + i), CALLER + 1);
		if (i)
			remember(block->index + i, 0);
	}
	block->order = 0;
	run.broken++;
}

static void random_step(void)
{
	switch (ktap_below(8)) {
	case 0:
		step_single();
		break;
	case 1:
		if (run.nr_out)
			free_single();
		break;
	case 2:
		step_break();
		break;
	case 3:
	case 4:
		step_free();
		break;
	case 5:
		while (run.nr_out > run.setup->nr_pages / 8)
			free_single();
		break;
	default:
		step_alloc(PMM_USED);
	}
}

static void bulk_random(const void *arg)
{
	ktap_where = where;
	run.setup = arg;
	arena_init_as(&run.single, arg);
	arena_init_as(&run.bulk, arg);
	run.out = calloc(run.setup->nr_pages, sizeof(*run.out));
	for (run.step = 0; run.step < 1500; run.step++) {
		random_step();
		compare();
	}
	while (run.nr_out)
		free_single();
	compare();
	ASSERT_EQ(run.bulk.zone.free_pages, run.setup->nr_pages);
	ASSERT_EQ(run.bulk.zone.stat.frees, run.bulk.zone.stat.allocations);
	ASSERT_EQ(run.bulk.zone.stat.merges, run.bulk.zone.stat.splits);
	ktap_say("%lu runs, %lu blocks broken, %lu spoiled frees", run.runs, run.broken,
		 run.refused);
	ASSERT(run.runs && run.broken && run.refused);
	arena_exit(&run.single);
	arena_exit(&run.bulk);
	free(run.out);
}

/* --- on the way to per-CPU lists and back --- */

/* In the order in which they came, or with some or all of them swapped. */
static void random_indices(struct page **pages, unsigned int nr, u32 *indices)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		indices[i] = pages[i] - run.bulk.pages;
	for (i = nr; i > 1 && ktap_below(4); i--) {
		unsigned int other = ktap_below(i);
		u32 index = indices[i - 1];

		indices[i - 1] = indices[other];
		indices[other] = index;
	}
}

/*
 * A block taken as PMM_PCP is in transit and belongs to nobody. The blocks go back as if each were
 * freed in the order of the array. Neither step counts as an allocation or a free, and the record
 * of the last free of a page is kept.
 */
static void put_back_once(void)
{
	struct page *pages[PMM_PCP_BATCH];
	struct pmm_zone *zone = &run.bulk.zone;
	unsigned int order = ktap_below(PMM_PCP_ORDERS), nr, i;
	struct pmm_zone_stat stat = zone->stat;
	unsigned long callers[PMM_PCP_BATCH];
	u32 indices[PMM_PCP_BATCH];

	nr = pmm_zone_alloc_bulk(zone, GFP, order, PMM_PCP, CALLER, PMM_PCP_BATCH >> order, pages);
	ASSERT_EQ(atomic_long_read(&zone->transit), (long)nr << order);
	for (i = 0; i < nr; i++)
		ASSERT_EQ(zone->state[pages[i] - run.bulk.pages], PMM_STATE(PMM_PCP, order));
	ASSERT_SOUND(zone);
	random_indices(pages, nr, indices);
	for (i = 0; i < nr; i++)
		callers[i] = pmm_page_caller(run.single.pages + indices[i]);
	for (i = 0; i < nr; i++)
		arena_alloc(&run.single, order);
	pmm_zone_put_back(zone, indices, nr, order);
	ASSERT_EQ(zone->stat.allocations, stat.allocations);
	ASSERT_EQ(zone->stat.frees, stat.frees);
	for (i = 0; i < nr; i++)
		ASSERT_EQ(arena_free(&run.single, indices[i], order), PMM_FREE_OK);
	for (i = 0; i < nr; i++)
		pmm_set_page_caller(run.single.pages + indices[i], callers[i]);
	run.single.zone.stat.allocations -= nr;
	run.single.zone.stat.frees -= nr;
}

static void bulk_put_back(const void *arg)
{
	ktap_where = where;
	run.setup = arg;
	arena_init_as(&run.single, arg);
	arena_init_as(&run.bulk, arg);
	run.out = calloc(run.setup->nr_pages, sizeof(*run.out));
	for (run.step = 0; run.step < 400; run.step++) {
		if (ktap_below(2))
			step_alloc(PMM_USED);
		else
			step_free();
		put_back_once();
		compare();
	}
	while (run.nr_out)
		free_single();
	arena_exit(&run.single);
	arena_exit(&run.bulk);
	free(run.out);
}

/* --- one by one --- */

/* The references that somebody has make no difference to the pages beside: they run on behind. */
static void bulk_parks(const void *arg)
{
	struct page *pages[16];
	struct arena arena;
	unsigned long i;

	arena_init(&arena, 16, PMM_EXPAND_LOWER, 0);
	ASSERT_EQ(pmm_zone_alloc_bulk(&arena.zone, GFP, 0, PMM_MAPPED, CALLER, 16, pages), 16);
	for (i = 0; i < 16; i++)
		ASSERT(pages[i] == arena.pages + i);
	get_page(pages[5]);
	get_page(pages[15]);
	pmm_zone_free_bulk(&arena.zone, 16, pages, PMM_MAPPED, CALLER);
	ASSERT_EQ(arena.zone.nr_parked, 2);
	ASSERT_EQ(arena.zone.stat.parked, 2);
	ASSERT_EQ(arena.zone.stat.frees, 14);
	ASSERT_EQ(arena.zone.state[5], PMM_STATE(PMM_PARKED, 0));
	ASSERT_SOUND(&arena.zone);
	put_page(pages[5]);
	ASSERT_EQ(pmm_zone_alloc_bulk(&arena.zone, GFP, 0, PMM_USED, CALLER, 8, pages), 8);
	pmm_zone_free_bulk(&arena.zone, 8, pages, PMM_USED, CALLER);
	ASSERT_EQ(arena.zone.nr_parked, 1);
	ASSERT_EQ(arena.zone.free_pages, 15);
	put_page(&arena.pages[15]);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 1);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

/* An area's pages are not the page API's, nor the other way round. */
static void bulk_wrong_kind(const void *arg)
{
	struct page *pages[8];
	struct arena arena;
	char *before, *after;
	unsigned int i;

	arena_init(&arena, 16, PMM_EXPAND_UPPER, 0);
	ASSERT_EQ(pmm_zone_alloc_bulk(&arena.zone, GFP, 0, PMM_MAPPED, CALLER, 8, pages), 8);
	before = zone_text(&arena.zone);
	pmm_zone_free_bulk(&arena.zone, 8, pages, PMM_USED, CALLER);
	for (i = 0; i < 8; i++)
		ASSERT(strstr(shim_log_line(), pmm_free_why(PMM_FREE_MAPPED)));
	after = zone_text(&arena.zone);
	ASSERT_STR(after, before);
	ASSERT_EQ(arena.zone.stat.refused[PMM_FREE_MAPPED], 8);
	ASSERT_EQ(arena.zone.stat.frees, 0);
	free(before);
	free(after);
	arena_exit(&arena);
}

/* Too few are taken without a word, and nothing is counted as a failure: the caller goes on. */
static void bulk_too_few(const void *arg)
{
	struct page *pages[32];
	struct arena arena;

	arena_init(&arena, 24, PMM_EXPAND_LOWER, 4);
	ASSERT_EQ(pmm_zone_alloc_bulk(&arena.zone, GFP_KERNEL, 0, PMM_USED, CALLER, 0, pages), 0);
	ASSERT_EQ(pmm_zone_alloc_bulk(&arena.zone, GFP_KERNEL, 4, PMM_USED, CALLER, 2, pages), 1);
	ASSERT_EQ(pmm_zone_alloc_bulk(&arena.zone, GFP_KERNEL, 3, PMM_USED, CALLER, 2, pages), 0);
	ASSERT_EQ(pmm_zone_alloc_bulk(&arena.zone, GFP_KERNEL, 0, PMM_USED, CALLER, 32, pages), 4);
	ASSERT_EQ(pmm_zone_alloc_bulk(&arena.zone, GFP_KERNEL, 0, PMM_USED, CALLER, 32, pages), 0);
	ASSERT_EQ(pmm_zone_alloc_bulk(&arena.zone, GFP_ATOMIC, 0, PMM_USED, CALLER, 32, pages), 3);
	ASSERT_EQ(arena.zone.stat.failures, 0);
	ASSERT_EQ(arena.zone.stat.allocations, 1 + 4 + 3);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

/* Others, and interrupts, are let in between batches. */
static void bulk_batches(const void *arg)
{
	struct page *pages[4 * PMM_BULK_PAGES + 1];
	const unsigned long nr = ARRAY_SIZE(pages);
	unsigned long locked;
	struct arena arena;

	arena_init(&arena, 1024, PMM_EXPAND_LOWER, 0);
	ASSERT_EQ(pmm_zone_alloc_bulk(&arena.zone, GFP, 0, PMM_USED, CALLER, nr, pages), nr);
	locked = shim_nr_locked();
	pmm_zone_free_bulk(&arena.zone, nr, pages, PMM_USED, CALLER);
	ASSERT_EQ(shim_nr_locked() - locked, 5);
	ASSERT_EQ(arena.zone.free_pages, 1024);
	arena_exit(&arena);
}

/* Of each: the last pages of the zone, then what would follow, then the first page. */
static void free_past_the_end(struct arena *arena, enum pmm_kind kind, struct page **pages)
{
	const unsigned long nr = arena->zone.nr_pages, last = nr < 3 ? nr : 3, beyond = 4;
	struct page *array[8];
	unsigned long i;

	for (i = 0; i < last + beyond; i++)
		array[i] = arena->pages + nr - last + i;
	ASSERT_EQ(pmm_zone_alloc_bulk(&arena->zone, GFP, 0, kind, CALLER, nr, pages), nr);
	/* They look like pages of this kind, as what lies behind the states might. */
	for (i = nr; i < zone_nr_states(&arena->zone) && i < nr + beyond; i++)
		arena->zone.state[i] = PMM_STATE(kind, 0);
	pmm_zone_free_bulk(&arena->zone, last + beyond, array, kind, CALLER);
	for (i = nr; i < zone_nr_states(&arena->zone) && i < nr + beyond; i++) {
		ASSERT_EQ(arena->zone.state[i], PMM_STATE(kind, 0));
		arena->zone.state[i] = PMM_TAIL;
	}
	for (i = 0; i < beyond; i++)
		ASSERT(strstr(shim_log_line(), pmm_free_why(PMM_FREE_FOREIGN)));
	ASSERT_EQ(arena->zone.free_pages, last);
	ASSERT_SOUND(&arena->zone);
	for (i = 0; i < nr; i++)
		if (arena->zone.state[i] == PMM_STATE(kind, 0))
			pmm_zone_free(&arena->zone, arena->pages + i, 0, kind, CALLER);
	ASSERT_EQ(arena->zone.free_pages, nr);
}

/* An array that goes on past the last page: no page and no state there is ours. */
static void bulk_past_the_end(const void *arg)
{
	static const unsigned long sizes[] = { 1, 2, 77, 300, 511, 512, 513, 1023, 1024, 1300 };
	struct page *pages[1300];
	struct arena arena;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		arena_init(&arena, sizes[i], PMM_EXPAND_UPPER, 0);
		free_past_the_end(&arena, PMM_USED, pages);
		free_past_the_end(&arena, PMM_MAPPED, pages);
		ASSERT_EQ(arena.zone.stat.refused[PMM_FREE_FOREIGN], 8);
		arena_exit(&arena);
	}
}

#define RANDOM(name, ...)	{ name, bulk_random, &(const struct setup){ __VA_ARGS__ } }
#define PUT_BACK(name, ...)	{ name, bulk_put_back, &(const struct setup){ __VA_ARGS__ } }

const struct ktap_test bulk_tests[] = {
	{ "bulk-parks", bulk_parks },
	{ "bulk-wrong-kind", bulk_wrong_kind },
	{ "bulk-too-few", bulk_too_few },
	{ "bulk-batches", bulk_batches },
	{ "bulk-past-the-end", bulk_past_the_end },
	RANDOM("bulk-100-upper", 100, PMM_EXPAND_UPPER),
	RANDOM("bulk-100-lower", 100, PMM_EXPAND_LOWER),
	RANDOM("bulk-1300-upper", 1300, PMM_EXPAND_UPPER),
	RANDOM("bulk-1300-lower", 1300, PMM_EXPAND_LOWER),
	RANDOM("bulk-1300-lower-min", 1300, PMM_EXPAND_LOWER, PMM_PLACE_LIFO, 77),
	RANDOM("bulk-1300-upper-packed", 1300, PMM_EXPAND_UPPER, PMM_PLACE_PACKED),
	RANDOM("bulk-4096-lower-packed", 4096, PMM_EXPAND_LOWER, PMM_PLACE_PACKED),
	PUT_BACK("bulk-put-back-100-upper", 100, PMM_EXPAND_UPPER),
	PUT_BACK("bulk-put-back-100-lower", 100, PMM_EXPAND_LOWER),
	PUT_BACK("bulk-put-back-1300-upper", 1300, PMM_EXPAND_UPPER),
	PUT_BACK("bulk-put-back-1300-lower", 1300, PMM_EXPAND_LOWER),
	PUT_BACK("bulk-put-back-4096-packed", 4096, PMM_EXPAND_LOWER, PMM_PLACE_PACKED),
	{ }
};

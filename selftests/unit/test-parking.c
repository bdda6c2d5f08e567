// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: blocks that are freed while somebody still references one of their pages, as a user
 * mapping does. They are parked: neither free nor the owner's, until the last reference has gone
 * and somebody looks.
 */
#include <stdlib.h>

#include "zone.h"

/* An arena whose pages are all handed out, in single pages except for the order-3 block at 0. */
static void all_out(struct arena *arena, unsigned long nr_pages)
{
	unsigned long i;

	arena_init(arena, nr_pages, PMM_EXPAND_LOWER, 0);
	ASSERT_EQ(arena_alloc(arena, 3), 0);
	for (i = 8; i < nr_pages; i++)
		ASSERT_EQ(arena_alloc(arena, 0), i);
}

static void park(struct arena *arena, unsigned long index, unsigned int order,
		 unsigned long referenced)
{
	get_page(&arena->pages[referenced]);
	ASSERT_EQ(arena_free(arena, index, order), PMM_FREE_PARKED);
	ASSERT_EQ(arena->zone.state[index], PMM_STATE(PMM_PARKED, order));
	ASSERT_SOUND(&arena->zone);
}

/*
 * Whichever page of the block is referenced, first, last or between, the whole is parked, and no
 * page gets free.
 */
static void parking_any_page(const void *arg)
{
	struct arena arena;
	unsigned long i;

	for (i = 0; i < 8; i++) {
		all_out(&arena, 16);
		park(&arena, 0, 3, i);
		ASSERT_EQ(arena.zone.free_pages, 0);
		ASSERT_EQ(arena.zone.nr_parked, 8);
		ASSERT_EQ(arena.zone.stat.parked, 1);
		ASSERT_EQ(arena.zone.stat.frees, 0);
		ASSERT_EQ(arena_alloc(&arena, 0), NO_PAGE);
		ASSERT_EQ(arena.zone.nr_parked, 8);
		arena_exit(&arena);
	}
}

/* A reference to the page after the block does not park the block. */
static void parking_neighbour(const void *arg)
{
	struct arena arena;

	all_out(&arena, 16);
	get_page(&arena.pages[8]);
	ASSERT_EQ(arena_free(&arena, 0, 3), PMM_FREE_OK);
	ASSERT_EQ(arena_free(&arena, 9, 0), PMM_FREE_OK);
	ASSERT_EQ(arena.zone.nr_parked, 0);
	arena_exit(&arena);
}

/* Recycled by a later free, which gives its own block back too. */
static void parking_later_free(const void *arg)
{
	struct arena arena;

	all_out(&arena, 16);
	park(&arena, 0, 3, 5);
	ASSERT_EQ(arena_free(&arena, 10, 0), PMM_FREE_OK);
	ASSERT_EQ(arena.zone.free_pages, 1);	/* still referenced */
	put_page(&arena.pages[5]);
	ASSERT_EQ(arena.zone.free_pages, 1);	/* nobody has looked yet */
	ASSERT_EQ(arena_free(&arena, 12, 0), PMM_FREE_OK);
	ASSERT_EQ(arena.zone.free_pages, 10);
	ASSERT_EQ(arena.zone.nr_parked, 0);
	ASSERT_EQ(arena.zone.stat.frees, 3);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

static void parking_reap(const void *arg)
{
	struct arena arena;

	all_out(&arena, 16);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 0);
	park(&arena, 0, 3, 0);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 0);
	put_page(&arena.pages[0]);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 8);
	ASSERT_EQ(arena.zone.free_pages, 8);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 0);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

/*
 * Some referenced and some not, in every combination of four: reap takes those, leaves these, and
 * comes to an end.
 */
static void parking_reap_some(const void *arg)
{
	struct arena arena;
	unsigned int set, i;

	for (set = 0; set < 16; set++) {
		all_out(&arena, 16);
		for (i = 0; i < 4; i++)
			park(&arena, 8 + 2 * i, 0, 8 + 2 * i);
		for (i = 0; i < 4; i++)
			if (set >> i & 1)
				put_page(&arena.pages[8 + 2 * i]);
		ASSERT_EQ(pmm_zone_reap(&arena.zone), __builtin_popcount(set));
		ASSERT_EQ(arena.zone.nr_parked, 4 - __builtin_popcount(set));
		for (i = 0; i < 4; i++)
			ASSERT_EQ(arena.zone.state[8 + 2 * i],
				  PMM_STATE(set >> i & 1 ? PMM_FREE : PMM_PARKED, 0));
		ASSERT_SOUND(&arena.zone);
		arena_exit(&arena);
	}
}

/*
 * An allocation that would fail checks the parked blocks first, whether it lacks pages, a block or
 * pages above the watermark.
 */
static void parking_allocation(const void *arg)
{
	struct arena arena;

	all_out(&arena, 16);
	park(&arena, 0, 3, 7);
	ASSERT_EQ(arena_alloc(&arena, 3), NO_PAGE);
	put_page(&arena.pages[7]);
	ASSERT_EQ(arena_alloc(&arena, 3), 0);
	ASSERT_EQ(arena.zone.stat.failures, 1);

	park(&arena, 0, 3, 1);
	put_page(&arena.pages[1]);
	arena.zone.pages_min = 7;
	pmm_zone_retune(&arena.zone);
	ASSERT_EQ(arena_alloc(&arena, 0), 0);	/* 8 free, 7 remain */
	ASSERT_EQ(arena_alloc(&arena, 0), NO_PAGE);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

/* With several parked for good, an allocation that fails does come back. */
static void parking_allocation_fails(const void *arg)
{
	struct arena arena;

	all_out(&arena, 16);
	park(&arena, 0, 3, 2);
	park(&arena, 8, 0, 8);
	park(&arena, 9, 0, 9);
	put_page(&arena.pages[8]);
	ASSERT_EQ(arena_alloc(&arena, 1), NO_PAGE);
	ASSERT_EQ(arena.zone.free_pages, 1);	/* page 8 was recycled all the same */
	ASSERT_EQ(arena_alloc(&arena, 0), 8);
	ASSERT_EQ(arena_alloc(&arena, 0), NO_PAGE);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

/*
 * A free looks at some of the oldest only, 64 pages of them, but they take turns: whichever of 256
 * lost its reference is found by the fourth free at the latest.
 */
static void parking_takes_turns(const void *arg)
{
	unsigned long i, parked, frees;
	struct arena arena;

	for (i = 256; i < 512; i += 5) {
		all_out(&arena, 512);
		for (parked = 256; parked < 512; parked++)
			park(&arena, parked, 0, parked);
		put_page(&arena.pages[i]);
		for (frees = 0; arena.zone.nr_parked == 256 && frees < 100; frees++)
			ASSERT_EQ(arena_free(&arena, 8 + 2 * frees, 0), PMM_FREE_OK);
		ASSERT(frees <= 256 / 64);
		ASSERT_EQ(arena.zone.state[i], PMM_STATE(PMM_FREE, 0));
		arena_exit(&arena);
	}
}

/* How many frees it takes until the block that lost its reference is found. */
static unsigned long frees_until_found(unsigned long which)
{
	unsigned long i, frees, index[8];
	struct arena arena;

	arena_init(&arena, 512, PMM_EXPAND_LOWER, 0);
	for (i = 0; i < 8; i++)
		index[i] = arena_alloc(&arena, 5);
	for (i = 0; i < 8; i++)
		park(&arena, index[i], 5, index[i] + 31);
	put_page(&arena.pages[index[which] + 31]);
	for (frees = 0; arena.zone.nr_parked == 8 * 32 && frees < 100; frees++)
		ASSERT_EQ(arena_free(&arena, arena_alloc(&arena, 0), 0), PMM_FREE_OK);
	ASSERT_EQ(arena.zone.nr_parked, 7 * 32);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
	return frees;
}

/* It is pages that are counted, so that a free takes no longer where the blocks are large. */
static void parking_counts_pages(const void *arg)
{
	unsigned long which, frees, most = 0;

	for (which = 0; which < 8; which++) {
		frees = frees_until_found(which);
		most = frees > most ? frees : most;
	}
	ASSERT_EQ(most, 8 * 32 / 64);
}

/* A block that was parked merges like any other, and the zone is whole again. */
static void parking_merges(const void *arg)
{
	struct arena arena;
	unsigned long i;
	char *fresh, *now;

	arena_init(&arena, 16, PMM_EXPAND_LOWER, 0);
	fresh = zone_text(&arena.zone);
	arena_exit(&arena);
	all_out(&arena, 16);
	park(&arena, 0, 3, 3);
	park(&arena, 11, 0, 11);
	for (i = 8; i < 16; i++)
		if (i != 11)
			ASSERT_EQ(arena_free(&arena, i, 0), PMM_FREE_OK);
	ASSERT_EQ(arena.zone.free_pages, 7);
	put_page(&arena.pages[11]);
	put_page(&arena.pages[3]);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 9);
	now = zone_text(&arena.zone);
	ASSERT_STR(now, fresh);
	free(now);
	free(fresh);
	arena_exit(&arena);
}

/* Freeing a parked block again is a double free, whatever order is named, and changes nothing. */
static void parking_double_free(const void *arg)
{
	static const struct {
		unsigned long	index;
		unsigned int	order;
	} again[] = { { 0, 3 }, { 0, 0 }, { 4, 2 }, { 5, 0 } };
	struct arena arena;
	struct image image;
	size_t i;

	all_out(&arena, 16);
	park(&arena, 0, 3, 6);
	image_init(&image, &arena.zone);
	for (i = 0; i < ARRAY_SIZE(again); i++) {
		ASSERT_EQ(arena_free(&arena, again[i].index, again[i].order), PMM_FREE_DOUBLE);
		ASSERT(strstr(shim_log_line(), pmm_free_why(PMM_FREE_DOUBLE)));
		ASSERT(image_same(&image, &arena.zone));
	}
	image_exit(&image);
	arena_exit(&arena);
}

/* An area's pages are parked too, as by a user who still maps one when the area goes. */
static void parking_mapped(const void *arg)
{
	struct arena arena;
	struct page *page;

	arena_init(&arena, 16, PMM_EXPAND_LOWER, 0);
	page = pmm_zone_alloc(&arena.zone, GFP_KERNEL, 0, PMM_MAPPED, CALLER);
	get_page(page);
	ASSERT_EQ(pmm_zone_free(&arena.zone, page, 0, PMM_MAPPED, CALLER), PMM_FREE_PARKED);
	put_page(page);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 1);
	ASSERT_EQ(arena.zone.free_pages, 16);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

const struct ktap_test parking_tests[] = {
	{ "parking-any-page", parking_any_page },
	{ "parking-neighbour", parking_neighbour },
	{ "parking-later-free", parking_later_free },
	{ "parking-reap", parking_reap },
	{ "parking-reap-some", parking_reap_some },
	{ "parking-allocation", parking_allocation },
	{ "parking-allocation-fails", parking_allocation_fails },
	{ "parking-takes-turns", parking_takes_turns },
	{ "parking-counts-pages", parking_counts_pages },
	{ "parking-merges", parking_merges },
	{ "parking-double-free", parking_double_free },
	{ "parking-mapped", parking_mapped },
	{ }
};

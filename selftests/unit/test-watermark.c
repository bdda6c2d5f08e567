// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: the watermark, and requests that cannot be met.
 *
 * A request of n pages is granted when n plus the caller's reserve are free: pages_min for most, a
 * quarter of it (rounded down) with __GFP_HIGH, nothing with __GFP_MEMALLOC unless
 * __GFP_NOMEMALLOC says otherwise.
 */
#include "zone.h"

/* Take single pages with these flags until refused; the pages left free are the reserve. */
static unsigned long drain(struct arena *arena, gfp_t gfp)
{
	while (pmm_zone_alloc(&arena->zone, gfp | __GFP_NOWARN, 0, PMM_USED, CALLER))
		;
	return arena->zone.free_pages;
}

struct reserve {
	unsigned long	pages_min;
	gfp_t		gfp;
	unsigned long	left;
};

static const struct reserve reserves[] = {
	{ 0, GFP_KERNEL, 0 },
	{ 0, GFP_ATOMIC, 0 },
	{ 1, GFP_KERNEL, 1 },
	{ 1, GFP_ATOMIC, 0 },
	{ 3, GFP_ATOMIC, 0 },
	{ 4, GFP_ATOMIC, 1 },
	{ 7, GFP_KERNEL, 7 },
	{ 7, GFP_ATOMIC, 1 },
	{ 20, GFP_KERNEL, 20 },
	{ 20, GFP_ATOMIC, 5 },
	{ 20, GFP_KERNEL | __GFP_NOMEMALLOC, 20 },
	{ 20, GFP_KERNEL | __GFP_MEMALLOC, 0 },
	{ 20, GFP_ATOMIC | __GFP_MEMALLOC, 0 },
	{ 20, GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOMEMALLOC, 20 },
	{ 20, GFP_ATOMIC | __GFP_MEMALLOC | __GFP_NOMEMALLOC, 5 },
	{ 23, GFP_ATOMIC, 5 },
	{ 37, GFP_ATOMIC, 9 },
	{ 64, GFP_KERNEL, 64 },		/* nothing at all */
	{ 65, GFP_KERNEL, 64 },
	{ 65, GFP_ATOMIC, 16 },
	{ ULONG_MAX / 2, GFP_KERNEL, 64 },
};

static void watermark_reserves(const void *arg)
{
	struct arena arena;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reserves); i++) {
		arena_init(&arena, 64, PMM_EXPAND_UPPER, reserves[i].pages_min);
		ASSERT_EQ(drain(&arena, reserves[i].gfp), reserves[i].left);
		ASSERT_EQ(arena.zone.stat.failures, 1);
		ASSERT_EQ(arena.zone.stat.allocations, 64 - reserves[i].left);
		ASSERT_SOUND(&arena.zone);
		arena_exit(&arena);
	}
}

/* One zone, three callers: where the first is refused the second goes on, and then the third. */
static void watermark_steps_down(const void *arg)
{
	struct arena arena;

	arena_init(&arena, 64, PMM_EXPAND_LOWER, 20);
	ASSERT_EQ(drain(&arena, GFP_KERNEL), 20);
	ASSERT_EQ(drain(&arena, GFP_ATOMIC), 5);
	ASSERT_EQ(drain(&arena, GFP_KERNEL), 5);
	ASSERT_EQ(drain(&arena, GFP_KERNEL | __GFP_MEMALLOC), 0);
	ASSERT_EQ(arena_free(&arena, 0, 0), PMM_FREE_OK);
	ASSERT_EQ(arena_alloc(&arena, 0), NO_PAGE);
	arena_exit(&arena);
}

/*
 * The whole block counts: 36 pages free are enough for order 4 above a reserve of 20, 35 are not.
 */
static void watermark_counts_the_block(const void *arg)
{
	struct arena arena;
	unsigned long i;

	arena_init(&arena, 64, PMM_EXPAND_LOWER, 20);
	for (i = 0; i < 64 - 36; i++)
		ASSERT_EQ(arena_alloc(&arena, 0), i);
	ASSERT_EQ(arena_alloc(&arena, 4), 32);
	ASSERT_EQ(arena_free(&arena, 32, 4), PMM_FREE_OK);
	ASSERT_EQ(arena_alloc(&arena, 0), 28);
	ASSERT_EQ(arena_alloc(&arena, 4), NO_PAGE);
	ASSERT_EQ(arena_alloc(&arena, 3), 32);
	arena_exit(&arena);
}

/* Fails, is counted, changes nothing and says nothing, because the caller wants no message. */
static void refused(struct arena *arena, unsigned int order)
{
	u64 failures = arena->zone.stat.failures;
	struct image image;

	image_init(&image, &arena->zone);
	ASSERT_EQ(arena_alloc(arena, order), NO_PAGE);
	ASSERT(image_same(&image, &arena->zone));
	ASSERT_EQ(arena->zone.stat.failures, failures + 1);
	ASSERT_STR(shim_log_line(), "");
	image_exit(&image);
}

static void watermark_no_such_order(const void *arg)
{
	static const unsigned int orders[] = { 10, 11, 31, 32, 63, 64, 255, INT_MAX, UINT_MAX };
	struct arena arena;
	size_t i;

	arena_init(&arena, 1024, PMM_EXPAND_UPPER, 0);
	for (i = 0; i < ARRAY_SIZE(orders); i++)
		refused(&arena, orders[i]);
	arena_exit(&arena);
}

/* Enough pages are free, but no block is large enough: every second page of 512 is in use. */
static void watermark_fragmented(const void *arg)
{
	struct arena arena;
	unsigned long i;

	arena_init(&arena, 512, PMM_EXPAND_LOWER, 0);
	for (i = 0; i < 512; i++)
		ASSERT_EQ(arena_alloc(&arena, 0), i);
	for (i = 0; i < 512; i += 2)
		ASSERT_EQ(arena_free(&arena, i, 0), PMM_FREE_OK);
	ASSERT_EQ(arena.zone.free_pages, 256);
	for (i = 1; i < PMM_MAX_ORDER; i++)
		refused(&arena, i);
	ASSERT_EQ(arena_alloc(&arena, 0), 510);
	arena_exit(&arena);
}

/* A zone smaller than the block asked for. */
static void watermark_small_zone(const void *arg)
{
	struct arena arena;

	arena_init(&arena, 1, PMM_EXPAND_UPPER, 0);
	refused(&arena, 1);
	refused(&arena, 9);
	ASSERT_EQ(arena_alloc(&arena, 0), 0);
	refused(&arena, 0);
	ASSERT_EQ(arena_free(&arena, 0, 0), PMM_FREE_OK);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
	arena_init(&arena, 511, PMM_EXPAND_UPPER, 0);
	refused(&arena, 9);
	ASSERT_EQ(arena_alloc(&arena, 8), 0);
	arena_exit(&arena);
}

/*
 * A failure is reported in one line, with the flags, the free pages and the caller, unless the
 * caller wants none.
 */
static void watermark_message(const void *arg)
{
	static const unsigned int orders[] = { 6, 9, 10, UINT_MAX };
	struct arena arena;
	char want[256];
	size_t i;

	arena_init(&arena, 64, PMM_EXPAND_LOWER, 0);
	ASSERT_EQ(arena_alloc(&arena, 3), 0);
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		ASSERT(!pmm_zone_alloc(&arena.zone, GFP_ATOMIC | __GFP_ZERO, orders[i], PMM_USED,
				       0xabcde));
		snprintf(want, sizeof(want),
			 "pocketmm: order-%u allocation failed: gfp=%#x, 56 of 64 pages free, by 0xabcdeS",
			 orders[i], GFP_ATOMIC | __GFP_ZERO);
		ASSERT_STR(shim_log_line(), want);
		ASSERT_STR(shim_log_line(), "");
		refused(&arena, orders[i]);
	}
	arena_exit(&arena);
}

/* The block's first page carries who got it and as what; each result is counted once. */
static void watermark_records(const void *arg)
{
	struct arena arena;
	struct page *page;

	arena_init(&arena, 64, PMM_EXPAND_LOWER, 0);
	page = pmm_zone_alloc(&arena.zone, GFP_KERNEL, 3, PMM_MAPPED, CALLER + 1);
	ASSERT_EQ(page - arena.pages, 0);
	ASSERT_EQ(pmm_page_caller(page), CALLER + 1);
	ASSERT_EQ(arena.zone.state[0], PMM_STATE(PMM_MAPPED, 3));
	ASSERT_EQ(arena.zone.stat.allocations, 1);
	ASSERT_EQ(pmm_zone_free(&arena.zone, page, 3, PMM_MAPPED, CALLER), PMM_FREE_OK);
	ASSERT_EQ(arena.zone.stat.frees, 1);
	arena_exit(&arena);
}

const struct ktap_test watermark_tests[] = {
	{ "watermark-reserves", watermark_reserves },
	{ "watermark-steps-down", watermark_steps_down },
	{ "watermark-counts-the-block", watermark_counts_the_block },
	{ "watermark-no-such-order", watermark_no_such_order },
	{ "watermark-fragmented", watermark_fragmented },
	{ "watermark-small-zone", watermark_small_zone },
	{ "watermark-message", watermark_message },
	{ "watermark-records", watermark_records },
	{ }
};

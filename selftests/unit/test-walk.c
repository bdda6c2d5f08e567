// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: MARK_USED worked by hand. One block of 512 pages, its free lists and pair bits
 * written out at each order, before and after each step. A line reads 'order: free list, head
 * first / numbers of the pairs whose bit is 1'.
 */
#include <stdlib.h>

#include "zone.h"

static void assert_orders(struct pmm_zone *zone, const char *want)
{
	unsigned int order;
	char *got = NULL;
	size_t size;
	FILE *out;

	out = open_memstream(&got, &size);
	for (order = 0; order < PMM_MAX_ORDER; order++)
		zone_text_order(zone, order, out);
	fclose(out);
	ASSERT_STR(got, want);
	free(got);
	ASSERT_SOUND(zone);
}

/*
 * Every page was freed singly, and each merged with the one before: nothing but one block of the
 * top order is left.
 */
static const char whole[] =
	"0: /\n"
	"1: /\n"
	"2: /\n"
	"3: /\n"
	"4: /\n"
	"5: /\n"
	"6: /\n"
	"7: /\n"
	"8: /\n"
	"9: 0 /\n";

/*
 * 2.4 keeps the lower half at each cut and goes on with the upper:
 *
 *	order 9   [0..................................511]
 *	order 8   [0.......255]kept [256..............511]	pair 0 is 0+256
 *	order 7                     [256..383]kept [384..511]	pair 1 is 256+384
 *	...
 *	order 0                                   [510]kept [511]out	pair 255 is 510+511
 */
static const char upper_1[] =
	"0: 510 / 255\n"
	"1: 508 / 127\n"
	"2: 504 / 63\n"
	"3: 496 / 31\n"
	"4: 480 / 15\n"
	"5: 448 / 7\n"
	"6: 384 / 3\n"
	"7: 256 / 1\n"
	"8: 0 / 0\n"
	"9: /\n";

/*
 * The second page comes straight off the order-0 list. Neither of the pair is free now: its bit is
 * 0 again.
 */
static const char upper_2[] =
	"0: /\n"
	"1: 508 / 127\n"
	"2: 504 / 63\n"
	"3: 496 / 31\n"
	"4: 480 / 15\n"
	"5: 448 / 7\n"
	"6: 384 / 3\n"
	"7: 256 / 1\n"
	"8: 0 / 0\n"
	"9: /\n";

/* 511 comes back alone: it reads 0, so its buddy is not on the list, and it goes there itself. */
static const char upper_3[] =
	"0: 511 / 255\n"
	"1: 508 / 127\n"
	"2: 504 / 63\n"
	"3: 496 / 31\n"
	"4: 480 / 15\n"
	"5: 448 / 7\n"
	"6: 384 / 3\n"
	"7: 256 / 1\n"
	"8: 0 / 0\n"
	"9: /\n";

static void walk_upper(const void *arg)
{
	struct arena arena;

	arena_init(&arena, 512, PMM_EXPAND_UPPER, 0);
	assert_orders(&arena.zone, whole);
	ASSERT_EQ(arena_alloc(&arena, 0), 511);
	assert_orders(&arena.zone, upper_1);
	ASSERT_EQ(arena_alloc(&arena, 0), 510);
	assert_orders(&arena.zone, upper_2);
	ASSERT_EQ(arena_free(&arena, 511, 0), PMM_FREE_OK);
	assert_orders(&arena.zone, upper_3);
	ASSERT_EQ(arena_free(&arena, 510, 0), PMM_FREE_OK);	/* reads 1 nine times, and merges */
	assert_orders(&arena.zone, whole);
	ASSERT_EQ(arena.zone.stat.splits, 9);
	ASSERT_EQ(arena.zone.stat.merges, 9);
	ASSERT_EQ(arena.zone.stat.allocations, 2);
	ASSERT_EQ(arena.zone.stat.frees, 2);
	arena_exit(&arena);
}

/*
 * 2.6.28 keeps the upper half at each cut and goes on with the lower; all the pairs are number 0.
 */
static const char lower_1[] =
	"0: 1 / 0\n"
	"1: 2 / 0\n"
	"2: 4 / 0\n"
	"3: 8 / 0\n"
	"4: 16 / 0\n"
	"5: 32 / 0\n"
	"6: 64 / 0\n"
	"7: 128 / 0\n"
	"8: 256 / 0\n"
	"9: /\n";

/*
 * An order-2 block: the list of order 2 has one, taken whole, and its pair's bit says that neither
 * is there.
 */
static const char lower_2[] =
	"0: 1 / 0\n"
	"1: 2 / 0\n"
	"2: /\n"
	"3: 8 / 0\n"
	"4: 16 / 0\n"
	"5: 32 / 0\n"
	"6: 64 / 0\n"
	"7: 128 / 0\n"
	"8: 256 / 0\n"
	"9: /\n";

/*
 * 0 comes back: merges with 1 and with 2-3; at order 2 it reads 0, because 4-7 are in use, and
 * stops.
 */
static const char lower_3[] =
	"0: /\n"
	"1: /\n"
	"2: 0 / 0\n"
	"3: 8 / 0\n"
	"4: 16 / 0\n"
	"5: 32 / 0\n"
	"6: 64 / 0\n"
	"7: 128 / 0\n"
	"8: 256 / 0\n"
	"9: /\n";

static void walk_lower(const void *arg)
{
	struct arena arena;

	arena_init(&arena, 512, PMM_EXPAND_LOWER, 0);
	assert_orders(&arena.zone, whole);
	ASSERT_EQ(arena_alloc(&arena, 0), 0);
	assert_orders(&arena.zone, lower_1);
	ASSERT_EQ(arena_alloc(&arena, 2), 4);
	assert_orders(&arena.zone, lower_2);
	ASSERT_EQ(arena_free(&arena, 0, 0), PMM_FREE_OK);
	assert_orders(&arena.zone, lower_3);
	ASSERT_EQ(arena_free(&arena, 4, 2), PMM_FREE_OK);
	assert_orders(&arena.zone, whole);
	arena_exit(&arena);
}

/*
 * The picture in buddy.c, in a zone of 12 pages: the order-2 block at 8 is the only one of its
 * order, and the zone's end cuts off the buddy that it would have.
 *
 *	order 3   [ 0 .. 7]		order 2   [ 8 .. 11] [12 .. 15: not there]
 */
#define UP_FROM_4	"4: /\n5: /\n6: /\n7: /\n8: /\n9: /\n"

static void walk_tail(const void *arg)
{
	static const char fresh[] = "0: /\n1: /\n2: 8 / 1\n3: 0 / 0\n" UP_FROM_4;
	static const char * const out[] = {
		"0: 10 / 5\n1: 8 / 2\n2: /\n3: 0 / 0\n" UP_FROM_4,
		"0: 9 / 4\n1: 10 / 2\n2: /\n3: 0 / 0\n" UP_FROM_4,
	};
	static const unsigned long page[] = { 11, 8 };
	enum pmm_expand expand;
	struct arena arena;

	for (expand = PMM_EXPAND_UPPER; expand <= PMM_EXPAND_LOWER; expand++) {
		arena_init(&arena, 12, expand, 0);
		assert_orders(&arena.zone, fresh);
		ASSERT_EQ(arena_alloc(&arena, 0), page[expand]);
		assert_orders(&arena.zone, out[expand]);
		arena_exit(&arena);
	}
}

/*
 * LIFO: what was freed last is handed out first, and a list of single pages keeps the order of
 * their frees.
 */
static void walk_lifo(const void *arg)
{
	struct arena arena;
	unsigned long i;

	arena_init(&arena, 8, PMM_EXPAND_LOWER, 0);
	for (i = 0; i < 8; i++)
		ASSERT_EQ(arena_alloc(&arena, 0), i);
	ASSERT_EQ(arena_free(&arena, 2, 0), PMM_FREE_OK);
	ASSERT_EQ(arena_free(&arena, 6, 0), PMM_FREE_OK);
	ASSERT_EQ(arena_free(&arena, 0, 0), PMM_FREE_OK);
	assert_orders(&arena.zone, "0: 0 6 2 / 0 1 3\n1: /\n2: /\n3: /\n" UP_FROM_4);
	ASSERT_EQ(arena_alloc(&arena, 0), 0);
	ASSERT_EQ(arena_alloc(&arena, 0), 6);
	ASSERT_EQ(arena_alloc(&arena, 0), 2);
	ASSERT_EQ(arena_alloc(&arena, 0), NO_PAGE);
	arena_exit(&arena);
}

/*
 * A zone's memory: a bit for each pair, in whole words for each of nine orders, and a byte a
 * page.
 */
static void walk_metadata(const void *arg)
{
	struct arena arena;

	arena_init(&arena, 512, PMM_EXPAND_UPPER, 0);
	/* 256 + 128 + 64 bits in 4 + 2 + 1 words, and a word for each of the six smaller maps */
	ASSERT_EQ(pmm_zone_metadata(&arena.zone), 512 + (4 + 2 + 1 + 6) * sizeof(long));
	arena_exit(&arena);
	arena_init(&arena, 16384, PMM_EXPAND_UPPER, 0);
	/* 8192, 4096, ... 32 bits */
	ASSERT_EQ(pmm_zone_metadata(&arena.zone),
		  16384 + (128 + 64 + 32 + 16 + 8 + 4 + 2 + 1 + 1) * sizeof(long));
	arena_exit(&arena);
}

const struct ktap_test walk_tests[] = {
	{ "walk-upper", walk_upper },
	{ "walk-lower", walk_lower },
	{ "walk-tail", walk_tail },
	{ "walk-lifo", walk_lifo },
	{ "walk-metadata", walk_metadata },
	{ }
};

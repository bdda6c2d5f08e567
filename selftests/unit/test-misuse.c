// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: frees that must be refused. Each is counted under its reason and reported in one
 * line, and the zone stays as it was, bit for bit.
 *
 * The zone that all of them are tried on:
 *
 *	0..3	used, order 2		8..15	parked, order 3, by another caller
 *	4	used, order 0		16..31	free, order 4
 *	5	mapped, order 0		32..63	free, order 5
 *	6..7	mapped, order 1
 */
#include "zone.h"

static void stage(struct arena *arena)
{
	struct pmm_zone *zone = &arena->zone;

	arena_init(arena, 64, PMM_EXPAND_LOWER, 0);
	ASSERT_EQ(arena_alloc(arena, 2), 0);
	ASSERT_EQ(arena_alloc(arena, 0), 4);
	ASSERT_EQ(pmm_zone_alloc(zone, GFP_KERNEL, 0, PMM_MAPPED, CALLER) - arena->pages, 5);
	ASSERT_EQ(pmm_zone_alloc(zone, GFP_KERNEL, 1, PMM_MAPPED, CALLER) - arena->pages, 6);
	ASSERT_EQ(arena_alloc(arena, 3), 8);
	get_page(&arena->pages[9]);
	ASSERT_EQ(pmm_zone_free(zone, arena->pages + 8, 3, PMM_USED, CALLER + 1), PMM_FREE_PARKED);
	ASSERT_SOUND(zone);
}

struct misuse {
	long			index;
	unsigned int		order;
	enum pmm_kind		kind;
	enum pmm_free_result	result;
};

static const struct misuse misuses[] = {
	{ -1, 0, PMM_USED, PMM_FREE_FOREIGN },
	{ -64, 0, PMM_USED, PMM_FREE_FOREIGN },
	{ 64, 0, PMM_USED, PMM_FREE_FOREIGN },
	{ 1L << 40, 0, PMM_USED, PMM_FREE_FOREIGN },
	{ 64, 10, PMM_USED, PMM_FREE_FOREIGN },
	{ -1, 0, PMM_MAPPED, PMM_FREE_FOREIGN },

	{ 0, 10, PMM_USED, PMM_FREE_BAD_ORDER },
	{ 0, 64, PMM_USED, PMM_FREE_BAD_ORDER },
	{ 0, UINT_MAX, PMM_USED, PMM_FREE_BAD_ORDER },
	{ 16, 10, PMM_USED, PMM_FREE_BAD_ORDER },
	{ 1, 1, PMM_USED, PMM_FREE_BAD_ORDER },
	{ 2, 2, PMM_USED, PMM_FREE_BAD_ORDER },
	{ 5, 9, PMM_MAPPED, PMM_FREE_BAD_ORDER },
	{ 32, 6, PMM_USED, PMM_FREE_BAD_ORDER },

	{ 16, 4, PMM_USED, PMM_FREE_DOUBLE },
	{ 16, 4, PMM_MAPPED, PMM_FREE_DOUBLE },
	{ 16, 0, PMM_USED, PMM_FREE_DOUBLE },
	{ 17, 0, PMM_USED, PMM_FREE_DOUBLE },
	{ 24, 3, PMM_USED, PMM_FREE_DOUBLE },
	{ 32, 5, PMM_USED, PMM_FREE_DOUBLE },
	{ 63, 0, PMM_USED, PMM_FREE_DOUBLE },
	{ 8, 3, PMM_USED, PMM_FREE_DOUBLE },
	{ 8, 0, PMM_USED, PMM_FREE_DOUBLE },
	{ 15, 0, PMM_USED, PMM_FREE_DOUBLE },

	{ 0, 0, PMM_USED, PMM_FREE_WRONG_ORDER },
	{ 0, 1, PMM_USED, PMM_FREE_WRONG_ORDER },
	{ 0, 3, PMM_USED, PMM_FREE_WRONG_ORDER },
	{ 0, 9, PMM_USED, PMM_FREE_WRONG_ORDER },	/* up to behind the zone's end */
	{ 4, 1, PMM_USED, PMM_FREE_WRONG_ORDER },
	{ 6, 0, PMM_MAPPED, PMM_FREE_WRONG_ORDER },

	{ 1, 0, PMM_USED, PMM_FREE_MIDDLE },
	{ 2, 0, PMM_USED, PMM_FREE_MIDDLE },
	{ 2, 1, PMM_USED, PMM_FREE_MIDDLE },
	{ 3, 0, PMM_USED, PMM_FREE_MIDDLE },
	{ 7, 0, PMM_USED, PMM_FREE_MIDDLE },
	{ 7, 0, PMM_MAPPED, PMM_FREE_MIDDLE },

	{ 5, 0, PMM_USED, PMM_FREE_MAPPED },
	{ 6, 1, PMM_USED, PMM_FREE_MAPPED },
	{ 6, 0, PMM_USED, PMM_FREE_MAPPED },
};

/* The blocks of the zone, as the line calls them. */
static const struct {
	long		index;
	unsigned int	order;
	const char	*kind;
} blocks[] = {
	{ 32, 5, "free" }, { 16, 4, "free" }, { 8, 3, "parked" }, { 6, 1, "mapped" },
	{ 5, 0, "mapped" }, { 4, 0, "used" }, { 0, 2, "used" },
};

static void expected_line(const struct misuse *misuse, uintptr_t page, char *line, size_t size)
{
	const char *why = pmm_free_why(misuse->result);
	size_t i = 0;

	if (misuse->result == PMM_FREE_FOREIGN) {
		snprintf(line, size,
			 "pocketmm: free refused: %s: page %#lx order %u, by 0xca11e4S", why,
			 page, misuse->order);
		return;
	}
	while (misuse->index < blocks[i].index)
		i++;
	snprintf(line, size,
		 "pocketmm: free refused: %s: page %ld order %u, in the %s block %ld of order %u, by 0xca11e4S%s",
		 why, misuse->index, misuse->order, blocks[i].kind, blocks[i].index,
		 blocks[i].order, misuse->result == PMM_FREE_DOUBLE && misuse->index == 8 ?
				  "; freed before by 0xca11e5S" : "");
}

/*
 * The one line names the reason, what was asked, the block that the page is in and who asked; of a
 * foreign page there is no block to name. Only page 8 was ever freed as the first of a block.
 */
static void assert_line(const struct misuse *misuse, uintptr_t page)
{
	char want[256];

	expected_line(misuse, page, want, sizeof(want));
	ASSERT_STR(shim_log_line(), want);
	ASSERT_STR(shim_log_line(), "");
}

static void try_misuse(struct arena *arena, const struct misuse *misuse)
{
	/* By way of an integer, because the compiler need not know of pages that lie nowhere. */
	uintptr_t page = (uintptr_t)arena->pages + misuse->index * sizeof(struct page);
	struct pmm_zone_stat want = arena->zone.stat;
	struct image image;

	image_init(&image, &arena->zone);
	want.refused[misuse->result]++;
	ASSERT_EQ(pmm_zone_free(&arena->zone, (struct page *)page, misuse->order, misuse->kind,
				CALLER), misuse->result);
	assert_line(misuse, page);
	ASSERT(image_same(&image, &arena->zone));
	ASSERT(!memcmp(&want, &arena->zone.stat, sizeof(want)));
	image_exit(&image);
}

static size_t current;

static void where(void)
{
	ktap_say("case %zu: page %ld order %u kind %d", current, misuses[current].index,
		 misuses[current].order, misuses[current].kind);
}

static void misuse_refused(const void *arg)
{
	const enum pmm_free_result *result = arg;
	struct arena arena;
	unsigned int tried = 0;

	ktap_where = where;
	stage(&arena);
	for (current = 0; current < ARRAY_SIZE(misuses); current++) {
		if (misuses[current].result != *result)
			continue;
		try_misuse(&arena, &misuses[current]);
		tried++;
	}
	ASSERT(tried);
	arena_exit(&arena);
}

/* An area's free must refuse a page that the API handed out, even of the right order. */
static void misuse_wrong_kind(const void *arg)
{
	struct arena arena;
	struct image image;

	stage(&arena);
	image_init(&image, &arena.zone);
	ASSERT(pmm_zone_free(&arena.zone, arena.pages, 2, PMM_MAPPED, CALLER) > PMM_FREE_PARKED);
	ASSERT(*shim_log_line());
	ASSERT(image_same(&image, &arena.zone));
	image_exit(&image);
	arena_exit(&arena);
}

/* A page of another zone, and no page at all. */
static void misuse_other_zone(const void *arg)
{
	struct arena arena, other;

	stage(&arena);
	stage(&other);
	ASSERT_EQ(pmm_zone_free(&arena.zone, other.pages, 2, PMM_USED, CALLER), PMM_FREE_FOREIGN);
	ASSERT(*shim_log_line());
	ASSERT_EQ(pmm_zone_free(&arena.zone, NULL, 0, PMM_USED, CALLER), PMM_FREE_FOREIGN);
	ASSERT(*shim_log_line());
	ASSERT_EQ(arena.zone.stat.refused[PMM_FREE_FOREIGN], 2);
	ASSERT_SOUND(&other.zone);
	arena_exit(&other);
	arena_exit(&arena);
}

/* After all that, what is rightly owned is rightly freed, and the zone is whole again. */
static void misuse_then_use(const void *arg)
{
	struct arena arena;

	stage(&arena);
	for (current = 0; current < ARRAY_SIZE(misuses); current++)
		try_misuse(&arena, &misuses[current]);
	ASSERT_EQ(arena_free(&arena, 0, 2), PMM_FREE_OK);
	ASSERT_EQ(arena_free(&arena, 4, 0), PMM_FREE_OK);
	ASSERT_EQ(pmm_zone_free(&arena.zone, arena.pages + 5, 0, PMM_MAPPED, CALLER), PMM_FREE_OK);
	ASSERT_EQ(pmm_zone_free(&arena.zone, arena.pages + 6, 1, PMM_MAPPED, CALLER), PMM_FREE_OK);
	put_page(&arena.pages[9]);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 8);
	ASSERT_EQ(zone_nr_free(&arena.zone, 6), 1);
	ASSERT_EQ(arena.zone.free_pages, 64);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

/* Each way to free a page leaves a note of who it was, and each way to get one overwrites it. */
static void misuse_names_first(const void *arg)
{
	struct page *bulk[2];
	struct arena arena;

	arena_init(&arena, 64, PMM_EXPAND_LOWER, 0);
	ASSERT_EQ(arena_free(&arena, 0, 5), PMM_FREE_DOUBLE);
	ASSERT(!strstr(shim_log_line(), "freed before"));	/* nobody has freed it yet */
	ASSERT_EQ(arena_alloc(&arena, 0), 0);
	ASSERT_EQ(pmm_zone_free(&arena.zone, arena.pages, 0, PMM_USED, CALLER + 1), PMM_FREE_OK);
	ASSERT_EQ(arena_free(&arena, 0, 0), PMM_FREE_DOUBLE);
	ASSERT(strstr(shim_log_line(), "; freed before by 0xca11e5S"));

	ASSERT_EQ(arena_alloc(&arena, 2), 0);
	ASSERT_EQ(pmm_zone_free(&arena.zone, arena.pages, 2, PMM_USED, CALLER + 2), PMM_FREE_OK);
	ASSERT_EQ(arena_free(&arena, 0, 2), PMM_FREE_DOUBLE);
	ASSERT(strstr(shim_log_line(), "; freed before by 0xca11e6S"));

	ASSERT_EQ(pmm_zone_alloc_bulk(&arena.zone, GFP_KERNEL, 0, PMM_USED, CALLER, 2, bulk), 2);
	pmm_zone_free_bulk(&arena.zone, 2, bulk, PMM_USED, CALLER + 3);
	ASSERT_EQ(arena_free(&arena, bulk[1] - arena.pages, 0), PMM_FREE_DOUBLE);
	ASSERT(strstr(shim_log_line(), "; freed before by 0xca11e7S"));
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

static struct arena *contended;
static long taken;

static void somebody_takes_a_page(enum shim_point point)
{
	if (point == SHIM_UNLOCKED && taken < 0)
		taken = arena_alloc(contended, 0);
}

/* A double free, and at once the page becomes somebody else's: no second look may then agree. */
static void misuse_seen_once(const void *arg)
{
	struct arena arena;

	arena_init(&arena, 64, PMM_EXPAND_LOWER, 0);
	ASSERT_EQ(arena_alloc(&arena, 0), 0);
	ASSERT_EQ(arena_alloc(&arena, 0), 1);
	ASSERT_EQ(arena_free(&arena, 0, 0), PMM_FREE_OK);
	contended = &arena;
	taken = -1;
	shim_hook = somebody_takes_a_page;
	ASSERT_EQ(arena_free(&arena, 0, 0), PMM_FREE_DOUBLE);
	shim_hook = NULL;
	ASSERT_EQ(taken, 0);
	ASSERT_EQ(arena.zone.state[0], PMM_STATE(PMM_USED, 0));
	ASSERT_EQ(arena.zone.stat.refused[PMM_FREE_DOUBLE], 1);
	ASSERT(*shim_log_line());
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

/*
 * A pair bit that somebody overwrote says that the buddy is free when it is not. The free must not
 * take the buddy off a list that it is not on; verify then names the pair.
 */
static void misuse_damaged_bit(const void *arg)
{
	struct pmm_verdict v = { };
	struct arena arena;

	arena_init(&arena, 12, PMM_EXPAND_LOWER, 0);
	ASSERT_EQ(arena_alloc(&arena, 2), 8);
	ASSERT_EQ(arena_alloc(&arena, 0), 0);
	ASSERT_EQ(arena_alloc(&arena, 0), 1);
	__test_and_change_bit(0, arena.zone.free_area[0].map);
	ASSERT_EQ(arena_free(&arena, 0, 0), PMM_FREE_OK);	/* 1 is in use */
	ASSERT_EQ(arena.zone.state[1], PMM_STATE(PMM_USED, 0));
	ASSERT(!pmm_zone_verify(&arena.zone, &v));
	ASSERT(!strncmp(v.why, "order 0 pair 0: ", 16));
	__test_and_change_bit(0, arena.zone.free_area[0].map);
	ASSERT_SOUND(&arena.zone);

	__test_and_change_bit(1, arena.zone.free_area[2].map);
	ASSERT_EQ(arena_free(&arena, 8, 2), PMM_FREE_OK);	/* 12 is not there */
	ASSERT(!pmm_zone_verify(&arena.zone, &v));
	__test_and_change_bit(1, arena.zone.free_area[2].map);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

static void misuse_words(const void *arg)
{
	enum pmm_free_result result;

	ASSERT_EQ(pmm_free_errno(PMM_FREE_OK), 0);
	ASSERT_EQ(pmm_free_errno(PMM_FREE_PARKED), 0);
	for (result = PMM_FREE_FOREIGN; result <= PMM_FREE_MAPPED; result++)
		ASSERT_EQ(pmm_free_errno(result), result == PMM_FREE_MAPPED ? -EBUSY : -EINVAL);
	for (result = PMM_FREE_OK; result < PMM_NR_FREE_RESULTS; result++)
		ASSERT(pmm_free_why(result) && *pmm_free_why(result));
}

#define REFUSED(name, result)	{ name, misuse_refused, &(const enum pmm_free_result){ result } }

const struct ktap_test misuse_tests[] = {
	REFUSED("misuse-foreign", PMM_FREE_FOREIGN),
	REFUSED("misuse-bad-order", PMM_FREE_BAD_ORDER),
	REFUSED("misuse-double", PMM_FREE_DOUBLE),
	REFUSED("misuse-wrong-order", PMM_FREE_WRONG_ORDER),
	REFUSED("misuse-middle", PMM_FREE_MIDDLE),
	REFUSED("misuse-mapped", PMM_FREE_MAPPED),
	{ "misuse-wrong-kind", misuse_wrong_kind },
	{ "misuse-other-zone", misuse_other_zone },
	{ "misuse-then-use", misuse_then_use },
	{ "misuse-names-first", misuse_names_first },
	{ "misuse-seen-once", misuse_seen_once },
	{ "misuse-damaged-bit", misuse_damaged_bit },
	{ "misuse-words", misuse_words },
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: poison=1. Free pages hold the pattern, and nothing else does for long; a write to a
 * free page is found when the page is taken, or by verify.
 */
#include <stdlib.h>

#include <linux/poison.h>

#include "zone.h"

#define GFP	(GFP_KERNEL | __GFP_NOWARN)

static struct pmm_debug debug;

static u8 *contents(unsigned long page)
{
	return (u8 *)shim_page_contents + page * PAGE_SIZE;
}

static void poison_init(const struct setup *setup)
{
	struct setup with = *setup;

	debug = (struct pmm_debug){ .poison = true };
	with.debug = &debug;
	shim_page_contents = malloc(setup->nr_pages * PAGE_SIZE);
	ASSERT_EQ(pmm_debug_init(&pmm_zone, &debug, setup->nr_pages, false), 0);
	pool_init(&with, false);
}

static void poison_exit(void)
{
	pool_exit();
	free(shim_page_contents);
}

static bool verify_finds(const char *what)
{
	struct pmm_verdict v = { };

	ASSERT_SOUND(&pmm_zone);
	if (pmm_debug_verify(&pmm_zone, &v))
		return !what;
	return what && !strcmp(v.why, what);
}

static void one_error(const char *what)
{
	char start[200];

	snprintf(start, sizeof(start), "poison: %s; freed by ", what);
	ASSERT(strstr(shim_log_line(), start));
	ASSERT_STR(shim_log_line(), "");
}

/* The report on a page, byte by byte; the page is the last of four that are taken at once. */
static void poison_words(const void *arg)
{
	static const struct {
		unsigned int	first, last;
		u8		first_is, last_is;
		const char	*what;
	} cases[] = {
		{ 0, 0, 0xab, 0xab, "byte 0 is 0xab, not 0xaa; a single bit" },
		{ 4095, 4095, 0x2a, 0x2a, "byte 4095 is 0x2a, not 0xaa; a single bit" },
		{ 17, 17, 0, 0, "byte 17 is 0, not 0xaa; more than a bit" },
		{ 17, 17, 0xa9, 0xa9, "byte 17 is 0xa9, not 0xaa; more than a bit" },
		{ 8, 15, 0xab, 0xab, "byte 8 is 0xab, not 0xaa; more than a bit, up to byte 15" },
		{ 0, 4095, 1, 2, "byte 0 is 0x1, not 0xaa; more than a bit, up to byte 4095" },
	};
	unsigned int i;

	poison_init(&(const struct setup) { 4, PMM_EXPAND_LOWER });
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct page *page;
		char what[160];

		contents(3)[cases[i].first] = cases[i].first_is;
		contents(3)[cases[i].last] = cases[i].last_is;
		snprintf(what, sizeof(what), "page 3 was written to while free: %s", cases[i].what);
		ASSERT(verify_finds(what));
		page = pmm_zone_alloc(&pmm_zone, GFP, 2, PMM_USED, CALLER);
		ASSERT(page);
		one_error(what);
		ASSERT_EQ(atomic_long_read(&debug.nr_poison), i + 1);
		ASSERT(verify_finds(NULL));
		pmm_zone_free(&pmm_zone, page, 2, PMM_USED, CALLER);
		ASSERT(verify_finds(NULL));
	}
	poison_exit();
}

/* A block that is parked keeps what is in it until it is free. */
static void poison_parked(const void *arg)
{
	struct page *page;

	poison_init(&(const struct setup) { 8, PMM_EXPAND_UPPER });
	page = pmm_zone_alloc(&pmm_zone, GFP, 0, PMM_USED, CALLER);
	memset(contents(7), 7, PAGE_SIZE);
	get_page(page);
	ASSERT_EQ(pmm_zone_free(&pmm_zone, page, 0, PMM_USED, CALLER), PMM_FREE_PARKED);
	ASSERT_EQ(contents(7)[99], 7);
	ASSERT(verify_finds(NULL));
	put_page(page);
	ASSERT_EQ(pmm_zone_reap(&pmm_zone), 1);
	ASSERT(verify_finds(NULL));
	ASSERT_EQ(contents(7)[99], PAGE_POISON);
	poison_exit();
}

/* A free that is refused leaves what is in the page. */
static void poison_refused(const void *arg)
{
	struct page *page;

	poison_init(&(const struct setup) { 8, PMM_EXPAND_LOWER });
	page = pmm_zone_alloc(&pmm_zone, GFP, 1, PMM_USED, CALLER);
	memset(contents(0), 7, 2 * PAGE_SIZE);
	ASSERT_EQ(pmm_zone_free(&pmm_zone, page, 0, PMM_USED, CALLER), PMM_FREE_WRONG_ORDER);
	ASSERT_EQ(pmm_zone_free(&pmm_zone, page + 1, 0, PMM_USED, CALLER), PMM_FREE_MIDDLE);
	pmm_zone_free_bulk(&pmm_zone, 1, &page, PMM_USED, CALLER);
	ASSERT_EQ(contents(0)[0], 7);
	ASSERT_EQ(contents(1)[4095], 7);
	while (*shim_log_line())
		;
	pmm_zone_free(&pmm_zone, page, 1, PMM_USED, CALLER);
	ASSERT(verify_finds(NULL));
	poison_exit();
}

#define MOST_BLOCKS	64

/* Blocks that are held, and pages that were written to while they were free. */
static struct {
	struct page	*page;
	unsigned int	order;
} held[MOST_BLOCKS];
static unsigned int nr_held;
static bool *stained;

static unsigned long first_stained(unsigned long index, unsigned long nr)
{
	for (; nr; nr--, index++)
		if (stained[index])
			return index;
	return PMM_NONE;
}

static void hold(struct page *page, unsigned int order)
{
	unsigned long index = pmm_page_index(&pmm_zone, page), i;
	unsigned long bad = first_stained(index, 1UL << order);
	char what[100];

	if (bad != PMM_NONE) {
		snprintf(what, sizeof(what), "poison: page %lu was written to while free", bad);
		ASSERT(strstr(shim_log_line(), what));
	}
	for (i = index; i < index + (1UL << order); i++) {
		ASSERT(stained[i] || !memchr_inv(contents(i), PAGE_POISON, PAGE_SIZE));
		stained[i] = false;
	}
	memset(contents(index), ktap_below(256), PAGE_SIZE << order);
	held[nr_held].page = page;
	held[nr_held++].order = order;
}

static void random_alloc(void)
{
	unsigned int order = ktap_below(5);
	struct page *page;

	if (nr_held == MOST_BLOCKS)
		return;
	page = pmm_zone_alloc(&pmm_zone, GFP, order, PMM_USED, CALLER);
	if (page)
		hold(page, order);
}

static void random_bulk(void)
{
	unsigned long i, nr = ktap_below(9), got;
	struct page *pages[8];

	if (nr_held + nr > MOST_BLOCKS)
		return;
	got = pmm_zone_alloc_bulk(&pmm_zone, GFP, 0, PMM_USED, CALLER, nr, pages);
	for (i = 0; i < got; i++)
		hold(pages[i], 0);
}

static void random_free(void)
{
	unsigned int i;

	if (!nr_held)
		return;
	i = ktap_below(nr_held);
	if (!held[i].order && ktap_below(2))
		pmm_zone_free_bulk(&pmm_zone, 1, &held[i].page, PMM_USED, CALLER);
	else
		ASSERT_EQ(pmm_zone_free(&pmm_zone, held[i].page, held[i].order, PMM_USED, CALLER),
			  PMM_FREE_OK);
	held[i] = held[--nr_held];
}

/* Of any page that is not held a byte is changed. */
static void random_stain(void)
{
	unsigned long index = ktap_below(pmm_zone.nr_pages), i;

	for (i = 0; i < nr_held; i++) {
		unsigned long start = pmm_page_index(&pmm_zone, held[i].page);

		if (index >= start && index < start + (1UL << held[i].order))
			return;
	}
	contents(index)[ktap_below(PAGE_SIZE)] = ktap_below(PAGE_POISON);
	stained[index] = true;
}

static void check_all(void)
{
	unsigned long bad = first_stained(0, pmm_zone.nr_pages);
	struct pmm_verdict v = { };
	char what[60];

	ASSERT_SOUND(&pmm_zone);
	ASSERT_EQ(pmm_debug_verify(&pmm_zone, &v), bad == PMM_NONE);
	snprintf(what, sizeof(what), "page %lu was written to while free", bad);
	ASSERT(bad == PMM_NONE || !strncmp(v.why, what, strlen(what)));
}

static void poison_random(const void *arg)
{
	const struct setup *setup = arg;
	unsigned int i;

	poison_init(setup);
	stained = calloc(setup->nr_pages, sizeof(*stained));
	nr_held = 0;
	for (i = 0; i < 6000; i++) {
		switch (ktap_below(8)) {
		case 0 ... 2:
			random_alloc();
			break;
		case 3:
			random_bulk();
			break;
		case 4:
			if (!ktap_below(10))
				random_stain();
			break;
		default:
			random_free();
		}
		if (i % 50 == 0)
			check_all();
	}
	while (nr_held)
		random_free();
	check_all();
	free(stained);
	poison_exit();
}

#define RANDOM(name, ...)	{ name, poison_random, &(const struct setup){ __VA_ARGS__ } }

const struct ktap_test poison_tests[] = {
	{ "poison-words", poison_words },
	{ "poison-parked", poison_parked },
	{ "poison-refused", poison_refused },
	RANDOM("poison-random-upper", 200, PMM_EXPAND_UPPER),
	RANDOM("poison-random-lower", 200, PMM_EXPAND_LOWER),
	RANDOM("poison-random-packed", 1100, PMM_EXPAND_LOWER, PMM_PLACE_PACKED),
	{ }
};

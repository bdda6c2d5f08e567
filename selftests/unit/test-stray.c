// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: pages that their owners have used beyond what an owner may: references dropped that
 * were not theirs, flags and words left behind, memory that fails. Such a block goes into
 * quarantine, or is cleaned; the next owner notices nothing.
 */
#include <stdlib.h>

#include "zone.h"

/* A reference of the pool's own goes, as by a put_page() too many. */
static void drop(struct page *page)
{
	put_page(page);
}

static void assert_reported(unsigned long index, unsigned int order, const char *why)
{
	const char *line = shim_log_line();
	char start[80];

	snprintf(start, sizeof(start), "page %lu order %u is quarantined: ", index, order);
	ASSERT(strstr(line, start));
	ASSERT(strstr(line, why));
	ASSERT_STR(shim_log_line(), "");
}

/* Whichever page of a block lacks a reference: the free quarantines the whole block, untouched. */
static void stray_free(const void *arg)
{
	unsigned int order;
	unsigned long i;

	for (order = 0; order < 6; order++) {
		for (i = 0; i < 1UL << order; i++) {
			struct arena arena;
			struct page was;

			arena_init(&arena, 64, PMM_EXPAND_LOWER, 0);
			ASSERT_EQ(arena_alloc(&arena, order), 0);
			drop(&arena.pages[i]);
			was = arena.pages[0];
			ASSERT_EQ(arena_free(&arena, 0, order), PMM_FREE_QUARANTINED);
			assert_reported(0, order, "a reference was dropped");
			ASSERT_EQ(arena.zone.state[0], PMM_STATE(PMM_QUARANTINED, order));
			ASSERT_EQ(arena.zone.nr_quarantined, 1UL << order);
			ASSERT_EQ(arena.zone.nr_parked, 0);
			ASSERT(!memcmp(&was, &arena.pages[0], sizeof(was)));
			ASSERT_EQ(pmm_zone_reap(&arena.zone), 0);
			ASSERT_EQ(arena_free(&arena, 0, order), PMM_FREE_DOUBLE);
			ASSERT(strstr(shim_log_line(), "the page is already free"));
			ASSERT_SOUND(&arena.zone);
			arena_exit(&arena);
		}
	}
}

/* The report names the code that took the page, and the code that freed it. */
static void stray_names(const void *arg)
{
	struct arena arena;
	struct page *page;
	const char *line;

	arena_init(&arena, 16, PMM_EXPAND_LOWER, 0);
	page = pmm_zone_alloc(&arena.zone, GFP_KERNEL, 0, PMM_USED, 0x1234);
	drop(page);
	ASSERT_EQ(pmm_zone_free(&arena.zone, page, 0, PMM_USED, 0x5678), PMM_FREE_QUARANTINED);
	line = shim_log_line();
	ASSERT(strstr(line, "taken by 0x1234S, freed by 0x5678S"));
	arena_exit(&arena);
}

/* Where the kernel has had the page meanwhile, the word that names its owner is not read. */
static void stray_unmarked(const void *arg)
{
	struct arena arena;
	struct page *page;

	arena_init(&arena, 16, PMM_EXPAND_LOWER, 0);
	page = pmm_zone_alloc(&arena.zone, GFP_KERNEL, 0, PMM_USED, 0x1234);
	page->flags.f = 0;
	set_page_count(page, 1);
	ASSERT_EQ(pmm_zone_free(&arena.zone, page, 0, PMM_USED, 0x5678), PMM_FREE_QUARANTINED);
	assert_reported(0, 0, "given to the kernel's own allocator; taken by somebody, freed");
	ASSERT_EQ(page->flags.f, 0);
	ASSERT_EQ(page_ref_count(page), 1);
	arena_exit(&arena);
}

/* A page that was touched after its free is never handed out; another one is. */
static void stray_free_page(const void *arg)
{
	unsigned int order;
	unsigned long i;

	for (order = 0; order < 3; order++) {
		for (i = 0; i < 1UL << order; i++) {
			struct arena arena;

			arena_init(&arena, 16, PMM_EXPAND_LOWER, 0);
			drop(&arena.pages[i]);
			ASSERT_EQ(arena_alloc(&arena, order), 1UL << order);
			assert_reported(0, order, "a reference was dropped");
			ASSERT_EQ(arena.zone.nr_quarantined, 1UL << order);
			ASSERT_EQ(arena.zone.stat.allocations, 1);
			ASSERT_SOUND(&arena.zone);
			arena_exit(&arena);
		}
	}
}

/* So is one that somebody has taken a reference to, when it was no longer theirs. */
static void stray_held(const void *arg)
{
	struct arena arena;

	arena_init(&arena, 16, PMM_EXPAND_LOWER, 0);
	get_page(&arena.pages[0]);
	ASSERT_EQ(arena_alloc(&arena, 0), 1);
	assert_reported(0, 0, "a reference was taken after the free");
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

/* Many of them, by calls for one page and for many: the good ones are all handed out. */
static void stray_many(const void *arg)
{
	struct page *pages[PMM_BULK_PAGES];
	bool bulk = *(const bool *)arg;
	unsigned long i, got = 0;
	struct arena arena;

	arena_init(&arena, 512, PMM_EXPAND_LOWER, 0);
	for (i = 0; i < 512; i++)
		if (i % 3)
			drop(&arena.pages[i]);
	if (bulk)
		for (i = 0; i < 16; i++)
			got += pmm_zone_alloc_bulk(&arena.zone, GFP_KERNEL, 0, PMM_USED, CALLER,
						   PMM_BULK_PAGES, pages);
	else
		for (; arena_alloc(&arena, 0) != NO_PAGE; got++)
			while (*shim_log_line())
				;
	ASSERT_EQ(got, 171);
	ASSERT_EQ(arena.zone.nr_quarantined, 341);
	ASSERT_EQ(arena.zone.stat.quarantined, 341);
	ASSERT_EQ(arena.zone.free_pages, 0);
	ASSERT_SOUND(&arena.zone);
	while (*shim_log_line())
		;
	arena_exit(&arena);
}

/* A parked block that comes to lack a reference is reported once, and never recycled. */
static void stray_parked(const void *arg)
{
	struct arena arena;

	arena_init(&arena, 16, PMM_EXPAND_LOWER, 0);
	ASSERT_EQ(arena_alloc(&arena, 2), 0);
	get_page(&arena.pages[3]);
	ASSERT_EQ(arena_free(&arena, 0, 2), PMM_FREE_PARKED);
	put_page(&arena.pages[3]);
	drop(&arena.pages[3]);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 0);
	assert_reported(0, 2, "a reference was dropped");
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 0);
	ASSERT_EQ(arena.zone.nr_parked, 0);
	ASSERT_EQ(arena.zone.nr_quarantined, 4);
	ASSERT_EQ(arena.zone.stat.quarantined, 1);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

/* A page that was touched on a per-CPU list is found out when it has come home to the zone. */
static void stray_pcp(const void *arg)
{
	unsigned int order;

	for (order = 0; order < 3; order++) {
		struct page *page;

		pool_init(&(const struct setup) { 512, PMM_EXPAND_LOWER }, true);
		page = pmm_alloc_pages(GFP_KERNEL, order);
		ASSERT_EQ(pmm_free_pages_caller(page, order, PMM_USED, CALLER), PMM_FREE_OK);
		ASSERT_EQ(pmm_zone.state[page - pmm_zone.mem_map], PMM_STATE(PMM_PCP, order));
		drop(page + (1 << order) - 1);
		pmm_pcp_drain(&pmm_zone);
		ASSERT(pmm_alloc_pages(GFP_KERNEL, order) != page);
		assert_reported(page - pmm_zone.mem_map, order, "a reference was dropped");
		ASSERT_EQ(pmm_nr_free_pages(), 512 - (2UL << order));
		pool_exit();
	}
}

/* A batch for a per-CPU list leaves it out. */
static void stray_refill(const void *arg)
{
	struct page *page;
	unsigned long i;

	pool_init(&(const struct setup) { 4096, PMM_EXPAND_LOWER }, true);
	for (i = 0; i < 8; i++)
		drop(&pmm_zone.mem_map[2 * i]);
	for (i = 0; i < 16; i++) {
		page = pmm_alloc_page(GFP_KERNEL);
		ASSERT(page && page_ref_count(page) == PMM_PAGE_REFS);
	}
	while (*shim_log_line())
		;
	pool_exit();
}

/* Memory that fails is quarantined by the free, and not written to. */
static void stray_broken(const void *arg)
{
	struct arena arena;
	unsigned long i;

	for (i = 0; i < 8; i++) {
		arena_init(&arena, 16, PMM_EXPAND_LOWER, 0);
		ASSERT_EQ(arena_alloc(&arena, 3), 0);
		arena.pages[i].flags.f |= BIT(PG_hwpoison);
		ASSERT_EQ(arena_free(&arena, 0, 3), PMM_FREE_QUARANTINED);
		assert_reported(0, 3, "its memory has failed");
		ASSERT(arena.pages[i].flags.f & BIT(PG_hwpoison));
		ASSERT_SOUND(&arena.zone);
		arena_exit(&arena);
	}
}

static void use_beyond(struct page *page, unsigned long flag)
{
	page->flags.f |= flag;
	if (flag) {
		page->mapping = page;
		page->private = 17;
	}
}

/* What an owner leaves in a page is gone when the next one comes, whatever the path. */
static void leave_behind(unsigned int order, bool pcp, unsigned long flag)
{
	struct page *page;
	unsigned long i;

	pool_init(&(const struct setup) { 512, PMM_EXPAND_LOWER }, pcp);
	page = pmm_alloc_pages(GFP_KERNEL, order);
	for (i = 0; i < 1UL << order; i++)
		use_beyond(page + i, flag);
	page->private = 18;
	if (order < PMM_PRIVATE_ORDERS)
		page[(1UL << order) - 1].private = 19;
	ASSERT_EQ(pmm_free_pages_caller(page, order, PMM_USED, CALLER), PMM_FREE_OK);
	if (!flag || !pcp)
		ASSERT(pmm_alloc_pages(GFP_KERNEL, order) == page);
	for (i = 0; i < 1UL << order; i++) {
		ASSERT_EQ(page[i].flags.f, PMM_PAGE_MARK);
		ASSERT_EQ(page[i].private, 0);
		ASSERT(!page[i].mapping);
	}
	pool_exit();
}

static void stray_left_behind(const void *arg)
{
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER; order++) {
		leave_behind(order, false, BIT(PG_locked));
		leave_behind(order, true, BIT(PG_locked) | BIT(PG_dirty));
		leave_behind(order, false, 0);
		leave_behind(order, true, 0);
	}
}

/* The same in bulk, and where a reference keeps the page for a while. */
static void stray_left_in_bulk(const void *arg)
{
	struct page *pages[64], *page;
	unsigned long i;

	pool_init(&(const struct setup) { 512, PMM_EXPAND_LOWER }, false);
	ASSERT_EQ(pmm_zone_alloc_bulk(&pmm_zone, GFP_KERNEL, 0, PMM_USED, CALLER, 64, pages), 64);
	for (i = 0; i < 64; i++) {
		page = pages[i];
		use_beyond(page, i % 2 ? BIT(PG_dirty) : 0);
	}
	get_page(page);
	pmm_zone_free_bulk(&pmm_zone, 64, pages, PMM_USED, CALLER);
	put_page(page);
	ASSERT_EQ(pmm_zone_reap(&pmm_zone), 1);
	for (i = 0; i < 512; i++) {
		ASSERT_EQ(pmm_zone.mem_map[i].flags.f, PMM_PAGE_MARK);
		ASSERT(!pmm_zone.mem_map[i].mapping);
	}
	pool_exit();
}

/* --- init_on_alloc=1 and init_on_free=1 --- */

static void written(struct page *page, unsigned int order)
{
	unsigned long i;

	for (i = 0; i < 1UL << order; i++)
		page[i].shim_cleared = false;
}

static bool zeroed(const struct page *page, unsigned int order)
{
	unsigned long i, nr = 0;

	for (i = 0; i < 1UL << order; i++)
		nr += page[i].shim_cleared;
	ASSERT(!nr || nr == 1UL << order);
	return nr;
}

static void init_alloc(const void *arg)
{
	struct page *page, *pages[64] = { };
	bool pcp = *(const bool *)arg;
	unsigned int order, i;

	shim_init_on_alloc = true;
	pool_init(&(const struct setup) { 512, PMM_EXPAND_LOWER }, pcp);
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		for (i = 0; i < 2; i++) {
			page = pmm_alloc_pages(GFP_KERNEL, order);
			ASSERT(zeroed(page, order));
			written(page, order);
			ASSERT_EQ(pmm_free_pages_caller(page, order, PMM_USED, CALLER),
				  PMM_FREE_OK);
			ASSERT(!zeroed(page, order));
			if (pcp && order < 2)
				ASSERT_EQ(pmm_zone.state[page - pmm_zone.mem_map],
					  PMM_STATE(PMM_PCP, order));
		}
	}
	ASSERT_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, 64, pages), 64);
	for (i = 0; i < 64; i++) {
		ASSERT(zeroed(pages[i], 0));
		written(pages[i], 0);
	}
	pmm_free_pages_bulk(64, pages);
	pmm_free_pages_caller(pmm_alloc_page(GFP_KERNEL), 0, PMM_USED, CALLER);
	i = pmm_pcp_alloc_many(&pmm_zone, PMM_MAPPED, GFP_KERNEL, CALLER, 1, pages);
	ASSERT_EQ(i, pcp);
	ASSERT(!i || zeroed(pages[0], 0));
	pool_exit();
}

static void init_free(const void *arg)
{
	struct page *page, *pages[64] = { };
	bool pcp = *(const bool *)arg;
	unsigned int order, i;

	shim_init_on_free = true;
	pool_init(&(const struct setup) { 512, PMM_EXPAND_LOWER }, pcp);
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		page = pmm_alloc_pages(GFP_KERNEL, order);
		written(page, order);
		ASSERT_EQ(pmm_free_pages_caller(page, order, PMM_USED, CALLER), PMM_FREE_OK);
		ASSERT(zeroed(page, order));
		if (pcp && order < 2)
			ASSERT_EQ(pmm_zone.state[page - pmm_zone.mem_map],
				  PMM_STATE(PMM_PCP, order));
	}
	ASSERT_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, 64, pages), 64);
	page = pages[0];
	for (i = 0; i < 64; i++)
		written(pages[i], 0);
	get_page(page);
	pmm_free_pages_bulk(64, pages);
	ASSERT(!zeroed(page, 0));
	put_page(page);
	pmm_zone_reap(&pmm_zone);
	ASSERT(zeroed(page, 0));
	pool_exit();
}

static const bool no, yes = true;

const struct ktap_test stray_tests[] = {
	{ "stray-free", stray_free },
	{ "stray-names", stray_names },
	{ "stray-unmarked", stray_unmarked },
	{ "stray-free-page", stray_free_page },
	{ "stray-held", stray_held },
	{ "stray-many", stray_many, &no },
	{ "stray-many-in-bulk", stray_many, &yes },
	{ "stray-parked", stray_parked },
	{ "stray-pcp", stray_pcp },
	{ "stray-refill", stray_refill },
	{ "stray-broken", stray_broken },
	{ "stray-left-behind", stray_left_behind },
	{ "stray-left-in-bulk", stray_left_in_bulk },
	{ "stray-init-alloc", init_alloc, &no },
	{ "stray-init-alloc-pcp", init_alloc, &yes },
	{ "stray-init-free", init_free, &no },
	{ "stray-init-free-pcp", init_free, &yes },
	{ }
};

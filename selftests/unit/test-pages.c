// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: the page calls of page_alloc.c, with per-CPU lists and without. Pages have no contents
 * here, only a mark that says whether they were cleared.
 */
#include <stdlib.h>

#include "internal.h"
#include "zone.h"

#define NR_PAGES	1024

static struct page *map;

static void stage(bool pcp)
{
	pool_init(&(const struct setup) { NR_PAGES, PMM_EXPAND_LOWER }, pcp);
	map = pmm_zone.mem_map;
}

static void forget_clearing(void)
{
	unsigned long i;

	for (i = 0; i < NR_PAGES; i++)
		map[i].shim_cleared = false;
}

static unsigned long nr_cleared(void)
{
	unsigned long i, nr = 0;

	for (i = 0; i < NR_PAGES; i++)
		nr += map[i].shim_cleared;
	return nr;
}

/* All pages of the block and no others, or none at all. */
static void alloc_and_check(gfp_t gfp, unsigned int order)
{
	struct page *page;
	unsigned long i;

	forget_clearing();
	page = pmm_alloc_pages(gfp, order);
	ASSERT(page);
	for (i = 0; i < 1UL << order; i++)
		ASSERT_EQ(page[i].shim_cleared, !!(gfp & __GFP_ZERO));
	ASSERT_EQ(nr_cleared(), gfp & __GFP_ZERO ? 1UL << order : 0);
	__pmm_free_pages(page, order);
}

/* From a list, refilled or not, and from the zone. */
static void pages_zero(const void *arg)
{
	struct page *pages[8] = { NULL };
	unsigned int order, i;

	stage(arg);
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		for (i = 0; i < 3; i++)
			alloc_and_check(GFP_KERNEL | (i & 1 ? 0 : __GFP_ZERO), order);
	}
	forget_clearing();
	ASSERT(pmm_get_zeroed_page(GFP_KERNEL));
	ASSERT_EQ(nr_cleared(), 1);
	pages[3] = map;
	ASSERT_EQ(pmm_alloc_pages_bulk(GFP_KERNEL | __GFP_ZERO, 8, pages), 8);
	ASSERT_EQ(nr_cleared(), 1 + 7);
	pool_exit();
}

/* Slots that are filled already are left alone; the others get different pages. */
static void pages_bulk(const void *arg)
{
	struct page *pages[300] = { NULL }, own;
	bool seen[NR_PAGES] = { false };
	unsigned int i;

	stage(arg);
	pages[0] = &own;
	pages[7] = &own;
	pages[299] = &own;
	ASSERT_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, 300, pages), 300);
	ASSERT_EQ(pmm_nr_free_pages(), NR_PAGES - 297);
	for (i = 0; i < 300; i++) {
		if (i == 0 || i == 7 || i == 299) {
			ASSERT(pages[i] == &own);
			pages[i] = NULL;
			continue;
		}
		ASSERT(!seen[pages[i] - map]);
		seen[pages[i] - map] = true;
	}
	pmm_free_pages_bulk(300, pages);
	for (i = 0; i < 300; i++)
		ASSERT(!pages[i]);
	ASSERT_EQ(pmm_nr_free_pages(), NR_PAGES);
	pool_exit();
}

/* Up to where it was when the pool ran out, which is reported once. */
static void pages_bulk_runs_out(const void *arg)
{
	static struct page *pages[NR_PAGES + 10];
	struct page own;
	unsigned int i;

	stage(arg);
	pages[2] = &own;
	pages[NR_PAGES + 5] = &own;
	ASSERT_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, NR_PAGES + 10, pages), NR_PAGES + 1);
	ASSERT(strstr(shim_log_line(), "order-0 allocation failed"));
	ASSERT_STR(shim_log_line(), "");
	for (i = 0; i <= NR_PAGES; i++)
		ASSERT(pages[i]);
	for (; i < NR_PAGES + 5; i++)
		ASSERT(!pages[i]);
	ASSERT_EQ(pmm_alloc_pages_bulk(GFP_KERNEL | __GFP_NOWARN, 3, pages), 3);
	pages[0] = NULL;
	ASSERT_EQ(pmm_alloc_pages_bulk(GFP_KERNEL | __GFP_NOWARN, 3, pages), 0);
	ASSERT_EQ(pmm_zone.stat.failures, 2);
	pool_exit();
}

/* By address; 0 and NULL are ignored, and what is no page's address is refused. */
static void pages_address(const void *arg)
{
	unsigned long addr;
	char line[128];
	unsigned int i;

	stage(arg);
	addr = __pmm_get_free_pages(GFP_KERNEL, 2);
	ASSERT_EQ(addr, page_address(virt_to_page((void *)addr)));
	ASSERT(IS_ALIGNED(addr, 4 * PAGE_SIZE));
	ASSERT_EQ(pmm_nr_free_pages(), NR_PAGES - 4);
	pmm_free_pages(0, 2);
	__pmm_free_pages(NULL, 2);
	ASSERT_STR(shim_log_line(), "");
	pmm_free_pages(addr + 1, 2);
	pmm_free_pages(addr + NR_PAGES * PAGE_SIZE, 2);
	pmm_free_pages(4096, 2);
	for (i = 0; i < 3; i++) {
		snprintf(line, sizeof(line), "pocketmm: free refused: %s: address %#lx order 2, by",
			 pmm_free_why(PMM_FREE_FOREIGN), i ? i == 1 ? addr + NR_PAGES * PAGE_SIZE :
			 4096UL : addr + 1);
		ASSERT(!strncmp(shim_log_line(), line, strlen(line)));
	}
	ASSERT_STR(shim_log_line(), "");
	ASSERT_EQ(pmm_nr_free_pages(), NR_PAGES - 4);
	pmm_free_pages(addr, 2);
	ASSERT_EQ(pmm_nr_free_pages(), NR_PAGES);
	ASSERT(!__pmm_get_free_pages(GFP_KERNEL | __GFP_NOWARN, 10));
	ASSERT(!__pmm_get_free_pages(GFP_KERNEL | __GFP_NOWARN, UINT_MAX));
	pool_exit();
}

/* The page API does not free what an area has, nor the other way round. */
static void pages_mapped(const void *arg)
{
	struct page *page;

	stage(arg);
	page = pmm_alloc_page_caller(GFP_KERNEL, PMM_MAPPED, CALLER);
	__pmm_free_pages(page, 0);
	ASSERT(strstr(shim_log_line(), pmm_free_why(PMM_FREE_MAPPED)));
	ASSERT_EQ(pmm_free_pages_caller(page, 0, PMM_MAPPED, CALLER), PMM_FREE_OK);
	page = pmm_alloc_page(GFP_KERNEL);
	ASSERT(pmm_free_pages_caller(page, 0, PMM_MAPPED, CALLER) > PMM_FREE_PARKED);
	ASSERT(*shim_log_line());
	__pmm_free_pages(page, 0);
	ASSERT_EQ(pmm_nr_free_pages(), NR_PAGES);
	pool_exit();
}

#define PLAIN(name, run)	{ name, run, NULL }
#define WITH_PCP(name, run)	{ name, run, "" }

const struct ktap_test pages_tests[] = {
	PLAIN("pages-zero", pages_zero),
	WITH_PCP("pages-zero-pcp", pages_zero),
	PLAIN("pages-bulk", pages_bulk),
	WITH_PCP("pages-bulk-pcp", pages_bulk),
	PLAIN("pages-bulk-runs-out", pages_bulk_runs_out),
	WITH_PCP("pages-bulk-runs-out-pcp", pages_bulk_runs_out),
	PLAIN("pages-address", pages_address),
	WITH_PCP("pages-address-pcp", pages_address),
	PLAIN("pages-mapped", pages_mapped),
	WITH_PCP("pages-mapped-pcp", pages_mapped),
	{ }
};

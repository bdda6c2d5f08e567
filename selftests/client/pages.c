// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: the page calls, used as they should be. Process context.
 */
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/slab.h>

#include "client.h"

static bool each_has_one_reference(struct page *page, unsigned int order)
{
	unsigned long i;

	for (i = 0; i < 1UL << order; i++)
		if (client_holders(page + i))
			return false;
	return true;
}

static void check_block(unsigned int order)
{
	unsigned long before = pmm_nr_free_pages();
	struct page *page = pmm_alloc_pages(GFP_KERNEL, order);

	if (!CHECK(page))
		return;
	CHECK_EQ(pmm_nr_free_pages(), before - (1UL << order));
	CHECK(IS_ALIGNED(page_to_pfn(page), 1UL << order));
	CHECK(each_has_one_reference(page, order));
	memset(page_address(page), 0xa5, PAGE_SIZE << order);
	__pmm_free_pages(page, order);
	CHECK_EQ(pmm_nr_free_pages(), before);
}

static void test_alloc_pages(void)
{
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER; order++)
		check_block(order);
	CHECK(!pmm_alloc_pages(GFP_KERNEL | __GFP_NOWARN, PMM_MAX_ORDER));
	CHECK(!pmm_alloc_pages(GFP_KERNEL | __GFP_NOWARN, 64));
	CHECK(!pmm_alloc_pages(GFP_KERNEL | __GFP_NOWARN, UINT_MAX));
}

static void test_alloc_page(void)
{
	struct page *a = pmm_alloc_page(GFP_KERNEL), *b = pmm_alloc_page(GFP_ATOMIC);

	CHECK(a && b && a != b);
	__pmm_free_pages(a, 0);
	CHECK(pmm_alloc_page(GFP_KERNEL) == a);		/* last in, first out */
	__pmm_free_pages(a, 0);
	__pmm_free_pages(b, 0);
	__pmm_free_pages(NULL, 0);
}

static void test_get_free_pages(void)
{
	unsigned long addr = __pmm_get_free_pages(GFP_KERNEL, 3);

	if (!CHECK(addr))
		return;
	CHECK(PAGE_ALIGNED(addr));
	CHECK(virt_addr_valid((void *)addr));
	CHECK_EQ(client_holders(virt_to_page((void *)addr)), 0);
	memset((void *)addr, 0xa5, PAGE_SIZE << 3);
	pmm_free_pages(addr, 3);
	pmm_free_pages(0, 3);
	CHECK(!__pmm_get_free_pages(GFP_KERNEL | __GFP_NOWARN, PMM_MAX_ORDER));
}

/* The block that was dirtied last is the one that comes back. */
static void test_zeroed(void)
{
	unsigned long addr = __pmm_get_free_pages(GFP_KERNEL, 2), again;
	struct page *page;

	memset((void *)addr, 0xa5, PAGE_SIZE << 2);
	pmm_free_pages(addr, 2);
	page = pmm_alloc_pages(GFP_KERNEL | __GFP_ZERO, 2);
	if (CHECK(page))
		CHECK(!memchr_inv(page_address(page), 0, PAGE_SIZE << 2));
	__pmm_free_pages(page, 2);

	addr = __pmm_get_free_pages(GFP_KERNEL, 0);
	memset((void *)addr, 0xa5, PAGE_SIZE);
	pmm_free_pages(addr, 0);
	again = pmm_get_zeroed_page(GFP_KERNEL);
	CHECK_EQ(again, addr);
	if (again)
		CHECK(!memchr_inv((void *)again, 0, PAGE_SIZE));
	pmm_free_pages(again, 0);
}

static void test_bulk_slots(void)
{
	unsigned long before = pmm_nr_free_pages();
	struct page *pages[8] = { }, *kept = pmm_alloc_page(GFP_KERNEL);
	unsigned int i;

	pages[2] = kept;
	CHECK_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, ARRAY_SIZE(pages), pages), ARRAY_SIZE(pages));
	CHECK(pages[2] == kept);
	CHECK_EQ(pmm_nr_free_pages(), before - ARRAY_SIZE(pages));
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		CHECK(pages[i] && !client_holders(pages[i]) && (i == 2 || pages[i] != kept));
	CHECK_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, ARRAY_SIZE(pages), pages), ARRAY_SIZE(pages));
	CHECK_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, 0, pages), 0);

	__pmm_free_pages(pages[5], 0);
	pages[5] = NULL;
	pmm_free_pages_bulk(ARRAY_SIZE(pages), pages);
	CHECK(!memchr_inv(pages, 0, sizeof(pages)));
	CHECK_EQ(pmm_nr_free_pages(), before);
	pmm_free_pages_bulk(ARRAY_SIZE(pages), pages);
}

/*
 * As many single allocations would give, in that order; where those come from per-CPU lists, which
 * bulk calls pass by, what another bulk call gives.
 */
static void test_bulk_order(void)
{
	struct page *single[4] = { }, *bulk[4] = { };
	int i;

	if (client_pcp)
		CHECK_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, ARRAY_SIZE(single), single),
			 ARRAY_SIZE(single));
	for (i = 0; i < ARRAY_SIZE(single); i++)
		single[i] = single[i] ?: pmm_alloc_page(GFP_KERNEL);
	for (i = ARRAY_SIZE(single); i--;) {
		struct page *page = single[i];

		if (client_pcp)
			pmm_free_pages_bulk(1, &page);
		else
			__pmm_free_pages(page, 0);
	}
	CHECK_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, ARRAY_SIZE(bulk), bulk), ARRAY_SIZE(bulk));
	CHECK(!memcmp(single, bulk, sizeof(bulk)));
	pmm_free_pages_bulk(ARRAY_SIZE(bulk), bulk);
}

static void test_exhaustion(void)
{
	unsigned long all = pmm_nr_free_pages();
	struct page **pages = kvcalloc(all + 10, sizeof(*pages), GFP_KERNEL);

	if (!CHECK(pages))
		return;
	CHECK_EQ(pmm_alloc_pages_bulk(GFP_KERNEL | __GFP_NOWARN, all + 10, pages), all);
	CHECK(pages[all - 1] && !pages[all]);
	CHECK_EQ(pmm_nr_free_pages(), 0);
	CHECK(!pmm_alloc_page(GFP_KERNEL | __GFP_NOWARN));
	CHECK(!pmm_get_zeroed_page(GFP_ATOMIC | __GFP_NOWARN));
	CHECK(!__pmm_vmalloc(PAGE_SIZE, GFP_KERNEL | __GFP_NOWARN, PAGE_KERNEL));
	pmm_free_pages_bulk(all + 10, pages);
	CHECK_EQ(pmm_nr_free_pages(), all);
	kvfree(pages);
}

bool client_comes_to_be_free(unsigned long nr_pages)
{
	unsigned int tries = 30;

	while (pmm_nr_free_pages() != nr_pages && tries--)
		msleep(100);
	return pmm_nr_free_pages() == nr_pages;
}

/* The kernel tells nobody that it has dropped a reference; the block comes back all the same. */
static void test_referenced(void)
{
	unsigned long before = pmm_nr_free_pages();
	struct page *page = pmm_alloc_pages(GFP_KERNEL, 2), *other;

	get_page(page + 3);
	__pmm_free_pages(page, 2);
	CHECK_EQ(pmm_nr_free_pages(), before - 4);
	other = pmm_alloc_page(GFP_KERNEL);
	CHECK(other < page || other >= page + 4);
	__pmm_free_pages(other, 0);
	CHECK_EQ(pmm_nr_free_pages(), before - 4);
	CHECK_EQ(client_holders(page + 3), 1);
	put_page(page + 3);
	CHECK(client_comes_to_be_free(before));
}

/* By a mapping of the pool's own, which recycles what waits for it: nothing else has to be done. */
static void test_parked_while_mapped(void)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL), *other = pmm_alloc_page(GFP_KERNEL);
	unsigned long before;
	void *first, *second;

	first = pmm_vmap(&page, 1, PMM_VM_MAP, PAGE_KERNEL);
	second = pmm_vm_map_ram(&page, 1, NUMA_NO_NODE);
	if (!CHECK(first && second && other))
		return;
	before = pmm_nr_free_pages();
	get_page(other);
	__pmm_free_pages(other, 0);
	__pmm_free_pages(page, 0);
	put_page(other);
	pmm_vm_unmap_ram(second, 1);
	CHECK_EQ(pmm_nr_free_pages(), before);
	pmm_vunmap(first);
	CHECK_EQ(pmm_nr_free_pages(), before + 1);	/* this page, and not the other */
	CHECK(client_comes_to_be_free(before + 2));
}

const struct client_case client_page_cases[] = {
	{ "pages: blocks of each order, aligned, one reference a page", test_alloc_pages },
	{ "pages: single pages, last in first out", test_alloc_page },
	{ "pages: by address", test_get_free_pages },
	{ "pages: zeroed ones after others dirtied them", test_zeroed },
	{ "pages: bulk calls fill empty slots only", test_bulk_slots },
	{ "pages: bulk gives what single calls give", test_bulk_order },
	{ "pages: all of them, then none", test_exhaustion },
	{ "pages: a referenced page is parked until it is let go", test_referenced },
	{ "pages: one that was mapped comes back with its last mapping", test_parked_while_mapped },
	{ }
};

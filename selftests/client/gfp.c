// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: the flags of an allocation mean what they mean, or are refused. Process
 * context.
 */
#include <linux/gfp.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "client.h"

/* Every call that takes flags, asked for one page: all of them give one, or none does. */
static void check_calls(gfp_t gfp, bool given)
{
	unsigned long before = pmm_nr_free_pages(), addr = __pmm_get_free_pages(gfp, 0),
		      zeroed = pmm_get_zeroed_page(gfp);
	struct page *page = pmm_alloc_page(gfp), *pages[3] = { };
	void *area = __pmm_vmalloc(PAGE_SIZE, gfp, PAGE_KERNEL);

	CHECK_EQ(!!page, given);
	CHECK_EQ(!!addr, given);
	CHECK_EQ(!!zeroed, given);
	CHECK_EQ(!!area, given);
	CHECK_EQ(pmm_alloc_pages_bulk(gfp, ARRAY_SIZE(pages), pages),
		 given ? ARRAY_SIZE(pages) : 0);
	CHECK_EQ(!!pages[2], given);
	pmm_free_pages_bulk(ARRAY_SIZE(pages), pages);
	pmm_vfree(area);
	pmm_free_pages(zeroed, 0);
	pmm_free_pages(addr, 0);
	__pmm_free_pages(page, 0);
	pmm_vm_unmap_aliases();
	CHECK_EQ(pmm_nr_free_pages(), before);
}

/* The same of every order. */
static void check_orders(gfp_t gfp, bool given)
{
	unsigned int order;
	struct page *page;

	for (order = 1; order < PMM_MAX_ORDER; order++) {
		page = pmm_alloc_pages(gfp | __GFP_NOWARN, order);
		CHECK_EQ(!!page, given);
		__pmm_free_pages(page, order);
	}
}

static void check_flag(gfp_t flag, bool given)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL | flag);

	CHECK_EQ(!!page, given);	/* and a line in the log, if not */
	__pmm_free_pages(page, 0);
	check_calls(GFP_KERNEL | __GFP_NOWARN | flag, given);
	check_calls(GFP_ATOMIC | __GFP_NOWARN | flag, given);
	check_orders(GFP_KERNEL | flag, given);
}

/* The zone of the chunk, which is in one. */
static enum zone_type zone_of_pool(void)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL);
	enum zone_type zone = page_zonenum(page);

	__pmm_free_pages(page, 0);
	return zone;
}

static int node_of_pool(void)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL);
	int node = page_to_nid(page);

	__pmm_free_pages(page, 0);
	return node;
}

static void test_dma(void)
{
	check_flag(__GFP_DMA, zone_of_pool() <= OPT_ZONE_DMA);
}

static void test_dma32(void)
{
	check_flag(__GFP_DMA32, zone_of_pool() <= OPT_ZONE_DMA32);
}

static void test_account(void)
{
	check_flag(__GFP_ACCOUNT, false);
}

static void test_thisnode(void)
{
	check_flag(__GFP_THISNODE, node_of_pool() == numa_mem_id());
}

/* The test's own task may be kept from the pool's node, as a cpuset would. */
static void test_hardwall(void)
{
#ifdef CONFIG_CPUSETS
	nodemask_t mems = current->mems_allowed;
	int node = node_of_pool();

	check_flag(__GFP_HARDWALL, node_isset(node, mems));
	node_clear(node, current->mems_allowed);
	check_flag(__GFP_HARDWALL, false);
	current->mems_allowed = mems;
#else
	check_flag(__GFP_HARDWALL, true);
#endif
}

/* A single page is none of a compound page's, with the flag or without. */
static void test_comp(void)
{
	struct page *page = pmm_alloc_pages(GFP_KERNEL | __GFP_COMP, 3);

	CHECK(!page);
	__pmm_free_pages(page, 3);
	check_calls(GFP_KERNEL | __GFP_COMP, true);
	check_orders(GFP_KERNEL | __GFP_COMP, false);
}

/* It is given what there is. client.sh checks that the log says, once, that no more can be done. */
static void test_nofail(void)
{
	unsigned long all = pmm_nr_free_pages();
	struct page **pages = kvcalloc(all, sizeof(*pages), GFP_KERNEL);

	check_calls(GFP_KERNEL | __GFP_NOFAIL, true);
	check_orders(GFP_KERNEL | __GFP_NOFAIL, true);
	if (!CHECK(pages))
		return;
	CHECK_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, all, pages), all);
	CHECK(!pmm_alloc_page(GFP_KERNEL | __GFP_NOFAIL | __GFP_NOWARN));
	pmm_free_pages_bulk(all, pages);
	kvfree(pages);
}

static void test_unknown(void)
{
	check_flag((__force gfp_t)BIT(31), false);
}

static void test_plain(void)
{
	static const gfp_t flags[] = {
		GFP_ATOMIC, GFP_KERNEL, GFP_NOWAIT, GFP_NOIO, GFP_NOFS, GFP_HIGHUSER_MOVABLE,
		GFP_USER, GFP_KERNEL | __GFP_RETRY_MAYFAIL, GFP_KERNEL | __GFP_NORETRY,
		GFP_KERNEL | __GFP_RECLAIMABLE, GFP_KERNEL | __GFP_WRITE,
		GFP_KERNEL | __GFP_MEMALLOC, GFP_KERNEL | __GFP_NOMEMALLOC,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		check_calls(flags[i], true);
		check_orders(flags[i], true);
	}
}

const struct client_case client_gfp_cases[] = {
	{ "flags: GFP_DMA", test_dma },
	{ "flags: GFP_DMA32", test_dma32 },
	{ "flags: __GFP_ACCOUNT", test_account },
	{ "flags: __GFP_THISNODE", test_thisnode },
	{ "flags: __GFP_HARDWALL", test_hardwall },
	{ "flags: __GFP_COMP", test_comp },
	{ "flags: __GFP_NOFAIL", test_nofail },
	{ "flags: one that the kernel does not have", test_unknown },
	{ "flags: those that ask for nothing special", test_plain },
	{ }
};

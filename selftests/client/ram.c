// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: pmm_vm_map_ram(), short mappings cut from blocks of the window.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "client.h"

#define MANY	64	/* pages; more go the way of pmm_vmap() */

static struct page **take_pages(unsigned int nr)
{
	struct page **pages = kcalloc(nr, sizeof(*pages), GFP_KERNEL);

	if (!CHECK(pages))
		return NULL;
	CHECK_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, nr, pages), nr);
	return pages;
}

static void give_pages(struct page **pages, unsigned int nr)
{
	pmm_free_pages_bulk(nr, pages);
	kfree(pages);
}

/* The pages are behind the mapping in the order given, by both walks, and hold what is written. */
static void check_mapping(char *addr, struct page **pages, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		char *at = addr + i * PAGE_SIZE;

		CHECK(pmm_vmalloc_to_page(at) == pages[i]);
		CHECK(vmalloc_to_page(at) == pages[i]);
		WRITE_ONCE(*(u64 *)at, (unsigned long)at ^ i);
		CHECK_EQ(READ_ONCE(*(u64 *)page_address(pages[i])), (unsigned long)at ^ i);
	}
}

static void check_unmapped(char *addr, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		CHECK(!vmalloc_to_page(addr + i * PAGE_SIZE));
}

static void check_count(unsigned int nr)
{
	unsigned long before = pmm_nr_free_pages();
	struct page **pages = take_pages(nr);
	char *addr = pages ? pmm_vm_map_ram(pages, nr, NUMA_NO_NODE) : NULL;

	if (!CHECK(addr))
		return;
	CHECK(PAGE_ALIGNED((unsigned long)addr));
	check_mapping(addr, pages, nr);
	CHECK_EQ(client_holders(pages[0]), 1);
	pmm_vm_unmap_ram(addr, nr);
	check_unmapped(addr, nr);
	CHECK_EQ(client_holders(pages[0]), 0);
	give_pages(pages, nr);
	CHECK_EQ(pmm_nr_free_pages(), before);
	client_check_gone(addr, nr);
}

static void test_counts(void)
{
	static const unsigned int counts[] = { 1, 2, 3, 16, 31, MANY - 1, MANY, MANY + 1, 200 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++)
		check_count(counts[i]);
}

/* Several at a time have nothing in common. */
static void test_several(void)
{
	struct page **pages = take_pages(4 * MANY);
	char *addr[8];
	unsigned int i;

	if (!pages)
		return;
	for (i = 0; i < ARRAY_SIZE(addr); i++) {
		addr[i] = pmm_vm_map_ram(pages + i * 32, 32, NUMA_NO_NODE);
		if (!CHECK(addr[i]))
			return;
	}
	for (i = 0; i < ARRAY_SIZE(addr); i++)
		check_mapping(addr[i], pages + i * 32, 32);
	for (i = 0; i < ARRAY_SIZE(addr); i += 2)
		pmm_vm_unmap_ram(addr[i], 32);
	for (i = 1; i < ARRAY_SIZE(addr); i += 2)
		check_mapping(addr[i], pages + i * 32, 32);
	for (i = 1; i < ARRAY_SIZE(addr); i += 2)
		pmm_vm_unmap_ram(addr[i], 32);
	give_pages(pages, 4 * MANY);
}

/* The same page several times, and pages that are not the pool's. */
static void test_any_page(void)
{
	struct page *own = pmm_alloc_page(GFP_KERNEL), *kernel = alloc_page(GFP_KERNEL);
	struct page *pages[4] = { own, kernel, own, kernel };
	char *addr = pmm_vm_map_ram(pages, ARRAY_SIZE(pages), NUMA_NO_NODE);

	if (CHECK(addr)) {
		WRITE_ONCE(addr[5], 'o');
		WRITE_ONCE(addr[PAGE_SIZE + 5], 'k');
		CHECK_EQ(READ_ONCE(addr[2 * PAGE_SIZE + 5]), 'o');
		CHECK_EQ(READ_ONCE(addr[3 * PAGE_SIZE + 5]), 'k');
		CHECK_EQ(client_holders(own), 2);
	}
	pmm_vm_unmap_ram(addr, ARRAY_SIZE(pages));
	CHECK_EQ(client_holders(own), 0);
	CHECK_EQ(page_count(kernel), 1);
	__pmm_free_pages(own, 0);
	__free_page(kernel);
}

static void test_freed_while_mapped(void)
{
	unsigned long before = pmm_nr_free_pages();
	struct page *page = pmm_alloc_pages(GFP_KERNEL, 1), *pages[2] = { page, page + 1 };
	char *addr = pmm_vm_map_ram(pages, 2, NUMA_NO_NODE);

	if (!CHECK(addr))
		return;
	addr[0] = 'm';
	__pmm_free_pages(page, 1);
	CHECK_EQ(pmm_nr_free_pages(), before - 2);
	CHECK_EQ(addr[0], 'm');
	pmm_vm_unmap_ram(addr, 2);
	CHECK_EQ(pmm_nr_free_pages(), before);
}

/*
 * Behind each other until a purge: then what was unmapped is used again, also in a block that still
 * has something mapped. (2.6.28 waited for the whole block.) The calls may be on several CPUs.
 */
static void test_reuse(void)
{
	struct page **pages = take_pages(1);
	char *kept, *addr, *last = NULL;
	bool reused = false;
	int i;

	if (!pages)
		return;
	migrate_disable();
	kept = pmm_vm_map_ram(pages, 1, NUMA_NO_NODE);
	for (i = 0; i < 100; i++) {
		addr = pmm_vm_map_ram(pages, 1, NUMA_NO_NODE);
		CHECK(addr && addr != kept);
		CHECK(!client_lazy || addr != last);
		last = addr;
		pmm_vm_unmap_ram(addr, 1);
	}
	pmm_vm_unmap_aliases();
	for (i = 0; i < 100; i++) {
		addr = pmm_vm_map_ram(pages, 1, NUMA_NO_NODE);
		reused |= addr == kept + PAGE_SIZE;
		pmm_vm_unmap_ram(addr, 1);
	}
	CHECK(reused);
	check_mapping(kept, pages, 1);
	pmm_vm_unmap_ram(kept, 1);
	migrate_enable();
	give_pages(pages, 1);
}

/* Refused, each, and the mapping stays as it was. */
static void test_misuse(void)
{
	struct page **pages = take_pages(8), *hole[3] = { };
	char *addr = pmm_vm_map_ram(pages, 8, NUMA_NO_NODE), *area = pmm_vmalloc(PAGE_SIZE);

	if (!CHECK(addr))
		return;
	hole[0] = pages[0];
	hole[2] = pages[1];
	CHECK(!pmm_vm_map_ram(pages, 0, NUMA_NO_NODE));
	CHECK(!pmm_vm_map_ram(hole, 3, NUMA_NO_NODE));
	CHECK_EQ(client_holders(pages[0]), 1);
	CHECK_EQ(client_holders(pages[1]), 1);
	pmm_vm_unmap_ram(NULL, 8);
	pmm_vm_unmap_ram(addr, 7);
	pmm_vm_unmap_ram(addr, 9);
	pmm_vm_unmap_ram(addr, 0);
	pmm_vm_unmap_ram(addr, UINT_MAX);
	pmm_vm_unmap_ram(addr + 1, 8);
	pmm_vm_unmap_ram(addr + PAGE_SIZE, 7);
	pmm_vm_unmap_ram(addr + 8 * PAGE_SIZE, 8);
	pmm_vm_unmap_ram(area, 1);
	pmm_vm_unmap_ram(page_address(pages[0]), 1);
	pmm_vm_unmap_ram((void *)ULONG_MAX, 1);
	pmm_vfree(addr);
	pmm_vunmap(addr);
	CHECK(!pmm_remove_vm_area(addr));
	check_mapping(addr, pages, 8);
	CHECK_EQ(client_peek(area), 0);
	pmm_vm_unmap_ram(addr, 8);
	pmm_vm_unmap_ram(addr, 8);
	pmm_vfree(area);
	give_pages(pages, 8);
}

/**
 * client_map_ram() - map, use and unmap
 * @times: how often; 8 at a time, of 1 to 64 pages
 *
 * Context: Process context.
 * Return: 0 or an errno.
 */
int client_map_ram(unsigned long times)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL), *pages[MANY];
	char *addr[8];
	unsigned long i, nr;

	if (!page)
		return -ENOMEM;
	for (i = 0; i < MANY; i++)
		pages[i] = page;
	for (i = 0; i < times + ARRAY_SIZE(addr); i++) {
		nr = 1 + (i & ~7UL) % MANY;
		if (i >= ARRAY_SIZE(addr))
			pmm_vm_unmap_ram(addr[i % 8], 1 + ((i - 8) & ~7UL) % MANY);
		if (i >= times)
			continue;
		addr[i % 8] = pmm_vm_map_ram(pages, nr, NUMA_NO_NODE);
		if (!addr[i % 8])
			return -ENOSPC;
		WRITE_ONCE(*addr[i % 8], (char)i);
	}
	__pmm_free_pages(page, 0);
	return 0;
}

/* Such a mapping may go at any time, without a lock: readers of the window take it for a hole. */
static void test_read_as_hole(void)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL);
	char *addr = pmm_vm_map_ram(&page, 1, NUMA_NO_NODE), text[8] = "mapped", back[8];

	if (CHECK(addr)) {
		memcpy(addr, text, sizeof(text));
		CHECK_EQ(pmm_vread(back, addr, sizeof(back)), sizeof(back));
		CHECK(!memchr_inv(back, 0, sizeof(back)));
		CHECK_EQ(pmm_vwrite(back, addr, sizeof(back)), sizeof(back));
		CHECK(!memcmp(addr, text, sizeof(text)));
	}
	pmm_vm_unmap_ram(addr, 1);
	__pmm_free_pages(page, 0);
}

const struct client_case client_ram_cases[] = {
	{ "map_ram: 1 to 200 pages, by both walks", test_counts },
	{ "map_ram: several at a time", test_several },
	{ "map_ram: a page twice, and pages of the kernel", test_any_page },
	{ "map_ram: a page freed meanwhile is parked", test_freed_while_mapped },
	{ "map_ram: used again after a purge", test_reuse },
	{ "map_ram: misuse", test_misuse },
	{ "map_ram: reads as a hole", test_read_as_hole },
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: calls whose requests to the kernel's allocators fail, one after the
 * other. Each ends in an error that holds nothing, or finds another way.
 */
#include <linux/err.h>

#include "client.h"

#define LIMIT		50	/* no call makes as many requests */

struct call {
	void	*(*take)(void);
	void	(*give)(void *what);
	bool	may_do_without;	/* where the kernel has something left over, nothing is asked for */
};

static struct page *lent[200];

static void *take_vmalloc(void)		{ return pmm_vmalloc(PAGE_SIZE); }
static void *take_large(void)		{ return pmm_vmalloc(100 * PAGE_SIZE); }
static void *take_huge(void)		{ return pmm_vmalloc(1280 * PAGE_SIZE); }
static void *take_zeroed(void)		{ return pmm_vzalloc(3 * PAGE_SIZE); }
static void *take_user(void)		{ return pmm_vmalloc_user(100 * PAGE_SIZE); }
static void *take_32(void)		{ return pmm_vmalloc_32(100 * PAGE_SIZE); }
static void *take_record(void)		{ return pmm_get_vm_area(PAGE_SIZE, PMM_VM_MAP); }
static void *take_device(void)		{ return (void __force *)pmm_ioremap(CLIENT_DEVICE, 1024); }
static void *take_ram(void)		{ return pmm_vm_map_ram(lent, 16, NUMA_NO_NODE); }
static void *take_much_ram(void)	{ return pmm_vm_map_ram(lent, 200, NUMA_NO_NODE); }

static void *take_by_hand(void)
{
	return __pmm_vmalloc(200 * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO, PAGE_KERNEL);
}

/* A record that is mapped by hand; without the mapping it goes back. */
static void *take_mapped(void)
{
	struct pmm_vm_struct *area = pmm_get_vm_area(16 * PAGE_SIZE, PMM_VM_MAP);
	struct page **pages = lent;

	if (!area || !pmm_map_vm_area(area, PAGE_KERNEL, &pages))
		return area;
	kfree(pmm_remove_vm_area(area->addr));
	return NULL;
}

static void *take_vmap(void)
{
	return pmm_vmap(lent, 200, PMM_VM_MAP, PAGE_KERNEL);
}

static void give_area(void *addr)	{ pmm_vfree(addr); }
static void give_mapping(void *addr)	{ pmm_vunmap(addr); }
static void give_ram(void *addr)	{ pmm_vm_unmap_ram(addr, 16); }
static void give_much_ram(void *addr)	{ pmm_vm_unmap_ram(addr, 200); }
static void give_device(void *addr)	{ pmm_iounmap((void __iomem __force *)addr); }

static void give_record(void *record)
{
	struct pmm_vm_struct *area = record;

	CHECK(pmm_remove_vm_area(area->addr) == area);
	kfree(area);
}

/* From the first request on, up to the one that is not made. */
static void walk(const struct call *call)
{
	unsigned long nth, left, failed = 0, held = pmm_nr_free_pages();

	for (nth = 1; nth < LIMIT; nth++) {
		void *what;

		/* Areas left over from last time, or waiting for a flush, must not interfere. */
		pmm_vm_unmap_aliases();
		pmm_fail_nth(nth);
		what = call->take();
		left = pmm_fail_nth(0);
		if (what)
			call->give(what);
		else
			failed++;
		CHECK_EQ(pmm_nr_free_pages(), held);
		CHECK(what || !left);
		if (left)
			break;
	}
	CHECK(nth < LIMIT);
	CHECK(failed || call->may_do_without);
}

static void test_areas(void)
{
	static const struct call calls[] = {
		{ take_vmalloc, give_area, true },
		{ take_large, give_area },
		{ take_huge, give_area },
		{ take_zeroed, give_area, true },
		{ take_user, give_area },
		{ take_by_hand, give_area },
		{ take_record, give_record },
		{ take_device, give_device },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		walk(&calls[i]);
}

/* A call of its own, because it always fails where the chunk is above 4 GiB. */
static void test_areas_32(void)
{
	static const struct call call = { take_32, give_area };
	void *area = take_32();

	if (!area) {
		client_skip("the chunk is above 4 GiB");
		return;
	}
	give_area(area);
	walk(&call);
}

static void test_mappings(void)
{
	static const struct call calls[] = {
		{ take_vmap, give_mapping },
		{ take_mapped, give_record },
		{ take_ram, give_ram, true },
		{ take_much_ram, give_much_ram },
	};
	unsigned int i;

	CHECK_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, ARRAY_SIZE(lent), lent), ARRAY_SIZE(lent));
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		walk(&calls[i]);
	pmm_free_pages_bulk(ARRAY_SIZE(lent), lent);
}

/* Looking, reading, writing and giving back ask the kernel for nothing, and so cannot fail. */
static void test_areas_that_are(void)
{
	void *area = pmm_vmalloc(3 * PAGE_SIZE), *map;
	void __iomem *device = pmm_ioremap(CLIENT_DEVICE, 1024);
	char text[16] = "fifteen letters";
	struct page *page = pmm_alloc_page(GFP_KERNEL);

	CHECK(area && device && page);
	map = pmm_vmap(&page, 1, PMM_VM_MAP, PAGE_KERNEL);
	CHECK(map);
	pmm_fail_nth(1);
	CHECK(pmm_find_vm_area(area));
	CHECK(pmm_vmalloc_to_page(map) == page);
	CHECK_EQ(pmm_vwrite(text, area, sizeof(text)), sizeof(text));
	CHECK_EQ(pmm_vread(text, area, sizeof(text)), sizeof(text));
	pmm_vunmap(map);
	pmm_iounmap(device);
	pmm_vfree(area);
	pmm_vm_unmap_aliases();
	__pmm_free_pages(page, 0);
	CHECK(!pmm_find_vm_area(area));
	CHECK_EQ(pmm_fail_nth(0), 1);
}

/* The pool's own pages likewise. */
static void test_pages(void)
{
	struct page *pages[16] = { }, *page;
	unsigned long addr;

	pmm_fail_nth(1);
	page = pmm_alloc_page(GFP_KERNEL);
	addr = __pmm_get_free_pages(GFP_KERNEL, 2);
	CHECK(page && addr);
	__pmm_free_pages(page, 0);
	pmm_free_pages(addr, 2);
	addr = pmm_get_zeroed_page(GFP_KERNEL);
	CHECK(addr);
	pmm_free_pages(addr, 0);
	CHECK(pmm_nr_free_pages());
	CHECK_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, ARRAY_SIZE(pages), pages), ARRAY_SIZE(pages));
	pmm_free_pages_bulk(ARRAY_SIZE(pages), pages);
	pages[0] = pmm_alloc_pages(GFP_KERNEL, 5);
	CHECK(pages[0]);
	__pmm_free_pages(pages[0], 5);
	CHECK_EQ(pmm_fail_nth(0), 1);
}

const struct client_case client_fault_cases[] = {
	{ "faults: areas", test_areas },
	{ "faults: areas below 4 GiB", test_areas_32 },
	{ "faults: mappings of pages", test_mappings },
	{ "faults: areas that are there ask for nothing", test_areas_that_are },
	{ "faults: pages ask for nothing", test_pages },
	{ }
};

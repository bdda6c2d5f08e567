// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: what a faulty driver does. Everything is refused, and the pool is as
 * it was; main.c looks at that after each case.
 */
#include <linux/io.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "client.h"

static void test_double_free(void)
{
	struct page *page = pmm_alloc_pages(GFP_KERNEL, 1);
	unsigned long after;

	__pmm_free_pages(page, 1);
	after = pmm_nr_free_pages();
	__pmm_free_pages(page, 1);
	pmm_free_pages((unsigned long)page_address(page), 1);
	__pmm_free_pages(page, 0);
	CHECK_EQ(pmm_nr_free_pages(), after);
}

static void test_wrong_order(void)
{
	struct page *page = pmm_alloc_pages(GFP_KERNEL, 3);
	unsigned long held = pmm_nr_free_pages();

	__pmm_free_pages(page, 0);
	__pmm_free_pages(page, 2);
	__pmm_free_pages(page, 4);
	__pmm_free_pages(page, PMM_MAX_ORDER);
	__pmm_free_pages(page, 63);
	__pmm_free_pages(page, UINT_MAX);
	CHECK_EQ(pmm_nr_free_pages(), held);
	__pmm_free_pages(page, 3);
	CHECK_EQ(pmm_nr_free_pages(), held + 8);
}

static void test_middle(void)
{
	struct page *page = pmm_alloc_pages(GFP_KERNEL, 3);
	unsigned long held = pmm_nr_free_pages();

	__pmm_free_pages(page + 1, 0);
	__pmm_free_pages(page + 4, 2);
	__pmm_free_pages(page + 7, 3);
	CHECK_EQ(pmm_nr_free_pages(), held);
	__pmm_free_pages(page, 3);
}

static void test_foreign_page(void)
{
	unsigned long before = pmm_nr_free_pages(), kernel = __get_free_page(GFP_KERNEL);
	void *area = vmalloc(PAGE_SIZE);

	__pmm_free_pages(virt_to_page((void *)kernel), 0);
	pmm_free_pages(kernel, 0);
	pmm_free_pages((unsigned long)area, 0);
	pmm_free_pages((unsigned long)test_foreign_page & PAGE_MASK, 0);
	pmm_free_pages(PAGE_SIZE, 0);
	pmm_free_pages(1, 0);
	pmm_free_pages(ULONG_MAX, 0);
	pmm_free_pages(ULONG_MAX & PAGE_MASK, 0);
	pmm_free_pages(0x8000000000000000UL, 0);
	pmm_free_pages(PAGE_OFFSET + (1UL << 45), 0);
	__pmm_free_pages((struct page *)PAGE_SIZE, 0);
	__pmm_free_pages(ERR_PTR(-ENOMEM), 0);
	__pmm_free_pages((struct page *)LONG_MIN, 0);
	CHECK_EQ(pmm_nr_free_pages(), before);
	CHECK_EQ(page_count(virt_to_page((void *)kernel)), 1);
	vfree(area);
	free_page(kernel);
}

/* The right page, but not its first byte. */
static void test_unaligned_address(void)
{
	unsigned long addr = __pmm_get_free_pages(GFP_KERNEL, 0), held = pmm_nr_free_pages();

	pmm_free_pages(addr + 1, 0);
	pmm_free_pages(addr + PAGE_SIZE / 2, 0);
	CHECK_EQ(pmm_nr_free_pages(), held);
	pmm_free_pages(addr, 0);
}

static void test_page_of_area(void)
{
	char *addr = pmm_vmalloc(2 * PAGE_SIZE);
	unsigned long held = pmm_nr_free_pages();

	addr[PAGE_SIZE] = 'z';
	__pmm_free_pages(pmm_vmalloc_to_page(addr), 0);
	pmm_free_pages((unsigned long)page_address(pmm_vmalloc_to_page(addr + PAGE_SIZE)), 0);
	pmm_free_pages((unsigned long)addr, 0);
	CHECK_EQ(pmm_nr_free_pages(), held);
	CHECK_EQ(addr[PAGE_SIZE], 'z');
	pmm_vfree(addr);
}

static void test_bulk_misuse(void)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL), *foreign = alloc_page(GFP_KERNEL);
	struct page *pages[4] = { page, foreign, NULL, page };
	unsigned long held = pmm_nr_free_pages();

	pmm_free_pages_bulk(ARRAY_SIZE(pages), pages);
	CHECK_EQ(pmm_nr_free_pages(), held + 1);
	CHECK(!memchr_inv(pages, 0, sizeof(pages)));
	__free_page(foreign);
}

/* None of these calls may map the array, nor keep a reference to any page of it. */
static void check_not_mapped(struct page **pages, unsigned int count)
{
	struct pmm_vm_struct *area = pmm_get_vm_area(count * PAGE_SIZE, PMM_VM_MAP);
	struct page **at = pages;
	unsigned int i;

	CHECK(!pmm_vmap(pages, count, PMM_VM_MAP, PAGE_KERNEL));
	CHECK_EQ(pmm_map_vm_area(area, PAGE_KERNEL, &at), -EINVAL);
	CHECK(at == pages);
	kfree(pmm_remove_vm_area(area->addr));
	for (i = 0; i < count; i++)
		CHECK_EQ(client_holders(pages[i]), 0);
}

/* Freed pages, on whatever list, as the first, a middle and the last page of many. */
static void test_vmap_of_freed(void)
{
	struct page *block = pmm_alloc_pages(GFP_KERNEL, 4), *page = pmm_alloc_page(GFP_KERNEL);
	struct page *large = pmm_alloc_pages(GFP_KERNEL, 7), *pages[9];
	unsigned int i, at;
	void *area;

	for (i = 0; i < ARRAY_SIZE(pages); i++)
		pages[i] = block + 3 + i;
	area = pmm_vmap(pages, ARRAY_SIZE(pages), PMM_VM_MAP, PAGE_KERNEL);
	CHECK(area && pmm_vmalloc_to_page(area + 8 * PAGE_SIZE) == block + 11);
	pmm_vunmap(area);
	__pmm_free_pages(page, 0);
	__pmm_free_pages(large, 7);
	for (at = 0; at < ARRAY_SIZE(pages); at += 4) {
		pages[at] = page;
		check_not_mapped(pages, ARRAY_SIZE(pages));
		pages[at] = large + 77;
		check_not_mapped(pages, ARRAY_SIZE(pages));
		pages[at] = large;
		check_not_mapped(pages + at, 1);
		pages[at] = block + 3 + at;
	}
	__pmm_free_pages(block, 4);
	check_not_mapped(pages, ARRAY_SIZE(pages));
}

/* A page that is parked was freed too, although somebody else still maps it. */
static void test_vmap_of_parked(void)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL);
	void *area = pmm_vmap(&page, 1, PMM_VM_MAP, PAGE_KERNEL);

	CHECK(area);
	__pmm_free_pages(page, 0);
	CHECK(!pmm_vmap(&page, 1, PMM_VM_MAP, PAGE_KERNEL));
	CHECK_EQ(client_holders(page), 1);
	pmm_vunmap(area);
	pmm_vm_unmap_aliases();
	page = pmm_alloc_page(GFP_KERNEL);
	__pmm_free_pages(page, 0);
}

static void test_vfree_misuse(void)
{
	char *addr = pmm_vmalloc(3 * PAGE_SIZE), *kernel = vmalloc(PAGE_SIZE);
	char *small = kmalloc(64, GFP_KERNEL);
	unsigned long held = pmm_nr_free_pages();

	addr[0] = 'v';
	pmm_vfree(NULL);
	pmm_vfree(addr + 1);
	pmm_vfree(addr + PAGE_SIZE);
	pmm_vfree(addr + 3 * PAGE_SIZE);
	pmm_vfree(addr - PAGE_SIZE);
	pmm_vfree(kernel);
	pmm_vfree(small);
	pmm_vfree((void *)PAGE_SIZE);
	pmm_vfree((void *)ULONG_MAX);
	pmm_vfree((void *)(ULONG_MAX & PAGE_MASK));
	pmm_vfree((void *)LONG_MIN);
	CHECK_EQ(pmm_nr_free_pages(), held);
	CHECK_EQ(addr[0], 'v');
	kernel[0] = 'k';
	kfree(small);
	vfree(kernel);
	pmm_vfree(addr);
	CHECK_EQ(pmm_nr_free_pages(), held + 3);
	pmm_vfree(addr);
	CHECK_EQ(pmm_nr_free_pages(), held + 3);
}

static void test_wrong_kind(void)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL);
	void *area = pmm_vmalloc(PAGE_SIZE), *map = pmm_vmap(&page, 1, PMM_VM_MAP, PAGE_KERNEL);
	unsigned long held = pmm_nr_free_pages();

	pmm_vunmap(area);
	pmm_iounmap((void __iomem __force *)area);
	pmm_vfree(map);
	pmm_iounmap((void __iomem __force *)map);
	CHECK(!pmm_remove_vm_area(area));
	CHECK(!pmm_remove_vm_area(area + 1));
	CHECK(!pmm_remove_vm_area(area + PAGE_SIZE));
	CHECK_EQ(pmm_nr_free_pages(), held);
	CHECK_EQ(client_peek(area), 0);
	CHECK_EQ(client_peek(map), 0);
	pmm_vfree(area);
	pmm_vunmap(map);
	pmm_vunmap(map);
	__pmm_free_pages(page, 0);
}

static void check_size_refused(unsigned long size)
{
	CHECK(!pmm_vmalloc(size));
	CHECK(!pmm_vzalloc(size));
	CHECK(!pmm_vmalloc_user(size));
	CHECK(!pmm_vmalloc_32(size));
	CHECK(!__pmm_vmalloc(size, GFP_KERNEL | __GFP_NOWARN, PAGE_KERNEL));
}

static void test_sizes(void)
{
	static const unsigned long sizes[] = {
		0, ULONG_MAX, ULONG_MAX - PAGE_SIZE + 2, ULONG_MAX - PAGE_SIZE + 1,
		ULONG_MAX - PAGE_SIZE, ULONG_MAX - 2 * PAGE_SIZE + 1, ULONG_MAX - 2 * PAGE_SIZE,
		ULONG_MAX - 4 * PAGE_SIZE, ULONG_MAX / 2, 1UL << 63, 1UL << 47,
	};
	unsigned long before = pmm_nr_free_pages();
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		check_size_refused(sizes[i]);
		CHECK(!pmm_get_vm_area(sizes[i], PMM_VM_MAP));
		CHECK_EQ(pmm_nr_free_pages(), before);
	}
	check_size_refused((before << PAGE_SHIFT) + 1);		/* more than the pool */
}

static void test_ioremap_misuse(void)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL);
	phys_addr_t own = page_to_phys(page);

	CHECK(!pmm_ioremap(own, PAGE_SIZE));
	CHECK(!pmm_ioremap(own + 17, 1));
	CHECK(!pmm_ioremap(own - PAGE_SIZE, 2 * PAGE_SIZE));
	CHECK(!pmm_ioremap(page_to_phys(ZERO_PAGE(0)), 1));
	CHECK(!pmm_ioremap(CLIENT_DEVICE, 0));
	CHECK(!pmm_ioremap(CLIENT_DEVICE, ULONG_MAX));
	CHECK(!pmm_ioremap(ULONG_MAX, 1));
	CHECK(!pmm_ioremap(ULONG_MAX, 2));
	CHECK(!pmm_ioremap(ULONG_MAX - PAGE_SIZE + 1, PAGE_SIZE));
	CHECK(!pmm_ioremap(1ULL << 52, PAGE_SIZE));
	CHECK(!pmm_ioremap(CLIENT_DEVICE, 1UL << 52));
	__pmm_free_pages(page, 0);
}

/* Not one entry of the window may come from an array that has no page there. */
static void test_vmap_misuse(void)
{
	struct page *page = alloc_page(GFP_KERNEL), *pages[2] = { page, NULL }, **next = pages;
	struct pmm_vm_struct *vm = pmm_get_vm_area(2 * PAGE_SIZE, PMM_VM_MAP);
	void *map = pmm_vmap(pages, 2, PMM_VM_MAP, PAGE_KERNEL);

	CHECK(!map);
	pmm_vunmap(map);
	CHECK(!pmm_vmap(pages, UINT_MAX, PMM_VM_MAP, PAGE_KERNEL));
	if (CHECK(vm)) {
		CHECK(pmm_map_vm_area(vm, PAGE_KERNEL, &next) < 0);
		CHECK_EQ(client_peek(vm->addr), -EFAULT);
		kfree(pmm_remove_vm_area(vm->addr));
	}
	__free_page(page);
}

/* Counts of pages whose bytes, or the pages' own records, would be more than 2^64 or 2^32. */
static void test_counts(void)
{
	static const unsigned int counts[] = {
		0, 1U << 20, 1U << 28, 1U << 29, 1U << 31, UINT_MAX,
	};
	struct page *page = pmm_alloc_page(GFP_KERNEL), *pages[1] = { page };
	void *map = pmm_vm_map_ram(pages, 1, NUMA_NO_NODE);
	int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		CHECK(!pmm_vmap(pages, counts[i], PMM_VM_MAP, PAGE_KERNEL));
		CHECK(!pmm_vm_map_ram(pages, counts[i], NUMA_NO_NODE));
		pmm_vm_unmap_ram(map, counts[i]);
	}
	CHECK_EQ(client_peek(map), 0);
	for (i = PMM_MAX_ORDER; i < 70; i++)
		CHECK(!pmm_alloc_pages(GFP_KERNEL | __GFP_NOWARN, i));
	CHECK(!pmm_alloc_pages(GFP_KERNEL | __GFP_NOWARN, UINT_MAX));
	CHECK(!__pmm_get_free_pages(GFP_KERNEL | __GFP_NOWARN, 1U << 31));
	pmm_vm_unmap_ram(map, 1);
	__pmm_free_pages(page, 0);
}

/* Where a range in the window, or beyond it, would end behind 2^64. */
static void test_addresses(void)
{
	static const unsigned long addrs[] = {
		0, 1, 1UL << 63, (1UL << 63) - 1, ULONG_MAX, ULONG_MAX - 4095, ULONG_MAX - 8191,
	};
	char *area = pmm_vmalloc(PAGE_SIZE), buf[64];
	int i;

	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		CHECK(!pmm_find_vm_area((void *)addrs[i]));
		CHECK(!pmm_vmalloc_to_page((void *)addrs[i]));
		CHECK(!pmm_remove_vm_area((void *)addrs[i]));
		memset(buf, 0xff, sizeof(buf));
		/* Below the window is a hole; above it is nothing. */
		if (pmm_vread(buf, (char *)addrs[i], sizeof(buf)))
			CHECK(!memchr_inv(buf, 0, sizeof(buf)));
		CHECK_EQ(pmm_vread(buf, (char *)addrs[i], 0), 0);
		pmm_vwrite(buf, (char *)addrs[i], sizeof(buf));
	}
	CHECK_EQ(pmm_vread(buf, area + PAGE_SIZE - 1, 64), 1);
	CHECK_EQ(pmm_vread(buf, (char *)ULONG_MAX, 1), 0);
	pmm_vfree(area);
}

/* All of these are refused when only the length of the range has been checked. */
static void test_remap_misuse(void)
{
	static const unsigned long lengths[] = {
		3 * PAGE_SIZE, 1UL << 40, 1UL << 63, -PAGE_SIZE, -2 * PAGE_SIZE,
	};
	static const unsigned long offsets[] = {
		1, 2, 3, 1UL << 51, 1UL << 52, 1UL << 63, ULONG_MAX - 1, ULONG_MAX,
	};
	char *user = pmm_vmalloc_user(2 * PAGE_SIZE), *plain = pmm_vmalloc(2 * PAGE_SIZE);
	struct vm_area_struct *vma = kzalloc(sizeof(*vma), GFP_KERNEL);
	int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		vma->vm_end = lengths[i];
		CHECK_EQ(pmm_remap_vmalloc_range(vma, user, 0), -EINVAL);
	}
	vma->vm_end = 2 * PAGE_SIZE;
	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		CHECK_EQ(pmm_remap_vmalloc_range(vma, user, offsets[i]), -EINVAL);
	CHECK_EQ(pmm_remap_vmalloc_range(vma, plain, 0), -EINVAL);
	CHECK_EQ(pmm_remap_vmalloc_range(vma, user + PAGE_SIZE, 0), -EINVAL);
	CHECK_EQ(pmm_remap_vmalloc_range(vma, user + 1, 0), -EINVAL);
	CHECK_EQ(pmm_remap_vmalloc_range(vma, vma, 0), -EINVAL);
	CHECK_EQ(pmm_remap_vmalloc_range(vma, NULL, 0), -EINVAL);
	CHECK_EQ(pmm_remap_vmalloc_range(vma, (void *)ULONG_MAX, ULONG_MAX), -EINVAL);
	CHECK(!vma->vm_ops && !vma->vm_private_data);
	kfree(vma);
	pmm_vfree(plain);
	pmm_vfree(user);
}

/* The code of modules lies in pages that vmalloc gave, which are RAM like any. */
static void test_ioremap_code(void)
{
	void *code = (void *)((unsigned long)test_ioremap_code & PAGE_MASK);
	void *pool = (void *)((unsigned long)pmm_ioremap & PAGE_MASK);

	CHECK(!pmm_ioremap(page_to_phys(vmalloc_to_page(code)), PAGE_SIZE));
	CHECK(!pmm_ioremap(page_to_phys(vmalloc_to_page(pool)), 1));
	CHECK(!pmm_ioremap(virt_to_phys(current), 8));
}

const struct client_case client_misuse_cases[] = {
	{ "misuse: double free", test_double_free },
	{ "misuse: free of another order", test_wrong_order },
	{ "misuse: free of the middle of a block", test_middle },
	{ "misuse: free of somebody else's page, or of no page", test_foreign_page },
	{ "misuse: free of an unaligned address", test_unaligned_address },
	{ "misuse: free of a page that an area owns", test_page_of_area },
	{ "misuse: bulk free of what is not ours", test_bulk_misuse },
	{ "misuse: vfree of what is no area", test_vfree_misuse },
	{ "misuse: an area freed by the wrong call", test_wrong_kind },
	{ "misuse: sizes of nothing and of everything", test_sizes },
	{ "misuse: vmap of no page, and of too many", test_vmap_misuse },
	{ "misuse: vmap of freed pages", test_vmap_of_freed },
	{ "misuse: vmap of a parked page", test_vmap_of_parked },
	{ "misuse: ioremap of RAM and beyond the world", test_ioremap_misuse },
	{ "misuse: ioremap of the code of modules, and of a task", test_ioremap_code },
	{ "misuse: counts and orders of nothing and of everything", test_counts },
	{ "misuse: addresses at both ends of the world", test_addresses },
	{ "misuse: user mappings longer than the area", test_remap_misuse },
	{ }
};

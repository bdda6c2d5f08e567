// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: what the page tables say of a mapping's protection and of its memory
 * type, beside the entries that the kernel makes for the same page.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/vmalloc.h>

#include "client.h"

#define LARGE	((1UL << (PMM_MAX_ORDER - 1)) * PAGE_SIZE)	/* mapped at once where possible */

/* The kernel's own mapping of a page, and what its tables have for it. */
static struct client_entry kernel_entry(struct page *page, pgprot_t prot)
{
	struct client_entry entry = { 0 };
	void *addr = vmap(&page, 1, VM_MAP, prot);

	if (CHECK(addr)) {
		entry = client_entry_of(addr);
		CHECK(entry.present);
		CHECK_EQ(entry.level, CLIENT_PTE);
		vunmap(addr);
	}
	return entry;
}

/* Every bit: the page frame, the protection, and whatever else the kernel sets. */
static void test_as_vmap(void)
{
	struct page *pages[2] = { pmm_alloc_page(GFP_KERNEL), alloc_page(GFP_KERNEL) };
	char *map = pmm_vmap(pages, 2, PMM_VM_MAP, PAGE_KERNEL);
	char *ram = pmm_vm_map_ram(pages, 2, NUMA_NO_NODE);
	unsigned int i;

	for (i = 0; CHECK(map) && CHECK(ram) && i < ARRAY_SIZE(pages); i++) {
		u64 value = kernel_entry(pages[i], PAGE_KERNEL).value;

		CHECK_EQ(client_entry_of(map + i * PAGE_SIZE).value, value);
		CHECK_EQ(client_entry_of(ram + i * PAGE_SIZE).value, value);
	}
	pmm_vm_unmap_ram(ram, 2);
	pmm_vunmap(map);
	__pmm_free_pages(pages[0], 0);
	__free_page(pages[1]);
}

static void check_type(const void *addr, u64 cache)
{
	struct client_entry entry = client_entry_of(addr);

	CHECK(addr && entry.present);
	CHECK_EQ(entry.cache, cache);
}

/* The pool's pages and others, page by page and at once: whatever way an entry is made. */
static void check_every_way(pgprot_t prot, u64 cache)
{
	struct page *own = pmm_alloc_page(GFP_KERNEL), *kernel = alloc_page(GFP_KERNEL);
	struct page *array[2] = { own, kernel }, **pages = array;
	struct pmm_vm_struct *bare = pmm_get_vm_area(2 * PAGE_SIZE, PMM_VM_MAP);
	char *map = pmm_vmap(array, 2, PMM_VM_MAP, prot);
	char *area = __pmm_vmalloc(3 * PAGE_SIZE, GFP_KERNEL, prot);
	char *large = __pmm_vmalloc(LARGE, GFP_KERNEL, prot);

	check_type(map, cache);
	check_type(map + PAGE_SIZE, cache);
	check_type(area + 2 * PAGE_SIZE, cache);
	check_type(large, cache);
	if (CHECK(bare)) {
		CHECK_EQ(pmm_map_vm_area(bare, prot, &pages), 0);
		check_type(bare->addr, cache);
		check_type(bare->addr + PAGE_SIZE, cache);
		kfree(pmm_remove_vm_area(bare->addr));
	}
	pmm_vfree(large);
	pmm_vfree(area);
	pmm_vunmap(map);
	__pmm_free_pages(own, 0);
	__free_page(kernel);
}

/*
 * The kernel's linear map is cached. On arm64 a second mapping of another type would be a
 * mismatched alias, so memory is cached whatever the caller asks for. x86 keeps two types apart
 * by itself, and the caller gets what the kernel's vmap() would give.
 */
static void test_memory_type(void)
{
	const pgprot_t asked[] = {
		PAGE_KERNEL, pgprot_noncached(PAGE_KERNEL), pgprot_writecombine(PAGE_KERNEL),
		pgprot_device(PAGE_KERNEL),
	};
	struct page *page = alloc_page(GFP_KERNEL);
	unsigned int i;

	for (i = 0; CHECK(page) && i < ARRAY_SIZE(asked); i++) {
		pgprot_t given = IS_ENABLED(CONFIG_ARM64) ? PAGE_KERNEL : asked[i];

		CHECK(!i || pgprot_val(asked[i]) != pgprot_val(asked[0]));
		check_every_way(asked[i], kernel_entry(page, given).cache);
	}
	__free_page(page);
}

/* Refusing is fine too; only a mapping that can be executed or that user mode can use is not. */
static void check_kernel_data(void *addr)
{
	struct client_entry entry;

	if (!addr)
		return;
	entry = client_entry_of(addr);
	if (!CHECK(entry.present))
		return;
	CHECK_EQ(entry.level, CLIENT_PTE);
	CHECK(!entry.executable);
	CHECK(!entry.user);
}

static void check_with(pgprot_t prot)
{
	struct page *page = alloc_page(GFP_KERNEL);
	void *area = __pmm_vmalloc(PAGE_SIZE, GFP_KERNEL, prot);
	void *map = pmm_vmap(&page, 1, PMM_VM_MAP, prot);

	check_kernel_data(area);
	check_kernel_data(map);
	CHECK(area || map);
	pmm_vfree(area);
	pmm_vunmap(map);
	__free_page(page);
}

static void test_never_executable(void)
{
	check_with(PAGE_KERNEL_EXEC);
}

static void test_never_for_users(void)
{
	check_with(PAGE_SHARED);
	check_with(PAGE_SHARED_EXEC);
}

const struct client_case client_protection_cases[] = {
	{ "protection: as the kernel's own vmap()", test_as_vmap },
	{ "protection: memory types", test_memory_type },
	{ "protection: nothing is ever executable", test_never_executable },
	{ "protection: nothing is ever for user mode", test_never_for_users },
	{ }
};

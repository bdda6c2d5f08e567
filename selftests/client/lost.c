// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: what happens when the kernel's own vfree(), or a call of its kin, gets
 * an address of the pool. It frees the whole window under all clients. Each case is a file of its
 * own (main.c), because the pool can do little more until it is loaded again.
 */
#include <linux/io.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "client.h"

/* One of each kind, taken before the window is lost. */
struct lost_things {
	void			*area, *huge, *mapped, *ram;
	struct pmm_vm_struct	*bare;
	struct page		*page;
};

static bool lost_take(struct lost_things *t)
{
	t->page = pmm_alloc_page(GFP_KERNEL);
	t->area = pmm_vmalloc(3 * PAGE_SIZE);
	t->huge = pmm_vmalloc(2 * PMD_SIZE < (4UL << 20) ? 2 * PMD_SIZE : 4UL << 20);
	t->mapped = pmm_vmap(&t->page, 1, PMM_VM_MAP, PAGE_KERNEL);
	t->ram = pmm_vm_map_ram(&t->page, 1, NUMA_NO_NODE);
	t->bare = pmm_get_vm_area(PAGE_SIZE, PMM_VM_MAP);
	return CHECK(t->page && t->area && t->huge && t->mapped && t->ram && t->bare);
}

/* Frees work as ever, and bring all pages home. */
static void lost_free(struct lost_things *t)
{
	pmm_vm_unmap_ram(t->ram, 1);
	pmm_vunmap(t->mapped);
	pmm_vfree(t->huge);
	kfree(pmm_remove_vm_area(t->bare->addr));
	__pmm_free_pages(t->page, 0);
}

static void lost_refuses(struct lost_things *t)
{
	struct page *page = t->page, **pages = &page;
	char byte = 0;

	CHECK(!pmm_vmalloc(PAGE_SIZE));
	CHECK(!pmm_vmalloc_user(PAGE_SIZE));
	CHECK(!__pmm_vmalloc(1000 * PAGE_SIZE, GFP_KERNEL | __GFP_NOWARN, PAGE_KERNEL));
	CHECK(!pmm_vmap(pages, 1, PMM_VM_MAP, PAGE_KERNEL));
	CHECK(!pmm_vm_map_ram(pages, 1, NUMA_NO_NODE));
	CHECK(!pmm_ioremap(CLIENT_DEVICE, PAGE_SIZE));
	CHECK(!pmm_get_vm_area(PAGE_SIZE, PMM_VM_MAP));
	CHECK_EQ(pmm_map_vm_area(t->bare, PAGE_KERNEL, &pages), -ENXIO);
	CHECK_EQ(pmm_vread(&byte, t->mapped, 1), -ENXIO);
	CHECK_EQ(pmm_vwrite(&byte, t->mapped, 1), -ENXIO);
	CHECK_EQ(pmm_remap_vmalloc_range(NULL, t->area, 0), -ENXIO);
	CHECK(!pmm_vmalloc_to_page(t->mapped));
	CHECK(pmm_find_vm_area(t->mapped));
}

/* Pages have nothing to do with the window. */
static void lost_pages_work(void)
{
	struct page *page = pmm_alloc_pages(GFP_KERNEL, 3);

	CHECK(page);
	if (page)
		__pmm_free_pages(page, 3);
}

/* Areas of the kernel's, which one page is mapped all over, at addresses of the window. */
struct lost_owners {
	struct page	*page;
	u32		*area[64];
	unsigned int	nr;
};

#define LOST_WORD	0x5a5a1234

#define LOST_PAGES	1024

static bool lost_owned(const struct lost_owners *owners, const void *addr)
{
	unsigned int i;

	for (i = 0; i < owners->nr; i++)
		if (addr - (const void *)owners->area[i] < LOST_PAGES * PAGE_SIZE)
			return true;
	return false;
}

/* The kernel takes the lowest hole that is large enough, so they come to the window by and by. */
static void lost_find_owners(struct lost_owners *owners, const struct lost_things *t)
{
	unsigned long i, nr_pages = LOST_PAGES;
	struct page **pages = kvmalloc_array(nr_pages, sizeof(*pages), GFP_KERNEL);
	u32 *area;

	for (i = 0; pages && i < nr_pages; i++)
		pages[i] = owners->page;
	vm_unmap_aliases();
	while (pages && owners->nr < ARRAY_SIZE(owners->area)) {
		area = vmap(pages, nr_pages, VM_MAP, PAGE_KERNEL);
		if (!area)
			break;
		owners->area[owners->nr++] = area;
		if (lost_owned(owners, t->area) && lost_owned(owners, t->ram))
			break;
	}
	kvfree(pages);
	if (!lost_owned(owners, t->area) || !lost_owned(owners, t->ram))
		client_skip("the window's addresses have no new owner");
}

static bool lost_unharmed(const struct lost_owners *owners)
{
	unsigned long i;
	unsigned int nr;

	for (nr = 0; nr < owners->nr; nr++)
		for (i = 0; i < LOST_PAGES; i++) {
			const u32 *word = owners->area[nr] + i * PAGE_SIZE / sizeof(u32);

			if (vmalloc_to_page(word) != owners->page || READ_ONCE(*word) != LOST_WORD)
				return false;
		}
	return true;
}

/* The first thing that the pool is asked for afterwards is a free. */
static void lost_by(void (*door)(void *addr))
{
	struct lost_owners owners = { .page = alloc_page(GFP_KERNEL) };
	struct lost_things things = { };

	if (!CHECK(owners.page) || !lost_take(&things))
		return;
	*(u32 *)page_address(owners.page) = LOST_WORD;
	door(things.area + PAGE_SIZE);
	lost_find_owners(&owners, &things);
	pmm_vfree(things.area);
	lost_refuses(&things);
	lost_pages_work();
	lost_free(&things);
	pmm_vm_unmap_aliases();
	CHECK(lost_unharmed(&owners));
	while (owners.nr)
		vunmap(owners.area[--owners.nr]);
	__free_page(owners.page);
}

static void by_vfree(void *addr)
{
	vfree(addr);
}

static void by_kvfree(void *addr)
{
	kvfree(addr);
}

static void by_vunmap(void *addr)
{
	vunmap(addr);
}

static void by_iounmap(void *addr)
{
	iounmap((void __iomem *)addr);
}

/* As many pages as the kernel does not cut from a block of its own. */
static void by_vm_unmap_ram(void *addr)
{
	vm_unmap_ram(addr, BITS_PER_LONG + 1);
}

static void test_vfree(void)
{
	lost_by(by_vfree);
}

static void test_kvfree(void)
{
	lost_by(by_kvfree);
}

static void test_vunmap(void)
{
	lost_by(by_vunmap);
}

static void test_iounmap(void)
{
	lost_by(by_iounmap);
}

static void test_vm_unmap_ram(void)
{
	lost_by(by_vm_unmap_ram);
}

/* The area that stays has no pages, and the pool is not asked for anything more. */
static void test_unload(void)
{
	struct pmm_vm_struct *vm = pmm_get_vm_area(PAGE_SIZE, PMM_VM_MAP);

	if (CHECK(vm))
		vfree(vm->addr);
}

/* These of the kernel's calls do no harm, and say what is so. */
static void test_harmless(void)
{
	struct page *page;
	void *area = pmm_vmalloc_user(2 * PAGE_SIZE), *again;
	struct vm_area_struct *vma = kzalloc(sizeof(*vma), GFP_KERNEL);

	if (!CHECK(area && vma))
		return;
	page = vmalloc_to_page(area + PAGE_SIZE);
	CHECK(page && page == pmm_vmalloc_to_page(area + PAGE_SIZE));
	CHECK(is_vmalloc_addr(area));
	vma->vm_start = PAGE_SIZE;
	vma->vm_end = 2 * PAGE_SIZE;
	CHECK_EQ(remap_vmalloc_range(vma, area, 0), -EINVAL);
	again = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	CHECK(again);
	vunmap(again);
	kfree(vma);
	pmm_vfree(area);
	area = pmm_vmalloc(PAGE_SIZE);
	CHECK(area);
	pmm_vfree(area);
}

const struct client_case client_lost_cases[] = {
	{ "harmless", test_harmless },
	{ "vfree", test_vfree },
	{ "kvfree", test_kvfree },
	{ "vunmap", test_vunmap },
	{ "iounmap", test_iounmap },
	{ "vm_unmap_ram", test_vm_unmap_ram },
	{ "unload", test_unload },
	{ }
};

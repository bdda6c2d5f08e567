// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz targets: areas for the commands, in place of vmalloc.c, window.c and ioremap.c. The list of
 * areas and the pages are the module's own. There are no page tables, so the contents of an area
 * are found through its array of pages.
 */
#include "command-window.h"

#include <stdlib.h>

#include "fuzz.h"

struct pmm_vmlist pmm_vmlist;

static u8 memory[FUZZ_POOL_PAGES][PAGE_SIZE];
static u64 flushes;

void *pool_memory(const struct page *page)
{
	unsigned long index = pmm_page_index(&pmm_zone, page);

	ASSERT(index < FUZZ_POOL_PAGES);
	return memory[index];
}

void fuzz_window_init(void)
{
	pmm_vmlist_init(&pmm_vmlist, 0xffffc90000000000UL, FUZZ_WINDOW_PAGES * PAGE_SIZE);
	pmm_vmlist.search_tree = true;
	flushes = 0;
}

void fuzz_window_exit(void)
{
	struct pmm_verdict v = { };

	ASSERT(!pmm_vmlist.head);
	ASSERT(pmm_vmlist_verify(&pmm_vmlist, &v));
	pmm_vmlist_destroy(&pmm_vmlist);
}

unsigned long pmm_window_start(void)
{
	return pmm_vmlist.start;
}

u64 pmm_window_flushes(void)
{
	return flushes;
}

void pmm_vm_unmap_aliases(void)
{
	flushes++;
}

static void put_page_of(struct page *page, unsigned long flags)
{
	if (flags & PMM_VM_ALLOC)
		pmm_free_pages_caller(page, 0, PMM_MAPPED, 0);
	else
		put_page(page);
}

static void destroy(struct pmm_vm_struct *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_pages; i++)
		put_page_of(vm->pages[i], vm->flags);
	kvfree(vm->pages);
	pmm_vmlist_unlink(&pmm_vmlist, vm);
	kfree(vm);
}

static void *finish(struct pmm_vm_struct *vm)
{
	pmm_vmlist_publish(&pmm_vmlist, vm);
	return vm->addr;
}

/* Room for the given number of pages, or the error. */
static struct pmm_vm_struct *new_area(unsigned long nr_pages, unsigned long flags)
{
	struct pmm_vm_struct *vm = pmm_vmlist_get(&pmm_vmlist, nr_pages << PAGE_SHIFT, flags,
						  GFP_KERNEL, NULL);

	if (!IS_ERR(vm))
		vm->pages = kvcalloc(nr_pages, sizeof(*vm->pages), GFP_KERNEL);
	return vm;
}

void *pmm_vmalloc_caller(unsigned long size, gfp_t gfp, pgprot_t prot, unsigned long flags,
			 const void *caller)
{
	unsigned long nr = size / PAGE_SIZE + !!(size % PAGE_SIZE);
	struct pmm_vm_struct *vm;
	struct page *page;

	if (!size || nr > FUZZ_POOL_PAGES)
		return ERR_PTR(-EINVAL);
	vm = new_area(nr, PMM_VM_ALLOC | flags);
	if (IS_ERR(vm))
		return vm;
	while (vm->nr_pages < nr) {
		page = pmm_alloc_page_caller(gfp | __GFP_NOWARN, PMM_MAPPED, 0);
		if (!page) {
			destroy(vm);
			return ERR_PTR(-ENOMEM);
		}
		vm->pages[vm->nr_pages++] = page;
	}
	return finish(vm);
}

void *pmm_vmap_caller(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot,
		      const void *caller)
{
	struct pmm_vm_struct *vm;

	if (!count || count > FUZZ_POOL_PAGES)
		return ERR_PTR(-EINVAL);
	vm = new_area(count, flags);
	if (IS_ERR(vm))
		return vm;
	for (; vm->nr_pages < count; vm->nr_pages++) {
		get_page(pages[vm->nr_pages]);
		vm->pages[vm->nr_pages] = pages[vm->nr_pages];
	}
	return finish(vm);
}

void __iomem *pmm_ioremap_unclaimed(phys_addr_t phys, unsigned long size, const void *caller)
{
	unsigned long offset = phys % PAGE_SIZE;
	struct pmm_vm_struct *vm;

	if (!size || phys + size - 1 < phys || phys + size - 1 >= 1UL << 52)
		return ERR_PTR(-EINVAL);
	vm = pmm_vmlist_get(&pmm_vmlist, PAGE_ALIGN(size + offset), PMM_VM_IOREMAP, GFP_KERNEL,
			    NULL);
	if (IS_ERR(vm))
		return vm;
	vm->phys_addr = phys - offset;
	return finish(vm) + offset;
}

enum pmm_detach_result pmm_take_down(const void *addr, unsigned long type, const void *caller)
{
	struct pmm_vm_struct *vm;
	enum pmm_detach_result result = pmm_vmlist_detach(&pmm_vmlist, addr, type, NULL, &vm);

	if (result == PMM_DETACH_OK)
		destroy(vm);
	return result;
}

/* Only whole pages of areas that are there are asked for. */
struct page *pmm_vmalloc_to_page(const void *addr)
{
	const struct pmm_vm_struct *vm = pmm_vmlist.head;
	unsigned long offset;

	for (; vm; vm = vm->next) {
		offset = (unsigned long)addr - (unsigned long)vm->addr;
		if (offset / PAGE_SIZE < vm->nr_pages)
			return vm->pages[offset / PAGE_SIZE];
	}
	return NULL;
}

long pmm_vread(char *buf, char *addr, unsigned long count)
{
	ASSERT(count == PAGE_SIZE);
	memcpy(buf, pool_memory(pmm_vmalloc_to_page(addr)), count);
	return count;
}

long pmm_vwrite(char *buf, char *addr, unsigned long count)
{
	ASSERT(count == PAGE_SIZE);
	memcpy(pool_memory(pmm_vmalloc_to_page(addr)), buf, count);
	return count;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: areas whose pages are not their own: vmap(), which maps the caller's pages, and 2.4's
 * bare areas, which are only addresses until the caller maps something there.
 *
 * It owns nothing: areas are taken and taken down through vmalloc.c. Process context.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>

#include "vmalloc_inline.h"

/**
 * pmm_refuse_mapping() - count and report a page that is free, or none, and was to be mapped
 * @page: the page
 * @caller: the code that wanted to map it
 *
 * Context: Any.
 */
noinline void pmm_refuse_mapping(const struct page *page, const void *caller)
{
	if (!pmm_page_in_zone(&pmm_zone, page))
		return;
	atomic_long_inc(&pmm_vmlist.nr_refused);
	pr_warn_ratelimited("mapping refused: page %lu of the pool is free, by %pS\n",
			    pmm_page_index(&pmm_zone, page), caller);
}

static bool pmm_are_pages(struct page **pages, unsigned long count, const void *caller)
{
	unsigned long i;

	for (i = 0; i < count; i++) {
		if (!pages[i] || !pfn_valid(page_to_pfn(pages[i])))
			return false;
		if (pmm_page_in_zone(&pmm_zone, pages[i]) && !pmm_window_run_in_use(pages + i, 1)) {
			pmm_refuse_mapping(pages[i], caller);
			return false;
		}
	}
	return true;
}

/* Map the pages and record them. Pages of the pool get a reference, so that none is recycled. */
static int pmm_map_held_pages(struct pmm_vm_struct *vm, struct page **pages, unsigned int count,
			      pgprot_t prot)
{
	struct page **held = pmm_page_array(vm, count, GFP_KERNEL);
	unsigned long got;

	if (!held)
		return -ENOMEM;
	got = pmm_window_hold_pages((unsigned long)vm->addr, pages, count, prot, held,
				    &pmm_area(vm)->foreign);
	pmm_vmlist_set_pages(&pmm_vmlist, vm, held, got);
	if (likely(got == count))
		return 0;
	pmm_refuse_mapping(pages[got], vm->caller);
	return -EINVAL;
}

/**
 * pmm_vmap_caller() - pmm_vmap() for a caller further up
 * @pages: the pages
 * @count: how many
 * @flags: PMM_VM_MAP, and PMM_VM_USERMAP if wanted
 * @prot: protection
 * @caller: address to record
 *
 * Context: Process context; may sleep.
 * Return: The area's address; ERR_PTR: -EINVAL, -ENOSPC, -ENOMEM, -ENXIO.
 */
void *pmm_vmap_caller(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot,
		      const void *caller)
{
	struct pmm_vm_struct *vm;
	int err;

	if (flags & ~(PMM_VM_MAP | PMM_VM_USERMAP))
		return ERR_PTR(-EINVAL);
	vm = pmm_reserve_pages(count, GFP_KERNEL, flags | PMM_VM_MAP, caller);
	if (IS_ERR(vm))
		return vm;
	err = pmm_map_held_pages(vm, pages, count, prot);
	if (unlikely(err)) {
		pmm_destroy_area(vm, caller);
		return ERR_PTR(err);
	}
	pmm_vmlist_publish(&pmm_vmlist, vm);
	return vm->addr;
}

/**
 * pmm_vmap() - map the caller's pages into one range of the window
 * @pages: the pages, of this pool or any other; they stay the caller's
 * @count: how many
 * @flags: PMM_VM_MAP, and PMM_VM_USERMAP to allow pmm_remap_vmalloc_range()
 * @prot: protection of the mapping; execution is never allowed; on arm64 memory is always cached
 *
 * A page of this pool that is freed while it is mapped stays parked until pmm_vunmap(). One that
 * was freed before is refused, counted and reported.
 *
 * Context: Process context; may sleep.
 * Return: The address, or NULL. (2.6.28)
 */
void *pmm_vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot)
{
	void *addr;

	pmm_might_sleep();
	addr = pmm_vmap_caller(pages, count, flags, prot, __builtin_return_address(0));
	return IS_ERR(addr) ? NULL : addr;
}
EXPORT_SYMBOL_GPL(pmm_vmap);

/**
 * pmm_vunmap() - undo pmm_vmap()
 * @addr: its result; NULL is ignored
 *
 * Any other address is refused as by pmm_vfree().
 *
 * Context: Process context, interrupts on; waits for a TLB flush.
 */
void pmm_vunmap(const void *addr)
{
	pmm_might_sleep();
	if (addr)
		pmm_take_down_fast(addr, PMM_VM_MAP, __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(pmm_vunmap);

/* --- bare areas ------------------------------------------------------------------------------- */

/**
 * pmm_get_vm_area() - reserve a range of the window without mapping anything
 * @size: bytes, rounded up to pages; one guard page is added
 * @flags: PMM_VM_*, for the reports only
 *
 * Context: Process context; may sleep.
 * Return: The area, for pmm_map_vm_area() and pmm_remove_vm_area(); NULL on failure. (2.4.22)
 */
struct pmm_vm_struct *pmm_get_vm_area(unsigned long size, unsigned long flags)
{
	const struct pmm_area_request want = {
		/* Higher flags are internal: PMM_VM_RAM, and the slack of redzone=1. */
		.size = size, .align = PAGE_SIZE, .flags = flags & (PMM_VM_RAM - 1),
		.gfp = GFP_KERNEL, .caller = __builtin_return_address(0),
	};
	struct pmm_vm_struct *vm;

	pmm_might_sleep();
	vm = pmm_reserve_area(&want);
	if (IS_ERR(vm))
		return NULL;
	pmm_vmlist_publish(&pmm_vmlist, vm);
	return vm;
}
EXPORT_SYMBOL_GPL(pmm_get_vm_area);

/**
 * pmm_remove_vm_area() - unmap a range and give its addresses back
 * @addr: the area's address
 *
 * An area of pmm_vmalloc() is refused, because its pages would be lost: use pmm_vfree(). The flush
 * is done at once even with purge=lazy, because the record goes to the caller.
 *
 * Context: Process context, interrupts on; waits for a TLB flush.
 * Return: The area's record, which the caller must kfree(); NULL when no area begins there, when
 * it was refused, or when a user mapping still keeps the area alive. (2.6.28)
 */
struct pmm_vm_struct *pmm_remove_vm_area(const void *addr)
{
	const void *caller = __builtin_return_address(0);
	enum pmm_detach_result result;
	struct pmm_vm_struct *vm;

	pmm_might_sleep();
	result = pmm_vmlist_detach(&pmm_vmlist, addr, 0, caller, &vm);
	if (result == PMM_DETACH_OK) {
		pmm_unmap_area(vm, caller);
		return vm;
	}
	if (result != PMM_DETACH_LATER)
		pmm_refuse_area(&pmm_vmlist, addr, 0, result, caller);
	return NULL;
}
EXPORT_SYMBOL_GPL(pmm_remove_vm_area);

/**
 * pmm_find_vm_area() - find the area that begins at an address
 * @addr: the address
 *
 * Context: Process context.
 * Return: The area, valid while the caller knows that nobody frees it; or NULL. (2.6.28)
 */
struct pmm_vm_struct *pmm_find_vm_area(const void *addr)
{
	return pmm_vmlist_find(&pmm_vmlist, addr);
}
EXPORT_SYMBOL_GPL(pmm_find_vm_area);

/**
 * pmm_map_vm_area() - map pages into a range that pmm_get_vm_area() reserved
 * @area: the range
 * @prot: protection of the mapping; execution is never allowed
 * @pages: points to an array of as many pages as the area has; advanced past them, as in 2.6.28
 *
 * The pages stay the caller's and must not be freed before the area is removed.
 *
 * Context: Process context.
 * Return: 0; -EINVAL when an entry of the array is not a page or a free one of the pool, -EBUSY
 * when something is mapped in the range already, -ENXIO when the window is lost; after an error
 * nothing has changed. (2.6.28)
 */
int pmm_map_vm_area(struct pmm_vm_struct *area, pgprot_t prot, struct page ***pages)
{
	unsigned long i, pfn, nr_pages = pmm_area_pages(area);

	if (pmm_window_is_lost())
		return -ENXIO;
	if (!pmm_are_pages(*pages, nr_pages, __builtin_return_address(0)))
		return -EINVAL;
	for (i = 0; i < nr_pages; i++)
		if (pmm_window_lookup((unsigned long)area->addr + (i << PAGE_SHIFT), &pfn))
			return -EBUSY;
	pmm_window_map_pages((unsigned long)area->addr, *pages, nr_pages, prot);
	*pages += nr_pages;
	return 0;
}
EXPORT_SYMBOL_GPL(pmm_map_vm_area);

/**
 * pmm_vmalloc_to_page() - find the page behind an address of the window
 * @addr: any address
 *
 * Context: Any, NMI included; the caller makes sure that the area is not freed meanwhile.
 * Return: The page; NULL when nothing, or a device, is mapped there. (2.4.22)
 */
struct page *pmm_vmalloc_to_page(const void *addr)
{
	unsigned long pfn;
	unsigned int map = pmm_window_lookup((unsigned long)addr, &pfn);

	return map && !(map & PMM_MAP_DEVICE) ? pfn_to_page(pfn) : NULL;
}
EXPORT_SYMBOL_GPL(pmm_vmalloc_to_page);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: areas mapped to user space, as by 2.6.28's remap_vmalloc_range().
 *
 * Each user mapping holds the area: a copy of the mapping, in a child process or by a split, counts
 * as another. An area that its owner frees meanwhile lives until the last mapping goes; the task
 * that drops that mapping takes the area down. It owns nothing; process context, under mmap_lock.
 */
#include <linux/export.h>

#include "host/compat.h"
#include "host/window.h"

static void pmm_vma_open(struct vm_area_struct *vma)
{
	pmm_vmlist_hold_again(&pmm_vmlist, vma->vm_private_data);
}

static void pmm_vma_close(struct vm_area_struct *vma)
{
	struct pmm_vm_struct *vm = vma->vm_private_data;

	if (pmm_vmlist_drop(&pmm_vmlist, vm))
		pmm_destroy_area(vm, __builtin_return_address(0));
}

static const struct vm_operations_struct pmm_vm_ops = {
	.open	= pmm_vma_open,
	.close	= pmm_vma_close,
};

static int pmm_insert_pages(struct vm_area_struct *vma, struct pmm_vm_struct *vm,
			    unsigned long pgoff)
{
	unsigned long i, nr_pages = vma_pages(vma);
	int err;

	if (!vm->pages || pgoff > vm->nr_pages || nr_pages > vm->nr_pages - pgoff)
		return -EINVAL;
	for (i = 0; i < nr_pages; i++) {
		err = vm_insert_page(vma, vma->vm_start + (i << PAGE_SHIFT), vm->pages[pgoff + i]);
		if (err)
			return err;
	}
	return 0;
}

/**
 * pmm_remap_vmalloc_range() - map an area to user space
 * @vma: the user's range, from a driver's mmap; the pool takes over its vm_ops and vm_private_data
 * @addr: the area's address, from pmm_vmalloc_user() or from pmm_vmap() with PMM_VM_USERMAP
 * @pgoff: pages of the area to skip
 *
 * The area lives as long as the mapping and its copies in child processes, even if its owner frees
 * it meanwhile.
 *
 * Context: Process context, mmap_lock held for writing, as in a driver's mmap; may sleep.
 * Return: 0; -EINVAL when no area for users begins at @addr, or the range goes beyond it; -ENXIO
 * when the window is lost; or vm_insert_page()'s error. (2.6.28)
 */
int pmm_remap_vmalloc_range(struct vm_area_struct *vma, void *addr, unsigned long pgoff)
{
	struct pmm_vm_struct *vm;
	int err;

	pmm_might_sleep();
	if (pmm_window_is_lost())
		return -ENXIO;
	vm = pmm_vmlist_hold(&pmm_vmlist, addr);
	if (!vm)
		return -EINVAL;
	err = pmm_insert_pages(vma, vm, pgoff);
	if (err) {
		if (pmm_vmlist_drop(&pmm_vmlist, vm))
			pmm_destroy_area(vm, __builtin_return_address(0));
		return err;
	}
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = vm;
	vma->vm_ops = &pmm_vm_ops;
	return 0;
}
EXPORT_SYMBOL_GPL(pmm_remap_vmalloc_range);

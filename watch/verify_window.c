// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: verify's walk over the window: each page table entry is compared with the area at its
 * address. Holes and guard pages must be empty, and a live area must map exactly its pages.
 *
 * It owns nothing. Process context; the walk holds pmm_vmlist.lock.
 */
#include "host/window.h"

/* Does the entry of @addr match the area? While an area is being changed, both states are right. */
static bool pmm_entry_right(const struct pmm_vm_struct *vm, enum pmm_area_state state,
			    unsigned long addr, bool mapped, unsigned long pfn)
{
	unsigned long page = (addr - (unsigned long)vm->addr) >> PAGE_SHIFT;

	if (page == pmm_area_pages(vm))
		return !mapped;		/* the guard page */
	if (pmm_area_waits(pmm_area(vm)))
		return !mapped;
	if (state != PMM_AREA_LIVE)
		return true;		/* being mapped or unmapped at this moment */
	if (vm->pages)
		return mapped && pfn == page_to_pfn(vm->pages[page]);
	if (vm->phys_addr)
		return mapped && pfn == PHYS_PFN(vm->phys_addr) + page;
	return true;			/* pmm_get_vm_area(): up to its owner */
}

static bool __pmm_verify_entries(struct pmm_verdict *v)
{
	const struct pmm_vm_struct *vm = pmm_vmlist.head;
	unsigned long addr, pfn = 0;

	lockdep_assert_held(&pmm_vmlist.lock);
	for (addr = pmm_vmlist.start; addr < pmm_vmlist.end; addr += PAGE_SIZE) {
		enum pmm_area_state state = PMM_AREA_NEW;
		bool mapped, in_area;

		while (vm && addr >= (unsigned long)vm->addr + vm->size)
			vm = vm->next;
		in_area = vm && addr >= (unsigned long)vm->addr;
		if (in_area)
			/* Before its entries; pairs with the release in pmm_vmlist_publish(). */
			state = pmm_area_state(pmm_area(vm));
		mapped = pmm_window_lookup(addr, &pfn);
		v->mapped += mapped;
		if (in_area ? pmm_entry_right(vm, state, addr, mapped, pfn) : !mapped)
			continue;
		snprintf(v->why, sizeof(v->why), "window offset %lu: %s", addr - pmm_vmlist.start,
			 !mapped ? "nothing is mapped in an area" :
			 in_area ? "the wrong page, or a guard page, is mapped" :
				   "something is mapped in a hole");
		return false;
	}
	return true;
}

/**
 * pmm_window_verify() - check the list of areas, then every page table entry of the window
 * @v: the counts are added to it; its @why gets the first violation
 *
 * Context: Process context.
 * Return: true when all is well.
 */
bool pmm_window_verify(struct pmm_verdict *v)
{
	bool ok;

	if (pmm_window_is_lost()) {
		snprintf(v->why, sizeof(v->why), "the window is lost: the kernel has freed it");
		return false;
	}
	if (!pmm_vmlist_verify(&pmm_vmlist, v))
		return false;
	spin_lock(&pmm_vmlist.lock);
	ok = __pmm_verify_entries(v);
	spin_unlock(&pmm_vmlist.lock);
	return ok;
}

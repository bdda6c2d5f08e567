/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the fast paths of vmalloc(), vmap() and their frees. Each is one straight line through
 * the list, the pages and the page table entries, and leaves it for a call only in rare cases.
 *
 * All of it is always inline. vmalloc.c and vmap.c each need it with constants of their own, and a
 * small area has so little to do that calls between the steps would show in the benchmark. The rare
 * cases are in vmalloc.c.
 */
#ifndef POCKETMM_VMALLOC_INLINE_H
#define POCKETMM_VMALLOC_INLINE_H

#include "host/window.h"
#include "pcp.h"
#include "purge.h"

/* The rare cases: vmalloc.c. */
void pmm_free_many_pages(struct page **pages, unsigned long nr_pages, unsigned long caller,
			 bool may_sleep);
enum pmm_detach_result pmm_take_down_in_steps(const void *addr, unsigned long type,
					      const void *caller);
struct pmm_vm_struct *pmm_reserve_anywhere(unsigned long size, gfp_t gfp, unsigned long flags,
					   const void *caller);
int pmm_alloc_area_pages(struct pmm_vm_struct *vm, unsigned long got, gfp_t gfp);
void pmm_abandon_area(struct pmm_vm_struct *vm);

/* --- taking an area down ---------------------------------------------------------------------- */

static __always_inline void pmm_free_area_pages(struct page **pages, unsigned long nr_pages,
						unsigned long caller, bool may_sleep)
{
	unsigned long done = 0;

	if (likely(pmm_bulk && nr_pages <= PMM_PCP_BATCH))
		done = pmm_pcp_free_many(&pmm_zone, PMM_MAPPED, caller, nr_pages, pages);
	if (unlikely(done < nr_pages))
		pmm_free_many_pages(pages + done, nr_pages - done, caller, may_sleep);
}

/* Give back all that a record holds. The record is no longer in use elsewhere. */
static __always_inline void pmm_drop_pages(const struct pmm_vm_struct *vm, const void *caller)
{
	if (unlikely(pmm_area_slack(vm)))
		pmm_redzone_check(vm, caller);
	if (vm->flags & PMM_VM_ALLOC)
		pmm_free_area_pages(vm->pages, vm->nr_pages, (unsigned long)caller, true);
	else if (vm->pages)
		pmm_window_put_pages(vm->pages, vm->nr_pages, pmm_area(vm)->foreign);
	if (unlikely(vm->pages != pmm_area(vm)->slots))
		kvfree(vm->pages);
}

/*
 * With purge=lazy an area right above one that waits is found, unmapped and joined to that one
 * without dropping the lock. Not with search=linear, where finding it takes a walk of the list. The
 * pages are given up afterwards; the longer path does that before the addresses start to wait.
 */
static __always_inline bool pmm_take_down_at_once(const void *addr, unsigned long type,
						  const void *caller)
{
	struct pmm_vmlist *list = &pmm_vmlist;
	struct pmm_area *area, *gone;

	if (unlikely(!list->search_tree) || unlikely(pmm_window_is_lost()))
		return false;
	spin_lock(&list->lock);
	area = __pmm_vmlist_find_joinable(list, addr, type);
	if (unlikely(!area || !pmm_window_unmap_within((unsigned long)area->vm.addr,
						       pmm_area_pages(&area->vm)))) {
		spin_unlock(&list->lock);
		return false;
	}
	gone = __pmm_vmlist_join(list, area);
	__pmm_note_freed(list, addr, caller);
	spin_unlock(&list->lock);
	pmm_drop_pages(&area->vm, caller);
	pmm_free_record(list, area);
	if (unlikely(gone))
		pmm_free_record(list, gone);
	pmm_purge_excess();
	return true;
}

/* pmm_take_down(), for callers that know @type. */
static __always_inline enum pmm_detach_result
pmm_take_down_fast(const void *addr, unsigned long type, const void *caller)
{
	if (likely(pmm_purge_is_lazy()) && likely(pmm_take_down_at_once(addr, type, caller)))
		return PMM_DETACH_OK;
	return pmm_take_down_in_steps(addr, type, caller);
}

/* --- taking an area --------------------------------------------------------------------------- */

/* Room for the pages: in the record, or in a separate array. */
static inline struct page **pmm_page_array(struct pmm_vm_struct *vm, unsigned long nr_pages,
					   gfp_t gfp)
{
	if (nr_pages <= pmm_area(vm)->nr_slots)
		return pmm_area(vm)->slots;
	return pmm_may_fail(kvmalloc_array(nr_pages, sizeof(struct page *), gfp));
}

/* An area of @nr_pages, usually right above all others; ERR_PTR on failure. */
static __always_inline struct pmm_vm_struct *pmm_reserve_pages(unsigned long nr_pages, gfp_t gfp,
							       unsigned long flags,
							       const void *caller)
{
	struct pmm_vm_struct *vm = NULL;

	if (unlikely(pmm_window_is_lost()))
		return ERR_PTR(-ENXIO);
	if (likely(nr_pages - 1 < PMM_MAX_SLOTS))
		vm = pmm_vmlist_reserve_on_top(&pmm_vmlist, (nr_pages + 1) << PAGE_SHIFT, flags,
					       nr_pages, caller);
	return likely(vm) ? vm : pmm_reserve_anywhere(nr_pages << PAGE_SHIFT, gfp, flags, caller);
}

static __always_inline void pmm_map_pages(struct pmm_vm_struct *vm, struct page **pages,
					  unsigned long nr_pages, pgprot_t prot)
{
	unsigned long addr = (unsigned long)vm->addr;
	unsigned int i;

	for (i = 0; unlikely(i < pmm_area(vm)->nr_huge); i++) {
		pmm_window_map_huge(addr, page_to_pfn(*pages), prot);
		addr += PMD_SIZE;
		pages += PTRS_PER_PTE;
		nr_pages -= PTRS_PER_PTE;
	}
	/* If the pages end with a whole leaf, the next slot needs no table. */
	if (likely(nr_pages))
		pmm_window_map_pages(addr, pages, nr_pages, prot);
}

/* pmm_vmalloc_caller(), inlined into its two callers in vmalloc.c. */
static __always_inline void *pmm_vmalloc_fast(unsigned long size, gfp_t gfp, pgprot_t prot,
					      unsigned long flags, const void *caller)
{
	unsigned long nr_pages = PFN_UP(size), got = 0;
	struct pmm_vm_struct *vm;
	int err;

	if (unlikely(!size || size > pmm_zone.nr_pages << PAGE_SHIFT))
		return ERR_PTR(-EINVAL);
	vm = pmm_reserve_pages(nr_pages, gfp, PMM_VM_ALLOC | flags, caller);
	if (IS_ERR(vm))
		return vm;
	if (likely(pmm_bulk && nr_pages <= PMM_PCP_BATCH && !(gfp & __GFP_ZERO)))
		got = pmm_pcp_alloc_many(&pmm_zone, PMM_MAPPED, gfp, (unsigned long)caller,
					 nr_pages, pmm_area(vm)->slots);
	if (likely(got == nr_pages)) {
		pmm_vmlist_set_pages(&pmm_vmlist, vm, pmm_area(vm)->slots, nr_pages);
	} else {
		err = pmm_alloc_area_pages(vm, got, gfp);
		if (err) {
			pmm_abandon_area(vm);
			return ERR_PTR(err);
		}
	}
	if (unlikely(pmm_redzone))
		pmm_redzone_paint(vm, size);
	pmm_map_pages(vm, vm->pages, nr_pages, prot);
	pmm_vmlist_publish(&pmm_vmlist, vm);
	return vm->addr;
}

#endif /* POCKETMM_VMALLOC_INLINE_H */

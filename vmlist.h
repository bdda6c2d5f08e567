/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the fast path of a reservation: the new area comes right above all others. While freed
 * areas wait for a flush (lazy.h), nearly all new ones come there. The rest of the list, and the
 * locking rule, are in vmlist.c.
 *
 * The path is always inline, because a small vmalloc() has so little else to do that a call would
 * show in the benchmark. Functions whose names begin with a double underscore run with list->lock
 * held.
 */
#ifndef POCKETMM_VMLIST_H
#define POCKETMM_VMLIST_H

#include "hole_tree.h"

void __pmm_vmlist_remove(struct pmm_vmlist *list, struct pmm_area *area, bool merged);

/* For the report of a further free of the area. Two arrays take fewer instructions than one. */
static __always_inline void __pmm_note_freed(struct pmm_vmlist *list, const void *addr,
					     const void *caller)
{
	u8 at = list->next_freed;

	static_assert(PMM_FREED_KEPT == 1U << (8 * sizeof(at)), "it wraps around");
	WRITE_ONCE(list->freed[at], addr);
	WRITE_ONCE(list->freed_by[at], caller);
	WRITE_ONCE(list->next_freed, at + 1);
}

/* --- records ---------------------------------------------------------------------------------- */

/* Returns the spare record if it has enough room for the pages, and not far too much. */
static __always_inline struct pmm_area *pmm_take_spare(struct pmm_vmlist *list,
						       unsigned int nr_slots)
{
	struct pmm_area *area = READ_ONCE(list->spare);

	if (!area)
		return NULL;
	area = xchg(&list->spare, NULL);
	if (likely(area && area->nr_slots >= nr_slots && area->nr_slots <= 2 * nr_slots + 8))
		return area;
	kfree(area);
	return NULL;
}

static __always_inline void pmm_free_record(struct pmm_vmlist *list, struct pmm_area *area)
{
	area = xchg(&list->spare, area);
	if (unlikely(area))
		kfree(area);
}

static __always_inline void pmm_init_area(struct pmm_area *area, unsigned long size,
					  unsigned long flags, const void *caller)
{
	area->vm.flags = flags;
	area->vm.size = size;
	area->vm.pages = NULL;
	area->vm.nr_pages = 0;
	area->vm.phys_addr = 0;
	area->vm.caller = caller;
	area->state = PMM_AREA_NEW;
	area->orphan = false;
	area->foreign = false;
	area->users = 1;
	area->nr_huge = 0;
}

/* --- on top of the list ----------------------------------------------------------------------- */

static __always_inline unsigned long pmm_page_of(const struct pmm_vmlist *list, unsigned long addr)
{
	return (addr - list->start) >> PAGE_SHIFT;
}

/*
 * Is the first hole of @size bytes the one above the highest area? Not while a free is deferred
 * there: only pmm_vmlist_reserve() voids it. The caller has checked search=tree.
 */
static __always_inline bool __pmm_is_room_on_top(const struct pmm_vmlist *list, unsigned long size)
{
	const struct rb_node *root = list->tree.rb_node;
	unsigned long addr;

	if (unlikely(!list->tail) ||
	    (root && rb_entry(root, struct pmm_area, node)->max_gap >= size))
		return false;
	addr = pmm_end_of(list->tail);
	return list->end - addr >= size &&
	       !(list->deferred && test_bit(pmm_page_of(list, addr), list->deferred));
}

/* The new area enters the tree only when another one comes on top of it. */
static __always_inline void __pmm_put_on_top(struct pmm_vmlist *list, struct pmm_area *area)
{
	struct pmm_vm_struct *vm = &area->vm, *below = list->tail;

	if (unlikely(list->top))
		__pmm_tree_settle(list);
	vm->addr = (void *)pmm_end_of(below);
	vm->next = NULL;
	area->prev = below;
	below->next = vm;
	list->tail = vm;
	list->top = area;
	list->nr_areas++;
}

/**
 * pmm_vmlist_reserve_on_top() - pmm_vmlist_reserve() above the highest area
 * @list: the window
 * @size: bytes, whole pages and the guard page included
 * @flags: PMM_VM_*
 * @nr_slots: number of pages that the record needs room for, at most PMM_MAX_SLOTS
 * @caller: address to record
 *
 * Context: Process context.
 * Return: As pmm_vmlist_reserve(). NULL, and nothing is reserved, when the first fit is elsewhere,
 * with search=linear, or without a spare record.
 */
static __always_inline struct pmm_vm_struct *
pmm_vmlist_reserve_on_top(struct pmm_vmlist *list, unsigned long size, unsigned long flags,
			  unsigned int nr_slots, const void *caller)
{
	struct pmm_area *area;

	if (unlikely(!list->search_tree))
		return NULL;
	area = pmm_take_spare(list, nr_slots);
	if (unlikely(!area))
		return NULL;
	pmm_init_area(area, size, flags, caller);
	spin_lock(&list->lock);
	if (unlikely(!__pmm_is_room_on_top(list, size))) {
		spin_unlock(&list->lock);
		pmm_free_record(list, area);
		return NULL;
	}
	__pmm_put_on_top(list, area);
	spin_unlock(&list->lock);
	return &area->vm;
}

#endif /* POCKETMM_VMLIST_H */

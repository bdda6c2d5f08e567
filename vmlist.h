/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the fast paths of the vm_struct list, for vmalloc.c: an area is reserved on top of all
 * others, and is taken down on top of one that waits for a flush. While areas wait, that is where
 * nearly all come and go. The rest, and the locking rule, are in vmlist.c.
 */
#ifndef POCKETMM_VMLIST_H
#define POCKETMM_VMLIST_H

#include <linux/rbtree.h>

#include "internal.h"

static __always_inline unsigned long pmm_start_of(const struct pmm_vm_struct *vm)
{
	return (unsigned long)vm->addr;
}

static __always_inline unsigned long pmm_end_of(const struct pmm_vm_struct *vm)
{
	return (unsigned long)vm->addr + vm->size;
}

/* --- records ---------------------------------------------------------------------------------- */

/* The spare record, if it has enough room and not far too much. */
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
 * Is right above the highest area the first hole of so many bytes? Not while a free is deferred
 * there, which pmm_vmlist_reserve() has to make void. The caller has seen that search=tree.
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

/* Right above the highest area; it enters the tree when another comes on top of it. */
static __always_inline void __pmm_put_on_top(struct pmm_vmlist *list, struct pmm_area *area)
{
	struct pmm_vm_struct *vm = &area->vm, *below = list->tail;

	if (unlikely(list->top))
		__pmm_vmlist_settle(list);
	vm->addr = (void *)pmm_end_of(below);
	vm->next = NULL;
	area->prev = below;
	below->next = vm;
	list->tail = vm;
	list->top = area;
	list->nr_areas++;
}

/**
 * pmm_vmlist_reserve_on_top() - pmm_vmlist_reserve() where that is quick
 * @list: the window
 * @size: bytes, whole pages and the guard page included
 * @flags: PMM_VM_*
 * @nr_slots: pages that the record is to have room for, at most PMM_MAX_SLOTS
 * @caller: who asks
 *
 * Context: Process context.
 * Return: As pmm_vmlist_reserve(); NULL when the address that it would choose is elsewhere, with
 * search=linear, or when there is no spare record: nothing is reserved then.
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

/* --- on top of what waits for a flush --------------------------------------------------------- */

static __always_inline bool pmm_is_lazy(const struct pmm_vm_struct *vm)
{
	return vm && pmm_area(vm)->state == PMM_AREA_LAZY;
}

/* Could it become part of the area below it, which waits? */
static __always_inline bool __pmm_can_join(const struct pmm_area *area)
{
	return pmm_is_lazy(area->prev) && pmm_end_of(area->prev) == pmm_start_of(&area->vm);
}

/**
 * __pmm_vmlist_find_joinable() - an area that is to be freed, and that nothing need be asked about
 * @list: the window, locked
 * @addr: first byte of the area
 * @type: as for pmm_vmlist_detach(), but not 0
 *
 * Context: Process context, list->lock held.
 * Return: The area, which the caller has to unmap and hand to __pmm_vmlist_join() before it drops
 * the lock; NULL when pmm_vmlist_detach() has to look at it.
 */
static __always_inline struct pmm_area *__pmm_vmlist_find_joinable(struct pmm_vmlist *list,
								   const void *addr,
								   unsigned long type)
{
	struct pmm_area *area = list->top;

	lockdep_assert_held(&list->lock);
	if (!area || area->vm.addr != addr)
		area = __pmm_vmlist_find_area(list, addr);
	/* The acquire pairs with the release in pmm_vmlist_publish(). */
	if (unlikely(!area || smp_load_acquire(&area->state) != PMM_AREA_LIVE ||
		     area->users != 1 || area->orphan || !(area->vm.flags & type)))
		return NULL;
	return likely(__pmm_can_join(area)) ? area : NULL;
}

/**
 * __pmm_vmlist_join() - what pmm_vmlist_detach() and pmm_vmlist_retire() do, at once
 * @list: the window, locked
 * @area: of __pmm_vmlist_find_joinable(), and unmapped since; its addresses are those of the area
 *	below from here on, and the record is the caller's
 *
 * Context: Process context, list->lock held.
 * Return: Another record that is left over, for pmm_free_record(); or NULL.
 */
static __always_inline struct pmm_area *__pmm_vmlist_join(struct pmm_vmlist *list,
							  struct pmm_area *area)
{
	struct pmm_vm_struct *below = area->prev;

	lockdep_assert_held(&list->lock);
	if (pmm_tracing())
		pmm_trace_area_gone(list, &area->vm, true);
	list->lazy_bytes += area->vm.size;
	below->size += area->vm.size;
	if (unlikely(area != list->top))
		return __pmm_vmlist_absorbed(list, area);
	list->top = NULL;
	list->tail = below;
	below->next = NULL;
	list->nr_areas--;
	return NULL;
}

#endif /* POCKETMM_VMLIST_H */

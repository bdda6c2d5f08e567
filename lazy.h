/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: areas that wait for a flush (lazy.c), and the fast path of a free: an area right above
 * one that waits becomes part of it.
 *
 * While areas wait, nearly every free ends there. The path is always inline, because the free of a
 * small area has so little else to do that a call would show in the benchmark. Functions whose
 * names begin with a double underscore run with list->lock held.
 */
#ifndef POCKETMM_LAZY_H
#define POCKETMM_LAZY_H

#include "vmlist.h"

void pmm_vmlist_retire(struct pmm_vmlist *list, struct pmm_vm_struct *vm);
bool pmm_vmlist_purge_begin(struct pmm_vmlist *list, struct list_head *purged);
void pmm_vmlist_purge_end(struct pmm_vmlist *list, struct list_head *purged);
struct pmm_area *__pmm_vmlist_absorbed(struct pmm_vmlist *list, struct pmm_area *area);

static __always_inline bool pmm_is_lazy(const struct pmm_vm_struct *vm)
{
	return vm && pmm_area_state(pmm_area(vm)) == PMM_AREA_LAZY;
}

/* May the area become part of the one below it? Only if that one waits and there is no hole. */
static __always_inline bool __pmm_can_join(const struct pmm_area *area)
{
	return pmm_is_lazy(area->prev) && pmm_end_of(area->prev) == pmm_start_of(&area->vm);
}

/**
 * __pmm_vmlist_find_joinable() - find an area that can be freed by joining the one below it
 * @list: the window, locked
 * @addr: first byte of the area
 * @type: as for pmm_vmlist_detach(), but not 0
 *
 * Context: Process context, list->lock held.
 * Return: The area: the caller unmaps it and passes it to __pmm_vmlist_join() before it drops the
 * lock. NULL when the free has to go through pmm_vmlist_detach().
 */
static __always_inline struct pmm_area *__pmm_vmlist_find_joinable(struct pmm_vmlist *list,
								   const void *addr,
								   unsigned long type)
{
	struct pmm_area *area = list->top;

	lockdep_assert_held(&list->lock);
	if (!area || area->vm.addr != addr)
		area = __pmm_vmlist_find_area(list, addr);
	if (unlikely(!area || pmm_area_state(area) != PMM_AREA_LIVE ||
		     area->users != 1 || area->orphan || !(area->vm.flags & type)))
		return NULL;
	return likely(__pmm_can_join(area)) ? area : NULL;
}

/**
 * __pmm_vmlist_join() - do the work of pmm_vmlist_detach() and pmm_vmlist_retire() in one step
 * @list: the window, locked
 * @area: from __pmm_vmlist_find_joinable(), and unmapped since. From now on its addresses belong to
 *	the area below, and its record to the caller
 *
 * Context: Process context, list->lock held.
 * Return: Another record that is left over, for pmm_free_record(); or NULL.
 */
static __always_inline struct pmm_area *__pmm_vmlist_join(struct pmm_vmlist *list,
							  struct pmm_area *area)
{
	struct pmm_vm_struct *below = area->prev;

	lockdep_assert_held(&list->lock);
	pmm_tell_area_gone(list, &area->vm, true);
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

#endif /* POCKETMM_LAZY_H */

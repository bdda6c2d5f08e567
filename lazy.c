// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: areas that wait for a flush. With purge=lazy an area that is freed is unmapped at once,
 * but its addresses stay on the list of vm_struct until a purge: one flush of every TLB for all of
 * them (purge.c). Neighbours that wait are one record, so that a purge has little to do:
 *
 *	[ live ][ lazy     ][ live ][ lazy ]	vfree() of the second live area:
 *	[ live ][ lazy                     ]	it joins the area below, and absorbs the one above
 *
 *	LIVE -> DYING -> LAZY -> PURGED -> a hole	while a flush is under way, PURGED keeps
 *						areas that are freed meanwhile from joining
 *
 * It owns list->lazy and its counters. Functions whose names begin with a double underscore run
 * with list->lock held (vmlist.c). It compiles unchanged in user space.
 */
#include "lazy.h"

/*
 * If the area above a waiting area waits too, the two become one. Returns the upper one's record,
 * for the caller to free.
 */
static struct pmm_area *__pmm_merge_above(struct pmm_vmlist *list, struct pmm_area *area)
{
	struct pmm_area *above = area->vm.next ? pmm_area(area->vm.next) : NULL;

	if (!above || !pmm_is_lazy(&above->vm) || above->vm.addr != area->vm.addr + area->vm.size)
		return NULL;
	list_del(&above->waiting);
	list->nr_lazy--;
	area->vm.size += above->vm.size;
	__pmm_vmlist_remove(list, above, true);
	return above;
}

/**
 * __pmm_vmlist_absorbed() - take an area off the list whose addresses the area below has taken over
 * @list: the window, locked
 * @area: the area; its record belongs to the caller afterwards
 *
 * Context: Process context, list->lock held.
 * Return: Another record that is left over, if the area above waits too; or NULL.
 */
struct pmm_area *__pmm_vmlist_absorbed(struct pmm_vmlist *list, struct pmm_area *area)
{
	struct pmm_area *below = pmm_area(area->prev);

	lockdep_assert_held(&list->lock);
	__pmm_vmlist_remove(list, area, true);
	return __pmm_merge_above(list, below);
}

/* The area keeps its record and waits. Returns a record that is left over, or NULL. */
static struct pmm_area *__pmm_start_waiting(struct pmm_vmlist *list, struct pmm_area *area)
{
	pmm_tell_area_gone(list, &area->vm, true);
	list->lazy_bytes += area->vm.size;
	area->vm.flags = 0;
	area->vm.caller = NULL;
	area->vm.phys_addr = 0;
	area->nr_huge = 0;
	area->state = PMM_AREA_LAZY;
	list_add_tail(&area->waiting, &list->lazy);
	list->nr_lazy++;
	return __pmm_merge_above(list, area);
}

/**
 * pmm_vmlist_retire() - leave an area's addresses to the next purge
 * @list: the window
 * @vm: the area: detached and unmapped; no longer the caller's
 *
 * Context: Process context.
 */
void pmm_vmlist_retire(struct pmm_vmlist *list, struct pmm_vm_struct *vm)
{
	struct pmm_area *area = pmm_area(vm), *gone;
	bool joined;

	spin_lock(&list->lock);
	joined = __pmm_can_join(area);
	if (joined)
		gone = __pmm_vmlist_join(list, area);
	else
		gone = __pmm_start_waiting(list, area);
	spin_unlock(&list->lock);
	if (joined)
		pmm_free_record(list, area);
	if (gone)
		pmm_free_record(list, gone);
}

/**
 * pmm_vmlist_purge_begin() - collect the areas that wait for a flush
 * @list: the window
 * @purged: gets the areas, for pmm_vmlist_purge_end()
 *
 * Context: Process context.
 * Return: true when there are any: then the caller flushes every TLB.
 */
bool pmm_vmlist_purge_begin(struct pmm_vmlist *list, struct list_head *purged)
{
	struct pmm_area *area;

	INIT_LIST_HEAD(purged);
	spin_lock(&list->lock);
	list_for_each_entry(area, &list->lazy, waiting)
		area->state = PMM_AREA_PURGED;
	list_splice_init(&list->lazy, purged);
	spin_unlock(&list->lock);
	return !list_empty(purged);
}

/* Only some areas at a time, so that the lock is not held for long. */
static void pmm_vmlist_remove_some(struct pmm_vmlist *list, struct list_head *purged,
				   struct list_head *gone)
{
	struct pmm_area *area, *next;
	unsigned int most = 64;

	spin_lock(&list->lock);
	list_for_each_entry_safe(area, next, purged, waiting) {
		pmm_tell_purge(list, &area->vm);
		list->lazy_bytes -= area->vm.size;
		list->nr_lazy--;
		__pmm_vmlist_remove(list, area, false);
		list_move_tail(&area->waiting, gone);
		if (!--most)
			break;
	}
	spin_unlock(&list->lock);
}

/**
 * pmm_vmlist_purge_end() - turn the addresses of purged areas into holes
 * @list: the window
 * @purged: from pmm_vmlist_purge_begin(), with every TLB flushed since
 *
 * Context: Process context.
 */
void pmm_vmlist_purge_end(struct pmm_vmlist *list, struct list_head *purged)
{
	struct pmm_area *area, *next;

	while (!list_empty(purged)) {
		LIST_HEAD(gone);

		pmm_vmlist_remove_some(list, purged, &gone);
		list_for_each_entry_safe(area, next, &gone, waiting)
			kfree(area);
	}
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: search=tree. The areas of a window are in a red-black tree as well as on the list; each
 * knows the hole below it and the largest hole of its subtree.
 *
 * For vmlist.c and vmlist.h. Functions whose names begin with a double underscore run with
 * list->lock held.
 */
#ifndef POCKETMM_HOLE_TREE_H
#define POCKETMM_HOLE_TREE_H

#include <linux/rbtree.h>

#include "internal.h"

/**
 * struct pmm_hole - where a new area fits
 * @addr: its first address
 * @above: the next higher area, or NULL
 */
struct pmm_hole {
	unsigned long		addr;
	struct pmm_vm_struct	*above;
};

void __pmm_tree_insert(struct pmm_vmlist *list, struct pmm_area *area, unsigned long gap);
void __pmm_tree_erase(struct pmm_vmlist *list, struct pmm_area *area, bool merged);
bool __pmm_tree_find_hole(const struct pmm_vmlist *list, unsigned long size, unsigned long align,
			  struct pmm_hole *hole);
struct pmm_area *__pmm_tree_find(const struct pmm_vmlist *list, const void *addr);
struct pmm_area *__pmm_tree_find_above(const struct pmm_vmlist *list, unsigned long addr);
void __pmm_tree_settle(struct pmm_vmlist *list);

static inline unsigned long pmm_start_of(const struct pmm_vm_struct *vm)
{
	return (unsigned long)vm->addr;
}

static inline unsigned long pmm_end_of(const struct pmm_vm_struct *vm)
{
	return (unsigned long)vm->addr + vm->size;
}

/* The first address after the highest area. */
static inline unsigned long __pmm_top_of(const struct pmm_vmlist *list)
{
	return list->tail ? pmm_end_of(list->tail) : list->start;
}

/*
 * Does an area fit between hole->addr and @end? If so, the address is aligned. The check compares
 * differences, not sums, so nothing can overflow.
 */
static inline bool pmm_fits(struct pmm_hole *hole, unsigned long end, unsigned long want,
			    unsigned long align)
{
	unsigned long pad = -hole->addr & (align - 1), size = end - hole->addr;

	if (pad > size || want > size - pad)
		return false;
	hole->addr += pad;
	return true;
}

#endif /* POCKETMM_HOLE_TREE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the areas of the window and the list that describes them.
 */
#ifndef POCKETMM_AREA_H
#define POCKETMM_AREA_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>

#include "pocketmm.h"
#include "zone.h"
#include "watch/watch.h"

/* --- vmlist.c: the address-ordered vm_struct list --------------------------------------------- */

enum pmm_area_state {
	PMM_AREA_NEW,	/* on the list; its future owner is mapping it */
	PMM_AREA_LIVE,	/* its owner may map, read and free it */
	PMM_AREA_DYING,	/* being unmapped; its addresses stay in use until the flush */
	PMM_AREA_LAZY,	/* one or more freed areas, unmapped; the addresses wait for a flush */
	PMM_AREA_PURGED, /* likewise, while the flush is under way */
};

/**
 * struct pmm_area - a vm_struct and its private fields; protected by vmlist->lock
 * @vm: the public record; first, so that kfree() of it frees the whole
 * @state: see enum pmm_area_state
 * @orphan: its owner has freed it; only user mappings keep it alive
 * @users: counts the owner and each user mapping
 * @prev: the area with the next lower address
 * @node: in vmlist->tree; by address
 * @gap: bytes of the hole below the area; only with search=tree, like @max_gap
 * @max_gap: the largest @gap in the area's subtree
 * @waiting: in vmlist->lazy while @state is PMM_AREA_LAZY
 * @foreign: some of vm.pages do not belong to the pool
 * @nr_huge: 2 MiB entries that map it
 * @nr_slots: length of @slots
 * @slots: room for vm.pages, so that a small area needs one allocation only
 */
struct pmm_area {
	struct pmm_vm_struct	vm;
	enum pmm_area_state	state;
	bool			orphan;
	bool			foreign;
	unsigned long		users;
	struct pmm_vm_struct	*prev;
	struct rb_node		node;
	unsigned long		gap;
	unsigned long		max_gap;
	struct list_head	waiting;
	unsigned int		nr_huge;
	unsigned int		nr_slots;
	struct page		*slots[];
};

/* In addition to PMM_VM_*: a block of vm_map_ram(), which cuts mappings from it. */
#define PMM_VM_RAM	0x80000000UL

/* With redzone=1, above all flags: bytes of the last page after the owner's last byte. */
#define PMM_VM_SLACK_SHIFT	32

/* An area with more pages has a separate array for them. */
#define PMM_MAX_SLOTS	128U

/**
 * struct pmm_area_request - arguments of pmm_vmlist_reserve()
 * @size: bytes, rounded up to pages; one guard page is added
 * @align: of the address: a power of two, PAGE_SIZE or more
 * @flags: PMM_VM_*
 * @nr_slots: number of pages that the record gets room for, at most PMM_MAX_SLOTS
 * @gfp: for the record itself
 * @caller: address to record
 */
struct pmm_area_request {
	unsigned long	size;
	unsigned long	align;
	unsigned long	flags;
	unsigned int	nr_slots;
	gfp_t		gfp;
	const void	*caller;
};

/* So many of the areas that were freed last are remembered, for the report of a further free. */
#define PMM_FREED_KEPT		256U

/* Records of frees that were deferred. */
#define PMM_DEFERRED_KEPT	64U

/**
 * struct pmm_vmlist - a window of addresses and the areas in it
 * @lock: protects the list, and each area's state
 * @head: the area with the lowest address
 * @tail: the area with the highest
 * @top: @tail while it is not in @tree, which requires that no hole is below it; else NULL
 * @nr_areas: length of the list
 * @spare: a record for the next area, so that a free and an allocation need not go through
 *	kfree() and kmalloc(); exchanged atomically
 * @lazy: areas in state PMM_AREA_LAZY
 * @nr_lazy: areas in that state or in PMM_AREA_PURGED
 * @lazy_bytes: addresses that these keep from being used, guard pages included
 * @search_tree: search=tree: @tree has all areas except @top, and finds holes; set before use
 * @tree: the areas by address, augmented with the largest hole in each subtree
 * @nr_refused: frees of areas that were refused (misuse.c)
 * @nr_stale: deferred frees that became void because a new area got their address
 * @freed: the areas that were freed last: their addresses, in a ring
 * @freed_by: which code freed each
 * @next_freed: where the next one goes; its type makes it wrap
 * @deferred_by: callers of the frees that were deferred last, by the page modulo the size; packed
 *	into one word (vmlist.c), because they are written without the lock
 * @deferred: a bit for each page; set, without the lock, when pmm_vfree() in atomic context asks
 *	for a free of the area there; cleared under the lock; NULL when no free is ever deferred
 * @start: first address; constant, like @end
 * @end: first address after the window
 */
struct pmm_vmlist {
	spinlock_t		lock;	/* the list, and each area's state */
	struct pmm_vm_struct	*head;
	struct pmm_vm_struct	*tail;
	struct pmm_area		*top;
	unsigned long		nr_areas;
	struct pmm_area		*spare;
	struct list_head	lazy;
	unsigned long		nr_lazy;
	unsigned long		lazy_bytes;
	bool			search_tree;
	struct rb_root		tree;
	atomic_long_t		nr_refused;
	unsigned long		nr_stale;
	const void		*freed[PMM_FREED_KEPT];
	const void		*freed_by[PMM_FREED_KEPT];
	u8			next_freed;
	u64			deferred_by[PMM_DEFERRED_KEPT];
	unsigned long		*deferred;
	unsigned long		start;
	unsigned long		end;
};

/* The result of a free of an area. */
enum pmm_detach_result {
	PMM_DETACH_OK,		/* the caller takes the area down */
	PMM_DETACH_LATER,	/* the last user mapping, or a worker, does so */
	PMM_DETACH_NONE,	/* there was nothing to do */
	PMM_DETACH_BAD_ADDRESS,
	PMM_DETACH_NONEXISTENT,
	PMM_DETACH_WRONG_TYPE,
	PMM_NR_DETACH_RESULTS,
};

static inline struct pmm_area *pmm_area(const struct pmm_vm_struct *vm)
{
	return container_of((struct pmm_vm_struct *)vm, struct pmm_area, vm);
}

/* Bytes of the area that may be mapped: all except the guard page. */
static inline unsigned long pmm_area_bytes(const struct pmm_vm_struct *vm)
{
	return vm->size - PAGE_SIZE;
}

static inline unsigned long pmm_area_pages(const struct pmm_vm_struct *vm)
{
	return pmm_area_bytes(vm) >> PAGE_SHIFT;
}

/* Bytes after the owner's last byte, which nobody may write to; only with redzone=1. */
static inline unsigned long pmm_area_slack(const struct pmm_vm_struct *vm)
{
	return vm->flags >> PMM_VM_SLACK_SHIFT;
}

/* For others than its owner, who publishes it without the lock. */
static inline enum pmm_area_state pmm_area_state(const struct pmm_area *area)
{
	/* Pairs with the release in pmm_vmlist_publish(). */
	return smp_load_acquire(&area->state);
}

/* Is the area freed, but its addresses are not? */
static inline bool pmm_area_waits(const struct pmm_area *area)
{
	enum pmm_area_state state = pmm_area_state(area);

	return state == PMM_AREA_LAZY || state == PMM_AREA_PURGED;
}

void pmm_vmlist_init(struct pmm_vmlist *list, unsigned long start, unsigned long size);
void pmm_vmlist_destroy(struct pmm_vmlist *list);
struct pmm_vm_struct *pmm_vmlist_get(struct pmm_vmlist *list, unsigned long size,
				     unsigned long flags, gfp_t gfp, const void *caller);
struct pmm_vm_struct *pmm_vmlist_reserve(struct pmm_vmlist *list,
					 const struct pmm_area_request *want);
struct pmm_vm_struct *pmm_vmlist_find(struct pmm_vmlist *list, const void *addr);
enum pmm_detach_result pmm_vmlist_defer(struct pmm_vmlist *list, const void *addr,
					const void *caller);
enum pmm_detach_result pmm_vmlist_detach_deferred(struct pmm_vmlist *list, const void *addr,
						  unsigned long type, const void **caller,
						  struct pmm_vm_struct **vmp);
const void *pmm_vmlist_deferred_by(const struct pmm_vmlist *list, const void *addr);
const void *pmm_vmlist_freed_by(const struct pmm_vmlist *list, const void *addr);
bool pmm_vmlist_copy(struct pmm_vmlist *list, const void *addr, struct pmm_vm_struct *copy);
enum pmm_detach_result pmm_vmlist_detach(struct pmm_vmlist *list, const void *addr,
					 unsigned long type, const void *caller,
					 struct pmm_vm_struct **vmp);
void pmm_vmlist_unlink(struct pmm_vmlist *list, struct pmm_vm_struct *vm);
struct pmm_vm_struct *pmm_vmlist_hold(struct pmm_vmlist *list, const void *addr);
void pmm_vmlist_hold_again(struct pmm_vmlist *list, struct pmm_vm_struct *vm);
bool pmm_vmlist_drop(struct pmm_vmlist *list, struct pmm_vm_struct *vm);
struct pmm_area *__pmm_vmlist_find_area(struct pmm_vmlist *list, const void *addr);
struct pmm_vm_struct *__pmm_vmlist_find_above(struct pmm_vmlist *list, unsigned long addr);

/* misuse.c */
void pmm_refuse_area(struct pmm_vmlist *list, const void *addr, unsigned long type,
		     enum pmm_detach_result result, const void *caller);
const char *pmm_detach_why(enum pmm_detach_result result);
int pmm_detach_errno(enum pmm_detach_result result);

/* Frees of areas that were refused, deferred ones that became void included. */
static inline unsigned long pmm_vmlist_refused(const struct pmm_vmlist *list)
{
	return atomic_long_read(&list->nr_refused) + READ_ONCE(list->nr_stale);
}

/**
 * pmm_vmlist_set_pages() - record which pages an area maps
 * @list: the window
 * @vm: the area, in state PMM_AREA_NEW
 * @pages: the array, which belongs to the area from here on
 * @nr_pages: its length
 *
 * Context: Process context; nobody else reads the pages of such an area.
 */
static inline void pmm_vmlist_set_pages(struct pmm_vmlist *list, struct pmm_vm_struct *vm,
					struct page **pages, unsigned int nr_pages)
{
	WRITE_ONCE(vm->pages, pages);
	WRITE_ONCE(vm->nr_pages, nr_pages);
}

/**
 * pmm_vmlist_publish() - let others read, map and free an area, now that it is mapped
 * @list: the window
 * @vm: the area, in state PMM_AREA_NEW
 *
 * Context: Process context.
 */
static inline void pmm_vmlist_publish(struct pmm_vmlist *list, struct pmm_vm_struct *vm)
{
	pmm_tell_area(list, vm);
	/* A task that sees it live must see its pages and its entries. */
	smp_store_release(&pmm_area(vm)->state, PMM_AREA_LIVE);
}

#endif /* POCKETMM_AREA_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the address-ordered list of vm_struct, as in Linux 2.4 and 2.6.28 (the book's chapter
 * 'Non-Contiguous Memory Allocation').
 *
 * It owns the list, decides which address each area gets, and follows each area from its
 * reservation to its end. It knows nothing of pages, page tables or debugfs, and compiles unchanged
 * in user space.
 *
 * One spinlock protects a list, for process context only. An area stays on the list, and keeps its
 * addresses, until the task that detached it has unmapped it, flushed every TLB and called
 * pmm_vmlist_unlink(). So no address is handed out again while a stale translation may remain.
 * With purge=lazy one flush serves many areas (lazy.c). With search=tree the same areas are also in
 * a red-black tree (hole_tree.c). Functions whose names begin with a double underscore run with
 * list->lock held.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "vmlist.h"

/**
 * pmm_vmlist_init() - make a window without areas
 * @list: the window; its @search_tree may be set afterwards, before its first use
 * @start: first address, page aligned
 * @size: bytes, a multiple of the page size; @start + @size does not overflow
 *
 * Context: Any.
 */
void pmm_vmlist_init(struct pmm_vmlist *list, unsigned long start, unsigned long size)
{
	memset(list, 0, sizeof(*list));
	spin_lock_init(&list->lock);
	INIT_LIST_HEAD(&list->lazy);
	list->tree = RB_ROOT;
	list->start = start;
	list->end = start + size;
}

/**
 * pmm_vmlist_destroy() - free the spare record of an empty window
 * @list: the window
 *
 * Context: Process context; the window is no longer in use.
 */
void pmm_vmlist_destroy(struct pmm_vmlist *list)
{
	kfree(list->spare);
	list->spare = NULL;
}

/* --- holes ------------------------------------------------------------------------------------ */

/*
 * 2.4's first fit: the lowest hole that fits, an exact fit included. 2.4 checked the end of the
 * window only while it had areas to walk past; here the last hole is checked like the others.
 */
static bool __pmm_find_hole_linear(const struct pmm_vmlist *list, unsigned long size,
				   unsigned long align, struct pmm_hole *hole)
{
	unsigned long start = list->start;
	struct pmm_vm_struct *vm;

	for (vm = list->head; vm; vm = vm->next) {
		hole->addr = start;
		hole->above = vm;
		if (pmm_fits(hole, pmm_start_of(vm), size, align))
			return true;
		start = pmm_end_of(vm);
	}
	hole->addr = start;
	hole->above = NULL;
	return pmm_fits(hole, list->end, size, align);
}

/* A deferred free that is older than the new area at its address does not free that area. */
static bool __pmm_void_deferred(struct pmm_vmlist *list, unsigned long addr, const void **caller)
{
	if (!list->deferred || !test_bit(pmm_page_of(list, addr), list->deferred) ||
	    !test_and_clear_bit(pmm_page_of(list, addr), list->deferred))
		return false;
	*caller = pmm_vmlist_deferred_by(list, (void *)addr);
	list->nr_stale++;
	return true;
}

static noinline void pmm_report_stale(const void *addr, const void *caller)
{
	char by[PMM_WHO_LEN] = "";

	if (caller)
		pmm_name_code((unsigned long)caller, by, sizeof(by));
	pr_err_ratelimited("Trying to vfree() nonexistent vm area (%p), deferred%s%s\n", addr,
			   caller ? ", by " : "", by);
}

static struct pmm_area *pmm_new_area(struct pmm_vmlist *list, unsigned long size,
				     const struct pmm_area_request *want)
{
	struct pmm_area *area = pmm_take_spare(list, want->nr_slots);

	if (!area) {
		area = pmm_may_fail(kmalloc(struct_size(area, slots, want->nr_slots), want->gfp));
		if (!area)
			return NULL;
		area->nr_slots = want->nr_slots;
	}
	pmm_init_area(area, size, want->flags, want->caller);
	return area;
}

/* Into the hole: onto the list and into the tree. */
static void __pmm_insert(struct pmm_vmlist *list, struct pmm_area *area,
			 const struct pmm_hole *hole)
{
	struct pmm_vm_struct *vm = &area->vm, *above = hole->above;
	struct pmm_vm_struct *below = above ? pmm_area(above)->prev : list->tail;
	unsigned long addr = hole->addr;

	if (list->top)
		__pmm_tree_settle(list);
	vm->addr = (void *)addr;
	vm->next = above;
	area->prev = below;
	if (below)
		below->next = vm;
	else
		list->head = vm;
	if (above)
		pmm_area(above)->prev = vm;
	else
		list->tail = vm;
	list->nr_areas++;
	if (!list->search_tree)
		return;
	if (!above && below && pmm_end_of(below) == addr)
		list->top = area;
	else
		__pmm_tree_insert(list, area, addr - (below ? pmm_end_of(below) : list->start));
}

/**
 * __pmm_vmlist_remove() - take an area off the list and out of the tree
 * @list: the window, locked
 * @area: the area; its addresses become a hole, unless @merged
 * @merged: a neighbour has taken over the addresses already
 *
 * Context: Process context, list->lock held.
 */
void __pmm_vmlist_remove(struct pmm_vmlist *list, struct pmm_area *area, bool merged)
{
	struct pmm_vm_struct *above = area->vm.next, *below = area->prev;

	lockdep_assert_held(&list->lock);
	/* The highest area is about to get a hole below it. */
	if (list->top && above == &list->top->vm && !merged)
		__pmm_tree_settle(list);
	if (below)
		below->next = above;
	else
		list->head = above;
	if (above)
		pmm_area(above)->prev = below;
	else
		list->tail = below;
	list->nr_areas--;
	if (area == list->top)
		list->top = NULL;
	else if (list->search_tree)
		__pmm_tree_erase(list, area, merged);
}

/**
 * pmm_vmlist_reserve() - reserve addresses
 * @list: the window
 * @want: size, alignment and owner; the size is rounded up, and a guard page is added
 *
 * As 2.4's get_vm_area(): the lowest address that fits.
 *
 * Context: Process context; may sleep if @want->gfp says so.
 * Return: The area, listed but not mapped, in state PMM_AREA_NEW; ERR_PTR: -EINVAL (size 0 or
 * beyond any window), -ENOMEM (no memory for the record), -ENOSPC (no hole is large enough).
 */
struct pmm_vm_struct *pmm_vmlist_reserve(struct pmm_vmlist *list,
					 const struct pmm_area_request *want)
{
	unsigned long size = PAGE_ALIGN(want->size) + PAGE_SIZE;
	bool found, stale = false;
	const void *stale_by = NULL;
	struct pmm_area *area;
	struct pmm_hole hole;

	if (!want->size || want->size > ULONG_MAX - 2 * PAGE_SIZE)
		return ERR_PTR(-EINVAL);
	area = pmm_new_area(list, size, want);
	if (unlikely(!area))
		return ERR_PTR(-ENOMEM);

	spin_lock(&list->lock);
	if (list->search_tree)
		found = __pmm_tree_find_hole(list, size, want->align, &hole);
	else
		found = __pmm_find_hole_linear(list, size, want->align, &hole);
	if (found) {
		__pmm_insert(list, area, &hole);
		stale = __pmm_void_deferred(list, pmm_start_of(&area->vm), &stale_by);
	}
	spin_unlock(&list->lock);
	if (unlikely(stale))
		pmm_report_stale(area->vm.addr, stale_by);
	if (found)
		return &area->vm;
	pmm_free_record(list, area);
	return ERR_PTR(-ENOSPC);
}

/**
 * pmm_vmlist_get() - pmm_vmlist_reserve() for the plain case
 * @list: the window
 * @size: bytes, rounded up to pages; one guard page is added
 * @flags: PMM_VM_*
 * @gfp: for the record itself
 * @caller: address to record
 *
 * Context: As pmm_vmlist_reserve().
 * Return: Likewise.
 */
struct pmm_vm_struct *pmm_vmlist_get(struct pmm_vmlist *list, unsigned long size,
				     unsigned long flags, gfp_t gfp, const void *caller)
{
	const struct pmm_area_request want = {
		.size = size, .align = PAGE_SIZE, .flags = flags, .gfp = gfp, .caller = caller,
	};

	return pmm_vmlist_reserve(list, &want);
}

/**
 * __pmm_vmlist_find_area() - find the area that begins at an address, whatever its state
 * @list: the window, locked
 * @addr: first byte of the area
 *
 * Context: Process context, list->lock held.
 * Return: The area, or NULL.
 */
struct pmm_area *__pmm_vmlist_find_area(struct pmm_vmlist *list, const void *addr)
{
	struct pmm_vm_struct *vm;

	lockdep_assert_held(&list->lock);
	if (list->top && list->top->vm.addr == addr)
		return list->top;
	if (list->search_tree)
		return __pmm_tree_find(list, addr);
	for (vm = list->head; vm && vm->addr < addr; vm = vm->next)
		;
	return vm && vm->addr == addr ? pmm_area(vm) : NULL;
}

/**
 * __pmm_vmlist_find_above() - find the lowest area that ends above an address, whatever its state
 * @list: the window, locked
 * @addr: the address
 *
 * Context: Process context, list->lock held.
 * Return: The area, from which on @next is in address order; or NULL.
 */
struct pmm_vm_struct *__pmm_vmlist_find_above(struct pmm_vmlist *list, unsigned long addr)
{
	struct pmm_area *area = list->search_tree ? __pmm_tree_find_above(list, addr) : NULL;
	struct pmm_vm_struct *vm = list->head;

	lockdep_assert_held(&list->lock);
	if (area)
		return &area->vm;
	if (list->search_tree)
		vm = list->top ? &list->top->vm : NULL;
	while (vm && pmm_end_of(vm) <= addr)
		vm = vm->next;
	return vm;
}

/* Live, and not yet freed by its owner. */
static struct pmm_vm_struct *__pmm_vmlist_find_live(struct pmm_vmlist *list, const void *addr)
{
	struct pmm_area *area = __pmm_vmlist_find_area(list, addr);

	if (!area || pmm_area_state(area) != PMM_AREA_LIVE || area->orphan)
		return NULL;
	return &area->vm;
}

/**
 * pmm_vmlist_find() - find the live area that begins at an address
 * @list: the window
 * @addr: first byte of the area
 *
 * Context: Process context.
 * Return: The area, valid as long as the caller makes sure that nobody frees it; NULL when no live
 * area begins there, or its owner has freed it already.
 */
struct pmm_vm_struct *pmm_vmlist_find(struct pmm_vmlist *list, const void *addr)
{
	struct pmm_vm_struct *vm;

	spin_lock(&list->lock);
	vm = __pmm_vmlist_find_live(list, addr);
	spin_unlock(&list->lock);
	return vm;
}

/**
 * pmm_vmlist_copy() - copy the record of an area
 * @list: the window
 * @addr: first byte of the area
 * @copy: gets the record as it is now; do not follow its @next and @pages
 *
 * For callers that cannot rule out a free of the area meanwhile.
 *
 * Context: Process context.
 * Return: true when a live area begins there.
 */
bool pmm_vmlist_copy(struct pmm_vmlist *list, const void *addr, struct pmm_vm_struct *copy)
{
	const struct pmm_vm_struct *vm;

	spin_lock(&list->lock);
	vm = __pmm_vmlist_find_live(list, addr);
	if (vm)
		*copy = *vm;
	spin_unlock(&list->lock);
	return vm;
}

static enum pmm_detach_result __pmm_detach_area(struct pmm_area *area, unsigned long type)
{
	bool owns_pages = (area->vm.flags & PMM_VM_ALLOC && area->vm.pages) ||
			  area->vm.flags & PMM_VM_RAM;

	if (type ? !(area->vm.flags & type) : owns_pages)
		return PMM_DETACH_WRONG_TYPE;
	area->users--;
	if (area->users) {
		area->orphan = true;
		return PMM_DETACH_LATER;
	}
	area->state = PMM_AREA_DYING;
	return PMM_DETACH_OK;
}

static enum pmm_detach_result __pmm_detach(struct pmm_vmlist *list, const void *addr,
					   unsigned long type, const void *caller,
					   struct pmm_vm_struct **vmp)
{
	enum pmm_detach_result result;

	*vmp = __pmm_vmlist_find_live(list, addr);
	if (!*vmp)
		return PMM_DETACH_NONEXISTENT;
	result = __pmm_detach_area(pmm_area(*vmp), type);
	if (result != PMM_DETACH_WRONG_TYPE)
		__pmm_note_freed(list, addr, caller);
	return result;
}

/**
 * pmm_vmlist_detach() - give up an area on behalf of its owner
 * @list: the window
 * @addr: first byte of the area
 * @type: the kind that the area must be of: PMM_VM_ALLOC, PMM_VM_MAP or PMM_VM_IOREMAP; 0 for any
 *	kind that does not own its pages
 * @caller: the code that frees it, for pmm_vmlist_freed_by()
 * @vmp: gets the area; it belongs to the caller only if the result is PMM_DETACH_OK
 *
 * When several tasks free the same area at once, one gets PMM_DETACH_OK and the others get
 * PMM_DETACH_NONEXISTENT.
 *
 * Context: Process context.
 * Return: PMM_DETACH_OK: the caller unmaps, flushes, unlinks and frees the area. PMM_DETACH_LATER:
 * a user mapping keeps it alive, and the caller of the last pmm_vmlist_drop() does so. Otherwise
 * the reason for a refusal, and nothing has changed.
 */
enum pmm_detach_result pmm_vmlist_detach(struct pmm_vmlist *list, const void *addr,
					 unsigned long type, const void *caller,
					 struct pmm_vm_struct **vmp)
{
	enum pmm_detach_result result;

	if (!PAGE_ALIGNED((unsigned long)addr))
		return PMM_DETACH_BAD_ADDRESS;
	spin_lock(&list->lock);
	result = __pmm_detach(list, addr, type, caller, vmp);
	spin_unlock(&list->lock);
	return result;
}

/* --- deferred frees --------------------------------------------------------------------------- */

/*
 * The caller of a deferred free, and the page that its area begins at, are one word, which needs no
 * lock. All code of the kernel and its modules is within 2 GiB, so the distance from a function
 * here stands for an address. 0 stands for none.
 */
static u64 pmm_pack_deferred(unsigned long page, const void *caller)
{
	long distance = (long)caller - (long)pmm_vmlist_defer;

	return distance == (int)distance ? (u64)page << 32 | (u32)distance : 0;
}

/**
 * pmm_vmlist_deferred_by() - find out which code asked for a deferred free
 * @list: the window
 * @addr: first byte of the area, in the window
 *
 * Context: Any.
 * Return: The code; NULL if later deferred frees have taken the place of the record.
 */
const void *pmm_vmlist_deferred_by(const struct pmm_vmlist *list, const void *addr)
{
	unsigned long page = pmm_page_of(list, (unsigned long)addr);
	u64 packed = READ_ONCE(list->deferred_by[page % PMM_DEFERRED_KEPT]);

	if (packed >> 32 != page || !(u32)packed)
		return NULL;
	return (void *)((long)pmm_vmlist_defer + (int)packed);
}

/**
 * pmm_vmlist_freed_by() - find out which code freed an area, if that was not long ago
 * @list: the window
 * @addr: first byte that the area had
 *
 * The list is not locked: an area that is freed at this moment may be missed. A deferred free that
 * waits is the last.
 *
 * Context: Any.
 * Return: The code that freed the last area that began there, or NULL if that is not among the last
 * PMM_FREED_KEPT areas that were freed.
 */
const void *pmm_vmlist_freed_by(const struct pmm_vmlist *list, const void *addr)
{
	unsigned long start = (unsigned long)addr;
	unsigned int i;

	if (list->deferred && start - list->start < list->end - list->start &&
	    test_bit(pmm_page_of(list, start), list->deferred))
		return pmm_vmlist_deferred_by(list, addr);
	for (i = 1; i <= PMM_FREED_KEPT; i++) {
		u8 at = READ_ONCE(list->next_freed) - i;

		if (READ_ONCE(list->freed[at]) == addr)
			return READ_ONCE(list->freed_by[at]);
	}
	return NULL;
}

/**
 * pmm_vmlist_defer() - ask in atomic context for an area to be freed
 * @list: the window
 * @addr: first byte of the area
 * @caller: the code that asks for it
 *
 * This allocates nothing, so it cannot fail for lack of memory. pmm_vmlist_detach_deferred() does
 * the rest; it leaves alone an area that was reserved at the address in between.
 *
 * Context: Any.
 * Return: PMM_DETACH_LATER; PMM_DETACH_BAD_ADDRESS when @addr is unaligned; PMM_DETACH_NONEXISTENT
 * when it is outside the window, or a free is already deferred there.
 */
enum pmm_detach_result pmm_vmlist_defer(struct pmm_vmlist *list, const void *addr,
					const void *caller)
{
	unsigned long at = (unsigned long)addr, page;

	if (!PAGE_ALIGNED(at))
		return PMM_DETACH_BAD_ADDRESS;
	if (at < list->start || at >= list->end)
		return PMM_DETACH_NONEXISTENT;
	page = pmm_page_of(list, at);
	if (test_bit(page, list->deferred))
		return PMM_DETACH_NONEXISTENT;
	/* Before the bit, which is a full barrier: the worker that sees it finds the caller. */
	WRITE_ONCE(list->deferred_by[page % PMM_DEFERRED_KEPT], pmm_pack_deferred(page, caller));
	return test_and_set_bit(page, list->deferred) ? PMM_DETACH_NONEXISTENT : PMM_DETACH_LATER;
}

/**
 * pmm_vmlist_detach_deferred() - detach an area whose free pmm_vmlist_defer() has noted
 * @list: the window
 * @addr: first byte of the area
 * @type: as for pmm_vmlist_detach()
 * @caller: set to the code that asked for the free, if that is still known
 * @vmp: as for pmm_vmlist_detach()
 *
 * Context: Process context.
 * Return: As pmm_vmlist_detach(); PMM_DETACH_NONE when no free is noted, or it became void.
 */
enum pmm_detach_result pmm_vmlist_detach_deferred(struct pmm_vmlist *list, const void *addr,
						  unsigned long type, const void **caller,
						  struct pmm_vm_struct **vmp)
{
	enum pmm_detach_result result = PMM_DETACH_NONE;

	spin_lock(&list->lock);
	if (test_and_clear_bit(pmm_page_of(list, (unsigned long)addr), list->deferred)) {
		*caller = pmm_vmlist_deferred_by(list, addr) ?: *caller;
		result = __pmm_detach(list, addr, type, *caller, vmp);
	}
	spin_unlock(&list->lock);
	return result;
}

/**
 * pmm_vmlist_unlink() - give an area's addresses back
 * @list: the window
 * @vm: the area: detached or never published, unmapped and flushed; the caller must kfree() it
 *	afterwards
 *
 * Context: Process context.
 */
void pmm_vmlist_unlink(struct pmm_vmlist *list, struct pmm_vm_struct *vm)
{
	spin_lock(&list->lock);
	if (pmm_area(vm)->state != PMM_AREA_NEW)
		pmm_tell_area_gone(list, vm, false);
	__pmm_vmlist_remove(list, pmm_area(vm), false);
	spin_unlock(&list->lock);
	vm->next = NULL;
}

/* --- user mappings ---------------------------------------------------------------------------- */

/**
 * pmm_vmlist_hold() - count one more user mapping of an area
 * @list: the window
 * @addr: first byte of the area
 *
 * Context: Process context.
 * Return: The area, which lives until the matching pmm_vmlist_drop(); NULL when no live
 * PMM_VM_USERMAP area begins there.
 */
struct pmm_vm_struct *pmm_vmlist_hold(struct pmm_vmlist *list, const void *addr)
{
	struct pmm_vm_struct *vm;

	spin_lock(&list->lock);
	vm = __pmm_vmlist_find_live(list, addr);
	if (vm && (vm->flags & PMM_VM_USERMAP))
		pmm_area(vm)->users++;
	else
		vm = NULL;
	spin_unlock(&list->lock);
	return vm;
}

/**
 * pmm_vmlist_hold_again() - count a copy of a user mapping, or a part after a split
 * @list: the window
 * @vm: an area that the caller holds
 *
 * Context: Process context.
 */
void pmm_vmlist_hold_again(struct pmm_vmlist *list, struct pmm_vm_struct *vm)
{
	spin_lock(&list->lock);
	pmm_area(vm)->users++;
	spin_unlock(&list->lock);
}

/**
 * pmm_vmlist_drop() - count a user mapping that has gone
 * @list: the window
 * @vm: an area that the caller holds
 *
 * Context: Process context.
 * Return: true when the owner has freed the area and this was its last user: then the caller takes
 * it down.
 */
bool pmm_vmlist_drop(struct pmm_vmlist *list, struct pmm_vm_struct *vm)
{
	bool last;

	spin_lock(&list->lock);
	pmm_area(vm)->users--;
	last = !pmm_area(vm)->users;
	if (last)
		pmm_area(vm)->state = PMM_AREA_DYING;
	spin_unlock(&list->lock);
	return last;
}

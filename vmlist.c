// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the address-ordered list of vm_struct, as in Linux 2.4 and 2.6.28 (the book's chapter
 * 'Non-Contiguous Memory Allocation').
 *
 * It owns the list, which address each area gets, and how an area lives and dies. It knows nothing
 * of pages, page tables or debugfs, and compiles unchanged in user space.
 *
 * A list is protected by its one spinlock, for process context only. An area stays on the list, and
 * keeps its addresses, until whoever detached it has unmapped it, flushed every TLB and called
 * pmm_vmlist_unlink(); so no address is handed out twice while a stale translation of it may stand.
 * With purge=lazy there is one flush for many: pmm_vmlist_retire() leaves the addresses on the list
 * until a purge, neighbours as one record.
 *
 * With search=tree the same records are in a red-black tree besides, each with the hole below it,
 * and the largest hole of its subtree. The list stays the truth; both ways find the same hole. The
 * highest area may be missing in the tree, as long as nothing depends on it: the next one to come
 * and the first to go is often that one.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/rbtree_augmented.h>

#include "vmlist.h"

/**
 * pmm_vmlist_init() - an empty window
 * @list: to fill in; its @search_tree may be set afterwards, before its first use
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
 * pmm_vmlist_destroy() - free what an empty window keeps
 * @list: the window
 *
 * Context: Process context; nobody uses it any more.
 */
void pmm_vmlist_destroy(struct pmm_vmlist *list)
{
	kfree(list->spare);
	list->spare = NULL;
}

/* --- the tree: holes by the area above them --------------------------------------------------- */

static unsigned long pmm_area_gap(const struct pmm_area *area)
{
	return area->gap;
}

RB_DECLARE_CALLBACKS_MAX(static, pmm_gap_callbacks, struct pmm_area, node, unsigned long, max_gap,
			 pmm_area_gap)

static struct pmm_area *pmm_node_area(struct rb_node *node)
{
	return rb_entry(node, struct pmm_area, node);
}

static bool pmm_subtree_has(struct rb_node *node, unsigned long size)
{
	return node && pmm_node_area(node)->max_gap >= size;
}

/* The lowest area of a subtree with so large a hole below it; there is one. */
static struct pmm_area *__pmm_lowest_gap(struct rb_node *node, unsigned long size)
{
	for (;;) {
		if (pmm_subtree_has(node->rb_left, size)) {
			node = node->rb_left;
			continue;
		}
		if (pmm_node_area(node)->gap >= size)
			return pmm_node_area(node);
		node = node->rb_right;
	}
}

/* The next higher one, or NULL. */
static struct pmm_area *__pmm_next_gap(struct pmm_area *area, unsigned long size)
{
	struct rb_node *node = &area->node, *parent;

	for (;;) {
		if (pmm_subtree_has(node->rb_right, size))
			return __pmm_lowest_gap(node->rb_right, size);
		while ((parent = rb_parent(node)) && node == parent->rb_right)
			node = parent;
		if (!parent)
			return NULL;
		if (pmm_node_area(parent)->gap >= size)
			return pmm_node_area(parent);
		node = parent;
	}
}

static void __pmm_set_gap(struct pmm_area *area, unsigned long gap)
{
	area->gap = gap;
	pmm_gap_callbacks_propagate(&area->node, NULL);
}

/* A new area between its neighbours on the list, one of which has no child on this side. */
static void __pmm_tree_insert(struct pmm_vmlist *list, struct pmm_area *area, unsigned long gap)
{
	struct pmm_area *next = area->vm.next ? pmm_area(area->vm.next) : NULL;
	struct rb_node **link = &list->tree.rb_node, *parent = NULL;

	if (next && !next->node.rb_left) {
		parent = &next->node;
		link = &parent->rb_left;
	} else if (area->prev) {
		parent = &pmm_area(area->prev)->node;
		link = &parent->rb_right;
	}
	area->gap = gap;
	area->max_gap = gap;
	rb_link_node(&area->node, parent, link);
	if (gap && parent)
		pmm_gap_callbacks_propagate(parent, NULL);
	if (next)
		__pmm_set_gap(next, next->gap - gap - area->vm.size);
	rb_insert_augmented(&area->node, &list->tree, &pmm_gap_callbacks);
}

/**
 * __pmm_vmlist_settle() - the highest area enters the tree
 * @list: the window, locked, with a @top
 *
 * Context: Process context, list->lock held.
 */
void __pmm_vmlist_settle(struct pmm_vmlist *list)
{
	struct pmm_area *area = list->top;

	lockdep_assert_held(&list->lock);
	list->top = NULL;
	__pmm_tree_insert(list, area, 0);
}

/* --- holes ------------------------------------------------------------------------------------ */

/*
 * Does an area fit into the hole from @addr to @end? Differences, not sums, are compared, so
 * nothing can overflow.
 */
static __always_inline bool pmm_fits(unsigned long *addr, unsigned long end, unsigned long want,
				     unsigned long align)
{
	unsigned long pad = -*addr & (align - 1), size = end - *addr;

	if (pad > size || want > size - pad)
		return false;
	*addr += pad;
	return true;
}

/*
 * 2.4's first fit: the lowest hole that fits, an exact fit included. Gets the area above the hole,
 * NULL for none, and the address. 2.4 looked at the end of the window only while it had areas to
 * walk past; here the last hole is checked like the others.
 */
static bool __pmm_find_hole_linear(struct pmm_vmlist *list, unsigned long size,
				   unsigned long align, struct pmm_vm_struct **above,
				   unsigned long *addr)
{
	unsigned long start = list->start;
	struct pmm_vm_struct *vm;

	for (vm = list->head; vm; vm = vm->next) {
		*addr = start;
		if (pmm_fits(addr, pmm_start_of(vm), size, align))
			break;
		start = pmm_end_of(vm);
	}
	*above = vm;
	*addr = vm ? *addr : start;
	return vm || pmm_fits(addr, list->end, size, align);
}

/* The same hole, from the holes that are large enough; which alignment may spoil. */
static bool __pmm_find_hole_tree(struct pmm_vmlist *list, unsigned long size,
				 unsigned long align, struct pmm_vm_struct **above,
				 unsigned long *addr)
{
	struct pmm_area *area = NULL;

	if (pmm_subtree_has(list->tree.rb_node, size))
		area = __pmm_lowest_gap(list->tree.rb_node, size);
	for (; area; area = __pmm_next_gap(area, size)) {
		*addr = pmm_start_of(&area->vm) - area->gap;
		*above = &area->vm;
		if (pmm_fits(addr, pmm_start_of(&area->vm), size, align))
			return true;
	}
	*addr = list->tail ? pmm_end_of(list->tail) : list->start;
	*above = NULL;
	return pmm_fits(addr, list->end, size, align);
}

/* A deferred free older than the area is no free of this one. */
static bool __pmm_void_deferred(struct pmm_vmlist *list, unsigned long addr)
{
	if (!list->deferred || !test_bit(pmm_page_of(list, addr), list->deferred) ||
	    !test_and_clear_bit(pmm_page_of(list, addr), list->deferred))
		return false;
	list->nr_stale++;
	return true;
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

/* Onto the list, below @above, and into the tree. */
static void __pmm_insert(struct pmm_vmlist *list, struct pmm_area *area,
			 struct pmm_vm_struct *above, unsigned long addr)
{
	struct pmm_vm_struct *vm = &area->vm, *below = above ? pmm_area(above)->prev : list->tail;

	if (list->top)
		__pmm_vmlist_settle(list);
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

static __always_inline void __pmm_tree_erase(struct pmm_vmlist *list, struct pmm_area *area,
					     bool merged)
{
	struct pmm_area *above = area->vm.next ? pmm_area(area->vm.next) : NULL;

	rb_erase_augmented(&area->node, &list->tree, &pmm_gap_callbacks);
	if (above && !merged)
		__pmm_set_gap(above, above->gap + area->gap + area->vm.size);
}

/*
 * Off the list and out of the tree. Its addresses are a hole from here on; or, when @merged, those
 * of a neighbour that has taken them over already.
 */
static void __pmm_remove(struct pmm_vmlist *list, struct pmm_area *area, bool merged)
{
	struct pmm_vm_struct *above = area->vm.next, *below = area->prev;

	/* There will be a hole below it. */
	if (list->top && above == &list->top->vm && !merged)
		__pmm_vmlist_settle(list);
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
 * @want: how many, how aligned, and for whom; its @size is rounded up, a guard page is added
 *
 * 2.4's get_vm_area(); the lowest address that fits.
 *
 * Context: Process context; may sleep if @want->gfp says so.
 * Return: The area, listed but not mapped, in state PMM_AREA_NEW; ERR_PTR: -EINVAL (size 0 or
 * beyond any window), -ENOMEM (no memory for the record), -ENOSPC (no hole is large enough).
 */
struct pmm_vm_struct *pmm_vmlist_reserve(struct pmm_vmlist *list,
					 const struct pmm_area_request *want)
{
	unsigned long addr, size = PAGE_ALIGN(want->size) + PAGE_SIZE;
	bool found, stale = false;
	struct pmm_vm_struct *above;
	struct pmm_area *area;

	if (!want->size || want->size > ULONG_MAX - 2 * PAGE_SIZE)
		return ERR_PTR(-EINVAL);
	area = pmm_new_area(list, size, want);
	if (unlikely(!area))
		return ERR_PTR(-ENOMEM);

	spin_lock(&list->lock);
	if (list->search_tree)
		found = __pmm_find_hole_tree(list, size, want->align, &above, &addr);
	else
		found = __pmm_find_hole_linear(list, size, want->align, &above, &addr);
	if (found) {
		__pmm_insert(list, area, above, addr);
		stale = __pmm_void_deferred(list, addr);
	}
	spin_unlock(&list->lock);
	if (unlikely(stale))
		pr_err_ratelimited("Trying to vfree() nonexistent vm area (%p), deferred\n",
				   (void *)addr);
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
 * @caller: who asks
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

static __always_inline struct pmm_vm_struct *__pmm_find_in_tree(struct pmm_vmlist *list,
								const void *addr)
{
	struct rb_node *node = list->tree.rb_node;

	while (node) {
		struct pmm_vm_struct *vm = &pmm_node_area(node)->vm;

		if (vm->addr == addr)
			return vm;
		node = addr < vm->addr ? node->rb_left : node->rb_right;
	}
	return NULL;
}

static __always_inline struct pmm_vm_struct *__pmm_vmlist_find(struct pmm_vmlist *list,
							       const void *addr)
{
	struct pmm_vm_struct *vm;

	lockdep_assert_held(&list->lock);
	if (list->top && list->top->vm.addr == addr)
		return &list->top->vm;
	if (list->search_tree)
		return __pmm_find_in_tree(list, addr);
	for (vm = list->head; vm && vm->addr < addr; vm = vm->next)
		;
	return vm && vm->addr == addr ? vm : NULL;
}

/**
 * __pmm_vmlist_find_area() - the area that begins at an address, whatever its state
 * @list: the window, locked
 * @addr: first byte of the area
 *
 * Context: Process context, list->lock held.
 * Return: The area, or NULL.
 */
struct pmm_area *__pmm_vmlist_find_area(struct pmm_vmlist *list, const void *addr)
{
	struct pmm_vm_struct *vm = __pmm_vmlist_find(list, addr);

	return vm ? pmm_area(vm) : NULL;
}

/* Live, and not yet freed by its owner. */
static __always_inline struct pmm_vm_struct *__pmm_vmlist_find_live(struct pmm_vmlist *list,
								    const void *addr)
{
	struct pmm_vm_struct *vm = __pmm_vmlist_find(list, addr);

	/* Pairs with the release in pmm_vmlist_publish(). */
	if (!vm || smp_load_acquire(&pmm_area(vm)->state) != PMM_AREA_LIVE || pmm_area(vm)->orphan)
		return NULL;
	return vm;
}

/**
 * pmm_vmlist_find() - the area that begins at an address
 * @list: the window
 * @addr: first byte of the area
 *
 * Context: Process context.
 * Return: The area, for as long as the caller knows that nobody frees it; NULL when none begins
 * there that is live and not freed.
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
 * pmm_vmlist_copy() - what the record of an area says
 * @list: the window
 * @addr: first byte of the area
 * @copy: gets the record as it is now; its @next and @pages are not to be followed
 *
 * For those who cannot know that nobody frees the area meanwhile.
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

static __always_inline enum pmm_detach_result __pmm_detach_area(struct pmm_area *area,
								unsigned long type)
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

static __always_inline enum pmm_detach_result __pmm_detach(struct pmm_vmlist *list,
							   const void *addr, unsigned long type,
							   struct pmm_vm_struct **vmp)
{
	*vmp = __pmm_vmlist_find_live(list, addr);
	return *vmp ? __pmm_detach_area(pmm_area(*vmp), type) : PMM_DETACH_NONEXISTENT;
}

/**
 * pmm_vmlist_detach() - the owner gives an area up
 * @list: the window
 * @addr: first byte of the area
 * @type: PMM_VM_ALLOC, PMM_VM_MAP or PMM_VM_IOREMAP, one of which the area must be; 0 for any that
 *	does not own its pages
 * @vmp: gets the area; the caller's only when the result is PMM_DETACH_OK
 *
 * Of several that free the same area at once, one gets PMM_DETACH_OK and the others
 * PMM_DETACH_NONEXISTENT.
 *
 * Context: Process context.
 * Return: PMM_DETACH_OK: the caller unmaps, flushes, unlinks and frees the area. PMM_DETACH_LATER:
 * a user mapping keeps it alive, and the last pmm_vmlist_drop() will. Else why it was refused, and
 * nothing has changed.
 */
enum pmm_detach_result pmm_vmlist_detach(struct pmm_vmlist *list, const void *addr,
					 unsigned long type, struct pmm_vm_struct **vmp)
{
	enum pmm_detach_result result;

	if (!PAGE_ALIGNED((unsigned long)addr))
		return PMM_DETACH_BAD_ADDRESS;
	spin_lock(&list->lock);
	result = __pmm_detach(list, addr, type, vmp);
	spin_unlock(&list->lock);
	return result;
}

/**
 * pmm_vmlist_defer() - ask in atomic context for an area to be freed
 * @list: the window
 * @addr: first byte of the area
 *
 * Nothing is allocated, so this cannot fail for want of memory; pmm_vmlist_detach_deferred()
 * follows up. An area that comes to be at the address before it does is not touched.
 *
 * Context: Any.
 * Return: PMM_DETACH_LATER; PMM_DETACH_BAD_ADDRESS when @addr is unaligned; PMM_DETACH_NONEXISTENT
 * when it is outside the window, or was asked for already.
 */
enum pmm_detach_result pmm_vmlist_defer(struct pmm_vmlist *list, const void *addr)
{
	unsigned long at = (unsigned long)addr;

	if (!PAGE_ALIGNED(at))
		return PMM_DETACH_BAD_ADDRESS;
	if (at < list->start || at >= list->end ||
	    test_and_set_bit(pmm_page_of(list, at), list->deferred))
		return PMM_DETACH_NONEXISTENT;
	return PMM_DETACH_LATER;
}

/**
 * pmm_vmlist_detach_deferred() - do what pmm_vmlist_defer() was asked for
 * @list: the window
 * @addr: first byte of the area
 * @type: as for pmm_vmlist_detach()
 * @vmp: likewise
 *
 * Context: Process context.
 * Return: As pmm_vmlist_detach(); PMM_DETACH_NONE when nothing was asked for, or it became void.
 */
enum pmm_detach_result pmm_vmlist_detach_deferred(struct pmm_vmlist *list, const void *addr,
						  unsigned long type, struct pmm_vm_struct **vmp)
{
	enum pmm_detach_result result = PMM_DETACH_NONE;

	spin_lock(&list->lock);
	if (test_and_clear_bit(pmm_page_of(list, (unsigned long)addr), list->deferred))
		result = __pmm_detach(list, addr, type, vmp);
	spin_unlock(&list->lock);
	return result;
}

/**
 * pmm_vmlist_unlink() - give an area's addresses back
 * @list: the window
 * @vm: the area: detached or never published, unmapped and flushed; the caller's to kfree()
 *	afterwards
 *
 * Context: Process context.
 */
void pmm_vmlist_unlink(struct pmm_vmlist *list, struct pmm_vm_struct *vm)
{
	spin_lock(&list->lock);
	if (pmm_tracing() && pmm_area(vm)->state != PMM_AREA_NEW)
		pmm_trace_area_gone(list, vm, false);
	__pmm_remove(list, pmm_area(vm), false);
	spin_unlock(&list->lock);
	vm->next = NULL;
}

/* --- purge=lazy ------------------------------------------------------------------------------- */

/* What lies above a waiting area, and waits too, becomes part of it; returns the record to free. */
static struct pmm_area *__pmm_merge_above(struct pmm_vmlist *list, struct pmm_area *area)
{
	struct pmm_area *above = area->vm.next ? pmm_area(area->vm.next) : NULL;

	if (!above || !pmm_is_lazy(&above->vm) || above->vm.addr != area->vm.addr + area->vm.size)
		return NULL;
	list_del(&above->waiting);
	list->nr_lazy--;
	area->vm.size += above->vm.size;
	__pmm_remove(list, above, true);
	return above;
}

/**
 * __pmm_vmlist_absorbed() - an area has become part of the one below it, which waits for a flush
 * @list: the window, locked
 * @area: the area, whose addresses the one below has taken over; the record is the caller's
 *
 * Context: Process context, list->lock held.
 * Return: Another record that is left over, of an area above that waits too; or NULL.
 */
struct pmm_area *__pmm_vmlist_absorbed(struct pmm_vmlist *list, struct pmm_area *area)
{
	struct pmm_area *below = pmm_area(area->prev);

	lockdep_assert_held(&list->lock);
	__pmm_remove(list, area, true);
	return __pmm_merge_above(list, below);
}

/**
 * pmm_vmlist_retire() - an area's addresses wait for a flush from here on
 * @list: the window
 * @vm: the area: detached and unmapped; it is the list's, or no more
 *
 * Adjacent areas that wait become one, so that a purge has little to do.
 *
 * Context: Process context.
 */
void pmm_vmlist_retire(struct pmm_vmlist *list, struct pmm_vm_struct *vm)
{
	struct pmm_area *area = pmm_area(vm), *gone;
	bool joined;

	spin_lock(&list->lock);
	joined = __pmm_can_join(area);
	if (joined) {
		gone = __pmm_vmlist_join(list, area);
	} else {
		if (pmm_tracing())
			pmm_trace_area_gone(list, vm, true);
		list->lazy_bytes += vm->size;
		vm->flags = 0;
		vm->caller = NULL;
		vm->phys_addr = 0;
		area->nr_huge = 0;
		area->state = PMM_AREA_LAZY;
		list_add_tail(&area->waiting, &list->lazy);
		list->nr_lazy++;
		gone = __pmm_merge_above(list, area);
	}
	spin_unlock(&list->lock);
	if (joined)
		pmm_free_record(list, area);
	if (gone)
		pmm_free_record(list, gone);
}

/**
 * pmm_vmlist_purge_begin() - take what waits for a flush
 * @list: the window
 * @purged: gets the areas, for pmm_vmlist_purge_end()
 *
 * Context: Process context.
 * Return: true when there is anything: then the caller flushes every TLB.
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

/* Some of them, so that the lock is not held for long. */
static void pmm_vmlist_remove_some(struct pmm_vmlist *list, struct list_head *purged,
				   struct list_head *gone)
{
	struct pmm_area *area, *next;
	unsigned int most = 64;

	spin_lock(&list->lock);
	list_for_each_entry_safe(area, next, purged, waiting) {
		if (pmm_tracing())
			pmm_trace_purge(list, &area->vm);
		list->lazy_bytes -= area->vm.size;
		list->nr_lazy--;
		__pmm_remove(list, area, false);
		list_move_tail(&area->waiting, gone);
		if (!--most)
			break;
	}
	spin_unlock(&list->lock);
}

/**
 * pmm_vmlist_purge_end() - what has been flushed may be used again
 * @list: the window
 * @purged: of pmm_vmlist_purge_begin()
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

/* --- user mappings ---------------------------------------------------------------------------- */

/**
 * pmm_vmlist_hold() - one more user mapping of an area
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
 * pmm_vmlist_hold_again() - a user mapping was copied or split
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
 * pmm_vmlist_drop() - a user mapping has gone
 * @list: the window
 * @vm: an area that the caller holds
 *
 * Context: Process context.
 * Return: true when the owner had freed the area and this was its last user: then the caller takes
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

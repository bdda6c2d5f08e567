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
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "internal.h"

/**
 * pmm_vmlist_init() - an empty window
 * @list: to fill in
 * @start: first address, page aligned
 * @size: bytes, a multiple of the page size; @start + @size does not overflow
 *
 * Context: Any.
 */
void pmm_vmlist_init(struct pmm_vmlist *list, unsigned long start, unsigned long size)
{
	spin_lock_init(&list->lock);
	list->head = NULL;
	list->nr_areas = 0;
	list->nr_stale = 0;
	list->deferred = NULL;
	list->start = start;
	list->end = start + size;
}

/*
 * 2.4's first fit: the lowest hole that @size fits, an exact fit included. Returns the link after
 * which the area goes and its address, or NULL. 2.4 looked at the end of the window only while it
 * had areas to walk past; here the last hole is checked like the others. Differences, not sums, are
 * compared, so nothing can overflow.
 */
static struct pmm_vm_struct **__pmm_find_hole(struct pmm_vmlist *list, unsigned long size,
					      unsigned long *addr)
{
	struct pmm_vm_struct **link, *vm;

	lockdep_assert_held(&list->lock);
	*addr = list->start;
	for (link = &list->head; (vm = *link); link = &vm->next) {
		if (size <= (unsigned long)vm->addr - *addr)
			return link;
		*addr = (unsigned long)vm->addr + vm->size;
	}
	return size <= list->end - *addr ? link : NULL;
}

static unsigned long pmm_page_of(const struct pmm_vmlist *list, unsigned long addr)
{
	return (addr - list->start) >> PAGE_SHIFT;
}

/* A deferred free older than the area is no free of this one. */
static bool __pmm_void_deferred(struct pmm_vmlist *list, unsigned long addr)
{
	if (!list->deferred || !test_and_clear_bit(pmm_page_of(list, addr), list->deferred))
		return false;
	list->nr_stale++;
	return true;
}

static struct pmm_area *pmm_new_area(unsigned long size, unsigned long flags, gfp_t gfp,
				     const void *caller)
{
	struct pmm_area *area = kzalloc(sizeof(*area), gfp);

	if (!area)
		return NULL;
	area->vm.flags = flags;
	area->vm.size = size;
	area->vm.caller = caller;
	area->users = 1;
	return area;
}

static void __pmm_insert(struct pmm_vmlist *list, struct pmm_vm_struct *vm,
			 struct pmm_vm_struct **link, unsigned long addr)
{
	vm->addr = (void *)addr;
	vm->next = *link;
	*link = vm;
	list->nr_areas++;
}

/**
 * pmm_vmlist_get() - 2.4's get_vm_area(): reserve addresses
 * @list: the window
 * @size: bytes, rounded up to pages; one guard page is added
 * @flags: PMM_VM_*
 * @gfp: for the record itself
 * @caller: who asks
 *
 * Context: Process context; may sleep if @gfp says so.
 * Return: The area, listed but not mapped, in state PMM_AREA_NEW; ERR_PTR: -EINVAL (size 0 or
 * beyond any window), -ENOMEM (no memory for the record), -ENOSPC (no hole is large enough).
 */
struct pmm_vm_struct *pmm_vmlist_get(struct pmm_vmlist *list, unsigned long size,
				     unsigned long flags, gfp_t gfp, const void *caller)
{
	struct pmm_vm_struct **link;
	struct pmm_area *area;
	unsigned long addr;
	bool stale = false;

	if (!size || size > ULONG_MAX - 2 * PAGE_SIZE)
		return ERR_PTR(-EINVAL);
	area = pmm_new_area(PAGE_ALIGN(size) + PAGE_SIZE, flags, gfp, caller);
	if (!area)
		return ERR_PTR(-ENOMEM);

	spin_lock(&list->lock);
	link = __pmm_find_hole(list, area->vm.size, &addr);
	if (link) {
		__pmm_insert(list, &area->vm, link, addr);
		stale = __pmm_void_deferred(list, addr);
	}
	spin_unlock(&list->lock);
	if (stale)
		pr_err_ratelimited("Trying to vfree() nonexistent vm area (%p), deferred\n",
				   (void *)addr);
	if (link)
		return &area->vm;
	kfree(area);
	return ERR_PTR(-ENOSPC);
}

static struct pmm_vm_struct *__pmm_vmlist_find(struct pmm_vmlist *list, const void *addr)
{
	struct pmm_vm_struct *vm;

	lockdep_assert_held(&list->lock);
	for (vm = list->head; vm && vm->addr < addr; vm = vm->next)
		;
	return vm && vm->addr == addr ? vm : NULL;
}

/* Live, and not yet freed by its owner. */
static struct pmm_vm_struct *__pmm_vmlist_find_live(struct pmm_vmlist *list, const void *addr)
{
	struct pmm_vm_struct *vm = __pmm_vmlist_find(list, addr);

	if (!vm || pmm_area(vm)->state != PMM_AREA_LIVE || pmm_area(vm)->orphan)
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

/**
 * pmm_vmlist_set_pages() - record which pages an area maps
 * @list: the window
 * @vm: the area, in state PMM_AREA_NEW
 * @pages: the array, the area's from here on
 * @nr_pages: its length
 *
 * Context: Process context.
 */
void pmm_vmlist_set_pages(struct pmm_vmlist *list, struct pmm_vm_struct *vm, struct page **pages,
			  unsigned int nr_pages)
{
	spin_lock(&list->lock);
	vm->pages = pages;
	vm->nr_pages = nr_pages;
	spin_unlock(&list->lock);
}

/**
 * pmm_vmlist_publish() - the area is mapped: from here on others may read, map and free it
 * @list: the window
 * @vm: the area, in state PMM_AREA_NEW
 *
 * Context: Process context.
 */
void pmm_vmlist_publish(struct pmm_vmlist *list, struct pmm_vm_struct *vm)
{
	spin_lock(&list->lock);
	pmm_area(vm)->state = PMM_AREA_LIVE;
	spin_unlock(&list->lock);
}

static enum pmm_detach_result __pmm_detach_area(struct pmm_area *area, unsigned long type)
{
	bool owns_pages = area->vm.flags & PMM_VM_ALLOC && area->vm.pages;

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
					   unsigned long type, struct pmm_vm_struct **vmp)
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
	struct pmm_vm_struct **link;

	spin_lock(&list->lock);
	for (link = &list->head; *link; link = &(*link)->next) {
		if (*link == vm) {
			*link = vm->next;
			list->nr_areas--;
			break;
		}
	}
	spin_unlock(&list->lock);
	vm->next = NULL;
}

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

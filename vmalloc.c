// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the vmalloc family. It brings three parts together: addresses from the vm_struct list
 * (vmlist.c), pages from the buddy allocator (buddy.c), and page table entries (host/window.c).
 *
 * Addresses and messages are 2.4.22's, the calls 2.6.28's. With purge=eager an area is taken down
 * in one order: clear its entries, flush every TLB, give pages and addresses back. With purge=lazy
 * the flush comes last, for many areas at once (purge.c), and their addresses wait for it. Either
 * way no address gets a new owner while a stale translation may remain.
 *
 * Process context throughout, because records are allocated and flushes wait for other CPUs; only
 * pmm_vfree() may be called from any context, and defers. The areas and pmm_vmlist.lock are in
 * vmlist.c, the fast paths in vmalloc_inline.h, the rare cases and the exported calls here.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/io.h>
#include <linux/preempt.h>
#include <linux/workqueue.h>

#include "host/compat.h"
#include "host/gfp.h"
#include "vmalloc_inline.h"

bool pmm_bulk;

/* A large area takes a while: let other tasks run now and then. */
static void pmm_breathe(unsigned long i)
{
	if (i % PMM_MAX_ORDER_PAGES == PMM_MAX_ORDER_PAGES - 1)
		cond_resched();
}

/* --- taking an area down ---------------------------------------------------------------------- */

/**
 * pmm_free_many_pages() - give back more pages of an area than this CPU's list has room for
 * @pages: the pages
 * @nr_pages: how many
 * @caller: address to record
 * @may_sleep: let other tasks run now and then
 *
 * 2.4 and 2.6.28 give the pages back one by one, in ascending address order. Giving them back in
 * bulk leaves the same free lists.
 *
 * Context: Any, if not @may_sleep.
 */
noinline void pmm_free_many_pages(struct page **pages, unsigned long nr_pages,
				  unsigned long caller, bool may_sleep)
{
	unsigned long i = 0, nr;

	if (pmm_bulk) {
		for (; i < nr_pages; i += nr) {
			nr = min(nr_pages - i, PMM_MAX_ORDER_PAGES);
			pmm_zone_free_bulk(&pmm_zone, nr, pages + i, PMM_MAPPED, caller);
			if (may_sleep)
				cond_resched();
		}
		return;
	}
	for (; i < nr_pages; i++) {
		pmm_free_pages_caller(pages[i], 0, PMM_MAPPED, caller);
		if (may_sleep)
			pmm_breathe(i);
	}
}

static void pmm_give_up_pages(struct pmm_vm_struct *vm, const void *caller)
{
	pmm_drop_pages(vm, caller);
	vm->pages = NULL;
	vm->nr_pages = 0;
}

/**
 * pmm_unmap_area() - take an area down in 2.4's order of work, but keep its record
 * @vm: the area, detached
 * @caller: address to record
 *
 * Context: Process context, interrupts on; waits for a TLB flush.
 */
noinline void pmm_unmap_area(struct pmm_vm_struct *vm, const void *caller)
{
	pmm_window_unmap((unsigned long)vm->addr, pmm_area_pages(vm));
	pmm_window_flush(PMM_FLUSH_EAGER, vm->size);
	pmm_give_up_pages(vm, caller);
	pmm_vmlist_unlink(&pmm_vmlist, vm);
}

/**
 * pmm_destroy_area() - take an area down, in the order that purge= selects
 * @vm: the area, detached or never published; gone afterwards
 * @caller: address to record
 *
 * Context: Process context, interrupts on; may wait for a TLB flush.
 */
noinline void pmm_destroy_area(struct pmm_vm_struct *vm, const void *caller)
{
	if (!pmm_purge_is_lazy()) {
		pmm_unmap_area(vm, caller);
		kfree(vm);
		return;
	}
	pmm_window_unmap((unsigned long)vm->addr, pmm_area_pages(vm));
	pmm_give_up_pages(vm, caller);
	pmm_vmlist_retire(&pmm_vmlist, vm);
	pmm_purge_excess();
}

static void pmm_finish_detach(enum pmm_detach_result result, struct pmm_vm_struct *vm,
			      const void *addr, unsigned long type, const void *caller)
{
	if (result == PMM_DETACH_OK)
		pmm_destroy_area(vm, caller);
	else if (pmm_detach_errno(result))
		pmm_refuse_area(&pmm_vmlist, addr, type, result, caller);
}

/**
 * pmm_take_down_in_steps() - pmm_take_down() of an area that cannot join the one below it
 * @addr: first byte of the area
 * @type: as for pmm_take_down()
 * @caller: address to record
 *
 * Context: As pmm_take_down().
 * Return: Likewise.
 */
noinline enum pmm_detach_result
pmm_take_down_in_steps(const void *addr, unsigned long type, const void *caller)
{
	struct pmm_vm_struct *vm = NULL;
	enum pmm_detach_result result = pmm_vmlist_detach(&pmm_vmlist, addr, type, caller, &vm);

	pmm_finish_detach(result, vm, addr, type, caller);
	return result;
}

/**
 * pmm_take_down() - free the area that begins at an address
 * @addr: first byte of the area
 * @type: the kind that it must be of: PMM_VM_ALLOC, PMM_VM_MAP or PMM_VM_IOREMAP
 * @caller: address to record
 *
 * A refusal changes nothing, is counted, and is reported in 2.4's words.
 *
 * Context: Process context, interrupts on; waits for a TLB flush.
 * Return: As pmm_vmlist_detach().
 */
enum pmm_detach_result pmm_take_down(const void *addr, unsigned long type, const void *caller)
{
	return pmm_take_down_fast(addr, type, caller);
}

/* --- vmalloc ---------------------------------------------------------------------------------- */

/*
 * The kernel allocates the record and the page array. Of the caller's flags, it gets those that say
 * how hard to try.
 */
static gfp_t pmm_record_gfp(gfp_t gfp)
{
	return gfp &
	       (__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HIGH | __GFP_NOWARN | __GFP_NORETRY);
}

/* So few pages are taken one by one: the first brings a batch of others to this CPU's list. */
#define PMM_FEW_PAGES	4

static unsigned long pmm_take_in_bulk(struct page **pages, unsigned long nr_pages, gfp_t gfp,
				      const void *caller)
{
	unsigned long i, got = 0, nr;

	while (got < nr_pages) {
		nr = pmm_zone_alloc_bulk(&pmm_zone, gfp, 0, PMM_MAPPED, (unsigned long)caller,
					 min(nr_pages - got, PMM_BULK_PAGES), pages + got);
		if (!nr)
			break;
		for (i = got; want_init_on_alloc(gfp) && i < got + nr; i++)
			clear_page(page_address(pages[i]));
		got += nr;
		if (got < nr_pages && gfpflags_allow_blocking(gfp))
			cond_resched();
	}
	return got;
}

/*
 * 2.6.28 takes all pages first, order 0, one by one. Taking them in bulk yields the same pages,
 * except for a few that this CPU's list has at hand. When too few come in bulk, the single call
 * still has its last resorts. Returns how many pages there were.
 */
static unsigned long pmm_take_pages(struct page **pages, unsigned long nr_pages, gfp_t gfp,
				    const void *caller)
{
	unsigned long i = 0;

	if (pmm_bulk && nr_pages > PMM_FEW_PAGES)
		i = pmm_take_in_bulk(pages, nr_pages, gfp, caller);
	for (; i < nr_pages; i++) {
		pages[i] = pmm_alloc_page_caller(gfp | __GFP_NOWARN, PMM_MAPPED,
						 (unsigned long)caller);
		if (!pages[i])
			break;
		if (gfpflags_allow_blocking(gfp))
			pmm_breathe(i);
	}
	return i;
}

/* May 2 MiB entries map the area? Making one may need a flush, which waits. */
static bool pmm_is_huge_candidate(unsigned long nr_pages, gfp_t gfp)
{
	return nr_pages >= PTRS_PER_PTE && pmm_bulk && gfpflags_allow_blocking(gfp) &&
	       pmm_window_can_map_huge();
}

/*
 * Take whole largest blocks for as much of the area as they cover; the caller continues with small
 * pages. Each page then stands on its own, as if it had been taken singly.
 */
static unsigned long pmm_take_huge(struct pmm_vm_struct *vm, struct page **pages,
				   unsigned long nr_pages, gfp_t gfp)
{
	unsigned long got = 0, i;
	struct page *page;

	if (!pmm_is_huge_candidate(nr_pages, gfp) ||
	    !IS_ALIGNED((unsigned long)vm->addr, PMD_SIZE))
		return 0;
	for (; nr_pages - got >= PTRS_PER_PTE; got += PTRS_PER_PTE) {
		if (!pmm_zone_alloc_bulk(&pmm_zone, gfp, PMM_MAX_ORDER - 1, PMM_MAPPED,
					 (unsigned long)vm->caller, 1, &page))
			break;
		pmm_zone_break(&pmm_zone, page, PMM_MAX_ORDER - 1, (unsigned long)vm->caller);
		for (i = 0; i < PTRS_PER_PTE; i++)
			pages[got + i] = page + i;
		for (i = 0; want_init_on_alloc(gfp) && i < PTRS_PER_PTE; i++)
			clear_page(page_address(page + i));
		pmm_area(vm)->nr_huge++;
		cond_resched();
	}
	return got;
}

/* The record has room for this many pages; larger areas get a separate array. */
static unsigned int pmm_nr_slots(unsigned long nr_pages)
{
	return nr_pages <= PMM_MAX_SLOTS ? nr_pages : 0;
}

/**
 * pmm_alloc_area_pages() - get the pages of a new area, and record them
 * @vm: the area
 * @got: how many of them are in its slots already
 * @gfp: as for __pmm_vmalloc()
 *
 * Context: Process context; may sleep if @gfp says so.
 * Return: 0; -ENOMEM, and the area has no pages.
 */
noinline int pmm_alloc_area_pages(struct pmm_vm_struct *vm, unsigned long got, gfp_t gfp)
{
	unsigned long nr_pages = pmm_area_pages(vm);
	struct page **pages = pmm_page_array(vm, nr_pages, pmm_record_gfp(gfp));

	if (!pages)
		return -ENOMEM;
	got += pmm_take_huge(vm, pages, nr_pages, gfp);
	got += pmm_take_pages(pages + got, nr_pages - got, gfp, vm->caller);
	if (got < nr_pages) {
		pmm_free_area_pages(pages, got, (unsigned long)vm->caller,
				    gfpflags_allow_blocking(gfp));
		if (pages != pmm_area(vm)->slots)
			kvfree(pages);
		return -ENOMEM;
	}
	pmm_vmlist_set_pages(&pmm_vmlist, vm, pages, nr_pages);
	return 0;
}

static struct pmm_vm_struct *pmm_reserve_again(const struct pmm_area_request *want)
{
	/* Another task may have purged just now; there may be room either way. */
	pmm_purge();
	return pmm_vmlist_reserve(&pmm_vmlist, want);
}

/**
 * pmm_reserve_area() - pmm_vmlist_reserve(), with a purge if there is no room otherwise
 * @want: as for pmm_vmlist_reserve()
 *
 * Context: Process context; may sleep if @want->gfp says so.
 * Return: As pmm_vmlist_reserve(); ERR_PTR(-ENXIO) when the window is lost.
 */
struct pmm_vm_struct *pmm_reserve_area(const struct pmm_area_request *want)
{
	struct pmm_vm_struct *vm = pmm_window_is_lost() ? ERR_PTR(-ENXIO) :
				   pmm_vmlist_reserve(&pmm_vmlist, want);

	if (!IS_ERR(vm) || PTR_ERR(vm) != -ENOSPC || !pmm_purge_is_lazy() ||
	    !gfpflags_allow_blocking(want->gfp))
		return vm;
	return pmm_reserve_again(want);
}

/**
 * pmm_abandon_area() - give back an area that never had pages: nothing to flush
 * @vm: the area, in state PMM_AREA_NEW
 *
 * Context: Process context.
 */
void pmm_abandon_area(struct pmm_vm_struct *vm)
{
	pmm_vmlist_unlink(&pmm_vmlist, vm);
	kfree(vm);
}

/* On a 2 MiB boundary if there is room, else anywhere. */
static struct pmm_vm_struct *pmm_reserve_huge(const struct pmm_area_request *want)
{
	struct pmm_area_request aligned = *want;
	struct pmm_vm_struct *vm;

	aligned.align = PMD_SIZE;
	vm = pmm_reserve_area(&aligned);
	return PTR_ERR_OR_ZERO(vm) == -ENOSPC ? pmm_reserve_area(want) : vm;
}

/**
 * pmm_reserve_anywhere() - reserve an area for pages by pmm_reserve_area()
 * @size: bytes
 * @gfp: as for __pmm_vmalloc()
 * @flags: PMM_VM_*
 * @caller: address to record
 *
 * Context: Process context; may sleep if @gfp says so.
 * Return: As pmm_vmlist_reserve().
 */
noinline struct pmm_vm_struct *
pmm_reserve_anywhere(unsigned long size, gfp_t gfp, unsigned long flags, const void *caller)
{
	const struct pmm_area_request want = {
		.size = size, .align = PAGE_SIZE, .flags = flags,
		.nr_slots = pmm_nr_slots(PFN_UP(size)), .gfp = pmm_record_gfp(gfp),
		.caller = caller,
	};

	if (flags & PMM_VM_ALLOC && pmm_is_huge_candidate(PFN_UP(size), gfp))
		return pmm_reserve_huge(&want);
	return pmm_reserve_area(&want);
}

/**
 * pmm_vmalloc_caller() - __pmm_vmalloc() for a caller further up
 * @size: bytes, rounded up to pages
 * @gfp: as for __pmm_vmalloc()
 * @prot: likewise
 * @flags: PMM_VM_USERMAP or 0
 * @caller: address to record
 *
 * Context: Process context; may sleep if @gfp says so.
 * Return: The area's address; ERR_PTR: -EINVAL (0, or more pages than the pool has), -ENOSPC (no
 * hole in the window is large enough), -ENXIO (the window is lost), -ENOMEM (not enough free pages,
 * or no memory for the record).
 */
void *pmm_vmalloc_caller(unsigned long size, gfp_t gfp, pgprot_t prot, unsigned long flags,
			 const void *caller)
{
	return pmm_vmalloc_fast(size, gfp, prot, flags, caller);
}

static noinline void *pmm_vmalloc_failed(unsigned long size, gfp_t gfp, long err,
					 const void *caller)
{
	if (!(gfp & __GFP_NOWARN))
		pr_warn_ratelimited("vmalloc of %lu bytes failed: error %ld, %lu of %lu pages free, by %pS\n",
				    size, err, pmm_nr_free_pages(), pmm_zone.nr_pages, caller);
	return NULL;
}

/* The exported calls return NULL for an error, and print one line unless __GFP_NOWARN. */
static noinline void *pmm_vmalloc_or_null(unsigned long size, gfp_t gfp, pgprot_t prot,
					  unsigned long flags, const void *caller)
{
	void *addr;

	pmm_might_sleep_if(gfpflags_allow_blocking(gfp));
	addr = pmm_vmalloc_fast(size, gfp, prot, flags, caller);
	return IS_ERR(addr) ? pmm_vmalloc_failed(size, gfp, PTR_ERR(addr), caller) : addr;
}

/**
 * pmm_vmalloc() - allocate memory that is contiguous in the window
 * @size: bytes, rounded up to pages; not 0 and not more than the pool
 *
 * The addresses are 2.4.22's: the lowest hole that fits, with one guard page. The order of work is
 * 2.6.28's: record, page array, all pages one by one, then one pass of mapping; a failure undoes
 * everything. In era modern the pages come in bulk, and an area of 2 MiB or more begins on such a
 * boundary; 2 MiB entries map it as far as there are whole largest blocks.
 *
 * Context: Process context; may sleep.
 * Return: The address, page aligned, contents undefined; NULL on failure.
 */
void *pmm_vmalloc(unsigned long size)
{
	return pmm_vmalloc_or_null(size, GFP_KERNEL, PAGE_KERNEL, 0, __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(pmm_vmalloc);

/**
 * pmm_vzalloc() - pmm_vmalloc(), zeroed
 * @size: bytes, as for pmm_vmalloc()
 *
 * Context: Process context; may sleep.
 * Return: The address, or NULL. (2.6.37)
 */
void *pmm_vzalloc(unsigned long size)
{
	return pmm_vmalloc_or_null(size, GFP_KERNEL | __GFP_ZERO, PAGE_KERNEL, 0,
				   __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(pmm_vzalloc);

/**
 * pmm_vmalloc_user() - pmm_vmalloc(), zeroed, and fit to be mapped to user space
 * @size: bytes, as for pmm_vmalloc()
 *
 * Context: Process context; may sleep.
 * Return: The address, for pmm_remap_vmalloc_range(); or NULL. (2.6.28)
 */
void *pmm_vmalloc_user(unsigned long size)
{
	return pmm_vmalloc_or_null(size, GFP_KERNEL | __GFP_ZERO, PAGE_KERNEL, PMM_VM_USERMAP,
				   __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(pmm_vmalloc_user);

/**
 * pmm_vmalloc_32() - pmm_vmalloc() of pages below 4 GiB
 * @size: bytes, as for pmm_vmalloc()
 *
 * The pool is one chunk: load the module with below=4G to be sure of it.
 *
 * Context: Process context; may sleep.
 * Return: The address; NULL on failure, and always when the chunk goes beyond 4 GiB. (2.6.28)
 */
void *pmm_vmalloc_32(unsigned long size)
{
	if (page_to_phys(pmm_zone.mem_map) + ((phys_addr_t)pmm_zone.nr_pages << PAGE_SHIFT) >
	    1ULL << 32) {
		pr_warn_ratelimited("vmalloc_32 of %lu bytes failed: the chunk is not below 4 GiB\n",
				    size);
		return NULL;
	}
	return pmm_vmalloc_or_null(size, GFP_KERNEL, PAGE_KERNEL, 0, __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(pmm_vmalloc_32);

/**
 * __pmm_vmalloc() - pmm_vmalloc() with chosen flags and protection
 * @size: bytes, as for pmm_vmalloc()
 * @gfp: as for pmm_alloc_pages() of order 0; the sleeping and I/O flags apply to the record and the
 *	page array, which the kernel allocates
 * @prot: protection of the mapping; execution is never allowed
 *
 * Context: Process context; may sleep if @gfp says so.
 * Return: The address, or NULL. (2.6.28)
 */
void *__pmm_vmalloc(unsigned long size, gfp_t gfp, pgprot_t prot)
{
	if (gfp & PMM_GFP_CHECKED && !pmm_gfp_allows(gfp, 0, _RET_IP_))
		return NULL;
	return pmm_vmalloc_or_null(size, gfp, prot, 0, __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(__pmm_vmalloc);

/*
 * May this context neither sleep nor wait for other CPUs? That is so in interrupts of all kinds,
 * also where PREEMPT_RT runs them in threads. Where preemption is counted, it is so as well with
 * preemption off and in an RCU reader, which under PREEMPT_RT a task that holds a spinlock is.
 */
static bool pmm_in_atomic_context(void)
{
	/* Otherwise preemptible() says no in interrupts of all kinds. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || !IS_ENABLED(CONFIG_PREEMPT_COUNT))
		if (in_interrupt() || irqs_disabled())
			return true;
	return rcu_preempt_depth() || (IS_ENABLED(CONFIG_PREEMPT_COUNT) && !preemptible());
}

static void pmm_vfree_deferred(struct work_struct *work)
{
	unsigned long page, nr_pages = pmm_window_size() >> PAGE_SHIFT;
	unsigned long *deferred = pmm_vmlist.deferred;
	enum pmm_detach_result result;

	/* A free that is noted meanwhile is found here, or queues the work again. */
	for (page = 0; (page = data_race(find_next_bit(deferred, nr_pages, page))) < nr_pages;) {
		void *addr = (void *)(pmm_window_start() + (page++ << PAGE_SHIFT));
		const void *caller = pmm_vfree_deferred;
		struct pmm_vm_struct *vm = NULL;

		result = pmm_vmlist_detach_deferred(&pmm_vmlist, addr, PMM_VM_ALLOC, &caller, &vm);
		pmm_finish_detach(result, vm, addr, PMM_VM_ALLOC, caller);
	}
}

static DECLARE_WORK(pmm_vfree_work, pmm_vfree_deferred);

/**
 * pmm_vfree() - free an area of pmm_vmalloc() and its kin
 * @addr: its address; NULL is ignored
 *
 * An address that is unaligned, that begins no area, or whose area is of another kind is refused
 * with 2.4's messages and no effect. An area that a user process still maps lives until that
 * mapping goes.
 *
 * Context: Any but NMI; on a kernel that does not count preemption, not with a spinlock held and
 * not as a reader under RCU. In process context with purge=eager it flushes every TLB before it
 * returns; in atomic context a worker does so soon.
 */
void pmm_vfree(const void *addr)
{
	enum pmm_detach_result result;

	if (!addr)
		return;
	if (!pmm_in_atomic_context()) {
		pmm_might_sleep();
		pmm_take_down_fast(addr, PMM_VM_ALLOC, __builtin_return_address(0));
		return;
	}
	result = pmm_vmlist_defer(&pmm_vmlist, addr, __builtin_return_address(0));
	if (result == PMM_DETACH_LATER)
		schedule_work(&pmm_vfree_work);
	else
		pmm_refuse_area(&pmm_vmlist, addr, PMM_VM_ALLOC, result,
				__builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(pmm_vfree);

/**
 * pmm_vm_unmap_aliases() - flush the mappings that were cleared but not yet flushed
 *
 * First it waits for the frees that pmm_vfree() deferred. With purge=lazy it then purges: one
 * flush, if anything waits for it, and all freed addresses may be used again. With purge=eager
 * nothing waits. (2.6.28)
 *
 * Context: Process context; may sleep.
 */
void pmm_vm_unmap_aliases(void)
{
	pmm_might_sleep();
	flush_work(&pmm_vfree_work);
	pmm_purge();
}
EXPORT_SYMBOL_GPL(pmm_vm_unmap_aliases);

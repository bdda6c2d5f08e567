// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the vmalloc family. It brings the three parts together: addresses from the vm_struct
 * list (vmlist.c), pages from the buddy allocator (buddy.c), and page table entries (window.c).
 *
 * Addresses and messages are 2.4.22's, the calls 2.6.28's. With purge=eager an area is taken down
 * in one order: clear its entries, flush every TLB, give pages and addresses back. With purge=lazy
 * the flush comes last, for many areas at once (purge.c), and their addresses wait for it; so that
 * in either case no address has a new owner while a stale translation may stand.
 *
 * Process context throughout, since records are allocated and flushes wait for other CPUs; but
 * pmm_vfree() may be called from anywhere and then defers. The areas are locked by pmm_vmlist.lock
 * (vmlist.c).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/io.h>
#include <linux/poison.h>
#include <linux/preempt.h>
#include <linux/workqueue.h>

#include "host/compat.h"
#include "pcp.h"
#include "purge.h"
#include "host/window.h"

struct pmm_vmlist pmm_vmlist;

static atomic64_t pmm_refused;	/* frees of areas that were refused */
static bool pmm_bulk;		/* era modern: pages in bulk, and 2 MiB at a time */
static bool pmm_redzone;
static atomic_long_t pmm_nr_redzone;	/* areas that were written to behind their last byte */

static void pmm_vfree_deferred(struct work_struct *work);
static DECLARE_WORK(pmm_vfree_work, pmm_vfree_deferred);

static unsigned long pmm_area_pages(const struct pmm_vm_struct *vm)
{
	return pmm_area_bytes(vm) >> PAGE_SHIFT;
}

/* Large areas take a while: let others run now and then. */
static void pmm_breathe(unsigned long i)
{
	if (i % PMM_MAX_ORDER_PAGES == PMM_MAX_ORDER_PAGES - 1)
		cond_resched();
}

/* --- redzone=1 -------------------------------------------------------------------------------- */

/* The kernel's allocators have no such check for vmalloc(); SLUB's is the model. */
static char *pmm_redzone_start(const struct pmm_vm_struct *vm)
{
	return (char *)page_address(vm->pages[vm->nr_pages - 1]) + PAGE_SIZE - pmm_area_slack(vm);
}

/* Not where a user process may map the whole of the last page, and write to it. */
static noinline void pmm_redzone_paint(struct pmm_vm_struct *vm, unsigned long size)
{
	unsigned long slack = PAGE_ALIGN(size) - size;

	if (vm->flags & PMM_VM_USERMAP || !slack)
		return;
	WRITE_ONCE(vm->flags, vm->flags | slack << PMM_VM_SLACK_SHIFT);
	memset(pmm_redzone_start(vm), SLUB_RED_ACTIVE, slack);
}

static noinline void pmm_redzone_check(const struct pmm_vm_struct *vm, const void *caller)
{
	const char *start = pmm_redzone_start(vm);
	const u8 *at = memchr_inv(start, SLUB_RED_ACTIVE, pmm_area_slack(vm));
	unsigned long size = ((unsigned long)vm->nr_pages << PAGE_SHIFT) - pmm_area_slack(vm);

	if (likely(!at))
		return;
	atomic_long_inc(&pmm_nr_redzone);
	pr_err_ratelimited("redzone: a vmalloc of %lu bytes was written to behind its end: byte %lu is %#x, not %#x; allocated by %pS, freed by %pS\n",
			   size, size + ((const char *)at - start), *at, SLUB_RED_ACTIVE,
			   vm->caller, caller);
}

/**
 * pmm_redzone_errors() - areas that were found written to behind their last byte
 *
 * Context: Any.
 * Return: How many, since load.
 */
long pmm_redzone_errors(void)
{
	return atomic_long_read(&pmm_nr_redzone);
}

/* --- taking an area down ---------------------------------------------------------------------- */

/*
 * 2.4 and 2.6.28 give the pages back one by one, in ascending address order; which in bulk has the
 * same result on the free lists. A few go to this CPU's list first.
 */
static noinline void __pmm_free_area_pages(struct page **pages, unsigned long nr_pages,
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
		pmm_free_pages_from(pages[i], 0, PMM_MAPPED, caller);
		if (may_sleep)
			pmm_breathe(i);
	}
}

static __always_inline void pmm_free_area_pages(struct page **pages, unsigned long nr_pages,
						unsigned long caller, bool may_sleep)
{
	unsigned long done = 0;

	if (likely(pmm_bulk && nr_pages <= PMM_PCP_BATCH))
		done = pmm_pcp_free_many(&pmm_zone, PMM_MAPPED, caller, nr_pages, pages);
	if (unlikely(done < nr_pages))
		__pmm_free_area_pages(pages + done, nr_pages - done, caller, may_sleep);
}

/* For a record that nobody looks at any more. */
static __always_inline void __pmm_give_up_pages(const struct pmm_vm_struct *vm, const void *caller)
{
	if (unlikely(pmm_area_slack(vm)))
		pmm_redzone_check(vm, caller);
	if (vm->flags & PMM_VM_ALLOC)
		pmm_free_area_pages(vm->pages, vm->nr_pages, (unsigned long)caller, true);
	else if (vm->pages)
		pmm_window_put_pages(vm->pages, vm->nr_pages, pmm_area(vm)->foreign);
	if (unlikely(vm->pages != pmm_area(vm)->slots))
		kvfree(vm->pages);
}

static void pmm_give_up_pages(struct pmm_vm_struct *vm, const void *caller)
{
	__pmm_give_up_pages(vm, caller);
	vm->pages = NULL;
	vm->nr_pages = 0;
}

/* 2.4's order of work. The record itself is left: pmm_remove_vm_area() hands it to its caller. */
static noinline void pmm_unmap_area(struct pmm_vm_struct *vm, const void *caller)
{
	pmm_window_unmap((unsigned long)vm->addr, pmm_area_pages(vm));
	pmm_window_flush(PMM_FLUSH_EAGER, vm->size);
	pmm_give_up_pages(vm, caller);
	pmm_vmlist_unlink(&pmm_vmlist, vm);
}

static noinline void pmm_destroy_area(struct pmm_vm_struct *vm, const void *caller)
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

static const struct {
	int		err;
	const char	*why;
} pmm_detach_results[PMM_NR_DETACH_RESULTS] = {
	[PMM_DETACH_OK]		 = { 0,		"freed" },
	[PMM_DETACH_LATER]	 = { 0,		"freed when its last user mapping goes" },
	[PMM_DETACH_NONE]	 = { 0,		"nothing to be freed" },
	[PMM_DETACH_BAD_ADDRESS] = { -EINVAL,	"bad address" },
	[PMM_DETACH_NONEXISTENT] = { -ENOENT,	"nonexistent vm area" },
	[PMM_DETACH_WRONG_TYPE]	 = { -EINVAL,	"vm area of another kind" },
};

const char *pmm_detach_why(enum pmm_detach_result result)
{
	return pmm_detach_results[result].why;
}

int pmm_detach_errno(enum pmm_detach_result result)
{
	return pmm_detach_results[result].err;
}

u64 pmm_vmalloc_refused(void)
{
	return atomic64_read(&pmm_refused) + READ_ONCE(pmm_vmlist.nr_stale);
}

static const char *pmm_free_call(unsigned long type)
{
	switch (type) {
	case PMM_VM_ALLOC:
		return "vfree";
	case PMM_VM_MAP:
		return "vunmap";
	case PMM_VM_IOREMAP:
		return "iounmap";
	case PMM_VM_RAM:
		return "vm_unmap_ram";
	default:
		return "remove_vm_area";
	}
}

/**
 * pmm_refuse() - count and report a free of an area that is none
 * @result: why
 * @addr: what was to be freed
 * @type: by which call: PMM_VM_*
 * @caller: who wanted it
 *
 * Context: Any.
 */
void pmm_refuse(enum pmm_detach_result result, const void *addr, unsigned long type,
		const void *caller)
{
	atomic64_inc(&pmm_refused);
	if (pmm_tracing())
		pmm_trace_area_misuse(&pmm_vmlist, addr, result, (unsigned long)caller);
	pr_err_ratelimited("Trying to %s() %s (%p), by %pS\n", pmm_free_call(type),
			   pmm_detach_why(result), addr, caller);
}

static void pmm_finish_detach(enum pmm_detach_result result, struct pmm_vm_struct *vm,
			      const void *addr, unsigned long type, const void *caller)
{
	if (result == PMM_DETACH_OK)
		pmm_destroy_area(vm, caller);
	else if (pmm_detach_errno(result))
		pmm_refuse(result, addr, type, caller);
}

static noinline enum pmm_detach_result
pmm_take_down_in_steps(const void *addr, unsigned long type, const void *caller)
{
	struct pmm_vm_struct *vm = NULL;
	enum pmm_detach_result result = pmm_vmlist_detach(&pmm_vmlist, addr, type, &vm);

	pmm_finish_detach(result, vm, addr, type, caller);
	return result;
}

/*
 * With purge=lazy an area on top of one that waits is looked up, unmapped and made part of that
 * without dropping the lock between; but not where looking up is a walk of the list. The pages are
 * given up afterwards, as in the other order.
 */
static __always_inline bool pmm_take_down_at_once(const void *addr, unsigned long type,
						  const void *caller)
{
	struct pmm_vmlist *list = &pmm_vmlist;
	struct pmm_area *area, *gone;

	if (unlikely(!list->search_tree))
		return false;
	spin_lock(&list->lock);
	area = __pmm_vmlist_find_joinable(list, addr, type);
	if (unlikely(!area || !pmm_window_unmap_within((unsigned long)area->vm.addr,
						       pmm_area_pages(&area->vm)))) {
		spin_unlock(&list->lock);
		return false;
	}
	gone = __pmm_vmlist_join(list, area);
	spin_unlock(&list->lock);
	__pmm_give_up_pages(&area->vm, caller);
	pmm_free_record(list, area);
	if (unlikely(gone))
		pmm_free_record(list, gone);
	pmm_purge_excess();
	return true;
}

static __always_inline enum pmm_detach_result
__pmm_take_down(const void *addr, unsigned long type, const void *caller)
{
	if (likely(pmm_purge_is_lazy()) && likely(pmm_take_down_at_once(addr, type, caller)))
		return PMM_DETACH_OK;
	return pmm_take_down_in_steps(addr, type, caller);
}

/**
 * pmm_take_down() - free the area that begins at an address
 * @addr: first byte of the area
 * @type: what it must be: PMM_VM_ALLOC, PMM_VM_MAP or PMM_VM_IOREMAP
 * @caller: who frees
 *
 * A refusal changes nothing, is counted, and is reported in 2.4's words.
 *
 * Context: Process context, interrupts on; waits for a TLB flush.
 * Return: As pmm_vmlist_detach().
 */
enum pmm_detach_result pmm_take_down(const void *addr, unsigned long type, const void *caller)
{
	return __pmm_take_down(addr, type, caller);
}

/* --- vmalloc ---------------------------------------------------------------------------------- */

/*
 * The record and the page array come from the kernel: of the caller's flags, those that say how
 * hard to try.
 */
static gfp_t pmm_record_gfp(gfp_t gfp)
{
	return gfp &
	       (__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HIGH | __GFP_NOWARN | __GFP_NORETRY);
}

/* Fewer are as well taken one by one: then a batch of others comes to this CPU's list. */
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
		for (i = got; gfp & __GFP_ZERO && i < got + nr; i++)
			clear_page(page_address(pages[i]));
		got += nr;
		if (got < nr_pages && gfpflags_allow_blocking(gfp))
			cond_resched();
	}
	return got;
}

/*
 * 2.6.28: all pages first, order 0, one by one. In bulk they are the same, but for a few, which
 * this CPU's list has at hand; and the last resorts of who finds too few are left to the single
 * call. Returns how many could be had.
 */
static unsigned long pmm_take_pages(struct page **pages, unsigned long nr_pages, gfp_t gfp,
				    const void *caller)
{
	unsigned long i = 0;

	if (pmm_bulk && nr_pages > PMM_FEW_PAGES)
		i = pmm_take_in_bulk(pages, nr_pages, gfp, caller);
	for (; i < nr_pages; i++) {
		pages[i] = pmm_alloc_page_as(gfp | __GFP_NOWARN, PMM_MAPPED,
					     (unsigned long)caller);
		if (!pages[i])
			break;
		if (gfpflags_allow_blocking(gfp))
			pmm_breathe(i);
	}
	return i;
}

/* Is the area one that 2 MiB entries may map? That may take a flush, which waits. */
static bool pmm_is_huge_candidate(unsigned long nr_pages, gfp_t gfp)
{
	return nr_pages >= PTRS_PER_PMD && pmm_bulk && gfpflags_allow_blocking(gfp) &&
	       pmm_window_can_map_huge();
}

/*
 * Whole largest blocks for as much of the area as there are; the caller goes on with small pages.
 * Each page is one by itself afterwards, as if it had been taken singly.
 */
static unsigned long pmm_take_huge(struct pmm_vm_struct *vm, struct page **pages,
				   unsigned long nr_pages, gfp_t gfp)
{
	unsigned long got = 0, i;
	struct page *page;

	if (!pmm_is_huge_candidate(nr_pages, gfp) ||
	    !IS_ALIGNED((unsigned long)vm->addr, PMD_SIZE))
		return 0;
	for (; nr_pages - got >= PTRS_PER_PMD; got += PTRS_PER_PMD) {
		if (!pmm_zone_alloc_bulk(&pmm_zone, gfp, PMM_MAX_ORDER - 1, PMM_MAPPED,
					 (unsigned long)vm->caller, 1, &page))
			break;
		pmm_zone_break(&pmm_zone, page, PMM_MAX_ORDER - 1, (unsigned long)vm->caller);
		for (i = 0; i < PTRS_PER_PMD; i++)
			pages[got + i] = page + i;
		for (i = 0; gfp & __GFP_ZERO && i < PTRS_PER_PMD; i++)
			clear_page(page_address(page + i));
		pmm_area(vm)->nr_huge++;
		cond_resched();
	}
	return got;
}

/* Room in the record for so many pages, unless they are too many. */
static unsigned int pmm_nr_slots(unsigned long nr_pages)
{
	return nr_pages <= PMM_MAX_SLOTS ? nr_pages : 0;
}

/* Room for the pages: in the record, or an array of its own. */
static struct page **pmm_page_array(struct pmm_vm_struct *vm, unsigned long nr_pages, gfp_t gfp)
{
	if (nr_pages <= pmm_area(vm)->nr_slots)
		return pmm_area(vm)->slots;
	return pmm_may_fail(kvmalloc_array(nr_pages, sizeof(struct page *), gfp));
}

/* All pages of an area, of which @got are there, in the record. */
static noinline int pmm_alloc_area_pages(struct pmm_vm_struct *vm, unsigned long got, gfp_t gfp)
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

static __always_inline void pmm_map_pages(struct pmm_vm_struct *vm, struct page **pages,
					  unsigned long nr_pages, pgprot_t prot)
{
	unsigned long addr = (unsigned long)vm->addr;
	unsigned int i;

	for (i = 0; unlikely(i < pmm_area(vm)->nr_huge); i++) {
		pmm_window_map_huge(addr, page_to_pfn(*pages), prot);
		addr += PMD_SIZE;
		pages += PTRS_PER_PMD;
		nr_pages -= PTRS_PER_PMD;
	}
	/* Else the slot behind the last leaf would get its table for nothing. */
	if (likely(nr_pages))
		pmm_window_map_pages(addr, pages, nr_pages, prot);
}

static struct pmm_vm_struct *pmm_reserve_again(const struct pmm_area_request *want)
{
	/* Whether this purge or one that somebody else has just done: there may be room now. */
	pmm_purge();
	return pmm_vmlist_reserve(&pmm_vmlist, want);
}

/**
 * pmm_reserve_area() - pmm_vmlist_reserve(), after a purge when that is what it takes
 * @want: as for pmm_vmlist_reserve()
 *
 * Context: Process context; may sleep if @want->gfp says so.
 * Return: As pmm_vmlist_reserve().
 */
struct pmm_vm_struct *pmm_reserve_area(const struct pmm_area_request *want)
{
	struct pmm_vm_struct *vm = pmm_vmlist_reserve(&pmm_vmlist, want);

	if (!IS_ERR(vm) || PTR_ERR(vm) != -ENOSPC || !pmm_purge_is_lazy() ||
	    !gfpflags_allow_blocking(want->gfp))
		return vm;
	return pmm_reserve_again(want);
}

/* An area that never had pages: nothing to flush. */
static void pmm_abandon_area(struct pmm_vm_struct *vm)
{
	pmm_vmlist_unlink(&pmm_vmlist, vm);
	kfree(vm);
}

/* On a 2 MiB boundary if that is of use and there is room. */
static struct pmm_vm_struct *pmm_reserve_huge(const struct pmm_area_request *want)
{
	struct pmm_area_request aligned = *want;
	struct pmm_vm_struct *vm;

	aligned.align = PMD_SIZE;
	vm = pmm_reserve_area(&aligned);
	return PTR_ERR_OR_ZERO(vm) == -ENOSPC ? pmm_reserve_area(want) : vm;
}

static noinline struct pmm_vm_struct *pmm_reserve_anywhere(unsigned long size, gfp_t gfp,
							   unsigned long flags,
							   const void *caller)
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

/* An area of some pages: as a rule on top of all others. Returns an ERR_PTR on failure. */
static __always_inline struct pmm_vm_struct *pmm_reserve_pages(unsigned long nr_pages, gfp_t gfp,
							       unsigned long flags,
							       const void *caller)
{
	struct pmm_vm_struct *vm = NULL;

	if (likely(nr_pages - 1 < PMM_MAX_SLOTS))
		vm = pmm_vmlist_reserve_on_top(&pmm_vmlist, (nr_pages + 1) << PAGE_SHIFT, flags,
					       nr_pages, caller);
	return likely(vm) ? vm : pmm_reserve_anywhere(nr_pages << PAGE_SHIFT, gfp, flags, caller);
}

static __always_inline void *__pmm_vmalloc_for(unsigned long size, gfp_t gfp, pgprot_t prot,
					       unsigned long flags, const void *caller)
{
	unsigned long nr_pages = PFN_UP(size), got = 0;
	struct pmm_vm_struct *vm;
	int err;

	if (unlikely(!size || size > pmm_zone.nr_pages << PAGE_SHIFT))
		return ERR_PTR(-EINVAL);
	vm = pmm_reserve_pages(nr_pages, gfp, PMM_VM_ALLOC | flags, caller);
	if (IS_ERR(vm))
		return vm;
	if (likely(pmm_bulk && nr_pages <= PMM_PCP_BATCH && !(gfp & __GFP_ZERO)))
		got = pmm_pcp_alloc_many(&pmm_zone, PMM_MAPPED, gfp, (unsigned long)caller,
					 nr_pages, pmm_area(vm)->slots);
	if (likely(got == nr_pages)) {
		pmm_vmlist_set_pages(&pmm_vmlist, vm, pmm_area(vm)->slots, nr_pages);
	} else {
		err = pmm_alloc_area_pages(vm, got, gfp);
		if (err) {
			pmm_abandon_area(vm);
			return ERR_PTR(err);
		}
	}
	if (unlikely(pmm_redzone))
		pmm_redzone_paint(vm, size);
	pmm_map_pages(vm, vm->pages, nr_pages, prot);
	pmm_vmlist_publish(&pmm_vmlist, vm);
	return vm->addr;
}

/**
 * pmm_vmalloc_for() - allocate an area of scattered pages
 * @size: bytes, rounded up to pages
 * @gfp: as for __pmm_vmalloc()
 * @prot: likewise
 * @flags: PMM_VM_USERMAP or 0
 * @caller: who asks
 *
 * Context: Process context; may sleep.
 * Return: The area's address; ERR_PTR: -EINVAL (0, or more pages than the pool has), -ENOSPC (no
 * hole in the window is large enough), -ENOMEM (not enough free pages, or no memory for the
 * record).
 */
void *pmm_vmalloc_for(unsigned long size, gfp_t gfp, pgprot_t prot, unsigned long flags,
		      const void *caller)
{
	return __pmm_vmalloc_for(size, gfp, prot, flags, caller);
}

static noinline void *pmm_vmalloc_failed(unsigned long size, gfp_t gfp, long err,
					 const void *caller)
{
	if (!(gfp & __GFP_NOWARN))
		pr_warn_ratelimited("vmalloc of %lu bytes failed: error %ld, %lu of %lu pages free, by %pS\n",
				    size, err, pmm_nr_free_pages(), pmm_zone.nr_pages, caller);
	return NULL;
}

/* What the exported calls share: NULL for an error, and one line unless __GFP_NOWARN. */
static noinline void *pmm_vmalloc_or_null(unsigned long size, gfp_t gfp, pgprot_t prot,
					  unsigned long flags, const void *caller)
{
	void *addr = __pmm_vmalloc_for(size, gfp, prot, flags, caller);

	return IS_ERR(addr) ? pmm_vmalloc_failed(size, gfp, PTR_ERR(addr), caller) : addr;
}

/**
 * pmm_vmalloc() - allocate memory that is contiguous in the window
 * @size: bytes, rounded up to pages; not 0 and not more than the pool
 *
 * 2.4.22's lowest-address first fit for the addresses, plus one guard page; 2.6.28's order of work:
 * record, page array, then all pages one by one, then one pass of mapping, with everything undone
 * on failure. In era modern the pages come in bulk, and an area of 2 MiB or more begins on such a
 * boundary and is mapped by 2 MiB entries as far as there are whole largest blocks.
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
 * pmm_vmalloc_32() - pmm_vmalloc() of pages that 32 address bits reach
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
 * __pmm_vmalloc() - pmm_vmalloc() with flags and protection of one's own
 * @size: bytes, as for pmm_vmalloc()
 * @gfp: __GFP_ZERO, __GFP_HIGH, __GFP_MEMALLOC, __GFP_NOWARN as for pmm_alloc_pages(); the sleeping
 *	and I/O flags hold for the record and the page array, which come from the kernel
 * @prot: protection of the mapping; execution is never allowed
 *
 * Context: Process context; may sleep if @gfp says so.
 * Return: The address, or NULL. (2.6.28)
 */
void *__pmm_vmalloc(unsigned long size, gfp_t gfp, pgprot_t prot)
{
	return pmm_vmalloc_or_null(size, gfp, prot, 0, __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(__pmm_vmalloc);

/*
 * May this context neither sleep nor wait for other CPUs? Interrupts of all kinds, also where
 * PREEMPT_RT runs them in threads; and, where preemption is counted, whoever has switched it off,
 * reads under RCU, or under PREEMPT_RT holds a spinlock, which is such a reader.
 */
static bool pmm_in_atomic_context(void)
{
	/* Elsewhere the count that preemptible() looks at has interrupts of all kinds in it. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || !IS_ENABLED(CONFIG_PREEMPT_COUNT))
		if (in_interrupt() || irqs_disabled())
			return true;
	return rcu_preempt_depth() || (IS_ENABLED(CONFIG_PREEMPT_COUNT) && !preemptible());
}

static void pmm_vfree_deferred(struct work_struct *work)
{
	unsigned long page, nr_pages = pmm_window_size() >> PAGE_SHIFT;

	for_each_set_bit(page, pmm_vmlist.deferred, nr_pages) {
		void *addr = (void *)(pmm_window_start() + (page << PAGE_SHIFT));
		struct pmm_vm_struct *vm = NULL;
		enum pmm_detach_result result;

		result = pmm_vmlist_detach_deferred(&pmm_vmlist, addr, PMM_VM_ALLOC, &vm);
		pmm_finish_detach(result, vm, addr, PMM_VM_ALLOC, pmm_vfree_deferred);
	}
}

/**
 * pmm_vfree() - free what pmm_vmalloc() and its kin returned
 * @addr: the address; NULL is ignored
 *
 * An address that is unaligned, that begins no area, or whose area is not of vmalloc is refused
 * with 2.4's messages and no effect. Where a user process still maps the area it lives on until
 * that mapping goes.
 *
 * Context: Any; on a kernel that does not count preemption, not with a spinlock held and not as a
 * reader under RCU. In process context with purge=eager it flushes every TLB before it returns; in
 * atomic context a worker does it soon.
 */
void pmm_vfree(const void *addr)
{
	enum pmm_detach_result result;

	if (!addr)
		return;
	if (!pmm_in_atomic_context()) {
		__pmm_take_down(addr, PMM_VM_ALLOC, __builtin_return_address(0));
		return;
	}
	result = pmm_vmlist_defer(&pmm_vmlist, addr);
	if (result == PMM_DETACH_LATER)
		schedule_work(&pmm_vfree_work);
	else
		pmm_refuse(result, addr, PMM_VM_ALLOC, __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(pmm_vfree);

/* --- vmap ------------------------------------------------------------------------------------- */

static bool pmm_are_pages(struct page **pages, unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++)
		if (!pages[i] || !pfn_valid(page_to_pfn(pages[i])))
			return false;
	return true;
}

/* Map them, and remember which they are. */
static __always_inline int pmm_map_held_pages(struct pmm_vm_struct *vm, struct page **pages,
					      unsigned int count, pgprot_t prot)
{
	struct page **held = pmm_page_array(vm, count, GFP_KERNEL);
	unsigned long got;

	if (!held)
		return -ENOMEM;
	got = pmm_window_hold_pages((unsigned long)vm->addr, pages, count, prot, held,
				    &pmm_area(vm)->foreign);
	pmm_vmlist_set_pages(&pmm_vmlist, vm, held, got);
	return got == count ? 0 : -EINVAL;
}

/**
 * pmm_vmap_for() - map pages into the window
 * @pages: the pages
 * @count: how many
 * @flags: PMM_VM_MAP, and PMM_VM_USERMAP if wanted
 * @prot: protection
 * @caller: who asks
 *
 * Context: Process context; may sleep.
 * Return: The area's address; ERR_PTR: -EINVAL, -ENOSPC, -ENOMEM.
 */
void *pmm_vmap_for(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot,
		   const void *caller)
{
	struct pmm_vm_struct *vm;
	int err;

	if (flags & ~(PMM_VM_MAP | PMM_VM_USERMAP))
		return ERR_PTR(-EINVAL);
	vm = pmm_reserve_pages(count, GFP_KERNEL, flags | PMM_VM_MAP, caller);
	if (IS_ERR(vm))
		return vm;
	err = pmm_map_held_pages(vm, pages, count, prot);
	if (unlikely(err)) {
		pmm_destroy_area(vm, caller);
		return ERR_PTR(err);
	}
	pmm_vmlist_publish(&pmm_vmlist, vm);
	return vm->addr;
}

/**
 * pmm_vmap() - map pages that the caller has into one range of the window
 * @pages: the pages, of this pool or any other; they stay the caller's
 * @count: how many
 * @flags: PMM_VM_MAP, and PMM_VM_USERMAP to allow pmm_remap_vmalloc_range()
 * @prot: protection of the mapping; execution is never allowed
 *
 * A page of this pool that is freed while it is mapped is parked until pmm_vunmap().
 *
 * Context: Process context; may sleep.
 * Return: The address, or NULL. (2.6.28)
 */
void *pmm_vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot)
{
	void *addr = pmm_vmap_for(pages, count, flags, prot, __builtin_return_address(0));

	return IS_ERR(addr) ? NULL : addr;
}
EXPORT_SYMBOL_GPL(pmm_vmap);

/**
 * pmm_vunmap() - undo pmm_vmap()
 * @addr: what it returned; NULL is ignored
 *
 * Anything else is refused as by pmm_vfree().
 *
 * Context: Process context, interrupts on; waits for a TLB flush.
 */
void pmm_vunmap(const void *addr)
{
	if (addr)
		__pmm_take_down(addr, PMM_VM_MAP, __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(pmm_vunmap);

/**
 * pmm_vm_unmap_aliases() - flush what was unmapped but not yet flushed
 *
 * With purge=lazy this is a purge: one flush, if anything waits for it, and then all addresses that
 * were freed may be used again. With purge=eager nothing waits. What pmm_vfree() deferred from
 * atomic context is waited for first. (2.6.28)
 *
 * Context: Process context; may sleep.
 */
void pmm_vm_unmap_aliases(void)
{
	flush_work(&pmm_vfree_work);
	pmm_purge();
}
EXPORT_SYMBOL_GPL(pmm_vm_unmap_aliases);

/* --- bare areas ------------------------------------------------------------------------------- */

/**
 * pmm_get_vm_area() - reserve a range of the window, nothing mapped in it
 * @size: bytes, rounded up to pages; one guard page is added
 * @flags: PMM_VM_*, for the reports
 *
 * Context: Process context; may sleep.
 * Return: The area, for pmm_map_vm_area() and pmm_remove_vm_area(); NULL on failure. (2.4.22)
 */
struct pmm_vm_struct *pmm_get_vm_area(unsigned long size, unsigned long flags)
{
	const struct pmm_area_request want = {
		/* What lies above is the module's own: PMM_VM_RAM, and the slack of redzone=1. */
		.size = size, .align = PAGE_SIZE, .flags = flags & (PMM_VM_RAM - 1),
		.gfp = GFP_KERNEL, .caller = __builtin_return_address(0),
	};
	struct pmm_vm_struct *vm = pmm_reserve_area(&want);

	if (IS_ERR(vm))
		return NULL;
	pmm_vmlist_publish(&pmm_vmlist, vm);
	return vm;
}
EXPORT_SYMBOL_GPL(pmm_get_vm_area);

/**
 * pmm_remove_vm_area() - unmap a range and give its addresses back
 * @addr: the area's address
 *
 * Of areas of pmm_vmalloc() the pages would be lost: they are refused, use pmm_vfree(). The flush
 * is never left for later here, since the record goes to the caller.
 *
 * Context: Process context, interrupts on; waits for a TLB flush.
 * Return: The area's record, now the caller's to kfree(); NULL when no area begins there, when it
 * was refused, or when a user mapping keeps the area alive until it goes. (2.6.28)
 */
struct pmm_vm_struct *pmm_remove_vm_area(const void *addr)
{
	struct pmm_vm_struct *vm;
	enum pmm_detach_result result = pmm_vmlist_detach(&pmm_vmlist, addr, 0, &vm);

	if (result == PMM_DETACH_OK) {
		pmm_unmap_area(vm, __builtin_return_address(0));
		return vm;
	}
	if (result != PMM_DETACH_LATER)
		pmm_refuse(result, addr, 0, __builtin_return_address(0));
	return NULL;
}
EXPORT_SYMBOL_GPL(pmm_remove_vm_area);

/**
 * pmm_find_vm_area() - the area that begins at an address
 * @addr: the address
 *
 * Context: Process context.
 * Return: The area, valid while the caller knows that nobody frees it; or NULL. (2.6.28)
 */
struct pmm_vm_struct *pmm_find_vm_area(const void *addr)
{
	return pmm_vmlist_find(&pmm_vmlist, addr);
}
EXPORT_SYMBOL_GPL(pmm_find_vm_area);

/**
 * pmm_map_vm_area() - map pages into a range that pmm_get_vm_area() reserved
 * @area: the range
 * @prot: protection of the mapping; execution is never allowed
 * @pages: points at an array of as many pages as the area has, and is moved past them, as in 2.6.28
 *
 * The pages stay the caller's and must not be freed before the area is removed.
 *
 * Context: Process context.
 * Return: 0; -EINVAL when the array has no page somewhere, -EBUSY when something is mapped in the
 * range: then nothing has changed. (2.6.28)
 */
int pmm_map_vm_area(struct pmm_vm_struct *area, pgprot_t prot, struct page ***pages)
{
	unsigned long i, pfn, nr_pages = pmm_area_pages(area);

	if (!pmm_are_pages(*pages, nr_pages))
		return -EINVAL;
	for (i = 0; i < nr_pages; i++)
		if (pmm_window_lookup((unsigned long)area->addr + (i << PAGE_SHIFT), &pfn))
			return -EBUSY;
	pmm_map_pages(area, *pages, nr_pages, prot);
	*pages += nr_pages;
	return 0;
}
EXPORT_SYMBOL_GPL(pmm_map_vm_area);

/**
 * pmm_vmalloc_to_page() - the page behind an address of the window
 * @addr: any address
 *
 * Context: Any; the caller knows that the area is not freed meanwhile.
 * Return: The page; NULL when nothing is mapped there, or a device. (2.4.22)
 */
struct page *pmm_vmalloc_to_page(const void *addr)
{
	unsigned long pfn;
	unsigned int map = pmm_window_lookup((unsigned long)addr, &pfn);

	return map && !(map & PMM_MAP_DEVICE) ? pfn_to_page(pfn) : NULL;
}
EXPORT_SYMBOL_GPL(pmm_vmalloc_to_page);

/* --- reading and writing the window ----------------------------------------------------------- */

/*
 * Copy within one page. What may not be accessed that way is treated as a hole. Devices are read
 * and written in larger units where alignment lets them, not byte by byte as 2.4 did.
 */
static void pmm_copy_piece(char *buf, unsigned long addr, unsigned long len, bool write)
{
	unsigned long pfn;
	unsigned int map = pmm_window_lookup(addr, &pfn);
	bool device = map & PMM_MAP_DEVICE;

	if (write && map & PMM_MAP_WRITABLE) {
		if (device)
			memcpy_toio((void __iomem *)addr, buf, len);
		else
			memcpy((void *)addr, buf, len);
	} else if (!write && map & PMM_MAP_READABLE) {
		if (device)
			memcpy_fromio(buf, (void __iomem *)addr, len);
		else
			memcpy(buf, (void *)addr, len);
	} else if (!write) {
		memset(buf, 0, len);
	}
}

static void pmm_copy_area(char *buf, unsigned long addr, unsigned long len, bool write)
{
	while (len) {
		unsigned long piece = min(len, PAGE_SIZE - offset_in_page(addr));

		pmm_copy_piece(buf, addr, piece, write);
		buf += piece;
		addr += piece;
		len -= piece;
	}
}

/*
 * 2.4's walk: holes and guard pages read as zeros and swallow writes; behind the last area the
 * count falls short.
 */
static long pmm_copy_window(char *buf, unsigned long addr, unsigned long count, bool write)
{
	const struct pmm_vm_struct *vm;
	char *start = buf;

	count = min(count, ULONG_MAX - addr);
	spin_lock(&pmm_vmlist.lock);
	for (vm = pmm_vmlist.head; vm && count; vm = vm->next) {
		unsigned long first = (unsigned long)vm->addr, end = first + pmm_area_bytes(vm),
			      len;
		/* What vm_map_ram() has mapped goes without this lock: it reads as a hole. */
		bool live = pmm_area(vm)->state == PMM_AREA_LIVE && !(vm->flags & PMM_VM_RAM);

		if (addr >= end || pmm_area_waits(pmm_area(vm)))
			continue;
		len = addr < first ? min(count, first - addr) : 0;
		if (!write)
			memset(buf, 0, len);
		buf += len;
		addr += len;
		count -= len;
		len = min(count, end - addr);
		if (live)
			pmm_copy_area(buf, addr, len, write);
		else if (!write)
			memset(buf, 0, len);
		buf += len;
		addr += len;
		count -= len;
	}
	spin_unlock(&pmm_vmlist.lock);
	return buf - start;
}

/**
 * pmm_vread() - copy out of the window, whatever is mapped there
 * @buf: kernel memory to copy to
 * @addr: any address; below the window everything is a hole
 * @count: bytes; the copy runs under the list's lock, so keep it to some pages
 *
 * What pmm_vm_map_ram() has mapped reads as a hole.
 *
 * Context: Process context.
 * Return: Bytes copied: less than @count when the last area ends before. (2.4.22)
 */
long pmm_vread(char *buf, char *addr, unsigned long count)
{
	return pmm_copy_window(buf, (unsigned long)addr, count, false);
}
EXPORT_SYMBOL_GPL(pmm_vread);

/**
 * pmm_vwrite() - copy into the window
 * @buf: kernel memory to copy from
 * @addr: any address
 * @count: bytes, as for pmm_vread()
 *
 * Holes, guard pages and read-only mappings swallow what is written to them.
 *
 * Context: Process context.
 * Return: Bytes passed: less than @count when the last area ends before. (2.4.22)
 */
long pmm_vwrite(char *buf, char *addr, unsigned long count)
{
	return pmm_copy_window(buf, (unsigned long)addr, count, true);
}
EXPORT_SYMBOL_GPL(pmm_vwrite);

/* --- user mappings ---------------------------------------------------------------------------- */

static void pmm_vma_open(struct vm_area_struct *vma)
{
	pmm_vmlist_hold_again(&pmm_vmlist, vma->vm_private_data);
}

static void pmm_vma_close(struct vm_area_struct *vma)
{
	struct pmm_vm_struct *vm = vma->vm_private_data;

	if (pmm_vmlist_drop(&pmm_vmlist, vm))
		pmm_destroy_area(vm, __builtin_return_address(0));
}

static const struct vm_operations_struct pmm_vm_ops = {
	.open	= pmm_vma_open,
	.close	= pmm_vma_close,
};

static int pmm_insert_pages(struct vm_area_struct *vma, struct pmm_vm_struct *vm,
			    unsigned long pgoff)
{
	unsigned long i, nr_pages = vma_pages(vma);
	int err;

	if (!vm->pages || pgoff > vm->nr_pages || nr_pages > vm->nr_pages - pgoff)
		return -EINVAL;
	for (i = 0; i < nr_pages; i++) {
		err = vm_insert_page(vma, vma->vm_start + (i << PAGE_SHIFT), vm->pages[pgoff + i]);
		if (err)
			return err;
	}
	return 0;
}

/**
 * pmm_remap_vmalloc_range() - map an area to user space
 * @vma: the user's range, from a driver's mmap; its vm_ops and vm_private_data become the pool's
 * @addr: the area's address, of pmm_vmalloc_user() or of pmm_vmap() with PMM_VM_USERMAP
 * @pgoff: pages of the area to pass over
 *
 * The area lives as long as the mapping, copies of it in child processes included, even if it is
 * freed meanwhile.
 *
 * Context: Process context, mmap_lock held for writing, as in a driver's mmap.
 * Return: 0; -EINVAL when no area for users begins at @addr, or the range goes beyond it; or
 * vm_insert_page()'s error. (2.6.28)
 */
int pmm_remap_vmalloc_range(struct vm_area_struct *vma, void *addr, unsigned long pgoff)
{
	struct pmm_vm_struct *vm = pmm_vmlist_hold(&pmm_vmlist, addr);
	int err;

	if (!vm)
		return -EINVAL;
	err = pmm_insert_pages(vma, vm, pgoff);
	if (err) {
		if (pmm_vmlist_drop(&pmm_vmlist, vm))
			pmm_destroy_area(vm, __builtin_return_address(0));
		return err;
	}
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = vm;
	vma->vm_ops = &pmm_vm_ops;
	return 0;
}
EXPORT_SYMBOL_GPL(pmm_remap_vmalloc_range);

/* --- the walk over every entry of the window -------------------------------------------------- */

/* Is what is mapped at @addr what the area says should be there? */
static bool pmm_entry_right(const struct pmm_vm_struct *vm, enum pmm_area_state state,
			    unsigned long addr, bool mapped, unsigned long pfn)
{
	unsigned long page = (addr - (unsigned long)vm->addr) >> PAGE_SHIFT;

	if (page == pmm_area_pages(vm))
		return !mapped;		/* the guard page */
	if (pmm_area_waits(pmm_area(vm)))
		return !mapped;
	if (state != PMM_AREA_LIVE)
		return true;		/* being mapped or unmapped at this moment */
	if (vm->pages)
		return mapped && pfn == page_to_pfn(vm->pages[page]);
	if (vm->phys_addr)
		return mapped && pfn == PHYS_PFN(vm->phys_addr) + page;
	return true;			/* pmm_get_vm_area(): its owner's affair */
}

static bool __pmm_verify_entries(struct pmm_verdict *v)
{
	const struct pmm_vm_struct *vm = pmm_vmlist.head;
	unsigned long addr, pfn = 0;

	lockdep_assert_held(&pmm_vmlist.lock);
	for (addr = pmm_vmlist.start; addr < pmm_vmlist.end; addr += PAGE_SIZE) {
		enum pmm_area_state state = PMM_AREA_NEW;
		bool mapped, in_area;

		while (vm && addr >= (unsigned long)vm->addr + vm->size)
			vm = vm->next;
		in_area = vm && addr >= (unsigned long)vm->addr;
		if (in_area)
			/* Before its entries; pairs with the release in pmm_vmlist_publish(). */
			state = smp_load_acquire(&pmm_area(vm)->state);
		mapped = pmm_window_lookup(addr, &pfn);
		v->mapped += mapped;
		if (in_area ? pmm_entry_right(vm, state, addr, mapped, pfn) : !mapped)
			continue;
		snprintf(v->why, sizeof(v->why), "window offset %lu: %s", addr - pmm_vmlist.start,
			 !mapped ? "nothing is mapped in an area" :
			 in_area ? "the wrong page, or a guard page, is mapped" :
				   "something is mapped in a hole");
		return false;
	}
	return true;
}

/**
 * pmm_window_verify() - check the list of areas, and every page table entry of the window against
 * it
 * @v: what was counted is added to it; its @why names the first violation
 *
 * Context: Process context.
 * Return: true when all is well.
 */
bool pmm_window_verify(struct pmm_verdict *v)
{
	bool ok;

	if (!pmm_vmlist_verify(&pmm_vmlist, v))
		return false;
	spin_lock(&pmm_vmlist.lock);
	ok = __pmm_verify_entries(v);
	spin_unlock(&pmm_vmlist.lock);
	return ok;
}

/**
 * pmm_vmalloc_init() - an empty list over the whole window
 * @search_tree: search=tree
 * @bulk: era modern: take and return pages in bulk, and map 2 MiB at a time
 * @redzone: a pattern behind the last byte of each area, looked at when it is freed
 *
 * Context: Process context; may sleep.
 * Return: 0 or -ENOMEM.
 */
int pmm_vmalloc_init(bool search_tree, bool bulk, bool redzone)
{
	int err = pmm_map_ram_init();

	if (err)
		return err;
	pmm_bulk = bulk;
	pmm_redzone = redzone;
	pmm_vmlist_init(&pmm_vmlist, pmm_window_start(), pmm_window_size());
	pmm_vmlist.search_tree = search_tree;
	pmm_vmlist.deferred = pmm_may_fail(kvcalloc(BITS_TO_LONGS(pmm_window_size() >> PAGE_SHIFT),
						    sizeof(*pmm_vmlist.deferred), GFP_KERNEL));
	if (!pmm_vmlist.deferred) {
		pmm_map_ram_exit();
		return -ENOMEM;
	}
	return 0;
}

/**
 * pmm_vmalloc_exit() - take every area down that is left
 *
 * Context: Process context; nobody uses the module any more.
 */
void pmm_vmalloc_exit(void)
{
	flush_work(&pmm_vfree_work);
	pmm_purge();
	pmm_map_ram_exit();
	while (pmm_vmlist.head) {
		struct pmm_vm_struct *vm = pmm_vmlist.head;

		pmm_unmap_area(vm, vm->caller);
		kfree(vm);
	}
	/* The pages are about to be somebody else's, and map_ram's blocks have gone without. */
	pmm_window_flush(PMM_FLUSH_UNLOAD, 0);
	pmm_vmlist_destroy(&pmm_vmlist);
	kvfree(pmm_vmlist.deferred);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the page calls that other modules make, over the one zone that the module has.
 *
 * It has the same parts as Linux 2.4 above rmqueue(): flags, zeroing, the message when nothing is
 * left. There is no reclaim behind this pool. All calls may come from any context, interrupts
 * included; under PREEMPT_RT, as with the kernel's own page allocator, not from hard interrupts or
 * with preemption off.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpuhotplug.h>
#include <linux/export.h>
#include <linux/highmem.h>

#include "page_alloc_inline.h"

struct pmm_zone pmm_zone;

static struct page *pmm_alloc_pcp(gfp_t gfp, unsigned int order, enum pmm_kind kind,
				  unsigned long caller)
{
	struct page *page;

	/* Pages below the watermark do not leave by a per-CPU list either. */
	if (pmm_zone.pages_min && READ_ONCE(pmm_zone.free_pages) <
				  (1UL << order) + pmm_reserve_for(&pmm_zone, gfp))
		return NULL;
	page = pmm_pcp_alloc(&pmm_zone, order, kind, caller);
	if (unlikely(!page))
		return pmm_pcp_refill(&pmm_zone, gfp, order, kind, caller);
	pmm_tell_alloc(&pmm_zone, pmm_page_index(&pmm_zone, page), order, kind, gfp,
		       PMM_TRACE_PCP, caller);
	return page;
}

noinline struct page *pmm_alloc_pages_slow(gfp_t gfp, unsigned int order, enum pmm_kind kind,
					   unsigned long caller)
{
	struct page *page = NULL;

	if (unlikely(gfp & PMM_GFP_CHECKED) && !pmm_gfp_allows(gfp, order, caller))
		return NULL;
	if (order < PMM_PCP_ORDERS && pmm_zone.pcp)
		page = pmm_alloc_pcp(gfp, order, kind, caller);
	if (!page)
		page = pmm_zone_alloc(&pmm_zone, gfp, order, kind, caller);
	if (page && want_init_on_alloc(gfp))
		pmm_clear_block(page, order);
	return page;
}

/* All but the fastest case: for example, the list was full, or the order is larger. */
noinline enum pmm_free_result pmm_free_pages_slow(struct page *page, unsigned int order,
						  enum pmm_kind kind, unsigned long caller)
{
	if (pmm_pcp_limit(&pmm_zone)) {
		if (pmm_pcp_free(&pmm_zone, page, order, kind, caller, true))
			return PMM_FREE_OK;
		if (pmm_pcp_flush(&pmm_zone, order) &&
		    pmm_pcp_free(&pmm_zone, page, order, kind, caller, true))
			return PMM_FREE_OK;
	}
	return pmm_zone_free(&pmm_zone, page, order, kind, caller);
}

/**
 * pmm_alloc_page_caller() - pmm_alloc_page() for a caller further up
 * @gfp: as for pmm_alloc_pages()
 * @kind: PMM_USED, or PMM_MAPPED for an area's page
 * @caller: the code that asks
 *
 * Context: As pmm_alloc_pages().
 * Return: The page, or NULL.
 */
struct page *pmm_alloc_page_caller(gfp_t gfp, enum pmm_kind kind, unsigned long caller)
{
	return pmm_alloc_pages_caller(gfp, 0, kind, caller);
}

/**
 * pmm_free_pages_caller() - give a block of the pool back
 * @page: the block's first page
 * @order: the block's order
 * @kind: PMM_USED, or PMM_MAPPED for an area's pages
 * @caller: the code that frees it
 *
 * Context: As pmm_alloc_pages().
 * Return: As pmm_zone_free().
 */
enum pmm_free_result pmm_free_pages_caller(struct page *page, unsigned int order,
					   enum pmm_kind kind, unsigned long caller)
{
	return pmm_free_block_caller(page, order, kind, caller);
}

/**
 * pmm_alloc_pages() - take 2^@order contiguous pages from the pool
 * @gfp: __GFP_ZERO zeroes them; __GFP_HIGH and __GFP_MEMALLOC reach below the watermark
 *	(min_free=); __GFP_NOWARN silences the line on failure. A flag that asks for other memory
 *	than the chunk's, for a cgroup's account or for a compound page makes the call fail: the
 *	table is in docs/api.md. Nothing sleeps or reclaims, so __GFP_NOFAIL may fail, and the
 *	other flags change nothing.
 * @order: 0 to PMM_MAX_ORDER - 1
 *
 * The choice of block is 2.4.22's: the head of the first non-empty list, split (expand=) down to
 * @order; but with placement=packed it is a block in the fullest 2 MiB, and with pcp=1 this CPU's
 * own list comes first.
 *
 * Context: Any but NMI; under PREEMPT_RT not from hard interrupts or with preemption off.
 * Return: The first page, aligned to its size within the pool; NULL when there is no such block.
 */
struct page *pmm_alloc_pages(gfp_t gfp, unsigned int order)
{
	return pmm_alloc_pages_caller(gfp, order, PMM_USED, _RET_IP_);
}
EXPORT_SYMBOL_GPL(pmm_alloc_pages);

/**
 * pmm_alloc_page() - take one page from the pool
 * @gfp: as for pmm_alloc_pages()
 *
 * Context: As pmm_alloc_pages().
 * Return: The page, or NULL.
 */
struct page *pmm_alloc_page(gfp_t gfp)
{
	return pmm_alloc_pages_caller(gfp, 0, PMM_USED, _RET_IP_);
}
EXPORT_SYMBOL_GPL(pmm_alloc_page);

/**
 * __pmm_get_free_pages() - take pages by their address in the kernel's direct map
 * @gfp: as for pmm_alloc_pages()
 * @order: likewise
 *
 * Context: As pmm_alloc_pages().
 * Return: The address of the first byte, or 0. (2.4.22)
 */
unsigned long __pmm_get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = pmm_alloc_pages_caller(gfp, order, PMM_USED, _RET_IP_);

	return page ? (unsigned long)page_address(page) : 0;
}
EXPORT_SYMBOL_GPL(__pmm_get_free_pages);

/**
 * pmm_get_zeroed_page() - take one zeroed page by its address in the kernel's direct map
 * @gfp: as for pmm_alloc_pages()
 *
 * Context: As pmm_alloc_pages().
 * Return: The address of the first byte, or 0. (2.4.22)
 */
unsigned long pmm_get_zeroed_page(gfp_t gfp)
{
	struct page *page = pmm_alloc_pages_caller(gfp | __GFP_ZERO, 0, PMM_USED, _RET_IP_);

	return page ? (unsigned long)page_address(page) : 0;
}
EXPORT_SYMBOL_GPL(pmm_get_zeroed_page);

/**
 * __pmm_free_pages() - give a block back and coalesce it with its buddies
 * @page: first page of the block
 * @order: the order that it was allocated with
 *
 * Misuse - a double free, another order, a page inside a block, of an area or outside the pool - is
 * refused: no list is touched, `stats` counts it and one rate-limited line names the caller.
 * (2.4.22 believed its caller.) A block with a page that is still referenced, for example mapped by
 * a user process or by pmm_vmap(), is parked and recycled once that has ended; one with a page that
 * lacks a reference of the pool's is quarantined. A NULL @page is ignored.
 *
 * Context: As pmm_alloc_pages().
 */
void __pmm_free_pages(struct page *page, unsigned int order)
{
	if (likely(!order && pmm_pcp_free(&pmm_zone, page, 0, PMM_USED, _RET_IP_, false)))
		return;
	if (page)
		pmm_free_block_caller(page, order, PMM_USED, _RET_IP_);
}
EXPORT_SYMBOL_GPL(__pmm_free_pages);

/**
 * pmm_free_pages() - give a block back by its address in the kernel's direct map
 * @addr: first byte of the block; 0 is ignored
 * @order: the order that it was allocated with
 *
 * Misuse is refused as by __pmm_free_pages(); so is an address that is unaligned or
 * outside the direct map.
 *
 * Context: As pmm_alloc_pages().
 */
void pmm_free_pages(unsigned long addr, unsigned int order)
{
	if (!addr)
		return;
	if (PAGE_ALIGNED(addr) && virt_addr_valid((void *)addr))
		pmm_free_block_caller(virt_to_page((void *)addr), order, PMM_USED, _RET_IP_);
	else
		pmm_refuse_foreign(&pmm_zone, "address", (void *)addr, order, _RET_IP_);
}
EXPORT_SYMBOL_GPL(pmm_free_pages);

/* At least one page, or the ordinary call's own failure. */
static unsigned long pmm_fill_slots(gfp_t gfp, unsigned long nr, struct page **pages,
				    unsigned long caller)
{
	unsigned long i, got = pmm_zone_alloc_bulk(&pmm_zone, gfp, 0, PMM_USED, caller, nr, pages);

	if (!got) {
		pages[0] = pmm_alloc_pages_caller(gfp, 0, PMM_USED, caller);
		return !!pages[0];
	}
	if (want_init_on_alloc(gfp))
		for (i = 0; i < got; i++)
			clear_highpage(pages[i]);
	return got;
}

/**
 * pmm_alloc_pages_bulk() - fill the empty slots of an array with order-0 pages
 * @gfp: as for pmm_alloc_pages()
 * @nr: length of @pages
 * @pages: slots that are not NULL are left alone
 *
 * Semantics of the kernel's alloc_pages_bulk_array() (5.13 and later). Up to PMM_BULK_PAGES are
 * taken from the free lists under one lock, past the per-CPU lists: the same pages that single
 * calls of pmm_alloc_page() would give with pcp=0.
 *
 * Context: As pmm_alloc_pages().
 * Return: How many slots from the start of the array are filled; fewer than @nr when the pool ran
 * out.
 */
unsigned long pmm_alloc_pages_bulk(gfp_t gfp, unsigned long nr, struct page **pages)
{
	bool allowed = !(gfp & PMM_GFP_CHECKED) || pmm_gfp_allows(gfp, 0, _RET_IP_);
	unsigned long i = 0, run;

	while (i < nr) {
		if (pages[i]) {
			i++;
			continue;
		}
		for (run = 1; i + run < nr && run < PMM_BULK_PAGES && !pages[i + run]; run++)
			;
		run = allowed ? pmm_fill_slots(gfp, run, pages + i, _RET_IP_) : 0;
		if (!run)
			break;
		i += run;
	}
	return i;
}
EXPORT_SYMBOL_GPL(pmm_alloc_pages_bulk);

/**
 * pmm_free_pages_bulk() - give order-0 pages back
 * @nr: length of @pages
 * @pages: freed in order; each slot is NULL afterwards, and one that is NULL already is passed over
 *
 * Up to PMM_BULK_PAGES go back to the free lists under one lock, past the per-CPU lists.
 *
 * Context: As pmm_alloc_pages().
 */
void pmm_free_pages_bulk(unsigned long nr, struct page **pages)
{
	unsigned long i = 0, run;

	while (i < nr) {
		for (run = 0; i + run < nr && pages[i + run]; run++)
			;
		pmm_zone_free_bulk(&pmm_zone, run, pages + i, PMM_USED, _RET_IP_);
		memset(pages + i, 0, run * sizeof(*pages));
		i += run + 1;
	}
}
EXPORT_SYMBOL_GPL(pmm_free_pages_bulk);

/**
 * pmm_nr_free_pages() - how much of the pool is free
 *
 * Context: Any, NMI included.
 * Return: Pages on the free lists and on the per-CPU lists, which are drained before an allocation
 * fails; parked ones are not among them. Exact while nobody else allocates or frees.
 */
unsigned long pmm_nr_free_pages(void)
{
	struct pmm_pcp_count count;

	pmm_pcp_count(&pmm_zone, &count);
	return READ_ONCE(pmm_zone.free_pages) + count.pages;
}
EXPORT_SYMBOL_GPL(pmm_nr_free_pages);

/* --- load and unload -------------------------------------------------------------------------- */

static enum cpuhp_state pmm_hotplug_state;

/* The CPU is gone; the blocks that it kept become available to all. */
static int pmm_cpu_dead(unsigned int cpu)
{
	pmm_pcp_drain_cpu(&pmm_zone, cpu);
	return 0;
}

/**
 * pmm_zone_break() - turn a used block into single pages
 * @zone: the zone
 * @page: the block's first page
 * @order: the block's order
 * @caller: the code that has the pages
 *
 * Context: As pmm_zone_alloc().
 */
void pmm_zone_break(struct pmm_zone *zone, struct page *page, unsigned int order,
		    unsigned long caller)
{
	unsigned long flags, index = pmm_page_index(zone, page), nr = 1UL << order;

	spin_lock_irqsave(&zone->lock, flags);
	zone->stat.allocations += nr - 1;
	zone->stat.splits += nr - 1;
	memset(zone->state + index, PMM_STATE(PMM_STATE_KIND(zone->state[index]), 0), nr);
	__pmm_tell_broken(index, order);
	spin_unlock_irqrestore(&zone->lock, flags);
	pmm_tell_broken_up(zone, index, order);
	for (; nr--; page++)
		pmm_take_page(page, caller);
}

/**
 * pmm_page_alloc_init() - set up per-CPU lists, if they are wanted
 * @pcp: whether they are wanted
 *
 * Context: Process context; may sleep.
 * Return: 0, -ENOMEM, or -ENOSPC when the kernel has no slot left for a CPU hotplug callback.
 */
int pmm_page_alloc_init(bool pcp)
{
	int err;

	if (!pcp)
		return 0;
	err = pmm_pcp_init(&pmm_zone);
	if (err)
		return err;
	err = pmm_must_fail() ? -ENOMEM :
	      cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "mm/pocketmm:dead", NULL,
					pmm_cpu_dead);
	if (err < 0) {
		pmm_pcp_destroy(&pmm_zone);
		return err;
	}
	pmm_hotplug_state = err;
	return 0;
}

/**
 * pmm_page_alloc_exit() - undo pmm_page_alloc_init()
 *
 * Context: Process context; may sleep.
 */
void pmm_page_alloc_exit(void)
{
	if (!pmm_zone.pcp)
		return;
	cpuhp_remove_state_nocalls(pmm_hotplug_state);
	pmm_pcp_destroy(&pmm_zone);
}

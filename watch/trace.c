// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: turns the reports of the allocators (watch.h) into trace events.
 *
 * It owns the static key that is up while an event is enabled. Everything here runs in its caller's
 * context and takes no lock: functions whose names begin with a double underscore run with
 * zone->lock held. It compiles unchanged in user space.
 */
#include "internal.h"
#define CREATE_TRACE_POINTS
#include "watch/trace.h"

DEFINE_STATIC_KEY_FALSE(pmm_trace_key);

/* The numbers that the events' formats have names for. */
static_assert(PMM_TRACE_ZONE == 1 && PMM_TRACE_PCP == 2 && PMM_TRACE_PARKED == 3, "from=, to=");
static_assert(PMM_FREE_FOREIGN == 2 && PMM_FREE_MAPPED == 7, "reason= of a block");
static_assert(PMM_DETACH_WRONG_TYPE - PMM_DETACH_BAD_ADDRESS == 2, "reason= of an area");

/**
 * pmm_trace_reg() - an event has been enabled
 *
 * Context: Process context.
 * Return: 0.
 */
int pmm_trace_reg(void)
{
	static_branch_inc(&pmm_trace_key);
	pmm_zone_retune(&pmm_zone);
	return 0;
}

/**
 * pmm_trace_unreg() - an event has been disabled
 *
 * Context: Process context.
 */
void pmm_trace_unreg(void)
{
	static_branch_dec(&pmm_trace_key);
	pmm_zone_retune(&pmm_zone);
}

/* --- the zone --------------------------------------------------------------------------------- */

/* The block is cut step by step, down to the piece that is handed out. */
static void pmm_trace_cut(const struct pmm_zone *zone, unsigned long index, unsigned int low,
			  unsigned int high)
{
	bool upper = zone->expand == PMM_EXPAND_UPPER;

	for (; high > low; high--) {
		unsigned long half = 1UL << (high - 1);

		trace_split(index, high, upper ? index : index + half);
		index += upper ? half : 0;
	}
}

/**
 * __pmm_trace_merge() - a block has been put back
 * @index: the block's first page
 * @low: its order
 * @high: the order of the block that it is part of now
 */
void __pmm_trace_merge(unsigned long index, unsigned int low, unsigned int high)
{
	for (; low < high; low++) {
		trace_coalesce(index, low, index ^ 1UL << low);
		index &= ~(1UL << low);
	}
}

/**
 * __pmm_trace_taken() - a run has left the free lists
 * @zone: the zone, locked
 * @run: the blocks
 * @kind: PMM_USED or PMM_MAPPED; PMM_PCP on their way to a per-CPU list
 * @gfp: the flags that were passed
 * @caller: the code that asked
 *
 * Single requests would have cut a block of order @run->high for block 0 of the run. Each later one
 * would have cut a remainder of the cuts before it: for block 1 one of the same order, for block 2
 * one of the next order; the number of orders is the number of trailing zeroes of the block's own.
 */
void __pmm_trace_taken(const struct pmm_zone *zone, const struct pmm_block_run *run,
		       enum pmm_kind kind, gfp_t gfp, unsigned long caller)
{
	bool upper = zone->expand == PMM_EXPAND_UPPER;
	unsigned long end = run->index + (run->nr << run->order), i;

	for (i = 0; i < run->nr; i++) {
		unsigned int high = i ? run->order + __ffs(i) : run->high;
		unsigned long at = i << run->order;
		unsigned long index = upper ? end - at - (1UL << run->order) : run->index + at;

		pmm_trace_cut(zone, upper ? end - at - (1UL << high) : index, run->order, high);
		if (kind == PMM_PCP)
			trace_pcp_refill(index, run->order);
		else
			pmm_trace_alloc(zone, index, run->order, kind, gfp, PMM_TRACE_ZONE, caller);
	}
}

/**
 * __pmm_trace_given() - the first blocks of a run are about to go to the free lists as one block
 * @zone: the zone, locked
 * @run: the blocks
 * @nr: how many of them; a power of two
 * @kind: PMM_USED or PMM_MAPPED; PMM_PCP from a per-CPU list
 * @caller: the code that frees them
 *
 * Freed singly, in ascending order, each would merge with those before it.
 */
void __pmm_trace_given(const struct pmm_zone *zone, const struct pmm_block_run *run,
		       unsigned long nr, enum pmm_kind kind, unsigned long caller)
{
	unsigned long i;

	for (i = 0; i < nr; i++) {
		unsigned long index = run->index + (i << run->order);

		if (kind == PMM_PCP)
			trace_pcp_drain(index, run->order);
		else
			pmm_trace_free(zone, index, run->order, kind, PMM_TRACE_ZONE, caller);
		__pmm_trace_merge(index, run->order, run->order + __ffs(i + 1));
	}
}

/**
 * pmm_trace_alloc() - a block has been handed out
 * @zone: the zone
 * @index: the block's first page; PMM_NONE when there was none
 * @order: its order
 * @kind: PMM_USED or PMM_MAPPED
 * @gfp: the flags of the request
 * @from: the list it came from
 * @caller: the code that asked for it
 */
void pmm_trace_alloc(const struct pmm_zone *zone, unsigned long index, unsigned int order,
		     enum pmm_kind kind, gfp_t gfp, enum pmm_trace_where from,
		     unsigned long caller)
{
	trace_alloc(zone, index, order, kind == PMM_MAPPED, gfp, from, caller);
}

/**
 * pmm_trace_free() - a block has been taken back
 * @zone: the zone
 * @index: the block's first page
 * @order: its order
 * @kind: PMM_USED or PMM_MAPPED
 * @to: where it goes
 * @caller: the code that frees it
 */
void pmm_trace_free(const struct pmm_zone *zone, unsigned long index, unsigned int order,
		    enum pmm_kind kind, enum pmm_trace_where to, unsigned long caller)
{
	trace_free(zone, index, order, kind == PMM_MAPPED, to, caller);
}

void __pmm_trace_recycled(unsigned long index, unsigned int order)
{
	trace_recycle(index, order);
}

void __pmm_trace_broken(unsigned long index, unsigned int order)
{
	trace_split_page(index, order);
}

/* --- the window ------------------------------------------------------------------------------- */

static unsigned long pmm_trace_offset(const struct pmm_vmlist *list,
				      const struct pmm_vm_struct *vm)
{
	return (unsigned long)vm->addr - list->start;
}

/* The types that the event's format has names for. */
static unsigned int pmm_trace_type(const struct pmm_vm_struct *vm)
{
	if (vm->flags & PMM_VM_RAM)
		return 3;
	return vm->flags & PMM_VM_IOREMAP ? 2 : vm->flags & PMM_VM_ALLOC ? 0 : 1;
}

/* The length of the run of the pool's pages that begins at the @i-th. */
static unsigned long pmm_trace_run(const struct pmm_vm_struct *vm, unsigned long i)
{
	unsigned long nr = 0;

	while (i + nr < vm->nr_pages && vm->pages[i + nr] == vm->pages[i] + nr &&
	       pmm_page_in_zone(&pmm_zone, vm->pages[i + nr]))
		nr++;
	return nr;
}

/**
 * pmm_trace_area() - an area is about to become visible to all
 * @list: the window
 * @vm: the area, which only the caller uses so far
 */
void pmm_trace_area(const struct pmm_vmlist *list, const struct pmm_vm_struct *vm)
{
	unsigned long offset = pmm_trace_offset(list, vm), i, nr;

	trace_vmalloc(offset, vm, pmm_trace_type(vm));
	for (i = 0; i < vm->nr_pages; i += max(nr, 1UL)) {
		nr = pmm_trace_run(vm, i);
		if (nr)
			trace_map(offset + (i << PAGE_SHIFT),
				  pmm_page_index(&pmm_zone, vm->pages[i]), nr);
	}
}

/**
 * pmm_trace_area_gone() - an area has been freed
 * @list: the window, locked
 * @vm: the area
 * @lazy: its addresses wait for a flush
 */
void pmm_trace_area_gone(const struct pmm_vmlist *list, const struct pmm_vm_struct *vm, bool lazy)
{
	trace_vfree(pmm_trace_offset(list, vm), vm->size, lazy);
}

/**
 * pmm_trace_purge() - addresses that waited are free
 * @list: the window, locked
 * @vm: the area whose addresses waited
 */
void pmm_trace_purge(const struct pmm_vmlist *list, const struct pmm_vm_struct *vm)
{
	trace_purge(pmm_trace_offset(list, vm), vm->size);
}

/**
 * pmm_trace_flush() - every TLB has been flushed
 * @reason: why
 * @bytes: of the window that the flush was for
 */
void pmm_trace_flush(enum pmm_flush_reason reason, unsigned long bytes)
{
	trace_flush(reason, bytes);
}

/* --- misuse ----------------------------------------------------------------------------------- */

/**
 * pmm_trace_misuse() - the free of a block has been refused
 * @zone: the zone
 * @index: the page that was passed, PMM_NONE for one that is not of the zone
 * @order: the order that was passed
 * @result: enum pmm_free_result
 * @caller: the code that made the call
 */
void pmm_trace_misuse(const struct pmm_zone *zone, unsigned long index, unsigned int order,
		      unsigned int result, unsigned long caller)
{
	trace_misuse(false, index, order, result, caller);
}

/**
 * pmm_trace_area_misuse() - the free of an area has been refused
 * @list: the window
 * @addr: the address that was passed
 * @result: enum pmm_detach_result
 * @caller: the code that made the call
 */
void pmm_trace_area_misuse(const struct pmm_vmlist *list, const void *addr, unsigned int result,
			   unsigned long caller)
{
	unsigned long at = (unsigned long)addr;

	at = at >= list->start && at < list->end ? at - list->start : PMM_NONE;
	trace_misuse(true, at, 0, 16 + result - PMM_DETACH_BAD_ADDRESS, caller);
}

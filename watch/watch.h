/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the seam between the allocators and their listeners. The allocators report each step
 * with pmm_tell_*() and never ask who listens; the listeners are in this directory: tracepoints
 * (trace.c), poison= and owner= (debug.c).
 *
 * While nobody listens, a tracepoint costs a no-op and a debug switch a test of one pointer; the
 * reports are inline for that reason. The short cuts make no reports at all: they are closed while
 * somebody listens (enum pmm_detour), and the longer paths have the same result.
 * Everything after that test is out of line. A run that moves at once is reported as the steps of
 * the single calls that have the same result.
 *
 * Functions whose names begin with a double underscore run with zone->lock held.
 */
#ifndef POCKETMM_WATCH_H
#define POCKETMM_WATCH_H

#include <linux/gfp.h>
#include <linux/jump_label.h>

#include "watch/debug.h"

struct pmm_vmlist;
struct pmm_vm_struct;

/* Where a block comes from, and where it goes. */
enum pmm_trace_where {
	PMM_TRACE_NOWHERE,
	PMM_TRACE_ZONE,
	PMM_TRACE_PCP,
	PMM_TRACE_PARKED,
};

/* Why a flush is needed: a free, many frees, a page table that gives way to a 2 MiB entry. */
enum pmm_flush_reason {
	PMM_FLUSH_EAGER,
	PMM_FLUSH_LAZY,
	PMM_FLUSH_TABLE,
	PMM_FLUSH_UNLOAD,
};

DECLARE_STATIC_KEY_FALSE(pmm_trace_key);

/* With -DPMM_UNTRACED there is no tracing, for scripts/bench to compare with. */
static __always_inline bool pmm_tracing(void)
{
#ifdef PMM_UNTRACED
	return false;
#else
	return static_branch_unlikely(&pmm_trace_key);
#endif
}

/* The events' registration functions: the key is up while any of them is enabled. */
int pmm_trace_reg(void);
void pmm_trace_unreg(void);

/* Events of the zone, emitted with its lock held. */
void __pmm_trace_taken(const struct pmm_zone *zone, const struct pmm_block_run *run,
		       enum pmm_kind kind, gfp_t gfp, unsigned long caller);
void __pmm_trace_given(const struct pmm_zone *zone, const struct pmm_block_run *run,
		       unsigned long nr, enum pmm_kind kind, unsigned long caller);
void __pmm_trace_merge(unsigned long index, unsigned int low, unsigned int high);
void __pmm_trace_recycled(unsigned long index, unsigned int order);
void __pmm_trace_broken(unsigned long index, unsigned int order);

/* Events of the zone or a per-CPU list. */
void pmm_trace_alloc(const struct pmm_zone *zone, unsigned long index, unsigned int order,
		     enum pmm_kind kind, gfp_t gfp, enum pmm_trace_where from,
		     unsigned long caller);
void pmm_trace_free(const struct pmm_zone *zone, unsigned long index, unsigned int order,
		    enum pmm_kind kind, enum pmm_trace_where to, unsigned long caller);

/* Events of the window. */
void pmm_trace_area(const struct pmm_vmlist *list, const struct pmm_vm_struct *vm);
void pmm_trace_area_gone(const struct pmm_vmlist *list, const struct pmm_vm_struct *vm, bool lazy);
void pmm_trace_purge(const struct pmm_vmlist *list, const struct pmm_vm_struct *vm);
void pmm_trace_flush(enum pmm_flush_reason reason, unsigned long bytes);

/* Refusals: @result is an enum pmm_free_result, or an enum pmm_detach_result. */
void pmm_trace_misuse(const struct pmm_zone *zone, unsigned long index, unsigned int order,
		      unsigned int result, unsigned long caller);
void pmm_trace_area_misuse(const struct pmm_vmlist *list, const void *addr, unsigned int result,
			   unsigned long caller);

#define pmm_if_traced(call)	do { if (pmm_tracing()) call; } while (0)

/* --- pages ------------------------------------------------------------------------------------ */

/* Blocks have been handed out, or have left for a per-CPU list. */
#define __pmm_tell_taken(zone, run, kind, gfp, caller)	\
	pmm_if_traced(__pmm_trace_taken(zone, run, kind, gfp, caller))

/* A block of a per-CPU list has been handed out. */
#define pmm_tell_alloc(zone, index, order, kind, gfp, from, caller)	\
	pmm_if_traced(pmm_trace_alloc(zone, index, order, kind, gfp, from, caller))

/* The lock is no longer held, and the caller owns the page: its contents may be checked. */
static inline void pmm_tell_handed_out(struct pmm_zone *zone, unsigned long index,
				       unsigned int order, gfp_t gfp, unsigned long caller)
{
	if (unlikely(zone->debug))
		pmm_debug_taken(zone, index, order, gfp, caller);
}

/* A block has been freed: into a per-CPU list. */
#define pmm_tell_free(zone, index, order, kind, to, caller)	\
	pmm_if_traced(pmm_trace_free(zone, index, order, kind, to, caller))

/* A block is about to go to the free lists: init_on_free=1 zeroes it, or poison=1 fills it. */
static inline void __pmm_fill(struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	if (unlikely(zone->detour & PMM_DETOUR_INIT_FREE))
		pmm_clear_block(zone->mem_map + index, order);
	if (unlikely(zone->debug))
		__pmm_debug_fill(zone, index, order);
}

/* A block has been freed: to be parked if somebody holds a reference, else into the free lists. */
static inline void __pmm_tell_freed(struct pmm_zone *zone, unsigned long index, unsigned int order,
				    enum pmm_kind kind, bool busy, unsigned long caller)
{
	if (unlikely(zone->debug))
		__pmm_debug_freed(zone, index, caller);
	if (!busy)
		__pmm_fill(zone, index, order);
	pmm_tell_free(zone, index, order, kind, busy ? PMM_TRACE_PARKED : PMM_TRACE_ZONE, caller);
}

/* The first @nr blocks of a run go to the free lists as one; they merge among themselves. */
#define __pmm_tell_given(zone, run, nr, kind, caller)	\
	pmm_if_traced(__pmm_trace_given(zone, run, nr, kind, caller))

/* A block has been put on the free lists, and is now part of a block of order @high. */
#define __pmm_tell_merged(index, order, high)	pmm_if_traced(__pmm_trace_merge(index, order, high))

/* A parked block is about to go to the free lists. */
static inline void __pmm_tell_recycled(struct pmm_zone *zone, unsigned long index,
				       unsigned int order)
{
	__pmm_fill(zone, index, order);
	pmm_if_traced(__pmm_trace_recycled(index, order));
}

/* A page is about to go to the free lists for the first time. */
static inline void __pmm_tell_born(struct pmm_zone *zone, unsigned long index)
{
	if (unlikely(zone->debug))
		__pmm_debug_fill(zone, index, 0);
}

/* A block has become single pages. */
#define __pmm_tell_broken(index, order)	pmm_if_traced(__pmm_trace_broken(index, order))

/* The same, when the lock is no longer held. */
static inline void pmm_tell_broken_up(struct pmm_zone *zone, unsigned long index,
				      unsigned int order)
{
	if (unlikely(zone->debug))
		pmm_debug_broken(zone, index, order);
}

/* --- the window ------------------------------------------------------------------------------- */

/* An area is about to become visible to all; has been freed; its addresses are free again. */
#define pmm_tell_area(list, vm)			pmm_if_traced(pmm_trace_area(list, vm))
#define pmm_tell_area_gone(list, vm, lazy)	pmm_if_traced(pmm_trace_area_gone(list, vm, lazy))
#define pmm_tell_purge(list, vm)		pmm_if_traced(pmm_trace_purge(list, vm))

/* Every TLB has been flushed. */
#define pmm_tell_flush(reason, bytes)		pmm_if_traced(pmm_trace_flush(reason, bytes))

/* --- refusals --------------------------------------------------------------------------------- */

#define pmm_tell_misuse(zone, index, order, result, caller)	\
	pmm_if_traced(pmm_trace_misuse(zone, index, order, result, caller))
#define pmm_tell_area_misuse(list, addr, result, caller)	\
	pmm_if_traced(pmm_trace_area_misuse(list, addr, result, caller))

#endif /* POCKETMM_WATCH_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: what the allocators tell the tracepoints, and the one question that it costs.
 *
 * While no event is enabled pmm_tracing() is a no-op in the instruction stream. The shortest ways
 * through the page calls do not even have that: they are closed while an event is enabled
 * (pmm_zone_retune()), and the longer ways, which lead to the same result, tell. Everything behind
 * the question is out of line, in trace.c, and makes as many events as there were steps. While an
 * event is enabled, blocks that could move as one do so one by one, which has the same result, too,
 * so that each step of a split and a merge is one that was made.
 */
#ifndef POCKETMM_TRACING_H
#define POCKETMM_TRACING_H

#include <linux/gfp.h>
#include <linux/jump_label.h>

struct pmm_zone;
struct pmm_vmlist;
struct pmm_vm_struct;

/* Where a block comes from, and where it goes to. */
enum pmm_trace_where {
	PMM_TRACE_NOWHERE,
	PMM_TRACE_ZONE,
	PMM_TRACE_PCP,
	PMM_TRACE_PARKED,
};

/* What a flush is for: a free, many frees, a page table that gives way to a 2 MiB entry. */
enum pmm_flush_reason {
	PMM_FLUSH_EAGER,
	PMM_FLUSH_LAZY,
	PMM_FLUSH_TABLE,
	PMM_FLUSH_UNLOAD,
};

DECLARE_STATIC_KEY_FALSE(pmm_trace_key);

/* Built with -DPMM_UNTRACED there is none, for scripts/bench to compare with. */
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

/* Of the zone, its lock held: pmm_trace_cut() before the cut, pmm_trace_merge() after the merge. */
void pmm_trace_cut(const struct pmm_zone *zone, unsigned long index, unsigned int low,
		   unsigned int high);
void pmm_trace_merge(unsigned long index, unsigned int low, unsigned int high);
void pmm_trace_taken(const struct pmm_zone *zone, unsigned long index, unsigned int order,
		     unsigned int kind, gfp_t gfp, unsigned long caller, unsigned long nr);
void pmm_trace_recycled(unsigned long index, unsigned int order);
void pmm_trace_broken(unsigned long index, unsigned int order);
void pmm_trace_drained(unsigned long index, unsigned int order);

/* Of the zone or a per-CPU list. */
void pmm_trace_alloc(const struct pmm_zone *zone, unsigned long index, unsigned int order,
		     unsigned int kind, gfp_t gfp, enum pmm_trace_where from,
		     unsigned long caller);
void pmm_trace_free(const struct pmm_zone *zone, unsigned long index, unsigned int order,
		    unsigned int kind, enum pmm_trace_where to, unsigned long caller);

/* Of the window. */
void pmm_trace_area(const struct pmm_vmlist *list, const struct pmm_vm_struct *vm);
void pmm_trace_area_gone(const struct pmm_vmlist *list, const struct pmm_vm_struct *vm, bool lazy);
void pmm_trace_purge(const struct pmm_vmlist *list, const struct pmm_vm_struct *vm);
void pmm_trace_flush(enum pmm_flush_reason reason, unsigned long bytes);

/* Refusals: @result is an enum pmm_free_result, or an enum pmm_detach_result. */
void pmm_trace_misuse(const struct pmm_zone *zone, unsigned long index, unsigned int order,
		      unsigned int result, unsigned long caller);
void pmm_trace_area_misuse(const struct pmm_vmlist *list, const void *addr, unsigned int result,
			   unsigned long caller);

#endif /* POCKETMM_TRACING_H */

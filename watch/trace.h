/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: tracepoints, in the style of the kernel's kmem events. docs/tracing.md describes them.
 *
 * Pages are given by their index in the chunk, addresses of the window by their offset in bytes.
 * The events of the zone are emitted under its lock, those of a per-CPU list under that list's
 * lock or while nobody else can have the page, and those of areas under vmlist->lock or by the only
 * user of the area. In the order of their time stamps, they therefore tell the history of each free
 * list and of the window. Only trace.c includes this file.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pocketmm

#if !defined(POCKETMM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define POCKETMM_TRACE_H

#include <linux/tracepoint.h>
#include <trace/events/mmflags.h>

#include "internal.h"

#define pmm_show_where(where)						\
	__print_symbolic(where, { 0, "none" }, { 1, "zone" },		\
			 { 2, "pcp" }, { 3, "parked" })

/* A request that failed has page=-1 from=none. */
TRACE_EVENT_FN(alloc,
	TP_PROTO(const struct pmm_zone *zone, unsigned long index, unsigned int order, bool area,
		 gfp_t gfp, unsigned int from, unsigned long caller),
	TP_ARGS(zone, index, order, area, gfp, from, caller),
	TP_STRUCT__entry(
		__field(unsigned long, page)
		__field(unsigned long, pfn)
		__field(unsigned int, order)
		__field(bool, area)
		__field(u8, from)
		__field(unsigned long, gfp_flags)
		__field(unsigned long, caller)
	),
	TP_fast_assign(
		__entry->page = index;
		__entry->pfn = index == PMM_NONE ? 0 : page_to_pfn(zone->mem_map + index);
		__entry->order = order;
		__entry->area = area;
		__entry->from = from;
		__entry->gfp_flags = (__force unsigned long)gfp;
		__entry->caller = caller;
	),
	TP_printk("page=%ld pfn=0x%lx order=%u kind=%s from=%s gfp_flags=%s caller=%pS",
		  (long)__entry->page, __entry->pfn, __entry->order,
		  __entry->area ? "area" : "page", pmm_show_where(__entry->from),
		  show_gfp_flags(__entry->gfp_flags), (void *)__entry->caller),
	pmm_trace_reg, pmm_trace_unreg
);

TRACE_EVENT_FN(free,
	TP_PROTO(const struct pmm_zone *zone, unsigned long index, unsigned int order, bool area,
		 unsigned int to, unsigned long caller),
	TP_ARGS(zone, index, order, area, to, caller),
	TP_STRUCT__entry(
		__field(unsigned long, page)
		__field(unsigned long, pfn)
		__field(unsigned int, order)
		__field(bool, area)
		__field(u8, to)
		__field(unsigned long, caller)
	),
	TP_fast_assign(
		__entry->page = index;
		__entry->pfn = page_to_pfn(zone->mem_map + index);
		__entry->order = order;
		__entry->area = area;
		__entry->to = to;
		__entry->caller = caller;
	),
	TP_printk("page=%lu pfn=0x%lx order=%u kind=%s to=%s caller=%pS",
		  __entry->page, __entry->pfn, __entry->order, __entry->area ? "area" : "page",
		  pmm_show_where(__entry->to), (void *)__entry->caller),
	pmm_trace_reg, pmm_trace_unreg
);

/* The block (page, order) is cut; the half that begins at @kept is now the head of a free list. */
TRACE_EVENT_FN(split,
	TP_PROTO(unsigned long index, unsigned int order, unsigned long kept),
	TP_ARGS(index, order, kept),
	TP_STRUCT__entry(
		__field(unsigned long, page)
		__field(unsigned int, order)
		__field(unsigned long, kept)
	),
	TP_fast_assign(
		__entry->page = index;
		__entry->order = order;
		__entry->kept = kept;
	),
	TP_printk("page=%lu order=%u kept=%lu", __entry->page, __entry->order, __entry->kept),
	pmm_trace_reg, pmm_trace_unreg
);

/* The block (page, order) and its buddy, which leaves its list, become one of the next order. */
TRACE_EVENT_FN(coalesce,
	TP_PROTO(unsigned long index, unsigned int order, unsigned long buddy),
	TP_ARGS(index, order, buddy),
	TP_STRUCT__entry(
		__field(unsigned long, page)
		__field(unsigned int, order)
		__field(unsigned long, buddy)
	),
	TP_fast_assign(
		__entry->page = index;
		__entry->order = order;
		__entry->buddy = buddy;
	),
	TP_printk("page=%lu order=%u buddy=%lu", __entry->page, __entry->order, __entry->buddy),
	pmm_trace_reg, pmm_trace_unreg
);

/* A block moves without being handed out or freed: four events of one form. */
DECLARE_EVENT_CLASS(pmm_block,
	TP_PROTO(unsigned long index, unsigned int order),
	TP_ARGS(index, order),
	TP_STRUCT__entry(
		__field(unsigned long, page)
		__field(unsigned int, order)
	),
	TP_fast_assign(
		__entry->page = index;
		__entry->order = order;
	),
	TP_printk("page=%lu order=%u", __entry->page, __entry->order)
);

#define PMM_BLOCK_EVENT(name)						\
	DEFINE_EVENT_FN(pmm_block, name,				\
		TP_PROTO(unsigned long index, unsigned int order),	\
		TP_ARGS(index, order),					\
		pmm_trace_reg, pmm_trace_unreg				\
	)

PMM_BLOCK_EVENT(recycle);	/* parked before: to the free lists */
PMM_BLOCK_EVENT(split_page);	/* in use: from now on single pages */
PMM_BLOCK_EVENT(pcp_refill);	/* from the free lists to a per-CPU list */
PMM_BLOCK_EVENT(pcp_drain);	/* the reverse */

/* An area becomes visible to all; its size includes the guard page. */
TRACE_EVENT_FN(vmalloc,
	TP_PROTO(unsigned long offset, const struct pmm_vm_struct *vm, unsigned int type),
	TP_ARGS(offset, vm, type),
	TP_STRUCT__entry(
		__field(unsigned long, offset)
		__field(unsigned long, size)
		__field(u8, type)
		__field(unsigned long, pages)
		__field(unsigned int, huge)
		__field(const void *, caller)
	),
	TP_fast_assign(
		__entry->offset = offset;
		__entry->size = vm->size;
		__entry->type = type;
		__entry->pages = pmm_area_bytes(vm) >> PAGE_SHIFT;
		__entry->huge = pmm_area(vm)->nr_huge;
		__entry->caller = vm->caller;
	),
	TP_printk("offset=%lu size=%lu type=%s pages=%lu huge=%u caller=%pS", __entry->offset,
		  __entry->size,
		  __print_symbolic(__entry->type, { 0, "vmalloc" }, { 1, "vmap" },
				   { 2, "ioremap" }, { 3, "map_ram" }),
		  __entry->pages, __entry->huge, __entry->caller),
	pmm_trace_reg, pmm_trace_unreg
);

/* @nr consecutive pages of the pool are mapped at @offset. */
TRACE_EVENT_FN(map,
	TP_PROTO(unsigned long offset, unsigned long index, unsigned long nr),
	TP_ARGS(offset, index, nr),
	TP_STRUCT__entry(
		__field(unsigned long, offset)
		__field(unsigned long, page)
		__field(unsigned long, nr)
	),
	TP_fast_assign(
		__entry->offset = offset;
		__entry->page = index;
		__entry->nr = nr;
	),
	TP_printk("offset=%lu page=%lu nr=%lu", __entry->offset, __entry->page, __entry->nr),
	pmm_trace_reg, pmm_trace_unreg
);

/* An area is gone: with lazy=1 its addresses wait for a purge. */
TRACE_EVENT_FN(vfree,
	TP_PROTO(unsigned long offset, unsigned long size, bool lazy),
	TP_ARGS(offset, size, lazy),
	TP_STRUCT__entry(
		__field(unsigned long, offset)
		__field(unsigned long, size)
		__field(bool, lazy)
	),
	TP_fast_assign(
		__entry->offset = offset;
		__entry->size = size;
		__entry->lazy = lazy;
	),
	TP_printk("offset=%lu size=%lu lazy=%d", __entry->offset, __entry->size, __entry->lazy),
	pmm_trace_reg, pmm_trace_unreg
);

/* The addresses of an area that waited for a flush are a hole now. */
TRACE_EVENT_FN(purge,
	TP_PROTO(unsigned long offset, unsigned long size),
	TP_ARGS(offset, size),
	TP_STRUCT__entry(
		__field(unsigned long, offset)
		__field(unsigned long, size)
	),
	TP_fast_assign(
		__entry->offset = offset;
		__entry->size = size;
	),
	TP_printk("offset=%lu size=%lu", __entry->offset, __entry->size),
	pmm_trace_reg, pmm_trace_unreg
);

/* All TLBs have been flushed, in order to free the given number of bytes of the window. */
TRACE_EVENT_FN(flush,
	TP_PROTO(unsigned int reason, unsigned long bytes),
	TP_ARGS(reason, bytes),
	TP_STRUCT__entry(
		__field(u8, reason)
		__field(unsigned long, bytes)
	),
	TP_fast_assign(
		__entry->reason = reason;
		__entry->bytes = bytes;
	),
	TP_printk("reason=%s bytes=%lu",
		  __print_symbolic(__entry->reason, { 0, "eager" }, { 1, "lazy" },
				   { 2, "table" }, { 3, "unload" }),
		  __entry->bytes),
	pmm_trace_reg, pmm_trace_unreg
);

/* A free was refused. For areas, page is an offset in the window, or else the address passed. */
TRACE_EVENT_FN(misuse,
	TP_PROTO(bool area, unsigned long at, unsigned int order, unsigned int reason,
		 unsigned long caller),
	TP_ARGS(area, at, order, reason, caller),
	TP_STRUCT__entry(
		__field(bool, area)
		__field(unsigned long, at)
		__field(unsigned int, order)
		__field(u8, reason)
		__field(unsigned long, caller)
	),
	TP_fast_assign(
		__entry->area = area;
		__entry->at = at;
		__entry->order = order;
		__entry->reason = reason;
		__entry->caller = caller;
	),
	TP_printk("what=%s at=%ld order=%u reason=%s caller=%pS",
		  __entry->area ? "area" : "block", (long)__entry->at, __entry->order,
		  __print_symbolic(__entry->reason, { 2, "foreign_page" }, { 3, "bad_order" },
				   { 4, "double_free" }, { 5, "wrong_order" },
				   { 6, "middle_of_block" }, { 7, "mapped_page" },
				   { 16, "bad_address" }, { 17, "nonexistent_area" },
				   { 18, "wrong_type" }),
		  (void *)__entry->caller),
	pmm_trace_reg, pmm_trace_unreg
);

#endif /* POCKETMM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH watch
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>

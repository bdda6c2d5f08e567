// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: the far side of the tracepoints, which the stand-in <linux/tracepoint.h> calls.
 */
#include "internal.h"
#include "watch/trace.h"

#include "events.h"
#include "shim.h"

void (*shim_on_event)(const struct shim_event *event);

/* An event while none is enabled is one that costs something when it should not. */
static void tell(struct shim_event event)
{
	shim_assert(pmm_tracing(), "the event %s while tracing is off", event.name);
	if (shim_on_event)
		shim_on_event(&event);
}

#define TELL(...)	tell((struct shim_event){ __VA_ARGS__ })

void shim_trace_alloc(const struct pmm_zone *zone, unsigned long index, unsigned int order,
		      bool area, gfp_t gfp, unsigned int from, unsigned long caller)
{
	TELL("alloc", .page = index, .order = order, .flag = area, .where = from);
}

void shim_trace_free(const struct pmm_zone *zone, unsigned long index, unsigned int order,
		     bool area, unsigned int to, unsigned long caller)
{
	TELL("free", .page = index, .order = order, .flag = area, .where = to);
}

void shim_trace_split(unsigned long index, unsigned int order, unsigned long kept)
{
	TELL("split", .page = index, .order = order, .other = kept);
}

void shim_trace_coalesce(unsigned long index, unsigned int order, unsigned long buddy)
{
	TELL("coalesce", .page = index, .order = order, .other = buddy);
}

void shim_trace_recycle(unsigned long index, unsigned int order)
{
	TELL("recycle", .page = index, .order = order);
}

void shim_trace_split_page(unsigned long index, unsigned int order)
{
	TELL("split_page", .page = index, .order = order);
}

void shim_trace_pcp_refill(unsigned long index, unsigned int order)
{
	TELL("pcp_refill", .page = index, .order = order);
}

void shim_trace_pcp_drain(unsigned long index, unsigned int order)
{
	TELL("pcp_drain", .page = index, .order = order);
}

void shim_trace_vmalloc(unsigned long offset, const struct pmm_vm_struct *vm, unsigned int type)
{
	TELL("vmalloc", .page = offset, .order = vm->size, .where = type);
}

void shim_trace_map(unsigned long offset, unsigned long index, unsigned long nr)
{
	TELL("map", .page = offset, .order = nr, .other = index);
}

void shim_trace_vfree(unsigned long offset, unsigned long size, bool lazy)
{
	TELL("vfree", .page = offset, .order = size, .flag = lazy);
}

void shim_trace_purge(unsigned long offset, unsigned long size)
{
	TELL("purge", .page = offset, .order = size);
}

void shim_trace_flush(unsigned int reason, unsigned long bytes)
{
	TELL("flush", .where = reason, .order = bytes);
}

void shim_trace_misuse(bool area, unsigned long at, unsigned int order, unsigned int reason,
		       unsigned long caller)
{
	TELL("misuse", .page = at, .order = order, .where = reason, .flag = area);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: what the flags of an allocation ask for that this pool may not have.
 *
 * The kernel would choose other memory, or do more work. The pool is one chunk, in one zone of one
 * node, so it has what a flag asks for or it has not: then the request is refused, because other
 * memory than asked for is worse than none. docs/api.md has the same table in words. No state; any
 * context.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpuset.h>
#include <linux/nodemask.h>
#include <linux/topology.h>

#include "host/gfp.h"
#include "internal.h"

static bool pmm_above_dma(unsigned int order)
{
	return page_zonenum(pmm_zone.mem_map) > OPT_ZONE_DMA;
}

static bool pmm_above_dma32(unsigned int order)
{
	return page_zonenum(pmm_zone.mem_map) > OPT_ZONE_DMA32;
}

static bool pmm_on_other_node(unsigned int order)
{
	return page_to_nid(pmm_zone.mem_map) != numa_mem_id();
}

/* As the kernel, which lets interrupts have the memory of any node. */
static bool pmm_outside_cpuset(unsigned int order)
{
	return in_task() &&
	       !node_isset(page_to_nid(pmm_zone.mem_map), cpuset_current_mems_allowed);
}

static bool pmm_many_pages(unsigned int order)
{
	return order > 0;
}

static bool pmm_always(unsigned int order)
{
	return true;
}

/* A flag that is in no row, and that the kernel knows, changes nothing. */
static const struct pmm_gfp_rule {
	gfp_t		flag;
	const char	*name;
	bool		(*refuses)(unsigned int order);
	const char	*why;
} pmm_gfp_rules[] = {
	{ __GFP_DMA, "GFP_DMA", pmm_above_dma, "the chunk is not in ZONE_DMA" },
	{ __GFP_DMA32, "GFP_DMA32", pmm_above_dma32, "the chunk is above ZONE_DMA32" },
	{ __GFP_THISNODE, "__GFP_THISNODE", pmm_on_other_node, "the chunk is on another node" },
	{ __GFP_HARDWALL, "__GFP_HARDWALL", pmm_outside_cpuset,
	  "the chunk's node is not in the task's cpuset" },
	{ __GFP_ACCOUNT, "__GFP_ACCOUNT", pmm_always, "the pool charges no cgroup" },
	{ __GFP_COMP, "__GFP_COMP", pmm_many_pages, "the pool has no compound pages" },
	{ ~__GFP_BITS_MASK, "an unknown flag", pmm_always,
	  "the kernel has no such flag" },
};

static const struct pmm_gfp_rule *pmm_broken_rule(gfp_t gfp, unsigned int order)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pmm_gfp_rules); i++)
		if (gfp & pmm_gfp_rules[i].flag && pmm_gfp_rules[i].refuses(order))
			return &pmm_gfp_rules[i];
	return NULL;
}

/**
 * pmm_gfp_allows() - can the pool do what these flags ask for?
 * @gfp: the flags, of which some are in PMM_GFP_CHECKED
 * @order: of the block
 * @caller: the code that asks
 *
 * A refusal is counted as a failure, and reported in one rate-limited line unless __GFP_NOWARN.
 * __GFP_NOFAIL is not refused, because the caller could not bear it, but reported once: there is
 * nothing to wait for when the pool is empty.
 *
 * Context: Any; under PREEMPT_RT not from hard interrupts or with preemption off.
 * Return: false if the request must fail.
 */
bool pmm_gfp_allows(gfp_t gfp, unsigned int order, unsigned long caller)
{
	const struct pmm_gfp_rule *rule = pmm_broken_rule(gfp, order);
	unsigned long flags;

	if (gfp & __GFP_NOFAIL)
		pr_warn_once("__GFP_NOFAIL cannot be kept, nothing is reclaimed for this pool: order %u, gfp=%pGg, by %pS\n",
			     order, &gfp, (void *)caller);
	if (!rule)
		return true;
	spin_lock_irqsave(&pmm_zone.lock, flags);
	pmm_zone.stat.failures++;
	pmm_tell_alloc(&pmm_zone, PMM_NONE, order, PMM_USED, gfp, PMM_TRACE_NOWHERE, caller);
	spin_unlock_irqrestore(&pmm_zone.lock, flags);
	if (!(gfp & __GFP_NOWARN))
		pr_warn_ratelimited("allocation refused: %s: %s: order %u, gfp=%pGg, by %pS\n",
				    rule->name, rule->why, order, &gfp, (void *)caller);
	return false;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: refusals. A free of a block that is misuse is found by the state byte, before any list
 * is touched; a free of an area by the list of areas (vmlist.c). It changes nothing: it is counted,
 * told to any listener, and reported in one rate-limited line, for areas in 2.4's words. A reason
 * has one row in a table, with its errno and its words; blocks and areas have a table each.
 *
 * It owns nothing, and compiles unchanged in user space. Functions whose names begin with a double
 * underscore run with zone->lock held.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "internal.h"

/* What became of a free: 0 and "freed", or the reason for the refusal. */
struct pmm_outcome {
	int		err;
	const char	*why;
};

static const struct pmm_outcome pmm_free_outcomes[PMM_NR_FREE_RESULTS] = {
	[PMM_FREE_OK] = { 0, "freed" },
	[PMM_FREE_PARKED] = { 0, "parked until its last reference is gone" },
	[PMM_FREE_FOREIGN] = { -EINVAL, "not a page of this pool" },
	[PMM_FREE_BAD_ORDER] = { -EINVAL, "no such order, or the page is not aligned to it" },
	[PMM_FREE_DOUBLE] = { -EINVAL, "the page is already free" },
	[PMM_FREE_WRONG_ORDER] = { -EINVAL, "the block has another order" },
	[PMM_FREE_MIDDLE] = { -EINVAL, "the page is in the middle of a block" },
	[PMM_FREE_MAPPED] = { -EBUSY, "the page belongs to an area" },
	[PMM_FREE_QUARANTINED] = { 0, "quarantined until unload" },
};

static const struct pmm_outcome pmm_detach_outcomes[PMM_NR_DETACH_RESULTS] = {
	[PMM_DETACH_OK] = { 0, "freed" },
	[PMM_DETACH_LATER] = { 0, "freed when its last user mapping goes" },
	[PMM_DETACH_NONE] = { 0, "nothing to be freed" },
	[PMM_DETACH_BAD_ADDRESS] = { -EINVAL, "bad address" },
	[PMM_DETACH_NONEXISTENT] = { -ENOENT, "nonexistent vm area" },
	[PMM_DETACH_WRONG_TYPE] = { -EINVAL, "vm area of another kind" },
};

/*
 * Each outcome in words, a constant string, and as an errno: 0 when the block or the area was
 * freed, now or later; else the reason for the refusal. Any context.
 */
const char *pmm_free_why(enum pmm_free_result result)
{
	return pmm_free_outcomes[result].why;
}

int pmm_free_errno(enum pmm_free_result result)
{
	return pmm_free_outcomes[result].err;
}

const char *pmm_detach_why(enum pmm_detach_result result)
{
	return pmm_detach_outcomes[result].why;
}

int pmm_detach_errno(enum pmm_detach_result result)
{
	return pmm_detach_outcomes[result].err;
}

/* --- blocks ----------------------------------------------------------------------------------- */

/*
 * The first page of the block around this page: the nearest one at or below it that has a kind. Any
 * context; without zone->lock the answer is right as long as the caller has the block.
 */
unsigned long pmm_head_of(const struct pmm_zone *zone, unsigned long index)
{
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER; order++) {
		index &= ~0UL << order;
		if (READ_ONCE(zone->state[index]) != PMM_TAIL)
			break;
	}
	return index;
}

static bool pmm_was_freed(enum pmm_kind is)
{
	return is == PMM_FREE || is == PMM_PARKED || is == PMM_PCP || is == PMM_QUARANTINED;
}

/**
 * __pmm_misuse() - find out why a block must not be freed
 * @zone: the zone
 * @index: the page that was passed
 * @order: the order that was passed
 * @kind: the kind that the block would have to be
 *
 * Context: zone->lock held.
 * Return: The reason.
 */
enum pmm_free_result __pmm_misuse(const struct pmm_zone *zone, unsigned long index,
				  unsigned int order, enum pmm_kind kind)
{
	unsigned long head = pmm_head_of(zone, index);
	enum pmm_kind is = PMM_STATE_KIND(READ_ONCE(zone->state[head]));

	if (!IS_ALIGNED(index, 1UL << order))
		return PMM_FREE_BAD_ORDER;
	if (pmm_was_freed(is))
		return PMM_FREE_DOUBLE;
	if (head != index)
		return PMM_FREE_MIDDLE;
	return is == PMM_MAPPED && kind != PMM_MAPPED ? PMM_FREE_MAPPED : PMM_FREE_WRONG_ORDER;
}

/*
 * The contents of a report: what was passed, and by which caller; the block that the page is in, as
 * it was under the lock; and the caller that freed the page before, if it was ever freed as the
 * first of a block.
 */
struct pmm_culprit {
	unsigned long		index;
	unsigned int		order;
	enum pmm_free_result	result;
	unsigned long		caller;
	unsigned long		head;
	unsigned long		freed_by;
	u8			state;
};

static void pmm_report_misuse(const struct pmm_zone *zone, const struct pmm_culprit *by)
{
	static const char * const kinds[] = {
		"no", "free", "used", "mapped", "parked", "free", [PMM_QUARANTINED] = "quarantined",
	};
	const struct pmm_owner *owner = zone->debug ? zone->debug->owner : NULL;
	char block[64], who[PMM_WHO_LEN] = "";
	const char *did = "";

	snprintf(block, sizeof(block), "the %s block %lu of order %u",
		 kinds[PMM_STATE_KIND(by->state)], by->head, PMM_STATE_ORDER(by->state));
	if (by->result == PMM_FREE_DOUBLE && by->freed_by) {
		did = "; freed before by ";
		pmm_debug_who(zone, owner ? &owner[by->index].freed : NULL, by->freed_by, who);
	} else if (owner && owner[by->head].taken.stack) {
		did = "; taken by ";
		pmm_debug_who(zone, &owner[by->head].taken, 0, who);
	}
	pr_warn_ratelimited("free refused: %s: page %lu order %u, in %s, by %pS%s%s\n",
			    pmm_free_why(by->result), by->index, by->order, block,
			    (void *)by->caller, did, who);
}

/**
 * pmm_refuse_free() - count and report the refusal of a block
 * @zone: the zone
 * @page: the page that was passed, which is one of the zone
 * @order: the order that was passed
 * @result: the reason
 * @caller: the code that wanted to free it
 *
 * The report may be out of date: the lock is not held while it is written.
 *
 * Context: As pmm_zone_free(); zone->lock not held.
 * Return: @result.
 */
noinline enum pmm_free_result pmm_refuse_free(struct pmm_zone *zone, const struct page *page,
					      unsigned int order, enum pmm_free_result result,
					      unsigned long caller)
{
	struct pmm_culprit by = {
		.index = pmm_page_index(zone, page), .order = order,
		.result = result, .caller = caller,
	};
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	zone->stat.refused[result]++;
	by.head = pmm_head_of(zone, by.index);
	by.state = READ_ONCE(zone->state[by.head]);
	by.freed_by = pmm_page_caller(page);
	spin_unlock_irqrestore(&zone->lock, flags);
	pmm_tell_misuse(zone, by.index, order, result, caller);
	pmm_report_misuse(zone, &by);
	return result;
}

/**
 * pmm_refuse_foreign() - count and report a free of a page outside the pool
 * @zone: the zone
 * @what: what the caller says it is: a page, or an address
 * @addr: where; shown as the kernel shows pointers, as a hash
 * @order: the order that was passed
 * @caller: the code that wanted to free it
 *
 * Context: As pmm_zone_free().
 * Return: PMM_FREE_FOREIGN.
 */
noinline enum pmm_free_result pmm_refuse_foreign(struct pmm_zone *zone, const char *what,
						 const void *addr, unsigned int order,
						 unsigned long caller)
{
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	zone->stat.refused[PMM_FREE_FOREIGN]++;
	spin_unlock_irqrestore(&zone->lock, flags);
	pmm_tell_misuse(zone, PMM_NONE, order, PMM_FREE_FOREIGN, caller);
	pr_warn_ratelimited("free refused: %s: %s %p order %u, by %pS\n",
			    pmm_free_why(PMM_FREE_FOREIGN), what, addr, order, (void *)caller);
	return PMM_FREE_FOREIGN;
}

/* --- areas ------------------------------------------------------------------------------------ */

static const char *pmm_free_call(unsigned long type)
{
	return type == PMM_VM_ALLOC ? "vfree" :
	       type == PMM_VM_MAP ? "vunmap" :
	       type == PMM_VM_IOREMAP ? "iounmap" :
	       type == PMM_VM_RAM ? "vm_unmap_ram" : "remove_vm_area";
}

/**
 * pmm_refuse_area() - count and report the refusal of an area
 * @list: the window
 * @addr: the address that was to be freed
 * @type: the call that was to free it: PMM_VM_*, or 0 for remove_vm_area()
 * @result: the reason
 * @caller: the code that wanted to free it
 *
 * Context: Any.
 */
void pmm_refuse_area(struct pmm_vmlist *list, const void *addr, unsigned long type,
		     enum pmm_detach_result result, const void *caller)
{
	const void *freed_by = result == PMM_DETACH_NONEXISTENT ?
			       pmm_vmlist_freed_by(list, addr) : NULL;
	char now[PMM_WHO_LEN], before[PMM_WHO_LEN] = "";

	atomic_long_inc(&list->nr_refused);
	pmm_tell_area_misuse(list, addr, result, (unsigned long)caller);
	pmm_name_code((unsigned long)caller, now, sizeof(now));
	if (freed_by)
		pmm_name_code((unsigned long)freed_by, before, sizeof(before));
	pr_err_ratelimited("Trying to %s() %s (%p), by %s%s%s\n", pmm_free_call(type),
			   pmm_detach_why(result), addr, now,
			   freed_by ? "; freed before by " : "", before);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: refusals. A free that is misuse is found by the state byte, before any list is touched;
 * then it is counted, told to any listener, and reported in one rate-limited line. A reason has
 * one row in a table, with its errno and its words.
 *
 * It owns nothing; contexts are those of pmm_zone_free().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "internal.h"

static const struct {
	int		err;
	const char	*why;
} pmm_free_results[PMM_NR_FREE_RESULTS] = {
	[PMM_FREE_OK] = { 0, "freed" },
	[PMM_FREE_PARKED] = { 0, "parked until its last reference is gone" },
	[PMM_FREE_FOREIGN] = { -EINVAL, "not a page of this pool" },
	[PMM_FREE_BAD_ORDER] = { -EINVAL, "no such order, or the page is not aligned to it" },
	[PMM_FREE_DOUBLE] = { -EINVAL, "the page is already free" },
	[PMM_FREE_WRONG_ORDER] = { -EINVAL, "the block has another order" },
	[PMM_FREE_MIDDLE] = { -EINVAL, "the page is in the middle of a block" },
	[PMM_FREE_MAPPED] = { -EBUSY, "the page belongs to an area" },
};

/**
 * pmm_free_why() - put a free's result in words
 * @result: of pmm_zone_free()
 *
 * Context: Any.
 * Return: A constant string.
 */
const char *pmm_free_why(enum pmm_free_result result)
{
	return pmm_free_results[result].why;
}

/**
 * pmm_free_errno() - put a free's result in an errno
 * @result: of pmm_zone_free()
 *
 * Context: Any.
 * Return: 0 when the block was taken back, now or later; else the reason for the refusal: -EINVAL,
 * -EBUSY.
 */
int pmm_free_errno(enum pmm_free_result result)
{
	return pmm_free_results[result].err;
}

/* The first page of the block around this page: the nearest one at or below it that has a kind. */
static unsigned long __pmm_head_of(const struct pmm_zone *zone, unsigned long index)
{
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER; order++) {
		index &= ~0UL << order;
		if (READ_ONCE(zone->state[index]) != PMM_TAIL)
			break;
	}
	return index;
}

static enum pmm_free_result pmm_misuse_of_head(enum pmm_kind is, enum pmm_kind kind)
{
	if (is == PMM_FREE || is == PMM_PARKED || is == PMM_PCP)
		return PMM_FREE_DOUBLE;
	if (is == PMM_MAPPED && kind != PMM_MAPPED)
		return PMM_FREE_MAPPED;
	return PMM_FREE_WRONG_ORDER;
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
	unsigned long head = __pmm_head_of(zone, index);
	enum pmm_kind is = PMM_STATE_KIND(READ_ONCE(zone->state[head]));

	if (!IS_ALIGNED(index, 1UL << order))
		return PMM_FREE_BAD_ORDER;
	if (head != index && is != PMM_FREE && is != PMM_PARKED && is != PMM_PCP)
		return PMM_FREE_MIDDLE;
	return pmm_misuse_of_head(is, kind);
}

/*
 * The contents of a report: the block that the page is in, as it was under the lock, and the caller
 * that freed the page before, if it was ever freed as the first of a block.
 */
struct pmm_culprit {
	unsigned long	head;
	unsigned long	freed_by;
	u8		state;
};

static void pmm_report_misuse(const struct pmm_zone *zone, const struct page *page,
			      unsigned int order, enum pmm_free_result result,
			      const struct pmm_culprit *in, unsigned long caller)
{
	static const char * const kinds[] = { "no", "free", "used", "mapped", "parked", "free" };
	const struct pmm_owner *owner = zone->debug ? zone->debug->owner : NULL;
	char block[64], who[PMM_WHO_LEN] = "";
	const char *did = "";

	snprintf(block, sizeof(block), "the %s block %lu of order %u",
		 kinds[PMM_STATE_KIND(in->state)], in->head, PMM_STATE_ORDER(in->state));
	if (result == PMM_FREE_DOUBLE && in->freed_by) {
		did = "; freed before by ";
		pmm_debug_who(zone, owner ? &owner[pmm_page_index(zone, page)].freed : NULL,
			      in->freed_by, who);
	} else if (owner && owner[in->head].taken.stack) {
		did = "; taken by ";
		pmm_debug_who(zone, &owner[in->head].taken, 0, who);
	}
	pr_warn_ratelimited("free refused: %s: page %lu order %u, in %s, by %pS%s%s\n",
			    pmm_free_why(result), pmm_page_index(zone, page), order, block,
			    (void *)caller, did, who);
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
	struct pmm_culprit in = { };
	unsigned long flags;

	spin_lock_irqsave(&zone->lock, flags);
	zone->stat.refused[result]++;
	in.head = __pmm_head_of(zone, pmm_page_index(zone, page));
	in.state = READ_ONCE(zone->state[in.head]);
	in.freed_by = pmm_page_caller(page);
	spin_unlock_irqrestore(&zone->lock, flags);
	pmm_tell_misuse(zone, pmm_page_index(zone, page), order, result, caller);
	pmm_report_misuse(zone, page, order, result, &in, caller);
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

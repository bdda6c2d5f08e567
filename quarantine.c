// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: what a block must be before it is free again, and quarantine for what cannot be.
 *
 * A client may drop references that are not its own, by put_page() or by the kernel's own
 * __free_pages(). The pool has so many of its own to each page that none comes to the kernel by
 * that; but a page that lacks some may still be mapped somewhere, and one without the pool's mark
 * has gone to the kernel by other ways and may be anybody's. A block with such a page, or with a
 * page of failed memory, stays in quarantine until unload: its state byte says so, it is on no
 * list, and its pages are never written to. A page that is only unclean, with flags that its owner
 * has set, is cleaned.
 *
 * It owns the blocks in state PMM_QUARANTINED and zone->strays, the reports that wait until the
 * lock is dropped. Functions whose names begin with a double underscore run with zone->lock held.
 * It compiles unchanged in user space.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/highmem.h>

#include "internal.h"

/**
 * pmm_block_holds() - may a block that its owner has freed go to the free lists?
 * @page: the block's first page
 * @order: the block's order
 *
 * Context: Any.
 * Return: PMM_BLOCK_READY, PMM_BLOCK_HELD by somebody else, or PMM_BLOCK_BROKEN for good.
 */
enum pmm_block_holds pmm_block_holds(const struct page *page, unsigned int order)
{
	enum pmm_block_holds holds = PMM_BLOCK_READY;
	const struct page *end = page + (1UL << order);

	for (; page < end; page++) {
		if (unlikely(!pmm_page_is_whole(page)))
			return PMM_BLOCK_BROKEN;
		if (pmm_page_refs(page) > PMM_PAGE_REFS)
			holds = PMM_BLOCK_HELD;
	}
	return holds;
}

/**
 * pmm_clean_block() - clean the pages that their owner has used beyond their contents
 * @page: the first page of a block that only the pool holds
 * @order: the block's order
 *
 * Context: Any; the caller owns the block.
 */
void pmm_clean_block(struct page *page, unsigned int order)
{
	struct page *end = page + (1UL << order);

	for (; page < end; page++)
		if (pmm_page_flags(page) & PMM_PAGE_UNCLEAN || page->private)
			pmm_wipe_page(page);
}

/**
 * pmm_clear_block() - zero the contents of a block
 * @page: the block's first page
 * @order: the block's order
 *
 * Context: Any; the caller owns the block.
 */
void pmm_clear_block(struct page *page, unsigned int order)
{
	unsigned long i;

	for (i = 0; i < 1UL << order; i++)
		clear_highpage(page + i);
}

static const char *pmm_why_broken(const struct page *page, unsigned int order)
{
	const struct page *end = page + (1UL << order);

	for (; page < end; page++) {
		if (pmm_page_flags(page) & PMM_PAGE_BROKEN)
			return "its memory has failed";
		if (!(pmm_page_flags(page) & PMM_PAGE_MARK))
			return "it was given to the kernel's own allocator";
		if (pmm_page_refs(page) < PMM_PAGE_REFS)
			return "a reference was dropped that was not the dropper's own";
	}
	return "a reference was taken after the free";
}

/**
 * __pmm_quarantine() - keep a block from all use until unload
 * @zone: the zone
 * @index: the block's first page, on no list and of no owner
 * @order: the block's order
 * @freed: the code that frees it, or 0 if it was free already, or parked
 *
 * The report follows with pmm_tell_quarantined().
 *
 * Context: zone->lock held.
 */
void __pmm_quarantine(struct pmm_zone *zone, unsigned long index, unsigned int order,
		      unsigned long freed)
{
	const struct page *page = zone->mem_map + index;
	struct pmm_strays *strays = &zone->strays;
	unsigned long noted = 0;

	lockdep_assert_held(&zone->lock);
	/* The kernel may have given the page to somebody who uses that word otherwise. */
	if (pmm_page_flags(page) & PMM_PAGE_MARK)
		noted = pmm_page_caller(page);
	WRITE_ONCE(zone->state[index], PMM_STATE(PMM_QUARANTINED, order));
	zone->nr_quarantined += 1UL << order;
	zone->stat.quarantined++;
	if (strays->nr == PMM_STRAYS) {
		strays->more++;
		return;
	}
	strays->at[strays->nr++] = (struct pmm_stray) {
		.index = index, .order = order, .why = pmm_why_broken(page, order),
		.taken = freed ? noted : 0, .freed = freed ?: noted,
	};
}

/**
 * __pmm_make_sound() - clean a block that is to be handed out, or put it into quarantine
 * @zone: the zone
 * @page: the block's first page; the block has left its list
 * @order: the block's order
 *
 * Context: zone->lock held.
 * Return: false if it is in quarantine.
 */
noinline bool __pmm_make_sound(struct pmm_zone *zone, struct page *page, unsigned int order)
{
	if (pmm_block_holds(page, order) == PMM_BLOCK_READY) {
		pmm_clean_block(page, order);
		return true;
	}
	__pmm_quarantine(zone, pmm_page_index(zone, page), order, 0);
	return false;
}

/**
 * pmm_zone_alloc_another() - the rest of pmm_zone_alloc_page() when the page is not clean
 * @zone: the zone
 * @page: the page that it has taken
 * @gfp: as for pmm_zone_alloc()
 * @kind: likewise
 * @caller: likewise
 *
 * Context: As pmm_zone_alloc().
 * Return: The page if it can be cleaned, else as pmm_zone_alloc().
 */
noinline struct page *pmm_zone_alloc_another(struct pmm_zone *zone, struct page *page, gfp_t gfp,
					     enum pmm_kind kind, unsigned long caller)
{
	unsigned long flags;
	bool sound;

	spin_lock_irqsave(&zone->lock, flags);
	sound = __pmm_make_sound(zone, page, 0);
	zone->stat.allocations -= !sound;
	spin_unlock_irqrestore(&zone->lock, flags);
	if (sound) {
		pmm_take_page(page, caller);
		return page;
	}
	page = pmm_zone_try_alloc(zone, gfp, 0, kind, caller);
	return page ?: pmm_zone_alloc_last(zone, gfp, 0, kind, caller);
}

/**
 * __pmm_free_unclean() - free a block of which a page is held, unclean or not certainly ours
 * @zone: the zone
 * @index: the block's first page; the block is claimed already
 * @order: the block's order
 * @kind: what it was
 * @caller: the code that frees it
 *
 * Context: zone->lock held.
 * Return: PMM_FREE_OK if it is clean now and may go to the free lists, else where it has gone.
 */
noinline enum pmm_free_result __pmm_free_unclean(struct pmm_zone *zone, unsigned long index,
						 unsigned int order, enum pmm_kind kind,
						 unsigned long caller)
{
	struct page *page = zone->mem_map + index;

	switch (pmm_block_holds(page, order)) {
	case PMM_BLOCK_BROKEN:
		__pmm_tell_freed(zone, index, order, kind, true, caller);
		__pmm_quarantine(zone, index, order, caller);
		return PMM_FREE_QUARANTINED;
	case PMM_BLOCK_HELD:
		WRITE_ONCE(zone->state[index], PMM_STATE(PMM_PARKED, order));
		__pmm_tell_freed(zone, index, order, kind, true, caller);
		pmm_set_page_caller(page, caller);
		__pmm_park(zone, index, order);
		return PMM_FREE_PARKED;
	default:
		pmm_clean_block(page, order);
		return PMM_FREE_OK;
	}
}

/* --- reports ---------------------------------------------------------------------------------- */

static void pmm_report_stray(const struct pmm_zone *zone, const struct pmm_stray *stray)
{
	const struct pmm_owner *owner = zone->debug ? zone->debug->owner : NULL;
	char taken[PMM_WHO_LEN] = "somebody", freed[PMM_WHO_LEN] = "somebody";

	if (owner)
		owner += stray->index;
	if (stray->taken || (owner && owner->taken.stack))
		pmm_debug_who(zone, owner ? &owner->taken : NULL, stray->taken, taken);
	if (stray->freed || (owner && owner->freed.stack))
		pmm_debug_who(zone, owner ? &owner->freed : NULL, stray->freed, freed);
	pr_warn_ratelimited("page %lu order %u is quarantined: %s; taken by %s, freed by %s\n",
			    stray->index, stray->order, stray->why, taken, freed);
}

/**
 * pmm_report_quarantined() - report the blocks that have gone into quarantine
 * @zone: the zone
 *
 * Context: As pmm_zone_free(); zone->lock not held.
 */
noinline void pmm_report_quarantined(struct pmm_zone *zone)
{
	struct pmm_strays strays;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&zone->lock, flags);
	strays = zone->strays;
	zone->strays.nr = 0;
	zone->strays.more = 0;
	spin_unlock_irqrestore(&zone->lock, flags);
	for (i = 0; i < strays.nr; i++)
		pmm_report_stray(zone, &strays.at[i]);
	if (strays.more)
		pr_warn_ratelimited("%lu more blocks are quarantined\n", strays.more);
}

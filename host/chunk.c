// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: reserve one contiguous chunk of real pages, and give it back.
 *
 * A stock kernel exports alloc_contig_range(), which empties a given range of page frames by
 * migrating their contents. It does not export the search for a range, so the search is here. It
 * goes from the top of each node downward, which spares the small DMA zones, and skips each range
 * that has a page that cannot be moved. No state; process context; may sleep.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/highmem.h>
#include <linux/memory_hotplug.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>
#include <linux/topology.h>

#include "internal.h"

/* Pages that are being read or written cannot be moved now, but may be a moment later. */
#define PMM_SEARCHES	3

/* Pageblocks of a chunk by which its release tries to drain the kernel's per-CPU lists. */
#define PMM_DRAIN_TRIES	16UL

/* For a block that is freed at once. It may be one for pages that can be moved. */
#define PMM_SETTLE_GFP	(GFP_KERNEL | __GFP_MOVABLE | __GFP_NORETRY | __GFP_NOWARN)

/* A search, and its findings for the message when it fails. */
struct pmm_search {
	unsigned long	nr_pages;
	unsigned long	end_limit;	/* page frame that the chunk must end at or below */
	unsigned long	tried;		/* ranges handed to alloc_contig_range() */
	unsigned long	longest;	/* pages: the longest run that looks free or movable */
};

static unsigned long pmm_node_end(int nid, const struct pmm_search *search)
{
	return min(NODE_DATA(nid)->node_start_pfn + NODE_DATA(nid)->node_spanned_pages,
		   search->end_limit);
}

/*
 * Can this page frame be emptied? The answer is a hint, read without locks. Free pages have no
 * references, and pages on the LRU lists can be migrated. Slab, page tables, kernel stacks and
 * other drivers' pages cannot. Pages of ZONE_MOVABLE could, but that zone is for pages that move,
 * and the pool's never do.
 */
static bool pmm_pfn_usable(unsigned long pfn, int nid)
{
	struct page *page = pfn_to_online_page(pfn);

	if (!page || PageReserved(page) || is_zone_movable_page(page) || page_to_nid(page) != nid)
		return false;
	return !page_count(page) || PageLRU(page);
}

/*
 * The highest page frame that rules the range out, or 0. A page in a different zone from the last
 * one rules it out as well.
 */
static unsigned long pmm_highest_obstacle(unsigned long start, unsigned long end, int nid)
{
	enum zone_type zone;
	unsigned long pfn;

	if (!pmm_pfn_usable(end - 1, nid))
		return end - 1;
	zone = page_zonenum(pfn_to_page(end - 1));
	for (pfn = end; pfn-- > start;)
		if (!pmm_pfn_usable(pfn, nid) || page_zonenum(pfn_to_page(pfn)) != zone)
			return pfn;
	return 0;
}

/*
 * The kernel keeps pages back on each CPU. Pages that were touched a moment ago wait for the LRU
 * lists until there are enough of them; until then they have a reference but not PageLRU, and look
 * as if they could not be moved. Pages that were freed one by one wait to be merged with their
 * buddies, and MemFree does not count them.
 *
 * No exported function does only that. alloc_contig_range() moves them on its way, even for a range
 * of one page: all that wait for the LRU lists, and the freed ones of the page's zone. But first it
 * fails if any page of the same pageblock cannot be moved. Returns whether it succeeded.
 */
static bool pmm_drain_by(unsigned long pfn)
{
	if (alloc_contig_range(pfn, pfn + 1, ACR_FLAGS_NONE, GFP_KERNEL | __GFP_NOWARN))
		return false;
	free_contig_range(pfn, 1);
	return true;
}

/*
 * Drain by a page of a free pageblock; if there is none, by one of the largest free block that is
 * meant for pages that can be moved: its neighbours are likely to be so as well.
 */
static void pmm_settle_pages(gfp_t zone)
{
	unsigned int order = pageblock_order + 1;
	bool done = false;

	while (!done && order--) {
		struct page *page = alloc_pages(PMM_SETTLE_GFP | zone, order);

		if (!page)
			continue;
		__free_pages(page, order);
		done = pmm_drain_by(page_to_pfn(page));
	}
}

static struct page *pmm_search_node(int nid, struct pmm_search *search)
{
	unsigned long step = ALIGN(search->nr_pages / 8 + 1, PMM_MAX_ORDER_PAGES);
	unsigned long first = ALIGN(NODE_DATA(nid)->node_start_pfn, PMM_MAX_ORDER_PAGES);
	unsigned long end = pmm_node_end(nid, search);

	while (end >= first + search->nr_pages && !fatal_signal_pending(current)) {
		unsigned long start = ALIGN_DOWN(end - search->nr_pages, PMM_MAX_ORDER_PAGES);
		unsigned long obstacle;

		if (start < first)
			break;
		obstacle = pmm_highest_obstacle(start, start + search->nr_pages, nid);
		if (obstacle) {
			end = obstacle;
			cond_resched();
			continue;
		}
		search->tried++;
		if (!pmm_must_fail() &&
		    !alloc_contig_range(start, start + search->nr_pages, ACR_FLAGS_NONE,
					GFP_KERNEL | __GFP_NOWARN))
			return pfn_to_page(start);
		end = start + search->nr_pages - step;
	}
	return NULL;
}

/* Find the longest run of usable pages that begins on the boundary of a largest block. */
static void pmm_measure_node(int nid, struct pmm_search *search)
{
	unsigned long end = pmm_node_end(nid, search);
	unsigned long pfn = ALIGN(NODE_DATA(nid)->node_start_pfn, PMM_MAX_ORDER_PAGES);

	while (pfn < end) {
		unsigned long start = pfn;

		while (pfn < end && pmm_pfn_usable(pfn, nid) &&
		       page_zonenum(pfn_to_page(pfn)) == page_zonenum(pfn_to_page(start)))
			pfn++;
		search->longest = max(search->longest, pfn - start);
		pfn = ALIGN(pfn + 1, PMM_MAX_ORDER_PAGES);
		cond_resched();
	}
}

static void pmm_report_no_room(const struct pmm_chunk_request *want, struct pmm_search *search)
{
	char below[32] = "", node[24] = "", advice[64] = "no smaller size is worth trying";
	unsigned long worth;
	int nid;

	for_each_online_node(nid)
		if (want->node == NUMA_NO_NODE || want->node == nid)
			pmm_measure_node(nid, search);
	worth = search->longest;
	/* A run that looked long enough but could not be taken has a pinned page in it. */
	if (worth >= want->nr_pages)
		worth = want->nr_pages / 2;
	if (want->below)
		snprintf(below, sizeof(below), " below %#llx", want->below);
	if (want->node != NUMA_NO_NODE)
		snprintf(node, sizeof(node), " on node %d", want->node);
	if (worth >= PMM_CHUNK_MIN >> PAGE_SHIFT)
		snprintf(advice, sizeof(advice), "largest size worth trying: chunk=%luK",
			 worth << (PAGE_SHIFT - 10));
	pr_err("no room for chunk=%luK%s%s: %lu ranges tried; %s\n",
	       want->nr_pages << (PAGE_SHIFT - 10), node, below, search->tried, advice);
}

/* The node that is near goes first, unless the request names another. */
static struct page *pmm_search_nodes(const struct pmm_chunk_request *want,
				     struct pmm_search *search)
{
	int near = want->node == NUMA_NO_NODE ? numa_mem_id() : want->node, nid;
	struct page *pages = pmm_search_node(near, search);

	if (pages || want->node != NUMA_NO_NODE)
		return pages;
	for_each_online_node(nid)
		if (nid != near && !pages)
			pages = pmm_search_node(nid, search);
	return pages;
}

/*
 * The pages still have the data of their previous users, which users of the pool could read. With
 * init_on_alloc=1 or init_on_free=1 the kernel has cleared them already.
 */
static void pmm_clear_chunk(struct page *pages, unsigned long nr_pages)
{
	unsigned long i;

	if (want_init_on_alloc(GFP_KERNEL) || want_init_on_free())
		return;
	for (i = 0; i < nr_pages; i++) {
		clear_highpage(pages + i);
		cond_resched();
	}
}

/* The pool's references and its mark, by which it knows its pages. */
static void pmm_mark_chunk(struct page *pages, unsigned long nr_pages)
{
	unsigned long i;

	for (i = 0; i < nr_pages; i++) {
		page_ref_add(pages + i, PMM_PAGE_REFS - 1);
		pmm_set_page_flags(pages + i, 0, PMM_PAGE_MARK);
	}
}

/**
 * pmm_chunk_reserve() - take a contiguous run of pages from the kernel
 * @want: how many pages, from which node, and below which physical address
 *
 * The first page frame is aligned to the largest block. All pages are in one node and one zone.
 * Each has PMM_PAGE_REFS references and the pool's mark, and is zeroed. A failure is logged, with
 * the largest size worth trying.
 *
 * Context: Process context; may sleep, even for seconds if many pages have to be migrated.
 * Return: The first page, or NULL.
 */
struct page *pmm_chunk_reserve(const struct pmm_chunk_request *want)
{
	struct pmm_search search = {
		.nr_pages = want->nr_pages,
		.end_limit = want->below ? want->below >> PAGE_SHIFT : ULONG_MAX,
	};
	struct page *pages = NULL;
	unsigned int pass;

	for (pass = 0; !pages && pass < PMM_SEARCHES && !fatal_signal_pending(current); pass++) {
		pmm_settle_pages(0);
		pages = pmm_search_nodes(want, &search);
	}
	if (!pages) {
		pmm_report_no_room(want, &search);
		return NULL;
	}
	pmm_clear_chunk(pages, want->nr_pages);
	pmm_mark_chunk(pages, want->nr_pages);
	return pages;
}

/*
 * Thousands of pages have been freed one by one: drain by a page of the chunk itself. Pages that
 * others still hold may make some of its pageblocks unfit, and a chunk that is smaller than a
 * pageblock has neighbours.
 */
static void pmm_drain_kernel_lists(struct page *pages, unsigned long nr_pages)
{
	unsigned long i, most = min(nr_pages, PMM_DRAIN_TRIES * pageblock_nr_pages);

	for (i = 0; i < most; i += pageblock_nr_pages)
		if (pmm_drain_by(page_to_pfn(pages + i)))
			return;
	pmm_settle_pages(page_zonenum(pages) <= OPT_ZONE_DMA32 ? GFP_DMA32 : 0);
}

/* The pages of a chunk at unload, by their fate. */
struct pmm_farewell {
	unsigned long	run;	/* pages just before this one that go back together */
	unsigned long	held;	/* pages with other holders */
	unsigned long	lost;	/* pages that cannot be proved to be the pool's */
};

/*
 * A page that lacks the mark has been through the kernel's allocator, and may be anybody's now; so
 * may one whose mark can be the swap cache's, which has few references, or is on an LRU list.
 */
static bool pmm_is_ours(struct page *page)
{
	return (pmm_page_flags(page) & PMM_PAGE_MARK) && pmm_page_refs(page) > PMM_PAGE_REFS / 2 &&
	       !PageLRU(page);
}

/*
 * A count below the pool's own says nothing of other holders: what a process maps is left to it.
 */
static bool pmm_may_part_with(struct page *page)
{
	return pmm_is_ours(page) &&
	       (pmm_page_refs(page) >= PMM_PAGE_REFS || !pmm_page_is_mapped(page));
}

/*
 * Leave the page one reference of the pool's, as the kernel gave it. The mark and whatever else was
 * left there goes first, so that the page is clean when that reference is dropped; flags are left
 * to other holders, if there are any.
 */
static void pmm_restore_page(struct page *page)
{
	int refs = pmm_page_refs(page);

	if (refs <= PMM_PAGE_REFS)
		pmm_wipe_page(page);
	page->mapping = NULL;
	set_page_private(page, 0);
	pmm_set_page_flags(page, PMM_PAGE_MARK, 0);
	while (!atomic_try_cmpxchg(&page->_refcount, &refs,
				   max(refs - (PMM_PAGE_REFS - 1), 1)))
		;
}

/* The run of pages that ends before this one goes back. */
static void pmm_end_run(struct page *page, struct pmm_farewell *farewell)
{
	if (farewell->run)
		free_contig_range(page_to_pfn(page) - farewell->run, farewell->run);
	farewell->run = 0;
}

static void pmm_release_page(struct page *page, struct pmm_farewell *farewell)
{
	bool ours = pmm_may_part_with(page);

	if (ours)
		pmm_restore_page(page);
	if (ours && page_count(page) == 1 && !PageHWPoison(page)) {
		farewell->run++;
		return;
	}
	pmm_end_run(page, farewell);
	if (!ours) {
		farewell->lost++;
		return;
	}
	farewell->held += page_count(page) > 1;
	put_page(page);
}

/**
 * pmm_chunk_release() - give the chunk back to the kernel
 * @pages: its first page, from pmm_chunk_reserve()
 * @nr_pages: how many pages it has
 *
 * A page with further references goes back when the last of them is dropped. One that is not the
 * pool's for certain is left alone.
 *
 * Context: Process context; may sleep.
 */
void pmm_chunk_release(struct page *pages, unsigned long nr_pages)
{
	struct pmm_farewell farewell = { };
	unsigned long i;

	for (i = 0; i < nr_pages; i++)
		pmm_release_page(pages + i, &farewell);
	pmm_end_run(pages + i, &farewell);
	pmm_drain_kernel_lists(pages, nr_pages);
	if (farewell.held)
		pr_warn("%lu pages are still referenced: the kernel gets them with their last reference\n",
			farewell.held);
	if (farewell.lost)
		pr_err("%lu pages are missing and were left alone: a user gave them to the kernel's own allocator\n",
		       farewell.lost);
}

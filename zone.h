/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the zone: its structures, the invariant of the pair bit, and the calls that cross a
 * file. The verbs that buddy.c is written in are in block.h.
 */
#ifndef POCKETMM_ZONE_H
#define POCKETMM_ZONE_H

#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>

#include "detour.h"
#include "pocketmm.h"
#include "policy.h"
#include "quarantine.h"

#define PMM_MAX_ORDER_PAGES	(1UL << (PMM_MAX_ORDER - 1))
#define PMM_NONE		ULONG_MAX	/* the index of no block */
#define PMM_BULK_PAGES		128UL	/* pages that move under one lock, at most */
#define PMM_REAP_BLOCKS		64U	/* parked blocks that are checked likewise */
#define PMM_REAP_ATOMIC		1024UL	/* parked pages that a call checks that must not wait */

/*
 * The state byte of a page: its kind in the high nibble, the block's order in the low one. Only a
 * block's first page has a kind; every other page of it is PMM_TAIL.
 */
enum pmm_kind {
	PMM_TAIL,	/* inside a block, or inside blocks merged into one */
	PMM_FREE,	/* on free_list[order], linked by page->lru */
	PMM_USED,	/* handed out by the page API */
	PMM_MAPPED,	/* handed out to an area, which alone may free it */
	PMM_PARKED,	/* freed, but still referenced: on zone->parked, linked by page->lru */
	PMM_PCP,	/* free, on a per-CPU list or on the way to or from one */
	/* Freed, but perhaps no longer the pool's: on no list; without the bit below. */
	PMM_QUARANTINED = 8,
};

#define PMM_STATE(kind, order)	((u8)((kind) << 4 | (order)))
#define PMM_STATE_IN_USE	0x20	/* the bit that PMM_USED and PMM_MAPPED alone have */
#define PMM_STATE_KIND(state)	((enum pmm_kind)((state) >> 4))
#define PMM_STATE_ORDER(state)	((unsigned int)((state) & 0xf))

/**
 * struct pmm_free_area - the free blocks of one order
 * @free_list: free blocks, by page->lru of their first page; LIFO: blocks are taken from the head
 *	and put back at the head
 * @map: the pair-bit map; NULL for the top order, whose blocks have no buddy
 *
 * A pair is a block of this order and its buddy; both share the bit number index >> (1 + order).
 *
 * Invariant of the pair bit: it is 1 when exactly one of the two is on @free_list, and 0 when
 * neither is. Both at once never persists, because then they are merged into one block of the next
 * order. 'Not on this list' is all that the bit knows: a block that is handed out, one that is
 * split and one that is merged upward look the same to it. So the bit flips each time either of the
 * two enters or leaves @free_list, and a free that reads 1 knows that the one on the list is the
 * buddy.
 */
struct pmm_free_area {
	struct list_head	free_list;
	unsigned long		*map;
};

/* Where a freed block has gone, or why the free was refused. */
enum pmm_free_result {
	PMM_FREE_OK,
	PMM_FREE_PARKED,
	PMM_FREE_FOREIGN,
	PMM_FREE_BAD_ORDER,
	PMM_FREE_DOUBLE,
	PMM_FREE_WRONG_ORDER,
	PMM_FREE_MIDDLE,
	PMM_FREE_MAPPED,
	PMM_FREE_QUARANTINED,	/* not a refusal either */
	PMM_NR_FREE_RESULTS,
};

/* Counted under zone->lock since load. */
struct pmm_zone_stat {
	u64	allocations;	/* blocks handed out */
	u64	failures;	/* requests that got none */
	u64	frees;		/* blocks taken back, parked ones when they are recycled */
	u64	splits;		/* a block cut in two */
	u64	merges;		/* two buddies made one */
	u64	parked;		/* frees that had to wait for a reference */
	u64	refused[PMM_NR_FREE_RESULTS];
	u64	quarantined;	/* blocks put into quarantine */
	u64	batches;	/* moves between the free lists and a per-CPU list */
};

struct pmm_debug;
struct pmm_pageblock;
struct pmm_pcp;

/**
 * struct pmm_zone - one contiguous run of pages under a buddy allocator
 * @lock: protects the fields from here to @transit, and page->lru of free and parked pages
 * @free_pages: pages on the free lists
 * @pages_min: pages that only __GFP_HIGH callers (to a quarter) and __GFP_MEMALLOC callers may take
 * @free_area: the free lists and pair-bit maps, by order
 * @state: one byte per page, PMM_STATE()
 * @parked: freed blocks that are still referenced, the one checked longest ago first
 * @nr_parked: pages on @parked; written under @lock, read without it, too
 * @turns: how often blocks have gone to the end of @parked
 * @nr_quarantined: pages in quarantine
 * @strays: reports of quarantine that wait
 * @stat: counters
 * @packed: largest blocks by the largest order that is free in each, the fullest first
 * @transit: pages in state PMM_PCP that are on no list: raised and lowered under @lock or a pcp's
 *	lock, so that a holder of all of them sees it stand still
 * @mem_map: the first page; constant, like all fields below except @detour, @pcp_limit and @pcp
 * @nr_pages: the zone's size; indices run from 0 to @nr_pages - 1
 * @detour: PMM_DETOUR_*; written under @lock, read without it
 * @pcp_limit: @nr_pages while none of PMM_DETOUR_PCP_FREE is set, else 0: one comparison tells that
 *	a page belongs to the zone and that the short cut is open; written and read like @detour
 * @pcp: the per-CPU lists, or NULL
 * @expand: the half that a split hands out
 * @placement: which block is taken; set before pmm_zone_init()
 * @pageblocks: of placement=packed, one per largest block, or NULL
 * @debug: the records of the debug switches, or NULL; set before pmm_zone_init()
 * @pcp_batch: pages that move between @pcp and the free lists at once
 * @pcp_high: pages of one order that a CPU keeps
 * @name: as in buddyinfo
 */
struct pmm_zone {
	spinlock_t		lock;	/* down to @transit, and page->lru of free pages */
	unsigned long		free_pages;
	unsigned long		pages_min;
	struct pmm_free_area	free_area[PMM_MAX_ORDER];
	u8			*state;
	struct list_head	parked;
	unsigned long		nr_parked;
	u64			turns;
	unsigned long		nr_quarantined;
	struct pmm_strays	strays;
	struct pmm_zone_stat	stat;
	struct rb_root_cached	packed[PMM_MAX_ORDER];
	atomic_long_t		transit;

	struct page		*mem_map ____cacheline_aligned_in_smp;
	unsigned long		nr_pages;
	u8			detour;
	unsigned long		pcp_limit;
	struct pmm_pcp __percpu	*pcp;
	enum pmm_expand		expand;
	const struct pmm_placement_ops *placement;
	struct pmm_pageblock	*pageblocks;
	struct pmm_debug	*debug;
	unsigned int		pcp_batch;
	unsigned int		pcp_high;
	const char		*name;
};

/* @nr consecutive blocks of order @order that were cut from one block of order @high. */
struct pmm_block_run {
	unsigned long	index;	/* the lowest page */
	unsigned long	nr;
	unsigned int	order;
	unsigned int	high;
};

/* buddy.c */
unsigned int __pmm_take_picked(struct pmm_zone *zone, unsigned int order, unsigned int most,
			       unsigned long *index);
unsigned int __pmm_take_first(struct pmm_zone *zone, unsigned int low, unsigned int most,
			      unsigned long *index);
bool __pmm_take_block(struct pmm_zone *zone, unsigned long *index, unsigned int low,
		      unsigned int high);
unsigned int __pmm_put_block(struct pmm_zone *zone, unsigned long index, unsigned int order);
struct page *pmm_zone_try_alloc(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
				enum pmm_kind kind, unsigned long caller);
struct page *pmm_zone_alloc(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
			    enum pmm_kind kind, unsigned long caller);
struct page *pmm_zone_alloc_page(struct pmm_zone *zone, gfp_t gfp, enum pmm_kind kind,
				 unsigned long caller);
enum pmm_free_result pmm_zone_free(struct pmm_zone *zone, struct page *page, unsigned int order,
				   enum pmm_kind kind, unsigned long caller);
enum pmm_free_result pmm_zone_free_page(struct pmm_zone *zone, struct page *page,
					enum pmm_kind kind, unsigned long caller);

/* bulk.c */
unsigned long __pmm_take_run(struct pmm_zone *zone, unsigned int order, unsigned long nr,
			     struct pmm_block_run *run);
unsigned long pmm_zone_alloc_bulk(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
				  enum pmm_kind kind, unsigned long caller, unsigned long nr,
				  struct page **pages);

/* bulk_free.c */
void __pmm_free_block(struct pmm_zone *zone, unsigned long index, unsigned int order);
void __pmm_free_run(struct pmm_zone *zone, struct pmm_block_run run, enum pmm_kind kind,
		    unsigned long caller);
void pmm_zone_free_bulk(struct pmm_zone *zone, unsigned long nr, struct page **pages,
			enum pmm_kind kind, unsigned long caller);
void pmm_zone_break(struct pmm_zone *zone, struct page *page, unsigned int order,
		    unsigned long caller);

/* zone.c */
int pmm_zone_init(struct pmm_zone *zone, struct page *mem_map, unsigned long nr_pages);
void pmm_zone_destroy(struct pmm_zone *zone);
void __pmm_retune(struct pmm_zone *zone);
void pmm_zone_retune(struct pmm_zone *zone);

/* parked.c */
void __pmm_park(struct pmm_zone *zone, unsigned long index, unsigned int order);
unsigned long __pmm_reap(struct pmm_zone *zone, unsigned long *left);
void __pmm_reap_some(struct pmm_zone *zone, unsigned long taken);
unsigned long pmm_zone_reap_piece(struct pmm_zone *zone, unsigned long *left);
unsigned long pmm_zone_reap_most(struct pmm_zone *zone, unsigned long most);
unsigned long pmm_zone_reap(struct pmm_zone *zone);
void pmm_zone_recycle(struct pmm_zone *zone, struct page **pages, unsigned long nr);

/* host/reaper.c */
void pmm_reap_later(struct pmm_zone *zone);
void pmm_reaper_stop(void);

/* quarantine.c */
void pmm_clean_block(struct page *page, unsigned int order);
void pmm_clear_block(struct page *page, unsigned int order);
void __pmm_quarantine(struct pmm_zone *zone, unsigned long index, unsigned int order,
		      unsigned long freed);
enum pmm_free_result __pmm_free_unclean(struct pmm_zone *zone, unsigned long index,
					unsigned int order, enum pmm_kind kind,
					unsigned long caller);
struct page *pmm_zone_alloc_another(struct pmm_zone *zone, struct page *page, gfp_t gfp,
				    enum pmm_kind kind, unsigned long caller);
void pmm_report_quarantined(struct pmm_zone *zone);

/* watch/count.c */
void pmm_zone_count_free(struct pmm_zone *zone, unsigned long *nr_free);
unsigned long pmm_nr_states(const struct pmm_zone *zone);
unsigned long pmm_zone_map_bytes(const struct pmm_zone *zone);
unsigned long pmm_zone_metadata(const struct pmm_zone *zone);

/* misuse.c */
unsigned long pmm_head_of(const struct pmm_zone *zone, unsigned long index);
enum pmm_free_result __pmm_misuse(const struct pmm_zone *zone, unsigned long index,
				  unsigned int order, enum pmm_kind kind);
enum pmm_free_result pmm_refuse_free(struct pmm_zone *zone, const struct page *page,
				     unsigned int order, enum pmm_free_result result,
				     unsigned long caller);
enum pmm_free_result pmm_refuse_foreign(struct pmm_zone *zone, const char *what, const void *addr,
					unsigned int order, unsigned long caller);
const char *pmm_free_why(enum pmm_free_result result);
int pmm_free_errno(enum pmm_free_result result);

#endif /* POCKETMM_ZONE_H */

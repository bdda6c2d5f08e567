/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the zone: its structures, the invariant of the pair bit, and what crosses a file.
 */
#ifndef POCKETMM_ZONE_H
#define POCKETMM_ZONE_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>

#include "pocketmm.h"

#define PMM_MAX_ORDER_PAGES	(1UL << (PMM_MAX_ORDER - 1))
#define PMM_NONE		ULONG_MAX	/* the index of no block */
#define PMM_BULK_PAGES		128UL	/* at most so many are moved under one lock */

/* --- buddy.c: the zone ------------------------------------------------------------------------ */

/*
 * What a page's state byte says, in its high nibble; the low nibble is the block's order. Only a
 * block's first page has a kind: every other page of it is PMM_TAIL.
 */
enum pmm_kind {
	PMM_TAIL,	/* inside a block, or inside what was merged into one */
	PMM_FREE,	/* on free_list[order], linked by page->lru */
	PMM_USED,	/* handed out by the page API */
	PMM_MAPPED,	/* handed out to an area, which alone may free it */
	PMM_PARKED,	/* freed, but still referenced: on zone->parked, linked by page->lru */
	PMM_PCP,	/* free, on a per-CPU list; or under way between one and the free lists */
};

#define PMM_STATE(kind, order)	((u8)((kind) << 4 | (order)))
#define PMM_STATE_KIND(state)	((enum pmm_kind)((state) >> 4))
#define PMM_STATE_ORDER(state)	((unsigned int)((state) & 0xf))

/**
 * struct pmm_free_area - the free blocks of one order
 * @free_list: free blocks by page->lru of their first page; LIFO: taken from and put back at the
 *	head
 * @map: the pair-bit map; NULL for the top order, whose blocks have no buddy
 *
 * A pair is a block of this order and its buddy; both share the bit number index >> (1 + order).
 *
 * Invariant of the pair bit: it is 1 when exactly one of the two is on @free_list, and 0 when
 * neither is. Both at once never persists, for then they are merged into one block of the next
 * order. 'Not on this list' is all that the bit knows: handed out, split into smaller blocks and
 * merged upward look the same to it. So the bit flips each time that either of the two enters or
 * leaves @free_list, and a free that reads 1 knows that the one that is there is the buddy.
 */
struct pmm_free_area {
	struct list_head	free_list;
	unsigned long		*map;
};

/* Which half of a split block is handed out: the upper in 2.4, the lower in 2.6.28. */
enum pmm_expand {
	PMM_EXPAND_UPPER,
	PMM_EXPAND_LOWER,
};

/* Which of the free blocks that fit is taken. */
enum pmm_placement {
	PMM_PLACE_LIFO,		/* the book's: the one freed last of the smallest that fit */
	PMM_PLACE_PACKED,	/* one in the fullest largest block, so that others stay whole */
};

/* Why a free was refused; PMM_FREE_OK and PMM_FREE_PARKED are no refusals. */
enum pmm_free_result {
	PMM_FREE_OK,
	PMM_FREE_PARKED,
	PMM_FREE_FOREIGN,
	PMM_FREE_BAD_ORDER,
	PMM_FREE_DOUBLE,
	PMM_FREE_WRONG_ORDER,
	PMM_FREE_MIDDLE,
	PMM_FREE_MAPPED,
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
};

/* --- pcp.c: per-CPU lists --- */

/*
 * Orders 0..6 have them: a block of order 6 is a batch of pages, and a larger one would be too much
 * to keep from others. (The kernel's have orders 0..3 and huge pages, since 5.14.)
 *
 * A batch of single pages is an aligned run for as long as there is one, and the state bytes of its
 * pages fill a cache line: so CPUs that allocate and free do not share one.
 */
#define PMM_PCP_ORDERS		7
#define PMM_PCP_BATCH		64U	/* pages; less in a small zone */
#define PMM_PCP_HIGH		(3 * PMM_PCP_BATCH)

/**
 * struct pmm_pcp - the per-CPU lists of one CPU
 * @lock: bit 0 is held with preemption off; its CPU only tries, so an allocation never spins here
 * @nr: length of each list, by order
 * @refilled: blocks that came from the zone into the lists
 * @flushed: blocks that went back
 * @frees: blocks that were freed into the lists; so @refilled + @frees - @flushed and less what is
 *	there were handed out
 * @index: the lists, by page index, each oldest first; the newest is taken, for its cache lines are
 *	warm, and the oldest go back. PMM_PCP_HIGH are for order 0, half as many for each next order
 */
struct pmm_pcp {
	unsigned long	lock;	/* bit 0: the rest */
	unsigned int	nr[PMM_PCP_ORDERS];
	u64		refilled;
	u64		flushed;
	u64		frees;
	u32		index[2 * PMM_PCP_HIGH - (PMM_PCP_HIGH >> (PMM_PCP_ORDERS - 1))];
};

/**
 * struct pmm_pageblock - how full a largest block is, for placement=packed; packed.c
 * @node: in packed[@max_order], by @nr_free and then by address
 * @nr_free: pages of it that are on free lists
 * @max_order: the largest order of those, or -1: then it is in no tree
 */
struct pmm_pageblock {
	struct rb_node	node;
	unsigned short	nr_free;
	signed char	max_order;
};

/**
 * struct pmm_zone - one contiguous run of pages under a buddy allocator
 * @lock: protects all that follows, and page->lru of free and parked pages
 * @free_pages: pages on the free lists
 * @pages_min: pages that only __GFP_HIGH callers (to a quarter) and __GFP_MEMALLOC callers may take
 * @free_area: the free lists and pair-bit maps, by order
 * @state: a byte a page, PMM_STATE()
 * @parked: freed blocks that somebody still references, oldest first
 * @nr_parked: pages on @parked
 * @stat: counters
 * @packed: largest blocks by the largest order that is free in each, the fullest first
 * @transit: pages in state PMM_PCP that are on no list: raised and lowered under @lock or a pcp's
 *	lock, so that who holds all of them sees it still
 * @mem_map: the first page; constant, as all below
 * @nr_pages: the zone's size; indices run from 0 to @nr_pages - 1
 * @expand: the half that a split hands out
 * @placement: which block is taken; set before pmm_zone_init()
 * @pageblocks: one a largest block; NULL unless @placement is PMM_PLACE_PACKED
 * @debug: what the debug switches keep, or NULL; set before pmm_zone_init()
 * @plain: neither of the two, and nothing is traced: single pages come and go by the shortest way.
 *	Written under @lock, read without, as the next but one and the one after that
 * @pcp: the per-CPU lists, or NULL
 * @pcp_quick: there are such lists, no watermark to be looked at first, and nothing is traced
 * @pcp_limit: @nr_pages while a free may end in them without a look at the zone: there are such
 *	lists, nothing is parked, and nothing is traced; else 0
 * @pcp_batch: pages that move between @pcp and the free lists at once
 * @pcp_high: pages of one order that a CPU keeps
 * @name: as in buddyinfo
 */
struct pmm_zone {
	spinlock_t		lock;	/* the rest, down to @stat, and page->lru of free pages */
	unsigned long		free_pages;
	unsigned long		pages_min;
	struct pmm_free_area	free_area[PMM_MAX_ORDER];
	u8			*state;
	struct list_head	parked;
	unsigned long		nr_parked;
	struct pmm_zone_stat	stat;
	struct rb_root_cached	packed[PMM_MAX_ORDER];
	atomic_long_t		transit;

	struct page		*mem_map ____cacheline_aligned_in_smp;
	unsigned long		nr_pages;
	enum pmm_expand		expand;
	enum pmm_placement	placement;
	struct pmm_pageblock	*pageblocks;
	struct pmm_debug	*debug;
	bool			plain;
	struct pmm_pcp __percpu	*pcp;
	bool			pcp_quick;
	unsigned long		pcp_limit;
	unsigned int		pcp_batch;
	unsigned int		pcp_high;
	const char		*name;
};

int pmm_zone_init(struct pmm_zone *zone, struct page *mem_map, unsigned long nr_pages);
void pmm_zone_destroy(struct pmm_zone *zone);
void pmm_zone_retune(struct pmm_zone *zone);
void pmm_zone_count_free(const struct pmm_zone *zone, unsigned long *nr_free);
unsigned long pmm_zone_map_bytes(const struct pmm_zone *zone);
unsigned long pmm_zone_metadata(const struct pmm_zone *zone);
unsigned long pmm_nr_states(const struct pmm_zone *zone);
struct page *pmm_zone_alloc(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
			    enum pmm_kind kind, unsigned long caller);
struct page *pmm_zone_alloc_page(struct pmm_zone *zone, gfp_t gfp, enum pmm_kind kind,
				 unsigned long caller);
enum pmm_free_result pmm_zone_free(struct pmm_zone *zone, struct page *page, unsigned int order,
				   enum pmm_kind kind, unsigned long caller);
enum pmm_free_result pmm_zone_free_page(struct pmm_zone *zone, struct page *page,
					enum pmm_kind kind, unsigned long caller);
enum pmm_free_result pmm_refuse_foreign(struct pmm_zone *zone, const char *what, const void *addr,
					unsigned int order, unsigned long caller);
unsigned long pmm_zone_alloc_bulk(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
				  enum pmm_kind kind, unsigned long caller, unsigned long nr,
				  struct page **pages);
void pmm_zone_break(struct pmm_zone *zone, struct page *page, unsigned int order,
		    unsigned long caller);
void pmm_zone_free_bulk(struct pmm_zone *zone, unsigned long nr, struct page **pages,
			enum pmm_kind kind, unsigned long caller);
void pmm_zone_put_back(struct pmm_zone *zone, const u32 *indices, unsigned int nr,
		       unsigned int order);
unsigned long pmm_zone_reap(struct pmm_zone *zone);
const char *pmm_free_why(enum pmm_free_result result);
int pmm_free_errno(enum pmm_free_result result);

static inline unsigned long pmm_page_index(const struct pmm_zone *zone, const struct page *page)
{
	return page - zone->mem_map;
}

static inline bool pmm_page_in_zone(const struct pmm_zone *zone, const struct page *page)
{
	return pmm_page_index(zone, page) < zone->nr_pages;
}

/* What must be left on the free lists after an allocation with these flags. */
static inline unsigned long pmm_reserve_for(const struct pmm_zone *zone, gfp_t gfp)
{
	if ((gfp & __GFP_MEMALLOC) && !(gfp & __GFP_NOMEMALLOC))
		return 0;
	if (gfp & __GFP_HIGH)
		return zone->pages_min / 4;
	return zone->pages_min;
}

/*
 * Pairs of blocks of this order that begin inside the zone; the last may lack its upper half, or
 * part of both.
 */
static inline unsigned long pmm_nr_pairs(const struct pmm_zone *zone, unsigned int order)
{
	return DIV_ROUND_UP(zone->nr_pages, 2UL << order);
}

/*
 * Who got a block, or who freed it, is kept in page->index of its first page: the kernel uses that
 * field only for pages of a file or of anonymous memory, which these never are. A client that
 * writes there loses nothing but its name in the reports.
 */
static inline void pmm_set_page_caller(struct page *page, unsigned long caller)
{
	WRITE_ONCE(page->index, caller);
}

static inline unsigned long pmm_page_caller(const struct page *page)
{
	return READ_ONCE(page->index);
}

/* packed.c */
int pmm_packed_init(struct pmm_zone *zone);
void pmm_packed_destroy(struct pmm_zone *zone);
unsigned long pmm_packed_pick(struct pmm_zone *zone, unsigned int order);
void pmm_packed_update(struct pmm_zone *zone, unsigned long index, long freed);

/* pcp.c; the fast paths are in pcp.h */
struct pmm_pcp_count {
	unsigned long	pages;
	u64		allocations;
	u64		frees;
};

int pmm_pcp_init(struct pmm_zone *zone);
void pmm_pcp_destroy(struct pmm_zone *zone);
struct page *pmm_pcp_refill(struct pmm_zone *zone, gfp_t gfp, unsigned int order,
			    enum pmm_kind kind, unsigned long caller);
struct page *pmm_pcp_alloc_traced(struct pmm_zone *zone, unsigned int order, enum pmm_kind kind,
				  gfp_t gfp, unsigned long caller);
bool pmm_pcp_free_traced(struct pmm_zone *zone, struct page *page, unsigned int order,
			 enum pmm_kind kind, unsigned long caller);
unsigned long pmm_pcp_alloc_many_traced(struct pmm_zone *zone, enum pmm_kind kind, gfp_t gfp,
					unsigned long caller, unsigned long nr,
					struct page **pages);
unsigned long pmm_pcp_free_many_traced(struct pmm_zone *zone, enum pmm_kind kind,
				       unsigned long caller, unsigned long nr, struct page **pages);
bool pmm_pcp_flush(struct pmm_zone *zone, unsigned int order);
void pmm_pcp_drain(struct pmm_zone *zone);
bool pmm_pcp_look_again(unsigned int *looks);
void pmm_pcp_drain_cpu(struct pmm_zone *zone, unsigned int cpu);
void pmm_zone_hold(struct pmm_zone *zone, unsigned long *flags);
void pmm_zone_release(struct pmm_zone *zone, unsigned long flags);
void pmm_pcp_count(struct pmm_zone *zone, struct pmm_pcp_count *count);
unsigned int pmm_pcp_used(struct pmm_zone *zone, unsigned int cpu);

#endif /* POCKETMM_ZONE_H */

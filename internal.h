/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: structures and prototypes that cross a file, and the lock order.
 *
 * This is also the seam for the user-space tests: buddy.c, pcp.c, packed.c, vmlist.c, verify.c and
 * parse.c include hardly more than this file, and what it includes is all that
 * selftests/unit/include has to stand in for.
 *
 * Lock order, outermost first:
 *
 *	mmap_lock		the kernel's, when a user mapping comes or goes; not together with
 *				the next
 *	pmm_command_lock	one writer of debugfs' command at a time, and what commands hold
 *	    vmlist->lock	the vm_struct list and the state of each area; process context,
 *				never held over a flush
 *	      zone->lock	the buddy allocator; any context, interrupts off
 *		pcp->lock	a bit a CPU, preemption off: the per-CPU lists (pcp.c). Who
 *				holds one takes no other lock; only verify and stats take all of
 *				them, inside zone->lock, which they give back when that takes
 *				long
 *
 * Nothing is printed, allocated or copied to user space under the spinlocks; but owner=1 saves a
 * stack under zone->lock, for which the kernel may need a page at once.
 */
#ifndef POCKETMM_INTERNAL_H
#define POCKETMM_INTERNAL_H

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "debug.h"
#include "fault.h"
#include "pocketmm.h"
#include "tracing.h"

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

/* --- vmlist.c: the address-ordered vm_struct list --------------------------------------------- */

enum pmm_area_state {
	PMM_AREA_NEW,	/* listed, being mapped by whoever asked for it */
	PMM_AREA_LIVE,	/* its owner may map, read and free it */
	PMM_AREA_DYING,	/* being unmapped; its addresses are not free before the flush */
	PMM_AREA_LAZY,	/* one or more freed areas, unmapped; the addresses wait for a flush */
	PMM_AREA_PURGED, /* likewise, while the flush is under way */
};

/**
 * struct pmm_area - a vm_struct and what else is to know of it; protected by vmlist->lock
 * @vm: the public record; first, so that kfree() of it frees the whole
 * @state: where in its life the area is
 * @orphan: freed by its owner, alive only for the sake of user mappings
 * @users: the owner, and each user mapping
 * @prev: the area with the next lower address
 * @node: in vmlist->tree; by address
 * @gap: bytes of the hole below the area; kept with search=tree only, as @max_gap
 * @max_gap: the largest @gap in the area's subtree
 * @waiting: in vmlist->lazy, while @state is PMM_AREA_LAZY
 * @foreign: some of vm.pages are not of the pool
 * @nr_huge: 2 MiB entries that map it
 * @nr_slots: length of @slots
 * @slots: room for vm.pages, so that a small area takes one allocation
 */
struct pmm_area {
	struct pmm_vm_struct	vm;
	enum pmm_area_state	state;
	bool			orphan;
	bool			foreign;
	unsigned long		users;
	struct pmm_vm_struct	*prev;
	struct rb_node		node;
	unsigned long		gap;
	unsigned long		max_gap;
	struct list_head	waiting;
	unsigned int		nr_huge;
	unsigned int		nr_slots;
	struct page		*slots[];
};

/* Besides PMM_VM_*: an area of vm_map_ram()'s, which cuts mappings from it. */
#define PMM_VM_RAM	0x80000000UL

/* And with redzone=1, above all flags: bytes of the last page that were not asked for. */
#define PMM_VM_SLACK_SHIFT	32

/* More pages than this have an array of their own. */
#define PMM_MAX_SLOTS	128U

/**
 * struct pmm_area_request - what pmm_vmlist_reserve() is asked for
 * @size: bytes, rounded up to pages; one guard page is added
 * @align: of the address: a power of two, PAGE_SIZE or more
 * @flags: PMM_VM_*
 * @nr_slots: pages that the record is to have room for, at most PMM_MAX_SLOTS
 * @gfp: for the record itself
 * @caller: who asks
 */
struct pmm_area_request {
	unsigned long	size;
	unsigned long	align;
	unsigned long	flags;
	unsigned int	nr_slots;
	gfp_t		gfp;
	const void	*caller;
};

/**
 * struct pmm_vmlist - a window of addresses and the areas in it
 * @lock: protects the list, and each area's state
 * @head: the area with the lowest address
 * @tail: the area with the highest
 * @top: @tail, while it is not in @tree, and then there is no hole below it; else NULL
 * @nr_areas: length of the list
 * @spare: a record for the next area, so that a free and an allocation need not go through
 *	kfree() and kmalloc(); exchanged atomically
 * @lazy: areas in state PMM_AREA_LAZY
 * @nr_lazy: areas in that state or in PMM_AREA_PURGED
 * @lazy_bytes: what they keep from being used, guard pages included
 * @search_tree: search=tree: @tree holds every area but @top, and holes are found by it; set before
 *	use
 * @tree: the areas by address, augmented with the largest hole in each subtree
 * @nr_stale: deferred frees that a new area at their address made void
 * @deferred: a bit a page where a free was asked for in atomic context; set without the lock,
 *	cleared under it; NULL when nobody defers
 * @start: first address; constant, as @end
 * @end: first address behind the window
 */
struct pmm_vmlist {
	spinlock_t		lock;	/* the list, and each area's state */
	struct pmm_vm_struct	*head;
	struct pmm_vm_struct	*tail;
	struct pmm_area		*top;
	unsigned long		nr_areas;
	struct pmm_area		*spare;
	struct list_head	lazy;
	unsigned long		nr_lazy;
	unsigned long		lazy_bytes;
	bool			search_tree;
	struct rb_root		tree;
	unsigned long		nr_stale;
	unsigned long		*deferred;
	unsigned long		start;
	unsigned long		end;
};

/* What became of a request to take an area down. */
enum pmm_detach_result {
	PMM_DETACH_OK,		/* the caller takes it down */
	PMM_DETACH_LATER,	/* the last user mapping will */
	PMM_DETACH_NONE,	/* nothing was to be done */
	PMM_DETACH_BAD_ADDRESS,
	PMM_DETACH_NONEXISTENT,
	PMM_DETACH_WRONG_TYPE,
	PMM_NR_DETACH_RESULTS,
};

static inline struct pmm_area *pmm_area(const struct pmm_vm_struct *vm)
{
	return container_of((struct pmm_vm_struct *)vm, struct pmm_area, vm);
}

/* Bytes of the area that are meant to be mapped: all but the guard page. */
static inline unsigned long pmm_area_bytes(const struct pmm_vm_struct *vm)
{
	return vm->size - PAGE_SIZE;
}

/* Bytes behind those that were asked for, which nobody may write to: with redzone=1 only. */
static inline unsigned long pmm_area_slack(const struct pmm_vm_struct *vm)
{
	return vm->flags >> PMM_VM_SLACK_SHIFT;
}

/* Freed, but its addresses are not free yet. */
static inline bool pmm_area_waits(const struct pmm_area *area)
{
	return area->state == PMM_AREA_LAZY || area->state == PMM_AREA_PURGED;
}

void pmm_vmlist_init(struct pmm_vmlist *list, unsigned long start, unsigned long size);
void pmm_vmlist_destroy(struct pmm_vmlist *list);
struct pmm_vm_struct *pmm_vmlist_get(struct pmm_vmlist *list, unsigned long size,
				     unsigned long flags, gfp_t gfp, const void *caller);
struct pmm_vm_struct *pmm_vmlist_reserve(struct pmm_vmlist *list,
					 const struct pmm_area_request *want);
void pmm_vmlist_retire(struct pmm_vmlist *list, struct pmm_vm_struct *vm);
bool pmm_vmlist_purge_begin(struct pmm_vmlist *list, struct list_head *purged);
void pmm_vmlist_purge_end(struct pmm_vmlist *list, struct list_head *purged);
struct pmm_vm_struct *pmm_vmlist_find(struct pmm_vmlist *list, const void *addr);
enum pmm_detach_result pmm_vmlist_defer(struct pmm_vmlist *list, const void *addr);
enum pmm_detach_result pmm_vmlist_detach_deferred(struct pmm_vmlist *list, const void *addr,
						  unsigned long type, struct pmm_vm_struct **vmp);
bool pmm_vmlist_copy(struct pmm_vmlist *list, const void *addr, struct pmm_vm_struct *copy);
enum pmm_detach_result pmm_vmlist_detach(struct pmm_vmlist *list, const void *addr,
					 unsigned long type, struct pmm_vm_struct **vmp);
void pmm_vmlist_unlink(struct pmm_vmlist *list, struct pmm_vm_struct *vm);
struct pmm_vm_struct *pmm_vmlist_hold(struct pmm_vmlist *list, const void *addr);
void pmm_vmlist_hold_again(struct pmm_vmlist *list, struct pmm_vm_struct *vm);
bool pmm_vmlist_drop(struct pmm_vmlist *list, struct pmm_vm_struct *vm);
void __pmm_vmlist_settle(struct pmm_vmlist *list);
struct pmm_area *__pmm_vmlist_find_area(struct pmm_vmlist *list, const void *addr);
struct pmm_area *__pmm_vmlist_absorbed(struct pmm_vmlist *list, struct pmm_area *area);

/**
 * pmm_vmlist_set_pages() - record which pages an area maps
 * @list: the window
 * @vm: the area, in state PMM_AREA_NEW
 * @pages: the array, the area's from here on
 * @nr_pages: its length
 *
 * Context: Process context; nobody else looks at the pages of such an area.
 */
static inline void pmm_vmlist_set_pages(struct pmm_vmlist *list, struct pmm_vm_struct *vm,
					struct page **pages, unsigned int nr_pages)
{
	WRITE_ONCE(vm->pages, pages);
	WRITE_ONCE(vm->nr_pages, nr_pages);
}

/**
 * pmm_vmlist_publish() - the area is mapped: from here on others may read, map and free it
 * @list: the window
 * @vm: the area, in state PMM_AREA_NEW
 *
 * Context: Process context.
 */
static inline void pmm_vmlist_publish(struct pmm_vmlist *list, struct pmm_vm_struct *vm)
{
	if (pmm_tracing())
		pmm_trace_area(list, vm);
	/* Who sees it live must see its pages and its entries. */
	smp_store_release(&pmm_area(vm)->state, PMM_AREA_LIVE);
}

/* --- verify.c: every invariant, recomputed ---------------------------------------------------- */

/* What a walk counted, and the first violation it met: @why is empty when all is well. */
struct pmm_verdict {
	unsigned long	blocks;
	unsigned long	free_blocks;
	unsigned long	used_blocks;
	unsigned long	parked_blocks;
	unsigned long	pcp_blocks;
	unsigned long	pairs;
	unsigned long	areas;
	unsigned long	mapped;
	char		why[160];
};

bool pmm_zone_verify(struct pmm_zone *zone, struct pmm_verdict *v);
bool pmm_vmlist_verify(struct pmm_vmlist *list, struct pmm_verdict *v);

/* --- parse.c: numbers and sizes as users write them ------------------------------------------- */

int pmm_parse_number(const char *text, u64 *value);
int pmm_parse_size(const char *text, u64 *bytes);

/* --- the module's own state and the files that only a kernel can run -------------------------- */

struct dentry;
struct seq_file;

extern struct pmm_zone pmm_zone;	/* page_alloc.c */
int pmm_page_alloc_init(bool pcp);
void pmm_page_alloc_exit(void);
extern struct pmm_vmlist pmm_vmlist;	/* vmalloc.c */

/* chunk.c */
struct pmm_chunk_request {
	unsigned long	nr_pages;
	int		node;		/* or NUMA_NO_NODE */
	u64		below;		/* physical address, or 0 */
};

struct page *pmm_chunk_reserve(const struct pmm_chunk_request *want);
void pmm_chunk_release(struct page *pages, unsigned long nr_pages);

/* page_alloc.c */
struct page *pmm_alloc_page_as(gfp_t gfp, enum pmm_kind kind, unsigned long caller);
enum pmm_free_result pmm_free_pages_from(struct page *page, unsigned int order, enum pmm_kind kind,
					 unsigned long caller);

/* map_ram.c */
int pmm_map_ram_init(void);
void pmm_map_ram_exit(void);
bool pmm_map_ram_purge_begin(void);
void pmm_map_ram_purge_end(void);

/* vmalloc.c */
int pmm_vmalloc_init(bool search_tree, bool bulk, bool redzone);
long pmm_redzone_errors(void);
struct pmm_vm_struct *pmm_reserve_area(const struct pmm_area_request *want);
void pmm_refuse(enum pmm_detach_result result, const void *addr, unsigned long type,
		const void *caller);
void pmm_vmalloc_exit(void);
void *pmm_vmalloc_for(unsigned long size, gfp_t gfp, pgprot_t prot, unsigned long flags,
		      const void *caller);
void *pmm_vmap_for(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot,
		   const void *caller);
enum pmm_detach_result pmm_take_down(const void *addr, unsigned long type, const void *caller);
const char *pmm_detach_why(enum pmm_detach_result result);
int pmm_detach_errno(enum pmm_detach_result result);
u64 pmm_vmalloc_refused(void);
bool pmm_window_verify(struct pmm_verdict *v);

/* ioremap.c */
void __iomem *pmm_ioremap_for(phys_addr_t phys, unsigned long size, const void *caller);

/* debugfs.c, extfrag.c, command.c, mem.c, leaks.c */
void pmm_debugfs_init(void);
void pmm_debugfs_exit(void);
extern const struct file_operations pmm_command_fops;
extern const struct file_operations pmm_mem_fops;
int pmm_result_show(struct seq_file *m, void *unused);
int pmm_unusable_show(struct seq_file *m, void *unused);
int pmm_extfrag_show(struct seq_file *m, void *unused);
void pmm_command_exit(void);
void pmm_report_leaks(void);

#endif /* POCKETMM_INTERNAL_H */

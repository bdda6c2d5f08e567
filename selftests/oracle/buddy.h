/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm selftests: the oracle of the buddy allocator.
 *
 * Written from the description in 'Understanding the Linux Virtual Memory Manager', chapter 6, and
 * not from the module. The zone is divided into blocks, each aligned to its size: free, handed out,
 * or parked. A block that is freed is joined with its buddy while that is a free block of the same
 * order. There are no pair bits; they can be computed. Plain C11, for user space: the unit tier,
 * the fuzzers and the tests in the virtual machine all ask this oracle.
 *
 * The choice of a block (oracle_buddy_choose()) is apart from taking it (oracle_buddy_take()), so
 * that a test can also follow an allocator whose choice it does not predict, such as one with
 * per-CPU lists: which requests can be met does not depend on the choice.
 */
#ifndef ORACLE_BUDDY_H
#define ORACLE_BUDDY_H

#include <stdbool.h>

#define ORACLE_ORDERS	10
#define ORACLE_TOP	(ORACLE_ORDERS - 1)
#define ORACLE_LARGEST	512L	/* pages of a largest block */
#define ORACLE_NONE	(-1L)

/* The state of a page: the first of a block of some kind, or inside a block. */
enum oracle_kind { ORACLE_INSIDE, ORACLE_FREE, ORACLE_USED, ORACLE_MAPPED, ORACLE_PARKED };

#define ORACLE_LABEL(kind, order)	((kind) << 4 | (order))

/* The answer to a free. */
enum oracle_free {
	ORACLE_FREE_OK,
	ORACLE_FREE_PARKED,		/* a page of it is still referenced */
	ORACLE_FREE_FOREIGN,		/* no page of the zone */
	ORACLE_FREE_BAD_ORDER,		/* no block of this order can begin there */
	ORACLE_FREE_DOUBLE,		/* not handed out */
	ORACLE_FREE_MIDDLE,		/* inside a block */
	ORACLE_FREE_MAPPED,		/* in use by an area */
	ORACLE_FREE_WRONG_ORDER,	/* another order or kind than it was handed out with */
	ORACLE_NR_FREE,
};

/* Blocks by page number; the head is the one that went on last. */
struct oracle_list {
	long	head, tail;
	long	nr;
};

struct oracle_buddy {
	long			nr_pages, nr_free, nr_parked;	/* pages */
	long			pages_min;	/* the watermark */
	bool			lower;		/* a split hands out the lower half, as 2.6.28 */
	bool			packed;		/* from the fullest largest block, not LIFO */
	struct oracle_list	list[ORACLE_ORDERS];
	struct oracle_list	parked;		/* the oldest is the tail */
	long			*next, *prev;	/* towards the tail, towards the head */
	unsigned char		*label;		/* by page, to the end of the last largest block */
	unsigned int		*references;	/* by page, beside the allocator's own */
	unsigned int		changed;	/* orders whose list did; the test clears it */

	/* Splits of a block of this order, and merges into one. */
	unsigned long long	splits[ORACLE_ORDERS], merges[ORACLE_ORDERS];
	unsigned long		ties;		/* equally full largest blocks that were met */
};

/* A largest block as placement=packed sees it. */
struct oracle_group {
	long	nr_free;
	long	lowest[ORACLE_ORDERS];	/* by order, the lowest free block, or ORACLE_NONE */
};

/* All pages are freed singly in ascending order, as 2.4's boot does. Nothing is counted yet. */
void oracle_buddy_init(struct oracle_buddy *b, long nr_pages, bool lower, bool packed);
void oracle_buddy_exit(struct oracle_buddy *b);

static inline enum oracle_kind oracle_kind(const struct oracle_buddy *b, long page)
{
	return b->label[page] >> 4;
}

static inline int oracle_order(const struct oracle_buddy *b, long page)
{
	return b->label[page] & 0xf;
}

/* The first page of the block that this page is part of. */
long oracle_buddy_block(const struct oracle_buddy *b, long page);

/* Whether this is an aligned block inside the zone with all its pages free. */
bool oracle_buddy_is_free(const struct oracle_buddy *b, long page, int order);

/* How many blocks of this order could be handed out one after the other. */
long oracle_buddy_available(const struct oracle_buddy *b, int order);

/* The pages that a request has to leave free. */
long oracle_buddy_reserve(const struct oracle_buddy *b, bool high, bool memalloc);

/* The smallest order that is not below @order and has a free block; ORACLE_ORDERS for none. */
int oracle_buddy_smallest(const struct oracle_buddy *b, int order);

/* Whether a request can be met, apart from what is parked. */
bool oracle_buddy_fits(const struct oracle_buddy *b, long reserve, int order);

/* The part of a free block that a split down to @order ends with. */
long oracle_buddy_end(const struct oracle_buddy *b, long block, int order);

/* The block that the book's allocator, or placement=packed, hands out; or ORACLE_NONE. */
long oracle_buddy_choose(struct oracle_buddy *b, int order);

/* Hands out this block, which has to be free: the rest of what it is split off stays free. */
void oracle_buddy_take(struct oracle_buddy *b, long page, int order, enum oracle_kind kind);

/* Chooses and takes a block that fits; or ORACLE_NONE. */
long oracle_buddy_alloc(struct oracle_buddy *b, long reserve, int order, enum oracle_kind kind);

/* Makes single pages of a block that is handed out. */
void oracle_buddy_break(struct oracle_buddy *b, long page);

/* The answer to a free of anything. Only ORACLE_USED and ORACLE_MAPPED are kinds to free. */
enum oracle_free oracle_buddy_judge(const struct oracle_buddy *b, long page, int order,
				    enum oracle_kind kind);

/* Frees the block, handed out or parked, that begins at this page. */
void oracle_buddy_give(struct oracle_buddy *b, long page);

void oracle_buddy_park(struct oracle_buddy *b, long page);
bool oracle_buddy_referenced(const struct oracle_buddy *b, long page);

/*
 * Checks each of the oldest parked blocks once, until @most pages or more were checked: a block is
 * freed, or goes to the end of the queue when it is still referenced. Returns how many were freed.
 */
long oracle_buddy_reap(struct oracle_buddy *b, long most);

long oracle_buddy_pairs(const struct oracle_buddy *b, int order);

/*
 * The pair bits of an order, in words of 64: exactly one of the two buddies is on the free list.
 * @map has room for oracle_buddy_pairs() of them.
 */
void oracle_buddy_pair_bits(const struct oracle_buddy *b, int order, unsigned long *map);

/* The largest block that begins at page @start. */
void oracle_buddy_group(const struct oracle_buddy *b, long start, struct oracle_group *group);

#endif /* ORACLE_BUDDY_H */

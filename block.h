/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the verbs that buddy.c is written in: on free lists, pair bits and state bytes, and
 * loops over the orders. Every trick that speaks to the compiler is here, with its reason.
 *
 * Everything is inline, because each verb is one to four instructions on the path of every page.
 * Functions whose names begin with a double underscore run with zone->lock held.
 */
#ifndef POCKETMM_BLOCK_H
#define POCKETMM_BLOCK_H

#include "internal.h"

/*
 * A loop over the orders is compiled into each caller, where one end is often a constant, and is
 * unrolled, so that everything that depends on the order is a constant in each step. Both halve the
 * instructions of a split and of a merge. A pragma cannot expand macros: hence the number.
 */
#define pmm_unrolled	__always_inline
#ifndef pmm_unroll	/* the prover reads the loops as they are */
#define pmm_unroll	_Pragma("GCC unroll 10")
#endif
static_assert(PMM_MAX_ORDER == 10, "pmm_unroll");

/* From the order below @high down to @low. */
#define for_orders_down(order, high, low)				\
	pmm_unroll							\
	for (order = PMM_MAX_ORDER - 1; order-- > 0; )			\
		if (order >= (high)) {					\
			continue;					\
		} else if (order < (low)) {				\
			break;						\
		} else

/* From @low up to the order below @end, which is a constant. */
#define for_orders_up(order, low, end)					\
	pmm_unroll							\
	for (order = 0; order < (end); order++)				\
		if (order < (low)) {					\
			continue;					\
		} else

/* Hide from the compiler how a value was computed: it must not recompute or reload it. */
#define pmm_keep(value)		OPTIMIZER_HIDE_VAR(value)

/* A block's first page in the three forms that the verbs need: each step saves a multiplication. */
struct pmm_block {
	unsigned long		index;	/* of its first page */
	struct list_head	*links;	/* in that page */
	u8			*state;	/* and its state byte */
};

static __always_inline struct pmm_block pmm_block_of(const struct pmm_zone *zone,
						     struct page *page)
{
	unsigned long index = pmm_page_index(zone, page);

	return (struct pmm_block){
		.index = index,
		.links = pmm_page_links(page),
		.state = zone->state + index,
	};
}

static __always_inline struct pmm_block pmm_block_at(const struct pmm_zone *zone,
						     unsigned long index)
{
	return (struct pmm_block){
		.index = index,
		.links = pmm_page_links(&zone->mem_map[index]),
		.state = zone->state + index,
	};
}

/* The block that begins @pages pages after this one, or, if @pages is negative, before it. */
static __always_inline struct pmm_block pmm_block_beside(struct pmm_block block, long pages)
{
	void *links = block.links;

	return (struct pmm_block){
		.index = block.index + pages,
		.links = links + pages * (long)sizeof(struct page),
		.state = block.state + pages,
	};
}

static __always_inline struct page *pmm_block_page(struct pmm_block block)
{
	return pmm_page_of_links(block.links);
}

/* 2.4's MARK_USED(): a block of this pair enters or leaves its list, so the pair's bit flips. */
static __always_inline void __pmm_mark_used(struct pmm_zone *zone, unsigned long pair,
					    unsigned int order)
{
	__change_bit(pair, zone->free_area[order].map);
}

/* The same, but returns the old bit: is the buddy on the list? */
static __always_inline bool __pmm_test_and_mark_used(struct pmm_zone *zone, unsigned long pair,
						     unsigned int order)
{
	return __test_and_change_bit(pair, zone->free_area[order].map);
}

/*
 * list_add() and list_del() without DEBUG_LIST, which doubles the cost and may kill the machine.
 * The check is here: a block leaves its list only if its state byte and both neighbours agree.
 */
static __always_inline void __pmm_link_before(struct pmm_zone *zone, struct pmm_block block,
					      unsigned int order, struct list_head *first)
{
	struct list_head *head = &zone->free_area[order].free_list;

	first->prev = block.links;
	block.links->next = first;
	block.links->prev = head;
	head->next = block.links;
	*block.state = PMM_STATE(PMM_FREE, order);
}

static __always_inline void __pmm_link_free(struct pmm_zone *zone, struct pmm_block block,
					    unsigned int order)
{
	__pmm_link_before(zone, block, order, zone->free_area[order].free_list.next);
}

/* On a list that is known to be empty, which saves a load. */
static __always_inline void __pmm_link_only(struct pmm_zone *zone, struct pmm_block block,
					    unsigned int order)
{
	__pmm_link_before(zone, block, order, &zone->free_area[order].free_list);
}

static __always_inline bool __pmm_unlink_free(struct pmm_block block, unsigned int order)
{
	struct list_head *old = block.links, *next, *prev;

	if (unlikely(*block.state != PMM_STATE(PMM_FREE, order)))
		return false;
	next = old->next;
	prev = old->prev;
	if (unlikely(next->prev != old || prev->next != old))
		return false;
	next->prev = prev;
	prev->next = next;
	*block.state = PMM_TAIL;
	return true;
}

/*
 * A block changes hands: of several callers that free it at once, only one gets true. The per-CPU
 * lists use this without zone->lock.
 */
static __always_inline bool pmm_claim(u8 *at, u8 from, u8 to)
{
	return likely(try_cmpxchg(at, &from, to));
}

#endif /* POCKETMM_BLOCK_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: what a refill of a per-CPU list may cost others. It splits no more blocks than the
 * request alone would, and no block of the largest order is split while smaller ones, or those that
 * this CPU keeps, can serve. What could serve is judged page by page, from the state bytes and the
 * lists as they were before the call.
 */
#include <stdlib.h>

#include "internal.h"
#include "zone.h"

#define GFP	(GFP_KERNEL | __GFP_NOWARN)
#define LARGEST	(PMM_MAX_ORDER - 1)
#define PAGES	5000
#define HELD	600

/* The pages that were free before a call, and those of them within the reach of this CPU. */
struct before {
	u8		state[PAGES];
	bool		reach[PAGES];	/* in a free block below the largest order, or kept here */
	unsigned long	nr_largest;
};

struct held {
	struct page	*page[HELD];
	unsigned int	order[HELD];
	unsigned int	nr;
};

static unsigned long nr_largest(void)
{
	unsigned long i, nr = 0;

	for (i = 0; i < pmm_zone.nr_pages; i += PMM_MAX_ORDER_PAGES)
		nr += pmm_zone.state[i] == PMM_STATE(PMM_FREE, LARGEST);
	return nr;
}

static void reach_kept(struct before *before)
{
	struct pmm_pcp *pcp = per_cpu_ptr(pmm_zone.pcp, shim_cpu());
	unsigned int order, i;

	for (order = 0; order < PMM_PCP_ORDERS; order++)
		for (i = 0; i < pcp->nr[order]; i++)
			memset(before->reach + pmm_pcp_list(pcp, order)[i], true, 1UL << order);
}

static void look(struct before *before)
{
	unsigned long i;

	memset(before->reach, false, sizeof(before->reach));
	memcpy(before->state, pmm_zone.state, pmm_zone.nr_pages);
	for (i = 0; i < pmm_zone.nr_pages; i++) {
		unsigned int order = PMM_STATE_ORDER(before->state[i]);

		if (PMM_STATE_KIND(before->state[i]) == PMM_FREE && order < LARGEST)
			memset(before->reach + i, true, 1UL << order);
	}
	reach_kept(before);
	before->nr_largest = nr_largest();
}

static bool could_serve(const struct before *before, unsigned int order)
{
	unsigned long i, size = 1UL << order;

	for (i = 0; i + size <= pmm_zone.nr_pages; i += size)
		if (before->reach[i] && !memchr(before->reach + i, false, size))
			return true;
	return false;
}

static bool is_free(unsigned long index, unsigned int order)
{
	for (; order < PMM_MAX_ORDER; order++)
		if (pmm_zone.state[index & -(1UL << order)] == PMM_STATE(PMM_FREE, order))
			return true;
	return false;
}

/* Free blocks above @order that are neither whole nor part of a larger one now. */
static unsigned long nr_split(const struct before *before, unsigned int order)
{
	unsigned long i, nr = 0;

	for (i = 0; i < pmm_zone.nr_pages; i++)
		nr += PMM_STATE_KIND(before->state[i]) == PMM_FREE &&
		      PMM_STATE_ORDER(before->state[i]) > order &&
		      !is_free(i, PMM_STATE_ORDER(before->state[i]));
	return nr;
}

/* What the request alone would split; packed may rather split a block where less is free. */
static unsigned long may_split(const struct before *before, unsigned int order)
{
	return pmm_zone.placement->pick ||
	       !memchr(before->state, PMM_STATE(PMM_FREE, order), pmm_zone.nr_pages);
}

static struct page *take_judged(struct before *before, unsigned int order)
{
	struct page *page;

	look(before);
	page = pmm_alloc_pages(GFP, order);
	if (!page)
		return NULL;
	ASSERT(nr_split(before, order) <= may_split(before, order));
	if (order < LARGEST && could_serve(before, order))
		ASSERT(nr_largest() >= before->nr_largest);
	return page;
}

static void give_one(struct held *held, unsigned int i)
{
	ASSERT(pmm_free_pages_caller(held->page[i], held->order[i], PMM_USED, CALLER) ==
	       PMM_FREE_OK);
	held->nr--;
	held->page[i] = held->page[held->nr];
	held->order[i] = held->order[held->nr];
}

static void take_one(struct before *before, struct held *held)
{
	unsigned int order = ktap_below(4) ? ktap_below(3) : ktap_below(PMM_MAX_ORDER);
	struct page *page = take_judged(before, order);

	if (!page)
		return;
	held->page[held->nr] = page;
	held->order[held->nr++] = order;
}

static void step(struct before *before, struct held *held)
{
	shim_set_cpu(ktap_below(SHIM_NR_CPUS));
	if (held->nr < HELD && (!held->nr || ktap_below(100) < 55))
		take_one(before, held);
	else
		give_one(held, ktap_below(held->nr));
}

static void random_run(const struct setup *setup, unsigned int batch)
{
	struct before *before = calloc(1, sizeof(*before));
	struct held held = { .nr = 0 };
	unsigned int i;

	pool_init(setup, true);
	pmm_zone.pcp_batch = batch;
	pmm_zone.pcp_high = 3 * batch;
	for (i = 0; i < 4000; i++)
		step(before, &held);
	while (held.nr)
		give_one(&held, held.nr - 1);
	ASSERT_SOUND(&pmm_zone);
	pool_exit();
	free(before);
}

static void refill_random(const void *arg)
{
	static const unsigned int batches[] = { 1, 8, PMM_PCP_BATCH };
	struct setup setup = { PAGES };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(batches); i++) {
		setup.expand = PMM_EXPAND_UPPER;
		setup.placement = PMM_PLACE_LIFO;
		random_run(&setup, batches[i]);
		setup.expand = PMM_EXPAND_LOWER;
		random_run(&setup, batches[i]);
		setup.placement = PMM_PLACE_PACKED;
		random_run(&setup, batches[i]);
	}
}

/* One free block of each order: a request for each, smallest first, finds its own. */
static void refill_each_order(const void *arg)
{
	unsigned int order, expand;

	for (expand = PMM_EXPAND_UPPER; expand <= PMM_EXPAND_LOWER; expand++) {
		pool_init(&(const struct setup) { 1023, expand }, true);
		for (order = 0; order < PMM_MAX_ORDER; order++)
			ASSERT(pmm_alloc_pages(GFP, order));
		ASSERT_EQ(pmm_zone.stat.splits, 0);
		ASSERT_SOUND(&pmm_zone);
		pool_exit();
	}
}

/* Two halves of a block of 256, kept by this CPU in pieces, save the last block of 512. */
static void refill_spares_largest(const void *arg)
{
	struct page *page[8];
	unsigned int i;

	pool_init(&(const struct setup) { 1024, PMM_EXPAND_LOWER }, true);
	pmm_zone.pcp_batch = PMM_PCP_BATCH;
	pmm_zone.pcp_high = PMM_PCP_HIGH;
	ASSERT(pmm_zone_alloc(&pmm_zone, GFP, 8, PMM_USED, CALLER));
	for (i = 0; i < 8; i++) {
		page[i] = pmm_zone_alloc(&pmm_zone, GFP, 5, PMM_USED, CALLER);
		ASSERT(page[i]);
	}
	for (i = 0; i < 6; i++)
		ASSERT_EQ(pmm_free_pages_caller(page[i], 5, PMM_USED, CALLER), PMM_FREE_OK);
	ASSERT_EQ(nr_largest(), 1);
	ASSERT(pmm_alloc_pages(GFP, 7) == page[0]);
	ASSERT_EQ(nr_largest(), 1);
	ASSERT(pmm_alloc_pages(GFP, 7));
	ASSERT_EQ(nr_largest(), 0);
	pool_exit();
}

const struct ktap_test refill_tests[] = {
	{ "refill-each-order", refill_each_order },
	{ "refill-spares-largest", refill_spares_largest },
	{ "refill-random", refill_random },
	{ }
};

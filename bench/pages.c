// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's benchmarks: the page allocator, beside alloc_pages() and its kin.
 *
 * A pair is an allocation and its free. 'pair' takes the allocator as it is, so pocketmm's has
 * nothing handed out: a block that its per-CPU lists do not have is split off a block of 512 pages
 * and coalesces into one again. 'hot' first makes sure, on both sides, that the order's free list
 * has a block whose buddy is in use, as in a busy allocator: nothing is split or coalesced.
 */
#include <linux/delay.h>
#include <linux/slab.h>

#include "bench.h"
#include "host/compat.h"

#define PAIRS	64
#define BURST	4096
#define BULK	64

/* The blocks that one case holds at a time. */
static struct page *held[BURST];

static struct page *bench_kernel_alloc(gfp_t gfp, unsigned int order)
{
	return alloc_pages(gfp, order);
}

const struct bench_allocator bench_own = { pmm_alloc_pages, __pmm_free_pages };
const struct bench_allocator bench_kernel = { bench_kernel_alloc, __free_pages };

/* --- pairs ------------------------------------------------------------------------------------ */

static u64 own_pair(unsigned long order)
{
	u64 start = bench_ticks();
	unsigned int i, failed = 0;

	for (i = 0; i < PAIRS; i++) {
		struct page *page = pmm_alloc_pages(BENCH_GFP, order);

		failed += !page;
		__pmm_free_pages(page, order);
	}
	return failed ? BENCH_FAILED : bench_own_ticks(start, PAIRS);
}

/* Unlike pocketmm's, the kernel's free does not accept NULL. */
static u64 kernel_pair(unsigned long order)
{
	u64 start = bench_ticks();
	unsigned int i;

	for (i = 0; i < PAIRS; i++) {
		struct page *page = alloc_pages(BENCH_GFP, order);

		if (unlikely(!page))
			return BENCH_FAILED;
		__free_pages(page, order);
	}
	return bench_peer_ticks(start);
}

/* This many blocks are held; of the first two that are buddies, one is given back. */
#define HOLD	8

static void bench_free_one_buddy(const struct bench_allocator *pool, unsigned int order)
{
	unsigned int i, j;

	for (i = 1; i < HOLD; i++)
		for (j = 0; j < i; j++) {
			if (!held[i] || !held[j] ||
			    (page_to_pfn(held[i]) ^ page_to_pfn(held[j])) != 1UL << order)
				continue;
			pool->free(held[i], order);
			held[i] = NULL;
			return;
		}
}

static void bench_warm(const struct bench_allocator *pool, unsigned int order)
{
	unsigned int i;

	for (i = 0; i < HOLD; i++)
		held[i] = pool->alloc(BENCH_GFP, order);
	bench_free_one_buddy(pool, order);
}

static void bench_cool(const struct bench_allocator *pool, unsigned int order)
{
	unsigned int i;

	for (i = 0; i < HOLD; i++)
		if (held[i])
			pool->free(held[i], order);
}

static int own_warm(unsigned long order)
{
	bench_warm(&bench_own, order);
	return 0;
}

static void own_cool(unsigned long order)
{
	bench_cool(&bench_own, order);
}

static int kernel_warm(unsigned long order)
{
	bench_warm(&bench_kernel, order);
	return 0;
}

static void kernel_cool(unsigned long order)
{
	bench_cool(&bench_kernel, order);
}

/* --- bursts: many are taken, then all given back in the same order ---------------------------- */

static bool own_take(void)
{
	unsigned int i, got = 0;

	for (i = 0; i < BURST; i++) {
		held[i] = pmm_alloc_pages(BENCH_GFP, 0);
		got += !!held[i];
	}
	return got == BURST;
}

static void own_give(void)
{
	unsigned int i;

	for (i = 0; i < BURST; i++)
		__pmm_free_pages(held[i], 0);
}

static u64 own_burst_alloc(unsigned long unused)
{
	u64 ticks, start = bench_ticks();
	bool ok = own_take();

	ticks = bench_own_ticks(start, BURST);
	own_give();
	return ok ? ticks : BENCH_FAILED;
}

static u64 own_burst_free(unsigned long unused)
{
	bool ok = own_take();
	u64 start = bench_ticks();

	own_give();
	return ok ? bench_own_ticks(start, BURST) : BENCH_FAILED;
}

static bool kernel_take(void)
{
	unsigned int i, got = 0;

	for (i = 0; i < BURST; i++) {
		held[i] = alloc_pages(BENCH_GFP, 0);
		got += !!held[i];
	}
	return got == BURST;
}

static void kernel_give(void)
{
	unsigned int i;

	for (i = 0; i < BURST; i++)
		if (likely(held[i]))
			__free_pages(held[i], 0);
}

static u64 kernel_burst_alloc(unsigned long unused)
{
	u64 ticks, start = bench_ticks();
	bool ok = kernel_take();

	ticks = bench_peer_ticks(start);
	kernel_give();
	return ok ? ticks : BENCH_FAILED;
}

static u64 kernel_burst_free(unsigned long unused)
{
	bool ok = kernel_take();
	u64 start = bench_ticks();

	kernel_give();
	return ok ? bench_peer_ticks(start) : BENCH_FAILED;
}

/* --- bulk calls ------------------------------------------------------------------------------- */

static u64 own_bulk_alloc(unsigned long unused)
{
	unsigned long got;
	u64 ticks, start;

	memset(held, 0, BULK * sizeof(*held));
	start = bench_ticks();
	got = pmm_alloc_pages_bulk(BENCH_GFP, BULK, held);
	ticks = bench_own_ticks(start, BULK);
	pmm_free_pages_bulk(BULK, held);
	return got == BULK ? ticks : BENCH_FAILED;
}

static u64 own_bulk_free(unsigned long unused)
{
	unsigned long got;
	u64 start;

	memset(held, 0, BULK * sizeof(*held));
	got = pmm_alloc_pages_bulk(BENCH_GFP, BULK, held);
	start = bench_ticks();
	pmm_free_pages_bulk(BULK, held);
	return got == BULK ? bench_own_ticks(start, BULK) : BENCH_FAILED;
}

static u64 kernel_bulk_alloc(unsigned long unused)
{
	unsigned long i, got;
	u64 ticks, start;

	memset(held, 0, BULK * sizeof(*held));
	start = bench_ticks();
	got = alloc_pages_bulk(BENCH_GFP, BULK, held);
	ticks = bench_peer_ticks(start);
	for (i = 0; i < got; i++)
		__free_pages(held[i], 0);
	return got == BULK ? ticks : BENCH_FAILED;
}

/* --- while pages are parked: freed, though somebody has a reference to each ------------------- */

static struct page **parked;
static unsigned long nr_parked, nr_free_before;

static int own_park(unsigned long nr)
{
	struct page *page;

	nr_free_before = pmm_nr_free_pages();
	parked = kvmalloc_array(nr + 1, sizeof(*parked), GFP_KERNEL);
	if (!parked)
		return -ENOMEM;
	for (nr_parked = 0; nr_parked < nr; nr_parked++) {
		page = pmm_alloc_pages(BENCH_GFP, 0);
		if (!page)
			break;
		get_page(page);
		__pmm_free_pages(page, 0);
		parked[nr_parked] = page;
	}
	bench_warm(&bench_own, 0);
	return 0;
}

/* The next case begins when all of them are free again. */
static void own_let_go(unsigned long nr)
{
	unsigned int tries = 50;

	bench_cool(&bench_own, 0);
	while (nr_parked)
		put_page(parked[--nr_parked]);
	kvfree(parked);
	while (pmm_nr_free_pages() != nr_free_before && tries--)
		msleep(100);
}

static u64 own_parked_pair(unsigned long nr)
{
	return nr_parked == nr ? own_pair(0) : BENCH_FAILED;
}

static u64 own_parked_burst(unsigned long nr)
{
	u64 start = bench_ticks();
	bool ok = own_take();

	own_give();
	return ok && nr_parked == nr ? bench_own_ticks(start, BURST) : BENCH_FAILED;
}

/* The page is not a parked one. Interrupts are on, because these calls may wait. */
static u64 own_parked_unmap(unsigned long nr)
{
	struct page *page = pmm_alloc_pages(BENCH_GFP, 0);
	void *mem[PAIRS] = { };
	unsigned int i;
	u64 ticks;

	for (i = 0; page && i < PAIRS; i++)
		mem[i] = pmm_vm_map_ram(&page, 1, NUMA_NO_NODE);
	ticks = bench_ticks();
	for (i = 0; i < PAIRS; i++)
		pmm_vm_unmap_ram(mem[i], 1);
	ticks = bench_own_ticks(ticks, PAIRS);
	__pmm_free_pages(page, 0);
	return mem[PAIRS - 1] && nr_parked == nr ? ticks : BENCH_FAILED;
}

static const unsigned long orders[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };

#define BY_ORDER .units = PAIRS, .irqs_off = true, .args = orders, .nr_args = ARRAY_SIZE(orders)

/* In a pool that ages, the means of this many passes. */
#define AGED_PAIRS	64
#define AGED_BULKS	256
#define AGED_BURSTS	8

const struct bench_case bench_own_pages[] = {
	{ "own.pair", own_pair, BY_ORDER },
	{ "own.hot", own_pair, BY_ORDER, .prepare = own_warm, .finish = own_cool },
	{ "own.burst_alloc", own_burst_alloc, BURST, .irqs_off = true },
	{ "own.burst_free", own_burst_free, BURST, .irqs_off = true },
	{ "own.bulk_alloc", own_bulk_alloc, BULK, .irqs_off = true },
	{ "own.bulk_free", own_bulk_free, BULK, .irqs_off = true },
	{}
};

static const unsigned long numbers[] = { 0, 1, 64, 131072 };

#define WITH_PARKED	.args = numbers, .nr_args = ARRAY_SIZE(numbers),	\
			.prepare = own_park, .finish = own_let_go

const struct bench_case bench_own_parked[] = {
	{ "own.parked_pair", own_parked_pair, PAIRS, .irqs_off = true, WITH_PARKED },
	{ "own.parked_burst", own_parked_burst, BURST, .irqs_off = true, WITH_PARKED },
	{ "own.parked_unmap", own_parked_unmap, PAIRS, WITH_PARKED },
	{}
};

const struct bench_case bench_kernel_pages[] = {
	{ "kernel.pair", kernel_pair, BY_ORDER },
	{ "kernel.hot", kernel_pair, BY_ORDER, .prepare = kernel_warm, .finish = kernel_cool },
	{ "kernel.burst_alloc", kernel_burst_alloc, BURST, .irqs_off = true },
	{ "kernel.burst_free", kernel_burst_free, BURST, .irqs_off = true },
	{ "kernel.bulk_alloc", kernel_bulk_alloc, BULK, .irqs_off = true },
	{}
};

const struct bench_case bench_own_aged_pages[] = {
	{ "pair", own_pair, BY_ORDER, .means = AGED_PAIRS, .prepare = own_warm,
	  .finish = own_cool },
	{ "burst_alloc", own_burst_alloc, BURST, .means = AGED_BURSTS, .irqs_off = true },
	{ "burst_free", own_burst_free, BURST, .means = AGED_BURSTS, .irqs_off = true },
	{ "bulk_alloc", own_bulk_alloc, BULK, .means = AGED_BULKS, .irqs_off = true },
	{}
};

const struct bench_case bench_kernel_aged_pages[] = {
	{ "pair", kernel_pair, BY_ORDER, .means = AGED_PAIRS, .prepare = kernel_warm,
	  .finish = kernel_cool },
	{ "burst_alloc", kernel_burst_alloc, BURST, .means = AGED_BURSTS, .irqs_off = true },
	{ "burst_free", kernel_burst_free, BURST, .means = AGED_BURSTS, .irqs_off = true },
	{ "bulk_alloc", kernel_bulk_alloc, BULK, .means = AGED_BULKS, .irqs_off = true },
	{}
};

const struct bench_case bench_own_rounds_pages[] = {
	{ "burst_alloc", own_burst_alloc, BURST, .means = AGED_BURSTS, .irqs_off = true },
	{ "burst_free", own_burst_free, BURST, .means = AGED_BURSTS, .irqs_off = true },
	{ "bulk_alloc", own_bulk_alloc, BULK, .means = AGED_BULKS, .irqs_off = true },
	{}
};

const struct bench_case bench_kernel_rounds_pages[] = {
	{ "burst_alloc", kernel_burst_alloc, BURST, .means = AGED_BURSTS, .irqs_off = true },
	{ "burst_free", kernel_burst_free, BURST, .means = AGED_BURSTS, .irqs_off = true },
	{ "bulk_alloc", kernel_bulk_alloc, BULK, .means = AGED_BULKS, .irqs_off = true },
	{}
};

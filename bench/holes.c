// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's benchmarks: the cost of many areas, to the search for a hole and to a purge.
 *
 * 'holes.N' is a pair of vmalloc and vfree of 100 pages while N areas of one page are in the way.
 * 'purge.1' is the purge alone, after 2,000 adjacent areas of one page were freed, which may have
 * become one range by then; 'purge.2' after every other of 4,000 was freed.
 * 'cycle' counts the whole cost of 2,000 areas: vmalloc, vfree and the purge.
 */
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "bench.h"

#define PAIRS		8
#define LARGE		(100UL << PAGE_SHIFT)
#define FREES		2000

/* The areas that are in the way. */
static void **areas;

static void own_release(unsigned long nr)
{
	while (nr--)
		pmm_vfree(areas[nr]);
	kvfree(areas);
	pmm_vm_unmap_aliases();
}

static int own_fill(unsigned long nr)
{
	unsigned long i;

	areas = kvcalloc(nr + 1, sizeof(*areas), GFP_KERNEL);
	if (!areas)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		areas[i] = pmm_vmalloc(PAGE_SIZE);
		if (!areas[i]) {
			own_release(i);
			return -ENOMEM;
		}
		cond_resched();
	}
	return 0;
}

static void kernel_release(unsigned long nr)
{
	while (nr--)
		vfree(areas[nr]);
	kvfree(areas);
	vm_unmap_aliases();
}

static int kernel_fill(unsigned long nr)
{
	unsigned long i;

	areas = kvcalloc(nr + 1, sizeof(*areas), GFP_KERNEL);
	if (!areas)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		areas[i] = vmalloc(PAGE_SIZE);
		if (!areas[i]) {
			kernel_release(i);
			return -ENOMEM;
		}
		cond_resched();
	}
	return 0;
}

static u64 own_large(unsigned long unused)
{
	u64 start = bench_ticks();
	unsigned int i, failed = 0;

	for (i = 0; i < PAIRS; i++) {
		void *area = pmm_vmalloc(LARGE);

		failed += !area;
		pmm_vfree(area);
	}
	return failed ? BENCH_FAILED : bench_own_ticks(start, PAIRS);
}

static u64 kernel_large(unsigned long unused)
{
	u64 start = bench_ticks();
	unsigned int i, failed = 0;

	for (i = 0; i < PAIRS; i++) {
		void *area = vmalloc(LARGE);

		failed += !area;
		vfree(area);
	}
	return failed ? BENCH_FAILED : bench_peer_ticks(start);
}

/* --- purge ------------------------------------------------------------------------------------ */

/* Room for every other area to be freed. */
static void *lazy[2 * FREES];

static bool own_take(unsigned long apart)
{
	unsigned int i, got = 0;

	for (i = 0; i < FREES * apart; i++) {
		lazy[i] = pmm_vmalloc(PAGE_SIZE);
		got += !!lazy[i];
	}
	return got == FREES * apart;
}

static void own_give(unsigned int first, unsigned long apart)
{
	unsigned int i;

	for (i = first; i < FREES * apart; i += apart)
		pmm_vfree(lazy[i]);
}

static u64 own_purge(unsigned long apart)
{
	u64 start, ticks;
	bool ok;

	pmm_vm_unmap_aliases();
	ok = own_take(apart);
	own_give(0, apart);
	start = bench_ticks();
	pmm_vm_unmap_aliases();
	ticks = bench_own_ticks(start, FREES);
	if (apart > 1)
		own_give(1, apart);
	return ok ? ticks : BENCH_FAILED;
}

static u64 own_cycle(unsigned long unused)
{
	u64 start = bench_ticks();
	bool ok = own_take(1);

	own_give(0, 1);
	pmm_vm_unmap_aliases();
	return ok ? bench_own_ticks(start, FREES) : BENCH_FAILED;
}

static bool kernel_take(unsigned long apart)
{
	unsigned int i, got = 0;

	for (i = 0; i < FREES * apart; i++) {
		lazy[i] = vmalloc(PAGE_SIZE);
		got += !!lazy[i];
	}
	return got == FREES * apart;
}

static void kernel_give(unsigned int first, unsigned long apart)
{
	unsigned int i;

	for (i = first; i < FREES * apart; i += apart)
		vfree(lazy[i]);
}

static u64 kernel_purge(unsigned long apart)
{
	u64 start, ticks;
	bool ok;

	vm_unmap_aliases();
	ok = kernel_take(apart);
	kernel_give(0, apart);
	start = bench_ticks();
	vm_unmap_aliases();
	ticks = bench_peer_ticks(start);
	if (apart > 1)
		kernel_give(1, apart);
	return ok ? ticks : BENCH_FAILED;
}

static u64 kernel_cycle(unsigned long unused)
{
	u64 start = bench_ticks();
	bool ok = kernel_take(1);

	kernel_give(0, 1);
	vm_unmap_aliases();
	return ok ? bench_peer_ticks(start) : BENCH_FAILED;
}

/**
 * bench_own_frees() - vmalloc and vfree a page 2,000 times, without asking for a purge
 * @m: gets the pages of the window that this freed, guard pages included
 *
 * pocketmm's stats tell how often the TLBs were flushed meanwhile.
 */
void bench_own_frees(struct seq_file *m)
{
	unsigned int i;

	for (i = 0; i < FREES; i++)
		pmm_vfree(pmm_vmalloc(PAGE_SIZE));
	seq_printf(m, "bench: freed_window_pages %u\n", 2 * FREES);
}

/* At most 4096: with a linear search, even filling the window with more takes too long. */
static const unsigned long some[] = { 0, 64, 256, 1024, 4096 };
static const unsigned long apart[] = { 1, 2 };
static const unsigned long many[] = { 16384, 65536 };

#define BEHIND_SOME	.units = PAIRS, .args = some, .nr_args = ARRAY_SIZE(some)
#define BEHIND_MANY	.units = PAIRS, .args = many, .nr_args = ARRAY_SIZE(many)

const struct bench_case bench_own_holes[] = {
	{ "own.holes", own_large, BEHIND_SOME, .prepare = own_fill, .finish = own_release },
	{}
};

const struct bench_case bench_own_many_holes[] = {
	{ "own.holes", own_large, BEHIND_MANY, .prepare = own_fill, .finish = own_release },
	{}
};

const struct bench_case bench_kernel_holes[] = {
	{ "kernel.holes", kernel_large, BEHIND_SOME, .prepare = kernel_fill,
	  .finish = kernel_release },
	{ "kernel.holes", kernel_large, BEHIND_MANY, .prepare = kernel_fill,
	  .finish = kernel_release },
	{}
};

const struct bench_case bench_own_purge[] = {
	{ "own.purge", own_purge, FREES, apart, ARRAY_SIZE(apart) },
	{ "own.cycle", own_cycle, FREES },
	{}
};

const struct bench_case bench_kernel_purge[] = {
	{ "kernel.purge", kernel_purge, FREES, apart, ARRAY_SIZE(apart) },
	{ "kernel.cycle", kernel_cycle, FREES },
	{}
};

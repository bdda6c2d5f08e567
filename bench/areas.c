// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's benchmarks: pairs of vmalloc, vmap and vm_map_ram, beside the kernel's own.
 *
 * On both sides, vmap and vm_map_ram map the same pages, which belong to the pool. Interrupts stay
 * on, because these calls may wait: a pass is short compared to the timer interrupt's interval.
 */
#include <linux/bottom_half.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "bench.h"

#define PAIRS		8
#define MAPPED		16

/* The addresses of 64 MiB are freed in a long run: both sides flush the TLBs after 32 MiB. */
#define RUN_PAGES	(SZ_64M >> PAGE_SHIFT)

#define DEFERRED	512

static struct page *mapped[MAPPED];

static u64 own_vmalloc(unsigned long nr_pages)
{
	u64 start = bench_ticks();
	unsigned int i, failed = 0;

	for (i = 0; i < PAIRS; i++) {
		void *area = pmm_vmalloc(nr_pages << PAGE_SHIFT);

		failed += !area;
		pmm_vfree(area);
	}
	return failed ? BENCH_FAILED : bench_own_ticks(start, PAIRS);
}

static u64 kernel_vmalloc(unsigned long nr_pages)
{
	u64 start = bench_ticks();
	unsigned int i, failed = 0;

	for (i = 0; i < PAIRS; i++) {
		void *area = vmalloc(nr_pages << PAGE_SHIFT);

		failed += !area;
		vfree(area);
	}
	return failed ? BENCH_FAILED : bench_peer_ticks(start);
}

/* --- long runs, flushes included -------------------------------------------------------------- */

/* Each area has a guard page. */
static unsigned long run_pairs(unsigned long nr_pages)
{
	return max(RUN_PAGES / (nr_pages + 1), 2UL * PAIRS);
}

/* As long as PAIRS pairs take in the mean. */
static u64 run_mean(u64 ticks, unsigned long nr_pages)
{
	return div64_u64(ticks * PAIRS, run_pairs(nr_pages));
}

static u64 own_run(unsigned long nr_pages)
{
	unsigned long pairs = run_pairs(nr_pages), failed = 0;
	u64 start;

	own_vmalloc(nr_pages);
	pmm_vm_unmap_aliases();
	start = bench_ticks();
	while (pairs--) {
		void *area = pmm_vmalloc(nr_pages << PAGE_SHIFT);

		failed += !area;
		pmm_vfree(area);
		cond_resched();
	}
	pmm_vm_unmap_aliases();
	start = bench_own_ticks(start, run_pairs(nr_pages));
	return failed ? BENCH_FAILED : run_mean(start, nr_pages);
}

static u64 kernel_run(unsigned long nr_pages)
{
	unsigned long pairs = run_pairs(nr_pages), failed = 0;
	u64 start;

	kernel_vmalloc(nr_pages);
	vm_unmap_aliases();
	start = bench_ticks();
	while (pairs--) {
		void *area = vmalloc(nr_pages << PAGE_SHIFT);

		failed += !area;
		vfree(area);
		cond_resched();
	}
	vm_unmap_aliases();
	start = bench_peer_ticks(start);
	return failed ? BENCH_FAILED : run_mean(start, nr_pages);
}

/* --- frees where nobody may wait, and the work that they leave -------------------------------- */

static void *deferred[DEFERRED];

static void bench_nothing(struct work_struct *unused)
{
}

static DECLARE_WORK(bench_work, bench_nothing);

/* The works of this CPU run in the order in which they were queued. */
static void bench_wait_for_works(void)
{
	schedule_work(&bench_work);
	flush_work(&bench_work);
}

static u64 own_deferred(unsigned long batch)
{
	unsigned int i, failed = 0;
	u64 start;

	for (i = 0; i < DEFERRED; i++) {
		deferred[i] = pmm_vmalloc(PAGE_SIZE);
		failed += !deferred[i];
	}
	start = bench_ticks();
	for (i = 0; i < DEFERRED;) {
		local_bh_disable();
		do {
			pmm_vfree(deferred[i]);
		} while (++i % batch);
		local_bh_enable();
		bench_wait_for_works();
	}
	return failed ? BENCH_FAILED : bench_own_ticks(start, DEFERRED);
}

static u64 kernel_deferred(unsigned long batch)
{
	unsigned int i, failed = 0;
	u64 start;

	for (i = 0; i < DEFERRED; i++) {
		deferred[i] = vmalloc(PAGE_SIZE);
		failed += !deferred[i];
	}
	start = bench_ticks();
	for (i = 0; i < DEFERRED;) {
		local_bh_disable();
		do {
			vfree(deferred[i]);
		} while (++i % batch);
		local_bh_enable();
		bench_wait_for_works();
	}
	return failed ? BENCH_FAILED : bench_peer_ticks(start);
}

/* --- pages that are there already ------------------------------------------------------------- */

static void bench_put_pages(unsigned long unused)
{
	pmm_free_pages_bulk(MAPPED, mapped);
}

static int bench_get_pages(unsigned long unused)
{
	if (pmm_alloc_pages_bulk(BENCH_GFP, MAPPED, mapped) == MAPPED)
		return 0;
	bench_put_pages(unused);
	return -ENOMEM;
}

static u64 own_vmap(unsigned long unused)
{
	u64 start = bench_ticks();
	unsigned int i, failed = 0;

	for (i = 0; i < PAIRS; i++) {
		void *area = pmm_vmap(mapped, MAPPED, PMM_VM_MAP, PAGE_KERNEL);

		failed += !area;
		pmm_vunmap(area);
	}
	return failed ? BENCH_FAILED : bench_own_ticks(start, PAIRS);
}

static u64 kernel_vmap(unsigned long unused)
{
	u64 start = bench_ticks();
	unsigned int i, failed = 0;

	for (i = 0; i < PAIRS; i++) {
		void *area = vmap(mapped, MAPPED, VM_MAP, PAGE_KERNEL);

		failed += !area;
		vunmap(area);
	}
	return failed ? BENCH_FAILED : bench_peer_ticks(start);
}

static u64 own_map_ram(unsigned long unused)
{
	u64 start = bench_ticks();
	unsigned int i;

	for (i = 0; i < PAIRS; i++) {
		void *mem = pmm_vm_map_ram(mapped, MAPPED, NUMA_NO_NODE);

		if (unlikely(!mem))
			return BENCH_FAILED;
		pmm_vm_unmap_ram(mem, MAPPED);
	}
	return bench_own_ticks(start, PAIRS);
}

static u64 kernel_map_ram(unsigned long unused)
{
	u64 start = bench_ticks();
	unsigned int i;

	for (i = 0; i < PAIRS; i++) {
		void *mem = vm_map_ram(mapped, MAPPED, NUMA_NO_NODE);

		if (unlikely(!mem))
			return BENCH_FAILED;
		vm_unmap_ram(mem, MAPPED);
	}
	return bench_peer_ticks(start);
}

static const unsigned long sizes[] = { 1, 2, 4, 8, 16, 32, 64, 100, 128, 256, 512 };

/* Many have a neighbour, which shows a cliff. */
static const unsigned long aged_sizes[] = {
	1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 24, 32, 33, 48, 63, 64, 65, 66, 80, 96, 100, 127,
	128, 129, 160, 191, 192, 193, 224, 256, 257, 320, 384, 385, 448, 511, 512, 513, 576, 640,
	768, 769, 896, 1023, 1024
};

static const unsigned long rounds_sizes[] = { 100 };

static const unsigned long batches[] = { 1, 8, 64, DEFERRED };

/* Enough passes for some purges. */
#define BY_BATCH	.args = batches, .nr_args = ARRAY_SIZE(batches), .means = 32

#define BY_SIZE		.units = PAIRS, .args = sizes, .nr_args = ARRAY_SIZE(sizes)
#define AGED_SIZES	.units = PAIRS, .args = aged_sizes, .nr_args = ARRAY_SIZE(aged_sizes)
#define ROUNDS_SIZES	.units = PAIRS, .args = rounds_sizes, .nr_args = 1
#define WITH_PAGES	.units = PAIRS, .prepare = bench_get_pages, .finish = bench_put_pages

const struct bench_case bench_own_areas[] = {
	{ "own.vmalloc", own_vmalloc, BY_SIZE },
	{ "own.vmap", own_vmap, WITH_PAGES },
	{ "own.map_ram", own_map_ram, WITH_PAGES },
	{ "own.deferred", own_deferred, DEFERRED, BY_BATCH },
	{}
};

const struct bench_case bench_kernel_areas[] = {
	{ "kernel.vmalloc", kernel_vmalloc, BY_SIZE },
	{ "kernel.vmap", kernel_vmap, WITH_PAGES },
	{ "kernel.map_ram", kernel_map_ram, WITH_PAGES },
	{ "kernel.deferred", kernel_deferred, DEFERRED, BY_BATCH },
	{}
};

const struct bench_case bench_own_aged_areas[] = {
	{ "vmalloc_best", own_vmalloc, AGED_SIZES },
	{ "vmalloc", own_run, AGED_SIZES, .means = 1 },
	{}
};

const struct bench_case bench_own_rounds_areas[] = {
	{ "vmalloc", own_run, ROUNDS_SIZES, .means = 1 },
	{}
};

const struct bench_case bench_kernel_aged_areas[] = {
	{ "vmalloc_best", kernel_vmalloc, AGED_SIZES },
	{ "vmalloc", kernel_run, AGED_SIZES, .means = 1 },
	{}
};

const struct bench_case bench_kernel_rounds_areas[] = {
	{ "vmalloc", kernel_run, ROUNDS_SIZES, .means = 1 },
	{}
};

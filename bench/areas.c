// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's benchmarks: pairs of vmalloc, vmap and vm_map_ram, beside the kernel's own.
 *
 * On both sides, vmap and vm_map_ram map the same pages, which belong to the pool. Interrupts stay
 * on, because these calls may wait: a pass is short compared to the timer interrupt's interval.
 */
#include <linux/vmalloc.h>

#include "bench.h"

#define PAIRS		8
#define MAPPED		16

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

#define BY_SIZE		.units = PAIRS, .args = sizes, .nr_args = ARRAY_SIZE(sizes)
#define WITH_PAGES	.units = PAIRS, .prepare = bench_get_pages, .finish = bench_put_pages

const struct bench_case bench_own_areas[] = {
	{ "own.vmalloc", own_vmalloc, BY_SIZE },
	{ "own.vmap", own_vmap, WITH_PAGES },
	{ "own.map_ram", own_map_ram, WITH_PAGES },
	{}
};

const struct bench_case bench_kernel_areas[] = {
	{ "kernel.vmalloc", kernel_vmalloc, BY_SIZE },
	{ "kernel.vmap", kernel_vmap, WITH_PAGES },
	{ "kernel.map_ram", kernel_map_ram, WITH_PAGES },
	{}
};

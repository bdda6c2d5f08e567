// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's benchmarks: other allocators for private pools, gen_pool and the buddy allocator of
 * the graphics drivers.
 *
 * Both hand out parts of a range of numbers that is never touched, here as large as the chunk.
 */
#include <linux/genalloc.h>
#include <linux/mutex.h>
#include <linux/sizes.h>

#include "bench.h"
#include "peers.h"

#define PAIRS		64
#define POOL_SIZE	SZ_256M

static struct gen_pool *pool;

static int genpool_prepare(unsigned long unused)
{
	pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!pool)
		return -ENOMEM;
	if (gen_pool_add(pool, SZ_1G, POOL_SIZE, NUMA_NO_NODE)) {
		gen_pool_destroy(pool);
		return -ENOMEM;
	}
	return 0;
}

static void genpool_finish(unsigned long unused)
{
	gen_pool_destroy(pool);
}

static u64 genpool_pair(unsigned long unused)
{
	u64 start = bench_ticks();
	unsigned int i;

	for (i = 0; i < PAIRS; i++) {
		unsigned long addr = gen_pool_alloc(pool, PAGE_SIZE);

		if (unlikely(!addr))
			return BENCH_FAILED;
		gen_pool_free(pool, addr, PAGE_SIZE);
	}
	return bench_peer_ticks(start);
}

const struct bench_case bench_kernel_genpool[] = {
	{ "kernel.genpool", genpool_pair, PAIRS, .irqs_off = true, .prepare = genpool_prepare,
	  .finish = genpool_finish },
	{}
};

#ifdef BENCH_GPU_BUDDY

/* The allocator leaves locking to its users. */
static DEFINE_MUTEX(gpu_lock);
static struct gpu_buddy gpu;
static LIST_HEAD(gpu_held);

static int gpu_take(unsigned long order, struct list_head *blocks)
{
	unsigned long size = PAGE_SIZE << order;
	int err;

	mutex_lock(&gpu_lock);
	err = gpu_buddy_alloc_blocks(&gpu, 0, POOL_SIZE, size, size, blocks, 0);
	mutex_unlock(&gpu_lock);
	return err;
}

static void gpu_give(struct list_head *blocks)
{
	mutex_lock(&gpu_lock);
	bench_gpu_free(&gpu, blocks);
	mutex_unlock(&gpu_lock);
}

static int gpu_prepare(unsigned long unused)
{
	return gpu_buddy_init(&gpu, POOL_SIZE, PAGE_SIZE);
}

static void gpu_finish(unsigned long unused)
{
	gpu_buddy_fini(&gpu);
}

/* One block is held, so that its buddy is free. */
static int gpu_warm(unsigned long order)
{
	int err = gpu_prepare(order);

	if (err)
		return err;
	err = gpu_take(order, &gpu_held);
	if (err)
		gpu_finish(order);
	return err;
}

static void gpu_cool(unsigned long order)
{
	gpu_give(&gpu_held);
	gpu_finish(order);
}

static u64 gpu_pair(unsigned long order)
{
	u64 start = bench_ticks();
	unsigned int i;

	for (i = 0; i < PAIRS; i++) {
		LIST_HEAD(blocks);

		if (unlikely(gpu_take(order, &blocks)))
			return BENCH_FAILED;
		gpu_give(&blocks);
	}
	return bench_peer_ticks(start);
}

static const unsigned long orders[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };

const struct bench_case bench_kernel_gpu[] = {
	{ "kernel.gpu", gpu_pair, PAIRS, orders, ARRAY_SIZE(orders), .prepare = gpu_prepare,
	  .finish = gpu_finish },
	{ "kernel.gpu_hot", gpu_pair, PAIRS, orders, ARRAY_SIZE(orders), .prepare = gpu_warm,
	  .finish = gpu_cool },
	{}
};

#else

const struct bench_case bench_kernel_gpu[] = { {} };

#endif

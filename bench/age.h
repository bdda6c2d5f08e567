/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm's benchmarks: a pool in use, and how it ages; the functions are in age.c.
 */
#ifndef PMM_BENCH_AGE_H
#define PMM_BENCH_AGE_H

#include <linux/prandom.h>
#include <linux/sizes.h>

#include "bench.h"

/* The largest order that both 6.1 and 6.12 have, and the number of such blocks in the pool. */
#define LARGE_ORDER	10
#define NR_LARGE	(SZ_256M >> (PAGE_SHIFT + LARGE_ORDER))

/**
 * struct age - a pool of which pages of order 0 are held
 * @pool: the allocator
 * @nr_pages: the size of the pool
 * @pages: the pages that are held
 * @nr_held: how many @pages there are
 * @rnd: the random numbers, the same each time
 * @large: the blocks of LARGE_ORDER that made the kernel's pool
 * @others: blocks outside that pool, by pmm_page_links(), their order in page->private
 */
struct age {
	const struct bench_allocator	*pool;
	unsigned long			nr_pages;
	struct page			**pages;
	unsigned long			nr_held;
	struct rnd_state		rnd;
	struct page			*large[NR_LARGE];
	struct list_head		others;
};

struct age *age_create_own(void);
struct age *age_create_kernel(void);
void age_destroy(struct age *age);
bool age_fill(struct age *age);
bool age_churn(struct age *age);
bool age_checker(struct age *age);

#endif /* PMM_BENCH_AGE_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's benchmarks: how a pool fragments.
 *
 * The pool is filled and churned 100 times, as age.c has it. After each round the share of the free
 * pages that lie in whole blocks of 2 MiB is printed: 1 is a pool without fragmentation. Pages that
 * the kernel takes for itself meanwhile count as not free.
 */
#include <linux/slab.h>

#include "age.h"

#define ROUNDS		100

#define BLOCK_ORDER	9
#define BLOCK_PAGES	BIT(BLOCK_ORDER)

static void frag_print(struct seq_file *m, const char *who, unsigned int round, u64 whole, u64 free)
{
	u64 share = free ? div64_u64(whole * 10000, free) : 0;

	seq_printf(m, "bench: %s.frag.%u %llu.%04llu\n", who, round, share / 10000, share % 10000);
}

/* The workload; @sample gets the round. */
static bool frag_run(struct age *age, struct seq_file *m,
		     void (*sample)(struct age *age, struct seq_file *m, unsigned int round))
{
	unsigned int round;
	bool ok = age_fill(age);

	if (ok)
		sample(age, m, 0);
	for (round = 1; ok && round <= ROUNDS; round++) {
		ok = age_churn(age);
		sample(age, m, round);
		cond_resched();
	}
	return ok;
}

/* --- pocketmm's pool -------------------------------------------------------------------------- */

/* Count the pool's blocks that no held page lies in. The chunk begins with a block. */
static void own_sample(struct age *age, struct seq_file *m, unsigned int round)
{
	unsigned long nr_pages = age->nr_held + pmm_nr_free_pages();
	unsigned long i, first = ULONG_MAX, used = 0, *map;

	for (i = 0; i < age->nr_held; i++)
		first = min(first, page_to_pfn(age->pages[i]) >> BLOCK_ORDER);
	map = bitmap_zalloc(nr_pages / BLOCK_PAGES + 1, GFP_KERNEL);
	if (!map)
		return;
	for (i = 0; i < age->nr_held; i++) {
		unsigned long block = page_to_pfn(age->pages[i]) >> BLOCK_ORDER;

		used += !__test_and_set_bit(block - first, map);
	}
	bitmap_free(map);
	frag_print(m, "own", round, nr_pages - used * BLOCK_PAGES, pmm_nr_free_pages());
}

/* The pages that the last run left, so that its free lists can be examined. */
static struct age *kept;

/**
 * bench_own_frag_end() - give back the pages that bench_own_frag() left
 * @m: gets nothing
 */
void bench_own_frag_end(struct seq_file *m)
{
	age_destroy(kept);
	kept = NULL;
}

/**
 * bench_own_frag() - the workload on pocketmm's pool, which must be unused
 * @m: gets the shares
 *
 * The pool stays as it is until bench_own_frag_end().
 */
void bench_own_frag(struct seq_file *m)
{
	bench_own_frag_end(m);
	kept = age_create_own();
	if (!kept || !frag_run(kept, m, own_sample))
		seq_puts(m, "bench: own.frag failed\n");
}

/* --- the kernel's ----------------------------------------------------------------------------- */

/* Free pages, even on per-CPU lists, have no reference; a used block's first page has one. */
static unsigned int free_pages_in(const struct page *page)
{
	unsigned int i, nr = 0;

	for (i = 0; i < BLOCK_PAGES; i++)
		nr += !page_count(page + i);
	return nr;
}

static void kernel_sample(struct age *age, struct seq_file *m, unsigned int round)
{
	unsigned int i, j, nr;
	u64 whole = 0, free = 0;

	for (i = 0; i < NR_LARGE; i++)
		for (j = 0; j < 1 << LARGE_ORDER; j += BLOCK_PAGES) {
			nr = free_pages_in(age->large[i] + j);
			free += nr;
			if (nr == BLOCK_PAGES)
				whole += nr;
		}
	frag_print(m, "kernel", round, whole, free);
}

/**
 * bench_kernel_frag() - the same workload on the kernel's own allocator
 * @m: gets the shares
 */
void bench_kernel_frag(struct seq_file *m)
{
	struct age *age = age_create_kernel();

	if (!age || !frag_run(age, m, kernel_sample))
		seq_puts(m, "bench: kernel.frag failed\n");
	age_destroy(age);
}

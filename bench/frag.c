// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's benchmarks: how a pool fragments.
 *
 * The workload takes 90 % of the pool in pages of order 0 and gives back a random half of them.
 * Then, 100 times, it gives back a random 10 % of its pages and takes as many. The random numbers
 * are the same each time. After each round the share of the free pages that lie in whole blocks of
 * 2 MiB is printed: 1 is a pool without fragmentation.
 *
 * The kernel's own allocator gets a pool of the same size by taking everything else from it first.
 * Pages that it takes for itself meanwhile count as not free.
 */
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "bench.h"
#include "host/struct_page.h"

#define ROUNDS		100
#define SEED		20040224

#define BLOCK_ORDER	9
#define BLOCK_PAGES	BIT(BLOCK_ORDER)

/* The largest order that both 6.1 and 6.12 have, and the number of such blocks in the pool. */
#define LARGE_ORDER	10
#define NR_LARGE	(SZ_256M >> (PAGE_SHIFT + LARGE_ORDER))

/* Without reclaim, which would bring back the pages taken away to make the pool. */
#define FRAG_GFP	(BENCH_GFP & ~__GFP_RECLAIM)

/**
 * struct frag - a run of the workload
 * @pool: the allocator
 * @pages: the pages that are held
 * @nr_held: how many @pages there are
 * @rnd: the random numbers
 * @large: the blocks of LARGE_ORDER that make the kernel's pool
 * @others: blocks outside that pool, by pmm_page_links(), their order in page->private
 */
struct frag {
	const struct bench_allocator	*pool;
	struct page			**pages;
	unsigned long			nr_held;
	struct rnd_state		rnd;
	struct page			*large[NR_LARGE];
	struct list_head		others;
};

static bool frag_take(struct frag *f, unsigned long nr)
{
	while (nr--) {
		struct page *page = f->pool->alloc(FRAG_GFP, 0);

		if (!page)
			return false;
		f->pages[f->nr_held++] = page;
	}
	return true;
}

static void frag_give(struct frag *f, unsigned long nr)
{
	while (nr--) {
		unsigned long i = prandom_u32_state(&f->rnd) % f->nr_held;

		f->pool->free(f->pages[i], 0);
		f->pages[i] = f->pages[--f->nr_held];
	}
}

static void frag_print(struct seq_file *m, const char *who, unsigned int round, u64 whole, u64 free)
{
	u64 share = free ? div64_u64(whole * 10000, free) : 0;

	seq_printf(m, "bench: %s.frag.%u %llu.%04llu\n", who, round, share / 10000, share % 10000);
}

/*
 * The workload over a pool of @nr_pages; @sample gets the round. Even after a failure, no page is
 * held afterwards.
 */
static bool frag_run(struct frag *f, unsigned long nr_pages, struct seq_file *m,
		     void (*sample)(struct frag *f, struct seq_file *m, unsigned int round))
{
	unsigned int round;
	bool ok;

	prandom_seed_state(&f->rnd, SEED);
	ok = frag_take(f, nr_pages / 10 * 9);
	if (ok) {
		frag_give(f, f->nr_held / 2);
		sample(f, m, 0);
	}
	for (round = 1; ok && round <= ROUNDS; round++) {
		unsigned long nr = f->nr_held / 10;

		frag_give(f, nr);
		ok = frag_take(f, nr);
		sample(f, m, round);
		cond_resched();
	}
	return ok;
}

static struct frag *frag_create(const struct bench_allocator *pool, unsigned long nr_pages)
{
	struct frag *f = kzalloc(sizeof(*f), GFP_KERNEL);

	if (!f)
		return NULL;
	f->pool = pool;
	f->pages = kvmalloc_array(nr_pages, sizeof(*f->pages), GFP_KERNEL);
	INIT_LIST_HEAD(&f->others);
	if (f->pages)
		return f;
	kfree(f);
	return NULL;
}

static void frag_destroy(struct frag *f)
{
	frag_give(f, f->nr_held);
	kvfree(f->pages);
	kfree(f);
}

/* --- pocketmm's pool -------------------------------------------------------------------------- */

/* Count the pool's blocks that no held page lies in. The chunk begins with a block. */
static void own_sample(struct frag *f, struct seq_file *m, unsigned int round)
{
	unsigned long nr_pages = f->nr_held + pmm_nr_free_pages();
	unsigned long i, first = ULONG_MAX, used = 0, *map;

	for (i = 0; i < f->nr_held; i++)
		first = min(first, page_to_pfn(f->pages[i]) >> BLOCK_ORDER);
	map = bitmap_zalloc(nr_pages / BLOCK_PAGES + 1, GFP_KERNEL);
	if (!map)
		return;
	for (i = 0; i < f->nr_held; i++)
		used += !__test_and_set_bit((page_to_pfn(f->pages[i]) >> BLOCK_ORDER) - first, map);
	bitmap_free(map);
	frag_print(m, "own", round, nr_pages - used * BLOCK_PAGES, pmm_nr_free_pages());
}

/* The pages that the last run left, so that its free lists can be examined. */
static struct frag *kept;

/**
 * bench_own_frag_end() - give back the pages that bench_own_frag() left
 * @m: gets nothing
 */
void bench_own_frag_end(struct seq_file *m)
{
	if (kept)
		frag_destroy(kept);
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
	unsigned long nr_pages;

	bench_own_frag_end(m);
	nr_pages = pmm_nr_free_pages();
	kept = frag_create(&bench_own, nr_pages);
	if (!kept || !frag_run(kept, nr_pages, m, own_sample))
		seq_puts(m, "bench: own.frag failed\n");
}

/* --- the kernel's ----------------------------------------------------------------------------- */

/* Takes every free page, the largest blocks first. */
static void kernel_take_others(struct frag *f)
{
	int order;

	for (order = LARGE_ORDER; order >= 0; order--)
		for (;;) {
			struct page *page = alloc_pages(FRAG_GFP, order);

			if (!page)
				break;
			set_page_private(page, order);
			list_add(pmm_page_links(page), &f->others);
		}
}

static void kernel_give_others(struct frag *f)
{
	struct list_head *links, *next;

	list_for_each_safe(links, next, &f->others) {
		struct page *page = pmm_page_of_links(links);
		unsigned int order = page_private(page);

		list_del(links);
		set_page_private(page, 0);
		__free_pages(page, order);
	}
}

static void kernel_give_large(struct frag *f)
{
	unsigned int i;

	for (i = 0; i < NR_LARGE; i++)
		if (f->large[i])
			__free_pages(f->large[i], LARGE_ORDER);
}

/* Free pages, even on per-CPU lists, have no reference; a used block's first page has one. */
static unsigned int free_pages_in(const struct page *page)
{
	unsigned int i, nr = 0;

	for (i = 0; i < BLOCK_PAGES; i++)
		nr += !page_count(page + i);
	return nr;
}

static void kernel_sample(struct frag *f, struct seq_file *m, unsigned int round)
{
	unsigned int i, j, nr;
	u64 whole = 0, free = 0;

	for (i = 0; i < NR_LARGE; i++)
		for (j = 0; j < 1 << LARGE_ORDER; j += BLOCK_PAGES) {
			nr = free_pages_in(f->large[i] + j);
			free += nr;
			if (nr == BLOCK_PAGES)
				whole += nr;
		}
	frag_print(m, "kernel", round, whole, free);
}

static bool kernel_frag(struct frag *f, struct seq_file *m)
{
	unsigned int i;
	bool ok = true;

	for (i = 0; ok && i < NR_LARGE; i++) {
		f->large[i] = alloc_pages(FRAG_GFP, LARGE_ORDER);
		ok = f->large[i];
	}
	if (ok)
		kernel_take_others(f);
	kernel_give_large(f);
	if (ok)
		ok = frag_run(f, SZ_256M >> PAGE_SHIFT, m, kernel_sample);
	kernel_give_others(f);
	return ok;
}

/**
 * bench_kernel_frag() - the same workload on the kernel's own allocator
 * @m: gets the shares
 */
void bench_kernel_frag(struct seq_file *m)
{
	struct frag *f = frag_create(&bench_kernel, SZ_256M >> PAGE_SHIFT);

	if (!f || !kernel_frag(f, m))
		seq_puts(m, "bench: kernel.frag failed\n");
	if (f)
		frag_destroy(f);
}

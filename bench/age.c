// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's benchmarks: how a pool ages.
 *
 * One way is to take 90 % of it in pages of order 0, to give back a random half of them, and then
 * to churn: again and again a random 10 % of the held pages is given back and as many are taken.
 * The other takes 95 % and gives back every other frame by address, like the squares of one colour
 * on a checkerboard: except for the pages that were never taken, only single ones are free. The
 * random numbers are the same each time.
 *
 * The kernel's own allocator gets a pool of 256 MiB by taking everything else from it first.
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include "age.h"
#include "host/struct_page.h"

#define SEED		20040224

/* Without reclaim, which would bring back the pages taken away to make the pool. */
#define AGE_GFP		(BENCH_GFP & ~__GFP_RECLAIM)

static bool age_take(struct age *age, unsigned long nr)
{
	while (nr--) {
		struct page *page = age->pool->alloc(AGE_GFP, 0);

		if (!page)
			return false;
		age->pages[age->nr_held++] = page;
	}
	return true;
}

static void age_give_one(struct age *age, unsigned long i)
{
	age->pool->free(age->pages[i], 0);
	age->pages[i] = age->pages[--age->nr_held];
}

static void age_give(struct age *age, unsigned long nr)
{
	while (nr--)
		age_give_one(age, prandom_u32_state(&age->rnd) % age->nr_held);
}

/**
 * age_fill() - take 90 % of the pool and give back a random half of that
 * @age: the pool, of which nothing is held
 *
 * Return: Whether there were as many pages.
 */
bool age_fill(struct age *age)
{
	if (!age_take(age, age->nr_pages / 10 * 9))
		return false;
	age_give(age, age->nr_held / 2);
	return true;
}

/**
 * age_churn() - give back a random 10 % of the held pages and take as many: a round
 * @age: the pool, after age_fill()
 *
 * Return: Whether there were as many pages.
 */
bool age_churn(struct age *age)
{
	unsigned long nr = age->nr_held / 10;

	age_give(age, nr);
	cond_resched();
	return age_take(age, nr);
}

/**
 * age_checker() - take 95 % of the pool and give back every other frame
 * @age: the pool, of which nothing is held
 *
 * Return: Whether there were as many pages.
 */
bool age_checker(struct age *age)
{
	unsigned long i;

	if (!age_take(age, age->nr_pages / 20 * 19))
		return false;
	for (i = age->nr_held; i--;)
		if (page_to_pfn(age->pages[i]) & 1)
			age_give_one(age, i);
	return true;
}

static struct age *age_create(const struct bench_allocator *pool, unsigned long nr_pages)
{
	struct age *age = kzalloc(sizeof(*age), GFP_KERNEL);

	if (!age)
		return NULL;
	age->pool = pool;
	age->nr_pages = nr_pages;
	age->pages = kvmalloc_array(nr_pages, sizeof(*age->pages), GFP_KERNEL);
	prandom_seed_state(&age->rnd, SEED);
	INIT_LIST_HEAD(&age->others);
	if (age->pages)
		return age;
	kfree(age);
	return NULL;
}

/**
 * age_create_own() - pocketmm's pool, which must be unused
 *
 * Return: The pool, or NULL.
 */
struct age *age_create_own(void)
{
	return age_create(&bench_own, pmm_nr_free_pages());
}

/* Takes every free page, the largest blocks first. */
static void kernel_take_others(struct age *age)
{
	int order;

	for (order = LARGE_ORDER; order >= 0; order--)
		for (;;) {
			struct page *page = alloc_pages(AGE_GFP, order);

			if (!page)
				break;
			set_page_private(page, order);
			list_add(pmm_page_links(page), &age->others);
		}
}

static void kernel_give_others(struct age *age)
{
	struct list_head *links, *next;

	list_for_each_safe(links, next, &age->others) {
		struct page *page = pmm_page_of_links(links);
		unsigned int order = page_private(page);

		list_del(links);
		set_page_private(page, 0);
		__free_pages(page, order);
	}
}

static void kernel_give_large(struct age *age)
{
	unsigned int i;

	for (i = 0; i < NR_LARGE; i++)
		if (age->large[i])
			__free_pages(age->large[i], LARGE_ORDER);
}

/**
 * age_create_kernel() - make the kernel's own pool small
 *
 * Return: The pool, or NULL when the kernel has not as many large blocks.
 */
struct age *age_create_kernel(void)
{
	struct age *age = age_create(&bench_kernel, SZ_256M >> PAGE_SHIFT);
	unsigned int i;
	bool ok = age;

	for (i = 0; ok && i < NR_LARGE; i++) {
		age->large[i] = alloc_pages(AGE_GFP, LARGE_ORDER);
		ok = age->large[i];
	}
	if (ok)
		kernel_take_others(age);
	if (age)
		kernel_give_large(age);
	if (ok)
		return age;
	age_destroy(age);
	return NULL;
}

/**
 * age_destroy() - give back all pages that are held, and those taken to make the kernel's pool
 * @age: the pool, or NULL
 */
void age_destroy(struct age *age)
{
	if (!age)
		return;
	kernel_give_others(age);
	age_give(age, age->nr_held);
	kvfree(age->pages);
	kfree(age);
}

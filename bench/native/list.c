// SPDX-License-Identifier: GPL-2.0-only
/*
 * Native: an allocator that is a list of single pages under a lock, linked through the pages'
 * descriptors, which are a cache line each, as a struct page is. It checks nothing.
 */
#include "shim.h"

#include "native.h"

struct single {
	_Alignas(SHIM_CACHE_LINE) struct single *next;
};

static _Alignas(NATIVE_HUGE) struct single pages[NATIVE_PAGES];
static _Alignas(SHIM_CACHE_LINE) spinlock_t lock;
static struct single *first;

static inline void *take(unsigned int order)
{
	struct single *page;

	shim_lock(&lock, true);
	page = first;
	if (page)
		first = page->next;
	shim_unlock(&lock, true);
	return page;
}

static inline void give(void *block, unsigned int order)
{
	struct single *page = block;

	shim_lock(&lock, true);
	page->next = first;
	first = page;
	shim_unlock(&lock, true);
}

#include "workloads.h"

static void init(void)
{
	unsigned long i;

	native_use_huge_pages(pages, sizeof(pages));
	first = NULL;
	for (i = NATIVE_PAGES; i-- > 0; )
		give(pages + i, 0);
}

static const char *check(void)
{
	const struct single *page;
	unsigned long nr = 0;

	for (page = first; page && nr <= NATIVE_PAGES; page = page->next)
		nr++;
	return nr == NATIVE_PAGES ? NULL : "pages are missing";
}

const struct native_allocator native_list = {
	.name = "list", .largest = 0, .threads = NATIVE_THREADS,
	.init = init, .run = run, .check = check,
};

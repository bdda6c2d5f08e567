// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: a driver that drops references that are not its own, or leaves behind
 * more in a page than its contents. Each case is a file of its own (main.c), because most of them
 * cost the pool a block for good.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/vmalloc.h>

#include "client.h"

/* Is the page handed out again? Takes the whole pool, and gives it back. */
static bool comes_again(const struct page *page)
{
	struct page *taken, *last = NULL;
	bool again = false;

	while ((taken = pmm_alloc_page(GFP_KERNEL | __GFP_NOWARN))) {
		again |= taken == page;
		*(struct page **)page_address(taken) = last;
		last = taken;
	}
	while (last) {
		taken = last;
		last = *(struct page **)page_address(taken);
		__pmm_free_pages(taken, 0);
	}
	return again;
}

static void stray_put(void)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL), *block = pmm_alloc_pages(GFP_KERNEL, 3);

	put_page(page);
	__pmm_free_pages(page, 0);
	CHECK(!comes_again(page));
	put_page(block + 5);
	put_page(block + 5);
	__pmm_free_pages(block, 3);
	CHECK(!comes_again(block + 5));
	CHECK(!comes_again(block));
}

/* The kernel's own call, which frees a block only if it drops the last reference. */
static void stray_kernel_free(void)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL);
	unsigned int i;

	for (i = 0; i < 5000; i++)
		__free_page(page);
	__pmm_free_pages(page, 0);
	CHECK(!comes_again(page));
}

/* The page is free when its reference goes. */
static void stray_put_after_free(void)
{
	struct page *page = pmm_alloc_pages(GFP_KERNEL, 8);

	__pmm_free_pages(page, 8);
	put_page(page);
	CHECK(!comes_again(page));
}

static void stray_put_while_mapped(void)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL);
	void *area = pmm_vmap(&page, 1, PMM_VM_MAP, PAGE_KERNEL);

	CHECK(area);
	put_page(page);
	put_page(page);
	__pmm_free_pages(page, 0);
	pmm_vunmap(area);
	pmm_vm_unmap_aliases();
	CHECK(!comes_again(page));
}

static void leave_locked(unsigned int order)
{
	struct page *page = pmm_alloc_pages(GFP_KERNEL, order);
	unsigned long i;

	for (i = 0; i < 1UL << order; i++) {
		lock_page(page + i);
		SetPageDirty(page + i);
		set_page_private(page + i, 17);
	}
	__pmm_free_pages(page, order);
	for (i = 0; i < 1UL << order; i++)
		CHECK(!PageLocked(page + i) && !PageDirty(page + i) && !page_private(page + i));
	CHECK(comes_again(page));
}

static void stray_locked(void)
{
	leave_locked(0);
	leave_locked(3);
	leave_locked(7);
}

/* Nor does a word without a flag go from owner to owner. */
static void stray_private(void)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL), *taken, *last = NULL;

	set_page_private(page, 17);
	__pmm_free_pages(page, 0);
	while ((taken = pmm_alloc_page(GFP_KERNEL | __GFP_NOWARN))) {
		CHECK(!page_private(taken));
		*(struct page **)page_address(taken) = last;
		last = taken;
	}
	while (last) {
		taken = last;
		last = *(struct page **)page_address(taken);
		__pmm_free_pages(taken, 0);
	}
}

static bool is_zero(const void *at, size_t size)
{
	return !memchr_inv(at, 0, size);
}

/* Whether init_on_alloc=1 or init_on_free=1 are in force is the kernel's to say. */
static void stray_contents(void)
{
	bool zeroed = want_init_on_alloc(GFP_KERNEL) || want_init_on_free();
	unsigned long size = 20 * PAGE_SIZE;
	struct page *pages[8] = { };
	unsigned int order, i;
	void *at;

	if (!zeroed) {
		client_skip("init_on_alloc=0");
		return;
	}
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		for (i = 0; i < 2; i++) {
			pages[0] = pmm_alloc_pages(GFP_KERNEL, order);
			at = page_address(pages[0]);
			CHECK(is_zero(at, PAGE_SIZE << order));
			memset(at, 0x5a, PAGE_SIZE << order);
			__pmm_free_pages(pages[0], order);
			CHECK_EQ(is_zero(at, PAGE_SIZE << order), want_init_on_free());
		}
	}
	pages[0] = NULL;
	CHECK_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, 8, pages), 8);
	for (i = 0; i < 8; i++) {
		CHECK(is_zero(page_address(pages[i]), PAGE_SIZE));
		memset(page_address(pages[i]), 0x5a, PAGE_SIZE);
	}
	pmm_free_pages_bulk(8, pages);
	for (i = 0; i < 4; i++, size = i % 2 ? 3 * PAGE_SIZE : 700 * PAGE_SIZE) {
		at = pmm_vmalloc(size);
		CHECK(at && is_zero(at, size));
		memset(at, 0x5a, size);
		pmm_vfree(at);
	}
}

/* Memory that has failed; the kernel takes it back as such, and does not use it either. */
static void stray_hwpoison(void)
{
#ifdef CONFIG_MEMORY_FAILURE
	struct page *page = pmm_alloc_page(GFP_KERNEL);

	memset(page_address(page), 0x5a, PAGE_SIZE);
	SetPageHWPoison(page);
	__pmm_free_pages(page, 0);
	CHECK(!comes_again(page));
	CHECK(PageHWPoison(page));
	CHECK(!memchr_inv(page_address(page), 0x5a, PAGE_SIZE));
#else
	client_skip("this kernel knows no failed memory");
#endif
}

const struct client_case client_stray_cases[] = {
	{ "put", stray_put },
	{ "kernel_free", stray_kernel_free },
	{ "put_after_free", stray_put_after_free },
	{ "put_while_mapped", stray_put_while_mapped },
	{ "locked", stray_locked },
	{ "private", stray_private },
	{ "contents", stray_contents },
	{ "hwpoison", stray_hwpoison },
	{ }
};

/* --- pages that are given away on purpose ----------------------------------------------------- */

static struct page **away;
static unsigned long nr_away;

/*
 * Drops all of the pool's references to so many pages, so that the kernel has them; a second write
 * frees the first half of them, as if nothing had happened.
 */
int client_give_away(unsigned long nr)
{
	unsigned long i;

	if (away) {
		for (i = 0; i < nr_away / 2; i++)
			__pmm_free_pages(away[i], 0);
		vfree(away);
		away = NULL;
		return 0;
	}
	away = vmalloc(array_size(nr, sizeof(*away)));
	if (!away)
		return -ENOMEM;
	for (nr_away = 0; nr_away < nr; nr_away++) {
		away[nr_away] = pmm_alloc_page(GFP_KERNEL);
		if (!away[nr_away])
			return -ENOMEM;
	}
	for (i = 0; i < nr; i++) {
		page_ref_sub(away[i], PMM_PAGE_REFS - 1);
		__free_page(away[i]);
	}
	return 0;
}

/* How many of them somebody has taken from the kernel since. */
unsigned long client_nr_taken(void)
{
	unsigned long i, nr = 0;

	for (i = 0; away && i < nr_away; i++)
		nr += page_count(away[i]) > 0;
	return nr;
}

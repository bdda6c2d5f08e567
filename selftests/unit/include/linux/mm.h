/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/mm.h>. */
#ifndef UNIT_LINUX_MM_H
#define UNIT_LINUX_MM_H

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm_types.h>

#include "shim.h"

#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL
#define PAGE_ALIGN(x)		(((x) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))
#define PAGE_ALIGNED(x)		IS_ALIGNED((unsigned long)(x), PAGE_SIZE)

static inline int page_ref_count(const struct page *page)
{
	return READ_ONCE(page->_refcount.counter);
}

static inline void set_page_count(struct page *page, int count)
{
	page->_refcount.counter = count;
}

static inline void get_page(struct page *page)
{
	page->_refcount.counter++;
}

/* The page is the pool's: the last reference, which is its own, never goes. */
static inline void put_page(struct page *page)
{
	page->_refcount.counter--;
	shim_assert(page->_refcount.counter > 0, "last reference to a page dropped");
}

/* The kernel's parameters of the same names, which a test may set before it makes a zone. */
extern bool shim_init_on_alloc, shim_init_on_free;

static inline bool want_init_on_alloc(gfp_t gfp)
{
	return shim_init_on_alloc || gfp & __GFP_ZERO;
}

static inline bool want_init_on_free(void)
{
	return shim_init_on_free;
}

/*
 * The direct map has the pages that were given to shim_direct_map(), and nothing else. Where a test
 * gives them contents, the direct map is where the contents are.
 */
#define SHIM_DIRECT_MAP	\
	(shim_page_contents ? (unsigned long)shim_page_contents : 0xffff888000000000UL)

static inline void *page_address(const struct page *page)
{
	return (void *)(SHIM_DIRECT_MAP + ((page - shim_direct_map) << PAGE_SHIFT));
}

static inline struct page *virt_to_page(const void *addr)
{
	return shim_direct_map + (((unsigned long)addr - SHIM_DIRECT_MAP) >> PAGE_SHIFT);
}

static inline bool virt_addr_valid(const void *addr)
{
	return (unsigned long)addr - SHIM_DIRECT_MAP < shim_direct_map_pages << PAGE_SHIFT;
}

#endif /* UNIT_LINUX_MM_H */

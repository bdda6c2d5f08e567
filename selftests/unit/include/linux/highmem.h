/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for <linux/highmem.h>: pages have no contents, only whether they were cleared last, and
 * the direct map has the addresses that were given to shim_direct_map().
 */
#ifndef UNIT_LINUX_HIGHMEM_H
#define UNIT_LINUX_HIGHMEM_H

#include <linux/mm.h>

#include "shim.h"

static inline void clear_highpage(struct page *page)
{
	page->shim_cleared = true;
}

#endif /* UNIT_LINUX_HIGHMEM_H */

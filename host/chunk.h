/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the chunk, a contiguous run of real pages that the kernel lends.
 */
#ifndef POCKETMM_CHUNK_H
#define POCKETMM_CHUNK_H

#include <linux/types.h>

/* The least that chunk= and window= may be. */
#define PMM_CHUNK_MIN	(64UL << 10)

struct page;

/**
 * struct pmm_chunk_request - the pages to take
 * @nr_pages: how many
 * @node: the NUMA node to take them from, or NUMA_NO_NODE for any
 * @below: the physical address that they must end at or below, or 0 for none
 */
struct pmm_chunk_request {
	unsigned long	nr_pages;
	int		node;
	u64		below;
};

struct page *pmm_chunk_reserve(const struct pmm_chunk_request *want);
void pmm_chunk_release(struct page *pages, unsigned long nr_pages);

#endif /* POCKETMM_CHUNK_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the record that packed.c keeps of each largest block, and its calls for the rest of the
 * zone.
 */
#ifndef POCKETMM_PACKED_H
#define POCKETMM_PACKED_H

#include "zone.h"

/**
 * struct pmm_pageblock - how full a largest block is, for placement=packed; packed.c
 * @node: in packed[@max_order], by @nr_free and then by address
 * @nr_free: its pages that are on free lists
 * @max_order: the largest order of its free blocks, or -1: then it is in no tree
 */
struct pmm_pageblock {
	struct rb_node	node;
	unsigned short	nr_free;
	signed char	max_order;
};

int pmm_packed_init(struct pmm_zone *zone);
void pmm_packed_destroy(struct pmm_zone *zone);
unsigned long pmm_packed_pick(struct pmm_zone *zone, unsigned int order);
void pmm_packed_update(struct pmm_zone *zone, unsigned long index, long freed);

#endif /* POCKETMM_PACKED_H */

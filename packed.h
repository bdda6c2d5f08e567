/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the record that packed.c keeps of each largest block, and its rule for the zone.
 */
#ifndef POCKETMM_PACKED_H
#define POCKETMM_PACKED_H

#include "zone.h"

/**
 * struct pmm_pageblock - how full a largest block is, for placement=packed; packed.c
 * @node: in packed[@fill.max_order], by @fill.nr_free and then by address; in none when nothing is
 *	free
 * @fill: how full it is
 */
struct pmm_pageblock {
	struct rb_node	node;
	struct pmm_fill	fill;
};

extern const struct pmm_placement_ops pmm_packed;

#endif /* POCKETMM_PACKED_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: walks over a zone, however large, that keep interrupts off for one piece at a time.
 */
#ifndef POCKETMM_WALK_H
#define POCKETMM_WALK_H

#include <linux/types.h>

struct pmm_zone;

#define PMM_WALK_TRIES		4	/* walks, before changes meanwhile are put up with */
#define PMM_WALK_ENTRIES	2048	/* of a list, at once */
#define PMM_WALK_BITS		(64UL * PMM_MAX_ORDER_PAGES)	/* pages; whole words of each map */

/* What the zone and its per-CPU lists have done so far; equal only if nothing has changed. */
struct pmm_moment {
	u64	zone;
	u64	pcp;
};

/* Looks at the pages from @index to @end, with zone->lock held; false ends the walk. */
typedef bool (*pmm_visit_t)(struct pmm_zone *zone, unsigned long index, unsigned long end,
			    void *arg);

u64 __pmm_zone_moment(const struct pmm_zone *zone);
void __pmm_moment(struct pmm_zone *zone, struct pmm_moment *moment);
void pmm_moment(struct pmm_zone *zone, struct pmm_moment *moment);
bool pmm_zone_walk(struct pmm_zone *zone, unsigned long step, pmm_visit_t visit, void *arg);
bool pmm_zone_snapshot(struct pmm_zone *zone, unsigned long step, pmm_visit_t visit, void *arg);

#endif /* POCKETMM_WALK_H */

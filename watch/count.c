// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: how many blocks are free, and how much memory the zone needs for itself.
 *
 * It only reads, and compiles unchanged in user space. Functions whose names begin with a double
 * underscore run with zone->lock held.
 */
#include "internal.h"

/* Each pair bit that is 1 stands for one free block. A largest block has none, but its state. */
static bool __pmm_count_free(struct pmm_zone *zone, unsigned long index, unsigned long end,
			     void *arg)
{
	unsigned long *nr_free = arg;
	unsigned int order;

	if (!index)
		memset(nr_free, 0, PMM_MAX_ORDER * sizeof(*nr_free));
	for (order = 0; order < PMM_MAX_ORDER - 1; order++) {
		unsigned long first = index >> (1 + order), pairs = DIV_ROUND_UP(end, 2UL << order);

		nr_free[order] += bitmap_weight(zone->free_area[order].map + first / BITS_PER_LONG,
						pairs - first);
	}
	for (; index < end; index += PMM_MAX_ORDER_PAGES)
		nr_free[order] += zone->state[index] == PMM_STATE(PMM_FREE, order);
	return true;
}

/**
 * pmm_zone_count_free() - how many blocks of each order are free
 * @zone: the zone
 * @nr_free: one entry per order
 *
 * Context: As pmm_zone_snapshot(), which says how exact the result is.
 */
void pmm_zone_count_free(struct pmm_zone *zone, unsigned long *nr_free)
{
	pmm_zone_snapshot(zone, PMM_WALK_BITS, __pmm_count_free, nr_free);
}

/**
 * pmm_zone_map_bytes() - the size of the pair-bit maps
 * @zone: the zone
 *
 * Context: Any.
 * Return: Bytes.
 */
unsigned long pmm_zone_map_bytes(const struct pmm_zone *zone)
{
	unsigned long bytes = 0;
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER - 1; order++)
		bytes += BITS_TO_LONGS(pmm_nr_pairs(zone, order)) * sizeof(unsigned long);
	return bytes;
}

/**
 * pmm_zone_metadata() - the memory that the zone needs in addition to its pages
 * @zone: the zone
 *
 * Context: Any.
 * Return: Bytes of pair-bit maps, state bytes and, if there are any, records of largest blocks; the
 * per-CPU lists add sizeof(struct pmm_pcp) per CPU, however large the zone.
 */
unsigned long pmm_zone_metadata(const struct pmm_zone *zone)
{
	unsigned long bytes = pmm_nr_states(zone) + pmm_zone_map_bytes(zone);

	if (zone->placement->bytes)
		bytes += zone->placement->bytes(zone);
	return bytes;
}

/**
 * pmm_nr_states() - the number of state bytes
 * @zone: the zone
 *
 * Context: Any.
 * Return: As many as pages up to the end of the last largest block, so that the buddy of every page
 * has one.
 */
unsigned long pmm_nr_states(const struct pmm_zone *zone)
{
	return ALIGN(zone->nr_pages, PMM_MAX_ORDER_PAGES);
}

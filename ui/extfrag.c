// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: how fragmented the free memory is, by the two measures that the kernel has for its own
 * in debugfs' extfrag/ (mm/vmstat.c), in its format and with its rounding.
 *
 * Free blocks are counted under zone->lock and judged after. What per-CPU lists keep is not
 * counted, as in the kernel.
 */
#include <linux/math64.h>
#include <linux/seq_file.h>

#include "internal.h"

struct pmm_free_count {
	unsigned long	pages;
	unsigned long	blocks;
	unsigned long	nr[PMM_MAX_ORDER];
};

static void pmm_count_free(struct pmm_free_count *count)
{
	unsigned long flags;
	unsigned int order;

	spin_lock_irqsave(&pmm_zone.lock, flags);
	pmm_zone_count_free(&pmm_zone, count->nr);
	spin_unlock_irqrestore(&pmm_zone.lock, flags);
	count->pages = 0;
	count->blocks = 0;
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		count->pages += count->nr[order] << order;
		count->blocks += count->nr[order];
	}
}

/* Blocks of this order that could be had. */
static unsigned long pmm_suitable(const struct pmm_free_count *count, unsigned int order)
{
	unsigned long nr = 0;
	unsigned int o;

	for (o = order; o < PMM_MAX_ORDER; o++)
		nr += count->nr[o] << (o - order);
	return nr;
}

/* Thousandths of the free memory that are of no use for an allocation of this order. */
static unsigned int pmm_unusable(const struct pmm_free_count *count, unsigned int order)
{
	if (!count->pages)
		return 1000;
	return div64_ul((count->pages - (pmm_suitable(count, order) << order)) * 1000ULL,
			count->pages);
}

/*
 * Why such an allocation would fail, in thousandths: towards 0 for want of memory, towards 1000 for
 * fragmentation; -1000 when it would not fail, 0 when nothing at all is free.
 */
static int pmm_extfrag(const struct pmm_free_count *count, unsigned int order)
{
	if (!count->blocks)
		return 0;
	if (pmm_suitable(count, order))
		return -1000;
	return 1000 - (int)div64_ul(1000 + ((count->pages * 1000ULL) >> order), count->blocks);
}

static void pmm_show_zone(struct seq_file *m)
{
	seq_printf(m, "Node %d, zone %8s ", page_to_nid(pmm_zone.mem_map), pmm_zone.name);
}

/* debugfs' unusable_index. */
int pmm_unusable_show(struct seq_file *m, void *unused)
{
	struct pmm_free_count count;
	unsigned int order, index;

	pmm_count_free(&count);
	pmm_show_zone(m);
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		index = pmm_unusable(&count, order);
		seq_printf(m, "%u.%03u ", index / 1000, index % 1000);
	}
	seq_putc(m, '\n');
	return 0;
}

/* debugfs' extfrag_index. */
int pmm_extfrag_show(struct seq_file *m, void *unused)
{
	struct pmm_free_count count;
	unsigned int order;
	int index;

	pmm_count_free(&count);
	pmm_show_zone(m);
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		index = pmm_extfrag(&count, order);
		seq_printf(m, "%2d.%03d ", index / 1000, index % 1000);
	}
	seq_putc(m, '\n');
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: debugfs' files `unusable_index` and `extfrag_index`: how fragmented free memory is.
 *
 * The two measures, their format and their rounding are those of the kernel's own files in
 * debugfs' extfrag/ (mm/vmstat.c). The indices are computed from the counts of free blocks, which
 * are one snapshot. As in the kernel, pages on per-CPU lists are not counted. No state;
 * process context.
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
	unsigned int order;

	pmm_zone_count_free(&pmm_zone, count->nr);
	count->pages = 0;
	count->blocks = 0;
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		count->pages += count->nr[order] << order;
		count->blocks += count->nr[order];
	}
}

/* How many blocks of this order could be allocated. */
static unsigned long pmm_suitable(const struct pmm_free_count *count, unsigned int order)
{
	unsigned long nr = 0;
	unsigned int o;

	for (o = order; o < PMM_MAX_ORDER; o++)
		nr += count->nr[o] << (o - order);
	return nr;
}

/* The share of free memory that an allocation of this order cannot use, in thousandths. */
static unsigned int pmm_unusable(const struct pmm_free_count *count, unsigned int order)
{
	if (!count->pages)
		return 1000;
	return div64_ul((count->pages - (pmm_suitable(count, order) << order)) * 1000ULL,
			count->pages);
}

/*
 * Why an allocation of this order would fail, in thousandths: towards 0 because memory is short,
 * towards 1000 because it is fragmented. -1000 if it would not fail; 0 if nothing is free.
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

/**
 * pmm_unusable_show() - print debugfs' file `unusable_index`
 * @m: the open file
 * @unused: not used
 *
 * Context: Process context.
 * Return: 0.
 */
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

/**
 * pmm_extfrag_show() - print debugfs' file `extfrag_index`
 * @m: the open file
 * @unused: not used
 *
 * Context: Process context.
 * Return: 0.
 */
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

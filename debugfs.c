// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the directory /sys/kernel/debug/pocketmm and its small files.
 *
 * A table has one row for each file. A small file is shown whole by one function here; large files
 * are shown line by line by lines.c and lists.c. The state is copied under the lock that protects
 * it and printed after the lock is dropped. Each read from the start of a file shows the current
 * state. Only files of mode 0400 have addresses in them. Process context; the only state is the
 * directory.
 *
 * Under lockdown a file stays readable only if it has no write bit.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/seq_file.h>

#include "purge.h"
#include "host/window.h"

#define K(pages)	((pages) << (PAGE_SHIFT - 10))

static struct dentry *pmm_dir;

/* --- small files: one function shows all of it ------------------------------------------------ */

static int pmm_version_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "1\n");
	return 0;
}

/* /proc/buddyinfo's format. */
static int pmm_buddyinfo_show(struct seq_file *m, void *unused)
{
	unsigned long nr_free[PMM_MAX_ORDER];
	unsigned int order;

	pmm_zone_count_free(&pmm_zone, nr_free);
	seq_printf(m, "Node %d, zone %8s ", page_to_nid(pmm_zone.mem_map), pmm_zone.name);
	for (order = 0; order < PMM_MAX_ORDER; order++)
		seq_printf(m, "%6lu ", nr_free[order]);
	seq_putc(m, '\n');
	return 0;
}

/* 2.6.28's lines about the per-CPU lists. They count pages, of all orders together. */
static void pmm_show_cpus(struct seq_file *m)
{
	unsigned int cpu;

	if (!pmm_zone.pcp)
		return;
	seq_printf(m, "%s per-cpu:\n", pmm_zone.name);
	for_each_online_cpu(cpu)
		seq_printf(m, "CPU %4u: hi:%5u, btch:%4u usd:%4u\n", cpu, pmm_zone.pcp_high,
			   pmm_zone.pcp_batch, pmm_pcp_used(&pmm_zone, cpu));
}

/*
 * As 2.4's show_free_areas() prints a zone, unmatched closing parenthesis included.
 */
static int pmm_showmem_show(struct seq_file *m, void *unused)
{
	unsigned long nr_free[PMM_MAX_ORDER], total = 0, min = pmm_zone.pages_min;
	unsigned int order;

	pmm_zone_count_free(&pmm_zone, nr_free);
	for (order = 0; order < PMM_MAX_ORDER; order++)
		total += nr_free[order] << order;
	seq_printf(m, "Free pages:      %6lukB (%6lukB HighMem)\n", K(total), 0UL);
	seq_printf(m, "Zone:%s freepages:%6lukB min:%6lukB low:%6lukB high:%6lukB\n", pmm_zone.name,
		   K(total), K(min), K(min * 2), K(min * 3));
	seq_printf(m, "( Active: %d, inactive: %d, free: %lu )\n", 0, 0, total);
	for (order = 0; order < PMM_MAX_ORDER; order++)
		seq_printf(m, "%lu*%lukB ", nr_free[order], K(1UL) << order);
	seq_printf(m, "= %lukB)\n", K(total));
	pmm_show_cpus(m);
	return 0;
}

static void pmm_show_refused(struct seq_file *m, const struct pmm_zone_stat *stat)
{
	static const char * const names[PMM_NR_FREE_RESULTS] = {
		[PMM_FREE_FOREIGN]	= "refused_foreign_page",
		[PMM_FREE_BAD_ORDER]	= "refused_bad_order",
		[PMM_FREE_DOUBLE]	= "refused_double_free",
		[PMM_FREE_WRONG_ORDER]	= "refused_wrong_order",
		[PMM_FREE_MIDDLE]	= "refused_middle_of_block",
		[PMM_FREE_MAPPED]	= "refused_mapped_page",
	};
	unsigned int i;

	for (i = PMM_FREE_FOREIGN; i <= PMM_FREE_MAPPED; i++)
		seq_printf(m, "%s %llu\n", names[i], stat->refused[i]);
	seq_printf(m, "refused_areas %lu\n", pmm_vmlist_refused(&pmm_vmlist));
}

static void pmm_show_window_stats(struct seq_file *m)
{
	seq_printf(m, "window_bytes %lu\n", pmm_window_size());
	seq_printf(m, "areas %lu\n",
		   READ_ONCE(pmm_vmlist.nr_areas) - READ_ONCE(pmm_vmlist.nr_lazy));
	seq_printf(m, "lazy_bytes %lu\n", pmm_purge_waiting());
	seq_printf(m, "tlb_flushes %llu\n", pmm_window_flushes());
	seq_printf(m, "purges %llu\n", pmm_purge_count());
}

static int pmm_stats_show(struct seq_file *m, void *unused)
{
	unsigned long flags, free_pages, parked_pages;
	struct pmm_zone_stat stat;
	struct pmm_pcp_count pcp;

	pmm_zone_hold(&pmm_zone, &flags);
	pmm_pcp_count(&pmm_zone, &pcp);
	stat = pmm_zone.stat;
	free_pages = pmm_zone.free_pages;
	parked_pages = pmm_zone.nr_parked + pmm_zone.nr_quarantined;
	pmm_zone_release(&pmm_zone, flags);

	seq_printf(m, "total_pages %lu\n", pmm_zone.nr_pages);
	seq_printf(m, "free_pages %lu\n", free_pages);
	seq_printf(m, "pcp_pages %lu\n", pcp.pages);
	seq_printf(m, "parked_pages %lu\n", parked_pages);
	seq_printf(m, "min_free_pages %lu\n", pmm_zone.pages_min);
	seq_printf(m, "metadata_bytes %lu\n", pmm_zone_metadata(&pmm_zone));
	seq_printf(m, "allocations %llu\n", stat.allocations + pcp.allocations);
	seq_printf(m, "pcp_allocations %llu\n", pcp.allocations);
	seq_printf(m, "failures %llu\n", stat.failures);
	seq_printf(m, "frees %llu\n", stat.frees + pcp.frees);
	seq_printf(m, "pcp_frees %llu\n", pcp.frees);
	seq_printf(m, "splits %llu\n", stat.splits);
	seq_printf(m, "merges %llu\n", stat.merges);
	seq_printf(m, "parked %llu\n", stat.parked);
	pmm_show_window_stats(m);
	pmm_show_refused(m, &stat);
	seq_printf(m, "fail_nth %ld\n", atomic_long_read(&pmm_fail_left));
	seq_printf(m, "poison_errors %ld\n",
		   pmm_zone.debug ? atomic_long_read(&pmm_zone.debug->nr_poison) : 0L);
	seq_printf(m, "redzone_errors %ld\n", pmm_redzone_errors());
	seq_printf(m, "quarantined %lu\n", READ_ONCE(pmm_zone.nr_quarantined));
	return 0;
}

static int pmm_verify_show(struct seq_file *m, void *unused)
{
	struct pmm_verdict v = { };

	if (!pmm_zone_verify(&pmm_zone, &v) || !pmm_window_verify(&v) ||
	    !pmm_debug_verify(&pmm_zone, &v)) {
		seq_printf(m, "corrupt: %s\n", v.why);
		return 0;
	}
	seq_printf(m, "ok pages=%lu blocks=%lu free=%lu used=%lu parked=%lu pcp=%lu",
		   pmm_zone.nr_pages, v.blocks, v.free_blocks, v.used_blocks, v.parked_blocks,
		   v.pcp_blocks);
	seq_printf(m, " pairs=%lu areas=%lu mapped=%lu\n", v.pairs, v.areas, v.mapped);
	return 0;
}

/* --- the directory ---------------------------------------------------------------------------- */

/* A small file has @show, a large one has @lines, and one that does more than print has @fops. */
struct pmm_file {
	const char			*name;
	umode_t				mode;
	int				(*show)(struct seq_file *m, void *unused);
	const struct seq_operations	*lines;
	const struct file_operations	*fops;
};

static int pmm_small_open(struct inode *inode, struct file *file)
{
	const struct pmm_file *row = inode->i_private;

	return single_open(file, row->show, NULL);
}

static const struct file_operations pmm_small_fops = {
	.owner		= THIS_MODULE,
	.open		= pmm_small_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int pmm_large_open(struct inode *inode, struct file *file)
{
	const struct pmm_file *row = inode->i_private;

	return pmm_lines_open(file, row->lines);
}

static const struct file_operations pmm_large_fops = {
	.owner		= THIS_MODULE,
	.open		= pmm_large_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= pmm_lines_release,
};

static const struct pmm_file pmm_files[] = {
	{ "version",		0444, .show = pmm_version_show },
	{ "buddyinfo",		0444, .show = pmm_buddyinfo_show },
	{ "freelist",		0444, .lines = &pmm_freelist_ops },
	{ "pairmap",		0444, .lines = &pmm_pairmap_ops },
	{ "blocks",		0444, .lines = &pmm_blocks_ops },
	{ "vmallocinfo",	0400, .lines = &pmm_vmallocinfo_ops },
	{ "window",		0444, .lines = &pmm_window_ops },
	{ "mappings",		0444, .lines = &pmm_mappings_ops },
	{ "showmem",		0444, .show = pmm_showmem_show },
	{ "unusable_index",	0444, .show = pmm_unusable_show },
	{ "extfrag_index",	0444, .show = pmm_extfrag_show },
	{ "page_owner",		0400, .lines = &pmm_page_owner_ops },
	{ "stats",		0444, .show = pmm_stats_show },
	{ "verify",		0400, .show = pmm_verify_show },
	{ "command",		0200, .fops = &pmm_command_fops },
	{ "result",		0400, .show = pmm_result_show },
	{ "mem",		0600, .fops = &pmm_mem_fops },
};

static void pmm_create_file(const struct pmm_file *row)
{
	const struct file_operations *fops = row->fops;

	if (!fops)
		fops = row->show ? &pmm_small_fops : &pmm_large_fops;
	/*
	 * debugfs wraps a file's operations to protect them from removal, but the wrapper has no
	 * mmap. Here the unwrapped file is as safe: the files are removed only at unload, and an
	 * open file prevents that.
	 */
	if (fops->mmap)
		debugfs_create_file_unsafe(row->name, row->mode, pmm_dir, (void *)row, fops);
	else
		debugfs_create_file(row->name, row->mode, pmm_dir, (void *)row, fops);
}

/**
 * pmm_debugfs_init() - create the directory and its files
 *
 * Without debugfs the module works all the same, so errors are ignored, as usual in the kernel.
 *
 * Context: Process context; may sleep.
 */
void pmm_debugfs_init(void)
{
	unsigned int i;

	pmm_dir = debugfs_create_dir("pocketmm", NULL);
	for (i = 0; i < ARRAY_SIZE(pmm_files); i++)
		pmm_create_file(&pmm_files[i]);
}

/**
 * pmm_debugfs_exit() - remove the directory
 *
 * No file in it is open, because an open file holds the module, and files can no longer be opened.
 *
 * Context: Process context; may sleep.
 */
void pmm_debugfs_exit(void)
{
	debugfs_remove(pmm_dir);
}

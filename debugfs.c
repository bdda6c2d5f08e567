// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: everything that is to be seen, under /sys/kernel/debug/pocketmm.
 *
 * One table has a row a file. A file is either shown whole by one function, or line by line from a
 * snapshot when it may be large. State is copied under the lock that protects it and printed after;
 * each read from the start of a file shows the state anew. Addresses are only in files of mode
 * 0400. Process context; own state: the directory.
 *
 * Files that can only be read stay readable under lockdown; any write bit would end that.
 */
#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kallsyms.h>
#include <linux/seq_file.h>

#include "purge.h"
#include "host/window.h"

#define K(pages)	((pages) << (PAGE_SHIFT - 10))

static struct dentry *pmm_dir;

/* --- small files: one function shows the whole ------------------------------------------------ */

static int pmm_version_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "1\n");
	return 0;
}

static void pmm_copy_nr_free(unsigned long *nr_free)
{
	unsigned long flags;

	spin_lock_irqsave(&pmm_zone.lock, flags);
	pmm_zone_count_free(&pmm_zone, nr_free);
	spin_unlock_irqrestore(&pmm_zone.lock, flags);
}

/* /proc/buddyinfo's format. */
static int pmm_buddyinfo_show(struct seq_file *m, void *unused)
{
	unsigned long nr_free[PMM_MAX_ORDER];
	unsigned int order;

	pmm_copy_nr_free(nr_free);
	seq_printf(m, "Node %d, zone %8s ", page_to_nid(pmm_zone.mem_map), pmm_zone.name);
	for (order = 0; order < PMM_MAX_ORDER; order++)
		seq_printf(m, "%6lu ", nr_free[order]);
	seq_putc(m, '\n');
	return 0;
}

/* 2.6.28's lines of the per-CPU lists; pages, of all orders together. */
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
 * The zone's lines of 2.4's show_free_areas(), closing parenthesis without an opening one included.
 */
static int pmm_showmem_show(struct seq_file *m, void *unused)
{
	unsigned long nr_free[PMM_MAX_ORDER], total = 0, min = pmm_zone.pages_min;
	unsigned int order;

	pmm_copy_nr_free(nr_free);
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

static unsigned long __pmm_nr_free_blocks(void)
{
	unsigned long nr_free[PMM_MAX_ORDER], nr = 0;
	unsigned int order;

	pmm_zone_count_free(&pmm_zone, nr_free);
	for (order = 0; order < PMM_MAX_ORDER; order++)
		nr += nr_free[order];
	return nr;
}

static void __pmm_copy_free_lists(u32 *indices, unsigned long room, unsigned long *nr)
{
	unsigned int order;
	struct page *page;

	for (order = 0; order < PMM_MAX_ORDER; order++) {
		nr[order] = 0;
		list_for_each_entry(page, &pmm_zone.free_area[order].free_list, lru) {
			if (!room--)	/* only a corrupt list gets here */
				return;
			*indices++ = pmm_page_index(&pmm_zone, page);
			nr[order]++;
		}
	}
}

/* The indices on all lists, order after order, and how many each has. */
static u32 *pmm_copy_free_lists(unsigned long *nr)
{
	unsigned long flags, room = 64, blocks;
	u32 *indices;

	for (;;) {
		indices = pmm_may_fail(kvmalloc_array(room, sizeof(*indices), GFP_KERNEL));
		if (!indices)
			return NULL;
		spin_lock_irqsave(&pmm_zone.lock, flags);
		blocks = __pmm_nr_free_blocks();
		if (blocks <= room)
			break;
		spin_unlock_irqrestore(&pmm_zone.lock, flags);
		kvfree(indices);
		room = blocks + blocks / 8;
	}
	memset(nr, 0, PMM_MAX_ORDER * sizeof(*nr));
	__pmm_copy_free_lists(indices, room, nr);
	spin_unlock_irqrestore(&pmm_zone.lock, flags);
	return indices;
}

static int pmm_freelist_show(struct seq_file *m, void *unused)
{
	unsigned long nr[PMM_MAX_ORDER];
	u32 *indices = pmm_copy_free_lists(nr), *next = indices;
	unsigned int order;

	if (!indices)
		return -ENOMEM;
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		seq_printf(m, "order %u:", order);
		for (; nr[order]; nr[order]--)
			seq_put_decimal_ull(m, " ", *next++);
		seq_putc(m, '\n');
	}
	kvfree(indices);
	return 0;
}

static unsigned long *pmm_copy_maps(void)
{
	unsigned long longs = 0, flags, *maps, *next;
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER - 1; order++)
		longs += BITS_TO_LONGS(pmm_nr_pairs(&pmm_zone, order));
	maps = pmm_may_fail(kvmalloc_array(longs, sizeof(*maps), GFP_KERNEL));
	if (!maps)
		return NULL;
	spin_lock_irqsave(&pmm_zone.lock, flags);
	for (order = 0, next = maps; order < PMM_MAX_ORDER - 1; order++) {
		longs = BITS_TO_LONGS(pmm_nr_pairs(&pmm_zone, order));
		memcpy(next, pmm_zone.free_area[order].map, longs * sizeof(*maps));
		next += longs;
	}
	spin_unlock_irqrestore(&pmm_zone.lock, flags);
	return maps;
}

static int pmm_pairmap_show(struct seq_file *m, void *unused)
{
	unsigned long *maps = pmm_copy_maps(), *map;
	unsigned int order;

	if (!maps)
		return -ENOMEM;
	for (order = 0, map = maps; order < PMM_MAX_ORDER - 1; order++) {
		unsigned int pairs = pmm_nr_pairs(&pmm_zone, order);

		seq_printf(m, "order %u: pairs=%u set=%u list=%*pbl\n", order, pairs,
			   bitmap_weight(map, pairs), pairs, map);
		map += BITS_TO_LONGS(pairs);
	}
	kvfree(maps);
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

	for (i = PMM_FREE_FOREIGN; i < PMM_NR_FREE_RESULTS; i++)
		seq_printf(m, "%s %llu\n", names[i], stat->refused[i]);
	seq_printf(m, "refused_areas %llu\n", pmm_vmalloc_refused());
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
	parked_pages = pmm_zone.nr_parked;
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

/* --- large files: line by line from a snapshot ------------------------------------------------ */

/* What a reader of such a file holds from the first line to the last. */
struct pmm_view {
	void		*snapshot;
	unsigned long	nr;
};

struct pmm_block_line {
	unsigned long	caller;
	struct pmm_act	act;	/* with owner=1 */
	u32		index;
	u8		state;
};

static void *pmm_view_next(struct seq_file *m, void *record, loff_t *pos)
{
	struct pmm_view *view = m->private;

	return ++*pos < view->nr ? pos : NULL;
}

static void pmm_view_stop(struct seq_file *m, void *record)
{
}

/* At the start of the file a new snapshot replaces the old; @take returns it or NULL. */
static void *pmm_view_start(struct seq_file *m, loff_t *pos, void *(*take)(unsigned long *nr))
{
	struct pmm_view *view = m->private;

	if (!*pos) {
		kvfree(view->snapshot);
		view->snapshot = take(&view->nr);
		if (!view->snapshot)
			return ERR_PTR(-ENOMEM);
	}
	return *pos < view->nr ? pos : NULL;
}

/* Who took a used block, who freed a free one; perhaps somebody notes himself there just now. */
static void pmm_copy_act(struct pmm_block_line *line)
{
	const struct pmm_owner *owner = pmm_zone.debug ? pmm_zone.debug->owner : NULL;
	enum pmm_kind kind = PMM_STATE_KIND(line->state);

	line->act.stack = 0;
	if (!owner)
		return;
	owner += line->index;
	/* A mixture of two does no harm. */
	line->act = data_race(kind == PMM_USED || kind == PMM_MAPPED ? owner->taken : owner->freed);
}

static void *pmm_take_blocks(unsigned long *nr)
{
	struct pmm_block_line *lines =
		pmm_may_fail(kvmalloc_array(pmm_zone.nr_pages, sizeof(*lines), GFP_KERNEL));
	unsigned long index, flags;

	if (!lines)
		return NULL;
	*nr = 0;
	spin_lock_irqsave(&pmm_zone.lock, flags);
	for (index = 0; index < pmm_zone.nr_pages;) {
		struct pmm_block_line *line = &lines[(*nr)++];

		line->index = index;
		line->state = pmm_zone.state[index];
		line->caller = pmm_page_caller(pmm_zone.mem_map + index);
		pmm_copy_act(line);
		index += 1UL << PMM_STATE_ORDER(line->state);
	}
	spin_unlock_irqrestore(&pmm_zone.lock, flags);
	return lines;
}

static void *pmm_blocks_start(struct seq_file *m, loff_t *pos)
{
	return pmm_view_start(m, pos, pmm_take_blocks);
}

/* A name, but never an address: a client may have used page->index for something else. */
static void pmm_show_caller(struct seq_file *m, unsigned long caller)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol(name, caller);
	if (strncmp(name, "0x", 2))
		seq_printf(m, " %s", name);
}

/* Who did it, from its caller on; a name may have any characters in it but these. */
static void pmm_show_act(struct seq_file *m, const struct pmm_act *act)
{
	unsigned long *entries;
	unsigned int i, nr;

	if (!act->stack)
		return;
	seq_printf(m, " pid=%d comm=", act->pid);
	seq_escape(m, act->comm, " \t\n\\");
	seq_puts(m, " stack=");
	nr = pmm_debug_stack(act, &entries);
	for (i = 0; i < nr; i++)
		seq_printf(m, "%s%ps", i ? "<" : "", (void *)entries[i]);
}

static int pmm_blocks_show(struct seq_file *m, void *record)
{
	struct pmm_view *view = m->private;
	const struct pmm_block_line *line =
		(struct pmm_block_line *)view->snapshot + *(loff_t *)record;
	enum pmm_kind kind = PMM_STATE_KIND(line->state);

	seq_printf(m, "%u order=%u %s", line->index, PMM_STATE_ORDER(line->state),
		   kind == PMM_FREE || kind == PMM_PCP ? "free" : "used");
	if (kind == PMM_PARKED)
		seq_puts(m, " parked");
	else if (kind == PMM_PCP)
		seq_puts(m, " pcp");
	else if (kind != PMM_FREE)
		pmm_show_caller(m, line->caller);
	pmm_show_act(m, &line->act);
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations pmm_blocks_ops = {
	.start	= pmm_blocks_start,
	.next	= pmm_view_next,
	.stop	= pmm_view_stop,
	.show	= pmm_blocks_show,
};

/*
 * As the kernel's page_owner has it, for its page_owner_sort to read: a record for each block that
 * owner=1 knows the taker of.
 */
static int pmm_page_owner_show(struct seq_file *m, void *record)
{
	struct pmm_view *view = m->private;
	const struct pmm_block_line *line =
		(struct pmm_block_line *)view->snapshot + *(loff_t *)record;
	enum pmm_kind kind = PMM_STATE_KIND(line->state);
	const struct pmm_act *act = &line->act;
	unsigned long *entries;
	unsigned int i, nr;

	if ((kind != PMM_USED && kind != PMM_MAPPED) || !act->stack)
		return 0;
	seq_printf(m, "Page allocated via order %u, mask %#x(%pGg), pid %d, tgid %d (%.*s), ts %llu ns\n",
		   PMM_STATE_ORDER(line->state), act->gfp, &act->gfp, act->pid, act->tgid,
		   TASK_COMM_LEN, act->comm, act->when);
	seq_printf(m, "PFN 0x%lx page %u %s\n", page_to_pfn(pmm_zone.mem_map + line->index),
		   line->index, kind == PMM_MAPPED ? "area" : "page");
	nr = pmm_debug_stack(act, &entries);
	for (i = 0; i < nr; i++)
		seq_printf(m, " %pS\n", (void *)entries[i]);
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations pmm_page_owner_ops = {
	.start	= pmm_blocks_start,
	.next	= pmm_view_next,
	.stop	= pmm_view_stop,
	.show	= pmm_page_owner_show,
};

/* One record an area, and one more without an address for what follows the last. */
static void *pmm_take_areas(unsigned long *nr)
{
	unsigned long room = READ_ONCE(pmm_vmlist.nr_areas) + 16;
	const struct pmm_vm_struct *vm;
	struct pmm_area *copies;

	for (;;) {
		copies = pmm_may_fail(kvcalloc(room + 1, sizeof(*copies), GFP_KERNEL));
		if (!copies)
			return NULL;
		spin_lock(&pmm_vmlist.lock);
		if (pmm_vmlist.nr_areas <= room)
			break;
		room = pmm_vmlist.nr_areas + 16;
		spin_unlock(&pmm_vmlist.lock);
		kvfree(copies);
	}
	*nr = 0;
	for (vm = pmm_vmlist.head; vm; vm = vm->next)
		memcpy(&copies[(*nr)++], vm, sizeof(*copies));
	spin_unlock(&pmm_vmlist.lock);
	copies[(*nr)++].vm.addr = NULL;
	return copies;
}

static void *pmm_areas_start(struct seq_file *m, loff_t *pos)
{
	return pmm_view_start(m, pos, pmm_take_areas);
}

static const char *pmm_area_kind(const struct pmm_vm_struct *vm)
{
	if (vm->flags & PMM_VM_IOREMAP)
		return "ioremap";
	return vm->flags & PMM_VM_ALLOC ? "vmalloc" : "vmap";
}

/*
 * The hole below an area, if there is one, and the area; for the record behind the last area, the
 * hole up to the end.
 */
static int pmm_window_show(struct seq_file *m, void *record)
{
	struct pmm_view *view = m->private;
	unsigned long i = *(loff_t *)record;
	const struct pmm_area *area = (struct pmm_area *)view->snapshot + i;
	const struct pmm_vm_struct *vm = &area->vm;
	unsigned long hole = pmm_vmlist.start;
	unsigned long start = vm->addr ? (unsigned long)vm->addr : pmm_vmlist.end;

	if (i)
		hole = (unsigned long)area[-1].vm.addr + area[-1].vm.size;
	if (start > hole)
		seq_printf(m, "%lu %lu hole\n", hole - pmm_vmlist.start, start - hole);
	if (!vm->addr)
		return 0;
	seq_printf(m, "%lu %lu ", start - pmm_vmlist.start, vm->size);
	if (pmm_area_waits(area)) {
		seq_puts(m, "lazy\n");
		return 0;
	}
	seq_printf(m, "area %s pages=%lu", pmm_area_kind(vm), pmm_area_bytes(vm) >> PAGE_SHIFT);
	if (area->nr_huge)
		seq_printf(m, " huge=%u", area->nr_huge);
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations pmm_window_ops = {
	.start	= pmm_areas_start,
	.next	= pmm_view_next,
	.stop	= pmm_view_stop,
	.show	= pmm_window_show,
};

/* --- mappings: which pages each area has ------------------------------------------------------ */

/* Pages of the pool, one behind the other, that an area has. */
struct pmm_run {
	unsigned long	offset;		/* of the area */
	u32		index;
	u32		nr;		/* 0: the area has no such pages */
};

static const struct pmm_vm_struct *pmm_live(const struct pmm_vm_struct *vm)
{
	/* Pairs with the release in pmm_vmlist_publish(). */
	while (vm && smp_load_acquire(&pmm_area(vm)->state) != PMM_AREA_LIVE)
		vm = vm->next;
	return vm;
}

/* The runs of one area, if @runs is not NULL into it; returns how many, 1 at least. */
static unsigned long __pmm_runs_of(const struct pmm_vm_struct *vm, struct pmm_run *runs)
{
	struct pmm_run run = { .offset = (unsigned long)vm->addr - pmm_vmlist.start };
	unsigned long i, n = 0;

	for (i = 0; i < vm->nr_pages; i++) {
		unsigned long index = pmm_page_index(&pmm_zone, vm->pages[i]);

		if (index >= pmm_zone.nr_pages)
			continue;
		if (run.nr && index == run.index + run.nr) {
			run.nr++;
			continue;
		}
		if (run.nr && runs)
			runs[n] = run;
		n += !!run.nr;
		run.index = index;
		run.nr = 1;
	}
	if (runs)
		runs[n] = run;
	return n + 1;
}

static unsigned long __pmm_all_runs(struct pmm_run *runs)
{
	const struct pmm_vm_struct *vm;
	unsigned long n = 0;

	for (vm = pmm_live(pmm_vmlist.head); vm; vm = pmm_live(vm->next))
		n += __pmm_runs_of(vm, runs ? runs + n : NULL);
	return n;
}

/* They are counted and then copied, which begins again when there are more by then. */
static void *pmm_take_runs(unsigned long *nr)
{
	unsigned long room = 0;
	struct pmm_run *runs;

	for (;;) {
		room += 64;
		runs = pmm_may_fail(kvmalloc_array(room, sizeof(*runs), GFP_KERNEL));
		if (!runs)
			return NULL;
		spin_lock(&pmm_vmlist.lock);
		*nr = __pmm_all_runs(NULL);
		if (*nr <= room)
			break;
		room = *nr;
		spin_unlock(&pmm_vmlist.lock);
		kvfree(runs);
	}
	__pmm_all_runs(runs);
	spin_unlock(&pmm_vmlist.lock);
	return runs;
}

static void *pmm_mappings_start(struct seq_file *m, loff_t *pos)
{
	return pmm_view_start(m, pos, pmm_take_runs);
}

static int pmm_mappings_show(struct seq_file *m, void *record)
{
	struct pmm_view *view = m->private;
	unsigned long i = *(loff_t *)record;
	const struct pmm_run *run = (struct pmm_run *)view->snapshot + i;

	if (!i || run[-1].offset != run->offset)
		seq_printf(m, "%lu:", run->offset);
	if (run->nr)
		seq_printf(m, " %u+%u", run->index, run->nr);
	if (i + 1 == view->nr || run[1].offset != run->offset)
		seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations pmm_mappings_ops = {
	.start	= pmm_mappings_start,
	.next	= pmm_view_next,
	.stop	= pmm_view_stop,
	.show	= pmm_mappings_show,
};

/* /proc/vmallocinfo's format. */
static int pmm_vmallocinfo_show(struct seq_file *m, void *record)
{
	struct pmm_view *view = m->private;
	const struct pmm_area *area = (struct pmm_area *)view->snapshot + *(loff_t *)record;
	const struct pmm_vm_struct *vm = &area->vm;

	if (!vm->addr)
		return 0;
	seq_printf(m, "0x%pK-0x%pK %7ld", vm->addr, vm->addr + vm->size, vm->size);
	if (pmm_area_waits(area)) {
		seq_puts(m, " unpurged vm_area\n");
		return 0;
	}
	if (vm->caller)
		seq_printf(m, " %pS", vm->caller);
	if (vm->nr_pages)
		seq_printf(m, " pages=%u", vm->nr_pages);
	if (vm->phys_addr)
		seq_printf(m, " phys=%pa", &vm->phys_addr);
	seq_printf(m, " %s", vm->flags & PMM_VM_RAM ? "vm_map_ram" : pmm_area_kind(vm));
	if (vm->flags & PMM_VM_USERMAP)
		seq_puts(m, " user");
	if (area->nr_huge)
		seq_printf(m, " huge=%u", area->nr_huge);
	if (vm->flags & PMM_VM_ALLOC && vm->nr_pages)
		seq_printf(m, " N%d=%u", page_to_nid(pmm_zone.mem_map), vm->nr_pages);
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations pmm_vmallocinfo_ops = {
	.start	= pmm_areas_start,
	.next	= pmm_view_next,
	.stop	= pmm_view_stop,
	.show	= pmm_vmallocinfo_show,
};

/* --- the directory ---------------------------------------------------------------------------- */

/*
 * A file has one of the three: @show for a small one, @lines for a large one, @fops for one with a
 * life of its own.
 */
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

	return seq_open_private(file, row->lines, sizeof(struct pmm_view));
}

static int pmm_large_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;
	struct pmm_view *view = m->private;

	kvfree(view->snapshot);
	return seq_release_private(inode, file);
}

static const struct file_operations pmm_large_fops = {
	.owner		= THIS_MODULE,
	.open		= pmm_large_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= pmm_large_release,
};

static const struct pmm_file pmm_files[] = {
	{ "version",		0444, .show = pmm_version_show },
	{ "buddyinfo",		0444, .show = pmm_buddyinfo_show },
	{ "freelist",		0444, .show = pmm_freelist_show },
	{ "pairmap",		0444, .show = pmm_pairmap_show },
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
	 * debugfs' protecting wrapper passes no mmap on. The unwrapped file is as safe here: while
	 * one is open the module cannot go, and files are removed only when it does.
	 */
	if (fops->mmap)
		debugfs_create_file_unsafe(row->name, row->mode, pmm_dir, (void *)row, fops);
	else
		debugfs_create_file(row->name, row->mode, pmm_dir, (void *)row, fops);
}

/**
 * pmm_debugfs_init() - create the directory and its files
 *
 * Without debugfs the module works on, only unseen, as is the custom.
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
 * pmm_debugfs_exit() - remove the directory; no file of it is open or will be again
 *
 * Context: Process context; may sleep.
 */
void pmm_debugfs_exit(void)
{
	debugfs_remove(pmm_dir);
}

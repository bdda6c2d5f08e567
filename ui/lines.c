// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the large files of debugfs: blocks, page_owner, window, mappings and vmallocinfo.
 *
 * A large file is shown line by line. A read from its start takes a snapshot under the lock that
 * protects the state (that of the zone's blocks by pieces: watch/walk.c), and every line is printed
 * from that snapshot after the lock is dropped. The open file owns its snapshot, which is charged
 * to the reader's cgroup. Process context; no state of its own. Functions whose names begin with a
 * double underscore run with that lock held.
 */
#include <linux/fs.h>
#include <linux/kallsyms.h>
#include <linux/seq_file.h>

#include "host/window.h"
#include "ui/view.h"

/* --- the snapshot ----------------------------------------------------------------------------- */

void *pmm_view_next(struct seq_file *m, void *record, loff_t *pos)
{
	struct pmm_view *view = m->private;

	view->fresh = false;
	return ++*pos < view->nr ? pos : NULL;
}

void pmm_view_stop(struct seq_file *m, void *record)
{
}

/*
 * At the start of the file a new snapshot replaces the old one. @take returns it, or NULL when
 * there is no memory. A record that does not fit into seq_file's buffer makes it start again with a
 * larger one, which is no reason for a new snapshot.
 */
void *pmm_view_start(struct seq_file *m, loff_t *pos, void *(*take)(unsigned long *nr))
{
	struct pmm_view *view = m->private;

	if (!*pos && !view->fresh) {
		kvfree(view->snapshot);
		view->snapshot = take(&view->nr);
		if (!view->snapshot)
			return ERR_PTR(-ENOMEM);
		view->fresh = true;
	}
	return *pos < view->nr ? pos : NULL;
}

/* --- blocks and page_owner -------------------------------------------------------------------- */

struct pmm_block_line {
	unsigned long	caller;
	u32		index;
	u8		state;
	struct pmm_act	act;	/* with owner=1; otherwise a line ends before it */
};

static const struct pmm_owner *pmm_owners(void)
{
	return pmm_zone.debug ? pmm_zone.debug->owner : NULL;
}

static size_t pmm_line_size(void)
{
	return pmm_owners() ? sizeof(struct pmm_block_line) : offsetof(struct pmm_block_line, act);
}

static struct pmm_block_line *pmm_line_at(void *lines, unsigned long nr)
{
	return lines + nr * pmm_line_size();
}

/* For a used block, the act that took it; for a free block, the act that freed it. */
static void __pmm_copy_act(struct pmm_block_line *line)
{
	const struct pmm_owner *owner = pmm_owners();
	enum pmm_kind kind = PMM_STATE_KIND(line->state);

	if (!owner)
		return;
	owner += line->index;
	/* An act may be recorded at the same time. A mixture of the two does no harm. */
	line->act = data_race(kind == PMM_USED || kind == PMM_MAPPED ? owner->taken : owner->freed);
}

/* The copy of the blocks so far. */
struct pmm_block_copy {
	void			*lines;
	unsigned long		room;
	unsigned long		nr;
};

/* Copies the blocks of a piece; false if there are more than there is room for. */
static bool __pmm_copy_blocks(struct pmm_zone *zone, unsigned long index, unsigned long end,
			      void *arg)
{
	struct pmm_block_copy *copy = arg;

	if (!index)
		copy->nr = 0;
	while (index < end && copy->nr < copy->room) {
		struct pmm_block_line *line = pmm_line_at(copy->lines, copy->nr++);

		line->index = index;
		line->state = READ_ONCE(zone->state[index]);
		line->caller = pmm_page_caller(zone->mem_map + index);
		__pmm_copy_act(line);
		index += 1UL << PMM_STATE_ORDER(line->state);
	}
	return index >= end;
}

/* Without the lock, this is a guess, which may have changed when the blocks are copied. */
static unsigned long pmm_guess_nr_blocks(void)
{
	unsigned long index, nr = 0;

	for (index = 0; index < pmm_zone.nr_pages; nr++)
		index += 1UL << PMM_STATE_ORDER(READ_ONCE(pmm_zone.state[index]));
	return nr;
}

static void *pmm_take_blocks(unsigned long *nr)
{
	struct pmm_block_copy copy = { };
	unsigned long spare;

	for (spare = 64;; spare *= 2) {
		copy.room = min(pmm_guess_nr_blocks() + spare, pmm_zone.nr_pages);
		copy.lines = pmm_may_fail(kvmalloc_array(copy.room, pmm_line_size(),
							 GFP_KERNEL_ACCOUNT));
		if (!copy.lines)
			return NULL;
		if (pmm_zone_snapshot(&pmm_zone, PMM_MAX_ORDER_PAGES, __pmm_copy_blocks, &copy))
			break;
		kvfree(copy.lines);
	}
	*nr = copy.nr;
	return copy.lines;
}

static void *pmm_blocks_start(struct seq_file *m, loff_t *pos)
{
	return pmm_view_start(m, pos, pmm_take_blocks);
}

/*
 * The file has no addresses. A client may have used page->index for something else, so a value
 * without a symbol is not shown.
 */
static void pmm_show_caller(struct seq_file *m, unsigned long caller)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol(name, caller);
	if (strncmp(name, "0x", 2))
		seq_printf(m, " %s", name);
}

/* As printk's %ps has it: the function and its module, without the offset. */
static void pmm_show_function(struct seq_file *m, const char *before, unsigned long addr)
{
	char name[KSYM_SYMBOL_LEN], *offset, *module;

	pmm_name_code(addr, name, sizeof(name));
	offset = strchrnul(name, '+');
	module = strchrnul(offset, ' ');
	seq_printf(m, "%s%.*s%s", before, (int)(offset - name), name, module);
}

static void pmm_show_code(struct seq_file *m, unsigned long addr)
{
	char name[KSYM_SYMBOL_LEN];

	pmm_name_code(addr, name, sizeof(name));
	seq_printf(m, " %s", name);
}

/* The stack begins with the caller. A task's name may have any characters, so some are escaped. */
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
		pmm_show_function(m, i ? "<" : "", entries[i]);
}

static int pmm_blocks_show(struct seq_file *m, void *record)
{
	struct pmm_view *view = m->private;
	const struct pmm_block_line *line = pmm_line_at(view->snapshot, *(loff_t *)record);
	enum pmm_kind kind = PMM_STATE_KIND(line->state);

	seq_printf(m, "%u order=%u %s", line->index, PMM_STATE_ORDER(line->state),
		   kind == PMM_FREE || kind == PMM_PCP ? "free" : "used");
	if (kind == PMM_PARKED || kind == PMM_QUARANTINED)
		seq_puts(m, " parked");
	else if (kind == PMM_PCP)
		seq_puts(m, " pcp");
	else if (kind != PMM_FREE)
		pmm_show_caller(m, line->caller);
	if (pmm_owners())
		pmm_show_act(m, &line->act);
	seq_putc(m, '\n');
	return 0;
}

const struct seq_operations pmm_blocks_ops = {
	.start	= pmm_blocks_start,
	.next	= pmm_view_next,
	.stop	= pmm_view_stop,
	.show	= pmm_blocks_show,
};

/*
 * The format of the kernel's page_owner, which its page_owner_sort reads: one record for each block
 * whose allocation owner=1 has recorded.
 */
static int pmm_page_owner_show(struct seq_file *m, void *record)
{
	struct pmm_view *view = m->private;
	const struct pmm_block_line *line = pmm_line_at(view->snapshot, *(loff_t *)record);
	enum pmm_kind kind = PMM_STATE_KIND(line->state);
	const struct pmm_act *act = &line->act;
	unsigned long *entries;
	unsigned int i, nr;

	if (!pmm_owners() || (kind != PMM_USED && kind != PMM_MAPPED) || !act->stack)
		return 0;
	seq_printf(m, "Page allocated via order %u, mask %#x(%pGg), pid %d, tgid %d (%.*s), ts %llu ns\n",
		   PMM_STATE_ORDER(line->state), act->gfp, &act->gfp, act->pid, act->tgid,
		   TASK_COMM_LEN, act->comm, act->when);
	seq_printf(m, "PFN 0x%lx page %u %s\n", page_to_pfn(pmm_zone.mem_map + line->index),
		   line->index, kind == PMM_MAPPED ? "area" : "page");
	nr = pmm_debug_stack(act, &entries);
	for (i = 0; i < nr; i++) {
		pmm_show_code(m, entries[i]);
		seq_putc(m, '\n');
	}
	seq_putc(m, '\n');
	return 0;
}

const struct seq_operations pmm_page_owner_ops = {
	.start	= pmm_blocks_start,
	.next	= pmm_view_next,
	.stop	= pmm_view_stop,
	.show	= pmm_page_owner_show,
};

/* --- window and vmallocinfo ------------------------------------------------------------------- */

/* One record for each area. One more, without an address, stands for the hole after the last. */
static void *pmm_take_areas(unsigned long *nr)
{
	unsigned long room = READ_ONCE(pmm_vmlist.nr_areas) + 16;
	const struct pmm_vm_struct *vm;
	struct pmm_area *copies;

	for (;;) {
		copies = pmm_may_fail(kvcalloc(room + 1, sizeof(*copies), GFP_KERNEL_ACCOUNT));
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
 * A record shows the hole below its area, if there is one, and then the area. The record after the
 * last area shows the hole up to the end of the window.
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

const struct seq_operations pmm_window_ops = {
	.start	= pmm_areas_start,
	.next	= pmm_view_next,
	.stop	= pmm_view_stop,
	.show	= pmm_window_show,
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
		pmm_show_code(m, (unsigned long)vm->caller);
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

const struct seq_operations pmm_vmallocinfo_ops = {
	.start	= pmm_areas_start,
	.next	= pmm_view_next,
	.stop	= pmm_view_stop,
	.show	= pmm_vmallocinfo_show,
};

/* --- mappings --------------------------------------------------------------------------------- */

/* Consecutive pages of the pool that an area maps, in this order. */
struct pmm_run {
	unsigned long	offset;		/* of the area */
	u32		index;
	u32		nr;		/* 0: the area has no such pages */
};

/* The first live area, starting at @vm, or NULL. */
static const struct pmm_vm_struct *__pmm_live(const struct pmm_vm_struct *vm)
{
	/* Pairs with the release in pmm_vmlist_publish(). */
	while (vm && smp_load_acquire(&pmm_area(vm)->state) != PMM_AREA_LIVE)
		vm = vm->next;
	return vm;
}

/*
 * Write the runs of one area into @runs, unless it is NULL. Returns how many there are: at least
 * one, which is empty when the area has no pages of the pool.
 */
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

	for (vm = __pmm_live(pmm_vmlist.head); vm; vm = __pmm_live(vm->next))
		n += __pmm_runs_of(vm, runs ? runs + n : NULL);
	return n;
}

/* Count the runs and copy them. If there are more than the copy has room for, begin again. */
static void *pmm_take_runs(unsigned long *nr)
{
	unsigned long room = 0;
	struct pmm_run *runs;

	for (;;) {
		room += 64;
		runs = pmm_may_fail(kvmalloc_array(room, sizeof(*runs), GFP_KERNEL_ACCOUNT));
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

const struct seq_operations pmm_mappings_ops = {
	.start	= pmm_mappings_start,
	.next	= pmm_view_next,
	.stop	= pmm_view_stop,
	.show	= pmm_mappings_show,
};

/* --- opening and closing ---------------------------------------------------------------------- */

/**
 * pmm_lines_open() - open a large file
 * @file: the file
 * @lines: how its lines are found and shown
 *
 * Context: Process context; may sleep.
 * Return: 0 or a negative errno.
 */
int pmm_lines_open(struct file *file, const struct seq_operations *lines)
{
	return seq_open_private(file, lines, sizeof(struct pmm_view));
}

/**
 * pmm_lines_release() - close a large file, and free its snapshot
 * @inode: of the file
 * @file: the file
 *
 * Context: Process context; may sleep.
 * Return: 0.
 */
int pmm_lines_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;
	struct pmm_view *view = m->private;

	kvfree(view->snapshot);
	return seq_release_private(inode, file);
}

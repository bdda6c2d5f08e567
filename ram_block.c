// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the blocks of vm_map_ram(), which are areas of the window. Each CPU has its own.
 *
 * Unmapped extents wait for a flush. The next purge marks them, flushes, and makes them free; a
 * block that is then empty is given up. 2.6.28 reused such space only once the whole block had been
 * unmapped.
 *
 * It owns the blocks. A CPU's blocks are protected by that CPU's lock, a spinlock for process
 * context, which nearly always only that CPU takes. Functions whose names begin with a double
 * underscore run with cpu->lock held.
 */
#include <linux/log2.h>
#include <linux/rcupdate.h>

#include "ram_block.h"

struct pmm_ram_cpu __percpu *pmm_ram;
unsigned int pmm_ram_shift;
unsigned int pmm_ram_pages;
pteval_t pmm_ram_rest;
struct pmm_ram_block **pmm_ram_blocks;

/**
 * pmm_ram_new_block() - reserve a block
 * @cpu: the CPU that it is for
 * @caller: address to record
 *
 * Context: Process context; may sleep.
 * Return: The block, first on the CPU's list; NULL when memory or room in the window runs out.
 */
struct pmm_ram_block *pmm_ram_new_block(struct pmm_ram_cpu *cpu, const void *caller)
{
	const struct pmm_area_request want = {
		.size = 1UL << pmm_ram_shift, .align = 1UL << pmm_ram_shift,
		.flags = PMM_VM_RAM, .gfp = GFP_KERNEL, .caller = caller,
	};
	struct pmm_ram_block *block = pmm_may_fail(kvzalloc(sizeof(*block), GFP_KERNEL));
	unsigned int i;

	if (!block)
		return NULL;
	block->vm = pmm_reserve_area(&want);
	if (IS_ERR(block->vm)) {
		kvfree(block);
		return NULL;
	}
	pmm_vmlist_publish(&pmm_vmlist, block->vm);
	block->cpu = cpu;
	block->addr = (unsigned long)block->vm->addr;
	for (i = 0; i < DIV_ROUND_UP(pmm_ram_pages, PTRS_PER_PTE); i++)
		block->pte[i] = pmm_window_entry(block->addr + i * PMD_SIZE);
	WRITE_ONCE(*pmm_ram_place(block->addr), block);
	spin_lock(&cpu->lock);
	list_add(&block->list, &cpu->blocks);
	spin_unlock(&cpu->lock);
	return block;
}

/* The block is off its CPU's list already, and flushed. */
static void pmm_ram_free_block(struct pmm_ram_block *block)
{
	WRITE_ONCE(*pmm_ram_place(block->addr), NULL);
	pmm_vmlist_unlink(&pmm_vmlist, block->vm);
	kfree(block->vm);
	kvfree_rcu(block, rcu);
}

/* --- purging ---------------------------------------------------------------------------------- */

static long __pmm_ram_purge_block(struct pmm_ram_block *block)
{
	unsigned int i, nr;
	long purged = 0;

	for (i = 0; i < block->next; i += nr) {
		/* The acquire pairs with the release in pmm_ram_unmap(). */
		u16 extent = smp_load_acquire(&block->extent[i]);

		nr = PMM_EXTENT_PAGES(extent);
		if (PMM_EXTENT_KIND(extent) != PMM_EXTENT_DIRTY)
			continue;
		block->extent[i] = PMM_EXTENT(PMM_EXTENT_PURGED, nr);
		purged += nr;
	}
	return purged;
}

/* Mark the extents that wait for a flush. Returns whether there are any. */
static bool pmm_ram_purge_begin(void)
{
	struct pmm_ram_block *block;
	long purged = 0;
	int i;

	if (!atomic_long_read(&pmm_lazy_pages))
		return false;
	for_each_possible_cpu(i) {
		struct pmm_ram_cpu *cpu = per_cpu_ptr(pmm_ram, i);

		spin_lock(&cpu->lock);
		list_for_each_entry(block, &cpu->blocks, list)
			purged += __pmm_ram_purge_block(block);
		spin_unlock(&cpu->lock);
	}
	atomic_long_sub(purged, &pmm_lazy_pages);
	return purged;
}

/*
 * Flushed extents become free. Free extents side by side become one, and the last one becomes room.
 */
static void __pmm_ram_settle(struct pmm_ram_block *block)
{
	unsigned int i, nr, last = UINT_MAX;

	for (i = 0; i < block->next; i += nr) {
		u16 extent = READ_ONCE(block->extent[i]);

		nr = PMM_EXTENT_PAGES(extent);
		if (PMM_EXTENT_KIND(extent) != PMM_EXTENT_PURGED &&
		    PMM_EXTENT_KIND(extent) != PMM_EXTENT_FREE) {
			last = UINT_MAX;
			continue;
		}
		block->extent[i] = PMM_EXTENT(PMM_EXTENT_FREE, nr);
		if (last == UINT_MAX) {
			last = i;
			continue;
		}
		block->extent[last] += nr;
		block->extent[i] = 0;
	}
	if (last == UINT_MAX)
		return;
	block->next = last;
	block->extent[last] = 0;
}

/**
 * pmm_ram_purge_end() - free the extents that were marked and flushed
 *
 * Context: Process context.
 */
void pmm_ram_purge_end(void)
{
	struct pmm_ram_block *block, *next;
	LIST_HEAD(empty);
	int i;

	for_each_possible_cpu(i) {
		struct pmm_ram_cpu *cpu = per_cpu_ptr(pmm_ram, i);

		spin_lock(&cpu->lock);
		list_for_each_entry_safe(block, next, &cpu->blocks, list) {
			__pmm_ram_settle(block);
			if (!block->next)
				list_move(&block->list, &empty);
		}
		spin_unlock(&cpu->lock);
	}
	list_for_each_entry_safe(block, next, &empty, list)
		pmm_ram_free_block(block);
}

static const struct pmm_purge_ops pmm_ram_purge_ops = {
	.begin	= pmm_ram_purge_begin,
	.end	= pmm_ram_purge_end,
};

/* --- load and unload -------------------------------------------------------------------------- */

/**
 * pmm_map_ram_init() - start without blocks
 *
 * A block has as many pages as in 2.6.28: a sixteenth of a CPU's share of the window, rounded to a
 * power of two from 2 x 64 to 1024.
 *
 * Context: Process context; may sleep.
 * Return: 0 or -ENOMEM.
 */
int pmm_map_ram_init(void)
{
	unsigned long share = (pmm_window_size() >> PAGE_SHIFT) / num_possible_cpus() / 16;
	int i;

	pmm_ram_pages = rounddown_pow_of_two(clamp(share, 2UL * PMM_RAM_MAX,
						   (unsigned long)PMM_RAM_BLOCK_MAX));
	pmm_ram_shift = PAGE_SHIFT + ilog2(pmm_ram_pages);
	pmm_ram_rest = pmm_entry_rest(pmm_arch_prot_bits(PAGE_KERNEL));
	pmm_ram_blocks = pmm_may_fail(kvcalloc((pmm_window_size() >> pmm_ram_shift) + 2,
					       sizeof(*pmm_ram_blocks), GFP_KERNEL));
	pmm_ram = pmm_may_fail(alloc_percpu(struct pmm_ram_cpu));
	if (!pmm_ram_blocks || !pmm_ram) {
		free_percpu(pmm_ram);
		kvfree(pmm_ram_blocks);
		return -ENOMEM;
	}
	for_each_possible_cpu(i) {
		spin_lock_init(&per_cpu_ptr(pmm_ram, i)->lock);
		INIT_LIST_HEAD(&per_cpu_ptr(pmm_ram, i)->blocks);
	}
	pmm_purge_register(&pmm_ram_purge_ops);
	return 0;
}

static void pmm_ram_clear_block(struct pmm_ram_block *block)
{
	unsigned int i, nr;

	for (i = 0; i < block->next; i += nr) {
		nr = PMM_EXTENT_PAGES(block->extent[i]);
		if (PMM_EXTENT_KIND(block->extent[i]) != PMM_EXTENT_LIVE)
			continue;
		pmm_window_unmap(pmm_ram_addr(block, i), nr);
		pmm_window_put_pages(block->page + i, nr, block->foreign);
	}
}

/**
 * pmm_map_ram_exit() - give up all blocks, and unmap the mappings left in them
 *
 * Context: Process context; the module is no longer in use, and the caller flushes.
 */
void pmm_map_ram_exit(void)
{
	struct pmm_ram_block *block, *next;
	int i;

	pmm_purge_register(NULL);
	for_each_possible_cpu(i) {
		list_for_each_entry_safe(block, next, &per_cpu_ptr(pmm_ram, i)->blocks, list) {
			pmm_ram_clear_block(block);
			pmm_ram_free_block(block);
		}
	}
	free_percpu(pmm_ram);
	kvfree(pmm_ram_blocks);
}

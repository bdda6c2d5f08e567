// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: vm_map_ram(), short mappings without a global lock, as in 2.6.28.
 *
 * Each CPU has blocks, which are areas of the window, and cuts mappings of up to PMM_RAM_MAX pages
 * from them, one behind the other. What is unmapped waits for a flush; after the next purge it is
 * used again, and a block that is empty then is given up. (2.6.28 never used such space again
 * before the whole block had been unmapped.) There are no guard pages between the mappings of a
 * block.
 *
 * A block is a row of extents. At the first page of each stands what it is and how long it is:
 *
 *	[ live 16 ][ dirty 4 ][ live 1 ][ free 8 ][ dirty 16 ]   room ...
 *	0          16         20        21        29         45 = next
 *
 * It owns the blocks. Those of a CPU are protected by that CPU's lock, a spinlock for process
 * context, which nearly always only that CPU takes. Who unmaps claims the
 * extent by its kind, atomically, and needs no lock; page table entries are written by whoever owns
 * the extent.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/log2.h>
#include <linux/rcupdate.h>

#include "purge.h"
#include "host/window.h"

#define PMM_RAM_MAX		64U	/* pages of one mapping; for more there is pmm_vmap() */
#define PMM_RAM_BLOCK_MAX	1024U	/* pages of a block, as 2.6.28's */

enum pmm_extent_kind {
	PMM_EXTENT_NONE,	/* being unmapped; or, without a length, no extent begins here */
	PMM_EXTENT_LIVE,
	PMM_EXTENT_DIRTY,	/* unmapped; waits for a flush */
	PMM_EXTENT_PURGED,	/* likewise, while the flush is under way */
	PMM_EXTENT_FREE,
};

#define PMM_EXTENT(kind, nr)	((u16)((kind) << 12 | (nr)))
#define PMM_EXTENT_KIND(e)	((enum pmm_extent_kind)((e) >> 12))
#define PMM_EXTENT_PAGES(e)	((e) & 0xfffU)

/**
 * struct pmm_ram_block - an area that mappings are cut from; protected by cpu->lock
 * @list: in cpu->blocks
 * @rcu: who unmaps what is no mapping may look at a block that is just going
 * @cpu: whose it is
 * @vm: the area
 * @addr: where it begins
 * @next: first page that no extent covers yet
 * @foreign: pages that are not of the pool have been mapped
 * @pte: the entries of its first 2 MiB, and of the second
 * @extent: by page
 * @page: what is mapped there
 */
struct pmm_ram_block {
	struct list_head	list;
	struct rcu_head		rcu;
	struct pmm_ram_cpu	*cpu;
	struct pmm_vm_struct	*vm;
	unsigned long		addr;
	unsigned int		next;
	bool			foreign;
	pte_t			*pte[PMM_RAM_BLOCK_MAX / PTRS_PER_PTE];
	u16			extent[PMM_RAM_BLOCK_MAX];
	struct page		*page[PMM_RAM_BLOCK_MAX];
};

/* The blocks of one CPU; the one to cut from first. */
struct pmm_ram_cpu {
	spinlock_t		lock;	/* the rest, and the blocks */
	struct list_head	blocks;
};

static void pmm_ram_purge_end(void);

static struct pmm_ram_cpu __percpu *pmm_ram;
static unsigned int pmm_ram_shift;		/* log2 of the bytes of a block */
static unsigned int pmm_ram_pages;		/* of a block */
static pteval_t pmm_ram_rest;			/* pmm_entry_rest() of PAGE_KERNEL */
static struct pmm_ram_block **pmm_ram_blocks;	/* by address, in units of a block */

/* Where the block that an address is in would be known; the address is in the window. */
static struct pmm_ram_block **pmm_ram_place(unsigned long addr)
{
	return &pmm_ram_blocks[(addr >> pmm_ram_shift) - (pmm_window_start() >> pmm_ram_shift)];
}

static struct pmm_ram_block *pmm_ram_block_of(unsigned long addr)
{
	if (addr - pmm_window_start() >= pmm_window_size())
		return NULL;
	return READ_ONCE(*pmm_ram_place(addr));
}

static unsigned long pmm_ram_addr(const struct pmm_ram_block *block, unsigned int page)
{
	return block->addr + ((unsigned long)page << PAGE_SHIFT);
}

/* --- cutting ---------------------------------------------------------------------------------- */

#define PMM_RAM_NO_ROOM		UINT_MAX

/* From the first free extent that is long enough: space that a purge made free. */
static noinline unsigned int __pmm_ram_reuse(struct pmm_ram_block *block, unsigned int count)
{
	unsigned int i, nr;

	for (i = 0; i < block->next; i += nr) {
		nr = PMM_EXTENT_PAGES(block->extent[i]);
		if (PMM_EXTENT_KIND(block->extent[i]) != PMM_EXTENT_FREE || nr < count)
			continue;
		if (nr > count)
			block->extent[i + count] = PMM_EXTENT(PMM_EXTENT_FREE, nr - count);
		return i;
	}
	return PMM_RAM_NO_ROOM;
}

/* Returns the first page of what was cut off, or PMM_RAM_NO_ROOM. */
static __always_inline unsigned int __pmm_ram_cut(struct pmm_ram_block *block, unsigned int count)
{
	unsigned int at = block->next;

	if (likely(pmm_ram_pages - at >= count))
		block->next = at + count;
	else
		at = __pmm_ram_reuse(block, count);
	if (likely(at != PMM_RAM_NO_ROOM))
		block->extent[at] = PMM_EXTENT(PMM_EXTENT_LIVE, count);
	return at;
}

static __always_inline struct pmm_ram_block *pmm_ram_take(struct pmm_ram_cpu *cpu,
							  unsigned int count, unsigned int *at)
{
	struct pmm_ram_block *block, *found = NULL;

	spin_lock(&cpu->lock);
	list_for_each_entry(block, &cpu->blocks, list) {
		*at = __pmm_ram_cut(block, count);
		if (likely(*at != PMM_RAM_NO_ROOM)) {
			found = block;
			break;
		}
	}
	spin_unlock(&cpu->lock);
	return found;
}

/* --- blocks ----------------------------------------------------------------------------------- */

static noinline struct pmm_ram_block *pmm_ram_new_block(struct pmm_ram_cpu *cpu, const void *caller)
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

/* Off its CPU's list already, and flushed. */
static void pmm_ram_free_block(struct pmm_ram_block *block)
{
	WRITE_ONCE(*pmm_ram_place(block->addr), NULL);
	pmm_vmlist_unlink(&pmm_vmlist, block->vm);
	kfree(block->vm);
	kvfree_rcu(block, rcu);
}

/* --- mapping ---------------------------------------------------------------------------------- */

/*
 * The entries are looked up once for a block, which owns its addresses: so there is no leaf. Only a
 * mapping that is in both halves goes the long way.
 */
static __always_inline bool pmm_ram_is_within(unsigned int at, unsigned int count)
{
	return likely(at % PTRS_PER_PTE + count <= PTRS_PER_PTE);
}

static __always_inline pte_t *pmm_ram_pte(const struct pmm_ram_block *block, unsigned int at)
{
	return block->pte[at / PTRS_PER_PTE] + at % PTRS_PER_PTE;
}

static __always_inline void pmm_ram_unmap(struct pmm_ram_block *block, unsigned int at,
					  unsigned int count)
{
	if (pmm_ram_is_within(at, count))
		pmm_clear_in_slot(pmm_ram_pte(block, at), count);
	else
		__pmm_window_unmap(pmm_ram_addr(block, at), count);
	if (likely(pmm_purge_is_lazy())) {
		pmm_window_put_pages(block->page + at, count, block->foreign);
		atomic_long_add(count, &pmm_lazy_pages);
		/* A purge that sees it dirty must find the entries cleared. */
		smp_store_release(&block->extent[at], PMM_EXTENT(PMM_EXTENT_DIRTY, count));
		pmm_purge_excess();
	} else {
		pmm_window_flush(PMM_FLUSH_EAGER, (unsigned long)count << PAGE_SHIFT);
		pmm_window_put_pages(block->page + at, count, block->foreign);
		/* Likewise, who uses it again. */
		smp_store_release(&block->extent[at], PMM_EXTENT(PMM_EXTENT_PURGED, count));
		pmm_ram_purge_end();
	}
}

/* What comes next is no page. */
static noinline void *pmm_ram_undo_map(struct pmm_ram_block *block, unsigned int at,
				       unsigned int got, unsigned int count)
{
	block->extent[at] = PMM_EXTENT(PMM_EXTENT_NONE, count);
	memset(block->page + at + got, 0, (count - got) * sizeof(*block->page));
	block->foreign = true;
	pmm_ram_unmap(block, at, count);
	return ERR_PTR(-EINVAL);
}

static __always_inline void *pmm_ram_map(struct page **pages, unsigned int count,
					 const void *caller)
{
	struct pmm_ram_cpu *cpu = raw_cpu_ptr(pmm_ram);
	struct pmm_ram_block *block;
	unsigned int at, got = 0;

	while (unlikely(!(block = pmm_ram_take(cpu, count, &at))))
		if (!pmm_ram_new_block(cpu, caller))
			return ERR_PTR(-ENOSPC);
	if (pmm_ram_is_within(at, count) && pmm_entries_are_plain(_PAGE_PRESENT))
		got = pmm_hold_in_slot(pmm_ram_pte(block, at), pages, count, pmm_ram_rest,
				       block->page + at);
	if (unlikely(got < count)) {
		got += __pmm_window_hold_pages(pmm_ram_addr(block, at + got), pages + got,
					       count - got, PAGE_KERNEL, block->page + at + got,
					       &block->foreign);
		if (got < count)
			return pmm_ram_undo_map(block, at, got, count);
	}
	return (void *)pmm_ram_addr(block, at);
}

/**
 * pmm_vm_map_ram() - map pages for a short while
 * @pages: the pages, of this pool or any other; they stay the caller's
 * @count: how many
 * @node: has no meaning here
 *
 * Up to 64 pages are mapped in a block of this CPU, without a global lock; more, or when the window
 * has no room for a block, as by pmm_vmap(). A page of this pool that is freed while it is mapped
 * is parked until pmm_vm_unmap_ram(). (2.6.28; without its argument prot, as since 5.8)
 *
 * Context: Process context; may sleep.
 * Return: The address, readable and writable; NULL on failure.
 */
void *pmm_vm_map_ram(struct page **pages, unsigned int count, int node)
{
	void *addr = ERR_PTR(-ENOSPC);

	if (likely(count && count <= PMM_RAM_MAX))
		addr = pmm_ram_map(pages, count, __builtin_return_address(0));
	if (!IS_ERR(addr))
		return addr;
	if (PTR_ERR(addr) == -ENOSPC)
		addr = pmm_vmap_caller(pages, count, PMM_VM_MAP, PAGE_KERNEL,
				       __builtin_return_address(0));
	return IS_ERR(addr) ? NULL : addr;
}
EXPORT_SYMBOL_GPL(pmm_vm_map_ram);

/*
 * Who unmaps owns the extent from here on, and thereby keeps the block. Gets the block, NULL for an
 * address that is in none; false when no mapping of so many pages begins there. Preemption is off
 * for RCU's sake, which costs less than a reader of its own.
 */
static __always_inline bool pmm_ram_claim(unsigned long addr, unsigned int count,
					  struct pmm_ram_block **blockp, unsigned int *at)
{
	u16 live = PMM_EXTENT(PMM_EXTENT_LIVE, count);
	struct pmm_ram_block *block;
	bool ok;

	*at = (addr >> PAGE_SHIFT) & (pmm_ram_pages - 1);
	preempt_disable();
	block = pmm_ram_block_of(addr);
	ok = likely(block && PAGE_ALIGNED(addr) && count && count <= PMM_RAM_MAX) &&
	     try_cmpxchg(&block->extent[*at], &live, PMM_EXTENT(PMM_EXTENT_NONE, count));
	preempt_enable();
	*blockp = block;
	return ok;
}

/**
 * pmm_vm_unmap_ram() - undo pmm_vm_map_ram()
 * @mem: what it returned; NULL is ignored
 * @count: as it was mapped with
 *
 * Anything else is refused as by pmm_vfree(). With purge=lazy the flush is left for later, else it
 * is done at once. (2.6.28)
 *
 * Context: Process context, interrupts on.
 */
void pmm_vm_unmap_ram(const void *mem, unsigned int count)
{
	unsigned long addr = (unsigned long)mem;
	struct pmm_ram_block *block;
	unsigned int at;

	if (likely(pmm_ram_claim(addr, count, &block, &at)))
		pmm_ram_unmap(block, at, count);
	else if (block)
		pmm_refuse(PMM_DETACH_NONEXISTENT, mem, PMM_VM_RAM, __builtin_return_address(0));
	else if (mem)
		pmm_take_down(mem, PMM_VM_MAP, __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(pmm_vm_unmap_ram);

/* --- purging ---------------------------------------------------------------------------------- */

static long __pmm_ram_purge_block(struct pmm_ram_block *block)
{
	unsigned int i, nr;
	long purged = 0;

	for (i = 0; i < block->next; i += nr) {
		/* Pairs with the release in pmm_ram_unmap(). */
		u16 extent = smp_load_acquire(&block->extent[i]);

		nr = PMM_EXTENT_PAGES(extent);
		if (PMM_EXTENT_KIND(extent) != PMM_EXTENT_DIRTY)
			continue;
		block->extent[i] = PMM_EXTENT(PMM_EXTENT_PURGED, nr);
		purged += nr;
	}
	return purged;
}

/* Mark what waits for a flush. Returns whether there is any. */
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

/* What has been flushed is free; free extents side by side become one, the last becomes room. */
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

/* What was marked has been flushed, and may be used again. */
static void pmm_ram_purge_end(void)
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
 * pmm_map_ram_init() - no blocks yet
 *
 * A block has as many pages as 2.6.28 would give it: a sixteenth of a CPU's share of the window, in
 * a power of two from 2 x 64 to 1024.
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
	pmm_ram_rest = pmm_entry_rest(pmm_prot_bits(PAGE_KERNEL));
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
 * pmm_map_ram_exit() - give all blocks up, with what is still mapped in them
 *
 * Context: Process context; nobody uses the module any more, and the caller flushes.
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

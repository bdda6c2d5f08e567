/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the blocks of vm_map_ram(). ram_block.c keeps them, map_ram.c cuts mappings from them.
 *
 * A block is a row of extents. The entry of an extent's first page has its kind and its length:
 *
 *	[ live 16 ][ dirty 4 ][ live 1 ][ free 8 ][ dirty 16 ]   room ...
 *	0          16         20        21        29         45 = next
 *
 * An extent goes LIVE -> NONE -> DIRTY -> PURGED -> FREE; without DIRTY if purge=eager. A task
 * that unmaps claims the extent by an atomic step from LIVE to NONE, and owns it until it marks it
 * DIRTY or PURGED, so it needs no lock. Every other step takes the lock of the block's CPU.
 */
#ifndef POCKETMM_RAM_BLOCK_H
#define POCKETMM_RAM_BLOCK_H

#include "host/window.h"
#include "purge.h"

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
 * @rcu: a task that unmaps by mistake may still read a block that is being freed
 * @cpu: the CPU that it belongs to
 * @vm: the area
 * @addr: its first address
 * @next: first page that no extent covers yet
 * @foreign: some pages mapped so far do not belong to the pool
 * @pte: the page table entries of its first 2 MiB, and of the second
 * @extent: kind and length of the extent that begins at each page
 * @page: the pages that are mapped
 */
struct pmm_ram_block {
	struct list_head	list;
	struct rcu_head		rcu;
	struct pmm_ram_cpu	*cpu;
	struct pmm_vm_struct	*vm;
	unsigned long		addr;
	unsigned int		next;
	bool			foreign;
	pte_t			*pte[DIV_ROUND_UP(PMM_RAM_BLOCK_MAX, PTRS_PER_PTE)];
	u16			extent[PMM_RAM_BLOCK_MAX];
	struct page		*page[PMM_RAM_BLOCK_MAX];
};

/* The blocks of one CPU; mappings are cut from the first that has room. */
struct pmm_ram_cpu {
	spinlock_t		lock;	/* the rest, and the blocks */
	struct list_head	blocks;
};

extern struct pmm_ram_cpu __percpu *pmm_ram;
extern unsigned int pmm_ram_shift;		/* log2 of the bytes of a block */
extern unsigned int pmm_ram_pages;		/* of a block */
extern pteval_t pmm_ram_rest;			/* pmm_entry_rest() of PAGE_KERNEL */
extern struct pmm_ram_block **pmm_ram_blocks;	/* by address, in units of a block */

struct pmm_ram_block *pmm_ram_new_block(struct pmm_ram_cpu *cpu, const void *caller);
void pmm_ram_purge_end(void);

/* The place in pmm_ram_blocks for the block around an address of the window. */
static inline struct pmm_ram_block **pmm_ram_place(unsigned long addr)
{
	return &pmm_ram_blocks[(addr >> pmm_ram_shift) - (pmm_window_start() >> pmm_ram_shift)];
}

static inline unsigned long pmm_ram_addr(const struct pmm_ram_block *block, unsigned int page)
{
	return block->addr + ((unsigned long)page << PAGE_SHIFT);
}

#endif /* POCKETMM_RAM_BLOCK_H */

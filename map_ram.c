// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: vm_map_ram(), short mappings without a global lock, as in 2.6.28.
 *
 * Each CPU has blocks of the window (ram_block.c) and cuts mappings of up to PMM_RAM_MAX pages from
 * them, one after the other. An unmapped mapping waits for a flush; after the next purge its
 * addresses are used again. There are no guard pages between the mappings of a block.
 *
 * It owns only the extents that are being mapped or unmapped: the task that owns an extent writes
 * its page table entries. Cutting takes the CPU's lock: functions whose names begin with a double
 * underscore run with cpu->lock held. Unmapping takes none.
 */
#include <linux/export.h>

#include "ram_block.h"

/* --- cutting ---------------------------------------------------------------------------------- */

#define PMM_RAM_NO_ROOM		UINT_MAX

/* Cut from the first free extent that is long enough: space that a purge has freed. */
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

/* Returns the first page that was cut off, or PMM_RAM_NO_ROOM. */
static unsigned int __pmm_ram_cut(struct pmm_ram_block *block, unsigned int count)
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

static struct pmm_ram_block *pmm_ram_take(struct pmm_ram_cpu *cpu, unsigned int count,
					  unsigned int *at)
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

/* --- mapping ---------------------------------------------------------------------------------- */

/*
 * A block owns its addresses, so no leaf ever maps them, and its entries were looked up once. Only
 * a mapping that crosses from the first 2 MiB to the second goes the long way.
 */
static bool pmm_ram_is_within(unsigned int at, unsigned int count)
{
	return likely(at % PTRS_PER_PTE + count <= PTRS_PER_PTE);
}

static pte_t *pmm_ram_pte(const struct pmm_ram_block *block, unsigned int at)
{
	return block->pte[at / PTRS_PER_PTE] + at % PTRS_PER_PTE;
}

/*
 * The next entry of the caller's array is not a page: unmap the pages before it. The mapping is
 * live already, so the ordinary unmap does the rest.
 */
static noinline void *pmm_ram_undo_map(struct pmm_ram_block *block, unsigned int at,
				       unsigned int got, unsigned int count)
{
	memset(block->page + at + got, 0, (count - got) * sizeof(*block->page));
	block->foreign = true;
	pmm_vm_unmap_ram((void *)pmm_ram_addr(block, at), count);
	return ERR_PTR(-EINVAL);
}

static void *pmm_ram_map(struct page **pages, unsigned int count, const void *caller)
{
	struct pmm_ram_cpu *cpu = raw_cpu_ptr(pmm_ram);
	struct pmm_ram_block *block;
	unsigned int at, got = 0;

	if (unlikely(pmm_window_is_lost()))
		return ERR_PTR(-ENXIO);
	while (unlikely(!(block = pmm_ram_take(cpu, count, &at))))
		if (!pmm_ram_new_block(cpu, caller))
			return ERR_PTR(-ENOSPC);
	if (pmm_ram_is_within(at, count) && pmm_arch_set_is_plain(PMM_ARCH_PRESENT))
		got = pmm_hold_in_slot(pmm_ram_pte(block, at), pages, count, pmm_ram_rest,
				       block->page + at, NULL);
	if (unlikely(got < count)) {
		got += pmm_window_hold_pages_anywhere(pmm_ram_addr(block, at + got), pages + got,
						      count - got, PAGE_KERNEL,
						      block->page + at + got, &block->foreign);
		if (got < count) {
			pmm_refuse_mapping(pages[got], caller);
			return pmm_ram_undo_map(block, at, got, count);
		}
	}
	return (void *)pmm_ram_addr(block, at);
}

/**
 * pmm_vm_map_ram() - map pages for a short while
 * @pages: the pages, of this pool or any other; they stay the caller's
 * @count: how many
 * @node: ignored
 *
 * Up to 64 pages are mapped in a block of this CPU, without a global lock. More pages are mapped as
 * by pmm_vmap(), as are fewer when the window has no room for a block. A page of this pool that
 * is freed while it is mapped stays parked until pmm_vm_unmap_ram(). Not all pages are checked for
 * having been freed before, as pmm_vmap() does. (2.6.28; without its argument prot, as since 5.8)
 *
 * Context: Process context; may sleep.
 * Return: The address, readable and writable; NULL on failure.
 */
void *pmm_vm_map_ram(struct page **pages, unsigned int count, int node)
{
	void *addr = ERR_PTR(-ENOSPC);

	pmm_might_sleep();
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

/* --- unmapping -------------------------------------------------------------------------------- */

static struct pmm_ram_block *pmm_ram_block_of(unsigned long addr)
{
	if (addr - pmm_window_start() >= pmm_window_size())
		return NULL;
	return READ_ONCE(*pmm_ram_place(addr));
}

static void pmm_ram_unmap(struct pmm_ram_block *block, unsigned int at, unsigned int count)
{
	if (likely(!pmm_window_is_lost()) && pmm_ram_is_within(at, count))
		pmm_clear_in_slot(pmm_ram_pte(block, at), count);
	else
		pmm_window_unmap_anywhere(pmm_ram_addr(block, at), count);
	if (likely(pmm_purge_is_lazy())) {
		pmm_window_put_pages(block->page + at, count, block->foreign);
		atomic_long_add(count, &pmm_lazy_pages);
		/* A purge that sees it dirty must find the entries cleared. */
		smp_store_release(&block->extent[at], PMM_EXTENT(PMM_EXTENT_DIRTY, count));
		pmm_purge_excess();
	} else {
		pmm_window_flush(PMM_FLUSH_EAGER, (unsigned long)count << PAGE_SHIFT);
		pmm_window_put_pages(block->page + at, count, block->foreign);
		/* So must a task that uses it again. */
		smp_store_release(&block->extent[at], PMM_EXTENT(PMM_EXTENT_PURGED, count));
		pmm_ram_purge_end();
	}
}

/*
 * The caller owns the extent from here on, and so keeps the block. @blockp gets the block, or NULL
 * for an address in none; the result is false when no mapping of @count pages begins there. With
 * preemption off this is an RCU reader, at less cost than rcu_read_lock().
 */
static bool pmm_ram_claim(unsigned long addr, unsigned int count, struct pmm_ram_block **blockp,
			  unsigned int *at)
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
 * @mem: its result; NULL is ignored
 * @count: as for pmm_vm_map_ram()
 *
 * Any other address or count is refused as by pmm_vfree(). With purge=lazy the flush is left for
 * later, otherwise it is done at once. (2.6.28)
 *
 * Context: Process context, interrupts on; may sleep.
 */
void pmm_vm_unmap_ram(const void *mem, unsigned int count)
{
	unsigned long addr = (unsigned long)mem;
	struct pmm_ram_block *block;
	unsigned int at;

	pmm_might_sleep();
	if (likely(pmm_ram_claim(addr, count, &block, &at)))
		pmm_ram_unmap(block, at, count);
	else if (block)
		pmm_refuse_area(&pmm_vmlist, mem, PMM_VM_RAM, PMM_DETACH_NONEXISTENT,
				__builtin_return_address(0));
	else if (mem)
		pmm_take_down(mem, PMM_VM_MAP, __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(pmm_vm_unmap_ram);

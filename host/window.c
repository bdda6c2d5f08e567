// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: reserve a window of kernel addresses, set and clear its page table entries, flush TLBs.
 * Of the architecture it uses only the verbs that window.h lists.
 *
 * A module can neither call get_vm_area() nor reach init_mm. But vmap() of one dummy page over the
 * whole window builds every page table that it needs; once the entries are cleared again the
 * addresses are ours, and the kernel's own vmalloc leaves them alone until vunmap(). The last-level
 * tables are remembered, so that a mapping is one store; so are the entries one level up, in the
 * tables that all address spaces share, so that one entry (a PMD leaf) can map 2 MiB. Leaves need
 * tables with as many entries as the largest block has pages, 512: with pages of 16 or 64 KiB a
 * table has more, and there are no leaves.
 *
 * The part of the window that one table maps, a slot, has its table hooked in, or a leaf, or
 * neither. Absent entries are not cached, so filling an empty entry, or a slot that has neither,
 * needs no flush. A table that has to make room for a leaf is unhooked and flushed first; a leaf
 * makes room for a table once it has been unmapped and flushed. All tables are hooked in again
 * before vunmap(). A flush covers everything on every CPU, including the entries of upper tables.
 *
 * To the kernel the window is one area, which its own vfree(), vunmap() and iounmap() free as a
 * whole, whatever address in it they get. They clear all its entries. That of the last page, the
 * sentinel, has a value that is neither empty nor present: the kernel warns when it finds that in
 * its way, with the stack of the culprit, and the pool knows the window is lost when it is gone.
 *
 * It owns the tables and does not lock: an entry, and a slot that an area fills, belong to the
 * owner of the area around it (vmlist.c). Two areas that meet in a slot both need its table there.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/vmalloc.h>

#include "host/window.h"

struct pmm_window pmm_window;

/* Bytes that the window costs: its page tables, and the array that remembers them. */
unsigned long pmm_window_metadata(void)
{
	return pmm_window.nr_slots * (PAGE_SIZE + sizeof(*pmm_window.slots));
}

u64 pmm_window_flushes(void)
{
	return atomic64_read(&pmm_window.flushes);
}

/* The highest physical address that the processor can reach. */
u64 pmm_window_phys_limit(void)
{
	return pmm_arch_phys_limit();
}

/* Protection of a device's registers; pmm_window_lookup() recognises them by it. */
pgprot_t pmm_window_device_prot(void)
{
	return pmm_arch_device_prot();
}

/**
 * pmm_window_map() - map consecutive page frames
 * @addr: of the first page, in the window
 * @pfn: the first page frame
 * @nr_pages: how many
 * @prot: protection; never executable, never for user mode
 *
 * Context: Any; the caller owns the range, and nothing is mapped there.
 */
void pmm_window_map(unsigned long addr, unsigned long pfn, unsigned long nr_pages, pgprot_t prot)
{
	pgprot_t bits = __pgprot(pmm_arch_prot_bits(prot));

	for (; nr_pages--; addr += PAGE_SIZE)
		set_pte(pmm_pte(pmm_slot(addr), addr), pfn_pte(pfn++, bits));
}

/**
 * pmm_window_run_in_use() - how many of a caller's pages are in one block that is in use
 * @pages: the pages
 * @nr_pages: how many
 *
 * Context: Any; the caller has the pages, or so it believes.
 * Return: How many at the start of the array are in the block that the first one is in; 0 when that
 * is in none that is in use, or not in the pool.
 */
unsigned long pmm_window_run_in_use(struct page **pages, unsigned long nr_pages)
{
	unsigned long head, nr = 1;
	u8 state;

	if (!pmm_page_in_zone(&pmm_zone, *pages))
		return 0;
	head = pmm_head_of(&pmm_zone, pmm_page_index(&pmm_zone, *pages));
	state = READ_ONCE(pmm_zone.state[head]);
	if (!(state & PMM_STATE_IN_USE))
		return 0;
	while (nr < nr_pages &&
	       pmm_page_index(&pmm_zone, pages[nr]) - head < 1UL << PMM_STATE_ORDER(state))
		nr++;
	return nr;
}

/* One page that is not of the pool; false when @page is not a page, or a free one of the pool. */
static bool pmm_hold_any_page(unsigned long addr, struct page *page, pgprot_t prot,
			      struct page **held, bool *foreign)
{
	bool in_pool = pmm_page_in_zone(&pmm_zone, page);

	if (in_pool ? !pmm_window_run_in_use(&page, 1) : !page || !pfn_valid(page_to_pfn(page)))
		return false;
	if (in_pool)
		page_ref_inc(page);
	else
		*foreign = true;
	*held = page;
	pmm_window_map(addr, page_to_pfn(page), 1, prot);
	return true;
}

static unsigned long pmm_pages_left_in_slot(unsigned long addr)
{
	return PTRS_PER_PTE - pte_index(addr);
}

/* Within one slot, pages that begin a block each, or the pages of one block. */
static unsigned long pmm_hold_some(pte_t *pte, struct page **pages, unsigned long nr,
				   pteval_t rest, struct page **held)
{
	unsigned long got = pmm_hold_in_slot(pte, pages, nr, rest, held, pmm_zone.state);

	if (!got)
		got = pmm_hold_in_slot(pte, pages, pmm_window_run_in_use(pages, nr), rest, held,
				       NULL);
	return got;
}

/* pmm_window_hold_pages() for any pages and any range. */
unsigned long pmm_window_hold_pages_anywhere(unsigned long addr, struct page **pages,
					     unsigned long nr_pages, pgprot_t prot,
					     struct page **held, bool *foreign)
{
	pteval_t bits = pmm_arch_prot_bits(prot);
	unsigned long i = 0, got;

	while (i < nr_pages) {
		got = 0;
		if (pmm_arch_set_is_plain(bits))
			got = pmm_hold_some(pmm_pte(pmm_slot(addr), addr), pages + i,
					    min(nr_pages - i, pmm_pages_left_in_slot(addr)),
					    pmm_entry_rest(bits), held + i);
		if (!got) {
			if (!pmm_hold_any_page(addr, pages[i], prot, held + i, foreign))
				break;
			got = 1;
		}
		i += got;
		addr += got << PAGE_SHIFT;
	}
	return i;
}

/* pmm_window_map_pages() for any range. */
void pmm_window_map_pages_anywhere(unsigned long addr, struct page **pages, unsigned long nr_pages,
				   pgprot_t prot)
{
	pteval_t bits = pmm_arch_prot_bits(prot);
	unsigned long nr;

	for (; nr_pages; nr_pages -= nr, pages += nr, addr += nr << PAGE_SHIFT) {
		nr = 1;
		if (!pmm_arch_set_is_plain(bits)) {
			pmm_window_map(addr, page_to_pfn(*pages), 1, prot);
			continue;
		}
		nr = min(nr_pages, pmm_pages_left_in_slot(addr));
		pmm_map_in_slot(pmm_pte(pmm_slot(addr), addr), pages, nr,
				pmm_entry_rest(bits));
	}
}

/* pmm_window_put_pages() when some pages do not belong to the pool. */
void pmm_window_put_any_pages(struct page **pages, unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++)
		if (pmm_page_in_zone(&pmm_zone, pages[i]))
			page_ref_dec(pages[i]);
}

/**
 * pmm_window_can_map_huge() - may 2 MiB be mapped at once?
 *
 * Context: Any.
 * Return: Whether pmm_window_map_huge() works here: not on processors without 2 MiB pages, nor
 * where a table has more entries than a block has pages, nor where the entries could not be found.
 */
bool pmm_window_can_map_huge(void)
{
	return pmm_window.slots[0].pmd;
}

/**
 * pmm_window_map_huge() - map a largest block by one entry
 * @addr: its address, a multiple of 2 MiB, in the window
 * @pfn: its first page frame, a multiple of 512
 * @prot: as for pmm_window_map()
 *
 * Where small pages were mapped before, their table may still be cached: it is flushed.
 *
 * Context: Process context, interrupts on; the caller owns the range, and nothing is mapped there.
 */
void pmm_window_map_huge(unsigned long addr, unsigned long pfn, pgprot_t prot)
{
	struct pmm_slot *slot = pmm_slot(addr);

	if (!pmd_none(READ_ONCE(*slot->pmd))) {
		pmm_arch_set_pmd(slot->pmd, __pmd(0));
		pmm_window_flush(PMM_FLUSH_TABLE, PMD_SIZE);
	}
	pmm_arch_set_pmd(slot->pmd, pmm_arch_leaf(pfn, pmm_arch_prot_bits(prot)));
}

/* pmm_window_unmap() for any mapping. */
void pmm_window_unmap_anywhere(unsigned long addr, unsigned long nr_pages)
{
	unsigned long nr;

	for (; nr_pages; nr_pages -= nr, addr += nr << PAGE_SHIFT) {
		struct pmm_slot *slot = pmm_slot(addr);

		nr = min(nr_pages, pmm_pages_left_in_slot(addr));
		if (pmm_slot_is_huge(slot))
			pmm_arch_set_pmd(slot->pmd, __pmd(0));
		else
			pmm_clear_in_slot(slot->table + pte_index(addr), nr);
	}
}

/**
 * pmm_window_flush() - forget every cached translation, on every CPU
 * @reason: for the tracepoint
 * @bytes: of the window that are about to be freed, for the tracepoint
 *
 * Context: Interrupts on; waits for the other CPUs.
 */
void pmm_window_flush(enum pmm_flush_reason reason, unsigned long bytes)
{
	pmm_arch_flush();
	atomic64_inc(&pmm_window.flushes);
	pmm_tell_flush(reason, bytes);
}

/**
 * pmm_window_lookup() - find the page frame that an address of the window maps to
 * @addr: any address
 * @pfn: gets the page frame when something is mapped
 *
 * Context: Any. Without a lock on the area the answer may be stale when it arrives.
 * Return: 0 when nothing is mapped there, or the window is lost; else PMM_MAP_PRESENT, with the
 * kernel's access rights.
 */
unsigned int pmm_window_lookup(unsigned long addr, unsigned long *pfn)
{
	unsigned int map = PMM_MAP_PRESENT;
	struct pmm_slot *slot;
	pte_t pte;

	if (addr - pmm_window_start() >= pmm_window.size || !pmm_window_is_ours())
		return 0;
	slot = pmm_slot(addr);
	if (pmm_slot_is_huge(slot)) {
		pte = __pte(pmd_val(READ_ONCE(*slot->pmd)));
		*pfn = pmd_pfn(__pmd(pte_val(pte))) + pte_index(addr);
		map |= PMM_MAP_HUGE;
	} else {
		pte = READ_ONCE(slot->table[pte_index(addr)]);
		if (!pte_present(pte))
			return 0;
		*pfn = pte_pfn(pte);
	}
	if (pmm_arch_is_readable(pte))
		map |= PMM_MAP_READABLE | (pmm_arch_is_writable(pte) ? PMM_MAP_WRITABLE : 0);
	if (pte_special(pte))
		map |= PMM_MAP_DEVICE;
	return map;
}

static void *pmm_vmap_dummy(unsigned long nr_pages)
{
	struct page **pages = pmm_may_fail(kvmalloc_array(nr_pages, sizeof(*pages), GFP_KERNEL));
	unsigned long i;
	void *base;

	if (!pages)
		return NULL;
	for (i = 0; i < nr_pages; i++)
		pages[i] = pmm_window.dummy;
	/* Devices will be mapped here: VM_IOREMAP keeps /proc/kcore from reading them as memory. */
	base = pmm_may_fail(vmap(pages, nr_pages, VM_MAP | VM_IOREMAP, PAGE_KERNEL));
	kvfree(pages);
	return base;
}

/*
 * The entry that a table hangs on, in the tables of the kernel's half, which every address space
 * shares; NULL unless it is there.
 */
static pmd_t *pmm_find_pmd(unsigned long addr)
{
	pgd_t *pgd = pgd_offset_pgd(pmm_arch_pgd(), addr);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd;

	if (pgd_none(READ_ONCE(*pgd)))
		return NULL;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(READ_ONCE(*p4d)) || p4d_bad(READ_ONCE(*p4d)))
		return NULL;
	pud = pud_offset(p4d, addr);
	if (pud_none(READ_ONCE(*pud)) || pud_bad(READ_ONCE(*pud)))
		return NULL;
	pmd = pmd_offset(pud, addr);
	return pmd_none(READ_ONCE(*pmd)) || pmd_bad(READ_ONCE(*pmd)) ? NULL : pmd;
}

/*
 * Remember each table, found through the entry of the first address in it; a huge or missing entry
 * would mean that there is no such table.
 */
static int pmm_find_slot(struct pmm_slot *slot, unsigned long addr)
{
	pmd_t *pmd = pmm_find_pmd(addr);

	slot->table = pmm_arch_table(addr, pmd);
	if (!slot->table)
		return -ENXIO;
	if (pmd && (pte_t *)pmd_page_vaddr(READ_ONCE(*pmd)) == slot->table) {
		slot->pmd = pmd;
		slot->hook = READ_ONCE(*pmd);
	}
	return 0;
}

static int pmm_find_slots(void)
{
	unsigned long start = pmm_window_start(), end = start + pmm_window.size, addr, i;
	bool huge = pmm_arch_has_leaves() && PTRS_PER_PTE == PMM_MAX_ORDER_PAGES;
	int err;

	pmm_window.first_slot = start >> PMD_SHIFT;
	pmm_window.nr_slots = ((end - 1) >> PMD_SHIFT) - pmm_window.first_slot + 1;
	pmm_window.slots = pmm_may_fail(kvcalloc(pmm_window.nr_slots, sizeof(*pmm_window.slots),
						 GFP_KERNEL));
	if (!pmm_window.slots)
		return -ENOMEM;
	for (i = 0, addr = start; i < pmm_window.nr_slots; i++, addr = ALIGN(addr + 1, PMD_SIZE)) {
		err = pmm_find_slot(&pmm_window.slots[i], addr);
		if (err)
			return err;
		huge = huge && pmm_window.slots[i].pmd;
		cond_resched();
	}
	for (i = 0; !huge && i < pmm_window.nr_slots; i++)
		pmm_window.slots[i].pmd = NULL;
	return 0;
}

/*
 * Only slots that lie wholly in the window: the kernel may use the rest of the others. Nor that of
 * the last page, where the sentinel is.
 */
static void pmm_hook_slots(bool in)
{
	unsigned long addr, end = ALIGN_DOWN(pmm_window_start() + pmm_window.size - 1, PMD_SIZE);

	for (addr = ALIGN(pmm_window_start(), PMD_SIZE); addr < end; addr += PMD_SIZE)
		if (pmm_slot(addr)->pmd)
			pmm_arch_set_pmd(pmm_slot(addr)->pmd,
					 in ? pmm_slot(addr)->hook : __pmd(0));
}

/* --- the sentinel ----------------------------------------------------------------------------- */

static pte_t *pmm_last_entry(void)
{
	return pmm_window_entry(pmm_window_start() + pmm_window.size - PAGE_SIZE);
}

static void pmm_post_sentinel(void)
{
	pte_t *last = pmm_last_entry();

	set_pte(last, __pte(PMM_ARCH_SENTINEL));
	pmm_window.sentinel = last;
}

/*
 * The addresses and their tables may have a new owner already. From here on entries are looked up,
 * set and cleared in a page that no table refers to, in which there is no sentinel.
 */
static void pmm_leave_tables(void)
{
	static pmd_t nowhere;
	pte_t *table = page_address(pmm_window.dummy);
	unsigned long i;

	clear_page(table);
	nowhere = pmm_window.slots[0].hook;
	for (i = 0; i < pmm_window.nr_slots; i++) {
		WRITE_ONCE(pmm_window.slots[i].table, table);
		if (pmm_window.slots[i].pmd)
			WRITE_ONCE(pmm_window.slots[i].pmd, &nowhere);
	}
	WRITE_ONCE(pmm_window.sentinel, table);
}

/**
 * pmm_window_give_up() - leave the window to the kernel, which has freed it
 *
 * Use pmm_window_is_lost().
 *
 * Context: Process context, no spinlock held.
 * Return: true.
 */
noinline bool pmm_window_give_up(void)
{
	static DEFINE_SPINLOCK(lock);	/* given_up */
	static bool given_up;
	bool first;

	spin_lock(&lock);
	first = !given_up;
	given_up = true;
	if (first)
		pmm_leave_tables();
	spin_unlock(&lock);
	if (!first)
		return true;
	pr_err("the window is lost: the kernel's own vfree(), vunmap() or iounmap() has freed it; the pool maps nothing until it is loaded again\n");
	return true;
}

/* --- load and unload -------------------------------------------------------------------------- */

static void pmm_window_know_pool(const struct pmm_zone *zone)
{
	pmm_window.pages = (unsigned long)zone->mem_map;
	pmm_window.pages_size = zone->nr_pages * sizeof(*zone->mem_map);
	pmm_window.pool = ((pteval_t)page_to_pfn(zone->mem_map) << PAGE_SHIFT) -
			  pmm_page_bits(zone->mem_map);
}

/**
 * pmm_window_init() - reserve the window, nothing mapped in it
 * @size: bytes, a multiple of the page size
 *
 * The pool, pmm_zone, must exist already.
 *
 * Context: Process context; may sleep.
 * Return: 0, -ENOMEM, or -ENXIO when the kernel did not map it page by page.
 */
int pmm_window_init(unsigned long size)
{
	int err;

	pmm_window.dummy = pmm_may_fail(alloc_page(GFP_KERNEL));
	if (!pmm_window.dummy)
		return -ENOMEM;
	pmm_window.size = size;
	pmm_window.base = (unsigned long)pmm_vmap_dummy(size >> PAGE_SHIFT);
	if (!pmm_window.base) {
		__free_page(pmm_window.dummy);
		return -ENOMEM;
	}
	err = pmm_find_slots();
	if (err) {
		kvfree(pmm_window.slots);
		vunmap((void *)pmm_window.base);
		__free_page(pmm_window.dummy);
		return err;
	}
	pmm_window_know_pool(&pmm_zone);
	pmm_window_unmap_anywhere(pmm_window_start(), size >> PAGE_SHIFT);
	pmm_post_sentinel();
	pmm_hook_slots(false);
	pmm_window_flush(PMM_FLUSH_TABLE, size);
	atomic64_set(&pmm_window.flushes, 0);
	return 0;
}

/**
 * pmm_window_exit() - give the window back, once nothing is mapped in it
 *
 * Of a window that is lost, the tables that were not hooked in are lost as well.
 *
 * Context: Process context; may sleep.
 */
void pmm_window_exit(void)
{
	if (!pmm_window_is_lost()) {
		set_pte(pmm_last_entry(), __pte(0));
		pmm_hook_slots(true);
		vunmap((void *)pmm_window.base);
	}
	kvfree(pmm_window.slots);
	__free_page(pmm_window.dummy);
}

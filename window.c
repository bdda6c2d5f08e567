// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: reserve a window of kernel addresses, set and clear its page table entries, flush TLBs.
 * The only file that knows the architecture, which is x86-64.
 *
 * A module can neither call get_vm_area() nor reach init_mm. But vmap() of one dummy page over the
 * whole window builds every page table that it needs; once the entries are cleared again the
 * addresses are ours, and the kernel's own vmalloc leaves them alone until vunmap(). The last-level
 * tables are remembered, so that a mapping is one store.
 *
 * It owns those tables and does not lock: an entry belongs to whoever owns the area around it
 * (vmlist.c). A new entry needs no flush, since x86 does not cache what is absent. Under page-table
 * isolation kernel entries may be cached in several address spaces, so a flush is of everything on
 * every CPU, as flush_tlb_all() does.
 */
#include <linux/atomic.h>
#include <linux/pgtable.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#include <asm/processor.h>
#include <asm/tlbflush.h>

#include "internal.h"

static struct {
	void		*base;
	unsigned long	size;
	struct page	*dummy;
	pte_t		**tables;	/* of each PMD_SIZE that the window touches */
	unsigned long	nr_tables;
	atomic64_t	flushes;
} pmm_window;

static pte_t *pmm_pte(unsigned long addr)
{
	unsigned long table = (addr >> PMD_SHIFT) - (pmm_window_start() >> PMD_SHIFT);

	return pmm_window.tables[table] + pte_index(addr);
}

unsigned long pmm_window_start(void)
{
	return (unsigned long)pmm_window.base;
}

unsigned long pmm_window_size(void)
{
	return pmm_window.size;
}

/* Bytes that the window costs: page tables, and the array that remembers them. */
unsigned long pmm_window_metadata(void)
{
	return pmm_window.nr_tables * (PAGE_SIZE + sizeof(*pmm_window.tables));
}

u64 pmm_window_flushes(void)
{
	return atomic64_read(&pmm_window.flushes);
}

/* The highest physical address that the processor can reach. */
u64 pmm_window_phys_limit(void)
{
	return (1ULL << boot_cpu_data.x86_phys_bits) - 1;
}

/*
 * Uncached, as ioremap() maps a device; not encrypted where memory is. The software bit tells a
 * device from memory afterwards, which a page frame number alone does not.
 */
pgprot_t pmm_window_device_prot(void)
{
	pgprot_t prot = pgprot_decrypted(pgprot_noncached(PAGE_KERNEL));

	return __pgprot(pgprot_val(prot) | _PAGE_SPECIAL);
}

/**
 * pmm_window_map() - set one page table entry
 * @addr: of the page, in the window
 * @pfn: what to map
 * @prot: protection; never executable, never for user mode
 *
 * Context: Any; the caller owns @addr.
 */
void pmm_window_map(unsigned long addr, unsigned long pfn, pgprot_t prot)
{
	pgprotval_t bits = pgprot_val(pgprot_nx(prot)) & ~_PAGE_USER;

	set_pte(pmm_pte(addr), pfn_pte(pfn, __pgprot(bits & __supported_pte_mask)));
}

/**
 * pmm_window_unmap() - clear page table entries; the caller flushes
 * @addr: of the first page, in the window
 * @nr_pages: how many
 *
 * Context: Any; the caller owns the range.
 */
void pmm_window_unmap(unsigned long addr, unsigned long nr_pages)
{
	for (; nr_pages--; addr += PAGE_SIZE)
		set_pte(pmm_pte(addr), __pte(0));
}

static void pmm_flush_this_cpu(void *unused)
{
	__flush_tlb_all();
}

/**
 * pmm_window_flush() - forget every cached translation, on every CPU
 *
 * Context: Interrupts on; waits for the other CPUs.
 */
void pmm_window_flush(void)
{
	on_each_cpu(pmm_flush_this_cpu, NULL, 1);
	atomic64_inc(&pmm_window.flushes);
}

/**
 * pmm_window_lookup() - what an address of the window maps to
 * @addr: any address
 * @pfn: gets the page frame when something is mapped
 *
 * Context: Any. Without a lock on the area the answer may be old when it arrives.
 * Return: 0 when nothing is mapped there; else PMM_MAP_PRESENT, with what the kernel may do there.
 */
unsigned int pmm_window_lookup(unsigned long addr, unsigned long *pfn)
{
	unsigned int map = PMM_MAP_PRESENT;
	pte_t pte;

	if (addr - pmm_window_start() >= pmm_window.size)
		return 0;
	pte = READ_ONCE(*pmm_pte(addr));
	if (!pte_present(pte))
		return 0;
	*pfn = pte_pfn(pte);
	if (pte_flags(pte) & _PAGE_PRESENT)	/* else PROT_NONE */
		map |= PMM_MAP_READABLE | (pte_write(pte) ? PMM_MAP_WRITABLE : 0);
	if (pte_special(pte))
		map |= PMM_MAP_DEVICE;
	return map;
}

static void *pmm_vmap_dummy(unsigned long nr_pages)
{
	struct page **pages = kvmalloc_array(nr_pages, sizeof(*pages), GFP_KERNEL);
	unsigned long i;
	void *base;

	if (!pages)
		return NULL;
	for (i = 0; i < nr_pages; i++)
		pages[i] = pmm_window.dummy;
	/* Devices will be mapped here: VM_IOREMAP keeps /proc/kcore from reading them as memory. */
	base = vmap(pages, nr_pages, VM_MAP | VM_IOREMAP, PAGE_KERNEL);
	kvfree(pages);
	return base;
}

/*
 * Remember each table, by the entry of the first address in it; a huge or missing entry would mean
 * no such table.
 */
static int pmm_find_tables(void)
{
	unsigned long start = pmm_window_start(), end = start + pmm_window.size, addr;
	unsigned int level;
	pte_t *pte;

	pmm_window.nr_tables = ((end - 1) >> PMD_SHIFT) - (start >> PMD_SHIFT) + 1;
	pmm_window.tables = kvcalloc(pmm_window.nr_tables, sizeof(*pmm_window.tables), GFP_KERNEL);
	if (!pmm_window.tables)
		return -ENOMEM;
	for (addr = start; addr < end; addr = ALIGN(addr + 1, PMD_SIZE)) {
		pte = lookup_address(addr, &level);
		if (!pte || level != PG_LEVEL_4K)
			return -ENXIO;
		pmm_window.tables[(addr >> PMD_SHIFT) - (start >> PMD_SHIFT)] =
			pte - pte_index(addr);
	}
	return 0;
}

/**
 * pmm_window_init() - reserve the window, nothing mapped in it
 * @size: bytes, a multiple of the page size
 *
 * Context: Process context; may sleep.
 * Return: 0, -ENOMEM, or -ENXIO when the kernel did not map it page by page.
 */
int pmm_window_init(unsigned long size)
{
	int err;

	pmm_window.dummy = alloc_page(GFP_KERNEL);
	if (!pmm_window.dummy)
		return -ENOMEM;
	pmm_window.size = size;
	pmm_window.base = pmm_vmap_dummy(size >> PAGE_SHIFT);
	if (!pmm_window.base) {
		__free_page(pmm_window.dummy);
		return -ENOMEM;
	}
	err = pmm_find_tables();
	if (err) {
		kvfree(pmm_window.tables);
		vunmap(pmm_window.base);
		__free_page(pmm_window.dummy);
		return err;
	}
	pmm_window_unmap(pmm_window_start(), size >> PAGE_SHIFT);
	pmm_window_flush();
	atomic64_set(&pmm_window.flushes, 0);
	return 0;
}

/**
 * pmm_window_exit() - give the window back; nothing is mapped in it any more
 *
 * Context: Process context; may sleep.
 */
void pmm_window_exit(void)
{
	vunmap(pmm_window.base);
	kvfree(pmm_window.tables);
	__free_page(pmm_window.dummy);
}

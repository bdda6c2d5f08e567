/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the calls of window.c, and its fast paths: pages of the pool, mapped and unmapped in
 * one slot. They are inline, because a small area costs little else.
 *
 * Each architecture is behind the verbs of a header of its own, arch-x86.h or arch-arm64.h:
 *
 *	find the tables		pmm_arch_pgd(), pmm_arch_table()
 *	protection		pmm_arch_prot_bits(), pmm_arch_device_prot(), pmm_arch_phys_limit(),
 *				and of an entry pmm_arch_is_readable(), pmm_arch_is_writable()
 *	set and clear		pmm_arch_store() of pmm_arch_entry(), where pmm_arch_set_is_plain()
 *				or pmm_arch_clear_is_plain(), else set_pte(); after entries were
 *				set, pmm_arch_stores_done()
 *	hook, unhook, leaf	pmm_arch_set_pmd(), pmm_arch_leaf(), pmm_arch_is_leaf(),
 *				pmm_arch_has_leaves()
 *	flush			pmm_arch_flush()
 *	an entry that the kernel never makes, neither empty nor present
 *				PMM_ARCH_SENTINEL
 */
#ifndef POCKETMM_WINDOW_H
#define POCKETMM_WINDOW_H

#include <linux/pgtable.h>

#include "internal.h"

/**
 * struct pmm_slot - the part of the window that one last-level table maps, PMD_SIZE: 2 MiB if pages
 *	have 4 KiB
 * @table: the last-level table that the kernel made for it
 * @pmd: the entry that @table, or a leaf, hangs on; NULL when leaves are not possible
 * @hook: the value of *@pmd with @table hooked in
 */
struct pmm_slot {
	pte_t	*table;
	pmd_t	*pmd;
	pmd_t	hook;
};

/**
 * struct pmm_window - the one window; constant once it exists, except for the slots, @flushes, and
 *	@sentinel when it is lost
 * @slots: one for each PMD_SIZE that the window touches
 * @first_slot: number of the first, counted from address 0
 * @base: first address
 * @size: bytes
 * @pool: added to pmm_page_bits() of a page, it gives the page's entry without protection
 * @pages: address of the first struct page of the pool
 * @pages_size: bytes of those
 * @nr_slots: length of @slots
 * @dummy: the page that the window was made with
 * @sentinel: the entry of the last page, which is nothing but a guard page, whatever area is there
 * @flushes: of the TLBs, since load
 */
struct pmm_window {
	struct pmm_slot	*slots;
	unsigned long	first_slot;
	unsigned long	base;
	unsigned long	size;
	pteval_t	pool;
	unsigned long	pages;
	unsigned long	pages_size;
	unsigned long	nr_slots;
	struct page	*dummy;
	const pte_t	*sentinel;
	atomic64_t	flushes;
};

extern struct pmm_window pmm_window;

#if defined(CONFIG_X86_64)
#include "host/arch-x86.h"
#elif defined(CONFIG_ARM64)
#include "host/arch-arm64.h"
#else
#error "pocketmm knows the page tables of x86-64 and arm64"
#endif

/* The result of pmm_window_lookup(). */
#define PMM_MAP_PRESENT		0x1
#define PMM_MAP_READABLE	0x2
#define PMM_MAP_WRITABLE	0x4
#define PMM_MAP_DEVICE		0x8
#define PMM_MAP_HUGE		0x10

int pmm_window_init(unsigned long size);
void pmm_window_exit(void);
bool pmm_window_give_up(void);
unsigned long pmm_window_metadata(void);
u64 pmm_window_flushes(void);
u64 pmm_window_phys_limit(void);
void pmm_window_map(unsigned long addr, unsigned long pfn, unsigned long nr_pages, pgprot_t prot);
bool pmm_window_can_map_huge(void);
void pmm_window_map_huge(unsigned long addr, unsigned long pfn, pgprot_t prot);
void pmm_window_flush(enum pmm_flush_reason reason, unsigned long bytes);
unsigned int pmm_window_lookup(unsigned long addr, unsigned long *pfn);
pgprot_t pmm_window_device_prot(void);

/* The slow paths. */
void pmm_window_map_pages_anywhere(unsigned long addr, struct page **pages, unsigned long nr_pages,
				   pgprot_t prot);
unsigned long pmm_window_hold_pages_anywhere(unsigned long addr, struct page **pages,
					     unsigned long nr_pages, pgprot_t prot,
					     struct page **held, bool *foreign);
unsigned long pmm_window_run_in_use(struct page **pages, unsigned long nr_pages);
void pmm_window_unmap_anywhere(unsigned long addr, unsigned long nr_pages);
void pmm_window_put_any_pages(struct page **pages, unsigned long count);

static inline unsigned long pmm_window_start(void)
{
	return pmm_window.base;
}

static inline unsigned long pmm_window_size(void)
{
	return pmm_window.size;
}

/* Any context; the answer may be stale when it arrives. */
static __always_inline bool pmm_window_is_ours(void)
{
	return likely(pte_val(READ_ONCE(*pmm_window.sentinel)) == PMM_ARCH_SENTINEL);
}

/**
 * pmm_window_is_lost() - has the kernel freed the window under the pool?
 *
 * It is asked before entries are set or cleared. If the window is lost, the pool's entries are
 * somewhere else afterwards, where they map nothing.
 *
 * Context: Process context, no spinlock held.
 * Return: Whether it has; then the caller must not map anything.
 */
static __always_inline bool pmm_window_is_lost(void)
{
	return !pmm_window_is_ours() && pmm_window_give_up();
}

static __always_inline struct pmm_slot *pmm_slot(unsigned long addr)
{
	return &pmm_window.slots[(addr >> PMD_SHIFT) - pmm_window.first_slot];
}

/* The entry of an address, with its table hooked in. */
static __always_inline pte_t *pmm_pte(struct pmm_slot *slot, unsigned long addr)
{
	if (slot->pmd && unlikely(pmd_none(READ_ONCE(*slot->pmd))))
		pmm_arch_set_pmd(slot->pmd, slot->hook);
	return slot->table + pte_index(addr);
}

/**
 * pmm_window_entry() - find the entry of an address, valid while the caller owns the address
 * @addr: in the window
 *
 * Context: Any; the caller owns the address, and nothing is mapped there.
 * Return: The entry; those of the next addresses follow, up to the end of the slot.
 */
static inline pte_t *pmm_window_entry(unsigned long addr)
{
	return pmm_pte(pmm_slot(addr), addr);
}

static __always_inline bool pmm_slot_is_huge(const struct pmm_slot *slot)
{
	return slot->pmd && pmm_arch_is_leaf(READ_ONCE(*slot->pmd));
}

/*
 * From one struct page to the next this grows by as much as the physical address does. All of them
 * are in one array (SPARSEMEM_VMEMMAP), so this is true of pages outside the pool as well.
 */
static __always_inline pteval_t pmm_page_bits(const struct page *page)
{
	if (PAGE_SIZE % sizeof(struct page))
		return (pteval_t)page_to_pfn(page) << PAGE_SHIFT;
	return (pteval_t)page * (PAGE_SIZE / sizeof(struct page));
}

static __always_inline bool pmm_in_one_slot(unsigned long addr, unsigned long nr_pages)
{
	return pte_index(addr) + nr_pages <= PTRS_PER_PTE;
}

static __always_inline void pmm_set_entry(pte_t *pte, const struct page *page, pteval_t rest)
{
	pmm_arch_store(pte, pmm_arch_entry(pmm_page_bits(page), rest));
}

/* Added to pmm_page_bits() of a page, this gives the page's entry with this protection. */
static __always_inline pteval_t pmm_entry_rest(pteval_t bits)
{
	return pmm_arch_rest(pmm_window.pool, bits);
}

/* Map pages within one slot. */
static __always_inline void pmm_map_in_slot(pte_t *pte, struct page **pages, unsigned long nr,
					    pteval_t rest)
{
	struct page **end = pages + nr, **last = pages + (nr & ~3UL);

	for (; pages < last; pages += 4, pte += 4) {
		pmm_set_entry(pte, pages[0], rest);
		pmm_set_entry(pte + 1, pages[1], rest);
		pmm_set_entry(pte + 2, pages[2], rest);
		pmm_set_entry(pte + 3, pages[3], rest);
	}
	for (; pages < end; pages++, pte++)
		pmm_set_entry(pte, *pages, rest);
	pmm_arch_stores_done();
}

static __always_inline bool pmm_is_pool_page(const struct page *page, unsigned long first,
					     unsigned long size)
{
	return likely((unsigned long)page - first < size);
}

static __always_inline void pmm_hold_page(pte_t *pte, struct page *page, struct page **held,
					  pteval_t rest)
{
	page_ref_inc(page);
	*held = page;
	pmm_set_entry(pte, page, rest);
}

/* The state byte of a page of the pool. */
static __always_inline u8 pmm_use_of(const u8 *states, const struct page *page, unsigned long first)
{
	return READ_ONCE(states[((unsigned long)page - first) / sizeof(*page)]);
}

/*
 * Likewise, with a reference to each; returns how many, all before any page outside the pool, and
 * with @states, which is the zone's or a constant NULL, before any that does not begin a block in
 * use.
 */
static __always_inline unsigned long pmm_hold_in_slot(pte_t *pte, struct page **pages,
						      unsigned long nr, pteval_t rest,
						      struct page **held, const u8 *states)
{
	unsigned long i = 0, first = pmm_window.pages, size = pmm_window.pages_size;

	for (; i + 4 <= nr; i += 4) {
		struct page *a = pages[i], *b = pages[i + 1], *c = pages[i + 2], *d = pages[i + 3];

		if (!pmm_is_pool_page(a, first, size) || !pmm_is_pool_page(b, first, size) ||
		    !pmm_is_pool_page(c, first, size) || !pmm_is_pool_page(d, first, size))
			goto done;
		if (states && unlikely(!(pmm_use_of(states, a, first) &
					 pmm_use_of(states, b, first) &
					 pmm_use_of(states, c, first) &
					 pmm_use_of(states, d, first) & PMM_STATE_IN_USE)))
			goto done;
		pmm_hold_page(pte + i, a, held + i, rest);
		pmm_hold_page(pte + i + 1, b, held + i + 1, rest);
		pmm_hold_page(pte + i + 2, c, held + i + 2, rest);
		pmm_hold_page(pte + i + 3, d, held + i + 3, rest);
	}
	for (; i < nr && pmm_is_pool_page(pages[i], first, size); i++) {
		if (states && !(pmm_use_of(states, pages[i], first) & PMM_STATE_IN_USE))
			break;
		pmm_hold_page(pte + i, pages[i], held + i, rest);
	}
done:
	pmm_arch_stores_done();
	return i;
}

/**
 * pmm_window_map_pages() - map pages at consecutive addresses
 * @addr: of the first page, in the window
 * @pages: the pages, of this pool or any other
 * @nr_pages: how many
 * @prot: as for pmm_window_map()
 *
 * Context: Any; the caller owns the range, and nothing is mapped there.
 */
static __always_inline void pmm_window_map_pages(unsigned long addr, struct page **pages,
						 unsigned long nr_pages, pgprot_t prot)
{
	pteval_t bits = pmm_arch_prot_bits(prot);

	if (likely(pmm_in_one_slot(addr, nr_pages)) && pmm_arch_set_is_plain(bits))
		pmm_map_in_slot(pmm_pte(pmm_slot(addr), addr), pages, nr_pages,
				pmm_entry_rest(bits));
	else
		pmm_window_map_pages_anywhere(addr, pages, nr_pages, prot);
}

/**
 * pmm_window_hold_pages() - map a caller's pages, and take a reference to those of the pool
 * @addr: of the first page, in the window
 * @pages: the pages, of this pool or any other
 * @nr_pages: how many
 * @prot: as for pmm_window_map()
 * @held: gets the pages; those of the pool have one more reference afterwards, so that they cannot
 *	be recycled
 * @foreign: becomes true when some do not belong to the pool
 *
 * Context: As pmm_window_map_pages().
 * Return: How many were mapped: fewer than @nr_pages when the next one is not a page, or is free.
 */
static __always_inline unsigned long pmm_window_hold_pages(unsigned long addr, struct page **pages,
							   unsigned long nr_pages, pgprot_t prot,
							   struct page **held, bool *foreign)
{
	pteval_t bits = pmm_arch_prot_bits(prot);
	unsigned long got = 0;

	if (likely(pmm_in_one_slot(addr, nr_pages)) && pmm_arch_set_is_plain(bits)) {
		got = pmm_hold_in_slot(pmm_pte(pmm_slot(addr), addr), pages, nr_pages,
				       pmm_entry_rest(bits), held, pmm_zone.state);
		if (likely(got == nr_pages))
			return got;
	}
	return got + pmm_window_hold_pages_anywhere(addr + (got << PAGE_SHIFT), pages + got,
						    nr_pages - got, prot, held + got, foreign);
}

static __always_inline void pmm_clear_in_slot(pte_t *pte, unsigned long nr)
{
	pte_t *end = pte + nr, *last = pte + (nr & ~3UL);

	if (!pmm_arch_clear_is_plain()) {
		for (; pte < end; pte++)
			set_pte(pte, __pte(0));
		return;
	}
	for (; pte < last; pte += 4) {
		pmm_arch_store(pte, 0);
		pmm_arch_store(pte + 1, 0);
		pmm_arch_store(pte + 2, 0);
		pmm_arch_store(pte + 3, 0);
	}
	for (; pte < end; pte++)
		pmm_arch_store(pte, 0);
}

/**
 * pmm_window_unmap_within() - pmm_window_unmap() where that is quick
 * @addr: of the first page, in the window
 * @nr_pages: how many
 *
 * Context: Any; the caller owns the range, and knows that the window is not lost.
 * Return: false, and nothing has changed, when the range is not within a slot, or a leaf maps it.
 */
static __always_inline bool pmm_window_unmap_within(unsigned long addr, unsigned long nr_pages)
{
	struct pmm_slot *slot = pmm_slot(addr);

	if (unlikely(!pmm_in_one_slot(addr, nr_pages) || pmm_slot_is_huge(slot)))
		return false;
	pmm_clear_in_slot(slot->table + pte_index(addr), nr_pages);
	return true;
}

/**
 * pmm_window_unmap() - clear page table entries; the caller flushes
 * @addr: of the first page, in the window
 * @nr_pages: how many; what a leaf maps is unmapped as a whole
 *
 * Context: Process context, no spinlock held; the caller owns the range.
 */
static __always_inline void pmm_window_unmap(unsigned long addr, unsigned long nr_pages)
{
	if (pmm_window_is_lost() || !pmm_window_unmap_within(addr, nr_pages))
		pmm_window_unmap_anywhere(addr, nr_pages);
}

/**
 * pmm_window_put_pages() - drop the references of pmm_window_hold_pages(), after the unmapping
 * @pages: the pages that it held
 * @count: how many
 * @foreign: whether some do not belong to the pool
 *
 * A page that was freed meanwhile is parked and can be recycled now. If another CPU is parking it
 * at this moment, either that CPU sees that its references have gone, or this one sees it parked.
 *
 * Context: Any.
 */
static __always_inline void pmm_window_put_pages(struct page **pages, unsigned long count,
						 bool foreign)
{
	struct page **end = pages + count, **last = pages + (count & ~3UL);

	if (unlikely(foreign)) {
		pmm_window_put_any_pages(pages, count);
	} else {
		for (; pages < last; pages += 4) {
			page_ref_dec(pages[0]);
			page_ref_dec(pages[1]);
			page_ref_dec(pages[2]);
			page_ref_dec(pages[3]);
		}
		for (; pages < end; pages++)
			page_ref_dec(*pages);
	}
	/* Pairs with __pmm_park(): drop the references, then look. */
	smp_mb__after_atomic();
	if (unlikely(READ_ONCE(pmm_zone.nr_parked)))
		pmm_zone_recycle(&pmm_zone, end - count, count);
}

#endif /* POCKETMM_WINDOW_H */

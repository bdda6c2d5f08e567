/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: page table entries of the window on x86-64, behind the verbs that window.h lists.
 *
 * x86 does not cache absent entries. Under page-table isolation kernel entries may be cached in
 * several address spaces, so a flush covers everything on every CPU, as flush_tlb_all() does,
 * including the paging-structure caches. A Xen PV guest sets entries by calls.
 *
 * All of it is inline: most verbs are a few instructions of a fast path; the rest have one caller.
 * No state; any context, except that a flush waits for the other CPUs.
 */
#ifndef POCKETMM_ARCH_X86_H
#define POCKETMM_ARCH_X86_H

#include <linux/smp.h>

#include <asm/processor.h>
#include <asm/tlbflush.h>

#include "host/compat.h"

#define PMM_ARCH_PRESENT	_PAGE_PRESENT

/* The bits of an address are all set: L1TF reaches no memory through it. */
#define PMM_ARCH_SENTINEL	(PAGE_MASK | _PAGE_SOFTW1 | _PAGE_SOFTW3)

static __always_inline pteval_t pmm_arch_prot_bits(pgprot_t prot)
{
	return (pgprot_val(prot) | _PAGE_NX) & ~_PAGE_USER & __supported_pte_mask;
}

/* Entries that are not present are inverted against L1TF. */
static __always_inline bool pmm_arch_set_is_plain(pteval_t bits)
{
	return likely(bits & _PAGE_PRESENT) && !cpu_feature_enabled(X86_FEATURE_XENPV);
}

static __always_inline bool pmm_arch_clear_is_plain(void)
{
	return !cpu_feature_enabled(X86_FEATURE_XENPV);
}

static __always_inline void pmm_arch_store(pte_t *pte, pteval_t value)
{
	native_set_pte(pte, native_make_pte(value));
}

static __always_inline pteval_t pmm_arch_rest(pteval_t pool, pteval_t bits)
{
	return pool + bits;
}

static __always_inline pteval_t pmm_arch_entry(pteval_t page_bits, pteval_t rest)
{
	return page_bits + rest;
}

static __always_inline void pmm_arch_stores_done(void)
{
}

static __always_inline void pmm_arch_set_pmd(pmd_t *pmdp, pmd_t pmd)
{
	set_pmd(pmdp, pmd);
}

static __always_inline bool pmm_arch_is_leaf(pmd_t pmd)
{
	return native_pmd_val(pmd) & _PAGE_PSE;
}

static inline bool pmm_arch_has_leaves(void)
{
	return boot_cpu_has(X86_FEATURE_PSE);
}

static inline pmd_t pmm_arch_leaf(unsigned long pfn, pteval_t bits)
{
	return pmd_mkhuge(pfn_pmd(pfn, pgprot_4k_2_large(__pgprot(bits))));
}

static inline void pmm_flush_this_cpu(void *unused)
{
	pmm_flush_tlb_of_this_cpu();
}

static inline void pmm_arch_flush(void)
{
	on_each_cpu(pmm_flush_this_cpu, NULL, 1);
}

static inline pgd_t *pmm_arch_pgd(void)
{
	return __va(read_cr3_pa());
}

/* The kernel's own walk: it works even if no PMD entry was found. */
static inline pte_t *pmm_arch_table(unsigned long addr, const pmd_t *pmd)
{
	unsigned int level;
	pte_t *pte = lookup_address(addr, &level);

	return pte && level == PG_LEVEL_4K ? pte - pte_index(addr) : NULL;
}

/* An entry may be present and yet allow nothing: PROT_NONE. */
static inline bool pmm_arch_is_readable(pte_t pte)
{
	return pte_flags(pte) & _PAGE_PRESENT;
}

static inline bool pmm_arch_is_writable(pte_t pte)
{
	return pte_write(pte);
}

static inline u64 pmm_arch_phys_limit(void)
{
	return (1ULL << boot_cpu_data.x86_phys_bits) - 1;
}

/*
 * Uncached, as ioremap() maps a device, and not encrypted even where memory is. The software bit
 * distinguishes a device from memory afterwards, which a page frame number alone does not.
 */
static inline pgprot_t pmm_arch_device_prot(void)
{
	pgprot_t prot = pgprot_decrypted(pgprot_noncached(PAGE_KERNEL));

	return __pgprot(pgprot_val(prot) | _PAGE_SPECIAL);
}

#endif /* POCKETMM_ARCH_X86_H */

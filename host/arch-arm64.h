/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: page table entries of the window on arm64, behind the verbs that window.h lists.
 *
 * Pages have 4, 16 or 64 KiB, addresses 48 or 52 bits. A flush is one broadcast instruction,
 * without interrupts to other CPUs, and drops entries of all levels; a flush of a range would
 * drop those of the last level alone. Between a table and a leaf the entry is absent and flushed
 * (break before make), which window.c sees to.
 *
 * All of it is inline: most verbs are a few instructions of a fast path; the rest have one caller.
 * No state; any context.
 */
#ifndef POCKETMM_ARCH_ARM64_H
#define POCKETMM_ARCH_ARM64_H

#include <asm/barrier.h>
#include <asm/cpufeature.h>
#include <asm/memory.h>
#include <asm/sysreg.h>
#include <asm/tlbflush.h>

#define PMM_ARCH_PRESENT	PTE_VALID

/* The processor ignores it; the kernel knows present entries by the lowest bit or by high ones. */
#define PMM_ARCH_SENTINEL	0x5a0UL

/*
 * Memory is mapped cached, whatever the caller asks for, because the kernel's linear map is cached:
 * two mappings of different types are mismatched, and the processor may lose data that is written
 * through them. Nor is an entry ever part of a contiguous group, which must be changed as a whole.
 */
static __always_inline pteval_t pmm_arch_prot_bits(pgprot_t prot)
{
	pteval_t bits = (pgprot_val(prot) | PTE_PXN | PTE_UXN) & ~(PTE_USER | PTE_CONT);

	if (bits & PTE_SPECIAL)		/* pmm_arch_device_prot() */
		return bits;
	return (bits & ~PTE_ATTRINDX_MASK) | PTE_ATTRINDX(MT_NORMAL);
}

static __always_inline bool pmm_arch_set_is_plain(pteval_t bits)
{
	return true;
}

static __always_inline bool pmm_arch_clear_is_plain(void)
{
	return true;
}

static __always_inline void pmm_arch_store(pte_t *pte, pteval_t value)
{
	WRITE_ONCE(*pte, __pte(value));
}

/* An entry has the highest bits of a 52-bit address at its bottom. */
#ifdef CONFIG_ARM64_PA_BITS_52
static __always_inline pteval_t pmm_arch_rest(pteval_t pool, pteval_t bits)
{
	return bits;
}

static __always_inline pteval_t pmm_arch_entry(pteval_t page_bits, pteval_t rest)
{
	return __phys_to_pte_val(page_bits + pmm_window.pool) | rest;
}
#else
static __always_inline pteval_t pmm_arch_rest(pteval_t pool, pteval_t bits)
{
	return pool + bits;
}

static __always_inline pteval_t pmm_arch_entry(pteval_t page_bits, pteval_t rest)
{
	return page_bits + rest;
}
#endif

/* As set_pte() does last, once for all entries: the walker sees them before the caller goes on. */
static __always_inline void pmm_arch_stores_done(void)
{
	dsb(ishst);
	isb();
}

/* Like set_pmd(), which needs swapper_pg_dir where PMDs are folded. No leaves exist there. */
static __always_inline void pmm_arch_set_pmd(pmd_t *pmdp, pmd_t pmd)
{
	WRITE_ONCE(*pmdp, pmd);
	if (pmd_val(pmd))
		pmm_arch_stores_done();
}

/* True of the entries that the window sets; PROT_NONE clears the valid bit of a leaf. */
static __always_inline bool pmm_arch_is_leaf(pmd_t pmd)
{
	return pmd_val(pmd) && !(pmd_val(pmd) & (PMD_TYPE_TABLE & ~PMD_TYPE_SECT));
}

static inline bool pmm_arch_has_leaves(void)
{
	return !__is_defined(__PAGETABLE_PMD_FOLDED);
}

static inline pmd_t pmm_arch_leaf(unsigned long pfn, pteval_t bits)
{
	return pmd_mkhuge(pfn_pmd(pfn, __pgprot(bits)));
}

static inline void pmm_arch_flush(void)
{
	flush_tlb_all();
}

/*
 * The register has the address of swapper_pg_dir, which is aligned to a page. The register's lowest
 * bits are CnP, bits 51 to 48 of an address, or an offset for processors with shorter addresses.
 */
static inline pgd_t *pmm_arch_pgd(void)
{
	u64 ttbr = read_sysreg(ttbr1_el1);
	phys_addr_t phys = ttbr & GENMASK_ULL(47, PAGE_SHIFT);

	if (IS_ENABLED(CONFIG_ARM64_PA_BITS_52))
		phys |= (ttbr & GENMASK_ULL(5, 2)) << 46;
	return __va(phys);
}

static inline pte_t *pmm_arch_table(unsigned long addr, const pmd_t *pmd)
{
	return pmd ? (pte_t *)pmd_page_vaddr(READ_ONCE(*pmd)) : NULL;
}

/* An entry may be present and yet allow nothing: PROT_NONE. */
static inline bool pmm_arch_is_readable(pte_t pte)
{
	return pte_valid(pte);
}

static inline bool pmm_arch_is_writable(pte_t pte)
{
	return pte_write(pte) && !(pte_val(pte) & PTE_RDONLY);
}

/* The highest address that both the processor and the kernel's entries can hold. */
static inline u64 pmm_arch_phys_limit(void)
{
	u64 mmfr0 = read_sanitised_ftr_reg(SYS_ID_AA64MMFR0_EL1);
	u32 bits = id_aa64mmfr0_parange_to_phys_shift(mmfr0 & 0xf);

	return GENMASK_ULL(min_t(u32, bits, PHYS_MASK_SHIFT) - 1, 0);
}

/*
 * As ioremap() maps a device. The software bit distinguishes a device from memory afterwards, which
 * a page frame number alone does not.
 */
static inline pgprot_t pmm_arch_device_prot(void)
{
	pgprot_t prot = pgprot_decrypted(__pgprot(PROT_DEVICE_nGnRE));

	return __pgprot(pgprot_val(prot) | PTE_SPECIAL);
}

#endif /* POCKETMM_ARCH_ARM64_H */

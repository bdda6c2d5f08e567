// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: what the page tables say of an address, whatever the architecture.
 *
 * The walk shares no code with the module's, so that a mistake there cannot hide itself here. The
 * case 'protection: as the kernel's own vmap()' (protection.c) compares what it finds with entries
 * that the kernel has made.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>

#include "client.h"

#ifdef CONFIG_ARM64
#include <asm/sysreg.h>

/* The kernel's tables, which no exported symbol leads to; its lowest bits are no address. */
static pgd_t *kernel_tables(void)
{
	u64 ttbr = read_sysreg(ttbr1_el1);
	phys_addr_t phys = ttbr & GENMASK_ULL(47, PAGE_SHIFT);

	if (IS_ENABLED(CONFIG_ARM64_PA_BITS_52))
		phys |= (ttbr & GENMASK_ULL(5, 2)) << 46;
	return __va(phys);
}

static pteval_t find_entry(unsigned long addr, unsigned int *level)
{
	pgd_t *pgd = pgd_offset_pgd(kernel_tables(), addr);
	p4d_t *p4d = p4d_offset(pgd, addr);
	pud_t *pud;
	pmd_t *pmd;

	*level = 0;
	if (p4d_none(*p4d))
		return 0;
	pud = pud_offset(p4d, addr);
	if (pud_none(*pud))
		return 0;
	pmd = pmd_offset(pud, addr);
	if (pmd_none(*pmd))
		return 0;
	*level = CLIENT_PMD;
	if ((pmd_val(*pmd) & PMD_TYPE_MASK) != PMD_TYPE_TABLE)
		return pmd_val(*pmd);
	*level = CLIENT_PTE;
	return pte_val(*pte_offset_kernel(pmd, addr));
}

struct client_entry client_entry_of(const void *addr)
{
	struct client_entry entry;
	pteval_t value = find_entry((unsigned long)addr, &entry.level);

	entry.value = value;
	entry.present = value & PTE_VALID;
	entry.executable = !(value & PTE_PXN) || !(value & PTE_UXN);
	entry.user = value & PTE_USER;
	entry.cache = value & PTE_ATTRINDX_MASK;
	return entry;
}
#else
struct client_entry client_entry_of(const void *addr)
{
	struct client_entry entry = { 0 };
	pte_t *pte = lookup_address((unsigned long)addr, &entry.level);
	pgprot_t prot;

	BUILD_BUG_ON((int)CLIENT_PTE != (int)PG_LEVEL_4K || (int)CLIENT_PMD != (int)PG_LEVEL_2M);
	if (!pte) {
		entry.level = 0;
		return entry;
	}
	entry.value = pte_val(*pte);
	entry.present = pte_present(*pte);
	entry.executable = !(pte_val(*pte) & _PAGE_NX);
	entry.user = pte_val(*pte) & _PAGE_USER;
	prot = __pgprot(pte_val(*pte));
	if (entry.level == CLIENT_PMD)
		prot = pgprot_large_2_4k(prot);
	entry.cache = pgprot_val(prot) & _PAGE_CACHE_MASK;
	return entry;
}
#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the in-kernel API, for other modules.
 *
 * One rule for names: the kernel's own name with pmm_ after any leading underscores, with the same
 * arguments and the same meaning. Each function's contexts, units and errors are in the kernel-doc
 * above its definition: pages in page_alloc.c, areas in vmalloc.c and ioremap.c.
 *
 * Pages from the pool belong to the pool: they go back through pmm_free_pages() and its kin, never
 * through the kernel's own free calls, nor by a put_page() without a get_page(). The pool has many
 * references to each page, so page_count() tells a client nothing.
 *
 * Addresses in the window go back through pmm_vfree(), pmm_vunmap(), pmm_iounmap() and
 * pmm_vm_unmap_ram(): the kernel's vfree(), kvfree(), vunmap(), iounmap() and vm_unmap_ram() would
 * free the whole window under all its users. The kernel warns of that, and afterwards whatever maps
 * fails, with -ENXIO where the call returns an errno.
 */
#ifndef POCKETMM_H
#define POCKETMM_H

#include <linux/gfp.h>
#include <linux/mm_types.h>
#include <linux/types.h>

/* Orders 0..9, as in Linux 2.4 on i386: the largest block has 512 pages (2 MiB). */
#define PMM_MAX_ORDER	10

#define PMM_VM_IOREMAP	0x00000001	/* pmm_ioremap() and friends */
#define PMM_VM_ALLOC	0x00000002	/* pmm_vmalloc() */
#define PMM_VM_MAP	0x00000004	/* pmm_vmap()ed pages */
#define PMM_VM_USERMAP	0x00000008	/* fit for pmm_remap_vmalloc_range() */

/**
 * struct pmm_vm_struct - an area of the window, as 2.4's and 2.6.28's struct vm_struct
 * @flags: PMM_VM_*
 * @addr: first byte of the area, page aligned
 * @size: bytes, including the one guard page at the end
 * @next: the area with the next higher address
 * @pages: the pages that pmm_vmalloc() took or pmm_vmap() was given, else NULL
 * @nr_pages: how many @pages there are
 * @phys_addr: the physical address that an ioremap area maps, page aligned
 * @caller: the code that asked for the area
 */
struct pmm_vm_struct {
	unsigned long		flags;
	void			*addr;
	unsigned long		size;
	struct pmm_vm_struct	*next;
	struct page		**pages;
	unsigned int		nr_pages;
	phys_addr_t		phys_addr;
	const void		*caller;
};

/* Pages: page_alloc.c */
struct page *pmm_alloc_pages(gfp_t gfp, unsigned int order);
struct page *pmm_alloc_page(gfp_t gfp);
unsigned long __pmm_get_free_pages(gfp_t gfp, unsigned int order);
unsigned long pmm_get_zeroed_page(gfp_t gfp);
void __pmm_free_pages(struct page *page, unsigned int order);
void pmm_free_pages(unsigned long addr, unsigned int order);
unsigned long pmm_alloc_pages_bulk(gfp_t gfp, unsigned long nr, struct page **pages);
void pmm_free_pages_bulk(unsigned long nr, struct page **pages);
unsigned long pmm_nr_free_pages(void);

/* Areas of the window: vmalloc.c, map_ram.c */
void *pmm_vmalloc(unsigned long size);
void *pmm_vzalloc(unsigned long size);
void *pmm_vmalloc_user(unsigned long size);
void *pmm_vmalloc_32(unsigned long size);
void *__pmm_vmalloc(unsigned long size, gfp_t gfp, pgprot_t prot);
void pmm_vfree(const void *addr);

void *pmm_vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot);
void pmm_vunmap(const void *addr);
void *pmm_vm_map_ram(struct page **pages, unsigned int count, int node);
void pmm_vm_unmap_ram(const void *mem, unsigned int count);
void pmm_vm_unmap_aliases(void);

struct pmm_vm_struct *pmm_get_vm_area(unsigned long size, unsigned long flags);
struct pmm_vm_struct *pmm_remove_vm_area(const void *addr);
struct pmm_vm_struct *pmm_find_vm_area(const void *addr);
int pmm_map_vm_area(struct pmm_vm_struct *area, pgprot_t prot, struct page ***pages);
struct page *pmm_vmalloc_to_page(const void *addr);

long pmm_vread(char *buf, char *addr, unsigned long count);
long pmm_vwrite(char *buf, char *addr, unsigned long count);

int pmm_remap_vmalloc_range(struct vm_area_struct *vma, void *addr, unsigned long pgoff);

/* Devices: ioremap.c */
void __iomem *pmm_ioremap(phys_addr_t phys, unsigned long size);
void pmm_iounmap(void __iomem *addr);

/* Tests: fault.c */
unsigned long pmm_fail_nth(unsigned long nth);

#endif /* POCKETMM_H */

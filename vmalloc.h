/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: prototypes that the files around vmalloc.c share, and that the rest of the module uses.
 * Calls go down only:
 *
 *	areas.c			load and unload
 *	map_ram.c ram_block.c	vm_map_ram() and its blocks
 *	vmap.c usermap.c ioremap.c
 *	vmalloc.c		takes, maps and takes down areas
 *	purge.c			when to flush
 *	lazy.c vmlist.c		the list of areas
 */
#ifndef POCKETMM_VMALLOC_H
#define POCKETMM_VMALLOC_H

#include "area.h"

struct pmm_verdict;

/* might_sleep() without its offer to let other tasks run, which small areas could not afford. */
#define pmm_might_sleep()	__might_sleep(__FILE__, __LINE__)
#define pmm_might_sleep_if(may)	do { if (may) pmm_might_sleep(); } while (0)

extern struct pmm_vmlist pmm_vmlist;	/* areas.c */

/* areas.c */
int pmm_vmalloc_init(const struct pmm_policy *policy, bool redzone);
void pmm_vmalloc_exit(void);

/* vmalloc.c */
extern bool pmm_bulk;	/* era modern: pages in bulk, and 2 MiB at a time */
struct pmm_vm_struct *pmm_reserve_area(const struct pmm_area_request *want);
void *pmm_vmalloc_caller(unsigned long size, gfp_t gfp, pgprot_t prot, unsigned long flags,
			 const void *caller);
enum pmm_detach_result pmm_take_down(const void *addr, unsigned long type, const void *caller);
void pmm_unmap_area(struct pmm_vm_struct *vm, const void *caller);
void pmm_destroy_area(struct pmm_vm_struct *vm, const void *caller);

/* vmap.c, ioremap.c */
void pmm_refuse_mapping(const struct page *page, const void *caller);
void *pmm_vmap_caller(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot,
		      const void *caller);
void __iomem *pmm_ioremap_caller(phys_addr_t phys, unsigned long size, const void *caller);
void __iomem *pmm_ioremap_unclaimed(phys_addr_t phys, unsigned long size, const void *caller);

/* ram_block.c */
int pmm_map_ram_init(void);
void pmm_map_ram_exit(void);

/* watch/verify_window.c */
bool pmm_window_verify(struct pmm_verdict *v);

#endif /* POCKETMM_VMALLOC_H */

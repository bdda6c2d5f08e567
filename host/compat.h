/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the only place that checks the kernel's version. Code elsewhere uses the newest
 * spelling; here it is made to work on Linux 6.1. docs/porting.md says what has changed, and since
 * when. Clients of pocketmm that are built beside it may include this file too.
 */
#ifndef POCKETMM_COMPAT_H
#define POCKETMM_COMPAT_H

#include <linux/mm.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* The functions behind the macros that tell memory allocation profiling where the call is. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define alloc_contig_range_noprof	alloc_contig_range
#define alloc_pages_noprof		alloc_pages
#define get_free_pages_noprof		__get_free_pages
#define __kmalloc_noprof		__kmalloc
#define pcpu_alloc_noprof(size, align, reserved, gfp)	__alloc_percpu(size, align)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#include <linux/hrtimer.h>

static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define alloc_pages_bulk(gfp, nr_pages, pages)	alloc_pages_bulk_array(gfp, nr_pages, pages)
#endif

/* The word of struct page that only pages of a file and of anonymous memory use. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define __folio_index	index
#endif

/* The word of struct page that has the flags. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define pmm_flags_word(page)	(&(page)->flags)
#else
#define pmm_flags_word(page)	(&(page)->flags.f)
#endif

/* Flags of struct page that belong to the architecture, beside PG_arch_1. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#if defined(CONFIG_64BIT)
#define PMM_PG_ARCH_MORE	BIT(PG_arch_2)
#endif
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#if defined(CONFIG_ARCH_USES_PG_ARCH_X)
#define PMM_PG_ARCH_MORE	(BIT(PG_arch_2) | BIT(PG_arch_3))
#endif
#elif defined(CONFIG_ARCH_USES_PG_ARCH_3)
#define PMM_PG_ARCH_MORE	(BIT(PG_arch_2) | BIT(PG_arch_3))
#elif defined(CONFIG_ARCH_USES_PG_ARCH_2)
#define PMM_PG_ARCH_MORE	BIT(PG_arch_2)
#endif
#ifndef PMM_PG_ARCH_MORE
#define PMM_PG_ARCH_MORE	0UL
#endif

/*
 * The third argument of alloc_contig_range() was the migrate type that the range has in the end.
 * The flags that took its place are an integer as well: MIGRATE_MOVABLE would now mean
 * ACR_FLAGS_CMA, and take memory that drivers reserved.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0) && !defined(ACR_FLAGS_NONE)
#define acr_flags_t	unsigned int
#define ACR_FLAGS_NONE	MIGRATE_MOVABLE
#endif

/* Beside a size the allocator may get a token, which tells what kind of data it is for. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
#include <linux/slab.h>

#ifndef DECL_TOKEN_PARAMS
#define DECL_TOKEN_PARAMS(size, token)	size_t size
#endif
#endif

/* PREEMPT_RT's locks tell sparse nothing, so code that returns with one held must not either. */
#if defined(CONFIG_PREEMPT_RT) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#undef __acquires
#define __acquires(...)
#undef __releases
#define __releases(...)
#endif

#ifdef CONFIG_X86_64
#include <asm/tlbflush.h>

/*
 * Forget every translation that this CPU has cached: those of all address spaces, global ones, and
 * the paging-structure caches. Called with interrupts off. __flush_tlb_all() does it, but has been
 * exported to KVM alone since Linux 6.19. Where Xen may run the kernel, that can take a hypercall;
 * elsewhere the processor has two ways.
 */
static inline void pmm_flush_tlb_of_this_cpu(void)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
	__flush_tlb_all();
#elif defined(CONFIG_PARAVIRT_XXL)
	__flush_tlb_global();
#else
	unsigned long cr4;

	if (boot_cpu_has(X86_FEATURE_INVPCID)) {
		invpcid_flush_all();
		return;
	}
	cr4 = native_read_cr4();
	asm volatile("mov %0, %%cr4" : : "r" (cr4 ^ X86_CR4_PGE) : "memory");
	asm volatile("mov %0, %%cr4" : : "r" (cr4) : "memory");
#endif
}
#endif /* CONFIG_X86_64 */

#endif /* POCKETMM_COMPAT_H */

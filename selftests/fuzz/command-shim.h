/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzz targets: what the files behind `command` use of the kernel and of the module, beyond what
 * the unit tier stands in for, so that fuzz-command.c can include them unchanged.
 */
#ifndef FUZZ_COMMAND_SHIM_H
#define FUZZ_COMMAND_SHIM_H

#include "internal.h"

#define BIT(nr)			(1UL << (nr))
#define PAGE_KERNEL		((pgprot_t){ 0 })

#undef cond_resched
#define cond_resched()		((void)0)
#define offset_in_page(at)	((unsigned long)(at) & (PAGE_SIZE - 1))
#define PFN_UP(x)		(((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define pr_info(...)		((void)0)

#define kvmalloc(size, gfp)	shim_malloc(SHIM_KV, size, gfp)
#define kvmalloc_array(nr, size, gfp)	shim_malloc(SHIM_KV, (nr) * (size), gfp)
#define __get_free_page(gfp)	((unsigned long)shim_malloc(SHIM_SLAB, PAGE_SIZE, gfp))
#define free_page(addr)		shim_free(SHIM_SLAB, (void *)(addr))

static inline bool isascii(int c)
{
	return !(c & ~0x7f);
}

static inline bool isprint(int c)
{
	return c >= ' ' && c <= '~';
}

static inline int vscnprintf(char *to, size_t room, const char *fmt, va_list args)
{
	int len = vsnprintf(to, room, fmt, args);

	return len < (int)room ? len : (int)room - 1;
}

/* Here the pool's pages have contents. */
#define page_address(page)	pool_memory(page)
void *pool_memory(const struct page *page);

/* In place of window.h, which is all about page tables. */
#define POCKETMM_WINDOW_H
unsigned long pmm_window_start(void);
u64 pmm_window_flushes(void);

#endif /* FUZZ_COMMAND_SHIM_H */

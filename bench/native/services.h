/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the shims of `native` and `simulate` have in common: memory, messages and assertions. Both
 * programs stop at the first thing that the core must not do. services.c has the functions.
 */
#ifndef SHIM_SERVICES_H
#define SHIM_SERVICES_H

#include <linux/types.h>

#define SHIM_NR_CPUS	64
#define SHIM_CACHE_LINE	64

#define shim_assert(cond, ...)						\
	do {								\
		if (__builtin_expect(!(cond), 0))			\
			shim_die(__FILE__, __LINE__, __VA_ARGS__);	\
	} while (0)

__printf(3, 4) __noreturn void shim_die(const char *file, int line, const char *fmt, ...);

enum shim_heap {
	SHIM_SLAB,
	SHIM_KV,
};

/* All memory comes from one piece, in the order of the calls, each object on lines of its own. */
#define SHIM_HEAP_BYTES	(64UL << 20)

void shim_heap_init(void);	/* once for all, and again when nothing is in use */
const char *shim_heap(void);
void *shim_zalloc(enum shim_heap heap, size_t nr, size_t size, gfp_t gfp);
#define shim_malloc(heap, size, gfp)	shim_zalloc(heap, 1, size, gfp)
#define shim_free(heap, p)		((void)(p))

/* A CPU's part begins where its last one ended, so an offset leads from one to the next. */
#define SHIM_PERCPU_BYTES	4096UL

#define shim_alloc_percpu(size)						\
	({								\
		shim_assert((size) <= SHIM_PERCPU_BYTES, "a large per-CPU object");	\
		shim_zalloc(SHIM_KV, SHIM_NR_CPUS, SHIM_PERCPU_BYTES, 0);	\
	})
#define shim_free_percpu(p)	((void)(p))
#define shim_per_cpu(p, cpu)	((void *)((char *)(p) + (cpu) * SHIM_PERCPU_BYTES))

__printf(1, 2) void shim_printk(const char *fmt, ...);

/* There is no direct map. */
extern struct page *shim_direct_map;
extern unsigned long shim_direct_map_pages;
extern char *shim_page_contents;

static inline int shim_hotplug_setup(int state, int (*up)(unsigned int cpu),
				     int (*down)(unsigned int cpu))
{
	return state;
}

static inline void shim_hotplug_remove(int state)
{
}

#endif /* SHIM_SERVICES_H */

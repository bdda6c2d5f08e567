// SPDX-License-Identifier: GPL-2.0-only
/*
 * Native and simulated: memory, messages, assertions, and what the core asks of files that are not
 * here.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#include "host/gfp.h"
#include "services.h"

static struct {
	_Alignas(2UL << 20) char	bytes[SHIM_HEAP_BYTES];
	size_t			used;
} heap;

struct page *shim_direct_map;
unsigned long shim_direct_map_pages;
char *shim_page_contents;
bool shim_init_on_alloc, shim_init_on_free;

void shim_die(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

void shim_heap_init(void)
{
	heap.used = 0;
}

const char *shim_heap(void)
{
	return heap.bytes;
}

void *shim_zalloc(enum shim_heap kind, size_t nr, size_t size, gfp_t gfp)
{
	char *p = heap.bytes + heap.used;

	size = (nr * size + SHIM_CACHE_LINE - 1) & -(size_t)SHIM_CACHE_LINE;
	shim_assert(heap.used + size <= SHIM_HEAP_BYTES, "the heap is too small");
	heap.used += size;
	return memset(p, 0, size);
}

/* The core says only what it refuses and what it fails to do, and here it does neither. */
void shim_printk(const char *fmt, ...)
{
	fprintf(stderr, "the core says: %s", fmt);
	exit(1);
}

int kstrtoull(const char *text, unsigned int base, unsigned long long *value)
{
	*value = strtoull(text, NULL, base);
	return 0;
}

bool pmm_gfp_allows(gfp_t gfp, unsigned int order, unsigned long caller)
{
	return true;
}

void pmm_name_code(unsigned long addr, char *text, size_t size)
{
	snprintf(text, size, "%#lx", addr);
}

/* Nobody holds a page that is freed, so no block is parked. */
void pmm_reap_later(struct pmm_zone *zone)
{
	shim_assert(false, "a block was parked");
}

/* There are no areas. */
const void *pmm_vmlist_freed_by(const struct pmm_vmlist *list, const void *addr)
{
	return NULL;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * An example client of pocketmm, in the shape of a small driver: at load it takes memory from the
 * pool, at unload it gives it back. It also reads the guard page after its area, which a driver
 * would only do by mistake.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "pocketmm.h"

#define RING_ORDER	2		/* four contiguous pages, say for a device's ring */
#define TABLE_BYTES	12000UL		/* a table that need not be contiguous: three pages */

static struct page *ring;
static char *table;

/* Read one byte, with a call that survives a fault; 0 or -EFAULT. */
static int touch(const char *addr)
{
	char byte;

	return copy_from_kernel_nofault(&byte, addr, 1);
}

/* Each page of the table also has an address in the kernel's direct map. */
static void show_table(void)
{
	unsigned long offset;

	for (offset = 0; offset < TABLE_BYTES; offset += PAGE_SIZE) {
		struct page *page = pmm_vmalloc_to_page(table + offset);

		snprintf(table + offset, 16, "row %lu", offset / PAGE_SIZE);
		pr_info("table + %4lu is page frame %#lx, where the direct map reads \"%s\"\n",
			offset, page_to_pfn(page), (char *)page_address(page));
	}
}

static int __init pool_client_init(void)
{
	ring = pmm_alloc_pages(GFP_KERNEL | __GFP_ZERO, RING_ORDER);
	if (!ring)
		return -ENOMEM;
	table = pmm_vzalloc(TABLE_BYTES);
	if (!table) {
		__pmm_free_pages(ring, RING_ORDER);
		return -ENOMEM;
	}
	pr_info("ring: %lu contiguous bytes from page frame %#lx\n", PAGE_SIZE << RING_ORDER,
		page_to_pfn(ring));
	show_table();
	pr_info("last byte of the table: %d\n", touch(table + PAGE_ALIGN(TABLE_BYTES) - 1));
	pr_info("first byte of its guard page: %d\n", touch(table + PAGE_ALIGN(TABLE_BYTES)));
	return 0;
}

static void __exit pool_client_exit(void)
{
	char *stale = table;

	pmm_vfree(table);
	__pmm_free_pages(ring, RING_ORDER);
	pr_info("first byte of the table once freed: %d\n", touch(stale));
}

module_init(pool_client_init);
module_exit(pool_client_exit);

MODULE_DESCRIPTION("Example client of pocketmm");
MODULE_AUTHOR("The pocketmm maintainers");
MODULE_LICENSE("GPL");

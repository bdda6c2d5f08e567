// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: writes where it must not, for poison=1 and redzone=1 to find.
 */
#include <linux/errno.h>

#include "client.h"

/* A byte of a page that was freed a moment ago, through the direct map. */
int client_write_freed(unsigned int offset, u8 change)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL);
	u8 *bytes;

	if (!page)
		return -ENOMEM;
	bytes = page_address(page);
	__pmm_free_pages(page, 0);
	bytes[offset % PAGE_SIZE] ^= change;
	return 0;
}

/* Changes the byte that lies @behind bytes past the end of a vmalloc, in its last page. */
int client_write_behind(unsigned long size, unsigned long behind)
{
	u8 *bytes;

	if (!size || size + behind >= PAGE_ALIGN(size))
		return -EINVAL;
	bytes = pmm_vmalloc(size);
	if (!bytes)
		return -ENOMEM;
	memset(bytes, 0x5a, size);
	bytes[size + behind] ^= 1;
	pmm_vfree(bytes);
	return 0;
}

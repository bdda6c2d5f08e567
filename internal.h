/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: structures and prototypes that cross a file, and the lock order.
 *
 * This is also the seam for the user-space tests: the files that selftests/unit/Makefile names
 * include hardly more than this file, and selftests/unit/include has to stand in only for the
 * headers that it includes.
 *
 * Lock order, outermost first:
 *
 *	mmap_lock		the kernel's, when a user mapping comes or goes; never together with
 *				pmm_command_lock
 *	pmm_command_lock	one writer of debugfs' command at a time, and all that commands hold
 *	    vmlist->lock	the vm_struct list and the state of each area; process context,
 *				never held over a flush
 *	      zone->lock	the buddy allocator; any context, interrupts off
 *		pcp->lock	one bit per CPU, preemption off: the per-CPU lists (pcp.c). A
 *				holder takes no other lock; only pmm_zone_hold() takes all of
 *				them, inside zone->lock, which it releases when that takes long
 *
 * Nothing is printed, allocated or copied to user space under the spinlocks, with one exception:
 * owner=1 saves a stack under zone->lock, for which the kernel may need a page at once.
 */
#ifndef POCKETMM_INTERNAL_H
#define POCKETMM_INTERNAL_H

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "area.h"
#include "host/chunk.h"
#include "packed.h"
#include "page.h"
#include "pcp.h"
#include "pocketmm.h"
#include "policy.h"
#include "ui/ui.h"
#include "vmalloc.h"
#include "watch/debug.h"
#include "watch/fault.h"
#include "watch/redzone.h"
#include "watch/walk.h"
#include "watch/watch.h"
#include "zone.h"

/* --- verify.c: every invariant, recomputed ---------------------------------------------------- */

/* The counts of a walk, and the first violation it met: @why is empty when all is well. */
struct pmm_verdict {
	unsigned long	blocks;
	unsigned long	free_blocks;
	unsigned long	used_blocks;
	unsigned long	parked_blocks;
	unsigned long	pcp_blocks;
	unsigned long	pairs;
	unsigned long	areas;
	unsigned long	mapped;
	char		why[160];
};

bool pmm_zone_verify(struct pmm_zone *zone, struct pmm_verdict *v);
bool pmm_vmlist_verify(struct pmm_vmlist *list, struct pmm_verdict *v);

/* --- the module's own state and the files that only a kernel can run -------------------------- */

extern struct pmm_zone pmm_zone;	/* page_alloc.c */
int pmm_page_alloc_init(bool pcp);
void pmm_page_alloc_exit(void);

/* page_alloc.c */
struct page *pmm_alloc_page_caller(gfp_t gfp, enum pmm_kind kind, unsigned long caller);
enum pmm_free_result pmm_free_pages_caller(struct page *page, unsigned int order,
					   enum pmm_kind kind, unsigned long caller);

#endif /* POCKETMM_INTERNAL_H */

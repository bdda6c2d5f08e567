/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the flags of an allocation: those that the fast paths need not look at, and the rest.
 */
#ifndef POCKETMM_GFP_H
#define POCKETMM_GFP_H

#include <linux/gfp.h>

/*
 * What may be reclaimed, slept for, moved, or used in an emergency, and how hard to try: nothing is
 * reclaimed for this pool, so these allow what is not needed, or are checked with the watermark.
 */
#define PMM_GFP_PLAIN	(__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HIGH | __GFP_MEMALLOC |	\
			 __GFP_NOMEMALLOC | __GFP_NOWARN | __GFP_NORETRY |		\
			 __GFP_RETRY_MAYFAIL | __GFP_NOLOCKDEP | __GFP_HIGHMEM |	\
			 __GFP_MOVABLE | __GFP_RECLAIMABLE | __GFP_WRITE)

/* Whatever else is set, flags of kernels to come included, takes the slow path; */
#define PMM_GFP_SLOW	(~PMM_GFP_PLAIN)

/* and these may have to be refused: pmm_gfp_allows(). */
#define PMM_GFP_CHECKED	(PMM_GFP_SLOW & ~__GFP_ZERO)

bool pmm_gfp_allows(gfp_t gfp, unsigned int order, unsigned long caller);

#endif /* POCKETMM_GFP_H */

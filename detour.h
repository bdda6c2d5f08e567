/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the reasons for which calls must not take a short cut.
 */
#ifndef POCKETMM_DETOUR_H
#define POCKETMM_DETOUR_H

#include <linux/bitops.h>

/*
 * Why calls must not take a short cut, one bit per reason: zone->detour. A short cut gives the
 * book's result in fewer instructions; each is open while none of the bits that it names is set.
 */
enum pmm_detour {
	PMM_DETOUR_TRACED	= BIT(0),	/* events are enabled: each step is traced */
	PMM_DETOUR_DEBUG	= BIT(1),	/* poison= or owner= wants to see each block */
	PMM_DETOUR_PLACEMENT	= BIT(2),	/* placement= chooses, and is told of frees */
	PMM_DETOUR_MIN_FREE	= BIT(3),	/* there is a watermark to check first */
	PMM_DETOUR_NO_PCP	= BIT(4),	/* there are no per-CPU lists */
	PMM_DETOUR_INIT_ALLOC	= BIT(5),	/* init_on_alloc=1: zero what is handed out */
	PMM_DETOUR_INIT_FREE	= BIT(6),	/* init_on_free=1: zero what is freed */

	/* The zone's own short cuts for a page: to take it, and to free it. */
	PMM_DETOUR_ALLOC	= PMM_DETOUR_TRACED | PMM_DETOUR_DEBUG | PMM_DETOUR_PLACEMENT |
				  PMM_DETOUR_MIN_FREE,
	PMM_DETOUR_FREE		= PMM_DETOUR_TRACED | PMM_DETOUR_DEBUG | PMM_DETOUR_PLACEMENT |
				  PMM_DETOUR_INIT_FREE,
	/* The short cuts past the zone, through a per-CPU list. */
	PMM_DETOUR_PCP_ALLOC	= PMM_DETOUR_TRACED | PMM_DETOUR_MIN_FREE | PMM_DETOUR_NO_PCP |
				  PMM_DETOUR_INIT_ALLOC,
	PMM_DETOUR_PCP_FREE	= PMM_DETOUR_TRACED | PMM_DETOUR_NO_PCP | PMM_DETOUR_INIT_FREE,
	/* The lists may be used all the same, by a path that does what these ask for. */
	PMM_DETOUR_PCP_WATCHED	= PMM_DETOUR_TRACED | PMM_DETOUR_INIT_ALLOC |
				  PMM_DETOUR_INIT_FREE,
};

#endif /* POCKETMM_DETOUR_H */

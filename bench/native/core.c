// SPDX-License-Identifier: GPL-2.0-only
/*
 * Native: pocketmm's own core under the workloads, with era=modern. It is compiled three times:
 * as it is; with plain instructions in place of atomic ones, as the floor; and without the check
 * of reference counts.
 */
#include "internal.h"
#include "shim.h"

static inline void *take(unsigned int order)
{
	return order ? pmm_alloc_pages(GFP_KERNEL, order) : pmm_alloc_page(GFP_KERNEL);
}

static inline void give(void *block, unsigned int order)
{
	__pmm_free_pages(block, order);
}

#include "workloads.h"

/* On huge pages, as the kernel's own struct pages are. */
static _Alignas(NATIVE_HUGE) struct page pages[NATIVE_PAGES];

/* As at load, but by one thread, which counts as the first CPU. */
static void init(void)
{
	const struct pmm_policy *policy = &pmm_find_era("modern")->policy;
	unsigned long i;

	native_use_huge_pages(pages, sizeof(pages));
	pmm_zone = (struct pmm_zone){
		.expand = policy->expand, .placement = pmm_placements[policy->placement],
		.name = "Pocket",
	};
	for (i = 0; i < NATIVE_PAGES; i++) {
		pages[i].flags.f = PMM_PAGE_MARK;
		set_page_count(pages + i, PMM_PAGE_REFS);
	}
	shim_assert(!pmm_zone_init(&pmm_zone, pages, NATIVE_PAGES), "no zone");
	shim_assert(!pmm_page_alloc_init(policy->pcp), "no per-CPU lists");
}

static const char *check(void)
{
	static struct pmm_verdict v;

	v = (struct pmm_verdict){ };
	if (!pmm_zone_verify(&pmm_zone, &v) || v.why[0])
		return v.why;
	pmm_pcp_drain(&pmm_zone);
	return pmm_zone.free_pages == NATIVE_PAGES ? NULL : "pages are missing";
}

const struct native_allocator NATIVE_SYMBOL = {
	.name = NATIVE_NAME,
	.largest = PMM_MAX_ORDER - 1,
#ifdef PLAIN
	.threads = 1,
#else
	.threads = NATIVE_THREADS,
#endif
	.init = init,
	.run = run,
	.check = check,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the report at unload of each block and each area that nobody freed, with the function
 * that allocated it.
 *
 * It runs when the module is no longer in use, so it takes no lock. Process context.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "host/window.h"

#define PMM_LEAKS_NAMED	32	/* of each kind; the others are only counted */

/* The blocks of an area are reported with the area. */
static void pmm_report_blocks(void)
{
	const struct pmm_owner *owner = pmm_zone.debug ? pmm_zone.debug->owner : NULL;
	unsigned long index, nr = 0, pages = 0;
	char who[PMM_WHO_LEN];

	for (index = 0; index < pmm_zone.nr_pages;) {
		enum pmm_kind kind = PMM_STATE_KIND(pmm_zone.state[index]);
		unsigned int order = PMM_STATE_ORDER(pmm_zone.state[index]);

		if (kind == PMM_USED && nr++ < PMM_LEAKS_NAMED)
			pr_warn("leak: block %lu order %u, by %s\n", index, order,
				pmm_debug_who(&pmm_zone, owner ? &owner[index].taken : NULL,
					      pmm_page_caller(pmm_zone.mem_map + index), who));
		if (kind == PMM_USED)
			pages += 1UL << order;
		index += 1UL << order;
	}
	if (nr)
		pr_warn("leak: %lu blocks, %lu pages in all\n", nr, pages);
	if (pmm_zone.nr_parked)
		pr_warn("%lu freed pages are still referenced by others\n", pmm_zone.nr_parked);
}

static void pmm_report_areas(void)
{
	const struct pmm_vm_struct *vm;
	unsigned long nr = 0, bytes = 0;

	for (vm = pmm_vmlist.head; vm; vm = vm->next) {
		if (nr++ < PMM_LEAKS_NAMED)
			pr_warn("leak: area at offset %lu, %lu bytes, by %pS\n",
				(unsigned long)vm->addr - pmm_window_start(), pmm_area_bytes(vm),
				vm->caller);
		bytes += pmm_area_bytes(vm);
	}
	if (nr)
		pr_warn("leak: %lu areas, %lu bytes in all\n", nr, bytes);
}

/**
 * pmm_report_leaks() - log the blocks and areas that nobody freed
 *
 * Context: Process context, at unload.
 */
void pmm_report_leaks(void)
{
	pmm_zone_reap(&pmm_zone);
	pmm_report_blocks();
	pmm_report_areas();
}

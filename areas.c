// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the areas of the one window, from load to unload.
 *
 * It owns pmm_vmlist, the list of areas, and starts and stops the files that work on it: vmalloc.c,
 * ram_block.c and watch/redzone.c. Process context, while nobody else uses the module.
 */
#include "host/window.h"

struct pmm_vmlist pmm_vmlist;

/**
 * pmm_vmalloc_init() - start with an empty list over the whole window
 * @policy: its @search and @bulk are used
 * @redzone: redzone=1
 *
 * Context: Process context; may sleep.
 * Return: 0 or -ENOMEM.
 */
int pmm_vmalloc_init(const struct pmm_policy *policy, bool redzone)
{
	int err = pmm_map_ram_init();

	if (err)
		return err;
	pmm_bulk = policy->bulk;
	pmm_redzone = redzone;
	pmm_vmlist_init(&pmm_vmlist, pmm_window_start(), pmm_window_size());
	pmm_vmlist.search_tree = policy->search == PMM_SEARCH_TREE;
	pmm_vmlist.deferred = pmm_may_fail(kvcalloc(BITS_TO_LONGS(pmm_window_size() >> PAGE_SHIFT),
						    sizeof(*pmm_vmlist.deferred), GFP_KERNEL));
	if (!pmm_vmlist.deferred) {
		pmm_map_ram_exit();
		return -ENOMEM;
	}
	return 0;
}

/**
 * pmm_vmalloc_exit() - take down every area that is left
 *
 * Context: Process context; the module is no longer in use.
 */
void pmm_vmalloc_exit(void)
{
	pmm_vm_unmap_aliases();
	pmm_map_ram_exit();
	while (pmm_vmlist.head) {
		struct pmm_vm_struct *vm = pmm_vmlist.head;

		pmm_unmap_area(vm, vm->caller);
		kfree(vm);
	}
	/* The pages are about to leave the pool, and map_ram's blocks went without a flush. */
	pmm_window_flush(PMM_FLUSH_UNLOAD, 0);
	pmm_vmlist_destroy(&pmm_vmlist);
	kvfree(pmm_vmlist.deferred);
}

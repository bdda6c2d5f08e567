// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: each allocation from the kernel fails in its turn. The call says -ENOMEM, holds
 * nothing, and works when it is tried again.
 */
#include <stdlib.h>

#include "zone.h"

/* One for the state bytes, and one for the map of each order but the top. */
#define ZONE_ALLOCS	(1 + PMM_MAX_ORDER - 1)

static void failure_zone(const void *arg)
{
	struct page *pages = calloc(100, sizeof(*pages));
	struct pmm_zone zone = { .name = "Pocket" };
	unsigned long nth, before;

	(void)arg;
	for (nth = 1; nth <= ZONE_ALLOCS; nth++) {
		before = shim_nr_allocs();
		shim_fail_alloc(nth);
		ASSERT_EQ(pmm_zone_init(&zone, pages, 100), -ENOMEM);
		ASSERT_EQ(shim_nr_allocs(), before + nth);	/* it stops at the first failure */
		ASSERT_EQ(shim_nr_live(), 0);
		pmm_zone_destroy(&zone);			/* harmless */

		shim_fail_alloc(0);
		ASSERT_EQ(pmm_zone_init(&zone, pages, 100), 0);
		ASSERT_EQ(zone.free_pages, 100);
		ASSERT_SOUND(&zone);
		pmm_zone_destroy(&zone);
		ASSERT_EQ(shim_nr_live(), 0);
	}
	shim_fail_alloc(nth);					/* there is no such allocation */
	before = shim_nr_allocs();
	ASSERT_EQ(pmm_zone_init(&zone, pages, 100), 0);
	ASSERT_EQ(shim_nr_allocs(), before + ZONE_ALLOCS);
	pmm_zone_destroy(&zone);
	free(pages);
}

/*
 * The zone allocates nothing after it is made: a pool that is asked for a page must not ask for
 * memory itself.
 */
static void failure_none_later(const void *arg)
{
	unsigned long before, index;
	struct arena arena;

	(void)arg;
	arena_init(&arena, 64, PMM_EXPAND_UPPER, 0);
	before = shim_nr_allocs();
	shim_fail_alloc(1);
	index = arena_alloc(&arena, 0);
	ASSERT_EQ(index, 63);
	ASSERT_EQ(arena_free(&arena, index, 0), PMM_FREE_OK);
	ASSERT_EQ(arena_free(&arena, index, 0), PMM_FREE_DOUBLE);
	ASSERT(*shim_log_line());
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 0);
	ASSERT_SOUND(&arena.zone);
	ASSERT_EQ(shim_nr_allocs(), before);
	arena_exit(&arena);
}

static void failure_area(const void *arg)
{
	const unsigned long start = 0x100000;
	struct pmm_verdict verdict = { };
	struct pmm_vm_struct *vm;
	struct pmm_vmlist list;

	(void)arg;
	pmm_vmlist_init(&list, start, 16 * PAGE_SIZE);
	shim_fail_alloc(1);
	vm = pmm_vmlist_get(&list, PAGE_SIZE, PMM_VM_ALLOC, GFP_KERNEL, NULL);
	ASSERT(IS_ERR(vm));
	ASSERT_EQ(PTR_ERR(vm), -ENOMEM);
	ASSERT_EQ(list.nr_areas, 0);
	ASSERT(!list.head);
	ASSERT(pmm_vmlist_verify(&list, &verdict));

	vm = pmm_vmlist_get(&list, PAGE_SIZE, PMM_VM_ALLOC, GFP_KERNEL, NULL);
	ASSERT(!IS_ERR(vm));
	ASSERT_EQ(vm->addr, start);
	ASSERT_EQ(shim_nr_allocs(), 2);
	pmm_vmlist_unlink(&list, vm);
	kfree(vm);
	pmm_vmlist_destroy(&list);
}

/* Refused for its size or for want of addresses: no record stays behind but the spare one. */
static void failure_no_record_left(const void *arg)
{
	struct pmm_vm_struct *vm;
	struct pmm_vmlist list;

	(void)arg;
	pmm_vmlist_init(&list, 0x100000, 4 * PAGE_SIZE);
	vm = pmm_vmlist_get(&list, 0, 0, GFP_KERNEL, NULL);
	ASSERT_EQ(PTR_ERR(vm), -EINVAL);
	vm = pmm_vmlist_get(&list, 4 * PAGE_SIZE, 0, GFP_KERNEL, NULL);
	ASSERT_EQ(PTR_ERR(vm), -ENOSPC);
	vm = pmm_vmlist_get(&list, 4 * PAGE_SIZE, 0, GFP_KERNEL, NULL);
	ASSERT_EQ(PTR_ERR(vm), -ENOSPC);
	ASSERT_EQ(shim_nr_live(), 1);
	ASSERT_EQ(list.nr_areas, 0);
	pmm_vmlist_destroy(&list);
	ASSERT_EQ(shim_nr_live(), 0);
}

const struct ktap_test failure_tests[] = {
	{ "failure-zone", failure_zone },
	{ "failure-none-later", failure_none_later },
	{ "failure-area", failure_area },
	{ "failure-no-record-left", failure_no_record_left },
	{ }
};

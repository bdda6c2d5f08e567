// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: each allocation from the kernel fails in its turn. The call says -ENOMEM, holds
 * nothing, and works when it is tried again.
 */
#include <stdlib.h>

#include "zone.h"

/*
 * One for the state bytes, one for the map of each order but the top, and with packed placement one
 * for the records of largest blocks.
 */
static void failure_zone(const void *arg)
{
	enum pmm_placement placement = *(enum pmm_placement *)arg;
	struct pmm_zone zone = { .name = "Pocket", .placement = pmm_placements[placement] };
	unsigned long nr = PMM_MAX_ORDER + (placement == PMM_PLACE_PACKED);
	struct page *pages = calloc(100, sizeof(*pages));
	unsigned long nth, before;

	for (nth = 1; nth <= nr; nth++) {
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
	ASSERT_EQ(shim_nr_allocs(), before + nr);
	pmm_zone_destroy(&zone);
	free(pages);
}

/*
 * The per-CPU lists, or the slot for what is to be done when a CPU is unplugged: without them all
 * is as before, and the zone goes on without.
 */
static void failure_pcp(const void *arg)
{
	static const int errors[] = { -ENOMEM, -ENOSPC };
	unsigned int i;
	long live;

	pool_init(&(const struct setup) { 100 }, false);
	live = shim_nr_live();
	for (i = 0; i < 2; i++) {
		shim_fail_alloc(1 + i);
		ASSERT_EQ(pmm_page_alloc_init(true), errors[i]);
		ASSERT_EQ(shim_nr_live(), live);
		ASSERT(!pmm_zone.pcp && !pmm_zone.pcp_limit);
		ASSERT(pmm_zone.detour & PMM_DETOUR_NO_PCP);
		ASSERT_EQ(pmm_alloc_pages(GFP_KERNEL, 0) - pmm_zone.mem_map, 99 - i);
		ASSERT_SOUND(&pmm_zone);
	}
	ASSERT_EQ(pmm_page_alloc_init(true), 0);
	ASSERT_EQ(shim_nr_live(), live + 1);
	pool_exit();
	ASSERT_EQ(shim_nr_live(), 0);
}

/*
 * The zone allocates nothing after it is made: a pool that is asked for a page must not ask for
 * memory itself.
 */
static void failure_none_later(const void *arg)
{
	unsigned long before, index;
	struct arena arena;

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

/* Nor do the per-CPU lists, filled, flushed or drained. */
static void failure_none_later_pcp(const void *arg)
{
	struct page *pages[64] = { NULL };
	unsigned long before, i;

	pool_init(&(const struct setup) { 64, .placement = PMM_PLACE_PACKED }, true);
	before = shim_nr_allocs();
	shim_fail_alloc(1);
	for (i = 0; i < 64; i++)
		pages[i] = pmm_alloc_pages(GFP_KERNEL, 0);
	ASSERT(!pmm_alloc_pages(GFP_KERNEL, 0));
	ASSERT(*shim_log_line());
	for (i = 0; i < 32; i++)
		__pmm_free_pages(pages[i], 0);
	pmm_free_pages_bulk(32, pages + 32);
	memset(pages, 0, sizeof(pages));
	ASSERT_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, 64, pages), 64);
	pmm_pcp_drain(&pmm_zone);
	ASSERT_EQ(shim_nr_allocs(), before);
	shim_fail_alloc(0);
	pool_exit();
}

static void failure_area(const void *arg)
{
	const unsigned long start = 0x100000;
	struct pmm_verdict verdict = { };
	struct pmm_vm_struct *vm;
	struct pmm_vmlist list;

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

/* Refused for its size or for lack of addresses: no record is left except the spare one. */
static void failure_no_record_left(const void *arg)
{
	struct pmm_vm_struct *vm;
	struct pmm_vmlist list;

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
	{ "failure-zone", failure_zone, &(const enum pmm_placement){ PMM_PLACE_LIFO } },
	{ "failure-zone-packed", failure_zone, &(const enum pmm_placement){ PMM_PLACE_PACKED } },
	{ "failure-pcp", failure_pcp },
	{ "failure-none-later", failure_none_later },
	{ "failure-none-later-pcp", failure_none_later_pcp },
	{ "failure-area", failure_area },
	{ "failure-no-record-left", failure_no_record_left },
	{ }
};

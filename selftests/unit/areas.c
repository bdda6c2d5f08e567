// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier and fuzz targets: areas in two windows and in the oracle, see areas.h.
 */
#include <stdlib.h>

#include "areas.h"
#include "ktap.h"
#include "shim.h"

struct areas areas;

unsigned long assert_sound(struct pmm_vmlist *list)
{
	struct pmm_verdict v = { };

	if (!pmm_vmlist_verify(list, &v) || v.why[0])
		ktap_fail(__FILE__, __LINE__, "verify: %s", v.why);
	return v.areas;
}

void assert_fresh(const struct pmm_vm_struct *vm, const struct pmm_area_request *want)
{
	struct pmm_area *area = pmm_area(vm);

	ASSERT_EQ(vm->flags, want->flags);
	ASSERT_EQ(vm->size, PAGE_ALIGN(want->size) + PAGE_SIZE);
	ASSERT(vm->caller == want->caller);
	ASSERT(!vm->pages && !vm->nr_pages && !vm->phys_addr);
	ASSERT_EQ(area->state, PMM_AREA_NEW);
	ASSERT_EQ(area->users, 1);
	ASSERT(!area->orphan && !area->nr_huge);
	ASSERT(area->nr_slots >= want->nr_slots);
	memset(area->slots, 0x77, want->nr_slots * sizeof(struct page *));
}

void assert_found(struct pmm_vmlist *list, const void *addr, const struct pmm_vm_struct *want)
{
	struct pmm_vm_struct copy, untouched, *above = list->head;

	while (above && pmm_end_of(above) <= (unsigned long)addr)
		above = above->next;
	spin_lock(&list->lock);
	ASSERT(__pmm_vmlist_find_above(list, (unsigned long)addr) == above);
	spin_unlock(&list->lock);

	memset(&copy, 0x5a, sizeof(copy));
	untouched = copy;
	ASSERT(pmm_vmlist_find(list, addr) == want);
	ASSERT_EQ(pmm_vmlist_copy(list, addr, &copy), !!want);
	ASSERT(!memcmp(&copy, want ? want : &untouched, sizeof(copy)));
}

/* --- birth and death -------------------------------------------------------------------------- */

void areas_init(unsigned long start, unsigned long pages)
{
	unsigned int way;

	for (way = 0; way < 2; way++) {
		pmm_vmlist_init(&areas.list[way], start, PAGES(pages));
		areas.list[way].search_tree = way;
		areas.list[way].deferred = areas.deferred_map[way];
	}
	oracle_window_init(&areas.oracle, start / PAGE_SIZE, pages);
	memset(areas.deferred, 0, pages);
	memset(areas.deferred_map, 0, sizeof(areas.deferred_map));
	areas.nr = 0;
	areas.stale = 0;
}

void areas_exit(void)
{
	unsigned int way;

	for (way = 0; way < 2; way++) {
		ASSERT(!areas.list[way].head && !areas.list[way].tail);
		ASSERT_EQ(areas.list[way].nr_areas, 0);
		pmm_vmlist_destroy(&areas.list[way]);
	}
	oracle_window_exit(&areas.oracle);
}

/* --- what the oracle knows -------------------------------------------------------------------- */

void *areas_addr(unsigned long page)
{
	return (void *)(areas.list[0].start + PAGES(page));
}

static struct known *known_of(const struct oracle_area *area)
{
	return area ? area->data : NULL;
}

struct known *areas_at(unsigned long page)
{
	return known_of(oracle_window_at(&areas.oracle, page));
}

static enum pmm_detach_result expect_detach(unsigned long page, unsigned long type)
{
	static const enum pmm_detach_result results[] = {
		[ORACLE_DETACH_OK] = PMM_DETACH_OK, [ORACLE_DETACH_LATER] = PMM_DETACH_LATER,
		[ORACLE_DETACH_NONEXISTENT] = PMM_DETACH_NONEXISTENT,
		[ORACLE_DETACH_WRONG_TYPE] = PMM_DETACH_WRONG_TYPE,
	};

	return results[oracle_area_detach(oracle_window_at(&areas.oracle, page), type)];
}

static struct known *expect_area(const struct known *area, unsigned long first,
				 unsigned long pages)
{
	struct known *known = &areas.known[areas.nr++];

	*known = *area;
	known->oracle = oracle_window_add(&areas.oracle, first, pages);
	known->oracle->data = known;
	known->oracle->type = area->flags & AREA_TYPES;
	known->oracle->for_users = area->flags & PMM_VM_USERMAP;
	areas.peak = max(areas.peak, areas.nr);
	return known;
}

/* The last of the known areas takes the place of the one that goes. */
static void expect_gone(struct known *area, bool lazy)
{
	if (lazy)
		oracle_window_retire(&areas.oracle, area->oracle);
	else
		oracle_window_remove(&areas.oracle, area->oracle);
	*area = areas.known[--areas.nr];
	if (area != &areas.known[areas.nr])
		area->oracle->data = area;
}

/* --- an area's life --------------------------------------------------------------------------- */

/* On top if that is right, which is only ever so with the tree. */
static struct pmm_vm_struct *reserve(unsigned int way, const struct pmm_area_request *want)
{
	struct pmm_vm_struct *vm = NULL;

	if (want->align == PAGE_SIZE && want->size && want->size <= PAGES(PMM_MAX_SLOTS))
		vm = pmm_vmlist_reserve_on_top(&areas.list[way], PAGE_ALIGN(want->size) + PAGE_SIZE,
					       want->flags, want->nr_slots, want->caller);
	ASSERT(!vm || way == 1);
	areas.on_top += !!vm;
	return vm ?: pmm_vmlist_reserve(&areas.list[way], want);
}

/* A free that was deferred for an area that never was there is reported when there is one. */
static bool is_stale(unsigned long page)
{
	if (areas.deferred[page])
		ASSERT(strstr(shim_log_line(), "nonexistent vm area"));
	return areas.deferred[page];
}

struct known *areas_reserve(const struct pmm_area_request *want)
{
	unsigned long pages = want->size / PAGE_SIZE + !!(want->size % PAGE_SIZE) + 1;
	struct known area = { .flags = want->flags };
	struct oracle_hole hole;
	unsigned int way;
	long err = 0;

	if (!want->size || want->size > ULONG_MAX - 2 * PAGE_SIZE)
		err = -EINVAL;
	else if (!oracle_window_fit(&areas.oracle, pages, want->align / PAGE_SIZE, &hole))
		err = -ENOSPC;
	for (way = 0; way < 2; way++) {
		area.vm[way] = reserve(way, want);
		if (err) {
			ASSERT_EQ(PTR_ERR(area.vm[way]), err);
			continue;
		}
		ASSERT(!IS_ERR(area.vm[way]));
		ASSERT_EQ(area.vm[way]->addr, areas_addr(hole.at));
		assert_fresh(area.vm[way], want);
		areas.stale += is_stale(hole.at) && way;
	}
	areas.refused += !!err;
	if (err)
		return NULL;
	areas.deferred[hole.at] = false;
	return expect_area(&area, hole.at, pages);
}

void areas_set_pages(struct known *area)
{
	static struct page *some_pages[1];
	unsigned int way;

	for (way = 0; way < 2; way++)
		pmm_vmlist_set_pages(&areas.list[way], area->vm[way], some_pages, 1);
	area->has_pages = true;
	area->oracle->owns_pages = area->flags & PMM_VM_ALLOC;
}

void areas_publish(struct known *area)
{
	pmm_vmlist_publish(&areas.list[0], area->vm[0]);
	pmm_vmlist_publish(&areas.list[1], area->vm[1]);
	area->oracle->state = ORACLE_AREA_LIVE;
}

void areas_take_down(struct known *area, bool lazy)
{
	unsigned int way;

	for (way = 0; way < 2; way++) {
		if (lazy) {
			pmm_vmlist_retire(&areas.list[way], area->vm[way]);
			continue;
		}
		pmm_vmlist_unlink(&areas.list[way], area->vm[way]);
		ASSERT(!area->vm[way]->next);
		kfree(area->vm[way]);
	}
	expect_gone(area, lazy);
}

/* --- freeing it ------------------------------------------------------------------------------- */

enum pmm_detach_result areas_detach(unsigned long page, unsigned long odd, unsigned long type)
{
	const void *addr = areas_addr(page) + odd;
	enum pmm_detach_result want;
	struct pmm_vm_struct *vm;
	unsigned int way;

	want = odd ? PMM_DETACH_BAD_ADDRESS : expect_detach(page, type);
	for (way = 0; way < 2; way++) {
		ASSERT_EQ(pmm_vmlist_detach(&areas.list[way], addr, type, NULL, &vm), want);
		ASSERT(want != PMM_DETACH_OK || vm == areas_at(page)->vm[way]);
	}
	return want;
}

static bool join(struct pmm_vmlist *list, const void *addr, unsigned long type)
{
	struct pmm_area *found, *gone = NULL;

	spin_lock(&list->lock);
	found = __pmm_vmlist_find_joinable(list, addr, type);
	if (found)
		gone = __pmm_vmlist_join(list, found);
	spin_unlock(&list->lock);
	if (found)
		pmm_free_record(list, found);
	if (gone)
		pmm_free_record(list, gone);
	return found;
}

bool areas_join(unsigned long page, unsigned long type)
{
	const struct oracle_area *area = oracle_window_at(&areas.oracle, page);
	bool want = oracle_area_judge(area, type) == ORACLE_DETACH_OK &&
		    oracle_window_waits_below(&areas.oracle, area);

	ASSERT_EQ(join(&areas.list[0], areas_addr(page), type), want);
	ASSERT_EQ(join(&areas.list[1], areas_addr(page), type), want);
	if (want)
		expect_gone(known_of(area), true);
	areas.joined += want;
	return want;
}

void areas_defer(unsigned long page)
{
	bool known = page < areas.oracle.pages;
	enum pmm_detach_result want;
	unsigned int way;

	want = known && !areas.deferred[page] ? PMM_DETACH_LATER : PMM_DETACH_NONEXISTENT;
	for (way = 0; way < 2; way++) {
		ASSERT_EQ(pmm_vmlist_defer(&areas.list[way], areas_addr(page), NULL), want);
		ASSERT_EQ(pmm_vmlist_defer(&areas.list[way], areas_addr(page) + 1, NULL),
			  PMM_DETACH_BAD_ADDRESS);
	}
	if (known)
		areas.deferred[page] = true;
}

enum pmm_detach_result areas_detach_deferred(unsigned long page, unsigned long type)
{
	enum pmm_detach_result want = PMM_DETACH_NONE;
	const void *caller = NULL;
	struct pmm_vm_struct *vm;
	unsigned int way;

	if (areas.deferred[page])
		want = expect_detach(page, type);
	areas.deferred[page] = false;
	for (way = 0; way < 2; way++) {
		ASSERT_EQ(pmm_vmlist_detach_deferred(&areas.list[way], areas_addr(page), type,
						     &caller, &vm), want);
		ASSERT(want != PMM_DETACH_OK || vm == areas_at(page)->vm[way]);
	}
	return want;
}

/* --- users' mappings -------------------------------------------------------------------------- */

void areas_hold(unsigned long page)
{
	struct oracle_area *area = oracle_window_at(&areas.oracle, page);
	bool may = oracle_area_found(area) && area->for_users;
	unsigned int way;

	for (way = 0; way < 2; way++)
		ASSERT(pmm_vmlist_hold(&areas.list[way], areas_addr(page)) ==
		       (may ? known_of(area)->vm[way] : NULL));
	if (may)
		area->mappings++;
}

void areas_hold_again(struct known *area)
{
	pmm_vmlist_hold_again(&areas.list[0], area->vm[0]);
	pmm_vmlist_hold_again(&areas.list[1], area->vm[1]);
	area->oracle->mappings++;
}

bool areas_drop(struct known *area)
{
	bool last = oracle_area_drop(area->oracle);

	ASSERT_EQ(pmm_vmlist_drop(&areas.list[0], area->vm[0]), last);
	ASSERT_EQ(pmm_vmlist_drop(&areas.list[1], area->vm[1]), last);
	return last;
}

/* --- both windows at once --------------------------------------------------------------------- */

void areas_find(unsigned long page)
{
	const struct oracle_area *area = oracle_window_at(&areas.oracle, page);
	unsigned int way;

	for (way = 0; way < 2; way++) {
		assert_found(&areas.list[way], areas_addr(page),
			     oracle_area_found(area) ? known_of(area)->vm[way] : NULL);
		assert_found(&areas.list[way], areas_addr(page) + 8, NULL);
	}
}

void areas_purge(void)
{
	unsigned int way;
	bool any;

	if (areas.purging) {
		for (way = 0; way < 2; way++)
			pmm_vmlist_purge_end(&areas.list[way], &areas.purged[way]);
		oracle_window_purge_end(&areas.oracle);
	} else {
		any = oracle_window_purge_begin(&areas.oracle);
		for (way = 0; way < 2; way++)
			ASSERT_EQ(pmm_vmlist_purge_begin(&areas.list[way], &areas.purged[way]),
				  any);
	}
	areas.purging = !areas.purging;
}

static void compare_record(const struct pmm_vm_struct *vm, unsigned int way,
			   const struct oracle_area *want)
{
	static const enum pmm_area_state states[] = {
		[ORACLE_AREA_NEW] = PMM_AREA_NEW, [ORACLE_AREA_LIVE] = PMM_AREA_LIVE,
		[ORACLE_AREA_DYING] = PMM_AREA_DYING, [ORACLE_AREA_WAITING] = PMM_AREA_LAZY,
		[ORACLE_AREA_FLUSHED] = PMM_AREA_PURGED,
	};
	const struct known *known = known_of(want);

	ASSERT(vm);
	ASSERT_EQ(vm->addr, areas_addr(want->first));
	ASSERT_EQ(vm->size, PAGES(want->pages));
	ASSERT_EQ(pmm_area(vm)->state, states[want->state]);
	if (!known)
		return;
	ASSERT(known->vm[way] == vm);
	ASSERT_EQ(vm->flags, known->flags);
	ASSERT_EQ(pmm_area(vm)->users, want->mappings + want->owned);
}

static void compare_way(unsigned int way)
{
	struct pmm_vmlist *list = &areas.list[way];
	const struct pmm_vm_struct *vm = list->head;
	const struct oracle_area *want;

	for (want = areas.oracle.head; want; want = want->next, vm = vm->next)
		compare_record(vm, way, want);
	ASSERT(!vm);
	ASSERT_EQ(list->nr_areas, areas.oracle.nr);
	ASSERT_EQ(list->nr_lazy, areas.oracle.nr_waiting);
	ASSERT_EQ(list->lazy_bytes, PAGES(areas.oracle.waiting));
	ASSERT_EQ(list->nr_stale, areas.stale);
	ASSERT_EQ(assert_sound(list), areas.nr);
}

void areas_compare(void)
{
	unsigned long page;

	compare_way(0);
	compare_way(1);
	for (page = 0; page < areas.oracle.pages; page++) {
		ASSERT_EQ(test_bit(page, areas.deferred_map[0]), areas.deferred[page]);
		ASSERT_EQ(test_bit(page, areas.deferred_map[1]), areas.deferred[page]);
	}
}

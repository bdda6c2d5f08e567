// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: the vm_struct list. Two windows, one with search=linear and one with search=tree, do
 * what the input says, beside the oracle. All three must agree on every address and every answer.
 *
 * The first four bytes are the size of the window, how it lies, and how often it is compared; then
 * each step is a byte for what to do and a few for its arguments.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "lazy.h"
#include "oracle/window.h"

#define START		0xffffc90000000000UL
#define PAGES(nr)	((unsigned long)(nr) * PAGE_SIZE)
#define CALLER		((void *)0xca11e4)
#define MOST_PAGES	1500
#define MOST_AREAS	200
#define TYPES		(PMM_VM_IOREMAP | PMM_VM_ALLOC | PMM_VM_MAP)

struct known {
	struct pmm_vm_struct	*vm[2];
	struct oracle_area	*oracle;
	unsigned long		flags;
};

static struct {
	struct fuzz_input	in;
	unsigned long		pages;
	struct pmm_vmlist	list[2];		/* the second has the tree */
	struct list_head	purged[2];
	bool			purging;
	struct oracle_window	oracle;
	struct known		areas[MOST_AREAS];	/* in no order */
	unsigned int		nr, step, compare_every;
	bool			deferred[MOST_PAGES];
	unsigned long		deferred_map[2][MOST_PAGES / 64 + 1];
	unsigned long		stale;
	struct page		*some_pages[1];
} run;

static void where(void)
{
	ktap_say("window of %lu pages, step %u, %u areas", run.pages, run.step, run.nr);
}

static void *page_addr(unsigned long page)
{
	return (void *)(run.list[0].start + PAGES(page));
}

/* --- what the oracle expects ------------------------------------------------------------------ */

static struct known *known_at(unsigned long page)
{
	const struct oracle_area *area = oracle_window_at(&run.oracle, page);

	return area ? area->data : NULL;
}

static enum pmm_detach_result result_of(enum oracle_detach answer)
{
	static const enum pmm_detach_result results[] = {
		[ORACLE_DETACH_OK] = PMM_DETACH_OK, [ORACLE_DETACH_LATER] = PMM_DETACH_LATER,
		[ORACLE_DETACH_NONEXISTENT] = PMM_DETACH_NONEXISTENT,
		[ORACLE_DETACH_WRONG_TYPE] = PMM_DETACH_WRONG_TYPE,
	};

	return results[answer];
}

/* The last of the known areas takes the place of the one that goes. */
static void expect_gone(struct known *area, bool lazy)
{
	if (lazy)
		oracle_window_retire(&run.oracle, area->oracle);
	else
		oracle_window_remove(&run.oracle, area->oracle);
	*area = run.areas[--run.nr];
	if (area != &run.areas[run.nr])
		area->oracle->data = area;
}

/* --- the windows against the oracle ----------------------------------------------------------- */

static void compare_record(const struct pmm_vm_struct *vm, unsigned int way,
			   const struct oracle_area *want)
{
	ASSERT(vm);
	ASSERT_EQ(vm->addr, page_addr(want->first));
	ASSERT_EQ(vm->size, PAGES(want->pages));
	if (want->state == ORACLE_AREA_WAITING)
		ASSERT_EQ(pmm_area(vm)->state, PMM_AREA_LAZY);
	else if (want->state == ORACLE_AREA_FLUSHED)
		ASSERT_EQ(pmm_area(vm)->state, PMM_AREA_PURGED);
	else
		ASSERT(((struct known *)want->data)->vm[way] == vm);
}

static void compare_way(unsigned int way)
{
	const struct pmm_vm_struct *vm = run.list[way].head;
	const struct oracle_area *want;
	struct pmm_verdict v = { };

	for (want = run.oracle.head; want; want = want->next, vm = vm->next)
		compare_record(vm, way, want);
	ASSERT(!vm);
	ASSERT_EQ(run.list[way].nr_lazy, run.oracle.nr_waiting);
	ASSERT_EQ(run.list[way].lazy_bytes, PAGES(run.oracle.waiting));
	ASSERT_EQ(run.list[way].nr_stale, run.stale);
	if (!pmm_vmlist_verify(&run.list[way], &v))
		ktap_fail(__FILE__, __LINE__, "verify: %s", v.why);
	ASSERT_EQ(v.areas, run.nr);
}

static void compare(void)
{
	unsigned long page;

	compare_way(0);
	compare_way(1);
	for (page = 0; page < run.pages; page++) {
		ASSERT_EQ(test_bit(page, run.deferred_map[0]), run.deferred[page]);
		ASSERT_EQ(test_bit(page, run.deferred_map[1]), run.deferred[page]);
	}
}

/* --- steps ------------------------------------------------------------------------------------ */

/* As vmalloc does: on top if that is right, which is only ever so with the tree. */
static struct pmm_vm_struct *reserve(unsigned int way, const struct pmm_area_request *want)
{
	struct pmm_vm_struct *vm = NULL;

	if (want->align == PAGE_SIZE && want->size && want->size <= PAGES(PMM_MAX_SLOTS))
		vm = pmm_vmlist_reserve_on_top(&run.list[way], PAGE_ALIGN(want->size) + PAGE_SIZE,
					       want->flags, want->nr_slots, want->caller);
	ASSERT(!vm || way == 1);
	return vm ?: pmm_vmlist_reserve(&run.list[way], want);
}

static void assert_fresh(const struct pmm_vm_struct *vm, const struct pmm_area_request *want)
{
	struct pmm_area *area = pmm_area(vm);

	ASSERT_EQ(vm->flags, want->flags);
	ASSERT_EQ(vm->size, PAGE_ALIGN(want->size) + PAGE_SIZE);
	ASSERT(vm->caller == want->caller && !vm->pages && !vm->nr_pages && !vm->phys_addr);
	ASSERT_EQ(area->state, PMM_AREA_NEW);
	ASSERT(area->users == 1 && !area->orphan && !area->nr_huge);
	memset(area->slots, 0x77, want->nr_slots * sizeof(struct page *));
}

static void add_area(const struct known *area, unsigned long first, unsigned long pages)
{
	struct known *known = &run.areas[run.nr++];

	if (run.deferred[first]) {
		run.deferred[first] = false;
		run.stale++;
		ASSERT_EQ(fuzz_messages("nonexistent vm area"), 2);
	}
	*known = *area;
	known->oracle = oracle_window_add(&run.oracle, first, pages);
	known->oracle->data = known;
	known->oracle->type = area->flags & TYPES;
	known->oracle->for_users = area->flags & PMM_VM_USERMAP;
}

static void reserve_both(const struct pmm_area_request *want)
{
	unsigned long pages = want->size / PAGE_SIZE + !!(want->size % PAGE_SIZE) + 1;
	struct known area = { .flags = want->flags };
	struct oracle_hole hole;
	unsigned int way;
	bool room;

	room = oracle_window_fit(&run.oracle, pages, want->align / PAGE_SIZE, &hole);
	if (room && want->size && run.nr == MOST_AREAS)
		return;
	for (way = 0; way < 2; way++) {
		area.vm[way] = reserve(way, want);
		if (!want->size || want->size > ULONG_MAX - 2 * PAGE_SIZE) {
			ASSERT_EQ(PTR_ERR(area.vm[way]), -EINVAL);
		} else if (!room) {
			ASSERT_EQ(PTR_ERR(area.vm[way]), -ENOSPC);
		} else {
			ASSERT(!IS_ERR(area.vm[way]));
			ASSERT_EQ(area.vm[way]->addr, page_addr(hole.at));
			assert_fresh(area.vm[way], want);
		}
	}
	if (!IS_ERR(area.vm[0]))
		add_area(&area, hole.at, pages);
}

static unsigned long any_flags(unsigned int byte)
{
	return (1UL << byte % 3) | (byte & 0x80 ? PMM_VM_USERMAP : 0);
}

/* Sizes and alignments as they are asked for in life. */
static void step_reserve(void)
{
	unsigned int how = fuzz_byte(&run.in), flags = fuzz_byte(&run.in);

	reserve_both(&(const struct pmm_area_request) {
		.size = PAGES(1 + how % 32) - (how & 0x80 ? 77 : 0),
		.align = PAGE_SIZE << (how & 0x60 ? 0 : flags >> 3 & 0xf),
		.flags = any_flags(flags), .nr_slots = flags & 4 ? how % 32 : 0,
		.gfp = GFP_KERNEL, .caller = CALLER,
	});
}

/* Any at all, those that overflow included. */
static void step_reserve_odd(void)
{
	unsigned int how = fuzz_byte(&run.in);
	unsigned long size = fuzz_short(&run.in);

	if (how & 1)
		size = -size;
	reserve_both(&(const struct pmm_area_request) {
		.size = how & 2 ? size : PAGES(size),
		.align = PAGE_SIZE << (how >> 2) % 52,
		.flags = PMM_VM_MAP, .gfp = GFP_KERNEL, .caller = CALLER,
	});
}

static struct known *any_area(void)
{
	unsigned int byte = fuzz_byte(&run.in);

	return run.nr ? &run.areas[byte % run.nr] : NULL;
}

static void step_publish(void)
{
	struct known *area = any_area();
	unsigned int way;

	if (!area || area->oracle->state != ORACLE_AREA_NEW)
		return;
	for (way = 0; way < 2; way++) {
		if (area->flags & PMM_VM_ALLOC)
			pmm_vmlist_set_pages(&run.list[way], area->vm[way], run.some_pages, 1);
		pmm_vmlist_publish(&run.list[way], area->vm[way]);
	}
	area->oracle->state = ORACLE_AREA_LIVE;
	area->oracle->owns_pages = area->flags & PMM_VM_ALLOC;
}

/* As vmalloc does: at once, when it is on top of what waits. */
static bool join(unsigned int way, unsigned long page, unsigned long type)
{
	struct pmm_vmlist *list = &run.list[way];
	struct pmm_area *found, *gone = NULL;
	const struct oracle_area *area = oracle_window_at(&run.oracle, page);
	bool expected = oracle_area_judge(area, type) == ORACLE_DETACH_OK &&
			oracle_window_waits_below(&run.oracle, area);

	spin_lock(&list->lock);
	found = __pmm_vmlist_find_joinable(list, page_addr(page), type);
	if (found)
		gone = __pmm_vmlist_join(list, found);
	spin_unlock(&list->lock);
	ASSERT_EQ(!!found, expected);
	if (found)
		pmm_free_record(list, found);
	if (gone)
		pmm_free_record(list, gone);
	return found;
}

static void take_down(struct known *area, bool lazy)
{
	unsigned int way;

	for (way = 0; way < 2; way++) {
		if (lazy) {
			pmm_vmlist_retire(&run.list[way], area->vm[way]);
			continue;
		}
		pmm_vmlist_unlink(&run.list[way], area->vm[way]);
		kfree(area->vm[way]);
	}
	expect_gone(area, lazy);
}

/* Of any address, as any kind: mostly the right ones. */
static void step_detach(void)
{
	unsigned int how = fuzz_byte(&run.in);
	const struct known *chosen = any_area();
	unsigned long page = chosen ? chosen->oracle->first : 0, type;
	struct pmm_vm_struct *vm;
	enum pmm_detach_result want;
	unsigned int way;

	if (how & 0x40)
		page = (page + (how & 0xf)) % (run.pages + 1);
	type = how & 0x20 ? 1UL << how % 3 : chosen ? chosen->flags & TYPES : 0;
	if (how & 0x10)
		type = 0;
	if (how & 0x80 && type && page < run.pages && join(0, page, type)) {
		ASSERT(join(1, page, type));
		expect_gone(known_at(page), true);
		return;
	}
	want = result_of(oracle_area_detach(oracle_window_at(&run.oracle, page), type));
	for (way = 0; way < 2; way++) {
		ASSERT_EQ(pmm_vmlist_detach(&run.list[way], page_addr(page) + 8, type, &vm),
			  PMM_DETACH_BAD_ADDRESS);
		ASSERT_EQ(pmm_vmlist_detach(&run.list[way], page_addr(page), type, &vm), want);
		ASSERT(want != PMM_DETACH_OK || vm == known_at(page)->vm[way]);
	}
	if (want == PMM_DETACH_OK)
		take_down(known_at(page), how & 0x80);
}

/* The caller that reserved an area gives it up before it is published. */
static void step_abandon(void)
{
	struct known *area = any_area();

	if (area && area->oracle->state == ORACLE_AREA_NEW)
		take_down(area, false);
}

static void step_defer(void)
{
	unsigned long page = fuzz_short(&run.in) % (run.pages + 2) - 1;
	bool known = page < run.pages;
	enum pmm_detach_result want;
	unsigned int way;

	want = known && !run.deferred[page] ? PMM_DETACH_LATER : PMM_DETACH_NONEXISTENT;
	for (way = 0; way < 2; way++) {
		ASSERT_EQ(pmm_vmlist_defer(&run.list[way], page_addr(page)), want);
		ASSERT_EQ(pmm_vmlist_defer(&run.list[way], page_addr(page) + 1),
			  PMM_DETACH_BAD_ADDRESS);
	}
	if (known)
		run.deferred[page] = true;
}

static void step_deferred(void)
{
	unsigned long page = fuzz_short(&run.in) % run.pages, type = 1UL << fuzz_byte(&run.in) % 3;
	enum pmm_detach_result want = PMM_DETACH_NONE;
	struct pmm_vm_struct *vm;
	unsigned int way;

	if (run.deferred[page])
		want = result_of(oracle_area_detach(oracle_window_at(&run.oracle, page), type));
	run.deferred[page] = false;
	for (way = 0; way < 2; way++)
		ASSERT_EQ(pmm_vmlist_detach_deferred(&run.list[way], page_addr(page), type, &vm),
			  want);
	if (want == PMM_DETACH_OK)
		take_down(known_at(page), type & PMM_VM_MAP);
}

static void step_hold(void)
{
	unsigned long page = fuzz_short(&run.in) % (run.pages + 1);
	struct oracle_area *area = oracle_window_at(&run.oracle, page);
	bool may = oracle_area_found(area) && area->for_users;
	unsigned int way;

	for (way = 0; way < 2; way++)
		ASSERT(pmm_vmlist_hold(&run.list[way], page_addr(page)) ==
		       (may ? known_at(page)->vm[way] : NULL));
	if (may)
		area->mappings++;
}

static void step_hold_again(void)
{
	struct known *area = any_area();
	unsigned int way;

	if (!area || !area->oracle->mappings)
		return;
	area->oracle->mappings++;
	for (way = 0; way < 2; way++)
		pmm_vmlist_hold_again(&run.list[way], area->vm[way]);
}

static void drop(struct known *area, bool lazy)
{
	bool last = oracle_area_drop(area->oracle);
	unsigned int way;

	for (way = 0; way < 2; way++)
		ASSERT_EQ(pmm_vmlist_drop(&run.list[way], area->vm[way]), last);
	if (last)
		take_down(area, lazy);
}

static void step_drop(void)
{
	unsigned int lazy = fuzz_byte(&run.in);
	struct known *area = any_area();

	if (area && area->oracle->mappings)
		drop(area, lazy & 1);
}

static void step_find(void)
{
	unsigned long page = fuzz_short(&run.in) % (run.pages + 1);
	const struct oracle_area *area = oracle_window_at(&run.oracle, page);
	bool found = oracle_area_found(area);
	struct pmm_vm_struct copy;
	unsigned int way;

	for (way = 0; way < 2; way++) {
		ASSERT(pmm_vmlist_find(&run.list[way], page_addr(page)) ==
		       (found ? known_at(page)->vm[way] : NULL));
		ASSERT_EQ(pmm_vmlist_copy(&run.list[way], page_addr(page), &copy),
			  found);
		ASSERT(!found || copy.size == PAGES(area->pages));
		ASSERT(!pmm_vmlist_find(&run.list[way], page_addr(page) + 8));
	}
}

static void step_purge(void)
{
	unsigned int way;
	bool any;

	if (run.purging) {
		for (way = 0; way < 2; way++)
			pmm_vmlist_purge_end(&run.list[way], &run.purged[way]);
		oracle_window_purge_end(&run.oracle);
	} else {
		any = oracle_window_purge_begin(&run.oracle);
		for (way = 0; way < 2; way++)
			ASSERT_EQ(pmm_vmlist_purge_begin(&run.list[way], &run.purged[way]), any);
	}
	run.purging = !run.purging;
}

/* --- a run ------------------------------------------------------------------------------------ */

static void (* const steps[])(void) = {
	step_reserve, step_reserve, step_publish, step_detach, step_reserve_odd, step_purge,
	step_abandon, step_hold, step_drop, step_defer, step_deferred, step_find, step_hold_again,
	step_detach, step_publish, step_reserve,
};

/* Near the end of the address space, in some. */
static void begin(const u8 *data, size_t size)
{
	unsigned int way, how, pages;

	memset(&run, 0, sizeof(run));
	run.in = (struct fuzz_input) { data, size };
	pages = fuzz_short(&run.in);
	how = fuzz_byte(&run.in);
	run.compare_every = 1 + fuzz_byte(&run.in) % 8;
	run.pages = 1 + (how & 1 ? pages % MOST_PAGES : pages % 80);
	oracle_window_init(&run.oracle, 0, run.pages);
	for (way = 0; way < 2; way++) {
		unsigned long start = how & 2 ? -PAGES(run.pages + 1) : START + PAGES(how >> 2);

		pmm_vmlist_init(&run.list[way], start, PAGES(run.pages));
		run.oracle.base = start / PAGE_SIZE;
		run.list[way].search_tree = way;
		run.list[way].deferred = run.deferred_map[way];
	}
}

static void end(void)
{
	struct pmm_vm_struct *vm;
	struct known *area;
	unsigned int way;

	while (run.nr) {
		area = &run.areas[run.nr - 1];
		if (area->oracle->mappings) {
			drop(area, true);
		} else if (area->oracle->state == ORACLE_AREA_NEW) {
			take_down(area, false);
		} else {
			for (way = 0; way < 2; way++)
				ASSERT_EQ(pmm_vmlist_detach(&run.list[way],
							    page_addr(area->oracle->first),
							    area->flags & TYPES, &vm),
					  PMM_DETACH_OK);
			take_down(area, true);
		}
	}
	compare();
	do
		step_purge();
	while (run.purging || run.list[0].nr_lazy);
	compare();
	for (way = 0; way < 2; way++) {
		ASSERT(!run.list[way].head && !run.list[way].nr_areas);
		pmm_vmlist_destroy(&run.list[way]);
	}
	oracle_window_exit(&run.oracle);
}

void fuzz_one(const u8 *data, size_t size)
{
	ktap_where = where;
	begin(data, size);
	for (; run.in.left; run.step++) {
		steps[fuzz_byte(&run.in) % ARRAY_SIZE(steps)]();
		ASSERT_EQ(fuzz_messages(""), 0);
		if (run.step % run.compare_every == 0)
			compare();
	}
	end();
}

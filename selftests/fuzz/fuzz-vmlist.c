// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: the vm_struct list. Two windows, one with search=linear and one with search=tree, do
 * what the input says, beside a model that is an array of pages: who has each, or what it waits
 * for. All three must agree on every address and every answer.
 *
 * The first four bytes are the size of the window, how it lies, and how often it is compared; then
 * each step is a byte for what to do and a few for its arguments.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "lazy.h"

#define START		0xffffc90000000000UL
#define PAGES(nr)	((unsigned long)(nr) * PAGE_SIZE)
#define CALLER		((void *)0xca11e4)
#define MOST_PAGES	1500
#define MOST_AREAS	200
#define TYPES		(PMM_VM_IOREMAP | PMM_VM_ALLOC | PMM_VM_MAP)

/* Who has a page: one of these, or an area by its number. */
enum {
	NOBODY,
	WAITING,	/* for a purge to begin */
	FLUSHED,	/* for one to end */
	FIRST_AREA,
};

struct known {
	struct pmm_vm_struct	*vm[2];
	unsigned long		first, pages;	/* guard page included */
	unsigned long		flags;
	unsigned int		mappings;	/* of users */
	bool			live, orphan;
};

static struct {
	struct fuzz_input	in;
	unsigned long		pages, skew;
	struct pmm_vmlist	list[2];		/* the second has the tree */
	struct list_head	purged[2];
	bool			purging;
	struct known		areas[MOST_AREAS];	/* in no order */
	unsigned int		nr, step, compare_every;
	u16			owner[MOST_PAGES];
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

/* --- the model -------------------------------------------------------------------------------- */

/* The lowest aligned page with so many from there on that nobody has. */
static unsigned long model_fit(unsigned long pages, unsigned long align)
{
	unsigned long base = run.list[0].start / PAGE_SIZE, page = -base & (align - 1), length = 0;

	while (page <= run.pages && pages <= run.pages - page) {
		if (length == pages)
			return page;
		if (run.owner[page + length] == NOBODY) {
			length++;
			continue;
		}
		page += length + 1;
		page += -(base + page) & (align - 1);
		length = 0;
	}
	return ULONG_MAX;
}

static void model_own(const struct known *area, u16 owner)
{
	unsigned long i;

	for (i = 0; i < area->pages; i++)
		run.owner[area->first + i] = owner;
}

static void model_remove(struct known *area, u16 owner)
{
	model_own(area, owner);
	*area = run.areas[--run.nr];
	if (area != &run.areas[run.nr])
		model_own(area, FIRST_AREA + (area - run.areas));
}

static void model_change(u16 from, u16 to)
{
	unsigned long page;

	for (page = 0; page < run.pages; page++)
		if (run.owner[page] == from)
			run.owner[page] = to;
}

/* The area that begins there, live or not. */
static struct known *model_at(unsigned long page)
{
	u16 owner = page < run.pages ? run.owner[page] : NOBODY;

	if (owner < FIRST_AREA || run.areas[owner - FIRST_AREA].first != page)
		return NULL;
	return &run.areas[owner - FIRST_AREA];
}

static bool model_found(const struct known *area)
{
	return area && area->live && !area->orphan;
}

static enum pmm_detach_result model_detach(const struct known *area, unsigned long type)
{
	if (!model_found(area))
		return PMM_DETACH_NONEXISTENT;
	if (type ? !(area->flags & type) : area->flags & PMM_VM_ALLOC)
		return PMM_DETACH_WRONG_TYPE;
	return area->mappings ? PMM_DETACH_LATER : PMM_DETACH_OK;
}

/* --- the windows against the model ------------------------------------------------------------ */

/* The pages from here on that have the same owner are one record, of those that wait too. */
static unsigned long compare_record(const struct pmm_vm_struct *vm, unsigned int way,
				    unsigned long page)
{
	static const enum pmm_area_state states[] = { [WAITING] = PMM_AREA_LAZY,
						      [FLUSHED] = PMM_AREA_PURGED };
	u16 owner = run.owner[page];
	unsigned long pages = 1;

	while (page + pages < run.pages && run.owner[page + pages] == owner)
		pages++;
	ASSERT(vm);
	ASSERT_EQ(vm->addr, page_addr(page));
	ASSERT_EQ(vm->size, PAGES(pages));
	if (owner < FIRST_AREA)
		ASSERT_EQ(pmm_area(vm)->state, states[owner]);
	else
		ASSERT(run.areas[owner - FIRST_AREA].vm[way] == vm);
	return pages;
}

static void compare_way(unsigned int way)
{
	const struct pmm_vm_struct *vm = run.list[way].head;
	unsigned long page = 0, pages, records = 0, waiting = 0;
	struct pmm_verdict v = { };

	while (page < run.pages) {
		if (run.owner[page] == NOBODY) {
			page++;
			continue;
		}
		pages = compare_record(vm, way, page);
		records += run.owner[page] < FIRST_AREA;
		waiting += run.owner[page] < FIRST_AREA ? pages : 0;
		page += pages;
		vm = vm->next;
	}
	ASSERT(!vm);
	ASSERT_EQ(run.list[way].nr_lazy, records);
	ASSERT_EQ(run.list[way].lazy_bytes, PAGES(waiting));
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

static void add_area(const struct known *area)
{
	if (run.deferred[area->first]) {
		run.deferred[area->first] = false;
		run.stale++;
		ASSERT_EQ(fuzz_messages("nonexistent vm area"), 2);
	}
	model_own(area, FIRST_AREA + run.nr);
	run.areas[run.nr++] = *area;
}

static void reserve_both(const struct pmm_area_request *want)
{
	struct known area = { .pages = want->size / PAGE_SIZE + !!(want->size % PAGE_SIZE) + 1,
			      .flags = want->flags };
	unsigned int way;

	area.first = model_fit(area.pages, want->align / PAGE_SIZE);
	if (area.first != ULONG_MAX && want->size && run.nr == MOST_AREAS)
		return;
	for (way = 0; way < 2; way++) {
		area.vm[way] = reserve(way, want);
		if (!want->size || want->size > ULONG_MAX - 2 * PAGE_SIZE) {
			ASSERT_EQ(PTR_ERR(area.vm[way]), -EINVAL);
		} else if (area.first == ULONG_MAX) {
			ASSERT_EQ(PTR_ERR(area.vm[way]), -ENOSPC);
		} else {
			ASSERT(!IS_ERR(area.vm[way]));
			ASSERT_EQ(area.vm[way]->addr, page_addr(area.first));
			assert_fresh(area.vm[way], want);
		}
	}
	if (!IS_ERR(area.vm[0]))
		add_area(&area);
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

	if (!area || area->live)
		return;
	for (way = 0; way < 2; way++) {
		if (area->flags & PMM_VM_ALLOC)
			pmm_vmlist_set_pages(&run.list[way], area->vm[way], run.some_pages, 1);
		pmm_vmlist_publish(&run.list[way], area->vm[way]);
	}
	area->live = true;
}

/* As vmalloc does: at once, when it is on top of what waits. */
static bool join(unsigned int way, unsigned long page, unsigned long type)
{
	struct pmm_vmlist *list = &run.list[way];
	struct pmm_area *found, *gone = NULL;
	const struct known *area = model_at(page);
	bool expected = model_detach(area, type) == PMM_DETACH_OK && page &&
			run.owner[page - 1] == WAITING;

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
	model_remove(area, lazy ? WAITING : NOBODY);
}

static void finish_detach(struct known *area, enum pmm_detach_result result, bool lazy)
{
	if (result == PMM_DETACH_LATER)
		area->orphan = true;
	else if (result == PMM_DETACH_OK)
		take_down(area, lazy);
}

/* Of any address, as any kind: mostly the right ones. */
static void step_detach(void)
{
	unsigned int how = fuzz_byte(&run.in);
	const struct known *chosen = any_area();
	unsigned long page = chosen ? chosen->first : 0, type;
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
		model_remove(model_at(page), WAITING);
		return;
	}
	want = model_detach(model_at(page), type);
	for (way = 0; way < 2; way++) {
		ASSERT_EQ(pmm_vmlist_detach(&run.list[way], page_addr(page) + 8, type, &vm),
			  PMM_DETACH_BAD_ADDRESS);
		ASSERT_EQ(pmm_vmlist_detach(&run.list[way], page_addr(page), type, &vm), want);
		ASSERT(want != PMM_DETACH_OK || vm == model_at(page)->vm[way]);
	}
	finish_detach(model_at(page), want, how & 0x80);
}

/* Whoever made it gives it up before it was published. */
static void step_abandon(void)
{
	struct known *area = any_area();

	if (area && !area->live)
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
		want = model_detach(model_at(page), type);
	run.deferred[page] = false;
	for (way = 0; way < 2; way++)
		ASSERT_EQ(pmm_vmlist_detach_deferred(&run.list[way], page_addr(page), type, &vm),
			  want);
	finish_detach(model_at(page), want, type & PMM_VM_MAP);
}

static void step_hold(void)
{
	unsigned long page = fuzz_short(&run.in) % (run.pages + 1);
	struct known *area = model_at(page);
	bool may = model_found(area) && area->flags & PMM_VM_USERMAP;
	unsigned int way;

	for (way = 0; way < 2; way++)
		ASSERT(pmm_vmlist_hold(&run.list[way], page_addr(page)) ==
		       (may ? area->vm[way] : NULL));
	if (may)
		area->mappings++;
}

static void step_hold_again(void)
{
	struct known *area = any_area();
	unsigned int way;

	if (!area || !area->mappings)
		return;
	area->mappings++;
	for (way = 0; way < 2; way++)
		pmm_vmlist_hold_again(&run.list[way], area->vm[way]);
}

static void drop(struct known *area, bool lazy)
{
	bool last = area->mappings == 1 && area->orphan;
	unsigned int way;

	area->mappings--;
	for (way = 0; way < 2; way++)
		ASSERT_EQ(pmm_vmlist_drop(&run.list[way], area->vm[way]), last);
	if (last)
		take_down(area, lazy);
}

static void step_drop(void)
{
	unsigned int lazy = fuzz_byte(&run.in);
	struct known *area = any_area();

	if (area && area->mappings)
		drop(area, lazy & 1);
}

static void step_find(void)
{
	unsigned long page = fuzz_short(&run.in) % (run.pages + 1);
	const struct known *area = model_at(page);
	struct pmm_vm_struct copy;
	unsigned int way;

	for (way = 0; way < 2; way++) {
		ASSERT(pmm_vmlist_find(&run.list[way], page_addr(page)) ==
		       (model_found(area) ? area->vm[way] : NULL));
		ASSERT_EQ(pmm_vmlist_copy(&run.list[way], page_addr(page), &copy),
			  model_found(area));
		ASSERT(!model_found(area) || copy.size == PAGES(area->pages));
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
		model_change(FLUSHED, NOBODY);
	} else {
		any = run.list[0].nr_lazy;
		for (way = 0; way < 2; way++)
			ASSERT_EQ(pmm_vmlist_purge_begin(&run.list[way], &run.purged[way]), any);
		model_change(WAITING, FLUSHED);
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
	for (way = 0; way < 2; way++) {
		unsigned long start = how & 2 ? -PAGES(run.pages + 1) : START + PAGES(how >> 2);

		pmm_vmlist_init(&run.list[way], start, PAGES(run.pages));
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
		if (area->mappings) {
			drop(area, true);
		} else if (!area->live) {
			take_down(area, false);
		} else {
			for (way = 0; way < 2; way++)
				ASSERT_EQ(pmm_vmlist_detach(&run.list[way],
							    page_addr(area->first),
							    area->flags & TYPES, &vm),
					  model_detach(area, area->flags & TYPES));
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

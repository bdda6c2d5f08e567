// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: the window with purge=lazy, with aligned areas, and with search=tree. First some cases
 * small enough to draw; then two windows go through the same long random run, one of them with the
 * tree, beside the oracle.
 */
#include <stdlib.h>

#include "areas.h"
#include "ktap.h"
#include "shim.h"

#define HUGE		PAGES(512)

/* An area of the given number of pages and a guard page, or an error. */
static struct pmm_vm_struct *try_aligned(struct pmm_vmlist *list, unsigned long pages,
					 unsigned long align)
{
	const struct pmm_area_request want = {
		.size = PAGES(pages), .align = align, .flags = PMM_VM_MAP, .gfp = GFP_KERNEL,
		.caller = CALLER,
	};

	return pmm_vmlist_reserve(list, &want);
}

static struct pmm_vm_struct *get_aligned(struct pmm_vmlist *list, unsigned long pages,
					 unsigned long align, unsigned long at)
{
	struct pmm_vm_struct *vm = try_aligned(list, pages, align);

	ASSERT(!IS_ERR(vm));
	ASSERT_EQ(((unsigned long)vm->addr - list->start) / PAGE_SIZE, at);
	ASSERT_EQ(vm->size, PAGES(pages + 1));
	assert_sound(list);
	return vm;
}

static struct pmm_vm_struct *get_at(struct pmm_vmlist *list, unsigned long pages, unsigned long at)
{
	return get_aligned(list, pages, PAGE_SIZE, at);
}

static void assert_full(struct pmm_vmlist *list)
{
	ASSERT_EQ(PTR_ERR(try_aligned(list, 1, PAGE_SIZE)), -ENOSPC);
}

static void window_init(struct pmm_vmlist *list, bool tree, unsigned long start,
			unsigned long pages)
{
	pmm_vmlist_init(list, start, PAGES(pages));
	list->search_tree = tree;
}

static void put(struct pmm_vmlist *list, struct pmm_vm_struct *vm)
{
	pmm_vmlist_unlink(list, vm);
	kfree(vm);
	assert_sound(list);
}

static void retire(struct pmm_vmlist *list, struct pmm_vm_struct *vm)
{
	pmm_area(vm)->state = PMM_AREA_DYING;
	pmm_vmlist_retire(list, vm);
	assert_sound(list);
}

/* The freed areas that wait: records, pages. */
static void assert_waiting(const struct pmm_vmlist *list, unsigned long records,
			   unsigned long pages)
{
	ASSERT_EQ(list->nr_lazy, records);
	ASSERT_EQ(list->lazy_bytes, PAGES(pages));
}

static void purge(struct pmm_vmlist *list)
{
	struct list_head purged;

	pmm_vmlist_purge_begin(list, &purged);
	assert_sound(list);
	pmm_vmlist_purge_end(list, &purged);
	assert_sound(list);
	assert_waiting(list, 0, 0);
}

static void empty(struct pmm_vmlist *list)
{
	purge(list);
	while (list->head)
		put(list, list->head);
	ASSERT_EQ(list->nr_areas, 0);
	pmm_vmlist_destroy(list);
}

/* --- freed, but not yet --- */

/*
 * Neighbours that wait become one record, whichever goes first: the second of two joins the one
 * below it, or the one above, and a third between two others joins both.
 *
 *	0123456789
 *	[a][b][c][d][e]		2 pages each, guard pages included
 */
static void lazy_merges(const void *arg)
{
	static const struct {
		unsigned int first, second, third, records[3];
	} cases[] = {
		{ 1, 2, 3, { 1, 1, 1 } },	/* each joins the one below */
		{ 3, 2, 1, { 1, 1, 1 } },	/* each joins the one above */
		{ 1, 3, 2, { 1, 2, 1 } },	/* the last joins both */
		{ 0, 2, 4, { 1, 2, 3 } },	/* none has a neighbour */
		{ 0, 1, 3, { 1, 1, 2 } },
		{ 4, 0, 3, { 1, 2, 2 } },
	};
	struct pmm_vm_struct *vm[5];
	struct pmm_vmlist list;
	unsigned int i, at;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		window_init(&list, arg, START, 10);
		for (at = 0; at < 5; at++)
			vm[at] = get_at(&list, 1, 2 * at);
		retire(&list, vm[cases[i].first]);
		assert_waiting(&list, cases[i].records[0], 2);
		retire(&list, vm[cases[i].second]);
		assert_waiting(&list, cases[i].records[1], 4);
		retire(&list, vm[cases[i].third]);
		assert_waiting(&list, cases[i].records[2], 6);
		ASSERT_EQ(list.nr_areas, 2 + cases[i].records[2]);
		assert_full(&list);
		empty(&list);
	}
}

/* A hole between them, or somebody who does not wait, keeps two apart. */
static void lazy_apart(const void *arg)
{
	struct pmm_vmlist list;
	struct pmm_vm_struct *a, *hole, *b, *c;

	window_init(&list, arg, START, 16);
	a = get_at(&list, 1, 0);
	hole = get_at(&list, 1, 2);
	b = get_at(&list, 1, 4);
	c = get_at(&list, 2, 6);
	put(&list, hole);
	retire(&list, a);
	retire(&list, b);
	assert_waiting(&list, 2, 4);
	hole = get_at(&list, 1, 2);
	retire(&list, c);
	assert_waiting(&list, 2, 7);
	retire(&list, hole);
	assert_waiting(&list, 1, 9);
	ASSERT_EQ(list.nr_areas, 1);
	get_at(&list, 1, 9);
	empty(&list);
}

/* However short the window is of addresses, those that wait are handed out after the flush only. */
static void lazy_not_before_flush(const void *arg)
{
	struct pmm_vmlist list;
	struct list_head purged, none;
	struct pmm_vm_struct *a, *b;

	window_init(&list, arg, START, 8);
	a = get_at(&list, 3, 0);
	b = get_at(&list, 3, 4);
	retire(&list, a);
	assert_full(&list);
	ASSERT(!pmm_vmlist_find(&list, (void *)START));
	ASSERT(pmm_vmlist_purge_begin(&list, &purged));
	assert_sound(&list);
	assert_full(&list);
	assert_waiting(&list, 1, 4);
	retire(&list, b);			/* for the next: this flush may be over already */
	assert_waiting(&list, 2, 8);
	pmm_vmlist_purge_end(&list, &purged);
	assert_waiting(&list, 1, 4);
	a = get_at(&list, 3, 0);
	assert_full(&list);
	ASSERT(pmm_vmlist_purge_begin(&list, &purged));
	ASSERT(!pmm_vmlist_purge_begin(&list, &none));
	pmm_vmlist_purge_end(&list, &none);
	assert_full(&list);
	pmm_vmlist_purge_end(&list, &purged);
	assert_waiting(&list, 0, 0);
	get_at(&list, 2, 4);
	empty(&list);
}

/* Purged in several goes, because there are more than fit under the lock at once. */
static void lazy_many(const void *arg)
{
	struct pmm_vmlist list;
	struct pmm_vm_struct *vm[1000];
	struct list_head purged;
	unsigned long locked;
	unsigned int i;

	window_init(&list, arg, START, 2000);
	for (i = 0; i < 1000; i++) {
		vm[i] = try_aligned(&list, 1, PAGE_SIZE);
		ASSERT(!IS_ERR(vm[i]));
	}
	for (i = 0; i < 1000; i += 2)
		retire(&list, vm[i]);
	assert_waiting(&list, 500, 1000);
	ASSERT(pmm_vmlist_purge_begin(&list, &purged));
	locked = shim_nr_locked();
	pmm_vmlist_purge_end(&list, &purged);
	ASSERT(shim_nr_locked() - locked >= 500 / 100);
	assert_waiting(&list, 0, 0);
	ASSERT_EQ(list.nr_areas, 500);
	for (i = 0; i < 1000; i += 2)
		get_at(&list, 1, 2 * i);
	empty(&list);
}

#define ROUNDS	40

/* Alternately areas of 2 pages and holes of 10. */
static void make_holes(struct pmm_vmlist *list, struct pmm_vm_struct **between)
{
	struct pmm_vm_struct *vm[ROUNDS];
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		between[i] = get_at(list, 1, 12 * i);
		vm[i] = get_at(list, 9, 12 * i + 2);
	}
	for (i = 0; i < ROUNDS; i++)
		put(list, vm[i]);
}

static void use_up(struct pmm_vm_struct *vm)
{
	struct pmm_area *area = pmm_area(vm);

	vm->flags = ~0UL;
	vm->pages = area->slots;
	vm->nr_pages = 77;
	vm->phys_addr = 0x7777;
	vm->caller = vm;
	area->orphan = true;
	area->users = 7;
	area->nr_huge = 7;
}

/*
 * A record that is used again, because a neighbour has taken its area over, shows nothing of its
 * former life, and has room for as many pages as it is asked for.
 */
static void lazy_record(const void *arg)
{
	struct pmm_area_request want = {
		.size = PAGES(9), .align = PAGE_SIZE, .flags = PMM_VM_ALLOC, .gfp = GFP_KERNEL,
		.caller = CALLER,
	};
	struct pmm_vm_struct *between[ROUNDS], *vm, *last = NULL;
	unsigned int i, again = 0;
	struct pmm_vmlist list;

	window_init(&list, arg, START, 12 * ROUNDS);
	make_holes(&list, between);
	for (i = 0; i < ROUNDS; i++) {
		if (!(i & 3))
			want.nr_slots = ktap_below(i & 4 ? 8 : PMM_MAX_SLOTS + 1);
		vm = pmm_vmlist_reserve(&list, &want);
		ASSERT_EQ(vm->addr, START + PAGES(12 * i + 2));
		assert_fresh(vm, &want);
		assert_sound(&list);
		again += vm == last;
		last = vm;
		use_up(vm);
		retire(&list, between[i]);
		retire(&list, vm);
	}
	ASSERT(again && again < ROUNDS - 1);
	empty(&list);
}

/* --- alignment --- */

/*
 * The lowest address that is aligned and has room after it; addresses skipped on the way stay a
 * hole. A window that begins at an odd page, counted from there; 2 MiB are at 509, 1021, ...
 */
static void lazy_aligned(const void *arg)
{
	struct pmm_vm_struct *a, *b;
	struct pmm_vmlist list;

	window_init(&list, arg, START + PAGES(3), 2046);
	a = get_aligned(&list, 512, HUGE, 509);
	get_at(&list, 4, 0);
	get_aligned(&list, 1, PAGES(4), 5);
	get_aligned(&list, 1, PAGES(2), 7);
	get_aligned(&list, 1, PAGES(16), 13);
	get_at(&list, 3, 9);
	b = get_aligned(&list, 512, HUGE, 1533);	/* 1021 is the guard page's */
	ASSERT_EQ(PTR_ERR(try_aligned(&list, 2, HUGE)), -ENOSPC);
	put(&list, a);
	a = get_aligned(&list, 1023, HUGE, 509);	/* the hole, to its last page */
	ASSERT_EQ(PTR_ERR(try_aligned(&list, 512, HUGE)), -ENOSPC);
	put(&list, b);
	get_aligned(&list, 512, HUGE, 1533);		/* as far as the window goes */
	ASSERT_EQ(PTR_ERR(try_aligned(&list, 1, HUGE)), -ENOSPC);
	get_at(&list, 493, 15);
	assert_full(&list);
	empty(&list);
}

/* Large enough, were it not for the alignment: the search goes on, and may come to nothing. */
static void lazy_spoiled(const void *arg)
{
	struct pmm_vm_struct *vm[8];
	struct pmm_vmlist list;
	unsigned int i;

	window_init(&list, arg, START, 64);
	for (i = 0; i < 8; i++)
		vm[i] = get_at(&list, 7, 8 * i);
	for (i = 1; i < 8; i += 2)
		put(&list, vm[i]);			/* holes at 8, 24, 40 and 56 */
	ASSERT_EQ(PTR_ERR(try_aligned(&list, 4, PAGES(16))), -ENOSPC);
	ASSERT_EQ(PTR_ERR(try_aligned(&list, 1, HUGE)), -ENOSPC);
	put(&list, vm[4]);				/* 24 to 47 */
	get_aligned(&list, 4, PAGES(16), 32);
	get_aligned(&list, 7, PAGES(8), 8);
	get_aligned(&list, 7, PAGES(8), 24);
	get_at(&list, 4, 37);
	empty(&list);
}

/* Near the end of the address space, where the next aligned address would be 0. */
static void lazy_top(const void *arg)
{
	struct pmm_vmlist list;

	window_init(&list, arg, -PAGES(17), 16);
	ASSERT_EQ(PTR_ERR(try_aligned(&list, 1, HUGE)), -ENOSPC);
	ASSERT_EQ(PTR_ERR(try_aligned(&list, 1, 1UL << 63)), -ENOSPC);
	get_aligned(&list, 1, PAGES(16), 1);
	ASSERT_EQ(PTR_ERR(try_aligned(&list, 1, PAGES(16))), -ENOSPC);
	get_aligned(&list, 3, PAGES(4), 5);
	get_aligned(&list, 6, PAGES(8), 9);
	ASSERT_EQ(PTR_ERR(try_aligned(&list, 1, PAGES(4))), -ENOSPC);
	empty(&list);
}

/* --- the fast paths --- */

static struct pmm_vm_struct *get_on_top(struct pmm_vmlist *list, unsigned long pages)
{
	struct pmm_vm_struct *vm;

	vm = pmm_vmlist_reserve_on_top(list, PAGES(pages + 1), PMM_VM_MAP, 0, CALLER);
	assert_sound(list);
	return vm;
}

static bool is_joinable(struct pmm_vmlist *list, const void *addr, unsigned long type)
{
	struct pmm_area *area;

	spin_lock(&list->lock);
	area = __pmm_vmlist_find_joinable(list, addr, type);
	spin_unlock(&list->lock);
	ASSERT(!area || area->vm.addr == addr);
	return area;
}

/* Not if somebody else still has to do with the area, or with what is below it. */
static void only_joinable(struct pmm_vmlist *list, struct pmm_vm_struct *vm)
{
	struct pmm_area *area = pmm_area(vm);

	ASSERT(!is_joinable(list, vm->addr, PMM_VM_MAP));	/* not published */
	pmm_vmlist_publish(list, vm);
	ASSERT(is_joinable(list, vm->addr, PMM_VM_MAP));
	ASSERT(!is_joinable(list, vm->addr, PMM_VM_ALLOC));
	ASSERT(!is_joinable(list, vm->addr + PAGE_SIZE, PMM_VM_MAP));
	ASSERT(!is_joinable(list, vm->addr + 8, PMM_VM_MAP));
	area->users = 2;
	ASSERT(!is_joinable(list, vm->addr, PMM_VM_MAP));	/* mapped by a user */
	area->users = 1;
	area->orphan = true;
	ASSERT(!is_joinable(list, vm->addr, PMM_VM_MAP));	/* freed, except one */
	area->orphan = false;
	pmm_area(list->head)->state = PMM_AREA_PURGED;
	ASSERT(!is_joinable(list, vm->addr, PMM_VM_MAP));	/* the flush is under way */
	pmm_area(list->head)->state = PMM_AREA_LAZY;
}

/* Taken only where the long way would do the same, and where it has nothing to say. */
static void lazy_on_top(const void *arg)
{
	unsigned long deferred = 0;
	struct pmm_vm_struct *vm;
	struct pmm_vmlist list;

	window_init(&list, true, START, 12);
	list.deferred = &deferred;
	retire(&list, get_at(&list, 1, 0));
	ASSERT(!get_on_top(&list, 1));			/* no spare record */
	retire(&list, get_at(&list, 1, 2));		/* now there is one */
	ASSERT(list.spare);
	deferred = 1 << 4;
	ASSERT(!get_on_top(&list, 1));			/* a free is deferred there */
	ASSERT(list.spare);
	deferred = 0;
	ASSERT(!get_on_top(&list, 8));			/* one page too large */
	vm = get_on_top(&list, 7);
	ASSERT(vm && vm->addr == (void *)START + PAGES(4));

	only_joinable(&list, vm);
	spin_lock(&list.lock);
	ASSERT(__pmm_vmlist_find_joinable(&list, vm->addr, PMM_VM_MAP) == pmm_area(vm));
	ASSERT(!__pmm_vmlist_join(&list, pmm_area(vm)));
	spin_unlock(&list.lock);
	assert_sound(&list);
	assert_waiting(&list, 1, 12);
	pmm_free_record(&list, pmm_area(vm));
	list.deferred = NULL;
	empty(&list);
}

/* --- two windows and the oracle --- */

struct size {
	unsigned long	pages;
	unsigned long	skew;		/* of the window's start from 2 MiB alignment, in pages */
	unsigned int	at_least;	/* areas that the run should get to */
	unsigned int	steps;		/* four times as many, if the run has not met all by then */
	unsigned int	compare_every;
};

static struct run {
	const struct size	*size;
	unsigned int		step, drain_to;
	bool			filling;
	unsigned long		aligned, purges, most_waiting;
} run;

static void where(void)
{
	ktap_say("step %u, %u areas, %lu wait", run.step, areas.nr, areas.list[0].nr_lazy);
}

static bool is_live(const struct known *area)
{
	return area->oracle->state == ORACLE_AREA_LIVE;
}

static void compare(void)
{
	areas_compare();
	run.most_waiting = max(run.most_waiting, areas.oracle.nr_waiting);
}

/* --- steps --- */

static unsigned long random_pages(void)
{
	switch (ktap_below(64)) {
	case 0:
		return 1 + ktap_below(run.size->pages / 4);
	case 1 ... 4:
		return 1 + ktap_below(40);
	default:
		return 1 + ktap_below(3);
	}
}

static unsigned long random_align(void)
{
	switch (ktap_below(16)) {
	case 0:
		return 512;
	case 1 ... 3:
		return 1UL << ktap_below(7);
	default:
		return 1;
	}
}

static void stop_filling(void)
{
	run.filling = false;
	run.drain_to = ktap_below(areas.nr + 1);
}

static void step_reserve(void)
{
	unsigned long pages = random_pages(), align = random_align();
	const struct pmm_area_request want = {
		.size = PAGES(pages), .align = PAGES(align), .flags = PMM_VM_MAP,
		.gfp = GFP_KERNEL, .caller = CALLER,
	};

	if (areas_reserve(&want))
		run.aligned += align > 1;
	else if (pages < 4 && align == 1 && !ktap_below(4))
		stop_filling();
}

static void step_take_down(struct known *area)
{
	unsigned long page = area->oracle->first;
	bool live = is_live(area), lazy = live && ktap_below(4);

	if ((lazy || !live) && areas_join(page, PMM_VM_MAP))
		return;
	ASSERT_EQ(areas_detach(page, 0, 0), live ? PMM_DETACH_OK : PMM_DETACH_NONEXISTENT);
	areas_take_down(area, lazy);
}

static void step_purge(void)
{
	run.purges += !areas.purging;
	areas_purge();
}

static void random_step(void)
{
	struct known *area = areas.nr ? &areas.known[ktap_below(areas.nr)] : NULL;

	run.filling |= areas.nr <= run.drain_to;
	if (areas.nr == MOST_AREAS)
		stop_filling();
	else if (ktap_below(8) < (run.filling ? 6 : 1))
		step_reserve();
	else if (!ktap_below(8))
		areas_find(ktap_below(run.size->pages));
	else if (!ktap_below(run.filling ? 16 : 64))
		step_purge();
	else if (area && !is_live(area) && ktap_below(4))
		areas_publish(area);
	else if (area && (!run.filling || !ktap_below(3)))
		step_take_down(area);
}

static bool met_all(void)
{
	return areas.peak >= run.size->at_least && run.most_waiting > 3 &&
	       areas.refused && run.aligned && areas.joined && run.purges;
}

static void finish(void)
{
	if (areas.purging)
		step_purge();
	while (areas.nr)
		step_take_down(&areas.known[ktap_below(areas.nr)]);
	compare();
	ktap_say("%u areas at most, %lu waiting, %lu requests refused, %lu aligned, %lu purges",
		 areas.peak, run.most_waiting, areas.refused, run.aligned, run.purges);
	ktap_say("%lu times on top, %lu joined", areas.on_top, areas.joined);
	ASSERT(met_all());
	while (areas.list[0].nr_lazy)
		areas_purge();
	areas_exit();
}

static void lazy_random(const void *arg)
{
	run.size = arg;
	ktap_where = where;
	areas_init(START + PAGES(run.size->skew), run.size->pages);
	for (run.step = 0; run.step < run.size->steps ||
	     (run.step < 4 * run.size->steps && !met_all()); run.step++) {
		random_step();
		if (run.step % run.size->compare_every == 0)
			compare();
	}
	finish();
}

#define LINEAR(name, run)	{ name, run, NULL }
#define TREE(name, run)		{ name, run, "" }
#define RANDOM(name, ...)	{ name, lazy_random, &(const struct size){ __VA_ARGS__ } }

const struct ktap_test lazy_tests[] = {
	LINEAR("lazy-merges", lazy_merges),
	TREE("lazy-merges-tree", lazy_merges),
	LINEAR("lazy-apart", lazy_apart),
	TREE("lazy-apart-tree", lazy_apart),
	LINEAR("lazy-not-before-flush", lazy_not_before_flush),
	TREE("lazy-not-before-flush-tree", lazy_not_before_flush),
	LINEAR("lazy-many", lazy_many),
	TREE("lazy-many-tree", lazy_many),
	LINEAR("lazy-record", lazy_record),
	TREE("lazy-record-tree", lazy_record),
	LINEAR("lazy-aligned", lazy_aligned),
	TREE("lazy-aligned-tree", lazy_aligned),
	LINEAR("lazy-spoiled", lazy_spoiled),
	TREE("lazy-spoiled-tree", lazy_spoiled),
	LINEAR("lazy-top", lazy_top),
	TREE("lazy-top-tree", lazy_top),
	{ "lazy-on-top", lazy_on_top },
	RANDOM("lazy-random-64", 64, 0, 8, 40000, 1),
	RANDOM("lazy-random-1200", 1200, 77, 100, 30000, 8),
	RANDOM("lazy-random-16384", 16384, 300, 3000, 40000, 64),
	{ }
};

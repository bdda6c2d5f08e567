// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: the per-CPU lists, as page_alloc.c uses them. What a CPU keeps is written as text: the
 * blocks of each order that has any, oldest first.
 *
 * Most zones here have 512 pages and are made to move batches of 2, so that a CPU keeps 6 pages of
 * each order at most.
 */
#include <stdlib.h>

#include "internal.h"
#include "zone.h"

#define GFP	(GFP_KERNEL | __GFP_NOWARN)

static void pool_init_batch(unsigned long nr_pages, unsigned int batch)
{
	pool_init(&(const struct setup) { nr_pages, PMM_EXPAND_LOWER }, true);
	pmm_zone.pcp_batch = batch;
	pmm_zone.pcp_high = 3 * batch;
}

static unsigned long take(unsigned int order)
{
	struct page *page = pmm_alloc_pages(GFP, order);

	return page ? (unsigned long)(page - pmm_zone.mem_map) : NO_PAGE;
}

static enum pmm_free_result give(unsigned long index, unsigned int order)
{
	return pmm_free_pages_caller(pmm_zone.mem_map + index, order, PMM_USED, CALLER);
}

static void take_run(unsigned long from, unsigned long to)
{
	for (; from < to; from++)
		ASSERT_EQ(take(0), from);
}

static void give_run(unsigned long from, unsigned long to)
{
	for (; from < to; from++)
		ASSERT_EQ(give(from, 0), PMM_FREE_OK);
}

static void on_cpu(unsigned int cpu)
{
	shim_set_cpu(cpu);
}

static struct pmm_pcp *lists_of(unsigned int cpu)
{
	return per_cpu_ptr(pmm_zone.pcp, cpu);
}

static void assert_kept(unsigned int cpu, const char *want)
{
	struct pmm_pcp *pcp = lists_of(cpu);
	unsigned int order, i;
	char *text = NULL;
	size_t size;
	FILE *out;

	out = open_memstream(&text, &size);
	for (order = 0; order < PMM_PCP_ORDERS; order++) {
		if (pcp->nr[order])
			fprintf(out, " %u:", order);
		for (i = 0; i < pcp->nr[order]; i++)
			fprintf(out, " %u", pmm_pcp_list(pcp, order)[i]);
	}
	fclose(out);
	ASSERT_STR(*text ? text + 1 : text, want);
	free(text);
}

static unsigned long refused(enum pmm_free_result result)
{
	ASSERT(strstr(shim_log_line(), pmm_free_why(result)));
	ASSERT_STR(shim_log_line(), "");
	return pmm_zone.stat.refused[result];
}

/* --- what is kept, and how much of it --- */

/*
 * The number of blocks that come from a fresh zone: a batch, or fewer where the zone's end has one
 * block of this order, or one that is smaller than a batch.
 */
static unsigned int refilled(unsigned long nr_pages, unsigned int batch, unsigned int order)
{
	unsigned int high = order;

	while (high < PMM_MAX_ORDER - 1 && !(nr_pages >> high & 1))
		high++;
	return min(max(batch >> order, 1u), 1u << (high - order));
}

/* A batch is a 256th of the zone, rounded down to a power of two: 1 to 64 pages. */
static void pcp_sizes(const void *arg)
{
	static const struct { unsigned long nr_pages; unsigned int batch; } sizes[] = {
		{ 1, 1 }, { 255, 1 }, { 256, 1 }, { 511, 1 }, { 512, 2 }, { 1023, 2 },
		{ 1024, 4 }, { 2047, 4 }, { 2048, 8 }, { 4096, 16 }, { 8192, 32 }, { 16383, 32 },
		{ 16384, 64 }, { 40000, 64 },
	};
	unsigned int order;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (order = 0; order < PMM_PCP_ORDERS; order++) {
			unsigned int left = refilled(sizes[i].nr_pages, sizes[i].batch, order) - 1;

			pool_init(&(const struct setup) { sizes[i].nr_pages }, true);
			ASSERT_EQ(pmm_zone.pcp_batch, sizes[i].batch);
			ASSERT_EQ(pmm_zone.pcp_high, 3 * sizes[i].batch);
			on_cpu(order % SHIM_NR_CPUS);
			ASSERT(take(order) != NO_PAGE || sizes[i].nr_pages <= 256);
			ASSERT_EQ(pmm_pcp_used(&pmm_zone, shim_cpu()), left << order);
			pool_exit();
		}
	}
}

/* No order's array reaches into the next one's, and the last ends where the room does. */
static void pcp_room(const void *arg)
{
	struct pmm_pcp *pcp = calloc(1, sizeof(*pcp));
	u32 *end = pcp->index;
	unsigned int order;

	for (order = 0; order < PMM_PCP_ORDERS; order++) {
		ASSERT(pmm_pcp_list(pcp, order) >= end);
		end = pmm_pcp_list(pcp, order) + (PMM_PCP_HIGH >> order);
	}
	ASSERT(end == pcp->index + ARRAY_SIZE(pcp->index));
	free(pcp);
}

/* Up to 6 pages stay; the next sends the oldest batch home. The newest is handed out first. */
static void pcp_limits(const void *arg)
{
	struct pmm_pcp_count count;

	pool_init_batch(512, 2);
	take_run(0, 10);
	assert_kept(0, "");
	ASSERT_EQ(pmm_zone.free_pages, 502);
	give_run(0, 6);
	assert_kept(0, "0: 0 1 2 3 4 5");
	ASSERT_EQ(pmm_zone.free_pages, 502);
	ASSERT_EQ(pmm_nr_free_pages(), 508);
	ASSERT_EQ(give(6, 0), PMM_FREE_OK);
	assert_kept(0, "0: 2 3 4 5 6");
	ASSERT_EQ(pmm_zone.free_pages, 504);
	ASSERT_EQ(pmm_zone.state[0], PMM_STATE(PMM_FREE, 1));
	ASSERT_EQ(take(0), 6);
	ASSERT_EQ(take(0), 5);
	ASSERT_EQ(pmm_pcp_used(&pmm_zone, 0), 3);
	pmm_pcp_count(&pmm_zone, &count);
	ASSERT_EQ(count.pages, 3);
	ASSERT_EQ(count.frees, 7);
	ASSERT_EQ(count.allocations, 5 + 2);	/* of each batch of 2 one goes by way of a list */
	ASSERT_EQ(pmm_zone.stat.allocations, 5);
	ASSERT_EQ(pmm_zone.stat.frees, 0);
	ASSERT_SOUND(&pmm_zone);
	pool_exit();
}

/* Orders 0 to 2 have lists in a zone of this size: a CPU keeps 6, 3 and 1 blocks of them. */
static void pcp_orders(const void *arg)
{
	static const unsigned int kept[] = { 6, 3, 1, 0, 0, 0, 0, 0 };
	unsigned long index[8];
	unsigned int order, i;

	for (order = 0; order < ARRAY_SIZE(kept); order++) {
		pool_init_batch(1024, 2);
		for (i = 0; i < 8; i++)
			index[i] = take(order);
		pmm_pcp_drain(&pmm_zone);
		for (i = 0; i < kept[order]; i++)
			ASSERT_EQ(give(index[i], order), PMM_FREE_OK);
		ASSERT_EQ(pmm_pcp_used(&pmm_zone, 0), kept[order] << order);
		ASSERT_EQ(pmm_zone.stat.frees, 0);
		for (; i < 8; i++)
			ASSERT_EQ(give(index[i], order), PMM_FREE_OK);
		ASSERT(pmm_pcp_used(&pmm_zone, 0) <= kept[order] << order);
		ASSERT_SOUND(&pmm_zone);
		pool_exit();
	}
}

/* A drain brings home all orders that a list can have, the largest too. */
static void pcp_drain_orders(const void *arg)
{
	unsigned int order;
	unsigned long index;

	pool_init_batch(1024, PMM_PCP_BATCH);
	for (order = 0; order < PMM_PCP_ORDERS; order++) {
		index = take(order);
		pmm_pcp_drain(&pmm_zone);
		ASSERT_EQ(give(index, order), PMM_FREE_OK);
		ASSERT_EQ(pmm_pcp_used(&pmm_zone, 0), 1U << order);
		pmm_pcp_drain(&pmm_zone);
		ASSERT_EQ(pmm_pcp_used(&pmm_zone, 0), 0);
		ASSERT_EQ(pmm_zone.free_pages, 1024);
		ASSERT_SOUND(&pmm_zone);
	}
	pool_exit();
}

/* What one CPU keeps is not another's, before that has nothing else. */
static void pcp_cpus(const void *arg)
{
	pool_init_batch(512, 2);
	take_run(0, 4);
	on_cpu(1);
	give_run(0, 4);
	assert_kept(0, "");
	assert_kept(1, "0: 0 1 2 3");
	on_cpu(2);
	ASSERT_EQ(take(0), 4);
	assert_kept(1, "0: 0 1 2 3");
	assert_kept(2, "0: 5");
	on_cpu(1);
	ASSERT_EQ(take(0), 3);
	pmm_pcp_drain_cpu(&pmm_zone, 2);
	assert_kept(1, "0: 0 1 2");
	assert_kept(2, "");
	ASSERT_EQ(pmm_zone.state[5], PMM_STATE(PMM_FREE, 0));
	pmm_pcp_drain(&pmm_zone);
	assert_kept(1, "");
	ASSERT_EQ(pmm_zone.free_pages, 510);
	ASSERT_SOUND(&pmm_zone);
	pool_exit();
}

/* An unplugged CPU's go home. */
static void pcp_unplug(const void *arg)
{
	pool_init_batch(512, 2);
	take_run(0, 4);
	on_cpu(3);
	give_run(0, 4);
	on_cpu(0);
	shim_unplug(3);
	assert_kept(3, "");
	ASSERT_EQ(pmm_zone.free_pages, 512);
	pool_exit();
}

/* A request fails only when what all CPUs keep, and what is parked, would not do. */
static void pcp_last_resort(const void *arg)
{
	unsigned int i;

	pool_init(&(const struct setup) { 16, PMM_EXPAND_LOWER }, true);
	take_run(0, 16);
	for (i = 0; i < 8; i++) {
		on_cpu(i / 2);
		ASSERT_EQ(give(i, 0), PMM_FREE_OK);
	}
	ASSERT_EQ(pmm_zone.free_pages, 0);
	ASSERT_EQ(pmm_nr_free_pages(), 8);
	on_cpu(2);
	ASSERT_EQ(take(4), NO_PAGE);
	ASSERT_EQ(take(3), 0);
	for (i = 0; i < SHIM_NR_CPUS; i++)
		assert_kept(i, "");
	ASSERT_EQ(pmm_zone.stat.failures, 1);
	ASSERT_EQ(take(0), NO_PAGE);
	ASSERT_SOUND(&pmm_zone);
	pool_exit();
}

/*
 * Beside a zone without per-CPU lists, fragmented in the same way: until nothing is left, the same
 * blocks come in the same order.
 */
static void pcp_same_order(const struct setup *setup, unsigned int order)
{
	unsigned long i, nr = setup->nr_pages, *out = calloc(nr, sizeof(*out));
	struct arena twin;
	struct page *page;

	pool_init(setup, true);
	arena_init_as(&twin, setup);
	for (i = 0; i < nr; i++) {
		page = pmm_zone_alloc(&pmm_zone, GFP, 0, PMM_USED, CALLER);
		out[i] = arena_alloc(&twin, 0);
		ASSERT_EQ(page - pmm_zone.mem_map, out[i]);
	}
	for (i = 0; i < nr; i++) {
		if (!ktap_below(64))
			continue;
		page = pmm_zone.mem_map + out[i];
		ASSERT_EQ(pmm_zone_free(&pmm_zone, page, 0, PMM_USED, CALLER), PMM_FREE_OK);
		ASSERT_EQ(arena_free(&twin, out[i], 0), PMM_FREE_OK);
	}
	do {
		out[0] = arena_alloc(&twin, order);
		ASSERT_EQ(take(order), out[0]);
	} while (out[0] != NO_PAGE);
	ASSERT_SOUND(&pmm_zone);
	arena_exit(&twin);
	pool_exit();
	free(out);
}

static void pcp_refill_order(const void *arg)
{
	struct setup setup = { 4096 };
	unsigned int order;

	for (order = 0; order < PMM_PCP_ORDERS; order++) {
		setup.expand = PMM_EXPAND_UPPER;
		pcp_same_order(&setup, order);
		setup.expand = PMM_EXPAND_LOWER;
		pcp_same_order(&setup, order);
		setup.placement = PMM_PLACE_PACKED;
		pcp_same_order(&setup, order);
		setup.placement = PMM_PLACE_LIFO;
	}
}

/* --- lists that are busy --- */

static void hold_lists(unsigned int cpu)
{
	ASSERT_EQ(lists_of(cpu)->lock, 0);
	lists_of(cpu)->lock = 1;
}

static void let_go_lists(unsigned int cpu)
{
	ASSERT_EQ(lists_of(cpu)->lock, 1);
	lists_of(cpu)->lock = 0;
}

/* A call that finds the lists busy does without them. */
static void pcp_busy(const void *arg)
{
	pool_init_batch(512, 2);
	take_run(0, 8);
	give_run(4, 8);
	hold_lists(0);
	ASSERT_EQ(give(0, 0), PMM_FREE_OK);
	assert_kept(0, "0: 4 5 6 7");
	ASSERT_EQ(pmm_zone.state[0], PMM_STATE(PMM_FREE, 0));
	ASSERT_EQ(pmm_zone.stat.frees, 1);
	ASSERT_EQ(take(0), 0);
	ASSERT_EQ(take(0), 8);		/* with 9, which found no room on the list */
	ASSERT_EQ(take(1), 10);
	assert_kept(0, "0: 4 5 6 7");
	ASSERT_EQ(pmm_zone.state[9], PMM_STATE(PMM_FREE, 0));
	ASSERT_EQ(atomic_long_read(&pmm_zone.transit), 0);
	let_go_lists(0);
	ASSERT_EQ(take(0), 7);
	ASSERT_SOUND(&pmm_zone);
	pool_exit();
}

static unsigned long looks, let_go_after;
static unsigned int held_cpu;

static void count_looks(enum shim_point point)
{
	if (point == SHIM_RELAX && ++looks == let_go_after)
		let_go_lists(held_cpu);
}

static void start_looking(unsigned int cpu, unsigned long after)
{
	hold_lists(cpu);
	looks = 0;
	held_cpu = cpu;
	let_go_after = after;
	shim_hook = count_looks;
}

static void drain(void)
{
	pmm_pcp_drain(&pmm_zone);
}

/*
 * Where it must not wait, a drain passes over lists that are busy for long, and takes the others;
 * a task waits for as long as it takes.
 */
static void pcp_drain_busy(const void *arg)
{
	unsigned long flags;

	pool_init_batch(512, 2);
	take_run(0, 8);
	give_run(0, 2);
	on_cpu(1);
	give_run(2, 4);
	start_looking(0, 0);
	shim_interrupt(2, drain);
	assert_kept(0, "0: 0 1");
	assert_kept(1, "");
	give_run(4, 6);
	shim_softirq(drain);
	assert_kept(0, "0: 0 1");
	assert_kept(1, "");
	give_run(6, 8);
	flags = shim_irq_save();
	pmm_pcp_drain(&pmm_zone);
	shim_irq_restore(flags);
	assert_kept(0, "0: 0 1");
	assert_kept(1, "");
	let_go_lists(0);
	start_looking(0, 123456);
	pmm_pcp_drain(&pmm_zone);
	ASSERT_EQ(looks, 123456);
	assert_kept(0, "");
	ASSERT_SOUND(&pmm_zone);
	pool_exit();
}

/* The last pages of the zone, on their way to another CPU's list: they arrive after some looks. */
static struct {
	struct page	*pages[16];
	unsigned long	looks, arrive_after;
	bool		got;
} moving;

static void let_arrive(enum shim_point point)
{
	u32 indices[16];
	unsigned int i;

	if (point != SHIM_RELAX || ++moving.looks != moving.arrive_after)
		return;
	for (i = 0; i < 16; i++)
		indices[i] = pmm_page_index(&pmm_zone, moving.pages[i]);
	pmm_zone_put_back(&pmm_zone, indices, 16, 0);
}

static void take_one(void)
{
	moving.got = pmm_alloc_pages(GFP, 0);
}

/* No request fails while pages are between lists; where it must not wait it looks once more. */
static void pcp_transit(const void *arg)
{
	pool_init_batch(16, 1);
	ASSERT_EQ(pmm_zone_alloc_bulk(&pmm_zone, GFP, 0, PMM_PCP, 0, 16, moving.pages), 16);
	ASSERT_EQ(atomic_long_read(&pmm_zone.transit), 16);
	moving.looks = 0;
	moving.arrive_after = 0;
	shim_hook = let_arrive;
	shim_interrupt(1, take_one);
	ASSERT(!moving.got);
	ASSERT_EQ(moving.looks, 2);
	take_one();
	ASSERT(!moving.got);
	moving.arrive_after = moving.looks + 5;
	take_one();
	ASSERT(moving.got);
	shim_hook = NULL;
	ASSERT_EQ(atomic_long_read(&pmm_zone.transit), 0);
	pool_exit();
}

static bool zone_was_free;

static void look_at_zone(enum shim_point point)
{
	zone_was_free |= !pmm_zone.lock.held;
	count_looks(point);
}

/* A call that locks all lists releases the zone now and then, because their holder may need it. */
static void pcp_hold(const void *arg)
{
	unsigned long flags;
	unsigned int cpu;

	pool_init_batch(512, 2);
	for (cpu = 0; cpu < SHIM_NR_CPUS; cpu++) {
		start_looking(cpu, 54321);
		zone_was_free = false;
		shim_hook = look_at_zone;
		pmm_zone_hold(&pmm_zone, &flags);
		ASSERT_EQ(looks, 54321);
		ASSERT(zone_was_free && pmm_zone.lock.held);
		for (held_cpu = 0; held_cpu < SHIM_NR_CPUS; held_cpu++)
			ASSERT_EQ(lists_of(held_cpu)->lock, 1);
		pmm_zone_release(&pmm_zone, flags);
		for (held_cpu = 0; held_cpu < SHIM_NR_CPUS; held_cpu++)
			ASSERT_EQ(lists_of(held_cpu)->lock, 0);
		shim_hook = NULL;
	}
	pool_exit();
}

/* --- misuse --- */

struct misuse {
	unsigned long		index;
	unsigned int		order;
	enum pmm_kind		kind;
	enum pmm_free_result	result;
};

/* Kept: 0 and 1 of order 0, 4 of order 1, 56 of order 2. In use: 2, 16 of order 4, 60 to 63. */
static const struct misuse misuses[] = {
	{ 0, 0, PMM_USED, PMM_FREE_DOUBLE },
	{ 0, 0, PMM_MAPPED, PMM_FREE_DOUBLE },
	{ 0, 1, PMM_USED, PMM_FREE_DOUBLE },
	{ 1, 0, PMM_USED, PMM_FREE_DOUBLE },
	{ 1, 1, PMM_USED, PMM_FREE_BAD_ORDER },
	{ 4, 0, PMM_USED, PMM_FREE_DOUBLE },
	{ 4, 1, PMM_USED, PMM_FREE_DOUBLE },
	{ 5, 0, PMM_USED, PMM_FREE_DOUBLE },
	{ 56, 2, PMM_USED, PMM_FREE_DOUBLE },
	{ 58, 1, PMM_USED, PMM_FREE_DOUBLE },
	{ 59, 0, PMM_USED, PMM_FREE_DOUBLE },
	{ 2, 0, PMM_MAPPED, PMM_FREE_WRONG_ORDER },
	{ 2, 1, PMM_USED, PMM_FREE_WRONG_ORDER },
	{ 16, 3, PMM_USED, PMM_FREE_WRONG_ORDER },
	{ 16, 6, PMM_USED, PMM_FREE_BAD_ORDER },
	{ 17, 0, PMM_USED, PMM_FREE_MIDDLE },
	{ 24, 3, PMM_USED, PMM_FREE_MIDDLE },
	{ 63, 1, PMM_USED, PMM_FREE_BAD_ORDER },	/* up to behind the zone's end */
	{ 63, 6, PMM_USED, PMM_FREE_BAD_ORDER },
	{ 64, 0, PMM_USED, PMM_FREE_FOREIGN },
	{ 64, 6, PMM_USED, PMM_FREE_FOREIGN },
	{ -1ul, 0, PMM_USED, PMM_FREE_FOREIGN },
};

static size_t current;

static void where(void)
{
	const struct misuse *misuse = &misuses[current / 2];

	if (current < 2 * ARRAY_SIZE(misuses))
		ktap_say("page %lu order %u kind %d on CPU %u", misuse->index, misuse->order,
			 misuse->kind, shim_cpu());
}

static void try_misuse(const struct misuse *misuse)
{
	uintptr_t page = (uintptr_t)pmm_zone.mem_map + misuse->index * sizeof(struct page);
	u64 before = pmm_zone.stat.refused[misuse->result];
	char *text = zone_text(&pmm_zone), *after;

	ASSERT_EQ(pmm_free_pages_caller((struct page *)page, misuse->order, misuse->kind, CALLER),
		  misuse->result);
	ASSERT_EQ(refused(misuse->result), before + 1);
	after = zone_text(&pmm_zone);
	ASSERT_STR(after, text);
	assert_kept(0, "0: 0 1 1: 4 2: 56");
	free(text);
	free(after);
}

/* Refused on the CPU that keeps the block, and on any other, and nothing changes. */
static void pcp_misuse(const void *arg)
{
	struct page *page;
	unsigned int i;

	ktap_where = where;
	pool_init_batch(64, 32);
	for (i = 0; i < 64; i++)
		ASSERT(pmm_zone_alloc(&pmm_zone, GFP, 0, PMM_USED, CALLER));
	for (i = 59; i > 2; i--) {
		page = pmm_zone.mem_map + i;
		ASSERT_EQ(pmm_zone_free(&pmm_zone, page, 0, PMM_USED, CALLER), PMM_FREE_OK);
	}
	ASSERT(pmm_zone_alloc(&pmm_zone, GFP, 4, PMM_USED, CALLER) == pmm_zone.mem_map + 16);
	ASSERT(pmm_zone_alloc(&pmm_zone, GFP, 1, PMM_USED, CALLER) == pmm_zone.mem_map + 4);
	ASSERT(pmm_zone_alloc(&pmm_zone, GFP, 2, PMM_USED, CALLER) == pmm_zone.mem_map + 56);
	give_run(0, 2);
	ASSERT_EQ(give(4, 1), PMM_FREE_OK);
	ASSERT_EQ(give(56, 2), PMM_FREE_OK);
	for (current = 0; current < 2 * ARRAY_SIZE(misuses); current++) {
		on_cpu(current & 1);
		try_misuse(&misuses[current / 2]);
	}
	ASSERT_SOUND(&pmm_zone);
	pool_exit();
}

/* A batch that comes to a list is nobody's: who freed a page of it stays known. */
static void pcp_misuse_names_first(const void *arg)
{
	struct page *bulk[2];

	pool_init_batch(64, 8);
	ASSERT_EQ(pmm_zone_alloc_bulk(&pmm_zone, GFP, 0, PMM_USED, CALLER, 2, bulk), 2);
	pmm_zone_free_bulk(&pmm_zone, 2, bulk, PMM_USED, CALLER + 1);
	ASSERT(pmm_alloc_page_caller(GFP, PMM_USED, CALLER + 2) == pmm_zone.mem_map);
	ASSERT_EQ(pmm_page_caller(pmm_zone.mem_map), CALLER + 2);
	assert_kept(0, "0: 7 6 5 4 3 2 1");
	ASSERT_EQ(give(1, 0), PMM_FREE_DOUBLE);
	ASSERT(strstr(shim_log_line(), "; freed before by 0xca11e5S"));
	ASSERT_EQ(give(2, 0), PMM_FREE_DOUBLE);
	ASSERT(!strstr(shim_log_line(), "freed before"));	/* it never was */
	pool_exit();
}

static enum pmm_free_result free_by(bool list)
{
	if (!list)
		return pmm_zone_free(&pmm_zone, pmm_zone.mem_map, 0, PMM_USED, CALLER);
	return give(0, 0);
}

static bool other_by_list;
static enum pmm_free_result other_result;

static void free_too(void)
{
	other_result = free_by(other_by_list);
}

static void free_meanwhile(enum shim_point point)
{
	if (point == SHIM_CMPXCHG && other_result == PMM_NR_FREE_RESULTS)
		shim_interrupt(3, free_too);
}

/*
 * Of two frees of a block, each of which has looked already and found all well, one is refused. The
 * zone's lock is no help, because a free into a list does not take it.
 */
static void race(bool first_by_list, bool second_by_list)
{
	pool_init_batch(512, 2);
	take_run(0, 1);
	pmm_pcp_drain(&pmm_zone);
	other_by_list = second_by_list;
	other_result = PMM_NR_FREE_RESULTS;
	shim_hook = free_meanwhile;
	ASSERT_EQ(free_by(first_by_list), PMM_FREE_DOUBLE);
	shim_hook = NULL;
	ASSERT_EQ(other_result, PMM_FREE_OK);
	refused(PMM_FREE_DOUBLE);
	ASSERT_EQ(pmm_nr_free_pages(), 512);
	ASSERT_SOUND(&pmm_zone);
	pool_exit();
}

static void pcp_free_race(const void *arg)
{
	race(true, true);
	race(true, false);
	race(false, true);
}

/* --- what disables the lists --- */

/* Parked pages make no difference to the lists; a batch that is taken recycles some of them. */
static void pcp_parking(const void *arg)
{
	unsigned long i;

	pool_init_batch(512, 8);
	take_run(0, 8);
	ASSERT_EQ(give(0, 0), PMM_FREE_OK);
	get_page(&pmm_zone.mem_map[1]);
	ASSERT_EQ(give(1, 0), PMM_FREE_PARKED);
	for (i = 2; i < 8; i++)
		ASSERT_EQ(give(i, 0), PMM_FREE_OK);
	assert_kept(0, "0: 0 2 3 4 5 6 7");
	put_page(&pmm_zone.mem_map[1]);
	for (i = 7; i > 1; i--)
		ASSERT_EQ(take(0), i);
	ASSERT_EQ(give(7, 0), PMM_FREE_OK);
	ASSERT_EQ(pmm_zone.nr_parked, 1);
	take(2);	/* and another one for the list */
	ASSERT_EQ(pmm_zone.nr_parked, 0);
	ASSERT_EQ(pmm_zone.state[1], PMM_STATE(PMM_FREE, 0));
	ASSERT_SOUND(&pmm_zone);
	pool_exit();
}

/* A reference to any page of a block, first, last or between, keeps it from the lists. */
static void pcp_referenced(const void *arg)
{
	unsigned int order, i;

	pool_init_batch(512, 32);
	for (order = 0; order < PMM_PCP_ORDERS; order++) {
		for (i = 0; i < 1U << order; i++) {
			unsigned long index = take(order);

			get_page(&pmm_zone.mem_map[index + i]);
			ASSERT_EQ(give(index, order), PMM_FREE_PARKED);
			ASSERT_EQ(pmm_zone.nr_parked, 1UL << order);
			put_page(&pmm_zone.mem_map[index + i]);
			ASSERT_EQ(pmm_zone_reap(&pmm_zone), 1UL << order);
		}
	}
	ASSERT_EQ(pmm_nr_free_pages(), 512);
	ASSERT_SOUND(&pmm_zone);
	pool_exit();
}

/*
 * Below the watermark nothing is handed out, not from a list either; what the lists keep counts as
 * soon as it is home.
 */
static void pcp_watermark(const void *arg)
{
	unsigned long nr;

	pool_init(&(const struct setup) { 1024, PMM_EXPAND_LOWER, .pages_min = 100 }, true);
	pmm_zone.pcp_batch = 2;
	for (nr = 0; take(0) != NO_PAGE; nr++)
		ASSERT(nr < 1024);
	ASSERT_EQ(nr, 924);
	ASSERT_EQ(pmm_zone.free_pages, 100);
	on_cpu(1);
	ASSERT_EQ(give(0, 0), PMM_FREE_OK);
	ASSERT_EQ(give(1, 0), PMM_FREE_OK);
	assert_kept(1, "0: 0 1");
	ASSERT_EQ(take(0), 0);		/* brought home, where it makes 102 */
	ASSERT_EQ(take(0), 1);
	ASSERT_EQ(take(0), NO_PAGE);
	ASSERT(pmm_alloc_pages(GFP_ATOMIC | __GFP_NOWARN, 0));
	ASSERT_EQ(pmm_zone.free_pages, 98);	/* a batch of 2 */
	ASSERT_EQ(give(0, 0), PMM_FREE_OK);
	ASSERT_EQ(pmm_pcp_used(&pmm_zone, 1), 2);
	ASSERT_EQ(take(0), NO_PAGE);
	assert_kept(1, "");
	ASSERT_SOUND(&pmm_zone);
	pool_exit();
}

/* --- many pages at once --- */

/* From the list and to it, newest first, up to what it has and has room for. */
static void pcp_many(const void *arg)
{
	struct page *pages[16], *map;
	unsigned long i;

	pool_init_batch(512, 2);
	map = pmm_zone.mem_map;
	take_run(0, 8);
	for (i = 0; i < 8; i++)
		pages[i] = map + i;
	get_page(&map[5]);
	ASSERT_EQ(pmm_pcp_free_many(&pmm_zone, PMM_MAPPED, CALLER, 8, pages), 0);
	ASSERT_EQ(pmm_pcp_free_many(&pmm_zone, PMM_USED, CALLER + 2, 4, pages), 4);
	ASSERT_EQ(pmm_page_caller(map + 3), CALLER + 2);
	ASSERT_EQ(pmm_pcp_free_many(&pmm_zone, PMM_USED, CALLER, 4, pages + 4), 1);
	assert_kept(0, "0: 0 1 2 3 4");
	ASSERT_EQ(pmm_pcp_free_many(&pmm_zone, PMM_USED, CALLER, 2, pages + 6), 1);
	assert_kept(0, "0: 0 1 2 3 4 6");
	ASSERT_EQ(pmm_pcp_free_many(&pmm_zone, PMM_USED, CALLER, 1, pages + 7), 0);
	ASSERT_EQ(pmm_pcp_alloc_many(&pmm_zone, PMM_MAPPED, GFP, CALLER + 1, 2, pages), 2);
	ASSERT(pages[0] == map + 6 && pages[1] == map + 4);
	ASSERT_EQ(pmm_zone.state[6], PMM_STATE(PMM_MAPPED, 0));
	ASSERT_EQ(pmm_page_caller(map + 4), CALLER + 1);
	hold_lists(0);
	ASSERT_EQ(pmm_pcp_alloc_many(&pmm_zone, PMM_USED, GFP, CALLER, 2, pages), 0);
	ASSERT_EQ(pmm_pcp_free_many(&pmm_zone, PMM_MAPPED, CALLER, 2, pages), 0);
	let_go_lists(0);
	ASSERT_EQ(pmm_pcp_alloc_many(&pmm_zone, PMM_USED, GFP, CALLER, 16, pages), 4);
	ASSERT(pages[0] == map + 3 && pages[3] == map);
	ASSERT_SOUND(&pmm_zone);
	put_page(&map[5]);
	pool_exit();
}

/* The same page twice, or a stranger: those before are taken, the rest is the zone's to refuse. */
static void pcp_many_misuse(const void *arg)
{
	struct page *map, *pages[4], stranger = { ._refcount = { PMM_PAGE_REFS } };

	pool_init_batch(512, 2);
	map = pmm_zone.mem_map;
	take_run(0, 4);
	pages[0] = map;
	pages[1] = map + 1;
	pages[2] = map + 1;
	pages[3] = &stranger;
	ASSERT_EQ(pmm_pcp_free_many(&pmm_zone, PMM_USED, CALLER, 4, pages), 2);
	ASSERT_EQ(pmm_pcp_free_many(&pmm_zone, PMM_USED, CALLER, 2, pages + 2), 0);
	ASSERT_EQ(pmm_pcp_free_many(&pmm_zone, PMM_USED, CALLER, 1, pages + 3), 0);
	assert_kept(0, "0: 0 1");
	ASSERT_SOUND(&pmm_zone);
	pool_exit();
}

/* Pages past the last one of an odd-sized zone are not the zone's, whatever their states say. */
static void pcp_past_the_end(const void *arg)
{
	struct page *all[300], *pages[2];

	pool_init_batch(300, 2);
	pages[0] = pmm_zone.mem_map + 299;
	pages[1] = pmm_zone.mem_map + 300;
	ASSERT_EQ(pmm_zone_alloc_bulk(&pmm_zone, GFP, 0, PMM_USED, CALLER, 300, all), 300);
	pmm_zone.state[300] = PMM_STATE(PMM_USED, 0);
	ASSERT_EQ(pmm_pcp_free_many(&pmm_zone, PMM_USED, CALLER, 2, pages), 1);
	ASSERT_EQ(pmm_pcp_free_many(&pmm_zone, PMM_USED, CALLER, 1, pages + 1), 0);
	ASSERT(!pmm_pcp_free(&pmm_zone, pages[1], 0, PMM_USED, CALLER, false));
	ASSERT_EQ(pmm_zone.state[300], PMM_STATE(PMM_USED, 0));
	pmm_zone.state[300] = PMM_TAIL;
	ASSERT_SOUND(&pmm_zone);
	pool_exit();
}

const struct ktap_test pcp_tests[] = {
	{ "pcp-sizes", pcp_sizes },
	{ "pcp-room", pcp_room },
	{ "pcp-limits", pcp_limits },
	{ "pcp-orders", pcp_orders },
	{ "pcp-drain-orders", pcp_drain_orders },
	{ "pcp-cpus", pcp_cpus },
	{ "pcp-unplug", pcp_unplug },
	{ "pcp-last-resort", pcp_last_resort },
	{ "pcp-refill-order", pcp_refill_order },
	{ "pcp-busy", pcp_busy },
	{ "pcp-drain-busy", pcp_drain_busy },
	{ "pcp-transit", pcp_transit },
	{ "pcp-hold", pcp_hold },
	{ "pcp-misuse", pcp_misuse },
	{ "pcp-misuse-names-first", pcp_misuse_names_first },
	{ "pcp-free-race", pcp_free_race },
	{ "pcp-parking", pcp_parking },
	{ "pcp-referenced", pcp_referenced },
	{ "pcp-watermark", pcp_watermark },
	{ "pcp-many", pcp_many },
	{ "pcp-many-misuse", pcp_many_misuse },
	{ "pcp-past-the-end", pcp_past_the_end },
	{ }
};

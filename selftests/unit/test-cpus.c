// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: several CPUs at once on one pool, against a model that knows only who has which page.
 *
 * At each point where the core lets others in, the task may move to another CPU, or an interrupt
 * here or on another CPU allocates or frees something in between. What must hold, whatever the
 * interleaving: no page has two owners, none is lost, nobody's CPU keeps more than it may, the
 * counters add up, and a request fails only when there is no such block. When the lists are
 * drained, what is free is merged as far as it goes.
 */
#include <stdlib.h>

#include "internal.h"
#include "zone.h"

#define GFP		(GFP_KERNEL | __GFP_NOWARN)
#define MOST_MANY	40

struct plan {
	struct setup	setup;
	unsigned int	steps;
	bool		quiet;		/* nobody comes in between */
};

struct block {
	unsigned long	index;
	unsigned int	order;
	enum pmm_kind	kind;
	unsigned long	caller;
};

static struct run {
	const struct plan *plan;
	struct block	*out;		/* blocks handed out */
	unsigned long	nr_out;
	bool		*taken;		/* by page: handed out */
	unsigned long	nr_taken;
	unsigned long	*held;		/* pages with a reference of ours */
	unsigned long	nr_held;
	bool		stuck[SHIM_NR_CPUS];	/* its lists are held by nobody who runs here */
	bool		interrupted;
	unsigned int	step;
	u64		allocations, frees;
	unsigned long	moves, interrupts, failures, refusals, waits, parked;
	bool		filling;
	unsigned long	drain_to;
} run;

static void where(void)
{
	ktap_say("step %u on CPU %u: %lu blocks out, %lu pages held", run.step, shim_cpu(),
		 run.nr_out, run.nr_held);
}

/* --- the model --- */

static void model_take(const struct block *block)
{
	unsigned long i;

	ASSERT(IS_ALIGNED(block->index, 1UL << block->order));
	for (i = block->index; i < block->index + (1UL << block->order); i++) {
		ASSERT(i < run.plan->setup.nr_pages);
		ASSERT(!run.taken[i]);
		run.taken[i] = true;
	}
	run.nr_taken += 1UL << block->order;
	run.out[run.nr_out++] = *block;
	run.allocations++;
}

/* Before the core hears of it: as soon as it does, the pages may be anybody's. */
static struct block model_give(void)
{
	unsigned long pos = ktap_below(run.nr_out), i;
	struct block block = run.out[pos];

	run.out[pos] = run.out[--run.nr_out];
	for (i = block.index; i < block.index + (1UL << block.order); i++)
		run.taken[i] = false;
	run.nr_taken -= 1UL << block.order;
	run.frees++;
	return block;
}

/* Free, wherever it is kept: not handed out and not parked. */
static bool *free_by_page(void)
{
	bool *is_free = malloc(run.plan->setup.nr_pages);
	struct page *page;
	unsigned long i;

	for (i = 0; i < run.plan->setup.nr_pages; i++)
		is_free[i] = !run.taken[i];
	list_for_each_entry(page, &pmm_zone.parked, lru) {
		unsigned long index = page - pmm_zone.mem_map;
		unsigned int order = PMM_STATE_ORDER(pmm_zone.state[index]);

		memset(is_free + index, 0, 1UL << order);
	}
	return is_free;
}

/* Is there such a block, once all free pages are merged? */
static bool there_is(unsigned int order)
{
	unsigned long nr = 1UL << order, at, i;
	bool *is_free = free_by_page(), found = false;

	for (at = 0; !found && at + nr <= run.plan->setup.nr_pages; at += nr) {
		for (i = 0; i < nr && is_free[at + i]; i++)
			;
		found = i == nr;
	}
	free(is_free);
	return found;
}

/* --- allocations and frees, by the CPU whose turn it is --- */

static unsigned int random_order(void)
{
	if (ktap_below(16))
		return __builtin_ctzl(ktap_random() | 1 << (PMM_PCP_ORDERS - 1));
	return ktap_below(PMM_MAX_ORDER);
}

static void took(struct page *page, unsigned int order, enum pmm_kind kind, unsigned long caller)
{
	struct block block = { page - pmm_zone.mem_map, order, kind, caller };

	ASSERT_EQ(pmm_zone.state[block.index], PMM_STATE(kind, order));
	if (caller)
		ASSERT_EQ(pmm_page_caller(page), caller);
	model_take(&block);
}

static void stop_filling(void)
{
	run.failures++;
	if (run.filling && !ktap_below(4)) {
		run.filling = false;
		run.drain_to = ktap_below(run.nr_out + 1);
	}
}

/* With others about, what was there a moment ago may be gone; alone, a failure has a reason. */
static void alloc_failed(unsigned int order, gfp_t gfp, u64 interrupts)
{
	unsigned long reserve = pmm_zone.pages_min;

	stop_filling();
	if (run.interrupted || interrupts != run.interrupts)
		return;
	if (gfp & __GFP_HIGH)
		reserve /= 4;
	ASSERT(pmm_zone.free_pages < reserve + (1UL << order) || !there_is(order));
}

static void do_alloc(void)
{
	gfp_t gfp = ktap_below(3) ? GFP : GFP_ATOMIC | __GFP_NOWARN;
	unsigned long caller = CALLER + ktap_below(1000);
	unsigned long interrupts = run.interrupts;
	unsigned int order = random_order();
	struct page *page;

	if (ktap_below(2)) {
		page = pmm_alloc_page_caller(gfp, PMM_MAPPED, caller);
		if (page)
			took(page, 0, PMM_MAPPED, caller);
		order = 0;
	} else {
		page = pmm_alloc_pages(gfp, order);
		if (page)
			took(page, order, PMM_USED, 0);
	}
	if (!page)
		alloc_failed(order, gfp, interrupts);
}

static void do_free(void)
{
	struct block block = model_give();
	enum pmm_free_result result;

	result = pmm_free_pages_caller(pmm_zone.mem_map + block.index, block.order, block.kind,
				       block.caller);
	ASSERT(result <= PMM_FREE_PARKED);
	run.parked += result == PMM_FREE_PARKED;
}

static void alloc_or_free(void)
{
	if (!run.nr_out || ktap_below(4) < (run.filling ? 3 : 1))
		do_alloc();
	else
		do_free();
}

/* The fast path only, because the zone's lock is taken. */
static void quick_alloc_or_free(void)
{
	struct page *page;

	if (ktap_below(2)) {
		page = pmm_pcp_alloc(&pmm_zone, 0, PMM_USED, CALLER);
		if (page)
			took(page, 0, PMM_USED, CALLER);
	} else if (run.nr_out) {
		struct block block = model_give();

		page = pmm_zone.mem_map + block.index;
		if (block.order < PMM_PCP_ORDERS &&
		    pmm_pcp_free(&pmm_zone, page, block.order, block.kind, CALLER, false))
			return;
		model_take(&block);
		run.allocations--;
		run.frees--;
	}
}

/* --- what happens in between --- */

static void interrupt(void)
{
	unsigned int cpu = ktap_below(SHIM_NR_CPUS);

	if (cpu == shim_cpu() && shim_irqs_off())
		return;
	if (run.stuck[cpu])
		return;
	run.interrupted = true;
	shim_interrupt(cpu, pmm_zone.lock.held ? quick_alloc_or_free : alloc_or_free);
	run.interrupted = false;
	run.interrupts++;
}

static void unstick(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < SHIM_NR_CPUS; cpu++) {
		if (run.stuck[cpu])
			per_cpu_ptr(pmm_zone.pcp, cpu)->lock = 0;
		run.stuck[cpu] = false;
	}
}

static void in_between(enum shim_point point)
{
	if (point == SHIM_RELAX) {
		run.waits++;
		if (!ktap_below(3000))
			unstick();
		return;
	}
	if (run.plan->quiet || ktap_below(8))
		return;
	if (shim_may_move() && ktap_below(2)) {
		shim_set_cpu(ktap_below(SHIM_NR_CPUS));
		run.moves++;
	} else {
		interrupt();
	}
}

/* --- steps --- */

/* Some CPU is interrupted while it holds its lists, for as long as it takes. */
static void step_stick(void)
{
	unsigned int cpu = ktap_below(SHIM_NR_CPUS);

	if (run.stuck[cpu] || cpu == shim_cpu())
		return;
	ASSERT_EQ(per_cpu_ptr(pmm_zone.pcp, cpu)->lock, 0);
	per_cpu_ptr(pmm_zone.pcp, cpu)->lock = 1;
	run.stuck[cpu] = true;
}

static void step_many(void)
{
	unsigned long nr = 1 + ktap_below(MOST_MANY), i, got;
	struct page *pages[MOST_MANY] = { NULL };

	if (ktap_below(2)) {
		got = pmm_pcp_alloc_many(&pmm_zone, PMM_MAPPED, GFP, CALLER, nr, pages);
		for (i = 0; i < got; i++)
			took(pages[i], 0, PMM_MAPPED, CALLER);
		return;
	}
	got = pmm_alloc_pages_bulk(GFP, nr, pages);
	for (i = 0; i < got; i++)
		took(pages[i], 0, PMM_USED, 0);
	if (got < nr)
		stop_filling();
}

/* Single pages of one kind, in no order. */
static unsigned long give_many(struct page **pages, enum pmm_kind kind)
{
	unsigned long nr = 0, tries;

	for (tries = 0; tries < MOST_MANY && run.nr_out; tries++) {
		struct block block = model_give();

		if (!block.order && block.kind == kind) {
			pages[nr++] = pmm_zone.mem_map + block.index;
			continue;
		}
		model_take(&block);
		run.allocations--;
		run.frees--;
	}
	return nr;
}

static void step_free_many(void)
{
	struct page *pages[MOST_MANY];
	unsigned long nr, done;

	if (ktap_below(2)) {
		nr = give_many(pages, PMM_USED);
		pmm_free_pages_bulk(nr, pages);
		return;
	}
	nr = give_many(pages, PMM_MAPPED);
	done = pmm_pcp_free_many(&pmm_zone, PMM_MAPPED, CALLER, nr, pages);
	pmm_zone_free_bulk(&pmm_zone, nr - done, pages + done, PMM_MAPPED, CALLER);
}

/* While others are about, a page that is free now may be somebody's in a moment. */
static void step_misuse(void)
{
	unsigned long index = ktap_below(run.plan->setup.nr_pages);
	unsigned int order = ktap_below(PMM_MAX_ORDER + 2);
	u8 state = pmm_zone.state[index];
	enum pmm_free_result result;

	if (state == PMM_STATE(PMM_USED, order) || index + (1UL << order) > pmm_zone.nr_pages)
		return;
	shim_hook = NULL;
	result = pmm_free_pages_caller(pmm_zone.mem_map + index, order, PMM_USED, CALLER);
	shim_hook = in_between;
	ASSERT(result > PMM_FREE_PARKED);
	ASSERT(strstr(shim_log_line(), pmm_free_why(result)));
	if (!run.taken[index] && result != PMM_FREE_BAD_ORDER)
		ASSERT_EQ(result, PMM_FREE_DOUBLE);
	run.refusals++;
}

/* Somebody references a page that is handed out, until later, when it may be freed already. */
static void step_hold(void)
{
	if (run.nr_held && (ktap_below(2) || run.nr_held > 8)) {
		put_page(&pmm_zone.mem_map[run.held[--run.nr_held]]);
	} else if (run.nr_out) {
		const struct block *block = &run.out[ktap_below(run.nr_out)];

		run.held[run.nr_held] = block->index + ktap_below(1UL << block->order);
		get_page(&pmm_zone.mem_map[run.held[run.nr_held++]]);
	}
}

static void check_counts(void)
{
	struct pmm_zone_stat *stat = &pmm_zone.stat;
	struct pmm_pcp_count count;
	unsigned long blocks = 0;
	struct page *page;

	list_for_each_entry(page, &pmm_zone.parked, lru)
		blocks++;
	pmm_pcp_count(&pmm_zone, &count);
	ASSERT_EQ(atomic_long_read(&pmm_zone.transit), 0);
	ASSERT_EQ(pmm_zone.free_pages + count.pages + pmm_zone.nr_parked + run.nr_taken,
		  run.plan->setup.nr_pages);
	ASSERT_EQ(stat->allocations + count.allocations, run.allocations);
	ASSERT_EQ(stat->frees + count.frees + blocks, run.frees);
}

static void step_drain(void)
{
	bool *is_free;

	unstick();
	shim_hook = NULL;
	pmm_pcp_drain(&pmm_zone);
	is_free = free_by_page();
	assert_free_blocks(&pmm_zone, is_free);
	free(is_free);
	shim_hook = in_between;
}

static void step_unplug(void)
{
	unsigned int cpu = ktap_below(SHIM_NR_CPUS);

	if (cpu != shim_cpu())
		shim_unplug(cpu);
}

static void random_step(void)
{
	run.filling |= run.nr_out <= run.drain_to;
	switch (ktap_below(128)) {
	case 0 ... 2:
		step_drain();
		break;
	case 3:
		step_unplug();
		break;
	case 4 ... 7:
		step_stick();
		break;
	case 8 ... 13:
		step_many();
		break;
	case 14 ... 19:
		step_free_many();
		break;
	case 20 ... 29:
		step_misuse();
		break;
	case 30 ... 33:
		step_hold();
		break;
	default:
		alloc_or_free();
	}
}

static void give_all_back(void)
{
	unstick();
	shim_hook = NULL;
	while (run.nr_held)
		put_page(&pmm_zone.mem_map[run.held[--run.nr_held]]);
	while (run.nr_out)
		do_free();
	pmm_zone_reap(&pmm_zone);
	step_drain();
	shim_hook = NULL;
	check_counts();
	ASSERT_EQ(pmm_zone.free_pages, run.plan->setup.nr_pages);
	ASSERT_EQ(zone_nr_free(&pmm_zone, 9), run.plan->setup.nr_pages / 512);
}

static void start(const struct plan *plan)
{
	run.plan = plan;
	ktap_where = where;
	pool_init(&plan->setup, true);
	run.out = calloc(plan->setup.nr_pages, sizeof(*run.out));
	run.held = calloc(plan->setup.nr_pages, sizeof(*run.held));
	run.taken = calloc(plan->setup.nr_pages, sizeof(*run.taken));
	shim_hook = in_between;
}

static void finish(void)
{
	give_all_back();
	ktap_say("%llu allocations, %lu failures, %lu refusals, %lu parked", run.allocations,
		 run.failures, run.refusals, run.parked);
	ktap_say("%lu moves, %lu interrupts, %lu looks at lists that were busy", run.moves,
		 run.interrupts, run.waits);
	ASSERT(run.failures && run.refusals && run.waits && run.parked);
	ASSERT(run.plan->quiet || (run.moves && run.interrupts));
	pool_exit();
	free(run.out);
	free(run.held);
	free(run.taken);
}

static void cpus_random(const void *arg)
{
	start(arg);
	for (run.step = 0; run.step < run.plan->steps; run.step++) {
		if (!ktap_below(4))
			shim_set_cpu(ktap_below(SHIM_NR_CPUS));
		if (run.stuck[shim_cpu()] && ktap_below(4))
			unstick();
		random_step();
		check_counts();
		if (!ktap_below(8))
			ASSERT_SOUND(&pmm_zone);
	}
	finish();
}

#define RUN(name, ...)	{ name, cpus_random, &(const struct plan){ __VA_ARGS__ } }

const struct ktap_test cpus_tests[] = {
	RUN("cpus-16-quiet", { 16, PMM_EXPAND_LOWER }, 15000, true),
	RUN("cpus-16", { 16, PMM_EXPAND_UPPER }, 30000),
	RUN("cpus-100", { 100, PMM_EXPAND_LOWER }, 40000),
	RUN("cpus-100-min", { 100, PMM_EXPAND_UPPER, PMM_PLACE_LIFO, 20 }, 40000),
	RUN("cpus-2048-quiet", { 2048, PMM_EXPAND_LOWER }, 30000, true),
	RUN("cpus-2048", { 2048, PMM_EXPAND_UPPER }, 30000),
	RUN("cpus-2048-min", { 2048, PMM_EXPAND_LOWER, PMM_PLACE_LIFO, 200 }, 30000),
	RUN("cpus-2048-packed", { 2048, PMM_EXPAND_LOWER, PMM_PLACE_PACKED }, 30000),
	RUN("cpus-5000", { 5000, PMM_EXPAND_LOWER }, 30000),
	{ }
};

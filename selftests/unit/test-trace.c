// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: the tracepoints tell everything. A replay hears nothing but the events and works out
 * free lists, each in its order, and state bytes; after each step they must be the zone's own.
 *
 * It merges on its own, following 2.4's description of a free, and expects just those coalesce
 * events. An event that is superfluous, late, repeated or missing makes the two differ.
 */
#include <stdlib.h>

#include "events.h"
#include "internal.h"
#include "zone.h"

#define GFP		(GFP_KERNEL | __GFP_NOWARN)
#define MOST		24		/* pages of a bulk call */

struct plan {
	struct setup	setup;
	bool		pcp;
	unsigned int	steps;
	bool		toggles;	/* tracing goes off and on */
};

/* Lists end with their heads. */
static struct replay {
	u8		*state;
	unsigned long	*list[PMM_MAX_ORDER];
	unsigned long	length[PMM_MAX_ORDER];
	unsigned long	hand;		/* the block that is off its list, to be cut or taken */
	unsigned int	hand_order;
	struct shim_event merges[PMM_MAX_ORDER];	/* that are to be told */
	unsigned int	nr_merges, told;
	unsigned long	events;
} replay;

static struct run {
	const struct plan *plan;
	struct { unsigned long index; unsigned int order; } *out;
	unsigned long	nr_out;
	struct page	*held;
	unsigned int	step;
} run;

static void where(void)
{
	ktap_say("step %u: %lu blocks out, %lu events", run.step, run.nr_out, replay.events);
}

/* --- the replay --- */

static void replay_push(unsigned long index, unsigned int order)
{
	replay.list[order][replay.length[order]++] = index;
	replay.state[index] = PMM_STATE(PMM_FREE, order);
}

static void replay_unlink(unsigned long index, unsigned int order)
{
	unsigned long *list = replay.list[order], i = replay.length[order];

	ASSERT_EQ(replay.state[index], PMM_STATE(PMM_FREE, order));
	while (i-- && list[i] != index)
		;
	ASSERT(i < replay.length[order]);
	memmove(list + i, list + i + 1, (--replay.length[order] - i) * sizeof(*list));
	replay.state[index] = PMM_TAIL;
}

static void replay_pick(unsigned long index, unsigned int order)
{
	if (replay.hand == NO_PAGE) {
		replay_unlink(index, order);
		return;
	}
	ASSERT_EQ(replay.hand, index);
	ASSERT_EQ(replay.hand_order, order);
	replay.hand = NO_PAGE;
}

static void replay_split(const struct shim_event *event)
{
	unsigned long half = 1UL << (event->order - 1);

	replay_pick(event->page, event->order);
	ASSERT(event->other == event->page || event->other == event->page + half);
	replay.hand = event->other == event->page ? event->page + half : event->page;
	replay.hand_order = event->order - 1;
	replay_push(event->other, event->order - 1);
}

static void replay_put(unsigned long index, unsigned int order, u8 was)
{
	ASSERT_EQ(replay.state[index], was);
	replay.state[index] = PMM_TAIL;
	for (; order < PMM_MAX_ORDER - 1; order++) {
		unsigned long buddy = index ^ 1UL << order;

		if (replay.state[buddy] != PMM_STATE(PMM_FREE, order))
			break;
		replay_unlink(buddy, order);
		replay.merges[replay.nr_merges++] = (struct shim_event){
			.page = index, .order = order, .other = buddy,
		};
		index &= buddy;
	}
	replay_push(index, order);
}

static void replay_coalesce(const struct shim_event *event)
{
	const struct shim_event *want = &replay.merges[replay.told];

	ASSERT(replay.told < replay.nr_merges);
	ASSERT_EQ(event->page, want->page);
	ASSERT_EQ(event->order, want->order);
	ASSERT_EQ(event->other, want->other);
	replay.told++;
}

static void replay_alloc(const struct shim_event *event)
{
	u8 to = PMM_STATE(event->flag ? PMM_MAPPED : PMM_USED, event->order);

	if (event->where == PMM_TRACE_NOWHERE) {
		ASSERT_EQ(event->page, PMM_NONE);
		return;
	}
	if (event->where == PMM_TRACE_PCP)
		ASSERT_EQ(replay.state[event->page], PMM_STATE(PMM_PCP, event->order));
	else
		replay_pick(event->page, event->order);
	replay.state[event->page] = to;
}

static void replay_free(const struct shim_event *event)
{
	u8 was = PMM_STATE(event->flag ? PMM_MAPPED : PMM_USED, event->order);

	if (event->where == PMM_TRACE_ZONE) {
		replay_put(event->page, event->order, was);
		return;
	}
	ASSERT_EQ(replay.state[event->page], was);
	replay.state[event->page] =
		PMM_STATE(event->where == PMM_TRACE_PCP ? PMM_PCP : PMM_PARKED, event->order);
}

static void replay_block(const struct shim_event *event)
{
	u8 *at;

	if (!strcmp(event->name, "recycle")) {
		replay_put(event->page, event->order, PMM_STATE(PMM_PARKED, event->order));
	} else if (!strcmp(event->name, "pcp_drain")) {
		replay_put(event->page, event->order, PMM_STATE(PMM_PCP, event->order));
	} else if (!strcmp(event->name, "pcp_refill")) {
		replay_pick(event->page, event->order);
		replay.state[event->page] = PMM_STATE(PMM_PCP, event->order);
	} else {
		ASSERT_STR(event->name, "split_page");
		at = replay.state + event->page;
		memset(at, PMM_STATE(PMM_STATE_KIND(*at), 0), 1UL << event->order);
	}
}

static void replay_event(const struct shim_event *event)
{
	replay.events++;
	if (!strcmp(event->name, "coalesce")) {
		replay_coalesce(event);
		return;
	}
	ASSERT_EQ(replay.told, replay.nr_merges);
	replay.told = 0;
	replay.nr_merges = 0;
	if (!strcmp(event->name, "split"))
		replay_split(event);
	else if (!strcmp(event->name, "alloc"))
		replay_alloc(event);
	else if (!strcmp(event->name, "free"))
		replay_free(event);
	else if (strcmp(event->name, "misuse"))
		replay_block(event);
}

/* From the zone as it is, as a recording begins with a snapshot. */
static void replay_begin(void)
{
	struct list_head *head, *at;
	unsigned int order;

	memcpy(replay.state, pmm_zone.state, zone_nr_states(&pmm_zone));
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		replay.length[order] = 0;
		head = &pmm_zone.free_area[order].free_list;
		for (at = head->prev; at != head; at = at->prev)
			replay.list[order][replay.length[order]++] =
				list_entry(at, struct page, lru) - pmm_zone.mem_map;
	}
	replay.hand = NO_PAGE;
	replay.nr_merges = 0;
	replay.told = 0;
}

static void replay_compare(void)
{
	unsigned int order;
	struct page *page;

	ASSERT_EQ(replay.told, replay.nr_merges);
	ASSERT_EQ(replay.hand, NO_PAGE);
	ASSERT(!memcmp(replay.state, pmm_zone.state, zone_nr_states(&pmm_zone)));
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		unsigned long i = replay.length[order];

		list_for_each_entry(page, &pmm_zone.free_area[order].free_list, lru)
			ASSERT(i-- && replay.list[order][i] == pmm_page_index(&pmm_zone, page));
		ASSERT_EQ(i, 0);
	}
}

/* --- what happens to the zone --- */

static void take(void)
{
	unsigned int order = ktap_below(3) ? ktap_below(2) : ktap_below(PMM_MAX_ORDER + 1);
	struct page *page = pmm_alloc_pages(GFP, order);

	if (!page)
		return;
	run.out[run.nr_out].index = page - pmm_zone.mem_map;
	run.out[run.nr_out++].order = order;
}

static void take_many(void)
{
	struct page *pages[MOST] = { };
	unsigned long i, got = pmm_alloc_pages_bulk(GFP, 1 + ktap_below(MOST), pages);

	for (i = 0; i < got; i++) {
		run.out[run.nr_out].index = pages[i] - pmm_zone.mem_map;
		run.out[run.nr_out++].order = 0;
	}
}

static void give(void)
{
	unsigned long pos = ktap_below(run.nr_out), index = run.out[pos].index;
	unsigned int order = run.out[pos].order;

	run.out[pos] = run.out[--run.nr_out];
	__pmm_free_pages(pmm_zone.mem_map + index, order);
}

/* Those that are single pages, from the last on. */
static void give_many(void)
{
	struct page *pages[MOST];
	unsigned long nr = 0;

	while (run.nr_out && nr < MOST && !run.out[run.nr_out - 1].order)
		pages[nr++] = pmm_zone.mem_map + run.out[--run.nr_out].index;
	pmm_free_pages_bulk(nr, pages);
}

static void break_up(void)
{
	unsigned long pos = ktap_below(run.nr_out), index = run.out[pos].index, i;
	unsigned int order = run.out[pos].order;

	if (!order)
		return;
	pmm_zone_break(&pmm_zone, pmm_zone.mem_map + index, order, CALLER);
	run.out[pos].order = 0;
	for (i = 1; i < 1UL << order; i++) {
		run.out[run.nr_out].index = index + i;
		run.out[run.nr_out++].order = 0;
	}
}

/* One page at a time has a second reference, so that its block is parked. */
static void hold_or_let_go(void)
{
	if (run.held) {
		put_page(run.held);
		run.held = NULL;
	} else {
		run.held = pmm_zone.mem_map + run.out[ktap_below(run.nr_out)].index;
		get_page(run.held);
	}
}

static void misuse(void)
{
	__pmm_free_pages(pmm_zone.mem_map + ktap_below(run.plan->setup.nr_pages), PMM_MAX_ORDER);
	ASSERT(*shim_log_line());
}

static void toggle(void)
{
	if (pmm_tracing()) {
		pmm_trace_unreg();
	} else {
		replay_begin();
		pmm_trace_reg();
	}
}

static void random_step(void)
{
	unsigned int dice = ktap_below(40);

	shim_set_cpu(ktap_below(SHIM_NR_CPUS));
	if (run.plan->toggles && !ktap_below(50))
		toggle();
	if (dice == 0)
		pmm_pcp_drain(&pmm_zone);
	else if (dice == 1)
		pmm_zone_reap(&pmm_zone);
	else if (dice == 2)
		misuse();
	else if (!run.nr_out || dice < 14)
		take();
	else if (dice < 17)
		take_many();
	else if (dice < 19)
		hold_or_let_go();
	else if (dice < 21)
		break_up();
	else if (dice < 24)
		give_many();
	else
		give();
}

static void give_all_back(void)
{
	if (run.held)
		put_page(run.held);
	run.held = NULL;
	while (run.nr_out)
		give();
	pmm_pcp_drain(&pmm_zone);
	pmm_zone_reap(&pmm_zone);
	ASSERT_EQ(pmm_zone.free_pages, pmm_zone.nr_pages);
}

static void replay_init(unsigned long nr_pages)
{
	unsigned int order;

	replay.state = malloc(zone_nr_states(&pmm_zone));
	for (order = 0; order < PMM_MAX_ORDER; order++)
		replay.list[order] = malloc((nr_pages + 1) * sizeof(*replay.list[order]));
	run.out = malloc(nr_pages * sizeof(*run.out));
	replay_begin();
	shim_on_event = replay_event;
}

static void replay_exit(void)
{
	unsigned int order;

	free(replay.state);
	for (order = 0; order < PMM_MAX_ORDER; order++)
		free(replay.list[order]);
	free(run.out);
}

static void trace_run(const void *arg)
{
	run.plan = arg;
	ktap_where = where;
	pool_init(&run.plan->setup, run.plan->pcp);
	replay_init(run.plan->setup.nr_pages);
	pmm_trace_reg();
	for (run.step = 0; run.step < run.plan->steps; run.step++) {
		random_step();
		if (pmm_tracing())
			replay_compare();
	}
	if (!pmm_tracing())
		toggle();
	give_all_back();
	replay_compare();
	ASSERT_SOUND(&pmm_zone);
	pmm_trace_unreg();
	ASSERT(!pmm_tracing());
	ASSERT_EQ(!(pmm_zone.detour & PMM_DETOUR_PLACEMENT),
		  run.plan->setup.placement == PMM_PLACE_LIFO);
	ASSERT(!(pmm_zone.detour & PMM_DETOUR_TRACED));
	ASSERT_EQ(!(pmm_zone.detour & PMM_DETOUR_PCP_ALLOC),
		  run.plan->pcp && !run.plan->setup.pages_min);
	ASSERT_EQ(pmm_zone.pcp_limit, run.plan->pcp ? pmm_zone.nr_pages : 0);
	ktap_say("%u steps, %lu events", run.plan->steps, replay.events);
	ASSERT(replay.events > run.plan->steps);
	replay_exit();
	pool_exit();
}

/* --- the same with and without --- */

static char *history(bool traced)
{
	char *text;

	if (traced)
		pmm_trace_reg();
	pool_init(&(const struct setup){ 777, PMM_EXPAND_LOWER }, true);
	run.out = malloc(777 * sizeof(*run.out));
	for (run.step = 0; run.step < 3000; run.step++)
		random_step();
	text = zone_text(&pmm_zone);
	give_all_back();
	free(run.out);
	pool_exit();
	if (traced)
		pmm_trace_unreg();
	return text;
}

/* Work that is done block by block only while events are traced has the same result as without. */
static void trace_changes_nothing(const void *arg)
{
	u64 seed = ktap_seed;
	char *plain, *traced;

	run.plan = &(const struct plan){ .setup = { 777 } };
	ktap_reseed(seed);
	plain = history(false);
	ktap_reseed(seed);
	traced = history(true);
	ASSERT_STR(traced, plain);
	free(plain);
	free(traced);
}

#define RUN(name, ...)	{ name, trace_run, &(const struct plan){ __VA_ARGS__ } }

const struct ktap_test trace_tests[] = {
	RUN("trace-upper", { 777, PMM_EXPAND_UPPER }, false, 4000),
	RUN("trace-lower", { 777, PMM_EXPAND_LOWER }, false, 4000),
	RUN("trace-upper-pcp", { 1024, PMM_EXPAND_UPPER }, true, 4000),
	RUN("trace-lower-pcp", { 1030, PMM_EXPAND_LOWER }, true, 4000),
	RUN("trace-packed", { 1540, PMM_EXPAND_LOWER, PMM_PLACE_PACKED }, false, 3000),
	RUN("trace-packed-pcp", { 1540, PMM_EXPAND_LOWER, PMM_PLACE_PACKED }, true, 3000),
	RUN("trace-reserve", { 600, PMM_EXPAND_LOWER, PMM_PLACE_LIFO, 64 }, true, 3000),
	RUN("trace-off-and-on", { 777, PMM_EXPAND_LOWER }, true, 6000, true),
	{ "trace-changes-nothing", trace_changes_nothing },
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: short cuts. Each reason that closes one (enum pmm_detour) is set by hand, and then the
 * same random calls have the same results and leave the same free lists, pair bits and counters,
 * call for call, as with every short cut open.
 *
 * PMM_DETOUR_PLACEMENT is set with a rule that picks what rmqueue() would find. PMM_DETOUR_NO_PCP
 * means another page and not another way to the same one, and is not compared.
 */
#include <stdlib.h>

#include "zone.h"

#define STEPS	3000
#define HELD	64
#define BATCH	24

static unsigned int step;

static void where(void)
{
	ktap_say("step %u", step);
}

/* One of the two zones, and the blocks that it has handed out. */
struct side {
	struct arena	arena;
	struct page	*pages[HELD];
	unsigned int	orders[HELD];
	struct page	*batch[BATCH];
};

/* What both sides are asked to do. */
struct call {
	unsigned int	what, slot, order;
	unsigned long	nr;
};

static unsigned long index_of(const struct side *side, const struct page *page)
{
	return page ? (unsigned long)(page - side->arena.pages) : NO_PAGE;
}

static void one_block(struct side *side, const struct call *call)
{
	struct pmm_zone *zone = &side->arena.zone;
	struct page **page = &side->pages[call->slot];
	unsigned int *order = &side->orders[call->slot];

	if (*page) {
		ASSERT_EQ(pmm_zone_free(zone, *page, *order, PMM_USED, CALLER), PMM_FREE_OK);
		*page = NULL;
		return;
	}
	*order = call->order;
	*page = pmm_zone_alloc(zone, GFP_KERNEL | __GFP_NOWARN, *order, PMM_USED, CALLER);
}

static void many_pages(struct side *side, const struct call *call)
{
	struct pmm_zone *zone = &side->arena.zone;
	unsigned long got;

	got = pmm_zone_alloc_bulk(zone, GFP_KERNEL | __GFP_NOWARN, 0, PMM_USED, CALLER, call->nr,
				  side->batch);
	if (call->what == 1)
		pmm_zone_free_bulk(zone, got, side->batch, PMM_USED, CALLER);
	while (call->what == 2 && got--)
		pmm_zone_free(zone, side->batch[got], 0, PMM_USED, CALLER);
}

static void both(struct side *side, const struct call *call)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (call->what)
			many_pages(&side[i], call);
		else
			one_block(&side[i], call);
	}
	ASSERT_EQ(index_of(&side[1], side[1].pages[call->slot]),
		  index_of(&side[0], side[0].pages[call->slot]));
}

static void assert_same(const struct side *side)
{
	char *open = zone_text(&side[0].arena.zone), *closed = zone_text(&side[1].arena.zone);

	ASSERT_STR(closed, open);
	free(open);
	free(closed);
}

static unsigned long as_rmqueue(struct pmm_zone *zone, unsigned int order)
{
	for (; order < PMM_MAX_ORDER; order++) {
		struct list_head *list = &zone->free_area[order].free_list;

		if (!list_empty(list))
			return list_first_entry(list, struct page, lru) - zone->mem_map;
	}
	return PMM_NONE;
}

static void as_told(struct pmm_zone *zone, unsigned long index, long freed)
{
}

static const struct pmm_placement_ops rmqueue_ops = { .pick = as_rmqueue, .update = as_told };

static void detour(const void *arg)
{
	const u8 *bits = arg;
	static struct side side[2];
	enum pmm_expand expand;
	struct call call;
	unsigned int i;

	ktap_where = where;
	for (expand = PMM_EXPAND_UPPER; expand <= PMM_EXPAND_LOWER; expand++) {
		memset(side, 0, sizeof(side));
		for (i = 0; i < 2; i++)
			arena_init(&side[i].arena, 777, expand, 0);
		ASSERT(!(side[0].arena.zone.detour & (PMM_DETOUR_ALLOC | PMM_DETOUR_FREE)));
		side[1].arena.zone.detour |= *bits;
		side[1].arena.zone.placement = &rmqueue_ops;
		for (step = 0; step < STEPS; step++) {
			call.what = ktap_below(8);
			call.what = call.what < 3 ? call.what : 0;
			call.slot = ktap_below(HELD);
			call.order = ktap_below(4) ? 0 : ktap_below(6);
			call.nr = 1 + ktap_below(BATCH);
			both(side, &call);
			assert_same(side);
		}
		ASSERT(side[1].arena.zone.detour & *bits);
		for (i = 0; i < 2; i++)
			arena_exit(&side[i].arena);
	}
}

/* The same for the calls of other modules, with per-CPU lists: two runs, one after the other. */
static void calls(u8 bits, FILE *out)
{
	struct page *held[HELD] = { };

	pool_init(&(const struct setup){ 1024, PMM_EXPAND_LOWER }, true);
	ASSERT(!(pmm_zone.detour & PMM_DETOUR_PCP_ALLOC) && pmm_zone.pcp_limit);
	pmm_zone.detour |= bits;
	if (bits & PMM_DETOUR_PCP_FREE)
		pmm_zone.pcp_limit = 0;
	ktap_reseed(1);
	for (step = 0; step < STEPS; step++) {
		unsigned long slot = ktap_below(HELD);
		unsigned int order = slot & 1 ? 0 : slot % 5;

		if (held[slot])
			__pmm_free_pages(held[slot], order);
		held[slot] = held[slot] ? NULL : pmm_alloc_pages(GFP_KERNEL, order);
		fprintf(out, "%ld ", held[slot] ? held[slot] - pmm_zone.mem_map : -1L);
	}
	for (step = 0; step < HELD; step++)
		if (held[step])
			__pmm_free_pages(held[step], step & 1 ? 0 : step % 5);
	pool_exit();
}

static void detour_pcp(const void *arg)
{
	char *text[2] = { };
	size_t size;
	FILE *out;
	int i;

	ktap_where = where;
	for (i = 0; i < 2; i++) {
		out = open_memstream(&text[i], &size);
		calls(i ? *(const u8 *)arg : 0, out);
		fclose(out);
	}
	ASSERT_STR(text[1], text[0]);
	free(text[0]);
	free(text[1]);
}

static const u8 traced = PMM_DETOUR_TRACED, debug = PMM_DETOUR_DEBUG;
static const u8 min_free = PMM_DETOUR_MIN_FREE, placement = PMM_DETOUR_PLACEMENT;
static const u8 all = PMM_DETOUR_TRACED | PMM_DETOUR_DEBUG | PMM_DETOUR_MIN_FREE |
		      PMM_DETOUR_PLACEMENT;

const struct ktap_test detour_tests[] = {
	{ "detour-traced", detour, &traced },
	{ "detour-debug", detour, &debug },
	{ "detour-min-free", detour, &min_free },
	{ "detour-placement", detour, &placement },
	{ "detour-all", detour, &all },
	{ "detour-pcp-traced", detour_pcp, &traced },
	{ "detour-pcp-min-free", detour_pcp, &min_free },
	{ }
};

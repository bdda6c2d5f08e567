// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: walks over a zone by pieces, while others come in between. Each unlocking of the zone
 * lets them in, so a pool that never rests is one that changes at each unlocking. No piece may be
 * larger than its limit; a pool that rests is seen at one moment; verify says nothing false and
 * still finds whatever is broken; and each walk ends.
 */
#include <stdlib.h>

#include "zone.h"

#define GFP		(GFP_KERNEL | __GFP_NOWARN)
#define LARGEST		20UL		/* blocks of the zone, and 100 pages more */
#define NR_PAGES	(LARGEST * PMM_MAX_ORDER_PAGES + 100)
#define MOST_OUT	200U

static struct pmm_zone *zone;

/* --- others ----------------------------------------------------------------------------------- */

static struct {
	struct page	*page[MOST_OUT];
	unsigned int	order[MOST_OUT];
	unsigned int	nr;
	unsigned long	unlocked;	/* times that the zone was */
	unsigned long	turns;		/* left for them */
} others;

static void give_one(void)
{
	unsigned int i = ktap_below(others.nr);

	ASSERT(pmm_free_pages_caller(others.page[i], others.order[i], PMM_USED, CALLER) <=
	       PMM_FREE_PARKED);
	others.page[i] = others.page[--others.nr];
	others.order[i] = others.order[others.nr];
}

static void take_one(void)
{
	unsigned int order = ktap_below(4) ? 0 : ktap_below(PMM_MAX_ORDER - 1);
	struct page *page = pmm_alloc_pages(GFP, order);

	if (!page)
		return;
	others.order[others.nr] = order;
	others.page[others.nr++] = page;
}

static void use_pool(void)
{
	if (others.nr == MOST_OUT || (others.nr && ktap_below(2)))
		give_one();
	else
		take_one();
}

static void let_others_in(enum shim_point point)
{
	if (point != SHIM_UNLOCKED || shim_irqs_off())
		return;
	others.unlocked++;
	if (!others.turns)
		return;
	others.turns--;
	if (zone->pcp)
		shim_set_cpu(ktap_below(SHIM_NR_CPUS));
	use_pool();
}

/* A pool from which others have taken this and that; they go on for so many turns. */
static void begin(const void *pcp, unsigned long turns)
{
	unsigned int i;

	zone = &pmm_zone;
	pool_init(&(const struct setup) { NR_PAGES, PMM_EXPAND_LOWER }, pcp);
	for (i = 0; i < 2000; i++)
		use_pool();
	others.unlocked = 0;
	others.turns = turns;
	shim_hook = let_others_in;
}

static void end(void)
{
	shim_hook = NULL;
	while (others.nr)
		give_one();
	pool_exit();
}

/* --- pieces ----------------------------------------------------------------------------------- */

static unsigned long visited, most_visited;

static bool visit(struct pmm_zone *of, unsigned long index, unsigned long end, void *arg)
{
	ASSERT_EQ(index, visited);
	ASSERT(of == zone && arg == &visited && end > index && end <= of->nr_pages);
	ASSERT(shim_irqs_off());
	most_visited = max(most_visited, end - index);
	visited = end;
	return true;
}

static bool visit_some(struct pmm_zone *of, unsigned long index, unsigned long end, void *arg)
{
	visited = end;
	return index < 5 * PMM_MAX_ORDER_PAGES;
}

/* Each page once, in order, and no piece longer than asked for. */
static void pieces_walk(const void *arg)
{
	begin(NULL, 0);
	ASSERT(pmm_zone_walk(zone, PMM_MAX_ORDER_PAGES, visit, &visited));
	ASSERT_EQ(visited, NR_PAGES);
	ASSERT_EQ(most_visited, PMM_MAX_ORDER_PAGES);
	ASSERT_EQ(others.unlocked, LARGEST + 1);
	ASSERT(!pmm_zone_walk(zone, PMM_MAX_ORDER_PAGES, visit_some, NULL));
	ASSERT_EQ(visited, 6 * PMM_MAX_ORDER_PAGES);
	end();
}

/* However large the zone, verify gives the lock back after each largest block, if not before. */
static void pieces_verify(const void *arg)
{
	unsigned long short_walk;

	begin(NULL, 0);
	ASSERT_SOUND(zone);
	short_walk = others.unlocked;
	/* The blocks, and the pairs of order 0, by one each; those of order 1 by two, and so on. */
	ASSERT(short_walk >= 2 * LARGEST + LARGEST / 2 + LARGEST / 4 + PMM_MAX_ORDER + 1);
	end();
}

/* A list is checked, and copied, by parts. */
static void pieces_long_list(const void *arg)
{
	unsigned long i, whole;

	begin(NULL, 0);
	ASSERT_SOUND(zone);
	whole = others.unlocked;
	shim_hook = NULL;
	while (others.nr)
		give_one();
	for (i = 0; i < NR_PAGES; i++)
		ASSERT(pmm_alloc_pages(GFP, 0));
	for (i = 0; i < NR_PAGES; i += 2)
		ASSERT_EQ(pmm_free_pages_caller(zone->mem_map + i, 0, PMM_USED, CALLER),
			  PMM_FREE_OK);
	others.unlocked = 0;
	shim_hook = let_others_in;
	ASSERT_SOUND(zone);
	ASSERT(others.unlocked >= whole + NR_PAGES / 2 / PMM_WALK_ENTRIES);
	shim_hook = NULL;
	for (i = 1; i < NR_PAGES; i += 2)
		pmm_free_pages_caller(zone->mem_map + i, 0, PMM_USED, CALLER);
	end();
}

/* --- moments ---------------------------------------------------------------------------------- */

static struct pmm_moment before;

static bool moved(void)
{
	struct pmm_moment now;
	bool moved;

	pmm_moment(zone, &now);
	moved = now.zone != before.zone || now.pcp != before.pcp;
	before = now;
	return moved;
}

/* Whatever changes a state byte, a list or a bit is seen; a refusal or a failure changes none. */
static void pieces_moments(const void *pcp)
{
	struct page *page, *pages[8];

	begin(pcp, 0);
	shim_hook = NULL;
	moved();
	ASSERT(!moved());
	page = pmm_alloc_pages(GFP, 0);
	ASSERT(moved());
	ASSERT_EQ(pmm_free_pages_caller(page, 0, PMM_USED, CALLER), PMM_FREE_OK);
	ASSERT(moved());
	pmm_pcp_drain(zone);
	ASSERT_EQ(moved(), !!pcp);
	ASSERT_EQ(pmm_zone_alloc_bulk(zone, GFP, 0, PMM_USED, CALLER, 8, pages), 8);
	ASSERT(moved());
	pmm_zone_free_bulk(zone, 8, pages, PMM_USED, CALLER);
	ASSERT(moved());
	page = pmm_alloc_pages(GFP, 3);
	ASSERT(moved());
	get_page(page + 5);
	ASSERT_EQ(pmm_free_pages_caller(page, 3, PMM_USED, CALLER), PMM_FREE_PARKED);
	ASSERT(moved());
	put_page(page + 5);
	ASSERT_EQ(pmm_zone_reap(zone), 8);
	ASSERT(moved());
	ASSERT(!pmm_alloc_pages(GFP, PMM_MAX_ORDER));
	ASSERT(!moved());
	end();
}

/* A block of a per-CPU list's own order needs no split on its way, either way. */
static void pieces_moment_of_batch(const void *arg)
{
	u32 index;
	struct page *page;

	zone = &pmm_zone;
	pool_init(&(const struct setup) { PMM_MAX_ORDER_PAGES, PMM_EXPAND_LOWER }, true);
	others.page[0] = pmm_alloc_pages(GFP, 8);
	moved();
	ASSERT_EQ(pmm_zone_alloc_bulk(zone, GFP, 8, PMM_PCP, CALLER, 1, &page), 1);
	ASSERT(moved());
	index = pmm_page_index(zone, page);
	pmm_zone_put_back(zone, &index, 1, 8);
	ASSERT(moved());
	pmm_free_pages_caller(others.page[0], 8, PMM_USED, CALLER);
	pool_exit();
}

/* --- a pool that rests, sooner or later ------------------------------------------------------- */

static void assert_counted(void)
{
	unsigned long nr_free[PMM_MAX_ORDER];
	unsigned int order;

	pmm_zone_count_free(zone, nr_free);
	ASSERT_EQ(others.turns, 0);
	for (order = 0; order < PMM_MAX_ORDER; order++)
		ASSERT_EQ(nr_free[order], zone_nr_free(zone, order));
}

/* What changed during a walk is seen by the next. */
static void pieces_rests(const void *pcp)
{
	unsigned long turns;
	struct pmm_verdict v;

	begin(pcp, 0);
	for (turns = 0; turns < 3; turns++) {
		others.turns = turns;
		assert_counted();
	}
	for (turns = 0; turns < 2 * LARGEST; turns++) {
		others.turns = turns;
		v = (struct pmm_verdict){ };
		ASSERT(pmm_zone_verify(zone, &v));
		ASSERT_EQ(v.blocks, v.free_blocks + v.used_blocks + v.parked_blocks +
				    v.pcp_blocks);
	}
	zone->free_pages++;
	others.turns = 5;
	ASSERT(!pmm_zone_verify(zone, &v));
	ASSERT(strstr(v.why, "pages free by state"));
	zone->free_pages--;
	end();
}

/* --- a pool that never rests ------------------------------------------------------------------ */

/* Nothing false, the counts are those of whole pieces, and there is an end. */
static void pieces_busy(const void *pcp)
{
	unsigned int i, parked = 0;

	begin(pcp, ULONG_MAX);
	for (i = 0; i < 40; i++) {
		struct pmm_verdict v = { };

		if (others.nr && ktap_below(2) && parked < 20) {
			get_page(others.page[0]);
			parked++;
		}
		if (!pmm_zone_verify(zone, &v))
			ktap_fail(__FILE__, __LINE__, "verify: %s", v.why);
		ASSERT_EQ(v.blocks, v.free_blocks + v.used_blocks + v.parked_blocks +
				    v.pcp_blocks);
		ASSERT(others.unlocked > (i + 1) * PMM_WALK_TRIES * LARGEST);
	}
	shim_hook = NULL;
	for (i = 0; i < NR_PAGES; i++)
		while (page_ref_count(zone->mem_map + i) > PMM_PAGE_REFS)
			put_page(zone->mem_map + i);
	pmm_zone_reap(zone);
	end();
}

/* Blocks that others never come upon: a pair of pages, and a page whose buddy is in use. */
static struct page *spare;

static void next_astray(void)
{
	spare->lru.next = spare->lru.next->next;
}

static void next_null(void)
{
	spare->lru.next = NULL;
}

static void prev_astray(void)
{
	spare->lru.prev = &zone->mem_map[3].lru;
}

static void lost(void)
{
	list_del(&spare->lru);
}

static void on_other_list(void)
{
	list_del(&spare->lru);
	list_add_tail(&spare->lru, &zone->free_area[4].free_list);
}

static void used_is_listed(void)
{
	list_add_tail(&spare[1].lru, &zone->free_area[0].free_list);
}

static void head_astray(void)
{
	zone->free_area[0].free_list.prev = zone->free_area[0].free_list.prev->prev;
}

static void parked_head_astray(void)
{
	zone->parked.prev = &spare->lru;
}

static void bit_flipped(void)
{
	__test_and_change_bit(pmm_page_index(zone, spare) / 2, zone->free_area[0].map);
}

static void state_wrong(void)
{
	zone->state[pmm_page_index(zone, spare)] = PMM_STATE(PMM_USED, 0);
}

static void gap(void)
{
	zone->state[pmm_page_index(zone, spare)] = PMM_TAIL;
}

static void too_many_kept(void)
{
	per_cpu_ptr(zone->pcp, 3)->nr[2] = 2000;
}

static const struct {
	const char	*name;
	void		(*damage)(void);
} damages[] = {
	{ "next_astray", next_astray },
	{ "next_null", next_null },
	{ "prev_astray", prev_astray },
	{ "lost", lost },
	{ "on_other_list", on_other_list },
	{ "used_is_listed", used_is_listed },
	{ "head_astray", head_astray },
	{ "parked_head_astray", parked_head_astray },
	{ "bit_flipped", bit_flipped },
	{ "state_wrong", state_wrong },
	{ "gap", gap },
	{ "too_many_kept", too_many_kept },
};

static const char *current;

static void where(void)
{
	ktap_say("damage: %s", current);
}

/* Only what lies beside the damage: a page is parked and recycled in turn. */
static void park_in_turn(enum shim_point point)
{
	static bool parked;

	if (point != SHIM_UNLOCKED || shim_irqs_off())
		return;
	zone->stat.parked++;
	parked = !parked;
}

/* A pool in which something moves all the time. Three pages are free singly, spare between two. */
static void pieces_busy_damage(const void *arg)
{
	struct pmm_verdict v;
	struct image image;
	unsigned int i;

	ktap_where = where;
	zone = &pmm_zone;
	pool_init(&(const struct setup) { NR_PAGES, PMM_EXPAND_LOWER }, true);
	for (i = 0; i < 6; i++)
		others.page[i] = pmm_zone_alloc(zone, GFP, 0, PMM_USED, CALLER);
	for (i = 0; i < 6; i += 2)
		pmm_zone_free(zone, others.page[i], 0, PMM_USED, CALLER);
	spare = others.page[2];
	image_init(&image, zone);
	for (i = 0; i < ARRAY_SIZE(damages); i++) {
		current = damages[i].name;
		damages[i].damage();
		v = (struct pmm_verdict){ };
		shim_hook = park_in_turn;
		ASSERT(!pmm_zone_verify(zone, &v));
		shim_hook = NULL;
		ASSERT(v.why[0]);
		image_restore(&image, zone);
		per_cpu_ptr(zone->pcp, 3)->nr[2] = 0;
		shim_hook = park_in_turn;
		v = (struct pmm_verdict){ };
		ASSERT(pmm_zone_verify(zone, &v));
		shim_hook = NULL;
	}
	image_exit(&image);
	for (i = 1; i < 6; i += 2)
		pmm_zone_free(zone, others.page[i], 0, PMM_USED, CALLER);
	pool_exit();
}

const struct ktap_test pieces_tests[] = {
	{ "pieces-walk", pieces_walk, NULL },
	{ "pieces-verify", pieces_verify, NULL },
	{ "pieces-long-list", pieces_long_list, NULL },
	{ "pieces-moments", pieces_moments, NULL },
	{ "pieces-moments-pcp", pieces_moments, "" },
	{ "pieces-moment-of-batch", pieces_moment_of_batch, NULL },
	{ "pieces-rests", pieces_rests, NULL },
	{ "pieces-rests-pcp", pieces_rests, "" },
	{ "pieces-busy", pieces_busy, NULL },
	{ "pieces-busy-pcp", pieces_busy, "" },
	{ "pieces-busy-damage", pieces_busy_damage, NULL },
	{ }
};

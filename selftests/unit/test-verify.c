// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: verify.c is tested in its turn: each kind of damage that it knows is done on purpose,
 * and it must name it. A verify that always says yes would make every other test here worth less.
 */
#include "lazy.h"
#include "zone.h"

/*
 * The zone that is damaged, with something of everything. Free: 19 and 17 and 6 of order 0, 20 of
 * order 2, 24 of order 3, 32 of order 5. Parked: 0 of order 2, 8 of order 3. The rest is in use, 4
 * as order 1, others as single pages.
 */
static void stage(struct arena *arena)
{
	static const unsigned long back[] = { 6, 17, 19 };
	unsigned long i;

	arena_init(arena, 64, PMM_EXPAND_LOWER, 0);
	ASSERT_EQ(arena_alloc(arena, 2), 0);
	ASSERT_EQ(arena_alloc(arena, 1), 4);
	ASSERT_EQ(arena_alloc(arena, 0), 6);
	ASSERT_EQ(arena_alloc(arena, 0), 7);
	ASSERT_EQ(arena_alloc(arena, 3), 8);
	for (i = 16; i < 20; i++)
		ASSERT_EQ(arena_alloc(arena, 0), i);
	for (i = 0; i < ARRAY_SIZE(back); i++)
		ASSERT_EQ(arena_free(arena, back[i], 0), PMM_FREE_OK);
	get_page(&arena->pages[1]);
	get_page(&arena->pages[15]);
	ASSERT_EQ(arena_free(arena, 0, 2), PMM_FREE_PARKED);
	ASSERT_EQ(arena_free(arena, 8, 3), PMM_FREE_PARKED);
	ASSERT_SOUND(&arena->zone);
}

/* The counts that verify must report for a sound zone. */
static void verify_counts(const void *arg)
{
	struct pmm_verdict v = { };
	struct image image;
	struct arena arena;

	stage(&arena);
	image_init(&image, &arena.zone);
	ASSERT(pmm_zone_verify(&arena.zone, &v));
	ASSERT(image_same(&image, &arena.zone));
	ASSERT_EQ(v.free_blocks, 6);
	ASSERT_EQ(v.parked_blocks, 2);
	ASSERT_EQ(v.used_blocks, 4);
	ASSERT_EQ(v.blocks, 12);
	ASSERT_EQ(v.pairs, 32 + 16 + 8 + 4 + 2 + 1 + 1 + 1 + 1);
	ASSERT_STR(v.why, "");
	/* Counts add up from one walk to the next. */
	ASSERT(pmm_zone_verify(&arena.zone, &v));
	ASSERT_EQ(v.blocks, 24);
	image_exit(&image);
	arena_exit(&arena);
}

/* --- kinds of damage --- */

static struct list_head *lru(struct pmm_zone *zone, unsigned long index)
{
	return &zone->mem_map[index].lru;
}

static void free_pages_over(struct pmm_zone *zone)
{
	zone->free_pages++;
}

static void free_pages_under(struct pmm_zone *zone)
{
	zone->free_pages--;
}

static void nr_parked_over(struct pmm_zone *zone)
{
	zone->nr_parked++;
}

static void nr_parked_under(struct pmm_zone *zone)
{
	zone->nr_parked--;
}

static void entry_lost(struct pmm_zone *zone)
{
	list_del(lru(zone, 17));
}

static void entry_on_other_order(struct pmm_zone *zone)
{
	list_del(lru(zone, 17));
	list_add(lru(zone, 17), &zone->free_area[1].free_list);
}

static void used_page_listed(struct pmm_zone *zone)
{
	list_add(lru(zone, 16), &zone->free_area[0].free_list);
}

static void tail_page_listed(struct pmm_zone *zone)
{
	list_add(lru(zone, 21), &zone->free_area[0].free_list);
}

static struct page stranger;

static void foreign_page_listed(struct pmm_zone *zone)
{
	list_add_tail(&stranger.lru, &zone->free_area[0].free_list);
}

static void free_block_parked(struct pmm_zone *zone)
{
	list_del(lru(zone, 17));
	list_add(lru(zone, 17), &zone->parked);
}

static void parked_block_listed(struct pmm_zone *zone)
{
	list_del(lru(zone, 8));
	list_add(lru(zone, 8), &zone->free_area[3].free_list);
}

static void parked_block_lost(struct pmm_zone *zone)
{
	list_del(lru(zone, 8));
}

/* Each list has as many entries as before. */
static void entries_swapped(struct pmm_zone *zone)
{
	list_del(lru(zone, 17));
	list_del(lru(zone, 20));
	list_add(lru(zone, 20), &zone->free_area[0].free_list);
	list_add(lru(zone, 17), &zone->free_area[2].free_list);
}

static void used_block_parked(struct pmm_zone *zone)
{
	list_del(lru(zone, 8));
	list_add(lru(zone, 16), &zone->parked);
}

static void next_skips(struct pmm_zone *zone)
{
	lru(zone, 19)->next = lru(zone, 6);
}

static void next_null(struct pmm_zone *zone)
{
	lru(zone, 19)->next = NULL;
}

static void next_poison(struct pmm_zone *zone)
{
	lru(zone, 19)->next = SHIM_POISON;
}

static void next_self(struct pmm_zone *zone)
{
	lru(zone, 19)->next = lru(zone, 19);
}

static void next_into_other_list(struct pmm_zone *zone)
{
	lru(zone, 19)->next = lru(zone, 20);
}

static void prev_wrong(struct pmm_zone *zone)
{
	lru(zone, 17)->prev = lru(zone, 6);
}

static void head_null(struct pmm_zone *zone)
{
	zone->free_area[4].free_list.next = NULL;
}

static void head_of_other_list(struct pmm_zone *zone)
{
	zone->free_area[4].free_list.next = &zone->free_area[3].free_list;
}

static void head_prev_wrong(struct pmm_zone *zone)
{
	zone->free_area[0].free_list.prev = lru(zone, 19);
}

static void empty_prev_wrong(struct pmm_zone *zone)
{
	zone->free_area[1].free_list.prev = lru(zone, 19);
}

static void parked_prev_wrong(struct pmm_zone *zone)
{
	zone->parked.prev = lru(zone, 0);
}

/* 16 is made free like 17, with everything in order but that nobody merged the two. */
static void buddies_not_merged(struct pmm_zone *zone)
{
	used_page_listed(zone);
	zone->state[16] = PMM_STATE(PMM_FREE, 0);
	zone->free_pages++;
	__test_and_change_bit(8, zone->free_area[0].map);
}

static void block_unaligned(struct pmm_zone *zone)
{
	zone->state[18] = PMM_STATE(PMM_USED, 2);
}

static void block_overlaps(struct pmm_zone *zone)
{
	zone->state[4] = PMM_STATE(PMM_USED, 2);
}

static void block_beyond_end(struct pmm_zone *zone)
{
	zone->nr_pages = 63;
}

static void gap(struct pmm_zone *zone)
{
	zone->state[7] = PMM_TAIL;
}

static void no_such_kind(struct pmm_zone *zone)
{
	zone->state[7] = 0xf0;
}

static void no_such_order(struct pmm_zone *zone)
{
	zone->state[7] = PMM_STATE(PMM_USED, 10);
}

static void order_too_small(struct pmm_zone *zone)
{
	zone->state[4] = PMM_STATE(PMM_USED, 0);
}

static void free_order_changed(struct pmm_zone *zone)
{
	zone->state[17] = PMM_STATE(PMM_USED, 0);
}

static void top_order_unlisted(struct pmm_zone *zone)
{
	list_add(lru(zone, 7), &zone->free_area[9].free_list);
}

struct damage {
	const char	*name;
	void		(*damage)(struct pmm_zone *zone);
	const char	*why;	/* how what verify says begins */
};

#define DAMAGE(damage, why)	{ #damage, damage, why }

static const struct damage damages[] = {
	DAMAGE(free_pages_over, "47 pages free by state, 48 counted"),
	DAMAGE(free_pages_under, "47 pages free by state, 46 counted"),
	DAMAGE(nr_parked_over, "12 pages parked by state, 13 counted"),
	DAMAGE(nr_parked_under, "12 pages parked by state, 11 counted"),
	DAMAGE(entry_lost, "order 0: 2 listed, 3 by state"),
	DAMAGE(entry_on_other_order, "order 0: 2 listed, 3 by state"),
	DAMAGE(used_page_listed, "order 0: page 16 is listed, state 0x20"),
	DAMAGE(tail_page_listed, "order 0: page 21 is listed, state 0"),
	DAMAGE(foreign_page_listed, "order 0: broken link behind entry 3"),
	DAMAGE(free_block_parked, "order 0: 2 listed, 3 by state"),
	DAMAGE(parked_block_listed, "order 3: page 8 is listed, state 0x43"),
	DAMAGE(parked_block_lost, "1 blocks parked, 2 by state"),
	DAMAGE(entries_swapped, "order 0: page 20 is listed, state 0x12"),
	DAMAGE(used_block_parked, "order -1: page 16 is listed, state 0x20"),
	DAMAGE(next_skips, "order 0: broken link behind entry 1"),
	DAMAGE(next_null, "order 0: broken link behind entry 1"),
	DAMAGE(next_poison, "order 0: broken link behind entry 1"),
	DAMAGE(next_self, "order 0: broken link behind entry 1"),
	DAMAGE(next_into_other_list, "order 0: broken link behind entry 1"),
	DAMAGE(prev_wrong, "order 0: broken link behind entry 1"),
	DAMAGE(head_null, "order 4: broken link behind entry 0"),
	DAMAGE(head_of_other_list, "order 4: broken link behind entry 0"),
	DAMAGE(head_prev_wrong, "order 0: broken tail"),
	DAMAGE(empty_prev_wrong, "order 1: broken tail"),
	DAMAGE(parked_prev_wrong, "order -1: broken tail"),
	DAMAGE(buddies_not_merged, "order 0 pair 8: 16 and 17"),
	DAMAGE(block_unaligned, "page 18: misplaced block of order 2"),
	DAMAGE(block_overlaps, "page 6: state 0x10 inside block 4"),
	DAMAGE(block_beyond_end, "page 32: misplaced block of order 5"),
	DAMAGE(gap, "page 7: no block begins here, state 0"),
	DAMAGE(no_such_kind, "page 7: no block begins here, state 0xf0"),
	DAMAGE(no_such_order, "page 7: no block begins here, state 0x2a"),
	DAMAGE(order_too_small, "page 5: no block begins here, state 0"),
	DAMAGE(free_order_changed, "order 0: page 17 is listed, state 0x20"),
	DAMAGE(top_order_unlisted, "order 9: page 7 is listed, state 0x20"),
};

static const char *current;

static void where(void)
{
	ktap_say("damage: %s", current);
}

static void assert_named(const struct damage *damage, struct pmm_zone *zone)
{
	struct pmm_verdict v = { };

	current = damage->name;
	stranger = (struct page) { ._refcount = { PMM_PAGE_REFS } };
	damage->damage(zone);
	ASSERT(!pmm_zone_verify(zone, &v));
	if (strncmp(v.why, damage->why, strlen(damage->why)))
		ASSERT_STR(v.why, damage->why);
}

/* Each is named, nothing else changes, and once repaired the zone is sound again. */
static void verify_damage(const void *arg)
{
	struct arena arena;
	struct image image;
	size_t i;

	ktap_where = where;
	stage(&arena);
	image_init(&image, &arena.zone);
	for (i = 0; i < ARRAY_SIZE(damages); i++) {
		assert_named(&damages[i], &arena.zone);
		image_restore(&image, &arena.zone);
		ASSERT_SOUND(&arena.zone);
	}
	image_exit(&image);
	arena_exit(&arena);
}

/* --- the per-CPU lists --- */

/*
 * CPU 0 keeps pages 0 and 1; CPU 1 keeps page 3, and the block of order 1 at 8. Pages 2 and 4 to 7
 * are in use. No CPU may keep more than 3 pages of an order.
 */
static void stage_pcp(struct arena *arena)
{
	unsigned long i;

	arena_init(arena, 64, PMM_EXPAND_LOWER, 0);
	ASSERT_EQ(pmm_pcp_init(&arena->zone), 0);
	for (i = 0; i < 8; i++)
		ASSERT_EQ(arena_alloc(arena, 0), i);
	ASSERT_EQ(arena_alloc(arena, 1), 8);
	ASSERT(pmm_pcp_free(&arena->zone, arena->pages, 0, PMM_USED, CALLER, false));
	ASSERT(pmm_pcp_free(&arena->zone, arena->pages + 1, 0, PMM_USED, CALLER, false));
	shim_set_cpu(1);
	ASSERT(pmm_pcp_free(&arena->zone, arena->pages + 3, 0, PMM_USED, CALLER, false));
	ASSERT(pmm_pcp_free(&arena->zone, arena->pages + 8, 1, PMM_USED, CALLER + 1, false));
	ASSERT_EQ(pmm_page_caller(arena->pages + 8), CALLER + 1);
	ASSERT_SOUND(&arena->zone);
}

static struct pmm_pcp *lists_of(struct pmm_zone *zone, unsigned int cpu)
{
	return per_cpu_ptr(zone->pcp, cpu);
}

static void pcp_too_long(struct pmm_zone *zone)
{
	lists_of(zone, 0)->nr[0] = 4;
}

static void pcp_no_room(struct pmm_zone *zone)
{
	lists_of(zone, 3)->nr[6] = 1;
}

static void pcp_entry_lost(struct pmm_zone *zone)
{
	lists_of(zone, 0)->nr[0]--;
}

static void pcp_block_lost(struct pmm_zone *zone)
{
	lists_of(zone, 1)->nr[1]--;
}

static void pcp_entry_twice(struct pmm_zone *zone)
{
	struct pmm_pcp *pcp = lists_of(zone, 0);

	pmm_pcp_list(pcp, 0)[pcp->nr[0]++] = 0;
}

static void pcp_entry_on_two_cpus(struct pmm_zone *zone)
{
	struct pmm_pcp *pcp = lists_of(zone, 2);

	pmm_pcp_list(pcp, 0)[pcp->nr[0]++] = 3;
}

static void pcp_used_page_listed(struct pmm_zone *zone)
{
	pmm_pcp_list(lists_of(zone, 1), 0)[0] = 2;
}

static void pcp_free_page_listed(struct pmm_zone *zone)
{
	pmm_pcp_list(lists_of(zone, 1), 0)[0] = 32;
}

static void pcp_tail_page_listed(struct pmm_zone *zone)
{
	pmm_pcp_list(lists_of(zone, 1), 0)[0] = 9;
}

static void pcp_other_order_listed(struct pmm_zone *zone)
{
	pmm_pcp_list(lists_of(zone, 1), 1)[0] = 1;
}

static void pcp_foreign_page_listed(struct pmm_zone *zone)
{
	pmm_pcp_list(lists_of(zone, 0), 0)[1] = 64;
}

static void pcp_no_page_listed(struct pmm_zone *zone)
{
	pmm_pcp_list(lists_of(zone, 0), 0)[1] = UINT_MAX;
}

static void pcp_entry_handed_out(struct pmm_zone *zone)
{
	zone->state[1] = PMM_STATE(PMM_USED, 0);
}

static void pcp_unlisted_page(struct pmm_zone *zone)
{
	zone->state[5] = PMM_STATE(PMM_PCP, 0);
}

static void transit_over(struct pmm_zone *zone)
{
	atomic_long_add(1, &zone->transit);
}

static void transit_under(struct pmm_zone *zone)
{
	atomic_long_sub(1, &zone->transit);
}

static const struct damage pcp_damages[] = {
	DAMAGE(pcp_too_long, "cpu 0 order 0: 4 entries"),
	DAMAGE(pcp_no_room, "cpu 3 order 6: 1 entries"),
	DAMAGE(pcp_entry_lost, "5 pages on per-CPU lists by state, 4 counted"),
	DAMAGE(pcp_block_lost, "5 pages on per-CPU lists by state, 3 counted"),
	DAMAGE(pcp_entry_twice, "5 pages on per-CPU lists by state, 6 counted"),
	DAMAGE(pcp_entry_on_two_cpus, "5 pages on per-CPU lists by state, 6 counted"),
	DAMAGE(pcp_used_page_listed, "cpu 1 order 0: page 2 is listed, state 0x20"),
	DAMAGE(pcp_free_page_listed, "cpu 1 order 0: page 32 is listed, state 0x15"),
	DAMAGE(pcp_tail_page_listed, "cpu 1 order 0: page 9 is listed, state 0"),
	DAMAGE(pcp_other_order_listed, "cpu 1 order 1: page 1 is listed, state 0x50"),
	DAMAGE(pcp_foreign_page_listed, "cpu 0 order 0: page 64 is listed, state 0"),
	DAMAGE(pcp_no_page_listed, "cpu 0 order 0: page 4294967295 is listed, state 0"),
	DAMAGE(pcp_entry_handed_out, "cpu 0 order 0: page 1 is listed, state 0x20"),
	DAMAGE(pcp_unlisted_page, "6 pages on per-CPU lists by state, 5 counted"),
	DAMAGE(transit_over, "5 pages on per-CPU lists by state, 6 counted"),
	DAMAGE(transit_under, "5 pages on per-CPU lists by state, 4 counted"),
};

static void verify_pcp(const void *arg)
{
	struct pmm_pcp was[SHIM_NR_CPUS];
	struct pmm_verdict v = { };
	struct arena arena;
	struct image image;
	unsigned int cpu;
	size_t i;

	ktap_where = where;
	stage_pcp(&arena);
	image_init(&image, &arena.zone);
	for (cpu = 0; cpu < SHIM_NR_CPUS; cpu++)
		was[cpu] = *lists_of(&arena.zone, cpu);
	for (i = 0; i < ARRAY_SIZE(pcp_damages); i++) {
		assert_named(&pcp_damages[i], &arena.zone);
		for (cpu = 0; cpu < SHIM_NR_CPUS; cpu++)
			*lists_of(&arena.zone, cpu) = was[cpu];
		image_restore(&image, &arena.zone);
		ASSERT_SOUND(&arena.zone);
	}
	ASSERT(pmm_zone_verify(&arena.zone, &v));
	ASSERT_EQ(v.pcp_blocks, 4);
	ASSERT_EQ(v.used_blocks, 5);
	image_exit(&image);
	pmm_pcp_destroy(&arena.zone);
	arena_exit(&arena);
}

/* --- placement=packed --- */

/* The counts in the record of each largest block, one more and one less, and each other order. */
static void verify_packed(const void *arg)
{
	struct arena arena;
	unsigned int nr;
	int order;

	arena_init_as(&arena, &(const struct setup) {
		1300, PMM_EXPAND_LOWER, PMM_PLACE_PACKED,
	});
	ASSERT_EQ(arena_alloc(&arena, 9), 0);
	ASSERT_EQ(arena_alloc(&arena, 0), 1296);
	for (nr = 0; nr < 3; nr++) {
		struct pmm_pageblock was, *block = &arena.zone.pageblocks[nr];
		struct pmm_verdict v = { };

		was = *block;
		block->fill.nr_free++;
		ASSERT(!pmm_zone_verify(&arena.zone, &v));
		ASSERT(strstr(v.why, "largest block"));
		block->fill.nr_free -= 2;
		ASSERT(!pmm_zone_verify(&arena.zone, &v));
		*block = was;
		for (order = -1; order < PMM_MAX_ORDER; order++) {
			block->fill.max_order = order;
			ASSERT_EQ(pmm_zone_verify(&arena.zone, &(struct pmm_verdict) { }),
				  order == was.fill.max_order);
		}
		*block = was;
		ASSERT_SOUND(&arena.zone);
	}
	arena_exit(&arena);
}

/* --- damage done to every place in turn --- */

static bool found(struct pmm_zone *zone, const char *begins)
{
	struct pmm_verdict v = { };

	return !pmm_zone_verify(zone, &v) && v.why[0] && !strncmp(v.why, begins, strlen(begins));
}

static void flip_every_bit(struct pmm_zone *zone)
{
	unsigned int order;
	unsigned long pair;

	for (order = 0; order < PMM_MAX_ORDER - 1; order++) {
		for (pair = 0; pair < pmm_nr_pairs(zone, order); pair++) {
			char where[64];

			snprintf(where, sizeof(where), "order %u pair %lu: ", order, pair);
			__test_and_change_bit(pair, zone->free_area[order].map);
			ASSERT(found(zone, where));
			__test_and_change_bit(pair, zone->free_area[order].map);
		}
	}
	ASSERT_SOUND(zone);
}

/*
 * Single pages out at random until none is left, then back at random: every bit flipped at stops
 * on the way.
 */
static void verify_bits(const void *arg)
{
	const unsigned long *nr_pages = arg;
	struct arena arena;
	unsigned long i;

	arena_init(&arena, *nr_pages, PMM_EXPAND_UPPER, 0);
	flip_every_bit(&arena.zone);
	for (i = 0; i < *nr_pages; i++)
		ASSERT(arena_alloc(&arena, 0) != NO_PAGE);
	flip_every_bit(&arena.zone);
	for (i = 0; i < *nr_pages; i++) {
		unsigned long index = ktap_below(*nr_pages);

		if (arena.zone.state[index] == PMM_STATE(PMM_USED, 0))
			arena_free(&arena, index, 0);
		if (*nr_pages < 100 || !ktap_below(*nr_pages / 4))
			flip_every_bit(&arena.zone);
	}
	arena_exit(&arena);
}

/*
 * Every value of every state byte. Verify cannot see one change, as it should be: the kind of a
 * block in use, because nothing else in the zone depends on its user.
 */
static void verify_state_bytes(const void *arg)
{
	void (*stage_zone)(struct arena *arena) = arg ? stage_pcp : stage;
	unsigned int value, index;
	struct arena arena;

	stage_zone(&arena);
	for (index = 0; index < 64; index++) {
		u8 *state = &arena.zone.state[index], old = *state;
		u8 mapped = PMM_STATE(PMM_MAPPED, old & 0xf);

		for (value = 0; value < 256; value++) {
			if (value == old || (old >> 4 == PMM_USED && value == mapped))
				continue;
			*state = value;
			ASSERT(found(&arena.zone, ""));
		}
		*state = old;
	}
	ASSERT_SOUND(&arena.zone);
	if (arena.zone.pcp)
		pmm_pcp_destroy(&arena.zone);
	arena_exit(&arena);
}

/* --- the vm_struct list --- */

#define START		0x10000000UL
#define PAGES(nr)	((nr) * PAGE_SIZE)

/*
 * Three areas of 2, 3 and 4 pages in a window of 16, with a hole before the last:
 *
 *	[0 1][2 3 4] 5 6 [7 8 9 10] 11 12 13 14 15
 */
static struct pmm_area areas[3];

static struct pmm_vm_struct *area_at(struct pmm_vm_struct *vm, unsigned long page,
				     unsigned long pages)
{
	vm->addr = (void *)(START + PAGES(page));
	vm->size = PAGES(pages);
	return vm;
}

static struct pmm_vmlist window(void)
{
	struct pmm_vmlist list;

	pmm_vmlist_init(&list, START, PAGES(16));
	memset(areas, 0, sizeof(areas));
	area_at(&areas[0].vm, 0, 2)->next = &areas[1].vm;
	area_at(&areas[1].vm, 2, 3)->next = &areas[2].vm;
	area_at(&areas[2].vm, 7, 4);
	areas[1].prev = &areas[0].vm;
	areas[2].prev = &areas[1].vm;
	list.head = &areas[0].vm;
	list.tail = &areas[2].vm;
	list.nr_areas = 3;
	return list;
}

struct vm_damage {
	unsigned int	area;
	unsigned long	addr;		/* pages from START, or a byte address when above 16 */
	unsigned long	size;		/* likewise */
	const char	*why;
};

static const char untidy[] = "not whole pages and a guard page";
static const char overlaps[] = "overlapping";
static const char beyond[] = "beyond the window";

static const struct vm_damage vm_damages[] = {
	{ 0, START - PAGE_SIZE, 2, overlaps },
	{ 0, START + 1, 2, untidy },
	{ 0, 0, 1, untidy },			/* a guard page alone */
	{ 0, 0, 0, untidy },
	{ 0, 0, PAGES(2) + 1, untidy },
	{ 0, 0, PAGES(2) - 1, untidy },
	{ 0, 0, 3, overlaps },			/* the second overlaps it */
	{ 0, 3, 2, overlaps },			/* so does one within the other */
	{ 0, 12, 2, overlaps },			/* out of order */
	{ 1, 1, 3, overlaps },
	{ 1, 5, 3, overlaps },
	{ 2, 2, 4, overlaps },
	{ 2, 13, 4, beyond },
	{ 2, 7, 10, beyond },
	{ 2, START + PAGES(16), 2, beyond },
	{ 2, START + PAGES(17), 2, beyond },
	{ 2, -PAGE_SIZE, 2, beyond },		/* addr + size overflows */
	{ 2, 7, -PAGES(4), beyond },
	{ 2, 7, -PAGES(7) - START, beyond },	/* addr + size is 0 */
};

static unsigned long vm_bytes(unsigned long value)
{
	return value <= 16 ? PAGES(value) : value;
}

static void verify_areas(const void *arg)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vm_damages); i++) {
		const struct vm_damage *damage = &vm_damages[i];
		struct pmm_vmlist list = window();
		struct pmm_verdict v = { };

		ASSERT(pmm_vmlist_verify(&list, &v));
		ASSERT_EQ(v.areas, 3);
		areas[damage->area].vm.addr =
			(void *)(damage->addr <= 16 ? START + PAGES(damage->addr) : damage->addr);
		areas[damage->area].vm.size = vm_bytes(damage->size);
		ASSERT(!pmm_vmlist_verify(&list, &v));
		if (!strstr(v.why, damage->why))
			ASSERT_STR(v.why, damage->why);
	}
}

/* What just fits is no damage. */
static void verify_areas_fit(const void *arg)
{
	struct pmm_vmlist list = window();
	struct pmm_verdict v = { };

	areas[2].vm.size = PAGES(9);
	ASSERT(pmm_vmlist_verify(&list, &v));
	areas[2].vm.addr = (void *)(START + PAGES(14));
	areas[2].vm.size = PAGES(2);
	ASSERT(pmm_vmlist_verify(&list, &v));
	areas[2].vm.addr = (void *)(START + PAGES(5));
	ASSERT(pmm_vmlist_verify(&list, &v));
	ASSERT_STR(v.why, "");
}

static void verify_area_links(const void *arg)
{
	struct pmm_vmlist list = window();
	struct pmm_verdict v = { };

	list.nr_areas++;
	ASSERT(!pmm_vmlist_verify(&list, &v));
	ASSERT_STR(v.why, "3 areas listed, 4 counted");

	v = (struct pmm_verdict) { };
	list.nr_areas = 3;
	areas[1].vm.next = NULL;
	list.tail = &areas[1].vm;
	ASSERT(!pmm_vmlist_verify(&list, &v));
	ASSERT_STR(v.why, "2 areas listed, 3 counted");

	v = (struct pmm_verdict) { };
	list = window();
	areas[2].vm.next = &areas[0].vm;	/* a ring, which ends all the same */
	ASSERT(!pmm_vmlist_verify(&list, &v));
	ASSERT(strstr(v.why, overlaps));

	v = (struct pmm_verdict) { };
	list = window();
	list.head = NULL;
	list.tail = NULL;
	ASSERT(!pmm_vmlist_verify(&list, &v));
	ASSERT_STR(v.why, "0 areas listed, 3 counted");
}

/* --- the tree, and what waits --- */

#define NR_AREAS	7

/*
 * Seven areas of 2 pages, with holes before the second, the fourth and the sixth; the largest is
 * the last, or the first. Areas 1 and 2 wait, but not as one: a purge of the former had begun when
 * the latter was freed.
 *
 *	[0] . . . [1][2] . . [3][4] . . . . [5][6]
 */
static struct window {
	struct pmm_vmlist	list;
	struct pmm_vm_struct	*vm[NR_AREAS];
	struct list_head	purged;
	struct pmm_vmlist	list_was;
	struct pmm_area		area_was[NR_AREAS];
} win;

static struct pmm_area *nth(unsigned int nr)
{
	return pmm_area(win.vm[nr]);
}

static void save_window(void)
{
	unsigned int i;

	win.list_was = win.list;
	for (i = 0; i < NR_AREAS; i++)
		win.area_was[i] = *nth(i);
}

static void stage_window(bool search_tree, bool largest_first)
{
	const unsigned long holes[NR_AREAS] = {
		[1] = largest_first ? 4 : 3, [3] = 2, [5] = largest_first ? 3 : 4,
	};
	struct pmm_vm_struct *filler[NR_AREAS] = { NULL };
	unsigned int i;

	pmm_vmlist_init(&win.list, START, PAGES(32));
	win.list.search_tree = search_tree;
	for (i = 0; i < NR_AREAS; i++) {
		if (holes[i])
			filler[i] = pmm_vmlist_get(&win.list, PAGES(holes[i] - 1), PMM_VM_MAP,
						   GFP_KERNEL, NULL);
		win.vm[i] = pmm_vmlist_get(&win.list, PAGES(1), PMM_VM_MAP, GFP_KERNEL, NULL);
	}
	for (i = 0; i < NR_AREAS; i++) {
		if (filler[i])
			pmm_vmlist_unlink(&win.list, filler[i]);
		kfree(filler[i]);
	}
	pmm_vmlist_retire(&win.list, win.vm[1]);
	ASSERT(pmm_vmlist_purge_begin(&win.list, &win.purged));
	pmm_vmlist_retire(&win.list, win.vm[2]);
	spin_lock(&win.list.lock);
	if (win.list.top)
		__pmm_tree_settle(&win.list);
	spin_unlock(&win.list.lock);
	save_window();
}

static void repair_window(void)
{
	struct pmm_verdict v = { };
	unsigned int i;

	win.list = win.list_was;
	for (i = 0; i < NR_AREAS; i++)
		*nth(i) = win.area_was[i];
	ASSERT(pmm_vmlist_verify(&win.list, &v));
	ASSERT_EQ(v.areas, win.list.nr_areas - win.list.nr_lazy);
}

static void unstage_window(void)
{
	struct list_head purged;

	pmm_vmlist_purge_end(&win.list, &win.purged);
	ASSERT(pmm_vmlist_purge_begin(&win.list, &purged));
	pmm_vmlist_purge_end(&win.list, &purged);
	while (win.list.head) {
		struct pmm_vm_struct *vm = win.list.head;

		pmm_vmlist_unlink(&win.list, vm);
		kfree(vm);
	}
	pmm_vmlist_destroy(&win.list);
}

static void found_in_window(const char *why)
{
	struct pmm_verdict v = { };

	ASSERT(!pmm_vmlist_verify(&win.list, &v));
	if (!strstr(v.why, why))
		ASSERT_STR(v.why, why);
	repair_window();
}

static const char links[] = "broken links, or the wrong hole";
static const char counts[] = "counted";

static void damage_each_area(void)
{
	unsigned int i, other;

	for (i = 0; i < NR_AREAS; i++) {
		current = "prev";
		for (other = 0; other < NR_AREAS; other++) {
			if (other + 1 == i)
				continue;
			nth(i)->prev = win.vm[other];
			found_in_window(links);
		}
		nth(i)->prev = i ? NULL : win.vm[0];
		found_in_window(links);
		current = "state";
		nth(i)->state = pmm_area_waits(nth(i)) ? PMM_AREA_DYING : PMM_AREA_LAZY;
		found_in_window(counts);
	}
}

/* The areas that wait, and the list's end. */
static void verify_waiting(const void *arg)
{
	ktap_where = where;
	stage_window(arg, false);
	repair_window();
	damage_each_area();
	current = "nr_lazy";
	win.list.nr_lazy++;
	found_in_window("2 areas of 16384 bytes wait, 3 of 16384 counted");
	win.list.nr_lazy = 1;
	found_in_window("2 areas of 16384 bytes wait, 1 of 16384 counted");
	current = "lazy_bytes";
	win.list.lazy_bytes += PAGE_SIZE;
	found_in_window("2 areas of 16384 bytes wait, 2 of 20480 counted");
	win.list.lazy_bytes -= PAGE_SIZE;
	found_in_window("2 areas of 16384 bytes wait, 2 of 12288 counted");
	current = "tail";
	win.list.tail = NULL;
	found_in_window("");
	win.list.tail = win.vm[NR_AREAS - 2];
	found_in_window("");
	unstage_window();
}

static void cut_off(struct rb_node *node)
{
	struct rb_node *parent = rb_parent(node);

	if (!parent)
		win.list.tree.rb_node = NULL;
	else if (parent->rb_left == node)
		parent->rb_left = NULL;
	else
		parent->rb_right = NULL;
}

static void damage_gaps(struct pmm_area *area)
{
	current = "gap";
	area->gap += PAGE_SIZE;
	found_in_window(links);
	area->gap -= PAGE_SIZE;
	found_in_window(links);
	current = "max_gap";
	area->max_gap += PAGE_SIZE;
	found_in_window(links);
	area->max_gap -= PAGE_SIZE;
	found_in_window(links);
}

static void damage_node(struct pmm_area *area)
{
	struct rb_node *node = &area->node, *left = node->rb_left;

	if (left || node->rb_right) {
		current = "children swapped";
		node->rb_left = node->rb_right;
		node->rb_right = left;
		found_in_window(links);
	}
	current = "a ring";
	node->rb_left = node;
	found_in_window(links);
	node->rb_right = node;
	found_in_window(links);
	current = "cut off";
	cut_off(node);
	found_in_window("");
}

/* A node in the tree, where it belongs by its address, that is not on the list. */
static void damage_by_stranger(void)
{
	struct pmm_area *last = nth(NR_AREAS - 1), extra = { .vm.addr = (void *)-PAGE_SIZE };

	current = "a stranger";
	while (last->node.rb_right)
		last = rb_entry(last->node.rb_right, struct pmm_area, node);
	last->node.rb_right = &extra.node;
	found_in_window("7 areas listed, others in the tree");
}

static void verify_tree(const void *arg)
{
	unsigned int i;

	ktap_where = where;
	stage_window(true, arg);
	repair_window();
	for (i = 0; i < NR_AREAS; i++) {
		damage_gaps(nth(i));
		damage_node(nth(i));
	}
	damage_by_stranger();
	current = "a list in place of a tree";
	win.list.tree = RB_ROOT;
	found_in_window("7 areas listed, others in the tree");
	unstage_window();
}

/* The highest area, and no other, may be missing in the tree, when there is no hole below it. */
static void verify_top(const void *arg)
{
	struct pmm_area stranger = { };
	struct pmm_vm_struct *vm;

	ktap_where = where;
	stage_window(true, false);
	current = "in the tree, and on top";
	win.list.top = nth(NR_AREAS - 1);
	found_in_window("7 areas listed, others in the tree");
	current = "of no area";
	win.list.top = &stranger;
	found_in_window("7 areas listed, others in the tree");
	vm = pmm_vmlist_get(&win.list, PAGES(4), PMM_VM_MAP, GFP_KERNEL, NULL);
	ASSERT(win.list.top == pmm_area(vm));
	save_window();
	current = "a hole below";
	vm->addr += PAGE_SIZE;
	ASSERT(!pmm_vmlist_verify(&win.list, &(struct pmm_verdict){ }));
	vm->addr -= PAGE_SIZE;
	unstage_window();
}

/* Only the first violation is reported, and a later walk that finds none leaves it standing. */
static void verify_first_only(const void *arg)
{
	struct pmm_vmlist list = window();
	struct pmm_verdict v = { };
	struct arena arena;

	arena_init(&arena, 16, PMM_EXPAND_UPPER, 0);
	list.nr_areas++;
	arena.zone.free_pages++;
	ASSERT(!pmm_vmlist_verify(&list, &v));
	ASSERT(!pmm_zone_verify(&arena.zone, &v));
	ASSERT_STR(v.why, "3 areas listed, 4 counted");
	arena.zone.free_pages--;
	v.blocks = 0;
	ASSERT(pmm_zone_verify(&arena.zone, &v));
	ASSERT(pmm_zone_verify(&arena.zone, &v));
	ASSERT_EQ(v.blocks, 2);		/* each walk adds what it counts */
	ASSERT_STR(v.why, "3 areas listed, 4 counted");
	arena_exit(&arena);
}

#define BITS(nr)	{ "verify-bits-" #nr, verify_bits, &(const unsigned long){ nr } }

const struct ktap_test verify_tests[] = {
	{ "verify-counts", verify_counts, NULL },
	{ "verify-damage", verify_damage, NULL },
	{ "verify-pcp", verify_pcp, NULL },
	{ "verify-packed", verify_packed, NULL },
	BITS(1),
	BITS(16),
	BITS(17),
	BITS(64),
	BITS(777),
	{ "verify-state-bytes", verify_state_bytes, NULL },
	{ "verify-state-bytes-pcp", verify_state_bytes, "" },
	{ "verify-areas", verify_areas, NULL },
	{ "verify-areas-fit", verify_areas_fit, NULL },
	{ "verify-area-links", verify_area_links, NULL },
	{ "verify-waiting", verify_waiting, NULL },
	{ "verify-waiting-tree", verify_waiting, "" },
	{ "verify-tree", verify_tree, NULL },
	{ "verify-tree-largest-first", verify_tree, "" },
	{ "verify-top", verify_top, NULL },
	{ "verify-first-only", verify_first_only, NULL },
	{ }
};

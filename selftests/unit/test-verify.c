// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: verify.c is tested in its turn: each kind of damage that it knows is done on purpose,
 * and it must name it. A verify that always says yes would make every other test here worth less.
 */
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

/* What a sound zone is said to hold. */
static void verify_counts(const void *arg)
{
	struct pmm_verdict v = { };
	struct image image;
	struct arena arena;

	(void)arg;
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

/* Each is named, nothing else changes, and once repaired the zone is sound again. */
static void verify_damage(const void *arg)
{
	struct arena arena;
	struct image image;
	size_t i;

	(void)arg;
	ktap_where = where;
	stage(&arena);
	image_init(&image, &arena.zone);
	for (i = 0; i < ARRAY_SIZE(damages); i++) {
		struct pmm_verdict v = { };

		current = damages[i].name;
		stranger = (struct page) { ._refcount = { 1 } };
		damages[i].damage(&arena.zone);
		ASSERT(!pmm_zone_verify(&arena.zone, &v));
		if (strncmp(v.why, damages[i].why, strlen(damages[i].why)))
			ASSERT_STR(v.why, damages[i].why);
		image_restore(&image, &arena.zone);
		ASSERT_SOUND(&arena.zone);
	}
	image_exit(&image);
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
 * Every value of every state byte. One change is out of verify's sight, as it should be: the kind
 * of a block in use, for nothing else in the zone depends on who uses it.
 */
static void verify_state_bytes(const void *arg)
{
	unsigned int value, index;
	struct arena arena;

	(void)arg;
	stage(&arena);
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

	(void)arg;
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

	(void)arg;
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

	(void)arg;
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

/* Only the first violation is told, and a later walk that finds all well leaves it standing. */
static void verify_first_only(const void *arg)
{
	struct pmm_vmlist list = window();
	struct pmm_verdict v = { };
	struct arena arena;

	(void)arg;
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
	BITS(1),
	BITS(16),
	BITS(17),
	BITS(64),
	BITS(777),
	{ "verify-state-bytes", verify_state_bytes, NULL },
	{ "verify-areas", verify_areas, NULL },
	{ "verify-areas-fit", verify_areas_fit, NULL },
	{ "verify-area-links", verify_area_links, NULL },
	{ "verify-first-only", verify_first_only, NULL },
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: blocks that are freed while somebody still references one of their pages, as a user
 * mapping does. They are parked: neither free nor the owner's, until the last reference has gone
 * and somebody looks.
 */
#include <stdlib.h>

#include "zone.h"

/* An arena whose pages are all handed out, in single pages except for the order-3 block at 0. */
static void all_out(struct arena *arena, unsigned long nr_pages)
{
	unsigned long i;

	arena_init(arena, nr_pages, PMM_EXPAND_LOWER, 0);
	ASSERT_EQ(arena_alloc(arena, 3), 0);
	for (i = 8; i < nr_pages; i++)
		ASSERT_EQ(arena_alloc(arena, 0), i);
}

static void park(struct arena *arena, unsigned long index, unsigned int order,
		 unsigned long referenced)
{
	get_page(&arena->pages[referenced]);
	ASSERT_EQ(arena_free(arena, index, order), PMM_FREE_PARKED);
	ASSERT_EQ(arena->zone.state[index], PMM_STATE(PMM_PARKED, order));
	ASSERT_SOUND(&arena->zone);
}

/*
 * Whichever page of the block is referenced, first, last or between, the whole is parked, and no
 * page gets free.
 */
static void parking_any_page(const void *arg)
{
	struct arena arena;
	unsigned long i;

	for (i = 0; i < 8; i++) {
		all_out(&arena, 16);
		park(&arena, 0, 3, i);
		ASSERT_EQ(arena.zone.free_pages, 0);
		ASSERT_EQ(arena.zone.nr_parked, 8);
		ASSERT_EQ(arena.zone.stat.parked, 1);
		ASSERT_EQ(arena.zone.stat.frees, 0);
		ASSERT_EQ(arena_alloc(&arena, 0), NO_PAGE);
		ASSERT_EQ(arena.zone.nr_parked, 8);
		arena_exit(&arena);
	}
}

/* A reference to the page after the block does not park the block. */
static void parking_neighbour(const void *arg)
{
	struct arena arena;

	all_out(&arena, 16);
	get_page(&arena.pages[8]);
	ASSERT_EQ(arena_free(&arena, 0, 3), PMM_FREE_OK);
	ASSERT_EQ(arena_free(&arena, 9, 0), PMM_FREE_OK);
	ASSERT_EQ(arena.zone.nr_parked, 0);
	arena_exit(&arena);
}

/* Frees of single blocks, whatever their order, pass by what is parked. */
static void parking_later_free(const void *arg)
{
	struct arena arena;
	unsigned int order;

	arena_init(&arena, 1024, PMM_EXPAND_LOWER, 0);
	ASSERT_EQ(arena_alloc(&arena, 3), 512);
	park(&arena, 512, 3, 517);
	put_page(&arena.pages[517]);
	for (order = 0; order < PMM_MAX_ORDER; order++)
		ASSERT_EQ(arena_free(&arena, arena_alloc(&arena, order), order), PMM_FREE_OK);
	ASSERT_EQ(arena.zone.nr_parked, 8);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 8);
	ASSERT_EQ(arena.zone.stat.frees, 1 + PMM_MAX_ORDER);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

/* --- the pool drops a reference of its own ---------------------------------------------------- */

static void put_and_recycle(struct arena *arena, unsigned long index)
{
	struct page *page = &arena->pages[index];

	put_page(page);
	pmm_zone_recycle(&arena->zone, &page, 1);
}

/* Exactly the block of this page is recycled, whichever of its pages this is. */
static void parking_recycle(const void *arg)
{
	struct arena arena;
	unsigned long i;

	for (i = 0; i < 8; i++) {
		all_out(&arena, 16);
		park(&arena, 8, 0, 8);
		put_page(&arena.pages[8]);
		park(&arena, 0, 3, i);
		park(&arena, 15, 0, 15);
		put_page(&arena.pages[15]);
		put_and_recycle(&arena, i);
		ASSERT_EQ(arena.zone.nr_parked, 2);
		ASSERT_EQ(arena.zone.free_pages, 8);
		ASSERT_EQ(arena.zone.stat.frees, 1);
		ASSERT_SOUND(&arena.zone);
		arena_exit(&arena);
	}
}

/* Not before the last of its references has gone, of whichever page. */
static void parking_recycle_last(const void *arg)
{
	struct arena arena;

	all_out(&arena, 16);
	get_page(&arena.pages[2]);
	get_page(&arena.pages[6]);
	park(&arena, 0, 3, 2);
	put_and_recycle(&arena, 2);
	ASSERT_EQ(arena.zone.nr_parked, 8);
	put_and_recycle(&arena, 6);
	ASSERT_EQ(arena.zone.nr_parked, 8);
	put_and_recycle(&arena, 2);
	ASSERT_EQ(arena.zone.nr_parked, 0);
	ASSERT_EQ(arena.zone.free_pages, 8);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

/* The lock is taken once for each parked block, and not for other pages. */
static void parking_recycle_locks(const void *arg)
{
	struct page *pages[20], foreign;
	unsigned long i, locked;
	struct arena arena;

	all_out(&arena, 16);
	park(&arena, 0, 3, 7);
	park(&arena, 9, 0, 9);
	ASSERT_EQ(arena_free(&arena, 11, 0), PMM_FREE_OK);
	for (i = 0; i < 16; i++)
		pages[i] = &arena.pages[i];
	pages[16] = &foreign;
	pages[17] = NULL;
	pages[18] = arena.pages + 16;
	pages[19] = arena.pages - 1;
	locked = shim_nr_locked();
	pmm_zone_recycle(&arena.zone, pages, 20);
	ASSERT_EQ(shim_nr_locked(), locked + 2);
	ASSERT_EQ(arena.zone.nr_parked, 9);
	put_page(&arena.pages[7]);
	put_page(&arena.pages[9]);
	pmm_zone_recycle(&arena.zone, pages, 20);
	ASSERT_EQ(shim_nr_locked(), locked + 4);
	ASSERT_EQ(arena.zone.free_pages, 10);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

static struct page *dropped;

static void drop(enum shim_point point)
{
	if (point != SHIM_BARRIER || !dropped)
		return;
	put_page(dropped);
	dropped = NULL;
}

/*
 * The last reference goes while the block is being parked, and its holder has seen nothing parked:
 * the free itself notices.
 */
static void parking_race(const void *arg)
{
	struct arena arena;
	unsigned long i;

	for (i = 0; i < 8; i++) {
		all_out(&arena, 16);
		dropped = &arena.pages[i];
		get_page(dropped);
		shim_hook = drop;
		ASSERT_EQ(arena_free(&arena, 0, 3), PMM_FREE_PARKED);
		shim_hook = NULL;
		ASSERT(!dropped);
		ASSERT_EQ(arena.zone.nr_parked, 0);
		ASSERT_EQ(arena.zone.free_pages, 8);
		ASSERT_EQ(arena.zone.stat.parked, 1);
		ASSERT_EQ(arena.zone.stat.frees, 1);
		ASSERT_EQ(zone_reap_requests, 0);
		ASSERT_SOUND(&arena.zone);
		arena_exit(&arena);
	}
}

/* --- somebody else drops one: all parked blocks are checked ----------------------------------- */

/* Whatever is parked, the kernel is asked to look after it. */
static void parking_asks(const void *arg)
{
	struct page *page;
	struct arena arena;

	all_out(&arena, 16);
	park(&arena, 0, 3, 5);
	ASSERT_EQ(zone_reap_requests, 1);
	page = &arena.pages[9];
	get_page(page);
	pmm_zone_free_bulk(&arena.zone, 1, &page, PMM_USED, CALLER);
	ASSERT_EQ(arena.zone.nr_parked, 9);
	ASSERT_EQ(zone_reap_requests, 2);
	arena_exit(&arena);
}

static void parking_reap(const void *arg)
{
	struct arena arena;

	all_out(&arena, 16);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 0);
	park(&arena, 0, 3, 0);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 0);
	put_page(&arena.pages[0]);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 8);
	ASSERT_EQ(arena.zone.free_pages, 8);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 0);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

/*
 * Some referenced and some not, in every combination of four: reap takes those, leaves these, and
 * comes to an end.
 */
static void parking_reap_some(const void *arg)
{
	struct arena arena;
	unsigned int set, i;

	for (set = 0; set < 16; set++) {
		all_out(&arena, 16);
		for (i = 0; i < 4; i++)
			park(&arena, 8 + 2 * i, 0, 8 + 2 * i);
		for (i = 0; i < 4; i++)
			if (set >> i & 1)
				put_page(&arena.pages[8 + 2 * i]);
		ASSERT_EQ(pmm_zone_reap(&arena.zone), __builtin_popcount(set));
		ASSERT_EQ(arena.zone.nr_parked, 4 - __builtin_popcount(set));
		for (i = 0; i < 4; i++)
			ASSERT_EQ(arena.zone.state[8 + 2 * i],
				  PMM_STATE(set >> i & 1 ? PMM_FREE : PMM_PARKED, 0));
		ASSERT_SOUND(&arena.zone);
		arena_exit(&arena);
	}
}

/*
 * An allocation that would fail checks the parked blocks first, whether it lacks pages, a block or
 * pages above the watermark.
 */
static void parking_allocation(const void *arg)
{
	struct arena arena;

	all_out(&arena, 16);
	park(&arena, 0, 3, 7);
	ASSERT_EQ(arena_alloc(&arena, 3), NO_PAGE);
	put_page(&arena.pages[7]);
	ASSERT_EQ(arena_alloc(&arena, 3), 0);
	ASSERT_EQ(arena.zone.stat.failures, 1);

	park(&arena, 0, 3, 1);
	put_page(&arena.pages[1]);
	arena.zone.pages_min = 7;
	pmm_zone_retune(&arena.zone);
	ASSERT_EQ(arena_alloc(&arena, 0), 0);	/* 8 free, 7 remain */
	ASSERT_EQ(arena_alloc(&arena, 0), NO_PAGE);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

/* With several parked for good, an allocation that fails does come back. */
static void parking_allocation_fails(const void *arg)
{
	struct arena arena;

	all_out(&arena, 16);
	park(&arena, 0, 3, 2);
	park(&arena, 8, 0, 8);
	park(&arena, 9, 0, 9);
	put_page(&arena.pages[8]);
	ASSERT_EQ(arena_alloc(&arena, 1), NO_PAGE);
	ASSERT_EQ(arena.zone.free_pages, 1);	/* page 8 was recycled all the same */
	ASSERT_EQ(arena_alloc(&arena, 0), 8);
	ASSERT_EQ(arena_alloc(&arena, 0), NO_PAGE);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

/* --- batches ---------------------------------------------------------------------------------- */

static void batch(struct arena *arena, unsigned long nr)
{
	struct page *pages[64];
	unsigned long i;

	ASSERT_EQ(pmm_zone_alloc_bulk(&arena->zone, GFP_KERNEL, 0, PMM_USED, CALLER, nr, pages),
		  nr);
	for (i = 0; i < nr; i++)
		ASSERT_EQ(arena_free(arena, pages[i] - arena->pages, 0), PMM_FREE_OK);
}

/*
 * A batch of 64 looks at the 8 oldest pages only, but they take turns: whichever of 256 pages lost
 * its reference is found by the 32nd batch at the latest.
 */
static void parking_takes_turns(const void *arg)
{
	unsigned long i, parked, batches;
	struct arena arena;

	for (i = 256; i < 512; i += 5) {
		all_out(&arena, 512);
		for (parked = 256; parked < 512; parked++)
			park(&arena, parked, 0, parked);
		for (parked = 64; parked < 128; parked++)
			ASSERT_EQ(arena_free(&arena, parked, 0), PMM_FREE_OK);
		put_page(&arena.pages[i]);
		for (batches = 0; arena.zone.nr_parked == 256 && batches < 100; batches++)
			batch(&arena, 64);
		ASSERT_EQ(batches, (i - 256) / 8 + 1);
		ASSERT_EQ(arena.zone.state[i], PMM_STATE(PMM_FREE, 0));
		arena_exit(&arena);
	}
}

/* It is pages that are counted: a batch takes no longer where the blocks are large. */
static void parking_counts_pages(const void *arg)
{
	struct arena arena;
	unsigned long i;

	arena_init(&arena, 512, PMM_EXPAND_LOWER, 0);
	ASSERT_EQ(arena_alloc(&arena, 2), 0);
	ASSERT_EQ(arena_alloc(&arena, 2), 4);
	ASSERT_EQ(arena_alloc(&arena, 2), 8);
	ASSERT_EQ(arena_alloc(&arena, 4), 16);
	for (i = 0; i < 3; i++)
		park(&arena, 4 * i, 2, 4 * i + 3);
	park(&arena, 16, 4, 31);
	for (i = 0; i < 3; i++)
		put_page(&arena.pages[4 * i + 3]);
	batch(&arena, 31);
	ASSERT_EQ(arena.zone.nr_parked, 12 + 16);
	batch(&arena, 64);
	ASSERT_EQ(arena.zone.nr_parked, 4 + 16);
	batch(&arena, 32);
	ASSERT_EQ(arena.zone.nr_parked, 16);
	put_page(&arena.pages[31]);
	batch(&arena, 64);
	ASSERT_EQ(arena.zone.nr_parked, 16);	/* for others to find */
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 16);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

/* --- pieces ----------------------------------------------------------------------------------- */

static struct {
	struct arena	arena;
	unsigned long	unlocked;	/* times that others were let in */
	u64		frees;		/* that had been made by then */
	u64		most;		/* between two of those times */
	unsigned long	next;		/* the next page that others park, or 0 */
} pieces;

static void let_others_in(enum shim_point point)
{
	struct pmm_zone *zone = &pieces.arena.zone;
	unsigned long left = 8;

	if (point != SHIM_UNLOCKED || shim_irqs_off())
		return;
	pieces.unlocked++;
	if (zone->stat.frees - pieces.frees > pieces.most)
		pieces.most = zone->stat.frees - pieces.frees;
	if (pieces.next) {
		get_page(&pieces.arena.pages[pieces.next]);
		arena_free(&pieces.arena, pieces.next++, 0);
		pmm_zone_reap_piece(zone, &left);
	}
	pieces.frees = zone->stat.frees;
}

static void begin_pieces(unsigned long nr_pages, unsigned long parked)
{
	unsigned long i;

	arena_init(&pieces.arena, nr_pages, PMM_EXPAND_LOWER, 0);
	for (i = 0; i < nr_pages; i++)
		ASSERT(arena_alloc(&pieces.arena, 0) != NO_PAGE);
	for (i = 0; i < parked; i++) {
		get_page(&pieces.arena.pages[8 + i]);
		ASSERT_EQ(arena_free(&pieces.arena, 8 + i, 0), PMM_FREE_PARKED);
	}
	pieces.unlocked = 0;
	pieces.most = 0;
	pieces.next = 0;
	pieces.frees = 0;
	shim_hook = let_others_in;
}

static void put_pages(unsigned long first, unsigned long nr)
{
	while (nr--)
		put_page(&pieces.arena.pages[first++]);
}

/* However many there are, others get the lock every 64 blocks. */
static void parking_pieces(const void *arg)
{
	begin_pieces(4096, 3000);
	ASSERT_EQ(pmm_zone_reap(&pieces.arena.zone), 0);
	ASSERT(pieces.unlocked >= 3000 / PMM_REAP_BLOCKS);
	put_pages(8, 3000);
	pieces.unlocked = 0;
	ASSERT_EQ(pmm_zone_reap(&pieces.arena.zone), 3000);
	ASSERT(pieces.unlocked >= 3000 / PMM_REAP_BLOCKS);
	ASSERT(pieces.most <= PMM_REAP_BLOCKS);
	ASSERT_SOUND(&pieces.arena.zone);
	arena_exit(&pieces.arena);
}

/* Of the largest blocks, each is a piece. */
static void parking_pieces_large(const void *arg)
{
	struct pmm_zone *zone = &pieces.arena.zone;
	unsigned int i;

	arena_init(&pieces.arena, 4096, PMM_EXPAND_LOWER, 0);
	for (i = 0; i < 8; i++)
		ASSERT(arena_alloc(&pieces.arena, 9) != NO_PAGE);
	for (i = 0; i < 8; i++)
		park(&pieces.arena, 512 * i, 9, 512 * i + 511);
	for (i = 0; i < 8; i++)
		put_page(&pieces.arena.pages[512 * i + 511]);
	memset(&pieces.unlocked, 0, sizeof(pieces) - offsetof(typeof(pieces), unlocked));
	shim_hook = let_others_in;
	ASSERT_EQ(pmm_zone_reap(zone), 4096);
	ASSERT(pieces.unlocked >= 8);
	ASSERT_EQ(pieces.most, 1);
	arena_exit(&pieces.arena);
}

/*
 * Others park pages and check some, with each piece. There is an end, and all that had no
 * references at the beginning are free by then.
 */
static void parking_pieces_busy(const void *arg)
{
	struct pmm_zone *zone = &pieces.arena.zone;

	begin_pieces(4096, 2000);
	put_pages(1500, 300);
	pieces.next = 3000;
	pmm_zone_reap(zone);
	shim_hook = NULL;
	ASSERT(pieces.next > 3000 && pieces.next < 3100);
	ASSERT_EQ(zone->stat.frees, 300);
	ASSERT_EQ(zone->free_pages, 300);
	ASSERT_SOUND(zone);
	arena_exit(&pieces.arena);
}

static void alloc_in_interrupt(void)
{
	ASSERT_EQ(arena_alloc(&pieces.arena, 0), NO_PAGE);
}

/*
 * An allocation that cannot wait, as its caller may have turned interrupts off, does not check all
 * of very many before it fails; the next goes on there.
 */
static void parking_atomic(const void *arg)
{
	begin_pieces(4096, 4000);
	put_pages(8 + PMM_REAP_ATOMIC, 1);
	shim_hook = NULL;
	shim_interrupt(0, alloc_in_interrupt);
	ASSERT_EQ(pieces.arena.zone.nr_parked, 4000);
	ASSERT_EQ(arena_alloc(&pieces.arena, 0), 8 + PMM_REAP_ATOMIC);
	ASSERT_EQ(arena_alloc(&pieces.arena, 0), NO_PAGE);
	arena_exit(&pieces.arena);
}

static void check_some(enum shim_point point)
{
	unsigned long left = 100;

	if (point == SHIM_UNLOCKED && !shim_irqs_off())
		pmm_zone_reap_piece(&pieces.arena.zone, &left);
}

/* A queue whose blocks have gone to the end meanwhile does not look broken to verify. */
static void parking_verify(const void *arg)
{
	struct pmm_verdict v = { };

	begin_pieces(4096, 3000);
	shim_hook = check_some;
	if (!pmm_zone_verify(&pieces.arena.zone, &v))
		ktap_fail(__FILE__, __LINE__, "verify: %s", v.why);
	ASSERT_EQ(v.parked_blocks, 3000);
	arena_exit(&pieces.arena);
}

/* --- as any other block ----------------------------------------------------------------------- */

/* A block that was parked merges like any other, and the zone is whole again. */
static void parking_merges(const void *arg)
{
	struct arena arena;
	unsigned long i;
	char *fresh, *now;

	arena_init(&arena, 16, PMM_EXPAND_LOWER, 0);
	fresh = zone_text(&arena.zone);
	arena_exit(&arena);
	all_out(&arena, 16);
	park(&arena, 0, 3, 3);
	park(&arena, 11, 0, 11);
	for (i = 8; i < 16; i++)
		if (i != 11)
			ASSERT_EQ(arena_free(&arena, i, 0), PMM_FREE_OK);
	ASSERT_EQ(arena.zone.free_pages, 7);
	put_page(&arena.pages[11]);
	put_page(&arena.pages[3]);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 9);
	now = zone_text(&arena.zone);
	ASSERT_STR(now, fresh);
	free(now);
	free(fresh);
	arena_exit(&arena);
}

/* Freeing a parked block again is a double free, whatever order is named, and changes nothing. */
static void parking_double_free(const void *arg)
{
	static const struct {
		unsigned long	index;
		unsigned int	order;
	} again[] = { { 0, 3 }, { 0, 0 }, { 4, 2 }, { 5, 0 } };
	struct arena arena;
	struct image image;
	size_t i;

	all_out(&arena, 16);
	park(&arena, 0, 3, 6);
	image_init(&image, &arena.zone);
	for (i = 0; i < ARRAY_SIZE(again); i++) {
		ASSERT_EQ(arena_free(&arena, again[i].index, again[i].order), PMM_FREE_DOUBLE);
		ASSERT(strstr(shim_log_line(), pmm_free_why(PMM_FREE_DOUBLE)));
		ASSERT(image_same(&image, &arena.zone));
	}
	image_exit(&image);
	arena_exit(&arena);
}

/* An area's pages are parked too, as by a user who still maps one when the area goes. */
static void parking_mapped(const void *arg)
{
	struct arena arena;
	struct page *page;

	arena_init(&arena, 16, PMM_EXPAND_LOWER, 0);
	page = pmm_zone_alloc(&arena.zone, GFP_KERNEL, 0, PMM_MAPPED, CALLER);
	get_page(page);
	ASSERT_EQ(pmm_zone_free(&arena.zone, page, 0, PMM_MAPPED, CALLER), PMM_FREE_PARKED);
	put_page(page);
	ASSERT_EQ(pmm_zone_reap(&arena.zone), 1);
	ASSERT_EQ(arena.zone.free_pages, 16);
	ASSERT_SOUND(&arena.zone);
	arena_exit(&arena);
}

const struct ktap_test parking_tests[] = {
	{ "parking-any-page", parking_any_page },
	{ "parking-neighbour", parking_neighbour },
	{ "parking-later-free", parking_later_free },
	{ "parking-recycle", parking_recycle },
	{ "parking-recycle-last", parking_recycle_last },
	{ "parking-recycle-locks", parking_recycle_locks },
	{ "parking-race", parking_race },
	{ "parking-asks", parking_asks },
	{ "parking-reap", parking_reap },
	{ "parking-reap-some", parking_reap_some },
	{ "parking-allocation", parking_allocation },
	{ "parking-allocation-fails", parking_allocation_fails },
	{ "parking-takes-turns", parking_takes_turns },
	{ "parking-counts-pages", parking_counts_pages },
	{ "parking-pieces", parking_pieces },
	{ "parking-pieces-large", parking_pieces_large },
	{ "parking-pieces-busy", parking_pieces_busy },
	{ "parking-atomic", parking_atomic },
	{ "parking-verify", parking_verify },
	{ "parking-merges", parking_merges },
	{ "parking-double-free", parking_double_free },
	{ "parking-mapped", parking_mapped },
	{ }
};

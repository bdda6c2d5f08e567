// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: allocations undone in exact reverse order leave no trace: the same free lists in the
 * same order, the same pair bits and counts, whatever the state that they began from.
 *
 * Why it holds: a block is cut only when the lists below its order are empty, so that its pieces
 * are their only entries; freeing the piece handed out meets each of them again, and the whole
 * goes back to the head that it came from.
 */
#include <stdlib.h>

#include "zone.h"

#define MOST	2000

struct block {
	unsigned long	index;
	unsigned int	order;
};

struct size {
	unsigned long	nr_pages;
	unsigned int	rounds;
};

static unsigned int round_nr;
static struct block blocks[MOST];

static void where(void)
{
	ktap_say("round %u", round_nr);
}

/* Single pages and small blocks handed out, most of them freed again, in no order. */
static void fragment(struct arena *arena)
{
	unsigned long nr = 0, i, most = ktap_below(arena->zone.nr_pages / 2 + 1);

	for (i = 0; i < most && nr < MOST; i++) {
		struct block block = { .order = ktap_below(4) ? 0 : ktap_below(5) };

		block.index = arena_alloc(arena, block.order);
		if (block.index != NO_PAGE)
			blocks[nr++] = block;
	}
	while (nr && ktap_below(64)) {
		struct block *block = &blocks[ktap_below(nr)];

		ASSERT_EQ(arena_free(arena, block->index, block->order), PMM_FREE_OK);
		*block = blocks[--nr];
	}
}

static void do_and_undo(struct arena *arena)
{
	unsigned long nr = 0, tries = ktap_below(MOST);
	char *before, *after;

	before = zone_text(&arena->zone);
	while (tries-- && nr < MOST) {
		struct block *block = &blocks[nr];

		block->order = ktap_below(8) ? ktap_below(3) : ktap_below(PMM_MAX_ORDER);
		block->index = arena_alloc(arena, block->order);
		nr += block->index != NO_PAGE;
	}
	ASSERT_SOUND(&arena->zone);
	while (nr--)
		ASSERT_EQ(arena_free(arena, blocks[nr].index, blocks[nr].order), PMM_FREE_OK);
	after = zone_text(&arena->zone);
	ASSERT_STR(after, before);
	ASSERT_SOUND(&arena->zone);
	free(before);
	free(after);
}

static void undo(const void *arg)
{
	const struct size *size = arg;
	enum pmm_expand expand;
	struct arena arena;

	ktap_where = where;
	for (expand = PMM_EXPAND_UPPER; expand <= PMM_EXPAND_LOWER; expand++) {
		arena_init(&arena, size->nr_pages, expand, 0);
		for (round_nr = 0; round_nr < size->rounds; round_nr++) {
			if (!(round_nr & 3))
				fragment(&arena);
			do_and_undo(&arena);
		}
		arena_exit(&arena);
	}
}

const struct ktap_test undo_tests[] = {
	{ "undo-16", undo, &(const struct size){ 16, 400 } },
	{ "undo-777", undo, &(const struct size){ 777, 200 } },
	{ "undo-1024", undo, &(const struct size){ 1024, 200 } },
	{ "undo-4097", undo, &(const struct size){ 4097, 60 } },
	{ }
};

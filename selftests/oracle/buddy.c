// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm selftests: the oracle of the buddy allocator, see buddy.h.
 */
#include <stdlib.h>
#include <string.h>

#include "buddy.h"

/* --- lists ------------------------------------------------------------------------------------ */

static void push(struct oracle_buddy *b, struct oracle_list *list, long page)
{
	b->next[page] = list->head;
	b->prev[page] = ORACLE_NONE;
	if (list->head == ORACLE_NONE)
		list->tail = page;
	else
		b->prev[list->head] = page;
	list->head = page;
	list->nr++;
}

static void drop(struct oracle_buddy *b, struct oracle_list *list, long page)
{
	long next = b->next[page], prev = b->prev[page];

	if (prev == ORACLE_NONE)
		list->head = next;
	else
		b->next[prev] = next;
	if (next == ORACLE_NONE)
		list->tail = prev;
	else
		b->prev[next] = prev;
	list->nr--;
}

static void list_block(struct oracle_buddy *b, long page, int order)
{
	push(b, &b->list[order], page);
	b->label[page] = ORACLE_LABEL(ORACLE_FREE, order);
	b->changed |= 1U << order;
}

static void unlist_block(struct oracle_buddy *b, long page, int order)
{
	drop(b, &b->list[order], page);
	b->label[page] = ORACLE_INSIDE;
	b->changed |= 1U << order;
}

/* --- what there is ---------------------------------------------------------------------------- */

long oracle_buddy_block(const struct oracle_buddy *b, long page)
{
	int order = 0;

	while (b->label[page & -(1L << order)] == ORACLE_INSIDE)
		order++;
	return page & -(1L << order);
}

/* Free pages are joined as far as they go, so a free block is part of one that is listed. */
bool oracle_buddy_is_free(const struct oracle_buddy *b, long page, int order)
{
	long block, size = 1L << order;

	if (order >= ORACLE_ORDERS || page < 0 || page % size || page + size > b->nr_pages)
		return false;
	block = oracle_buddy_block(b, page);
	return oracle_kind(b, block) == ORACLE_FREE && oracle_order(b, block) >= order;
}

long oracle_buddy_available(const struct oracle_buddy *b, int order)
{
	long nr = 0;
	int from;

	for (from = order; from < ORACLE_ORDERS; from++)
		nr += b->list[from].nr << (from - order);
	return nr;
}

long oracle_buddy_reserve(const struct oracle_buddy *b, bool high, bool memalloc)
{
	if (memalloc)
		return 0;
	return high ? b->pages_min / 4 : b->pages_min;
}

int oracle_buddy_smallest(const struct oracle_buddy *b, int order)
{
	while (order < ORACLE_ORDERS && !b->list[order].nr)
		order++;
	return order;
}

bool oracle_buddy_fits(const struct oracle_buddy *b, long reserve, int order)
{
	return order < ORACLE_ORDERS && b->nr_free >= reserve + (1L << order) &&
	       oracle_buddy_smallest(b, order) < ORACLE_ORDERS;
}

/* --- the choice ------------------------------------------------------------------------------- */

void oracle_buddy_group(const struct oracle_buddy *b, long start, struct oracle_group *group)
{
	long page, end = start + ORACLE_LARGEST;
	int order;

	group->nr_free = 0;
	for (order = 0; order < ORACLE_ORDERS; order++)
		group->lowest[order] = ORACLE_NONE;
	if (end > b->nr_pages)
		end = b->nr_pages;
	for (page = start; page < end; page += 1L << order) {
		order = oracle_order(b, page);
		if (oracle_kind(b, page) != ORACLE_FREE)
			continue;
		group->nr_free += 1L << order;
		if (group->lowest[order] == ORACLE_NONE)
			group->lowest[order] = page;
	}
}

/*
 * The fullest of the largest blocks that can meet the request, the lowest of equals; in it the
 * smallest free block that fits, again the lowest of equals.
 */
static long choose_packed(struct oracle_buddy *b, int low)
{
	long start, best = ORACLE_NONE, least = ORACLE_LARGEST + 1;
	struct oracle_group group;
	int order;

	for (start = 0; start < b->nr_pages; start += ORACLE_LARGEST) {
		oracle_buddy_group(b, start, &group);
		for (order = low; order < ORACLE_ORDERS && group.lowest[order] < 0; order++)
			;
		if (order == ORACLE_ORDERS)
			continue;
		b->ties += group.nr_free == least;
		if (group.nr_free < least) {
			least = group.nr_free;
			best = group.lowest[order];
		}
	}
	return best;
}

long oracle_buddy_end(const struct oracle_buddy *b, long block, int order)
{
	return b->lower ? block : block + (1L << oracle_order(b, block)) - (1L << order);
}

long oracle_buddy_choose(struct oracle_buddy *b, int order)
{
	int from = oracle_buddy_smallest(b, order);

	if (from >= ORACLE_ORDERS)
		return ORACLE_NONE;
	return oracle_buddy_end(b, b->packed ? choose_packed(b, order) : b->list[from].head, order);
}

/* --- allocate --------------------------------------------------------------------------------- */

/*
 * The block that this one is part of is split until it has the right size. The half that is kept
 * goes on the next lower list each time.
 */
void oracle_buddy_take(struct oracle_buddy *b, long page, int order, enum oracle_kind kind)
{
	long block = oracle_buddy_block(b, page);
	int high = oracle_order(b, block);

	unlist_block(b, block, high);
	while (high > order) {
		long middle = block + (1L << (high - 1));

		b->splits[high--]++;
		list_block(b, page < middle ? middle : block, high);
		if (page >= middle)
			block = middle;
	}
	b->label[block] = ORACLE_LABEL(kind, order);
	b->nr_free -= 1L << order;
}

long oracle_buddy_alloc(struct oracle_buddy *b, long reserve, int order, enum oracle_kind kind)
{
	long page;

	if (!oracle_buddy_fits(b, reserve, order))
		return ORACLE_NONE;
	page = oracle_buddy_choose(b, order);
	oracle_buddy_take(b, page, order, kind);
	return page;
}

void oracle_buddy_break(struct oracle_buddy *b, long page)
{
	memset(b->label + page, ORACLE_LABEL(oracle_kind(b, page), 0), 1L << oracle_order(b, page));
}

/* --- free ------------------------------------------------------------------------------------- */

enum oracle_free oracle_buddy_judge(const struct oracle_buddy *b, long page, int order,
				    enum oracle_kind kind)
{
	enum oracle_kind is;
	long block;

	if (page < 0 || page >= b->nr_pages)
		return ORACLE_FREE_FOREIGN;
	if (order >= ORACLE_ORDERS || page % (1L << order))
		return ORACLE_FREE_BAD_ORDER;
	block = oracle_buddy_block(b, page);
	is = oracle_kind(b, block);
	if (is == ORACLE_FREE || is == ORACLE_PARKED)
		return ORACLE_FREE_DOUBLE;
	if (block != page)
		return ORACLE_FREE_MIDDLE;
	if (is == ORACLE_MAPPED && kind != ORACLE_MAPPED)
		return ORACLE_FREE_MAPPED;
	if (is != kind || oracle_order(b, page) != order)
		return ORACLE_FREE_WRONG_ORDER;
	return oracle_buddy_referenced(b, page) ? ORACLE_FREE_PARKED : ORACLE_FREE_OK;
}

void oracle_buddy_give(struct oracle_buddy *b, long page)
{
	int order = oracle_order(b, page);

	if (oracle_kind(b, page) == ORACLE_PARKED) {
		drop(b, &b->parked, page);
		b->nr_parked -= 1L << order;
	}
	b->label[page] = ORACLE_INSIDE;
	b->nr_free += 1L << order;
	while (order < ORACLE_TOP) {
		long buddy = page ^ 1L << order;

		if (b->label[buddy] != ORACLE_LABEL(ORACLE_FREE, order))
			break;
		unlist_block(b, buddy, order);
		page &= buddy;
		b->merges[++order]++;
	}
	list_block(b, page, order);
}

/* --- park ------------------------------------------------------------------------------------- */

bool oracle_buddy_referenced(const struct oracle_buddy *b, long page)
{
	long end = page + (1L << oracle_order(b, page));

	while (page < end && !b->references[page])
		page++;
	return page < end;
}

void oracle_buddy_park(struct oracle_buddy *b, long page)
{
	int order = oracle_order(b, page);

	push(b, &b->parked, page);
	b->label[page] = ORACLE_LABEL(ORACLE_PARKED, order);
	b->nr_parked += 1L << order;
}

long oracle_buddy_reap(struct oracle_buddy *b, long most)
{
	long looks = b->parked.nr, pages = 0, freed = 0;

	while (looks-- && pages < most) {
		long page = b->parked.tail;

		pages += 1L << oracle_order(b, page);
		if (oracle_buddy_referenced(b, page)) {
			drop(b, &b->parked, page);
			push(b, &b->parked, page);
		} else {
			oracle_buddy_give(b, page);
			freed++;
		}
	}
	return freed;
}

/* --- pair bits -------------------------------------------------------------------------------- */

long oracle_buddy_pairs(const struct oracle_buddy *b, int order)
{
	long pages = 2L << order;

	return (b->nr_pages + pages - 1) / pages;
}

/* Each block on the list turns its pair's bit: two of one pair would leave it clear. */
void oracle_buddy_pair_bits(const struct oracle_buddy *b, int order, unsigned long *map)
{
	long page, words = (oracle_buddy_pairs(b, order) + 63) / 64;

	memset(map, 0, words * sizeof(*map));
	for (page = b->list[order].head; page != ORACLE_NONE; page = b->next[page]) {
		long pair = page / (2L << order);

		map[pair / 64] ^= 1UL << pair % 64;
	}
}

/* --- birth and death -------------------------------------------------------------------------- */

/* Pages past the end are inside no block, so nothing is ever joined with them. */
void oracle_buddy_init(struct oracle_buddy *b, long nr_pages, bool lower, bool packed)
{
	long page, rounded = (nr_pages + ORACLE_LARGEST - 1) & -ORACLE_LARGEST;
	int order;

	*b = (struct oracle_buddy){ .nr_pages = nr_pages, .lower = lower, .packed = packed };
	b->next = malloc(nr_pages * sizeof(*b->next));
	b->prev = malloc(nr_pages * sizeof(*b->prev));
	b->label = calloc(rounded, 1);
	b->references = calloc(nr_pages, sizeof(*b->references));
	b->parked = (struct oracle_list){ ORACLE_NONE, ORACLE_NONE, 0 };
	for (order = 0; order < ORACLE_ORDERS; order++)
		b->list[order] = b->parked;
	b->changed = (1U << ORACLE_ORDERS) - 1;
	for (page = 0; page < nr_pages; page++) {
		b->label[page] = ORACLE_LABEL(ORACLE_USED, 0);
		oracle_buddy_give(b, page);
	}
	memset(b->merges, 0, sizeof(b->merges));
}

void oracle_buddy_exit(struct oracle_buddy *b)
{
	free(b->next);
	free(b->prev);
	free(b->label);
	free(b->references);
}

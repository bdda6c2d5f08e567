/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm selftests: who has which page, when it is the module's affair which page that is.
 *
 * Success does not depend on the choice: a request for a block must be met exactly when there is
 * one, aligned to its size and free throughout, whatever lists its pages are on.
 */
#ifndef POCKETMM_LEDGER_H
#define POCKETMM_LEDGER_H

#include <stdbool.h>
#include <stdlib.h>

struct ledger {
	long	nr_pages;
	long	nr_free;
	bool	*used;		/* by page */
};

static inline void ledger_init(struct ledger *l, long nr_pages)
{
	l->nr_pages = nr_pages;
	l->nr_free = nr_pages;
	l->used = calloc(nr_pages, sizeof(*l->used));
}

static inline void ledger_destroy(struct ledger *l)
{
	free(l->used);
}

/* Is this a block, and free? */
static inline bool ledger_is_free(const struct ledger *l, long page, int order)
{
	long i, size = 1L << order;

	if (page < 0 || page % size || page + size > l->nr_pages)
		return false;
	for (i = 0; i < size; i++)
		if (l->used[page + i])
			return false;
	return true;
}

/* How many blocks of an order could be handed out one after the other. */
static inline long ledger_available(const struct ledger *l, int order)
{
	long page, nr = 0;

	for (page = 0; page < l->nr_pages; page += 1L << order)
		nr += ledger_is_free(l, page, order);
	return nr;
}

/* False when the block was not free. */
static inline bool ledger_take(struct ledger *l, long page, int order)
{
	long i;

	if (!ledger_is_free(l, page, order))
		return false;
	for (i = 0; i < 1L << order; i++)
		l->used[page + i] = true;
	l->nr_free -= 1L << order;
	return true;
}

static inline void ledger_give(struct ledger *l, long page, int order)
{
	long i;

	for (i = 0; i < 1L << order; i++)
		l->used[page + i] = false;
	l->nr_free += 1L << order;
}

#endif /* POCKETMM_LEDGER_H */

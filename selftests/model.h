/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm selftests: a second implementation of Linux 2.4's two allocators, to hold the module
 * against; with 2.6.28's lazy purge, and with areas of whole largest blocks.
 *
 * Written from the algorithm, not from the module: page numbers in arrays instead of struct page,
 * an array of areas instead of a list. Slow and plain on purpose. Nothing here knows of the module.
 */
#ifndef POCKETMM_MODEL_H
#define POCKETMM_MODEL_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_ORDERS	10
#define MODEL_TOP	(MODEL_ORDERS - 1)
#define MODEL_HUGE	(1L << MODEL_TOP)	/* pages of a largest block: 2 MiB */
#define MODEL_NONE	(-1)

/* Events that a run met; a test that never met some of them has not tested much. */
enum model_event {
	EV_EXHAUSTED,		/* fewer pages free than asked for */
	EV_FRAGMENTED,		/* enough pages free, but no such block */
	EV_COUNT_UNDONE,	/* several blocks asked for, some had, all given back */
	EV_PAGES_UNDONE,	/* an area whose pages ran out half-way */
	EV_NO_HOLE,		/* no hole large enough for an area */
	EV_EXACT_HOLE,		/* a hole between areas, filled exactly */
	EV_LOWER_HOLE,		/* a hole between areas, filled in part */
	EV_SPLIT_TOP,		/* a largest block split */
	EV_MERGED_TOP,		/* coalesced up to a largest block */
	EV_ALL_USED,		/* not one page free */
	EV_ALL_FREE,		/* all pages free */
	EV_REFUSED,		/* a size that is refused */
	EV_MISUSE,		/* a free that is refused */
	EV_PURGED_FULL,		/* addresses that waited, purged for lack of room */
	EV_PURGED_EXCESS,	/* likewise, because so many waited */
	EV_HUGE,		/* an area, or its beginning, of whole largest blocks */
	EV_PARTLY_HUGE,		/* one that could have had more of them */
	NR_EVENTS,
};

struct model_area {
	long	start;		/* pages, from the start of the window */
	long	span;		/* pages, the guard page included */
	long	nr_huge;	/* largest blocks that it begins with */
	bool	waits;		/* freed, but not flushed: nobody gets these addresses */
	long	*pages;
};

/*
 * next and prev thread each order's list, LIFO, by page number. free_order[page] is the order of
 * the free block that begins there, or MODEL_NONE. bit[order] are the pair bits, flipped where 2.4
 * says MARK_USED(); order 9 has none.
 */
struct model {
	long			nr_pages;
	long			nr_free;
	bool			lower;		/* 2.6.28 hands out a split block's lower half */
	long			head[MODEL_ORDERS];
	long			*next;
	long			*prev;
	signed char		*free_order;
	unsigned char		*bit[MODEL_ORDERS];
	bool			touched[MODEL_ORDERS];	/* list or bits changed since last shown */

	long			window_pages;
	struct model_area	*areas;		/* in address order */
	long			nr_areas;
	bool			areas_touched;
	bool			lazy;		/* 2.6.28: addresses wait for a purge */
	bool			huge;		/* 2 MiB: aligned, largest blocks first */
	long			waiting_max;	/* pages; more are purged */
	long			waiting;

	long			events[NR_EVENTS];
};

static inline long model_pairs(const struct model *m, int order)
{
	long span = 2L << order;

	return (m->nr_pages + span - 1) / span;
}

/* --- buddy ------------------------------------------------------------------------------------ */

static inline void model_push(struct model *m, int order, long page)
{
	m->next[page] = m->head[order];
	m->prev[page] = MODEL_NONE;
	if (m->head[order] != MODEL_NONE)
		m->prev[m->head[order]] = page;
	m->head[order] = page;
	m->free_order[page] = order;
	m->touched[order] = true;
}

static inline void model_remove(struct model *m, int order, long page)
{
	if (m->prev[page] == MODEL_NONE)
		m->head[order] = m->next[page];
	else
		m->next[m->prev[page]] = m->next[page];
	if (m->next[page] != MODEL_NONE)
		m->prev[m->next[page]] = m->prev[page];
	m->free_order[page] = MODEL_NONE;
	m->touched[order] = true;
}

/* 2.4's MARK_USED(): the old bit. */
static inline bool model_mark_used(struct model *m, int order, long page)
{
	unsigned char *bit;

	if (order == MODEL_TOP)
		return false;
	m->touched[order] = true;
	bit = &m->bit[order][page >> (order + 1)];
	*bit = !*bit;
	return !*bit;
}

/* 2.4's expand(): the lower half goes on the next lower list, the upper is split on. */
static inline long model_expand(struct model *m, long page, int low, int high)
{
	long size = 1L << high;

	while (high > low) {
		high--;
		size >>= 1;
		model_push(m, high, m->lower ? page + size : page);
		model_mark_used(m, high, page);
		if (!m->lower)
			page += size;
	}
	return page;
}

/* 2.4's rmqueue(): the page number, or MODEL_NONE. */
static inline long model_alloc(struct model *m, int order)
{
	int high = order;
	long page;

	while (high < MODEL_ORDERS && m->head[high] == MODEL_NONE)
		high++;
	if (high == MODEL_ORDERS)
		return MODEL_NONE;
	page = m->head[high];
	model_remove(m, high, page);
	model_mark_used(m, high, page);
	m->nr_free -= 1L << order;
	m->events[EV_SPLIT_TOP] += high == MODEL_TOP && order < MODEL_TOP;
	return model_expand(m, page, order, high);
}

/* 2.4's __free_pages_ok(). */
static inline void model_free(struct model *m, long page, int order)
{
	int start = order;

	m->nr_free += 1L << order;
	while (order < MODEL_TOP && model_mark_used(m, order, page)) {
		long buddy = page ^ (1L << order);

		model_remove(m, order, buddy);
		if (buddy < page)
			page = buddy;
		order++;
	}
	model_push(m, order, page);
	m->events[EV_MERGED_TOP] += order == MODEL_TOP && start < MODEL_TOP;
}

/* The pair bit by its definition: exactly one of the two is on this order's list. */
static inline bool model_bit_defined(const struct model *m, int order, long pair)
{
	long a = pair << (order + 1), b = a + (1L << order);

	return (m->free_order[a] == order) != (b < m->nr_pages && m->free_order[b] == order);
}

/* --- areas ------------------------------------------------------------------------------------ */

static inline void model_delete_area(struct model *m, long i)
{
	free(m->areas[i].pages);
	m->nr_areas--;
	memmove(&m->areas[i], &m->areas[i + 1], (m->nr_areas - i) * sizeof(*m->areas));
	m->areas_touched = true;
}

/* One flush, and all that waited is a hole; false when nothing did. */
static inline bool model_purge(struct model *m)
{
	bool any = m->waiting > 0;
	long i;

	for (i = m->nr_areas; i--;)
		if (m->areas[i].waits)
			model_delete_area(m, i);
	m->waiting = 0;
	return any;
}

/* The lowest hole that fits: the place in the array of areas, and its first page; or MODEL_NONE. */
static inline long model_first_fit(struct model *m, long span, long align, long *start)
{
	long i, at = 0;

	for (i = 0; i <= m->nr_areas; i++) {
		long hole = (i < m->nr_areas ? m->areas[i].start : m->window_pages) - at;
		long pad = -at & (align - 1);

		if (hole >= pad + span) {
			m->events[EV_EXACT_HOLE] += i < m->nr_areas && hole == span;
			m->events[EV_LOWER_HOLE] += i < m->nr_areas && hole > span;
			*start = at + pad;
			return i;
		}
		if (i < m->nr_areas)
			at = m->areas[i].start + m->areas[i].span;
	}
	return MODEL_NONE;
}

/* The same, once more without what waits when there is no room with it. */
static inline long model_make_room(struct model *m, long span, long align, long *start)
{
	long i = model_first_fit(m, span, align, start);

	if (i != MODEL_NONE || !model_purge(m))
		return i;
	m->events[EV_PURGED_FULL]++;
	return model_first_fit(m, span, align, start);
}

/* Where an area of this many pages and its guard page goes, or MODEL_NONE. */
static inline long model_reserve(struct model *m, long nr, long *start)
{
	long i = MODEL_NONE;

	if (m->huge && nr >= MODEL_HUGE)
		i = model_make_room(m, nr + 1, MODEL_HUGE, start);
	if (i == MODEL_NONE)
		i = model_make_room(m, nr + 1, 1, start);
	m->events[EV_NO_HOLE] += i == MODEL_NONE;
	return i;
}

static inline void model_insert_area(struct model *m, long i, struct model_area area)
{
	memmove(&m->areas[i + 1], &m->areas[i], (m->nr_areas - i) * sizeof(*m->areas));
	m->areas[i] = area;
	m->nr_areas++;
	m->areas_touched = true;
}

/* Largest blocks for as much of an area as there are: how many. */
static inline long model_take_huge(struct model *m, long *pages, long nr)
{
	long got, i;

	for (got = 0; nr - got * MODEL_HUGE >= MODEL_HUGE; got++) {
		long page = model_alloc(m, MODEL_TOP);

		if (page == MODEL_NONE)
			break;
		for (i = 0; i < MODEL_HUGE; i++)
			pages[got * MODEL_HUGE + i] = page + i;
	}
	m->events[EV_HUGE] += got > 0;
	m->events[EV_PARTLY_HUGE] += got < nr / MODEL_HUGE;
	return got;
}

/* Pages one by one from the @i-th on. All that were had go back one by one if one is missing. */
static inline bool model_take_pages(struct model *m, long *pages, long i, long nr)
{
	long j;

	for (; i < nr; i++) {
		pages[i] = model_alloc(m, 0);
		if (pages[i] == MODEL_NONE)
			break;
	}
	if (i == nr)
		return true;
	m->events[EV_PAGES_UNDONE] += i > 0;
	for (j = 0; j < i; j++)
		model_free(m, pages[j], 0);
	return false;
}

/* 0 and the first page of the area in the window, or the errno that 2.4 could not return. */
static inline int model_vmalloc(struct model *m, long nr, long *start)
{
	long i = model_reserve(m, nr, start), nr_huge = 0, *pages;

	if (i == MODEL_NONE)
		return ENOSPC;
	pages = calloc(nr, sizeof(*pages));
	if (m->huge && nr >= MODEL_HUGE && *start % MODEL_HUGE == 0)
		nr_huge = model_take_huge(m, pages, nr);
	if (!model_take_pages(m, pages, nr_huge * MODEL_HUGE, nr)) {
		free(pages);
		return ENOMEM;
	}
	model_insert_area(m, i, (struct model_area){
		.start = *start, .span = nr + 1, .nr_huge = nr_huge, .pages = pages,
	});
	return 0;
}

static inline long model_find_area(const struct model *m, long start)
{
	long i = 0;

	while (m->areas[i].start != start)
		i++;
	return i;
}

/* Ranges side by side that wait are one. */
static inline void model_wait(struct model *m, long i)
{
	struct model_area *area = &m->areas[i];

	m->waiting += area->span;
	area->waits = true;
	area->nr_huge = 0;
	m->areas_touched = true;
	if (i + 1 < m->nr_areas && area[1].waits && area[1].start == area->start + area->span) {
		area->span += area[1].span;
		model_delete_area(m, i + 1);
	}
	if (i && area[-1].waits && area->start == area[-1].start + area[-1].span) {
		area[-1].span += area->span;
		model_delete_area(m, i);
	}
	if (m->waiting <= m->waiting_max)
		return;
	model_purge(m);
	m->events[EV_PURGED_EXCESS]++;
}

/* The addresses of an area whose pages have gone. */
static inline void model_release_area(struct model *m, long i)
{
	if (m->lazy)
		model_wait(m, i);
	else
		model_delete_area(m, i);
}

/* The area that begins at this page of the window goes; its pages are freed first to last. */
static inline void model_vfree(struct model *m, long start)
{
	long i = model_find_area(m, start), j;

	for (j = 0; j < m->areas[i].span - 1; j++)
		model_free(m, m->areas[i].pages[j], 0);
	model_release_area(m, i);
}

/* --- birth and death -------------------------------------------------------------------------- */

/* All pages are freed singly in ascending order, as 2.4's boot does. */
static inline void model_init(struct model *m, long nr_pages, long window_pages, bool lower)
{
	int order;
	long page;

	*m = (struct model){ .waiting_max = LONG_MAX };
	m->nr_pages = nr_pages;
	m->window_pages = window_pages;
	m->lower = lower;
	m->next = calloc(nr_pages, sizeof(*m->next));
	m->prev = calloc(nr_pages, sizeof(*m->prev));
	m->free_order = malloc(nr_pages);
	m->areas = calloc(window_pages / 2 + 1, sizeof(*m->areas));
	memset(m->free_order, MODEL_NONE, nr_pages);
	for (order = 0; order < MODEL_ORDERS; order++) {
		m->head[order] = MODEL_NONE;
		m->bit[order] = calloc(model_pairs(m, order), 1);
		m->touched[order] = true;
	}
	for (page = 0; page < nr_pages; page++)
		model_free(m, page, 0);
	memset(m->events, 0, sizeof(m->events));
	m->areas_touched = true;
}

static inline void model_destroy(struct model *m)
{
	int order;

	while (m->nr_areas)
		model_delete_area(m, m->nr_areas - 1);
	for (order = 0; order < MODEL_ORDERS; order++)
		free(m->bit[order]);
	free(m->areas);
	free(m->free_order);
	free(m->prev);
	free(m->next);
}

#endif /* POCKETMM_MODEL_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm selftests: the oracle of the window, see window.h.
 */
#include <stdlib.h>

#include "window.h"

static bool waits(const struct oracle_area *area)
{
	return area->state == ORACLE_AREA_WAITING || area->state == ORACLE_AREA_FLUSHED;
}

static unsigned long end_of(const struct oracle_area *area)
{
	return area->first + area->pages;
}

/* --- addresses -------------------------------------------------------------------------------- */

bool oracle_window_fit(const struct oracle_window *w, unsigned long pages, unsigned long align,
		       struct oracle_hole *hole)
{
	const struct oracle_area *area = w->head;
	unsigned long first = 0;

	for (;; area = area->next) {
		unsigned long size = (area ? area->first : w->pages) - first;
		unsigned long pad = -(w->base + first) & (align - 1);

		if (size >= pad && size - pad >= pages) {
			*hole = (struct oracle_hole){ first, size, first + pad, area };
			return true;
		}
		if (!area)
			return false;
		first = end_of(area);
	}
}

struct oracle_area *oracle_window_add(struct oracle_window *w, unsigned long first,
				      unsigned long pages)
{
	struct oracle_area *area = calloc(1, sizeof(*area)), **link = &w->head;

	while (*link && (*link)->first < first)
		link = &(*link)->next;
	area->first = first;
	area->pages = pages;
	area->owned = true;
	area->next = *link;
	*link = area;
	w->nr++;
	w->changed = true;
	return area;
}

void oracle_window_remove(struct oracle_window *w, struct oracle_area *area)
{
	struct oracle_area **link = &w->head;

	while (*link != area)
		link = &(*link)->next;
	*link = area->next;
	if (waits(area)) {
		w->nr_waiting--;
		w->waiting -= area->pages;
	}
	w->nr--;
	w->changed = true;
	free(area);
}

struct oracle_area *oracle_window_over(const struct oracle_window *w, unsigned long page)
{
	struct oracle_area *area = w->head;

	while (area && end_of(area) <= page)
		area = area->next;
	return area && area->first <= page ? area : NULL;
}

struct oracle_area *oracle_window_at(const struct oracle_window *w, unsigned long page)
{
	struct oracle_area *area = oracle_window_over(w, page);

	return area && area->first == page && !waits(area) ? area : NULL;
}

/* --- an area's life --------------------------------------------------------------------------- */

bool oracle_area_found(const struct oracle_area *area)
{
	return area && area->state == ORACLE_AREA_LIVE && area->owned;
}

enum oracle_detach oracle_area_judge(const struct oracle_area *area, unsigned long type)
{
	if (!oracle_area_found(area))
		return ORACLE_DETACH_NONEXISTENT;
	if (type ? !(area->type & type) : area->owns_pages)
		return ORACLE_DETACH_WRONG_TYPE;
	return area->mappings ? ORACLE_DETACH_LATER : ORACLE_DETACH_OK;
}

enum oracle_detach oracle_area_detach(struct oracle_area *area, unsigned long type)
{
	enum oracle_detach result = oracle_area_judge(area, type);

	if (result == ORACLE_DETACH_OK)
		area->state = ORACLE_AREA_DYING;
	if (result == ORACLE_DETACH_OK || result == ORACLE_DETACH_LATER)
		area->owned = false;
	return result;
}

bool oracle_area_drop(struct oracle_area *area)
{
	bool last = !--area->mappings && !area->owned;

	if (last)
		area->state = ORACLE_AREA_DYING;
	return last;
}

/* --- purge ------------------------------------------------------------------------------------ */

static struct oracle_area *beside(const struct oracle_window *w, unsigned long page)
{
	struct oracle_area *area = oracle_window_over(w, page);

	return area && area->state == ORACLE_AREA_WAITING ? area : NULL;
}

bool oracle_window_waits_below(const struct oracle_window *w, const struct oracle_area *area)
{
	return area->first && beside(w, area->first - 1);
}

void oracle_window_retire(struct oracle_window *w, struct oracle_area *area)
{
	struct oracle_area *below = area->first ? beside(w, area->first - 1) : NULL;
	struct oracle_area *above = beside(w, end_of(area));
	unsigned long pages = area->pages;

	area->state = ORACLE_AREA_WAITING;
	area->data = NULL;
	w->nr_waiting++;
	w->waiting += pages;
	if (above) {
		pages += above->pages;
		oracle_window_remove(w, above);
		w->waiting += pages - area->pages;
		area->pages = pages;
	}
	if (below) {
		oracle_window_remove(w, area);
		w->waiting += pages;
		below->pages += pages;
	}
	w->changed = true;
}

bool oracle_window_purge_begin(struct oracle_window *w)
{
	struct oracle_area *area;
	bool any = false;

	for (area = w->head; area; area = area->next) {
		if (area->state != ORACLE_AREA_WAITING)
			continue;
		area->state = ORACLE_AREA_FLUSHED;
		any = true;
	}
	return any;
}

void oracle_window_purge_end(struct oracle_window *w)
{
	struct oracle_area *area, *next;

	for (area = w->head; area; area = next) {
		next = area->next;
		if (area->state == ORACLE_AREA_FLUSHED)
			oracle_window_remove(w, area);
	}
}

/* --- birth and death -------------------------------------------------------------------------- */

void oracle_window_init(struct oracle_window *w, unsigned long base, unsigned long pages)
{
	*w = (struct oracle_window){ .base = base, .pages = pages, .changed = true };
}

void oracle_window_exit(struct oracle_window *w)
{
	while (w->head)
		oracle_window_remove(w, w->head);
}

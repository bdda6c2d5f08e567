/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm selftests: the oracle of the window that vmalloc takes addresses from.
 *
 * Written from the description in 'Understanding the Linux Virtual Memory Manager', chapter 7, and
 * not from the module: areas in address order, each with its guard page; a new one goes into the
 * lowest hole that is large enough. From 2.6.28 comes the lazy purge: the addresses of a freed area
 * wait until every TLB has been flushed. Everything is counted in pages from the window's start.
 */
#ifndef ORACLE_WINDOW_H
#define ORACLE_WINDOW_H

#include <stdbool.h>

#define ORACLE_NO_PLACE	(~0UL)

enum oracle_area_state {
	ORACLE_AREA_NEW,	/* being mapped */
	ORACLE_AREA_LIVE,
	ORACLE_AREA_DYING,	/* being unmapped */
	ORACLE_AREA_WAITING,	/* addresses that wait for a purge to begin */
	ORACLE_AREA_FLUSHED,	/* and for one to end */
};

/* The answer to a free. */
enum oracle_detach {
	ORACLE_DETACH_OK,
	ORACLE_DETACH_LATER,		/* users still have it mapped */
	ORACLE_DETACH_NONEXISTENT,
	ORACLE_DETACH_WRONG_TYPE,
};

struct oracle_area {
	struct oracle_area	*next;
	unsigned long		first, pages;	/* guard page included */
	enum oracle_area_state	state;
	unsigned long		type;		/* bits, as the test likes them */
	bool			owned;		/* not freed by the caller that asked for it */
	bool			owns_pages;	/* its pages go with it, so its type must be said */
	bool			for_users;	/* may be mapped by user processes */
	unsigned int		mappings;	/* of users */
	void			*data;		/* the test's */
};

struct oracle_window {
	unsigned long		pages;
	unsigned long		base;		/* the start, counted in pages from address 0 */
	struct oracle_area	*head;
	unsigned long		nr;		/* areas and ranges that wait */
	unsigned long		nr_waiting;	/* ranges that wait, flushed or not */
	unsigned long		waiting;	/* their pages */
	bool			changed;	/* the test clears it */
};

/* Where an area would go. */
struct oracle_hole {
	unsigned long	first, pages;	/* the hole */
	unsigned long	at;		/* the area's first page */
	bool		below;		/* the hole ends at an area, not with the window */
};

void oracle_window_init(struct oracle_window *w, unsigned long base, unsigned long pages);

/* Also frees the areas that are left. */
void oracle_window_exit(struct oracle_window *w);

/* The lowest hole for @pages pages, guard page included; @align is a power of two, in pages. */
bool oracle_window_fit(const struct oracle_window *w, unsigned long pages, unsigned long align,
		       struct oracle_hole *hole);

/* A new area at this place, which has to be in a hole. */
struct oracle_area *oracle_window_add(struct oracle_window *w, unsigned long first,
				      unsigned long pages);

/* The record that this page is in; NULL in a hole. */
struct oracle_area *oracle_window_over(const struct oracle_window *w, unsigned long page);

/* The area that begins at this page, whatever its state; NULL for addresses that wait. */
struct oracle_area *oracle_window_at(const struct oracle_window *w, unsigned long page);

/* Whether a search by address finds it: it is mapped, and was not freed. NULL is not found. */
bool oracle_area_found(const struct oracle_area *area);

/* The answer to a free with these bits of a type, or of any type without pages of its own for 0. */
enum oracle_detach oracle_area_judge(const struct oracle_area *area, unsigned long type);

/* The same, and the area is freed accordingly. */
enum oracle_detach oracle_area_detach(struct oracle_area *area, unsigned long type);

/* A user's mapping ends. Returns whether the area has to go with it. */
bool oracle_area_drop(struct oracle_area *area);

/* Its addresses are a hole. */
void oracle_window_remove(struct oracle_window *w, struct oracle_area *area);

/* Its addresses wait; those that wait side by side are one range. */
void oracle_window_retire(struct oracle_window *w, struct oracle_area *area);

/* Whether there is a range that waits right below this area. */
bool oracle_window_waits_below(const struct oracle_window *w, const struct oracle_area *area);

/* Whether anything waits. What does is on its way, */
bool oracle_window_purge_begin(struct oracle_window *w);

/* and is a hole when all TLBs have been flushed. */
void oracle_window_purge_end(struct oracle_window *w);

#endif /* ORACLE_WINDOW_H */

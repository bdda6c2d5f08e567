/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unit tier and fuzz targets: areas in two windows, one with search=linear and one with
 * search=tree, beside the oracle. Each step is taken in both, and all three must agree on every
 * address and every answer.
 */
#ifndef UNIT_AREAS_H
#define UNIT_AREAS_H

#include "lazy.h"
#include "oracle/window.h"

#define START		0xffffc90000000000UL
#define PAGES(nr)	((unsigned long)(nr) * PAGE_SIZE)
#define CALLER		((void *)0xca11e4)
#define AREA_TYPES	(PMM_VM_IOREMAP | PMM_VM_ALLOC | PMM_VM_MAP)

#define MOST_AREAS	4096
#define MOST_PAGES	16384		/* of a window */

struct known {
	struct pmm_vm_struct	*vm[2];
	struct oracle_area	*oracle;
	unsigned long		flags;
	bool			has_pages;
};

extern struct areas {
	struct pmm_vmlist	list[2];		/* the second has the tree */
	struct list_head	purged[2];
	bool			purging;
	struct oracle_window	oracle;
	struct known		known[MOST_AREAS];	/* in no order; the first nr are there */
	unsigned int		nr, peak;
	bool			deferred[MOST_PAGES];	/* a free was, by page */
	unsigned long		deferred_map[2][MOST_PAGES / BITS_PER_LONG];
	unsigned long		stale, refused, on_top, joined;
} areas;

/* Returns how many areas there are, without what waits. */
unsigned long assert_sound(struct pmm_vmlist *list);

/* A record that shows nothing of a former life. */
void assert_fresh(const struct pmm_vm_struct *vm, const struct pmm_area_request *want);

/* What a search by address says: it finds this one, or NULL. */
void assert_found(struct pmm_vmlist *list, const void *addr, const struct pmm_vm_struct *want);

void areas_init(unsigned long start, unsigned long pages);

/* Both windows are empty. */
void areas_exit(void);

void *areas_addr(unsigned long page);

/* NULL when there is no such area, which is counted. */
struct known *areas_reserve(const struct pmm_area_request *want);

void areas_set_pages(struct known *area);
void areas_publish(struct known *area);

/* Unlinked, or left to wait for a purge. */
void areas_take_down(struct known *area, bool lazy);

/* A free of @odd bytes behind the beginning of a page. The caller takes down what is to go. */
enum pmm_detach_result areas_detach(unsigned long page, unsigned long odd, unsigned long type);

/* As vmalloc does: at once, when the area is on top of what waits. */
bool areas_join(unsigned long page, unsigned long type);

/* A free that a worker is to do, and what the worker does. */
void areas_defer(unsigned long page);
enum pmm_detach_result areas_detach_deferred(unsigned long page, unsigned long type);

/* A user maps the area, a child inherits that, and one of them is gone: was it the last? */
void areas_hold(unsigned long page);
void areas_hold_again(struct known *area);
bool areas_drop(struct known *area);

void areas_find(unsigned long page);

/* Begins a purge, or ends the one that was begun. */
void areas_purge(void);

/* The area that begins at this page, whatever its state; NULL for addresses that wait. */
struct known *areas_at(unsigned long page);

void areas_compare(void);

#endif /* UNIT_AREAS_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the choices of an era. policy.c has the table of eras; all code that reads a choice
 * finds its values here.
 */
#ifndef POCKETMM_POLICY_H
#define POCKETMM_POLICY_H

#include <linux/types.h>

struct pmm_zone;

/* Which half of a split block is handed out. */
enum pmm_expand {
	PMM_EXPAND_UPPER,	/* 2.4 */
	PMM_EXPAND_LOWER,	/* 2.6.28 */
};

/* Which of the free blocks that fit is taken. */
enum pmm_placement {
	PMM_PLACE_LIFO,		/* the book's: the one freed last of the smallest that fit */
	PMM_PLACE_PACKED,	/* one in the fullest pageblock, so that others stay whole */
	PMM_NR_PLACEMENTS,
};

/**
 * struct pmm_fill - how full a largest block is
 * @nr_free: its pages that are on free lists
 * @max_order: the largest order of its free blocks, or -1
 */
struct pmm_fill {
	unsigned short	nr_free;
	signed char	max_order;
};

/**
 * struct pmm_placement_ops - a rule for which free block is taken
 * @init: allocate what the rule records about a zone, of which nothing is free yet; may sleep;
 *	returns 0 or -ENOMEM
 * @destroy: free it; also called when @init has failed
 * @pick: choose a free block of at least @order; returns its first page, or PMM_NONE
 * @update: @freed pages of the largest block that @index is in joined the free lists; negative when
 *	pages left them
 * @recorded: what the rule takes for the fill of the largest block @nr, for verify
 * @bytes: the memory that @init allocates
 *
 * zone->lock is held but for @init, @destroy and @bytes. A rule without @pick takes what rmqueue()
 * finds; it has none of the others either, and costs no call.
 */
struct pmm_placement_ops {
	int		(*init)(struct pmm_zone *zone);
	void		(*destroy)(struct pmm_zone *zone);
	unsigned long	(*pick)(struct pmm_zone *zone, unsigned int order);
	void		(*update)(struct pmm_zone *zone, unsigned long index, long freed);
	struct pmm_fill	(*recorded)(const struct pmm_zone *zone, unsigned long nr);
	unsigned long	(*bytes)(const struct pmm_zone *zone);
};

extern const struct pmm_placement_ops *const pmm_placements[PMM_NR_PLACEMENTS];

/* How the lowest hole that fits is found; both find the same. */
enum pmm_hole_search {
	PMM_SEARCH_LINEAR,	/* a walk over the list of areas: 2.4, 2.6.28 */
	PMM_SEARCH_TREE,
};

/* When the TLBs are flushed. */
enum pmm_purging {
	PMM_PURGE_EAGER,	/* in each free of an area: 2.4 */
	PMM_PURGE_LAZY,		/* once for many: 2.6.28 */
};

/**
 * struct pmm_policy - the choices in force
 * @placement: placement=
 * @expand: expand=
 * @search: search=
 * @purge: purge=
 * @pcp: pcp=1: per-CPU lists of free pages
 * @bulk: the pages of an area are taken and returned in bulk, and mapped 2 MiB at a time where that
 *	can be; it has no parameter: 2.4 and 2.6 did so one by one
 */
struct pmm_policy {
	enum pmm_placement	placement;
	enum pmm_expand		expand;
	enum pmm_hole_search	search;
	enum pmm_purging	purge;
	bool			pcp;
	bool			bulk;
};

/**
 * struct pmm_era - what one version of Linux chose
 * @name: of the parameter era=
 * @policy: its choices
 */
struct pmm_era {
	const char		*name;
	struct pmm_policy	policy;
};

/* The switches, which override the era, in the order in which they are judged and shown. */
enum pmm_switch_id {
	PMM_SWITCH_EXPAND,
	PMM_SWITCH_PCP,
	PMM_SWITCH_SEARCH,
	PMM_SWITCH_PURGE,
	PMM_SWITCH_PLACEMENT,
	PMM_NR_SWITCHES,
};

/**
 * struct pmm_switch - a parameter with two words
 * @name: of the parameter
 * @words: by value
 */
struct pmm_switch {
	const char	*name;
	char		*words[2];
};

extern const struct pmm_switch pmm_switches[PMM_NR_SWITCHES];

const struct pmm_era *pmm_find_era(const char *name);
int pmm_find_word(const struct pmm_switch *of, const char *word);
unsigned int pmm_choice(const struct pmm_policy *policy, enum pmm_switch_id id);
void pmm_choose(struct pmm_policy *policy, enum pmm_switch_id id, unsigned int value);

#endif /* POCKETMM_POLICY_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the reports of buddy.c on each block that comes and goes while a debug switch is on:
 * poison= and owner=; see debug.c.
 */
#ifndef POCKETMM_DEBUG_H
#define POCKETMM_DEBUG_H

#include <linux/sched.h>
#include <linux/stackdepot.h>
#include <linux/types.h>

struct pmm_verdict;
struct pmm_zone;

/* A task that took a block, or freed it. */
struct pmm_act {
	u64			when;	/* ns of the CPU's clock */
	depot_stack_handle_t	stack;	/* 0 for nobody yet */
	gfp_t			gfp;	/* the request's flags; 0 for a free */
	pid_t			pid;
	pid_t			tgid;
	char			comm[TASK_COMM_LEN];
};

/* The last of each for the block that begins at this page. */
struct pmm_owner {
	struct pmm_act	taken;
	struct pmm_act	freed;
};

/**
 * struct pmm_debug - the debug switches of a zone; constant, except for their findings
 * @poison: free pages have a pattern in them
 * @owner: one per page, or NULL
 * @nr_poison: blocks whose pattern was found to be broken
 */
struct pmm_debug {
	bool			poison;
	struct pmm_owner	*owner;
	atomic_long_t		nr_poison;
};

int pmm_debug_init(struct pmm_zone *zone, struct pmm_debug *debug, unsigned long nr_pages,
		   bool owner);
void pmm_debug_destroy(struct pmm_zone *zone);
void pmm_debug_taken(struct pmm_zone *zone, unsigned long index, unsigned int order, gfp_t gfp,
		     unsigned long caller);
void __pmm_debug_freed(struct pmm_zone *zone, unsigned long index, unsigned long caller);
void __pmm_debug_fill(struct pmm_zone *zone, unsigned long index, unsigned int order);
void pmm_debug_broken(struct pmm_zone *zone, unsigned long index, unsigned int order);
unsigned int pmm_debug_stack(const struct pmm_act *act, unsigned long **entries);
bool pmm_debug_verify(struct pmm_zone *zone, struct pmm_verdict *v);

#define PMM_WHO_LEN	320	/* room for the text of pmm_debug_who() */

void pmm_name_code(unsigned long addr, char *text, size_t size);
const char *pmm_debug_who(const struct pmm_zone *zone, const struct pmm_act *act,
			  unsigned long caller, char *text);

#endif /* POCKETMM_DEBUG_H */

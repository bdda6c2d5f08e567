/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: blocks in quarantine, and reports of them: structures, and the checks that precede it.
 */
#ifndef POCKETMM_QUARANTINE_H
#define POCKETMM_QUARANTINE_H

#include <linux/compiler.h>
#include <linux/types.h>

#define PMM_STRAYS		8	/* reports that wait, at most */

/**
 * struct pmm_stray - a block that has just gone into quarantine, for the report
 * @index: its first page
 * @order: its order
 * @why: the reason, a constant string
 * @taken: the code that took it last, or 0
 * @freed: the code that freed it, or 0
 */
struct pmm_stray {
	unsigned long	index;
	unsigned int	order;
	const char	*why;
	unsigned long	taken;
	unsigned long	freed;
};

/* Reports that wait until zone->lock is no longer held, and how many more there was no room for. */
struct pmm_strays {
	unsigned int		nr;
	unsigned long		more;
	struct pmm_stray	at[PMM_STRAYS];
};

#endif /* POCKETMM_QUARANTINE_H */

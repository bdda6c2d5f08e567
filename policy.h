/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the choices of an era. policy.c has the table of eras; all code that reads a choice
 * finds its values here.
 */
#ifndef POCKETMM_POLICY_H
#define POCKETMM_POLICY_H

#include <linux/types.h>

/* Which half of a split block is handed out. */
enum pmm_expand {
	PMM_EXPAND_UPPER,	/* 2.4 */
	PMM_EXPAND_LOWER,	/* 2.6.28 */
};

/* Which of the free blocks that fit is taken. */
enum pmm_placement {
	PMM_PLACE_LIFO,		/* the book's: the one freed last of the smallest that fit */
	PMM_PLACE_PACKED,	/* one in the fullest largest block, so that others stay whole */
};

#endif /* POCKETMM_POLICY_H */

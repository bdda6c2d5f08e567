/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the module parameters after they have been judged.
 */
#ifndef POCKETMM_PARAMS_H
#define POCKETMM_PARAMS_H

#include "internal.h"

#define PMM_SWITCHES_LEN	160	/* bytes for pmm_describe_switches() */

/**
 * struct pmm_config - the values of the parameters
 * @chunk: chunk=, node= and below=
 * @window: bytes of window=
 * @min_free: pages of min_free=
 * @lower: expand=lower
 * @pcp: pcp=1
 * @tree: search=tree
 * @lazy: purge=lazy
 * @packed: placement=packed
 * @bulk: the era takes and returns the pages of an area in bulk
 * @poison: poison=1
 * @redzone: redzone=1
 * @owner: owner=1
 */
struct pmm_config {
	struct pmm_chunk_request	chunk;
	unsigned long			window;
	unsigned long			min_free;
	bool				lower;
	bool				pcp;
	bool				tree;
	bool				lazy;
	bool				packed;
	bool				bulk;
	bool				poison;
	bool				redzone;
	bool				owner;
};

int pmm_judge_parameters(struct pmm_config *config);
void pmm_describe_switches(char *text, size_t room);

#endif /* POCKETMM_PARAMS_H */

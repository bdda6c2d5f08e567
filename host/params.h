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
 * @policy: the choices of era=, and of the switches that override them
 * @poison: poison=1
 * @redzone: redzone=1
 * @owner: owner=1
 */
struct pmm_config {
	struct pmm_chunk_request	chunk;
	unsigned long			window;
	unsigned long			min_free;
	struct pmm_policy		policy;
	bool				poison;
	bool				redzone;
	bool				owner;
};

int pmm_judge_parameters(struct pmm_config *config);
void pmm_describe_switches(char *text, size_t room);

#endif /* POCKETMM_PARAMS_H */

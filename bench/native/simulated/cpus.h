/* SPDX-License-Identifier: GPL-2.0-only */
/* Simulated: CPUs that take turns, and what is counted of each. */
#ifndef SIMULATED_CPUS_H
#define SIMULATED_CPUS_H

#include <stdint.h>

#include "services.h"

/* What the core did, inside zone->lock and outside it. */
struct part {
	uint64_t	blocks;		/* basic blocks */
	uint64_t	accesses;	/* to memory */
	uint64_t	fetched;	/* cache lines read that another CPU had written */
	uint64_t	written;	/* cache lines written of which another CPU had a copy */
};

struct counts {
	uint64_t	operations;
	uint64_t	acquired;	/* zone->lock */
	uint64_t	waited;		/* of these, how often somebody else held it */
	uint64_t	atomics;	/* instructions that are atomic */
	struct part	inside;
	struct part	outside;
};

/* Lines of these ranges may be shared; whatever else is accessed is a CPU's own. */
void cpus_share(const void *start, unsigned long bytes);
void cpus_share_none(void);

/*
 * Run @step(cpu) @warm and then @nr times on each CPU, in a sequence that @seed decides. Only the
 * latter are counted; each returns how many operations it was.
 */
struct run {
	unsigned int	cpus;
	unsigned long	warm;
	unsigned long	nr;
	uint64_t	seed;
	unsigned int	(*step)(unsigned int cpu);
};

void cpus_run(const struct run *run, struct counts *counts);
uint64_t cpus_random(void);

#endif /* SIMULATED_CPUS_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Simulated: CPUs that take turns, and what is counted of each. */
#ifndef SIMULATED_CPUS_H
#define SIMULATED_CPUS_H

#include <linux/types.h>

#include "services.h"

/* What the core did, inside zone->lock and outside it. */
struct part {
	u64	blocks;		/* basic blocks */
	u64	accesses;	/* to memory */
	u64	fetched;	/* cache lines read that another CPU had written */
	u64	written;	/* cache lines written of which another CPU had a copy */
};

struct counts {
	u64	operations;
	u64	acquired;	/* zone->lock */
	u64	waited;		/* of these, how often somebody else held it */
	u64	atomics;	/* instructions that are atomic */
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
	u64	seed;
	unsigned int	(*step)(unsigned int cpu);
};

void cpus_run(const struct run *run, struct counts *counts);
u64 cpus_random(void);

#endif /* SIMULATED_CPUS_H */

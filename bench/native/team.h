/* SPDX-License-Identifier: GPL-2.0-only */
/* Native: threads, each pinned to a processor, that run a workload at once. */
#ifndef NATIVE_TEAM_H
#define NATIVE_TEAM_H

#include "native.h"

struct job {
	const struct native_allocator	*allocator;
	enum native_workload		what;
	unsigned int			threads;
	unsigned long			rounds;
};

/* What each of the threads did: the mean. */
struct result {
	double	ns;		/* a block */
	double	misses;		/* likewise; negative where they are not counted */
	bool	disturbed;	/* one of them lost its processor meanwhile */
};

unsigned int team_start(void);		/* returns how many threads there are */
struct result team_run(const struct job *job);

#endif /* NATIVE_TEAM_H */

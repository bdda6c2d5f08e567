/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/sched/clock.h>: it is always the same moment. */
#ifndef UNIT_LINUX_SCHED_CLOCK_H
#define UNIT_LINUX_SCHED_CLOCK_H

#include <linux/types.h>

static inline u64 local_clock(void)
{
	return 0;
}

#endif /* UNIT_LINUX_SCHED_CLOCK_H */

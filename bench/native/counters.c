// SPDX-License-Identifier: GPL-2.0-only
/*
 * Native: cache misses, by perf_event_open().
 */
#include <linux/perf_event.h>
#include <linux/types.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "counters.h"

static __thread int counter = -1;

void counters_open(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE, .size = sizeof(attr),
		.config = PERF_COUNT_HW_CACHE_MISSES,
		.exclude_kernel = 1, .exclude_hv = 1,
	};

	counter = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

long counters_misses(void)
{
	u64 misses;

	if (counter < 0 || read(counter, &misses, sizeof(misses)) != sizeof(misses))
		return -1;
	return misses;
}

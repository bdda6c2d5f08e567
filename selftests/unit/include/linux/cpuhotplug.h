/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/cpuhotplug.h>: one callback, which a test calls when it unplugs a CPU. */
#ifndef UNIT_LINUX_CPUHOTPLUG_H
#define UNIT_LINUX_CPUHOTPLUG_H

#include "shim.h"

enum cpuhp_state {
	CPUHP_BP_PREPARE_DYN = 1,
};

static inline int cpuhp_setup_state_nocalls(enum cpuhp_state state, const char *name,
					    int (*up)(unsigned int cpu),
					    int (*down)(unsigned int cpu))
{
	shim_assert(*name, "a hotplug callback without a name");
	return shim_hotplug_setup(state, up, down);
}

static inline void cpuhp_remove_state_nocalls(enum cpuhp_state state)
{
	shim_hotplug_remove(state);
}

#endif /* UNIT_LINUX_CPUHOTPLUG_H */

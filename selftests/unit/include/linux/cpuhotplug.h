/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/cpuhotplug.h>: one callback, which a test calls when it unplugs a CPU. */
#ifndef UNIT_LINUX_CPUHOTPLUG_H
#define UNIT_LINUX_CPUHOTPLUG_H

#include "shim.h"

enum cpuhp_state {
	CPUHP_BP_PREPARE_DYN = 1,
};

#define cpuhp_setup_state_nocalls(state, name, up, down)	shim_hotplug_setup(state, up, down)
#define cpuhp_remove_state_nocalls(state)			shim_hotplug_remove(state)

#endif /* UNIT_LINUX_CPUHOTPLUG_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/stackdepot.h>: the kernel under test has none. */
#ifndef UNIT_LINUX_STACKDEPOT_H
#define UNIT_LINUX_STACKDEPOT_H

#include <linux/types.h>

typedef u32 depot_stack_handle_t;

static inline int stack_depot_init(void)
{
	return 0;
}

static inline depot_stack_handle_t stack_depot_save(unsigned long *entries, unsigned int nr,
						    gfp_t gfp)
{
	return 0;
}

static inline unsigned int stack_depot_fetch(depot_stack_handle_t handle, unsigned long **entries)
{
	return 0;
}

#endif /* UNIT_LINUX_STACKDEPOT_H */

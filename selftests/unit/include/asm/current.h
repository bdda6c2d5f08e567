/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <asm/current.h>: one task. */
#ifndef UNIT_ASM_CURRENT_H
#define UNIT_ASM_CURRENT_H

#include <linux/sched.h>

static struct task_struct shim_task = { .pid = 1, .comm = "unit" };

#define current		(&shim_task)

#endif /* UNIT_ASM_CURRENT_H */

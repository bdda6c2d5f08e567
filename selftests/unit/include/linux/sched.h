/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/sched.h>: one task. */
#ifndef UNIT_LINUX_SCHED_H
#define UNIT_LINUX_SCHED_H

#include <linux/types.h>

#define TASK_COMM_LEN	16

struct task_struct {
	pid_t	pid;
	pid_t	tgid;
	char	comm[TASK_COMM_LEN];
};

#define cond_resched()	shim_assert(shim_may_move(), "cond_resched() in atomic context")

#endif /* UNIT_LINUX_SCHED_H */

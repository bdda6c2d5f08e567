/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/stacktrace.h>: nothing is known of the stack. */
#ifndef UNIT_LINUX_STACKTRACE_H
#define UNIT_LINUX_STACKTRACE_H

static inline unsigned int stack_trace_save(unsigned long *entries, unsigned int size,
					    unsigned int skip)
{
	return 0;
}

#endif /* UNIT_LINUX_STACKTRACE_H */

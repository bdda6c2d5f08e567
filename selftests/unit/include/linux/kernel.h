/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/kernel.h> and for what it drags in. */
#ifndef UNIT_LINUX_KERNEL_H
#define UNIT_LINUX_KERNEL_H

#include <stdio.h>	/* snprintf() */

#include <linux/err.h>
#include <linux/stdarg.h>
#include <linux/types.h>

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define IS_ALIGNED(x, a)	(((x) & ((a) - 1)) == 0)

#define min(a, b)						\
	({							\
		__typeof__(a) a_ = (a);				\
		__typeof__(b) b_ = (b);				\
								\
		a_ < b_ ? a_ : b_;				\
	})

#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))

/*
 * By way of an integer: verify follows links on purpose that may be broken, which the sanitizers
 * need not mind.
 */
#define container_of(p, type, member)	((type *)((uintptr_t)(p) - offsetof(type, member)))

int kstrtoull(const char *text, unsigned int base, unsigned long long *value);

#endif /* UNIT_LINUX_KERNEL_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/kernel.h> and for what it drags in. */
#ifndef UNIT_LINUX_KERNEL_H
#define UNIT_LINUX_KERNEL_H

#include <assert.h>	/* static_assert() */
#include <stdio.h>	/* snprintf() */

#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/stdarg.h>
#include <linux/types.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define IS_ALIGNED(x, a)	(((x) & ((a) - 1)) == 0)
#define ALIGN(x, a)		(((x) + (a) - 1) & ~((a) - 1))
#define ALIGN_DOWN(x, a)	((x) & ~((a) - 1))

#define _RET_IP_		((unsigned long)__builtin_return_address(0))

#define min(a, b)						\
	({							\
		__typeof__(a) a_ = (a);				\
		__typeof__(b) b_ = (b);				\
								\
		a_ < b_ ? a_ : b_;				\
	})

#define max(a, b)						\
	({							\
		__typeof__(a) a_ = (a);				\
		__typeof__(b) b_ = (b);				\
								\
		a_ > b_ ? a_ : b_;				\
	})

#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define min3(a, b, c)		min(min(a, b), c)
#define clamp(x, low, high)	min(max(x, low), high)

/*
 * By way of an integer: verify follows links on purpose that may be broken, which the sanitizers
 * need not mind.
 */
#define container_of(p, type, member)	((type *)((uintptr_t)(p) - offsetof(type, member)))

#define IS_ENABLED(option)	0

/* Returns the length written, which is less than snprintf() returns if the text does not fit. */
#define scnprintf(buf, size, ...)					\
	({								\
		size_t room_ = (size);					\
		size_t len_ = snprintf(buf, room_, __VA_ARGS__);	\
									\
		len_ < room_ ? len_ : room_ - !!room_;			\
	})

int kstrtoull(const char *text, unsigned int base, unsigned long long *value);

#endif /* UNIT_LINUX_KERNEL_H */

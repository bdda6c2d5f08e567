/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/compiler.h>. */
#ifndef UNIT_LINUX_COMPILER_H
#define UNIT_LINUX_COMPILER_H

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define noinline		__attribute__((__noinline__))

#ifndef __always_inline
#define __always_inline		inline __attribute__((__always_inline__))
#endif

#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value)	(*(volatile __typeof__(x) *)&(x) = (value))
#define data_race(x)		(x)

#endif /* UNIT_LINUX_COMPILER_H */

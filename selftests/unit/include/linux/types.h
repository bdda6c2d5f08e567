/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for <linux/types.h>. The C library's own headers include that name too, for what the
 * kernel shows to user space, hence the include_next.
 */
#ifndef UNIT_LINUX_TYPES_H
#define UNIT_LINUX_TYPES_H

#include_next <linux/types.h>

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define __printf(fmt, args)	__attribute__((format(printf, fmt, args)))
#define __noreturn		__attribute__((noreturn))
#define __iomem
#define __percpu

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

typedef unsigned int gfp_t;
typedef u64 phys_addr_t;

typedef struct {
	int		counter;
} atomic_t;

typedef struct {
	long		counter;
} atomic_long_t;

struct list_head {
	struct list_head *next, *prev;
};

#endif /* UNIT_LINUX_TYPES_H */

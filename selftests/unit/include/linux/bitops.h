/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/bitops.h>: bits in arrays of unsigned long, bit 0 first. */
#ifndef UNIT_LINUX_BITOPS_H
#define UNIT_LINUX_BITOPS_H

#include <linux/types.h>

#define BITS_PER_LONG		((unsigned long)(8 * sizeof(long)))
#define BIT(nr)			(1UL << (nr))
#define BITS_TO_LONGS(nr)	(((nr) + BITS_PER_LONG - 1) / BITS_PER_LONG)

static inline bool test_bit(unsigned long nr, const unsigned long *map)
{
	return map[nr / BITS_PER_LONG] >> nr % BITS_PER_LONG & 1;
}

/* Of a value that is not 0. */
static inline unsigned long __ffs(unsigned long value)
{
	return __builtin_ctzl(value);
}

static inline unsigned long __fls(unsigned long value)
{
	return BITS_PER_LONG - 1 - __builtin_clzl(value);
}

static inline void __change_bit(unsigned long nr, unsigned long *map)
{
	map[nr / BITS_PER_LONG] ^= 1UL << nr % BITS_PER_LONG;
}

static inline bool __test_and_change_bit(unsigned long nr, unsigned long *map)
{
	bool old = test_bit(nr, map);

	__change_bit(nr, map);
	return old;
}

#include <asm/bitops.h>

#define hweight8(w)	__builtin_popcount((u8)(w))

#endif /* UNIT_LINUX_BITOPS_H */

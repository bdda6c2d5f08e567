/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/bitops.h>: bits in arrays of unsigned long, bit 0 first. */
#ifndef UNIT_LINUX_BITOPS_H
#define UNIT_LINUX_BITOPS_H

#include <linux/types.h>

#include "shim.h"

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

/* Atomic in the kernel; here there is one thread. */
static inline bool test_and_set_bit(unsigned long nr, unsigned long *map)
{
	return test_bit(nr, map) || __test_and_change_bit(nr, map);
}

static inline bool test_and_clear_bit(unsigned long nr, unsigned long *map)
{
	return test_bit(nr, map) && __test_and_change_bit(nr, map);
}

/* Bits as locks: that they are held is the shim's to know. */
static inline bool test_and_set_bit_lock(unsigned long nr, unsigned long *map)
{
	bool old = test_and_set_bit(nr, map);

	if (!old)
		shim_bit_locked();
	return old;
}

static inline void __clear_bit_unlock(unsigned long nr, unsigned long *map)
{
	shim_bit_unlocking(test_bit(nr, map));
	test_and_clear_bit(nr, map);
}

#define hweight8(w)	__builtin_popcount((u8)(w))

#endif /* UNIT_LINUX_BITOPS_H */

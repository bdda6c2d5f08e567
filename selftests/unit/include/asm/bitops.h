/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <asm/bitops.h>: what is atomic in the kernel. <linux/bitops.h> includes it. */
#ifndef UNIT_ASM_BITOPS_H
#define UNIT_ASM_BITOPS_H

#include "shim.h"

/* There is one thread. */
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

#endif /* UNIT_ASM_BITOPS_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <asm/bitops.h>: the instructions that the kernel would use. */
#ifndef NATIVE_ASM_BITOPS_H
#define NATIVE_ASM_BITOPS_H

#define shim_bit_mask(nr)	(1UL << (nr) % BITS_PER_LONG)

static inline bool test_and_set_bit(unsigned long nr, unsigned long *map)
{
	unsigned long mask = shim_bit_mask(nr);

	return __atomic_fetch_or(map + nr / BITS_PER_LONG, mask, __ATOMIC_SEQ_CST) & mask;
}

static inline bool test_and_clear_bit(unsigned long nr, unsigned long *map)
{
	unsigned long mask = shim_bit_mask(nr);

	return __atomic_fetch_and(map + nr / BITS_PER_LONG, ~mask, __ATOMIC_SEQ_CST) & mask;
}

static inline bool test_and_set_bit_lock(unsigned long nr, unsigned long *map)
{
	unsigned long mask = shim_bit_mask(nr);

	return __atomic_fetch_or(map + nr / BITS_PER_LONG, mask, __ATOMIC_ACQUIRE) & mask;
}

/* Nobody else changes the word while the bit is held. */
static inline void __clear_bit_unlock(unsigned long nr, unsigned long *map)
{
	unsigned long *word = map + nr / BITS_PER_LONG;

	__atomic_store_n(word, *word & ~shim_bit_mask(nr), __ATOMIC_RELEASE);
}

#endif /* NATIVE_ASM_BITOPS_H */

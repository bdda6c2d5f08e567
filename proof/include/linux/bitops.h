/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for <linux/bitops.h>, for the prover: each bit is a word of its own, 0 or 1. That bits
 * share a word and do not disturb each other is lemmas/toggle.smt2.
 */
#ifndef PROOF_LINUX_BITOPS_H
#define PROOF_LINUX_BITOPS_H

#include <linux/types.h>

#define BITS_PER_LONG		64UL
#define BIT(nr)			(1UL << (nr))
#define BITS_TO_LONGS(nr)	(nr)

/*@
  requires \valid(map + nr);
  requires map[nr] == 0 || map[nr] == 1;
  assigns map[nr];
  ensures map[nr] == 1 - \old(map[nr]);
*/
static inline void __change_bit(unsigned long nr, unsigned long *map)
{
	map[nr] = !map[nr];
}

/*@
  requires \valid(map + nr);
  requires map[nr] == 0 || map[nr] == 1;
  assigns map[nr];
  ensures map[nr] == 1 - \old(map[nr]);
  ensures \result == \old(map[nr]);
*/
static inline bool __test_and_change_bit(unsigned long nr, unsigned long *map)
{
	bool old = map[nr];

	map[nr] = !map[nr];
	return old;
}

/*@
  requires \valid_read(map + nr);
  assigns \nothing;
  ensures \result == (map[nr] != 0);
*/
static inline bool test_bit(unsigned long nr, const unsigned long *map)
{
	return map[nr];
}

unsigned long __ffs(unsigned long value);
unsigned long __fls(unsigned long value);
bool test_and_set_bit_lock(unsigned long nr, unsigned long *map);
void __clear_bit_unlock(unsigned long nr, unsigned long *map);

#endif /* PROOF_LINUX_BITOPS_H */

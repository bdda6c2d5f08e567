/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/bitmap.h>, bit by bit. */
#ifndef UNIT_LINUX_BITMAP_H
#define UNIT_LINUX_BITMAP_H

#include <linux/bitops.h>

static inline unsigned int bitmap_weight(const unsigned long *map, unsigned int nbits)
{
	unsigned int bit, weight = 0;

	for (bit = 0; bit < nbits; bit++)
		weight += test_bit(bit, map);
	return weight;
}

/* The first bit that is 1 from @bit on; @size when there is none. */
static inline unsigned long find_next_bit(const unsigned long *map, unsigned long size,
					  unsigned long bit)
{
	while (bit < size && !test_bit(bit, map))
		bit++;
	return bit < size ? bit : size;
}

#endif /* UNIT_LINUX_BITMAP_H */

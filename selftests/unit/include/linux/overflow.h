/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/overflow.h>. */
#ifndef UNIT_LINUX_OVERFLOW_H
#define UNIT_LINUX_OVERFLOW_H

#include <linux/types.h>

/* Unsigned 64-bit values only: true when bits are lost; the result is stored all the same. */
static inline bool shim_shl_overflow(u64 value, unsigned int shift, u64 *result)
{
	bool fits = shift < 64 && value <= UINT64_MAX >> shift;

	*result = shift < 64 ? value << shift : 0;
	return !fits;
}

#define check_shl_overflow(value, shift, result)	shim_shl_overflow(value, shift, result)

/* Bytes of a structure whose last member is an array of @nr; ULONG_MAX when that overflows. */
#define struct_size(p, member, nr)						\
	({									\
		size_t bytes_;							\
										\
		__builtin_mul_overflow((size_t)(nr), sizeof(*(p)->member), &bytes_) ||	\
		__builtin_add_overflow(bytes_, sizeof(*(p)), &bytes_) ? SIZE_MAX : bytes_;	\
	})

#endif /* UNIT_LINUX_OVERFLOW_H */

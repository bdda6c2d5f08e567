/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: fault injection, which the stock kernels are built without. Each request to the
 * kernel's allocators first checks whether it is the one that must fail.
 */
#ifndef POCKETMM_FAULT_H
#define POCKETMM_FAULT_H

#include <linux/atomic.h>
#include <linux/compiler.h>

extern atomic_long_t pmm_fail_left;	/* fault.c: requests up to the one that fails; 0 for none */

static inline bool pmm_must_fail(void)
{
	return unlikely(atomic_long_read(&pmm_fail_left)) &&
	       !atomic_long_dec_if_positive(&pmm_fail_left);
}

/* The result of the request, or NULL in its place. */
#define pmm_may_fail(request)	(pmm_must_fail() ? NULL : (request))

#endif /* POCKETMM_FAULT_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: fault injection, armed by fail_nth= at load, the command `fail`, or a module.
 */
#include <linux/export.h>

#include "internal.h"

atomic_long_t pmm_fail_left;

/**
 * pmm_fail_nth() - make one of the module's requests to the kernel's allocators fail
 * @nth: which, counted from now and over all processors; 0 cancels
 *
 * Only one fails, as with the kernel's own /proc/self/fail-nth. Pages of the pool are not counted:
 * they run out on their own.
 *
 * Context: Any, NMI included.
 * Return: How many requests away the previous choice still was; 0 when that request had failed, or
 * there was none.
 */
unsigned long pmm_fail_nth(unsigned long nth)
{
	return atomic_long_xchg(&pmm_fail_left, min_t(unsigned long, nth, LONG_MAX));
}
EXPORT_SYMBOL_GPL(pmm_fail_nth);

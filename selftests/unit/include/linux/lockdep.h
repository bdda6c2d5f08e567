/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/lockdep.h>: there is one thread, so 'held' means held by it. */
#ifndef UNIT_LINUX_LOCKDEP_H
#define UNIT_LINUX_LOCKDEP_H

#include "shim.h"

#define lockdep_assert_held(lock)	shim_assert(shim_lock_held(lock), "lock not held")

#endif /* UNIT_LINUX_LOCKDEP_H */

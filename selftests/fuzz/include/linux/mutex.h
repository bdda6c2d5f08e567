/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/mutex.h>: one thread, so taken twice is a deadlock. */
#ifndef FUZZ_LINUX_MUTEX_H
#define FUZZ_LINUX_MUTEX_H

#include "shim.h"

struct mutex {
	bool	held;
};

#define DEFINE_MUTEX(name)	struct mutex name

static inline int mutex_lock_interruptible(struct mutex *lock)
{
	shim_assert(!lock->held, "mutex taken twice");
	lock->held = true;
	return 0;
}

static inline void mutex_unlock(struct mutex *lock)
{
	shim_assert(lock->held, "unlock of a free mutex");
	lock->held = false;
}

#endif /* FUZZ_LINUX_MUTEX_H */

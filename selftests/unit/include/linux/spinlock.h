/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/spinlock.h>: no exclusion, which one thread needs not, but all the checks. */
#ifndef UNIT_LINUX_SPINLOCK_H
#define UNIT_LINUX_SPINLOCK_H

#include <linux/atomic.h>
#include <linux/preempt.h>

#include "shim.h"

#define spin_lock_init(lock)	shim_lock_init(lock)
#define spin_lock(lock)		shim_lock(lock, false)
#define spin_unlock(lock)	shim_unlock(lock, false)

#define spin_lock_irqsave(lock, flags)			\
	do {						\
		(flags) = shim_irq_save();		\
		shim_lock(lock, true);			\
	} while (0)

#define spin_unlock_irqrestore(lock, flags)		\
	do {						\
		shim_unlock(lock, true);		\
		shim_irq_restore(flags);		\
		shim_point(SHIM_UNLOCKED);		\
	} while (0)

#endif /* UNIT_LINUX_SPINLOCK_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/lockdep.h>: off, as in most kernels. */
#ifndef NATIVE_LINUX_LOCKDEP_H
#define NATIVE_LINUX_LOCKDEP_H

#define lockdep_assert_held(lock)	((void)(lock))

#endif /* NATIVE_LINUX_LOCKDEP_H */

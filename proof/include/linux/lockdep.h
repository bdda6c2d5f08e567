/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for <linux/lockdep.h>, for the prover: that the caller holds the lock is taken for
 * granted.
 */
#ifndef PROOF_LINUX_LOCKDEP_H
#define PROOF_LINUX_LOCKDEP_H

#define lockdep_assert_held(lock)	((void)0)

#endif /* PROOF_LINUX_LOCKDEP_H */

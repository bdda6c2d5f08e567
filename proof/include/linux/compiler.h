/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for <linux/compiler.h>, for the prover: what only speaks to the compiler says nothing,
 * and what a lock protects is not volatile.
 */
#ifndef PROOF_LINUX_COMPILER_H
#define PROOF_LINUX_COMPILER_H

#define likely(x)		(x)
#define unlikely(x)		(x)
#define noinline

#define READ_ONCE(x)		(x)
#define WRITE_ONCE(x, value)	((x) = (value))
#define OPTIMIZER_HIDE_VAR(x)	((void)0)
#define data_race(x)		(x)

#endif /* PROOF_LINUX_COMPILER_H */

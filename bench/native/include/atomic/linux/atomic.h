/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/atomic.h>: the instructions that the kernel would use. */
#ifndef NATIVE_LINUX_ATOMIC_H
#define NATIVE_LINUX_ATOMIC_H

#include <linux/compiler.h>
#include <linux/types.h>

#define try_cmpxchg(p, old, new)						\
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)
#define xchg(p, new)		__atomic_exchange_n(p, new, __ATOMIC_SEQ_CST)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)

static inline void atomic_long_set(atomic_long_t *v, long i)
{
	WRITE_ONCE(v->counter, i);
}

static inline long atomic_long_read(const atomic_long_t *v)
{
	return READ_ONCE(v->counter);
}

static inline void atomic_long_add(long i, atomic_long_t *v)
{
	__atomic_fetch_add(&v->counter, i, __ATOMIC_RELAXED);
}

static inline void atomic_long_inc(atomic_long_t *v)
{
	atomic_long_add(1, v);
}

static inline void atomic_long_sub(long i, atomic_long_t *v)
{
	atomic_long_add(-i, v);
}

static inline long atomic_long_dec_if_positive(atomic_long_t *v)
{
	long old = atomic_long_read(v);

	while (old > 0 && !try_cmpxchg(&v->counter, &old, old - 1))
		;
	return old - 1;
}

static inline long atomic_long_xchg(atomic_long_t *v, long new)
{
	return xchg(&v->counter, new);
}

#endif /* NATIVE_LINUX_ATOMIC_H */

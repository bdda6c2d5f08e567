/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for <linux/atomic.h>: there is one thread. What another CPU may do just before a
 * compare-and-exchange is the hook's to say.
 */
#ifndef UNIT_LINUX_ATOMIC_H
#define UNIT_LINUX_ATOMIC_H

#include <linux/types.h>

#include "shim.h"

#define try_cmpxchg(p, old, new)				\
	({							\
		__typeof__(p) p_ = (p), old_ = (old);		\
		bool same_;					\
								\
		shim_point(SHIM_CMPXCHG);			\
		same_ = *p_ == *old_;				\
		if (same_)					\
			*p_ = (new);				\
		else						\
			*old_ = *p_;				\
		same_;						\
	})

#define xchg(p, new)						\
	({							\
		__typeof__(p) p_ = (p);				\
		__typeof__(*p) old_ = *p_;			\
								\
		*p_ = (new);					\
		old_;						\
	})

static inline void atomic_long_set(atomic_long_t *v, long i)
{
	v->counter = i;
}

static inline long atomic_long_read(const atomic_long_t *v)
{
	return v->counter;
}

static inline void atomic_long_add(long i, atomic_long_t *v)
{
	v->counter += i;
}

static inline void atomic_long_inc(atomic_long_t *v)
{
	v->counter++;
}

static inline void atomic_long_sub(long i, atomic_long_t *v)
{
	v->counter -= i;
}

static inline long atomic_long_dec_if_positive(atomic_long_t *v)
{
	return v->counter > 0 ? --v->counter : v->counter - 1;
}

static inline long atomic_long_xchg(atomic_long_t *v, long new)
{
	return xchg(&v->counter, new);
}

#define smp_store_release(p, v)	WRITE_ONCE(*(p), v)	/* one thread sees all in its order */
#define smp_mb()		shim_point(SHIM_BARRIER)
#define smp_load_acquire(p)	READ_ONCE(*(p))		/* likewise */

#endif /* UNIT_LINUX_ATOMIC_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Simulated: the shim behind the unit tier's stand-in headers, for CPUs that take turns in one
 * thread. A turn may end at each point that the core passes, and ends when it waits; which CPU is
 * next comes from a seed. cpus.c counts.
 */
#ifndef SIMULATED_SHIM_H
#define SIMULATED_SHIM_H

#include "services.h"

enum shim_point {
	SHIM_PREEMPTIBLE,
	SHIM_UNLOCKED,
	SHIM_BIT_HELD,
	SHIM_CMPXCHG,
	SHIM_RELAX,
	SHIM_BARRIER,
};

typedef struct {
	bool	held;
} spinlock_t;

void shim_point(enum shim_point point);
unsigned int shim_cpu(void);
void shim_lock(spinlock_t *lock, bool irqsave);
void shim_unlock(spinlock_t *lock, bool irqrestore);

#define shim_lock_init(lock)	((void)((lock)->held = false))
#define shim_lock_held(lock)	((lock)->held)

#define shim_this_cpu(p)	shim_per_cpu(p, shim_cpu())
#define shim_may_move()		true
#define shim_irqs_off()		false
#define shim_in_interrupt()	false
#define shim_irq_save()		0UL
#define shim_irq_restore(flags)	((void)(flags))

#define shim_preempt_disable()	do { } while (0)
#define shim_preempt_enable()	shim_point(SHIM_PREEMPTIBLE)
#define shim_bit_locked()	shim_point(SHIM_BIT_HELD)
#define shim_bit_unlocking(held)	((void)(held))

/* What moves or fills a range is counted as the accesses that it stands for. */
void *shim_memcpy(void *to, const void *from, size_t size);
void *shim_memset(void *to, int c, size_t size);

#include <string.h>
#define memcpy(to, from, size)	shim_memcpy(to, from, size)
#define memmove(to, from, size)	shim_memcpy(to, from, size)
#define memset(to, c, size)	shim_memset(to, c, size)

#endif /* SIMULATED_SHIM_H */

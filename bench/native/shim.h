/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Native: the shim behind the unit tier's stand-in headers, for threads. A thread that is pinned is
 * a CPU. Interrupts and preemption are flags of the thread, as cheap as in the kernel or cheaper;
 * locks are real, unless PLAIN asks for the floor: the same code with plain instructions, which one
 * thread may run.
 */
#ifndef NATIVE_SHIM_H
#define NATIVE_SHIM_H

#include "services.h"

#ifdef __x86_64__
#define shim_pause()	__builtin_ia32_pause()
#else
#define shim_pause()	__asm__ volatile ("yield" : : : "memory")
#endif

/* What the kernel keeps beside its per-CPU offset. */
struct shim_cpu {
	unsigned long	offset;		/* of this CPU's part of each per-CPU object */
	unsigned long	preempt_off;	/* how many times */
	unsigned long	irqs_off;
	unsigned int	cpu;
};

extern __thread struct shim_cpu shim_now;

enum shim_point {
	SHIM_PREEMPTIBLE,
	SHIM_UNLOCKED,
	SHIM_BIT_HELD,
	SHIM_CMPXCHG,
	SHIM_RELAX,
	SHIM_BARRIER,
};

static inline void shim_point(enum shim_point point)
{
	if (point == SHIM_RELAX)
		shim_pause();
}

#define shim_this_cpu(p)	((void *)((char *)(p) + shim_now.offset))
#define shim_may_move()		(!shim_now.preempt_off)
#define shim_irqs_off()		(shim_now.irqs_off)
#define shim_in_interrupt()	false

/* A compiler barrier, as in the kernel: what follows stays behind it. */
static inline void shim_preempt_disable(void)
{
	shim_now.preempt_off++;
	__asm__ volatile ("" : : : "memory");
}

static inline void shim_preempt_enable(void)
{
	__asm__ volatile ("" : : : "memory");
	shim_now.preempt_off--;
}

static inline unsigned long shim_irq_save(void)
{
	unsigned long flags = shim_now.irqs_off;

	shim_now.irqs_off = 1;
	return flags;
}

static inline void shim_irq_restore(unsigned long flags)
{
	shim_now.irqs_off = flags;
}

/* --- a lock: one instruction when it is free; else a queue of those that wait --- */

typedef union {
	u32 word;
	struct {
		u8	held;
		u8	unused;
		u16	last;	/* CPU at the queue's end, plus 1; 0 if there is none */
	};
} spinlock_t;

void shim_lock_wait(spinlock_t *lock);

#define shim_lock_init(lock)	((void)((lock)->word = 0))
#define shim_lock_held(lock)	((lock)->held)

static inline void shim_bit_locked(void)
{
}

static inline void shim_bit_unlocking(bool held)
{
}

#ifdef PLAIN
static inline void shim_lock(spinlock_t *lock, bool irqsave)
{
	shim_preempt_disable();
	if (__builtin_expect(lock->word, 0))
		shim_lock_wait(lock);
	lock->word = 1;
}
#else
static inline void shim_lock(spinlock_t *lock, bool irqsave)
{
	u32 unheld = 0;

	shim_preempt_disable();
	if (__builtin_expect(!__atomic_compare_exchange_n(&lock->word, &unheld, 1, false,
							  __ATOMIC_ACQUIRE, __ATOMIC_RELAXED), 0))
		shim_lock_wait(lock);
}
#endif

static inline void shim_unlock(spinlock_t *lock, bool irqrestore)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
	shim_preempt_enable();
}

#endif /* NATIVE_SHIM_H */

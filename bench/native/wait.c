// SPDX-License-Identifier: GPL-2.0-only
/*
 * Native: waiting for a lock, in a queue, as the kernel does. Each CPU waits at a line of its own;
 * the head of the queue waits at the lock. While there is a queue, nobody takes the lock past it,
 * because the lock's word is not 0.
 */
#include "shim.h"

struct waiter {
	_Alignas(SHIM_CACHE_LINE) struct waiter	*next;
	bool		first;
};

static struct waiter waiters[SHIM_NR_CPUS];

__thread struct shim_cpu shim_now;

static void wait_behind(struct waiter *last, struct waiter *me)
{
	__atomic_store_n(&last->next, me, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&me->first, __ATOMIC_ACQUIRE))
		shim_pause();
}

/* The lock is ours; the next in the queue, if there is one, becomes its head. */
static void leave_queue(spinlock_t *lock, struct waiter *me, u32 alone)
{
	struct waiter *next;

	if (__atomic_compare_exchange_n(&lock->word, &alone, 1, false, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED))
		return;
	__atomic_store_n(&lock->held, 1, __ATOMIC_RELAXED);
	do {
		next = __atomic_load_n(&me->next, __ATOMIC_ACQUIRE);
	} while (!next);
	__atomic_store_n(&next->first, true, __ATOMIC_RELEASE);
}

void shim_lock_wait(spinlock_t *lock)
{
	spinlock_t alone = { .last = shim_now.cpu + 1 };
	struct waiter *me = waiters + shim_now.cpu;
	u16 last;

	*me = (struct waiter){ };
	last = __atomic_exchange_n(&lock->last, alone.last, __ATOMIC_ACQ_REL);
	if (last)
		wait_behind(waiters + last - 1, me);
	while (__atomic_load_n(&lock->held, __ATOMIC_ACQUIRE))
		shim_pause();
	leave_queue(lock, me, alone.word);
}

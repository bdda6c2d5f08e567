/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unit tier: the hooks behind the stand-in <linux/...> headers, and the handles by which a test
 * turns them.
 *
 * The stand-ins are stricter than the kernel's own: a lock taken twice, a list whose links
 * disagree, an allocation or a message under a spinlock ends the test as failed. Each test runs in
 * a process of its own, so that all this state begins fresh and needs no lock.
 *
 * One thread plays all CPUs, tasks and interrupts, each in its turn. Where the core would let
 * others in, it passes a point, and there the test may have something else done in between.
 */
#ifndef UNIT_SHIM_H
#define UNIT_SHIM_H

#include <linux/types.h>

/* End the test as failed, naming the place; does not return. */
#define shim_assert(cond, ...)						\
	do {								\
		if (!(cond))						\
			shim_die(__FILE__, __LINE__, __VA_ARGS__);	\
	} while (0)

__printf(3, 4) __noreturn void shim_die(const char *file, int line, const char *fmt, ...);

/* --- memory: what kfree() may free and what only kvfree() may are counted apart --- */

enum shim_heap {
	SHIM_SLAB,
	SHIM_KV,
	SHIM_PERCPU,
	SHIM_NR_HEAPS,
};

void *shim_zalloc(enum shim_heap heap, size_t nr, size_t size, gfp_t gfp);
void *shim_malloc(enum shim_heap heap, size_t size, gfp_t gfp);
void shim_free(enum shim_heap heap, const void *p);

void shim_fail_alloc(unsigned long nth);	/* the nth from now fails, once; 0 for none */
unsigned long shim_nr_allocs(void);		/* attempts since the start of the test */
long shim_nr_live(void);			/* objects not yet freed */

/* --- CPUs, and what may happen in between --- */

#define SHIM_NR_CPUS	4

enum shim_point {
	SHIM_PREEMPTIBLE,	/* preemption is on again */
	SHIM_UNLOCKED,		/* a spinlock was given back, and interrupts are on */
	SHIM_BIT_HELD,		/* a bit that serves as a lock was taken, or will be given back */
	SHIM_CMPXCHG,		/* a value was read, and is exchanged if it still is the same */
	SHIM_RELAX,		/* waiting for somebody else */
	SHIM_BARRIER,		/* between a write and a read: the other CPU has done the same */
};

/* Called at each point, but not from what it does itself. */
extern void (*shim_hook)(enum shim_point point);

void shim_point(enum shim_point point);

unsigned int shim_cpu(void);
void shim_set_cpu(unsigned int cpu);		/* the task moves, which needs preemption on */
bool shim_may_move(void);
bool shim_irqs_off(void);
bool shim_in_interrupt(void);
void shim_preempt_disable(void);
void shim_preempt_enable(void);
void shim_bit_locked(void);
void shim_bit_unlocking(bool held);

/* Have something done in an interrupt, on this CPU or another, and go on here afterwards. */
void shim_interrupt(unsigned int cpu, void (*run)(void));
void shim_softirq(void (*run)(void));		/* on this CPU, with interrupts on */

void *shim_alloc_percpu(size_t size);
void shim_free_percpu(const void *p);
void *shim_per_cpu(const void *p, unsigned int cpu);
void *shim_this_cpu(const void *p);

int shim_hotplug_setup(int state, int (*up)(unsigned int cpu), int (*down)(unsigned int cpu));
void shim_hotplug_remove(int state);
void shim_unplug(unsigned int cpu);

/* --- the direct map --- */

extern struct page *shim_direct_map;		/* page at its first address */
extern unsigned long shim_direct_map_pages;
extern char *shim_page_contents;		/* of all of them; NULL where they have none */

/* --- locks --- */

/* How a lock has been taken so far. */
enum shim_lock_kind {
	SHIM_LOCK_FRESH,
	SHIM_LOCK_IRQ,
	SHIM_LOCK_PROCESS,
};

#define SHIM_LOCK_MAGIC	0x10cced

typedef struct {
	unsigned int		magic;
	enum shim_lock_kind	kind;
	bool			held;
} spinlock_t;

static inline bool shim_lock_held(const spinlock_t *lock)
{
	return lock->held;
}

void shim_lock_init(spinlock_t *lock);
void shim_lock(spinlock_t *lock, bool irqsave);
void shim_unlock(spinlock_t *lock, bool irqrestore);
unsigned long shim_irq_save(void);
void shim_irq_restore(unsigned long flags);
unsigned long shim_nr_locked(void);		/* times that any lock was taken */

/* --- messages --- */

__printf(1, 2) void shim_printk(const char *fmt, ...);

/* The oldest line not yet read, without its newline; "" when there is none. */
const char *shim_log_line(void);

/* --- end of a test: every lock free, every object freed, every message read --- */

void shim_check_idle(void);

#endif /* UNIT_SHIM_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unit tier: the hooks behind the stand-in <linux/...> headers, and the handles by which a test
 * turns them.
 *
 * The stand-ins are stricter than the kernel's own: a lock taken twice, a list whose links
 * disagree, an allocation or a message under a spinlock ends the test as failed. Each test runs in
 * a process of its own, so that all this state begins fresh and needs no lock.
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
	SHIM_NR_HEAPS,
};

void *shim_zalloc(enum shim_heap heap, size_t nr, size_t size, gfp_t gfp);
void shim_free(enum shim_heap heap, const void *p);

void shim_fail_alloc(unsigned long nth);	/* the nth from now fails, once; 0 for none */
unsigned long shim_nr_allocs(void);		/* attempts since the start of the test */
long shim_nr_live(void);			/* objects not yet freed */

/* --- locks --- */

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

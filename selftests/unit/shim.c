// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: what stands behind the stand-in <linux/...> headers. It counts, it checks, and it
 * fails on demand.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "ktap.h"
#include "shim.h"

void shim_die(const char *file, int line, const char *fmt, ...)
{
	char why[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	ktap_fail(file, line, "%s", why);
}

/* --- memory --- */

static struct {
	unsigned long	attempts;
	unsigned long	fail_at;	/* number of the attempt that fails; 0 for none */
	long		live[SHIM_NR_HEAPS];
} heaps;

static unsigned int locks_held;

void *shim_zalloc(enum shim_heap heap, size_t nr, size_t size, gfp_t gfp)
{
	void *p;

	shim_assert(gfp & (GFP_KERNEL | GFP_ATOMIC), "allocation with odd flags %#x", gfp);
	shim_assert(!locks_held, "allocation under a spinlock");
	if (++heaps.attempts == heaps.fail_at)
		return NULL;
	p = calloc(nr, size);
	shim_assert(p, "the machine is out of memory");
	heaps.live[heap]++;
	return p;
}

void shim_free(enum shim_heap heap, const void *p)
{
	shim_assert(!locks_held, "free under a spinlock");
	if (!p)
		return;
	heaps.live[heap]--;
	shim_assert(heaps.live[heap] >= 0, "freed with the call for the other kind of memory");
	free((void *)p);
}

void shim_fail_alloc(unsigned long nth)
{
	heaps.fail_at = nth ? heaps.attempts + nth : 0;
}

unsigned long shim_nr_allocs(void)
{
	return heaps.attempts;
}

long shim_nr_live(void)
{
	return heaps.live[SHIM_SLAB] + heaps.live[SHIM_KV];
}

/* --- locks: one thread, so 'taken twice' is a deadlock and 'not held' is a race --- */

static bool irqs_off;
static unsigned long nr_locked;

void shim_lock_init(spinlock_t *lock)
{
	*lock = (spinlock_t) { .magic = SHIM_LOCK_MAGIC };
}

/*
 * A lock is either for any context, and always taken with interrupts off, or for process context
 * only.
 */
void shim_lock(spinlock_t *lock, bool irqsave)
{
	shim_assert(lock->magic == SHIM_LOCK_MAGIC, "lock not initialized");
	shim_assert(!lock->held, "lock taken twice");
	shim_assert(lock->kind != (irqsave ? SHIM_LOCK_PROCESS : SHIM_LOCK_IRQ),
		    "lock taken both ways");
	lock->kind = irqsave ? SHIM_LOCK_IRQ : SHIM_LOCK_PROCESS;
	lock->held = true;
	locks_held++;
	nr_locked++;
}

void shim_unlock(spinlock_t *lock, bool irqrestore)
{
	shim_assert(lock->held, "unlock of a free lock");
	shim_assert(lock->kind == (irqrestore ? SHIM_LOCK_IRQ : SHIM_LOCK_PROCESS),
		    "unlocked the other way");
	lock->held = false;
	locks_held--;
}

#define SHIM_FLAGS(off)	(0xf1a600UL | (off))

unsigned long shim_irq_save(void)
{
	unsigned long flags = SHIM_FLAGS(irqs_off);

	irqs_off = true;
	return flags;
}

void shim_irq_restore(unsigned long flags)
{
	shim_assert(flags == SHIM_FLAGS(0) || flags == SHIM_FLAGS(1),
		    "flags are not those that were saved");
	shim_assert(irqs_off, "interrupts are on already");
	irqs_off = flags & 1;
}

unsigned long shim_nr_locked(void)
{
	return nr_locked;
}

/* --- messages --- */

static struct {
	char		line[64][256];
	unsigned int	written;
	unsigned int	read;
} shim_log;

void shim_printk(const char *fmt, ...)
{
	char *line = shim_log.line[shim_log.written % 64];
	va_list args;
	int len;

	shim_assert(!locks_held && !irqs_off, "message under a spinlock");
	shim_assert(shim_log.written - shim_log.read < 64, "64 messages that no test has read");
	va_start(args, fmt);
	len = vsnprintf(line, sizeof(shim_log.line[0]), fmt, args);
	va_end(args);
	shim_assert(len > 0 && len < 256 && line[len - 1] == '\n',
		    "message without an end: %s", line);
	line[len - 1] = '\0';
	shim_log.written++;
}

const char *shim_log_line(void)
{
	return shim_log.read == shim_log.written ? "" : shim_log.line[shim_log.read++ % 64];
}

void shim_check_idle(void)
{
	shim_assert(!locks_held && !irqs_off, "the test ends with a lock held");
	shim_assert(!heaps.live[SHIM_SLAB], "leak: %ld kmalloc objects", heaps.live[SHIM_SLAB]);
	shim_assert(!heaps.live[SHIM_KV], "leak: %ld kvmalloc objects", heaps.live[SHIM_KV]);
	shim_assert(shim_log.read == shim_log.written,
		    "message that no test expects: %s", shim_log_line());
}

/* --- the kernel's strict number: one '+' before it and one newline behind are allowed --- */

static int shim_digit(char c, unsigned int base)
{
	int digit = -1;

	if (c >= '0' && c <= '9')
		digit = c - '0';
	else if (c >= 'a' && c <= 'f')
		digit = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		digit = c - 'A' + 10;
	return digit < (int)base ? digit : -1;
}

int kstrtoull(const char *text, unsigned int base, unsigned long long *value)
{
	unsigned long long sum = 0;
	const char *pos = text + (text[0] == '+');

	shim_assert(base == 10 || base == 16, "base %u: the stand-in knows 10 and 16", base);
	if (base == 16 && pos[0] == '0' && (pos[1] | 0x20) == 'x')
		pos += 2;
	if (shim_digit(*pos, base) < 0)
		return -EINVAL;
	for (; shim_digit(*pos, base) >= 0; pos++)
		if (__builtin_mul_overflow(sum, base, &sum) ||
		    __builtin_add_overflow(sum, (unsigned int)shim_digit(*pos, base), &sum))
			return -ERANGE;
	if (*pos == '\n')
		pos++;
	if (*pos)
		return -EINVAL;
	*value = sum;
	return 0;
}

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

#include <linux/cpuhotplug.h>
#include <linux/kernel.h>
#include <linux/mm.h>
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

/* The current context: a task or an interrupt on some CPU, and the locks that it holds. */
struct context {
	unsigned int	cpu;
	unsigned int	locks;
	unsigned int	bits;
	unsigned int	preempt_off;	/* how many times */
	bool		irqs_off;
	bool		in_interrupt;
};

static struct context now;

static void assert_nothing_held(const char *who)
{
	shim_assert(!now.locks && !now.bits, "%s ends with a lock held", who);
	shim_assert(!now.preempt_off, "%s ends with preemption off", who);
}

/* --- memory --- */

static struct {
	unsigned long	attempts;
	unsigned long	fail_at;	/* number of the attempt that fails; 0 for none */
	long		live[SHIM_NR_HEAPS];
} heaps;

/* Counts an attempt; false when it is to fail. */
static bool may_alloc(gfp_t gfp)
{
	shim_assert(gfp & (GFP_KERNEL | GFP_ATOMIC), "allocation with odd flags %#x", gfp);
	shim_assert(!now.locks && !now.bits, "allocation under a spinlock");
	return ++heaps.attempts != heaps.fail_at;
}

void *shim_zalloc(enum shim_heap heap, size_t nr, size_t size, gfp_t gfp)
{
	void *p;

	if (!may_alloc(gfp))
		return NULL;
	p = calloc(nr, size);
	shim_assert(p, "the machine is out of memory");
	heaps.live[heap]++;
	return p;
}

/* What nobody has written holds no zeroes. */
void *shim_malloc(enum shim_heap heap, size_t size, gfp_t gfp)
{
	void *p = shim_zalloc(heap, 1, size, gfp);

	return p ? memset(p, 0x5a, size) : NULL;
}

void shim_free(enum shim_heap heap, const void *p)
{
	shim_assert(!now.locks && !now.bits, "free under a spinlock");
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
	return heaps.live[SHIM_SLAB] + heaps.live[SHIM_KV] + heaps.live[SHIM_PERCPU];
}

/* --- CPUs --- */

#define MOST_LOOKS	200000000UL	/* at locks that others hold, in a test */

void (*shim_hook)(enum shim_point point);

void shim_point(enum shim_point point)
{
	void (*hook)(enum shim_point point) = shim_hook;
	static unsigned long looks;

	looks += point == SHIM_RELAX;
	shim_assert(looks < MOST_LOOKS, "waits forever");
	if (!hook)
		return;
	shim_hook = NULL;
	hook(point);
	shim_hook = hook;
}

unsigned int shim_cpu(void)
{
	return now.cpu;
}

bool shim_may_move(void)
{
	return !now.preempt_off && !now.irqs_off && !now.in_interrupt;
}

void shim_set_cpu(unsigned int cpu)
{
	shim_assert(shim_may_move(), "moved with preemption off");
	now.cpu = cpu;
}

bool shim_irqs_off(void)
{
	return now.irqs_off;
}

bool shim_in_interrupt(void)
{
	return now.in_interrupt;
}

void shim_preempt_disable(void)
{
	now.preempt_off++;
}

void shim_preempt_enable(void)
{
	shim_assert(now.preempt_off, "preemption is on already");
	if (!--now.preempt_off)
		shim_point(SHIM_PREEMPTIBLE);
}

void shim_bit_locked(void)
{
	shim_assert(now.preempt_off, "a bit taken with preemption on");
	now.bits++;
	shim_point(SHIM_BIT_HELD);
}

void shim_bit_unlocking(bool held)
{
	shim_assert(held && now.bits, "unlock of a free bit");
	shim_point(SHIM_BIT_HELD);
	now.bits--;
}

static void meanwhile(struct context other, void (*run)(void))
{
	struct context was = now;

	now = other;
	run();
	assert_nothing_held("the work in between");
	now = was;
}

void shim_softirq(void (*run)(void))
{
	shim_assert(!now.irqs_off, "a softirq while interrupts are off");
	meanwhile((struct context) { .cpu = now.cpu, .in_interrupt = true }, run);
}

/* Not in a task: that could wait for what is held here, and this CPU stands still. */
void shim_interrupt(unsigned int cpu, void (*run)(void))
{
	shim_assert(cpu != now.cpu || !now.irqs_off, "an interrupt while they are off");
	meanwhile((struct context) { .cpu = cpu, .irqs_off = true, .in_interrupt = true }, run);
}

/* --- a part for each CPU; what stands for all of them is no address --- */

#define MOST_PERCPU	16
#define PERCPU_COOKIE	0xc00c0000UL

static void *percpu[MOST_PERCPU][SHIM_NR_CPUS];

static void **percpu_parts(const void *p)
{
	unsigned long nr = (unsigned long)p - PERCPU_COOKIE;

	shim_assert(nr < MOST_PERCPU && percpu[nr][0], "no such per-CPU object: %p", p);
	return percpu[nr];
}

void *shim_alloc_percpu(size_t size)
{
	unsigned int nr = 0, cpu;

	if (!may_alloc(GFP_KERNEL))
		return NULL;
	while (nr < MOST_PERCPU && percpu[nr][0])
		nr++;
	shim_assert(nr < MOST_PERCPU, "too many per-CPU objects");
	for (cpu = 0; cpu < SHIM_NR_CPUS; cpu++)
		percpu[nr][cpu] = calloc(1, size);
	heaps.live[SHIM_PERCPU]++;
	return (void *)(PERCPU_COOKIE + nr);
}

void shim_free_percpu(const void *p)
{
	void **parts = p ? percpu_parts(p) : NULL;
	unsigned int cpu;

	shim_assert(!now.locks && !now.bits, "free under a spinlock");
	if (!p)
		return;
	for (cpu = 0; cpu < SHIM_NR_CPUS; cpu++) {
		free(parts[cpu]);
		parts[cpu] = NULL;
	}
	heaps.live[SHIM_PERCPU]--;
}

void *shim_per_cpu(const void *p, unsigned int cpu)
{
	shim_assert(cpu < SHIM_NR_CPUS, "no such CPU: %u", cpu);
	return percpu_parts(p)[cpu];
}

void *shim_this_cpu(const void *p)
{
	shim_assert(!shim_may_move(), "this CPU's part, with preemption on");
	return percpu_parts(p)[now.cpu];
}

/* --- CPU hotplug --- */

static int (*unplugged)(unsigned int cpu);

/* The kernel has a few slots only: that one is found is an attempt like that for memory. */
int shim_hotplug_setup(int state, int (*up)(unsigned int cpu), int (*down)(unsigned int cpu))
{
	shim_assert(state == CPUHP_BP_PREPARE_DYN && !up && down && !unplugged, "odd hotplug");
	if (!may_alloc(GFP_KERNEL))
		return -ENOSPC;
	unplugged = down;
	return state + 1;
}

void shim_hotplug_remove(int state)
{
	shim_assert(state == CPUHP_BP_PREPARE_DYN + 1 && unplugged, "no such callback");
	unplugged = NULL;
}

void shim_unplug(unsigned int cpu)
{
	shim_assert(cpu != now.cpu, "the CPU that runs is unplugged");
	if (unplugged)
		shim_assert(!unplugged(cpu), "a CPU must not be kept");
}

/* --- the direct map --- */

struct page *shim_direct_map;
unsigned long shim_direct_map_pages;
char *shim_page_contents;
bool shim_init_on_alloc, shim_init_on_free;

/* --- locks: one thread, so 'taken twice' is a deadlock and 'not held' is a race --- */

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
	shim_assert(!now.bits, "lock taken with a bit held");
	shim_assert(lock->kind != (irqsave ? SHIM_LOCK_PROCESS : SHIM_LOCK_IRQ),
		    "lock taken both ways");
	lock->kind = irqsave ? SHIM_LOCK_IRQ : SHIM_LOCK_PROCESS;
	lock->held = true;
	now.locks++;
	nr_locked++;
}

void shim_unlock(spinlock_t *lock, bool irqrestore)
{
	shim_assert(lock->held, "unlock of a free lock");
	shim_assert(lock->kind == (irqrestore ? SHIM_LOCK_IRQ : SHIM_LOCK_PROCESS),
		    "unlocked the other way");
	lock->held = false;
	now.locks--;
}

#define SHIM_FLAGS(off)	(0xf1a600UL | (off))

unsigned long shim_irq_save(void)
{
	unsigned long flags = SHIM_FLAGS(now.irqs_off);

	now.irqs_off = true;
	return flags;
}

void shim_irq_restore(unsigned long flags)
{
	shim_assert(flags == SHIM_FLAGS(0) || flags == SHIM_FLAGS(1),
		    "flags are not those that were saved");
	shim_assert(now.irqs_off, "interrupts are on already");
	now.irqs_off = flags & 1;
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

#define LINE_SIZE	sizeof(shim_log.line[0])

/* The kernel's own conversions begin as that of a pointer does. */
static int convert_pointer(char *to, size_t room, const char **fmt, const void *p)
{
	if (strncmp(*fmt, "Gg", 2))
		return snprintf(to, room, "%p", p);
	*fmt += 2;
	return snprintf(to, room, "%#x", *(const gfp_t *)p);
}

/* One conversion, from its % on; returns how many characters it gave. */
static int convert(char *to, size_t room, const char **fmt, va_list *args)
{
	size_t len = strcspn(*fmt, "dusxp") + 1;
	char spec[16] = "";

	shim_assert(len < sizeof(spec), "a conversion that the stand-in does not know: %s", *fmt);
	memcpy(spec, *fmt, len);
	*fmt += len;
	switch (spec[len - 1]) {
	case 'p':
		return convert_pointer(to, room, fmt, va_arg(*args, const void *));
	case 's':
		return snprintf(to, room, spec, va_arg(*args, const char *));
	default:
		if (strchr(spec, 'l'))
			return snprintf(to, room, spec, va_arg(*args, unsigned long));
		return snprintf(to, room, spec, va_arg(*args, unsigned int));
	}
}

static size_t format(char *line, const char *fmt, va_list *args)
{
	size_t len = 0;

	while (*fmt && len < LINE_SIZE - 1) {
		if (*fmt == '%')
			len += convert(line + len, LINE_SIZE - len, &fmt, args);
		else
			line[len++] = *fmt++;
	}
	shim_assert(len < LINE_SIZE - 1, "a message too long for its line");
	line[len] = '\0';
	return len;
}

/* A handler of interrupts may print, one that was interrupted with them off may not. */
void shim_printk(const char *fmt, ...)
{
	char *line = shim_log.line[shim_log.written % 64];
	va_list args;
	size_t len;

	shim_assert(!now.locks && !now.bits && (now.in_interrupt || !now.irqs_off),
		    "message under a spinlock");
	shim_assert(shim_log.written - shim_log.read < 64, "64 messages that no test has read");
	va_start(args, fmt);
	len = format(line, fmt, &args);
	va_end(args);
	shim_assert(len && line[len - 1] == '\n', "message without an end: %s", line);
	line[len - 1] = '\0';
	shim_log.written++;
}

const char *shim_log_line(void)
{
	return shim_log.read == shim_log.written ? "" : shim_log.line[shim_log.read++ % 64];
}

void shim_check_idle(void)
{
	assert_nothing_held("the test");
	shim_assert(!now.irqs_off, "the test ends with interrupts off");
	shim_assert(!unplugged, "the test ends with a hotplug callback");
	shim_assert(!heaps.live[SHIM_SLAB], "leak: %ld kmalloc objects", heaps.live[SHIM_SLAB]);
	shim_assert(!heaps.live[SHIM_KV], "leak: %ld kvmalloc objects", heaps.live[SHIM_KV]);
	shim_assert(!heaps.live[SHIM_PERCPU], "leak: %ld per-CPU objects", heaps.live[SHIM_PERCPU]);
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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Simulated: CPUs as coroutines, and the callbacks of the compiler's instrumentation. The core is
 * compiled with -fsanitize=thread and -fsanitize-coverage=trace-pc, but linked with neither
 * library: the functions that they would bring are here, and count.
 *
 * A line is shared by the CPUs that have a copy. A write takes all other copies away, a read of a
 * line that another CPU wrote last fetches one; a cache never runs out of room.
 */
#include <stdlib.h>
#include <ucontext.h>

#include "cpus.h"
#include "shim.h"
#undef memcpy
#undef memmove
#undef memset

#define STACK_BYTES	(256UL << 10)
#define NR_RANGES	4
#define TURN_ENDS	8	/* a turn ends at one point in so many */

struct line {
	u64	copies;		/* a bit for each CPU */
	unsigned int	writer;		/* the last one, plus 1; 0 if nobody has written */
};

static struct {
	const char	*start;
	unsigned long	bytes;
	struct line	*lines;
} ranges[NR_RANGES];

static struct {
	ucontext_t	context[SHIM_NR_CPUS], scheduler;
	char		*stack[SHIM_NR_CPUS];
	unsigned int	inside[SHIM_NR_CPUS];	/* zone->lock, while it is not 0 */
	bool		done[SHIM_NR_CPUS];
	unsigned int	cpu, warm;
	u64	random;
	struct run	run;
	struct counts	*counts;	/* NULL while nothing is counted */
	struct counts	*result;
	bool		running;
} sim;

u64 cpus_random(void)
{
	sim.random ^= sim.random << 13;
	sim.random ^= sim.random >> 7;
	sim.random ^= sim.random << 17;
	return sim.random;
}

/* --- lines --- */

void cpus_share_none(void)
{
	unsigned int i;

	for (i = 0; i < NR_RANGES; i++) {
		free(ranges[i].lines);
		ranges[i].lines = NULL;
		ranges[i].bytes = 0;
	}
}

void cpus_share(const void *start, unsigned long bytes)
{
	unsigned int i;

	shim_assert((unsigned long)start % SHIM_CACHE_LINE == 0, "a range begins inside a line");
	for (i = 0; i < NR_RANGES && ranges[i].bytes; i++)
		;
	shim_assert(i < NR_RANGES, "too many ranges");
	ranges[i].start = start;
	ranges[i].bytes = bytes;
	ranges[i].lines = calloc(bytes / SHIM_CACHE_LINE + 1, sizeof(struct line));
}

static struct line *line_of(const char *at)
{
	unsigned int i;

	for (i = 0; i < NR_RANGES; i++)
		if ((unsigned long)(at - ranges[i].start) < ranges[i].bytes)
			return ranges[i].lines + (at - ranges[i].start) / SHIM_CACHE_LINE;
	return NULL;
}

static struct part *part(void)
{
	return sim.inside[sim.cpu] ? &sim.counts->inside : &sim.counts->outside;
}

static void touch(const void *at, bool write)
{
	struct line *line = line_of(at);
	u64 me = 1ULL << sim.cpu;

	if (!line)
		return;
	if (sim.counts && !write && !(line->copies & me) && line->writer)
		part()->fetched++;
	if (sim.counts && write && line->copies & ~me)
		part()->written++;
	line->copies = write ? me : line->copies | me;
	if (write)
		line->writer = sim.cpu + 1;
}

static void access_memory(const char *at, unsigned long size, bool write)
{
	unsigned long first = (unsigned long)at & -(unsigned long)SHIM_CACHE_LINE, line;

	if (!sim.running)
		return;
	if (sim.counts)
		part()->accesses++;
	for (line = first; line < (unsigned long)at + size; line += SHIM_CACHE_LINE)
		touch((const char *)line, write);
}

/* --- turns --- */

static void end_turn(void)
{
	swapcontext(&sim.context[sim.cpu], &sim.scheduler);
}

void shim_point(enum shim_point point)
{
	if (!sim.running)
		return;
	if (sim.counts && (point == SHIM_CMPXCHG || point == SHIM_BIT_HELD))
		sim.counts->atomics++;
	if (point == SHIM_RELAX || cpus_random() % TURN_ENDS == 0)
		end_turn();
}

unsigned int shim_cpu(void)
{
	return sim.cpu;
}

void shim_lock(spinlock_t *lock, bool irqsave)
{
	bool waited = lock->held;

	if (sim.running)
		while (lock->held)
			end_turn();
	shim_assert(!lock->held, "deadlock");
	lock->held = true;
	sim.inside[sim.cpu]++;
	access_memory((char *)lock, sizeof(*lock), true);
	if (!sim.running || !sim.counts)
		return;
	sim.counts->atomics++;
	sim.counts->acquired++;
	sim.counts->waited += waited;
}

void shim_unlock(spinlock_t *lock, bool irqrestore)
{
	access_memory((char *)lock, sizeof(*lock), true);
	sim.inside[sim.cpu]--;
	lock->held = false;
}

static void run_cpu(int cpu)
{
	unsigned long i;

	for (i = 0; i < sim.run.warm; i++)
		sim.run.step(cpu);
	if (++sim.warm == sim.run.cpus)
		sim.counts = sim.result;
	while (!sim.counts)
		end_turn();
	for (i = 0; i < sim.run.nr; i++)
		sim.counts->operations += sim.run.step(cpu);
	sim.done[cpu] = true;
	end_turn();
}

static void prepare(unsigned int cpu)
{
	if (!sim.stack[cpu])
		sim.stack[cpu] = malloc(STACK_BYTES);
	getcontext(&sim.context[cpu]);
	sim.context[cpu].uc_stack.ss_sp = sim.stack[cpu];
	sim.context[cpu].uc_stack.ss_size = STACK_BYTES;
	makecontext(&sim.context[cpu], (void (*)(void))run_cpu, 1, cpu);
	sim.done[cpu] = false;
	sim.inside[cpu] = 0;
}

void cpus_run(const struct run *run, struct counts *counts)
{
	unsigned int cpu, left = run->cpus;

	sim.run = *run;
	sim.random = run->seed;
	sim.warm = 0;
	sim.counts = NULL;
	sim.result = counts;
	*counts = (struct counts){ };
	for (cpu = 0; cpu < run->cpus; cpu++)
		prepare(cpu);
	sim.running = true;
	while (left) {
		sim.cpu = cpus_random() % run->cpus;
		if (sim.done[sim.cpu])
			continue;
		swapcontext(&sim.scheduler, &sim.context[sim.cpu]);
		left -= sim.done[sim.cpu];
	}
	sim.running = false;
	sim.counts = NULL;
	sim.cpu = 0;
}

/* --- what the instrumented code calls --- */

void *shim_memcpy(void *to, const void *from, size_t size)
{
	access_memory(from, size, false);
	access_memory(to, size, true);
	return memmove(to, from, size);
}

void *shim_memset(void *to, int c, size_t size)
{
	access_memory(to, size, true);
	return memset(to, c, size);
}

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	if (sim.running && sim.counts)
		part()->blocks++;
}

#define HOOK(name, size, write)					\
	void __tsan_##name(char *at);				\
	void __tsan_##name(char *at)				\
	{							\
		access_memory(at, size, write);			\
	}

HOOK(read1, 1, false)
HOOK(read2, 2, false)
HOOK(read4, 4, false)
HOOK(read8, 8, false)
HOOK(read16, 16, false)
HOOK(write1, 1, true)
HOOK(write2, 2, true)
HOOK(write4, 4, true)
HOOK(write8, 8, true)
HOOK(write16, 16, true)
HOOK(unaligned_read2, 2, false)
HOOK(unaligned_read4, 4, false)
HOOK(unaligned_read8, 8, false)
HOOK(unaligned_read16, 16, false)
HOOK(unaligned_write2, 2, true)
HOOK(unaligned_write4, 4, true)
HOOK(unaligned_write8, 8, true)
HOOK(unaligned_write16, 16, true)

void __tsan_read_range(char *at, unsigned long size);
void __tsan_read_range(char *at, unsigned long size)
{
	access_memory(at, size, false);
}

void __tsan_write_range(char *at, unsigned long size);
void __tsan_write_range(char *at, unsigned long size)
{
	access_memory(at, size, true);
}

void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *caller)
{
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

void __tsan_init(void);
void __tsan_init(void)
{
}

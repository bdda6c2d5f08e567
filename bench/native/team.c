// SPDX-License-Identifier: GPL-2.0-only
/*
 * Native: threads, each pinned to a processor, that run a workload at once. They wait for work in
 * the kernel, and then for each other in a loop, so that all begin within a cache line's transfer.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "counters.h"
#include "shim.h"
#include "team.h"

static struct {
	pthread_barrier_t	begin;
	pthread_barrier_t	end;
	unsigned int		threads;
	unsigned int		ready;		/* that wait for the others, in a loop */
	struct job		job;
	struct result		results[NATIVE_THREADS];
	struct span {
		double	start;
		double	end;
	} spans[NATIVE_THREADS];
	u32		sequence[NATIVE_BLOCKS];
} team;

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static long times_interrupted(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw;
}

static void wait_for_others(void)
{
	__atomic_fetch_add(&team.ready, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&team.ready, __ATOMIC_ACQUIRE) < team.job.threads)
		shim_pause();
}

static struct result work(struct native_thread *t)
{
	long misses = counters_misses(), more, interrupted;
	struct span *span = team.spans + t->cpu;
	unsigned long blocks;
	struct result result;

	t->threads = team.job.threads;
	wait_for_others();
	interrupted = times_interrupted();
	span->start = now_ns();
	blocks = team.job.allocator->run(team.job.what, t, team.job.rounds);
	span->end = now_ns();
	result.ns = (span->end - span->start) / blocks;
	result.disturbed = times_interrupted() != interrupted;
	more = counters_misses();
	result.misses = misses < 0 || more < 0 ? -1 : (double)(more - misses) / blocks;
	return result;
}

static void *member(void *arg)
{
	struct native_thread *t = arg;

	shim_now = (struct shim_cpu){
		.cpu = t->cpu, .offset = t->cpu * SHIM_PERCPU_BYTES,
	};
	counters_open();
	for (;;) {
		pthread_barrier_wait(&team.begin);
		if (t->cpu < team.job.threads)
			team.results[t->cpu] = work(t);
		pthread_barrier_wait(&team.end);
	}
	return NULL;
}

/* The processors that this program may use, from the last: the first has most interrupts. */
static unsigned int pinned(pthread_attr_t *attrs)
{
	cpu_set_t allowed, one;
	unsigned int nr = 0;
	int cpu;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (cpu = CPU_SETSIZE - 1; cpu >= 0 && nr < NATIVE_THREADS; cpu--) {
		if (!CPU_ISSET(cpu, &allowed))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		pthread_attr_init(attrs + nr);
		pthread_attr_setaffinity_np(attrs + nr++, sizeof(one), &one);
	}
	return nr;
}

static void shuffle(u32 *sequence, u32 nr)
{
	u32 i;

	srand(1);
	for (i = 0; i < nr; i++) {
		u32 other = rand() % (i + 1);

		sequence[i] = sequence[other];
		sequence[other] = i;
	}
}

unsigned int team_start(void)
{
	static struct native_thread members[NATIVE_THREADS];
	pthread_attr_t attrs[NATIVE_THREADS];
	unsigned int i;
	pthread_t id;

	team.threads = pinned(attrs);
	shuffle(team.sequence, NATIVE_BLOCKS);
	pthread_barrier_init(&team.begin, NULL, team.threads + 1);
	pthread_barrier_init(&team.end, NULL, team.threads + 1);
	for (i = 0; i < team.threads; i++) {
		members[i] = (struct native_thread){
			.cpu = i, .random = 88172645463325252ULL + i, .sequence = team.sequence,
			.blocks = calloc(NATIVE_BLOCKS, sizeof(void *)),
		};
		shim_assert(!pthread_create(&id, attrs + i, member, members + i), "no thread");
	}
	return team.threads;
}

/* Did all of them run for nine tenths of the time at once? */
static bool overlapped(unsigned int threads)
{
	struct span outer = team.spans[0], inner = outer;
	unsigned int i;

	for (i = 1; i < threads; i++) {
		const struct span *span = team.spans + i;

		outer.start = span->start < outer.start ? span->start : outer.start;
		inner.start = span->start > inner.start ? span->start : inner.start;
		outer.end = span->end > outer.end ? span->end : outer.end;
		inner.end = span->end < inner.end ? span->end : inner.end;
	}
	return inner.end - inner.start > 0.9 * (outer.end - outer.start);
}

struct result team_run(const struct job *job)
{
	struct result mean = { };
	unsigned int i;

	team.job = *job;
	team.ready = 0;
	pthread_barrier_wait(&team.begin);
	pthread_barrier_wait(&team.end);
	mean.disturbed = !overlapped(job->threads);
	for (i = 0; i < job->threads; i++) {
		mean.ns += team.results[i].ns / job->threads;
		mean.misses += team.results[i].misses / job->threads;
		mean.disturbed |= team.results[i].disturbed;
	}
	return mean;
}

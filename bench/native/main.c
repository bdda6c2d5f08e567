// SPDX-License-Identifier: GPL-2.0-only
/*
 * Native: pocketmm's core in user space, timed beside other allocators.
 *
 *	native [--rounds N]	measure, and print a table of ratios
 *	native --check		run each workload once; KTAP
 *
 * A nanosecond is the machine's own, so only ratios are printed, of medians over rounds in which
 * all allocators take turns. Nothing depends on the result: the exit status is 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <linux/kernel.h>

#include "services.h"
#include "team.h"

#define MOST_ROUNDS	501
#define LEAST_ROUNDS	5
#define MOST_SECONDS	10	/* for a workload */
#define MOST_TRIES	4	/* at a round that others disturb */

enum { OWN, PLAIN_CORE, UNREFERENCED, BITMAP, LIST, NR_ALLOCATORS };

static const struct native_allocator *const allocators[NR_ALLOCATORS] = {
	&native_own, &native_plain, &native_unreferenced, &native_bitmap, &native_list,
};

/* How often each is run in a round, about a millisecond, and the order of its blocks. */
static const struct {
	const char	*name;
	unsigned int	order;
	unsigned long	rounds;
} workloads[NATIVE_NR_WORKLOADS] = {
	[NATIVE_PAIR_0] = { "order-0 pair, hot", 0, 6 },
	[NATIVE_CHURN_0] = { "order-0 churn", 0, 3 },
	[NATIVE_BURST_3] = { "burst of 512 order-3", 3, 20 },
	[NATIVE_RANDOM_0] = { "random free, a page", 0, 1 },
	[NATIVE_PAIR_9] = { "order-9 pair, hot", 9, 6 },
	[NATIVE_POOL_9] = { "order 9, whole pool", 9, 1 },
};

static double times[NATIVE_NR_WORKLOADS][NR_ALLOCATORS][NATIVE_THREADS];
static double misses[NATIVE_NR_WORKLOADS][NATIVE_THREADS];
static unsigned int threads, disturbed;

void native_use_huge_pages(void *start, unsigned long bytes)
{
	madvise(start, bytes, MADV_HUGEPAGE);
}

static bool can(unsigned int allocator, unsigned int what, unsigned int nr_threads)
{
	return workloads[what].order <= allocators[allocator]->largest &&
	       nr_threads <= allocators[allocator]->threads;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned int nr)
{
	qsort(values, nr, sizeof(*values), by_value);
	return values[nr / 2];
}

static struct result run_undisturbed(const struct job *job)
{
	struct result result;
	unsigned int i;

	for (i = 0; i < MOST_TRIES; i++) {
		result = team_run(job);
		if (!result.disturbed)
			return result;
	}
	disturbed++;
	return result;
}

/* A B C ... with one thread and with two, and again; a busy machine gets no more than its time. */
static void measure(unsigned int what, unsigned int rounds)
{
	static double ns[NR_ALLOCATORS][NATIVE_THREADS][MOST_ROUNDS];
	time_t end = time(NULL) + MOST_SECONDS;
	unsigned int round, i, nr;

	for (round = 0; round < rounds && (round < LEAST_ROUNDS || time(NULL) < end); round++) {
		for (i = 0; i < NR_ALLOCATORS * threads; i++) {
			unsigned int which = i % NR_ALLOCATORS;
			struct result result;

			nr = i / NR_ALLOCATORS + 1;
			if (!can(which, what, nr))
				continue;
			result = run_undisturbed(&(struct job){
				allocators[which], what, nr, workloads[what].rounds,
			});
			ns[which][nr - 1][round] = result.ns;
			if (which == OWN)
				misses[what][nr - 1] = result.misses;
		}
	}
	for (i = 0; i < NR_ALLOCATORS; i++)
		for (nr = 1; nr <= threads; nr++)
			if (can(i, what, nr))
				times[what][i][nr - 1] = median(ns[i][nr - 1], round);
}

static void print_ratio(double over, double under)
{
	if (over > 0 && under > 0)
		printf(" %8.2f", over / under);
	else
		printf(" %8s", "-");
}

static void print_row(unsigned int what)
{
	double (*t)[NATIVE_THREADS] = times[what];
	unsigned int i;

	printf("%-22s", workloads[what].name);
	for (i = PLAIN_CORE; i < NR_ALLOCATORS; i++)
		print_ratio(t[OWN][0], t[i][0]);
	print_ratio(t[OWN][1], t[OWN][0]);
	print_ratio(t[BITMAP][1], t[BITMAP][0]);
	print_ratio(t[LIST][1], t[LIST][0]);
	for (i = 0; i < 2; i++)
		if (i < threads && misses[what][i] >= 0)
			printf(" %8.2f", misses[what][i]);
		else
			printf(" %8s", "-");
	putchar('\n');
}

static void print_target(const char *name, double over, double under, double limit)
{
	if (over > 0 && under > 0)
		printf("%-48s %8.2f  <= %.1f  %s\n", name, over / under, limit,
		       over / under <= limit ? "met" : "not met");
	else
		printf("%-48s %8s  <= %.1f  not measured\n", name, "-", limit);
}

static void print_targets(void)
{
	static const struct {
		unsigned int	what;
		double		limit;
	} alone[] = {
		{ NATIVE_PAIR_0, 1.1 }, { NATIVE_CHURN_0, 1.1 }, { NATIVE_BURST_3, 1.5 },
		{ NATIVE_RANDOM_0, 1.5 }, { NATIVE_POOL_9, 1.5 },
	};
	char name[64];
	unsigned int i;

	print_target("order-0 pair, hot / plain", times[NATIVE_PAIR_0][OWN][0],
		     times[NATIVE_PAIR_0][PLAIN_CORE][0], 2.0);
	print_target("burst of 512 order-3 / plain", times[NATIVE_BURST_3][OWN][0],
		     times[NATIVE_BURST_3][PLAIN_CORE][0], 1.5);
	print_target("order 9, whole pool / no references", times[NATIVE_POOL_9][OWN][0],
		     times[NATIVE_POOL_9][UNREFERENCED][0], 3.0);
	for (i = 0; i < ARRAY_SIZE(alone); i++) {
		const double *own = times[alone[i].what][OWN];

		snprintf(name, sizeof(name), "%s: two threads / one",
			 workloads[alone[i].what].name);
		print_target(name, own[1], own[0], alone[i].limit);
	}
}

static int report(unsigned int rounds)
{
	unsigned int what;

	for (what = 0; what < NATIVE_NR_WORKLOADS; what++)
		measure(what, rounds);
	printf("# Time of a block taken and given back: medians of up to %u rounds\n", rounds);
	printf("%-22s %35s %26s %17s\n", "", "one thread: own / other", "two threads / one",
	       "cache misses, own");
	printf("%-22s %8s %8s %8s %8s %8s %8s %8s %8s %8s\n", "", "plain", "no refs", "bitmap",
	       "list", "own", "bitmap", "list", "one", "two");
	for (what = 0; what < NATIVE_NR_WORKLOADS; what++)
		print_row(what);
	if (misses[0][0] < 0)
		printf("# cache misses: not counted, this machine does not permit it\n");
	if (disturbed)
		printf("# %u rounds were disturbed, however often tried: the machine is busy\n",
		       disturbed);
	if (threads < 2)
		printf("# two threads: not measured, there is one processor\n");
	putchar('\n');
	print_targets();
	return 0;
}

/* Every workload, with as many threads as there may be; then the allocator has to be sound. */
static int check(void)
{
	unsigned int i, what, nr, count = 0, failed = 0;
	const char *why;

	for (i = 0; i < NR_ALLOCATORS; i++) {
		for (what = 0; what < NATIVE_NR_WORKLOADS; what++) {
			for (nr = 1; nr <= threads; nr++) {
				if (!can(i, what, nr))
					continue;
				team_run(&(struct job){ allocators[i], what, nr, 3 });
				why = allocators[i]->check();
				failed += !!why;
				printf("%sok %u native %s: %s, %u threads\n", why ? "not " : "",
				       ++count, allocators[i]->name, workloads[what].name, nr);
				if (why)
					printf("# %s\n", why);
			}
		}
	}
	printf("1..%u\n", count);
	return !!failed;
}

int main(int argc, char **argv)
{
	bool checks = argc == 2 && !strcmp(argv[1], "--check");
	unsigned int rounds = 21, i;

	if (argc == 3 && !strcmp(argv[1], "--rounds"))
		rounds = atoi(argv[2]);
	if ((argc != 1 && !checks && argc != 3) || !rounds || rounds > MOST_ROUNDS) {
		fprintf(stderr, "usage: native [--check | --rounds N], N up to %d\n", MOST_ROUNDS);
		return 2;
	}
	shim_heap_init();
	for (i = 0; i < NR_ALLOCATORS; i++)
		allocators[i]->init();
	threads = team_start();
	return checks ? check() : report(rounds);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Simulated: what the core does on 1 to 64 CPUs, counted an operation, and what that predicts.
 *
 *	simulate		print the tables
 *	simulate --check	that the counts repeat, and that they keep to the limits; KTAP
 *
 * docs/scaling.md explains the counts and the model.
 */
#include <stdio.h>

#include "internal.h"

#include "cpus.h"
#include "shim.h"

#define NR_PAGES	(1UL << 17)	/* 512 MiB */
#define MOST_SLOTS	256		/* of a CPU */
#define BULK		64UL

/* The model's costs, in basic blocks or accesses that hit. */
#define COST_ATOMIC	20.0
#define COST_LINE	100.0

enum { CHURN_0, CHURN_3, CHURN_9, REMOTE_0, BULK_0, NR_WORKLOADS };

static const struct {
	const char	*name;
	unsigned int	order;
	unsigned int	slots;		/* a CPU, of which half are full in the mean */
	unsigned long	steps;
} workloads[NR_WORKLOADS] = {
	[CHURN_0] = { "order-0 churn", 0, 256, 2048 },
	[CHURN_3] = { "order-3 churn", 3, 64, 1024 },
	[CHURN_9] = { "order-9 churn", 9, 2, 256 },
	[REMOTE_0] = { "random free by any CPU", 0, 256, 2048 },
	[BULK_0] = { "bulk of 64, a page", 0, 0, 32 },
};

static _Alignas(4096) struct page pages[NR_PAGES];
static struct page *slots[SHIM_NR_CPUS * MOST_SLOTS];
static unsigned int workload, nr_cpus;

/* A slot is taken out of the table first: others may look at it while the turn is theirs. */
static unsigned int toggle(struct page **slot)
{
	static struct page busy;
	struct page *page = *slot;
	unsigned int order = workloads[workload].order;

	if (page == &busy)
		return 0;
	*slot = &busy;
	if (page)
		__pmm_free_pages(page, order);
	*slot = page ? NULL : pmm_alloc_pages(GFP_KERNEL | __GFP_NOWARN, order);
	return 1;
}

static unsigned int churn(unsigned int cpu)
{
	return toggle(slots + cpu * MOST_SLOTS + cpus_random() % workloads[workload].slots);
}

static unsigned int remote(unsigned int cpu)
{
	return toggle(slots + cpus_random() % (nr_cpus * MOST_SLOTS));
}

static unsigned int bulk(unsigned int cpu)
{
	struct page *batch[BULK] = { };
	unsigned long nr = pmm_alloc_pages_bulk(GFP_KERNEL, BULK, batch);

	pmm_free_pages_bulk(nr, batch);
	return 2 * nr;
}

static void begin(bool pcp)
{
	const struct pmm_policy *policy = &pmm_find_era("modern")->policy;
	unsigned long i;

	shim_heap_init();
	pmm_zone = (struct pmm_zone){
		.expand = policy->expand, .placement = pmm_placements[policy->placement],
		.name = "Pocket",
	};
	for (i = 0; i < NR_PAGES; i++) {
		pages[i].flags.f = PMM_PAGE_MARK;
		set_page_count(pages + i, PMM_PAGE_REFS);
	}
	shim_assert(!pmm_zone_init(&pmm_zone, pages, NR_PAGES), "no zone");
	shim_assert(!pmm_page_alloc_init(pcp), "no per-CPU lists");
	cpus_share(&pmm_zone, sizeof(pmm_zone));
	cpus_share(pages, sizeof(pages));
	cpus_share(shim_heap(), SHIM_NR_CPUS * SHIM_PERCPU_BYTES + NR_PAGES * 2);
}

static void end(void)
{
	struct pmm_verdict v = { };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(slots); i++)
		if (slots[i])
			toggle(slots + i);
	shim_assert(pmm_zone_verify(&pmm_zone, &v), "verify: %s", v.why);
	if (pmm_zone.pcp)
		pmm_pcp_drain(&pmm_zone);
	shim_assert(pmm_zone.free_pages == NR_PAGES, "pages are missing");
	pmm_page_alloc_exit();
	cpus_share_none();
}

static struct counts count(unsigned int what, unsigned int cpus, bool pcp)
{
	struct counts counts;

	workload = what;
	nr_cpus = cpus;
	begin(pcp);
	cpus_run(&(struct run){
		.cpus = cpus, .warm = workloads[what].steps, .nr = workloads[what].steps,
		.seed = 88172645463325252ULL,
		.step = what == BULK_0 ? bulk : what == REMOTE_0 ? remote : churn,
	}, &counts);
	end();
	return counts;
}

/* --- the model --- */

static double cost(const struct part *part)
{
	return part->blocks + part->accesses + COST_LINE * (part->fetched + part->written);
}

/*
 * Operations in a unit of time: each CPU works outside the lock, and then joins the queue before
 * it. Mean value analysis of one such station.
 */
static double throughput(const struct counts *counts, unsigned int cpus)
{
	double inside = (cost(&counts->inside) + COST_ATOMIC * counts->acquired) /
			counts->operations;
	double outside = (cost(&counts->outside) + COST_ATOMIC *
			  (counts->atomics - counts->acquired)) / counts->operations;
	double queue = 0, rate = 0, stay;
	unsigned int nr;

	for (nr = 1; nr <= cpus; nr++) {
		stay = inside * (1 + queue);
		rate = nr / (outside + stay);
		queue = rate * stay;
	}
	return rate;
}

static void print_counts(const struct counts *counts, unsigned int cpus, double speed)
{
	double nr = counts->operations;

	printf("%4u %9.4f %9.4f %9.2f %9.1f %9.1f %9.2f %9.2f %9.1f\n", cpus,
	       counts->acquired / nr, counts->waited / nr, counts->atomics / nr,
	       (counts->inside.blocks + counts->inside.accesses) / nr,
	       (counts->outside.blocks + counts->outside.accesses) / nr,
	       (counts->inside.written + counts->outside.written) / nr,
	       (counts->inside.fetched + counts->outside.fetched) / nr, speed);
}

static double print_workload(unsigned int what, bool pcp)
{
	struct counts counts;
	unsigned int cpus;
	double alone = 0;

	printf("\n%s, pcp=%d\n%4s %9s %9s %9s %9s %9s %9s %9s %9s\n", workloads[what].name, pcp,
	       "CPUs", "acquired", "waited", "atomics", "inside", "outside", "written", "fetched",
	       "speed");
	for (cpus = 1; cpus <= SHIM_NR_CPUS; cpus *= 2) {
		counts = count(what, cpus, pcp);
		if (cpus == 1)
			alone = throughput(&counts, 1);
		print_counts(&counts, cpus, throughput(&counts, cpus) / alone);
	}
	return (double)counts.acquired / counts.operations;
}

static void print_target(unsigned int what, double acquired, double limit)
{
	printf("%s: acquisitions an operation, 64 CPUs: 1/%.0f, target 1/%.0f: %s\n",
	       workloads[what].name, acquired > 0 ? 1 / acquired : 1e6, limit,
	       acquired <= 1 / limit ? "met" : "not met");
}

static int report(void)
{
	double acquired[NR_WORKLOADS];
	unsigned int what;

	printf("# An operation, on simulated CPUs: zone->lock acquired; found held; atomic\n");
	printf("# instructions; basic blocks and memory accesses inside the lock and outside;\n");
	printf("# shared cache lines written; lines fetched from another CPU; and the speed\n");
	printf("# that the model of docs/scaling.md predicts, in times that of one CPU.\n");
	for (what = 0; what < NR_WORKLOADS; what++)
		acquired[what] = print_workload(what, true);
	for (what = 0; what < NR_WORKLOADS; what++)
		print_workload(what, false);
	putchar('\n');
	print_target(CHURN_0, acquired[CHURN_0], 64);
	print_target(CHURN_3, acquired[CHURN_3], 32);
	return 0;
}

/* --- the check --- */

static unsigned int checked, failed;

static void result(bool ok, const char *name)
{
	failed += !ok;
	printf("%sok %u simulate %s\n", ok ? "" : "not ", ++checked, name);
}

static int check(void)
{
	struct counts first, second;
	unsigned int what;
	char name[80];

	for (what = 0; what < NR_WORKLOADS; what++) {
		first = count(what, 16, true);
		second = count(what, 16, true);
		snprintf(name, sizeof(name), "%s: the same counts twice", workloads[what].name);
		result(!memcmp(&first, &second, sizeof(first)), name);
	}
	first = count(CHURN_0, 64, true);
	result(first.acquired * 64 <= first.operations, "order-0 churn: one acquisition in 64");
	first = count(CHURN_0, 64, false);
	result(first.acquired == first.operations, "pcp=0: an acquisition each");
	result(first.waited && first.inside.written, "pcp=0: CPUs wait, and share lines");
	printf("1..%u\n", checked);
	return !!failed;
}

int main(int argc, char **argv)
{
	return argc > 1 && !strcmp(argv[1], "--check") ? check() : report();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's benchmarks: what calls cost in a fresh pool and in an aged one.
 *
 * The pool is used in three states: 'fresh', with nothing held; 'churned', filled and churned for
 * 20 rounds; 'checkered', with every other frame free. age.c has both. 'rounds.CASE.N' is the
 * cost after N rounds of churning. The kernel's own allocator is measured in a pool of the same
 * size that has aged alike.
 */
#include "age.h"

#define CHURNED		20	/* rounds */
#define ROUNDS		100
#define ROUNDS_APART	10	/* measurements, after the first ten rounds */

static bool age_fresh(struct age *age)
{
	return true;
}

static bool age_churned(struct age *age)
{
	unsigned int round;
	bool ok = age_fill(age);

	for (round = 0; ok && round < CHURNED; round++)
		ok = age_churn(age);
	return ok;
}

/**
 * struct side - whose calls are measured
 * @name: that values begin with
 * @create: makes the pool
 * @pages: cases that are measured in each state
 * @areas: likewise
 * @rounds_pages: cases that are measured from round to round
 * @rounds_areas: likewise
 */
struct side {
	const char		*name;
	struct age		*(*create)(void);
	const struct bench_case	*pages;
	const struct bench_case	*areas;
	const struct bench_case	*rounds_pages;
	const struct bench_case	*rounds_areas;
};

static const struct side own = {
	"own", age_create_own, bench_own_aged_pages, bench_own_aged_areas,
	bench_own_rounds_pages, bench_own_rounds_areas,
};

static const struct side kernel = {
	"kernel", age_create_kernel, bench_kernel_aged_pages, bench_kernel_aged_areas,
	bench_kernel_rounds_pages, bench_kernel_rounds_areas,
};

static void show_state(struct seq_file *m, const struct side *side, const char *state,
		       bool (*reach)(struct age *age))
{
	struct age *age = side->create();
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "%s.%s.", side->name, state);
	if (age && reach(age)) {
		bench_run_cases(m, prefix, side->pages);
		bench_run_cases(m, prefix, side->areas);
	} else {
		seq_printf(m, "bench: %saged failed\n", prefix);
	}
	age_destroy(age);
}

static bool is_measured(unsigned int round)
{
	return round <= ROUNDS_APART || round % ROUNDS_APART == 0;
}

static void show_rounds(struct seq_file *m, const struct side *side)
{
	struct age *age = side->create();
	unsigned int round;
	char prefix[32];
	bool ok;

	snprintf(prefix, sizeof(prefix), "%s.rounds.", side->name);
	ok = age && age_fill(age);
	for (round = 0; ok && round <= ROUNDS; round++) {
		if (is_measured(round)) {
			bench_run_at(m, prefix, side->rounds_pages, round);
			bench_run_at(m, prefix, side->rounds_areas, round);
		}
		ok = age_churn(age);
	}
	if (!ok)
		seq_printf(m, "bench: %saged failed\n", prefix);
	age_destroy(age);
}

/**
 * bench_own_fresh() - pocketmm's calls in an unused pool
 * @m: gets their costs
 */
void bench_own_fresh(struct seq_file *m)
{
	show_state(m, &own, "fresh", age_fresh);
}

/**
 * bench_own_churned() - in a pool that has been filled and churned
 * @m: gets their costs
 */
void bench_own_churned(struct seq_file *m)
{
	show_state(m, &own, "churned", age_churned);
}

/**
 * bench_own_checkered() - in a pool of which every other frame is free
 * @m: gets their costs
 */
void bench_own_checkered(struct seq_file *m)
{
	show_state(m, &own, "checkered", age_checker);
}

/**
 * bench_own_rounds() - in a pool that is churned, by rounds
 * @m: gets their costs
 */
void bench_own_rounds(struct seq_file *m)
{
	show_rounds(m, &own);
}

/**
 * bench_kernel_fresh() - as bench_own_fresh(), the kernel's own calls
 * @m: gets their costs
 */
void bench_kernel_fresh(struct seq_file *m)
{
	show_state(m, &kernel, "fresh", age_fresh);
}

/**
 * bench_kernel_churned() - as bench_own_churned(), the kernel's own calls
 * @m: gets their costs
 */
void bench_kernel_churned(struct seq_file *m)
{
	show_state(m, &kernel, "churned", age_churned);
}

/**
 * bench_kernel_checkered() - as bench_own_checkered(), the kernel's own calls
 * @m: gets their costs
 */
void bench_kernel_checkered(struct seq_file *m)
{
	show_state(m, &kernel, "checkered", age_checker);
}

/**
 * bench_kernel_rounds() - as bench_own_rounds(), the kernel's own calls
 * @m: gets their costs
 */
void bench_kernel_rounds(struct seq_file *m)
{
	show_rounds(m, &kernel);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's benchmarks: the suites, and how a case is run.
 *
 * The suites are files under /sys/kernel/debug/pmm_bench. They are meant for a virtual machine
 * where one tick of the counter that bench_ticks() reads is one instruction (scripts/vm --icount);
 * bench/guest reads them there. One suite runs at a time, and nothing else may use the pool.
 */
#include <linux/debugfs.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include "bench.h"

#define PASSES		8
#define RESULTS_SIZE	(32 << 10)	/* larger than any: a retry would run the suite twice */

static unsigned int slow;
module_param(slow, uint, 0444);
MODULE_PARM_DESC(slow, "instructions that each operation of pocketmm is made to take longer");

static DEFINE_MUTEX(bench_lock);	/* one suite at a time */
static struct dentry *bench_dir;

void bench_dawdle(unsigned long operations)
{
	unsigned long rounds;

	/* Each round has two instructions. */
	for (rounds = operations * slow / 2; rounds; rounds--)
		barrier();
}

static u64 bench_pass(const struct bench_case *test, unsigned long arg)
{
	unsigned long flags;
	u64 ticks;

	if (!test->irqs_off)
		return test->pass(arg);
	local_irq_save(flags);
	ticks = test->pass(arg);
	local_irq_restore(flags);
	return ticks;
}

/* The ticks of the best pass, and of all that count. */
struct bench_result {
	u64	best;
	u64	total;
};

static struct bench_result bench_passes(const struct bench_case *test, unsigned long arg,
					unsigned int nr)
{
	struct bench_result result = { BENCH_FAILED, 0 };
	unsigned int i;

	for (i = nr == 1; i <= nr; i++) {
		u64 ticks = bench_pass(test, arg);

		if (ticks == BENCH_FAILED) {
			result.best = ticks;
			break;
		}
		if (i) {
			result.best = min(result.best, ticks);
			result.total += ticks;
		}
		cond_resched();
	}
	return result;
}

static struct bench_result bench_measure(const struct bench_case *test, unsigned long arg)
{
	struct bench_result result = { BENCH_FAILED, 0 };

	if (test->prepare && test->prepare(arg))
		return result;
	result = bench_passes(test, arg, test->means ?: PASSES);
	if (test->finish)
		test->finish(arg);
	return result;
}

static void bench_print(struct seq_file *m, u64 ticks, u64 units)
{
	u32 tenth;
	u64 tenths = div_u64_rem(div64_u64(ticks * 10 + units / 2, units), 10, &tenth);

	seq_printf(m, " %llu.%u\n", tenths, tenth);
}

#define NO_LABEL	ULONG_MAX

static void bench_print_name(struct seq_file *m, const char *prefix, const struct bench_case *test,
			     const char *suffix, unsigned long label)
{
	seq_printf(m, "bench: %s%s%s", prefix, test->name, suffix);
	if (label != NO_LABEL)
		seq_printf(m, ".%lu", label);
}

static void bench_run_case(struct seq_file *m, const char *prefix, const struct bench_case *test,
			   unsigned long arg, unsigned long label)
{
	struct bench_result result = bench_measure(test, arg);

	bench_print_name(m, prefix, test, "", label);
	if (result.best == BENCH_FAILED) {
		seq_puts(m, " failed\n");
		return;
	}
	if (!test->means) {
		bench_print(m, result.best, test->units);
		return;
	}
	bench_print(m, result.total, (u64)test->units * test->means);
	if (test->means > 1) {
		bench_print_name(m, prefix, test, "_best", label);
		bench_print(m, result.best, test->units);
	}
}

/**
 * bench_run_cases() - run each case with each of its arguments
 * @m: gets the values
 * @prefix: of their names
 * @test: the cases
 */
void bench_run_cases(struct seq_file *m, const char *prefix, const struct bench_case *test)
{
	unsigned int i;

	for (; test->name; test++) {
		if (!test->args)
			bench_run_case(m, prefix, test, 0, NO_LABEL);
		for (i = 0; i < test->nr_args; i++)
			bench_run_case(m, prefix, test, test->args[i], test->args[i]);
	}
}

/**
 * bench_run_at() - run each case with its first argument only
 * @m: gets the values
 * @prefix: of their names
 * @test: the cases
 * @label: follows after the names in place of the argument
 */
void bench_run_at(struct seq_file *m, const char *prefix, const struct bench_case *test,
		  unsigned long label)
{
	for (; test->name; test++)
		bench_run_case(m, prefix, test, test->args ? test->args[0] : 0, label);
}

static int bench_show(struct seq_file *m, void *unused)
{
	const struct bench_suite *suite = m->private;

	mutex_lock(&bench_lock);
	if (suite->cases)
		bench_run_cases(m, "", suite->cases);
	else
		suite->show(m);
	mutex_unlock(&bench_lock);
	return 0;
}

static int bench_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, bench_show, inode->i_private, RESULTS_SIZE);
}

static const struct file_operations bench_fops = {
	.owner		= THIS_MODULE,
	.open		= bench_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static const struct bench_suite bench_suites[] = {
	{ "own-pages",		bench_own_pages },
	{ "own-parked",		bench_own_parked },
	{ "own-areas",		bench_own_areas },
	{ "own-holes",		bench_own_holes },
	{ "own-many-holes",	bench_own_many_holes },
	{ "own-purge",		bench_own_purge },
	{ "own-frees",		.show = bench_own_frees },
	{ "own-frag",		.show = bench_own_frag },
	{ "own-frag-end",	.show = bench_own_frag_end },
	{ "own-fresh",		.show = bench_own_fresh },
	{ "own-churned",	.show = bench_own_churned },
	{ "own-checkered",	.show = bench_own_checkered },
	{ "own-rounds",		.show = bench_own_rounds },
	{ "own-scale",		.show = bench_own_scale },
	{ "kernel-pages",	bench_kernel_pages },
	{ "kernel-genpool",	bench_kernel_genpool },
	{ "kernel-gpu",		bench_kernel_gpu },
	{ "kernel-areas",	bench_kernel_areas },
	{ "kernel-holes",	bench_kernel_holes },
	{ "kernel-purge",	bench_kernel_purge },
	{ "kernel-frag",	.show = bench_kernel_frag },
	{ "kernel-fresh",	.show = bench_kernel_fresh },
	{ "kernel-churned",	.show = bench_kernel_churned },
	{ "kernel-checkered",	.show = bench_kernel_checkered },
	{ "kernel-rounds",	.show = bench_kernel_rounds },
	{ "kernel-scale",	.show = bench_kernel_scale },
	{ "no-scale",		.show = bench_no_scale },
};

static int __init bench_init(void)
{
	const struct bench_suite *suite;

	bench_dir = debugfs_create_dir("pmm_bench", NULL);
	for (suite = bench_suites; suite < bench_suites + ARRAY_SIZE(bench_suites); suite++)
		debugfs_create_file(suite->name, 0400, bench_dir, (void *)suite, &bench_fops);
	return 0;
}

static void __exit bench_exit(void)
{
	debugfs_remove(bench_dir);
	bench_own_frag_end(NULL);
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("Measures pocketmm beside the kernel's own allocators");
MODULE_AUTHOR("The pocketmm maintainers");
MODULE_LICENSE("GPL");

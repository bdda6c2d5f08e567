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

static u64 bench_best(const struct bench_case *test, unsigned long arg)
{
	u64 ticks, best = BENCH_FAILED;
	unsigned int i;

	if (test->prepare && test->prepare(arg))
		return BENCH_FAILED;
	for (i = 0; i <= PASSES; i++) {
		ticks = bench_pass(test, arg);
		if (ticks == BENCH_FAILED) {
			best = ticks;
			break;
		}
		if (i)
			best = min(best, ticks);
		cond_resched();
	}
	if (test->finish)
		test->finish(arg);
	return best;
}

static void bench_run_case(struct seq_file *m, const struct bench_case *test, unsigned long arg)
{
	u64 best = bench_best(test, arg), tenths;
	u32 tenth;

	seq_printf(m, "bench: %s", test->name);
	if (test->args)
		seq_printf(m, ".%lu", arg);
	if (best == BENCH_FAILED) {
		seq_puts(m, " failed\n");
		return;
	}
	tenths = div_u64_rem(div_u64(best * 10 + test->units / 2, test->units), 10, &tenth);
	seq_printf(m, " %llu.%u\n", tenths, tenth);
}

static void bench_run_cases(struct seq_file *m, const struct bench_case *test)
{
	unsigned int i;

	for (; test->name; test++) {
		if (!test->args)
			bench_run_case(m, test, 0);
		for (i = 0; i < test->nr_args; i++)
			bench_run_case(m, test, test->args[i]);
	}
}

static int bench_show(struct seq_file *m, void *unused)
{
	const struct bench_suite *suite = m->private;

	mutex_lock(&bench_lock);
	if (suite->cases)
		bench_run_cases(m, suite->cases);
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
	{ "own-scale",		.show = bench_own_scale },
	{ "kernel-pages",	bench_kernel_pages },
	{ "kernel-genpool",	bench_kernel_genpool },
	{ "kernel-gpu",		bench_kernel_gpu },
	{ "kernel-areas",	bench_kernel_areas },
	{ "kernel-holes",	bench_kernel_holes },
	{ "kernel-purge",	bench_kernel_purge },
	{ "kernel-frag",	.show = bench_kernel_frag },
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

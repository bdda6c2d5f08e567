// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: uses every function of pocketmm.h as a driver would, and tells what
 * came of it under /sys/kernel/debug/pocketmm_client:
 *
 *	results	runs all cases and reads 'plan N', then 'ok NAME', 'not ok NAME' or 'skip NAME: WHY'
 *		for each, with a '# ...' line before it for each check that did not hold
 *	stress	1 starts threads and timers that use the pool on each CPU, 0 stops them; reads how
 *		often they did so and what they found wrong
 *	storm	a number written is how many operations are done at once from threads, softirqs and
 *		hard interrupts, before the write returns; `stress` then has the counts
 *	leak	a write takes blocks and areas that are never freed
 *	twice	a write frees two areas, and then frees the upper one again, at once and deferred
 *	ram	a number written is how many mappings pmm_vm_map_ram() makes and unmaps
 *	freed	'OFFSET CHANGE': changes a byte of a page that was freed before
 *	away	a number written is how many pages are given to the kernel, and the next write frees
 *		half of them; reads how many somebody has taken since
 *	stray	has a file for each case of stray.c, which runs and reads as in results
 *	lost	has a file for each case of lost.c, which runs and reads as in results
 *	behind	'SIZE N': changes the Nth byte behind a vmalloc, from 0, and frees it
 *	half	1 takes every second page of the pool, 0 gives them back
 *	parked	a number written is how many pages are freed while the client has a reference to
 *		each; 0 drops these
 *	irqs_off  a write begins to look for how long interrupts are off; reads the longest stretch
 */
#include <linux/debugfs.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>

#include "client.h"

/* Larger than what is ever printed: a retry would run everything twice. */
#define RESULTS_SIZE	(64 << 10)

/* Some expectations depend on how the pool was loaded. */
bool client_pcp;
module_param_named(pcp, client_pcp, bool, 0444);
MODULE_PARM_DESC(pcp, "pocketmm has pcp=1");

bool client_lazy;
module_param_named(lazy, client_lazy, bool, 0444);
MODULE_PARM_DESC(lazy, "pocketmm has purge=lazy");

bool client_modern;
module_param_named(modern, client_modern, bool, 0444);
MODULE_PARM_DESC(modern, "pocketmm has era=modern");

bool client_tree;
module_param_named(tree, client_tree, bool, 0444);
MODULE_PARM_DESC(tree, "pocketmm has search=tree");

static struct dentry *client_dir;
static DEFINE_MUTEX(client_lock);

/* The reader of `results`, and the case that runs; protected by client_lock. */
static struct seq_file *client_out;
static unsigned int client_failures;
static const char *client_why_skipped;

bool client_check(bool holds, const char *file, int line, const char *what, long long got,
		  long long expected)
{
	if (holds)
		return true;
	if (client_failures++ < 20)
		seq_printf(client_out, "# %s:%d: %s: expected %lld (%#llx), got %lld (%#llx)\n",
			   kbasename(file), line, what, expected, expected, got, got);
	return false;
}

void client_skip(const char *why)
{
	client_why_skipped = why;
}

static const struct client_case * const client_groups[] = {
	client_page_cases, client_gfp_cases, client_area_cases, client_huge_cases,
	client_protection_cases, client_ram_cases, client_misuse_cases, client_fault_cases,
	client_context_cases,
};

static void client_begin(const struct client_case *test)
{
	client_failures = 0;
	client_why_skipped = NULL;
	test->run();
}

static void client_end(const struct client_case *test)
{
	if (client_failures)
		seq_printf(client_out, "not ok %s\n", test->name);
	else if (client_why_skipped)
		seq_printf(client_out, "skip %s: %s\n", test->name, client_why_skipped);
	else
		seq_printf(client_out, "ok %s\n", test->name);
}

static void client_run(const struct client_case *test)
{
	unsigned long before = pmm_nr_free_pages();

	client_begin(test);
	pmm_vm_unmap_aliases();
	CHECK_EQ(pmm_nr_free_pages(), before);
	client_end(test);
}

/* A case that may cost the pool a block. */
static void client_run_stray(const struct client_case *test)
{
	client_begin(test);
	client_end(test);
}

static int client_results_show(struct seq_file *m, void *unused)
{
	const struct client_case *test;
	unsigned int i, nr = 0;

	mutex_lock(&client_lock);
	client_out = m;
	for (i = 0; i < ARRAY_SIZE(client_groups); i++)
		for (test = client_groups[i]; test->name; test++)
			nr++;
	seq_printf(m, "plan %u\n", nr);
	for (i = 0; i < ARRAY_SIZE(client_groups); i++)
		for (test = client_groups[i]; test->name; test++)
			client_run(test);
	mutex_unlock(&client_lock);
	return 0;
}

static int client_results_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, client_results_show, NULL, RESULTS_SIZE);
}

static const struct file_operations client_results_fops = {
	.owner		= THIS_MODULE,
	.open		= client_results_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int client_lost_show(struct seq_file *m, void *unused)
{
	mutex_lock(&client_lock);
	client_out = m;
	seq_puts(m, "plan 1\n");
	client_run(m->private);
	mutex_unlock(&client_lock);
	return 0;
}

static int client_stray_show(struct seq_file *m, void *unused)
{
	mutex_lock(&client_lock);
	client_out = m;
	seq_puts(m, "plan 1\n");
	client_run_stray(m->private);
	mutex_unlock(&client_lock);
	return 0;
}

static int client_stray_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, client_stray_show, inode->i_private, RESULTS_SIZE);
}

static const struct file_operations client_stray_fops = {
	.owner		= THIS_MODULE,
	.open		= client_stray_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int client_lost_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, client_lost_show, inode->i_private, RESULTS_SIZE);
}

static const struct file_operations client_lost_fops = {
	.owner		= THIS_MODULE,
	.open		= client_lost_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static void client_create_files(const char *name, const struct client_case *test,
				const struct file_operations *fops)
{
	struct dentry *dir = debugfs_create_dir(name, client_dir);

	for (; test->name; test++)
		debugfs_create_file(test->name, 0400, dir, (void *)test, fops);
}

static ssize_t client_away_write(struct file *file, const char __user *ubuf, size_t count,
				 loff_t *ppos)
{
	unsigned long nr;
	int err = kstrtoul_from_user(ubuf, count, 10, &nr) ?: client_give_away(nr);

	return err ?: count;
}

static int client_away_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%lu\n", client_nr_taken());
	return 0;
}

static int client_away_open(struct inode *inode, struct file *file)
{
	return single_open(file, client_away_show, NULL);
}

static const struct file_operations client_away_fops = {
	.owner		= THIS_MODULE,
	.open		= client_away_open,
	.read		= seq_read,
	.write		= client_away_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int client_stress_file_show(struct seq_file *m, void *unused)
{
	client_stress_show(m);
	return 0;
}

static int client_stress_open(struct inode *inode, struct file *file)
{
	return single_open(file, client_stress_file_show, NULL);
}

static ssize_t client_stress_write(struct file *file, const char __user *ubuf, size_t count,
				   loff_t *ppos)
{
	bool on;
	int err = kstrtobool_from_user(ubuf, count, &on);

	if (err)
		return err;
	mutex_lock(&client_lock);
	if (on)
		err = client_stress_start();
	else
		client_stress_stop();
	mutex_unlock(&client_lock);
	return err ?: count;
}

static const struct file_operations client_stress_fops = {
	.owner		= THIS_MODULE,
	.open		= client_stress_open,
	.read		= seq_read,
	.write		= client_stress_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/* A block of four pages, an area of three, and a range with nothing in it. */
static ssize_t client_leak_write(struct file *file, const char __user *ubuf, size_t count,
				 loff_t *ppos)
{
	if (!pmm_alloc_pages(GFP_KERNEL, 2) || !pmm_vmalloc(3 * PAGE_SIZE) ||
	    !pmm_get_vm_area(PAGE_SIZE, PMM_VM_MAP))
		return -ENOMEM;
	return count;
}

static const struct file_operations client_leak_fops = {
	.owner	= THIS_MODULE,
	.write	= client_leak_write,
};

/*
 * With purge=lazy the second free takes the shortest way, because the area below it has been freed
 * as well.
 */
static ssize_t client_twice_write(struct file *file, const char __user *ubuf, size_t count,
				  loff_t *ppos)
{
	void *below = pmm_vmalloc(PAGE_SIZE), *area = pmm_vmalloc(PAGE_SIZE);
	unsigned long flags;

	pmm_vfree(below);
	pmm_vfree(area);
	pmm_vfree(area);
	local_irq_save(flags);
	pmm_vfree(area);
	local_irq_restore(flags);
	pmm_vm_unmap_aliases();
	return count;
}

static const struct file_operations client_twice_fops = {
	.owner	= THIS_MODULE,
	.write	= client_twice_write,
};

static ssize_t client_ram_write(struct file *file, const char __user *ubuf, size_t count,
				loff_t *ppos)
{
	unsigned long times;
	int err = kstrtoul_from_user(ubuf, count, 10, &times) ?: client_map_ram(times);

	return err ?: count;
}

static const struct file_operations client_ram_fops = {
	.owner	= THIS_MODULE,
	.write	= client_ram_write,
};

/* Two numbers. */
static int client_get_pair(const char __user *ubuf, size_t count, unsigned int *a, unsigned int *b)
{
	char text[32] = "";

	if (count >= sizeof(text))
		return -E2BIG;
	if (copy_from_user(text, ubuf, count))
		return -EFAULT;
	return sscanf(text, "%u %u", a, b) == 2 ? 0 : -EINVAL;
}

static ssize_t client_freed_write(struct file *file, const char __user *ubuf, size_t count,
				  loff_t *ppos)
{
	unsigned int offset, change;
	int err = client_get_pair(ubuf, count, &offset, &change) ?:
		  client_write_freed(offset, change);

	return err ?: count;
}

static const struct file_operations client_freed_fops = {
	.owner	= THIS_MODULE,
	.write	= client_freed_write,
};

static ssize_t client_behind_write(struct file *file, const char __user *ubuf, size_t count,
				   loff_t *ppos)
{
	unsigned int size, behind;
	int err = client_get_pair(ubuf, count, &size, &behind) ?:
		  client_write_behind(size, behind);

	return err ?: count;
}

static const struct file_operations client_behind_fops = {
	.owner	= THIS_MODULE,
	.write	= client_behind_write,
};

static ssize_t client_storm_write(struct file *file, const char __user *ubuf, size_t count,
				  loff_t *ppos)
{
	unsigned long ops;
	int err = kstrtoul_from_user(ubuf, count, 10, &ops);

	if (err)
		return err;
	mutex_lock(&client_lock);
	err = client_storm(ops);
	mutex_unlock(&client_lock);
	return err ?: count;
}

static const struct file_operations client_storm_fops = {
	.owner	= THIS_MODULE,
	.write	= client_storm_write,
};

static int __init client_init(void)
{
	client_dir = debugfs_create_dir("pocketmm_client", NULL);
	debugfs_create_file("results", 0400, client_dir, NULL, &client_results_fops);
	debugfs_create_file("stress", 0600, client_dir, NULL, &client_stress_fops);
	debugfs_create_file("storm", 0200, client_dir, NULL, &client_storm_fops);
	debugfs_create_file("leak", 0200, client_dir, NULL, &client_leak_fops);
	debugfs_create_file("twice", 0200, client_dir, NULL, &client_twice_fops);
	debugfs_create_file("ram", 0200, client_dir, NULL, &client_ram_fops);
	debugfs_create_file("freed", 0200, client_dir, NULL, &client_freed_fops);
	debugfs_create_file("behind", 0200, client_dir, NULL, &client_behind_fops);
	debugfs_create_file("away", 0600, client_dir, NULL, &client_away_fops);
	client_create_files("lost", client_lost_cases, &client_lost_fops);
	client_create_files("stray", client_stray_cases, &client_stray_fops);
	debugfs_create_file("half", 0200, client_dir, NULL, &client_half_fops);
	debugfs_create_file("parked", 0200, client_dir, NULL, &client_parked_fops);
	debugfs_create_file("irqs_off", 0600, client_dir, NULL, &client_irqs_fops);
	return 0;
}

static void __exit client_exit(void)
{
	debugfs_remove(client_dir);
	client_stress_stop();
	client_irqs_stop();
}

module_init(client_init);
module_exit(client_exit);

MODULE_DESCRIPTION("Uses pocketmm's C API, to test it");
MODULE_AUTHOR("The pocketmm maintainers");
MODULE_LICENSE("GPL");

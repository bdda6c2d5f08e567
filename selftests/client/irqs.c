// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: for how long interrupts are off.
 *
 * A timer that fires every PERIOD instructions notes how late it was: as late as the stretch with
 * interrupts off that it met, less a period at most. It tells that in instructions, which it
 * derives from the time that a loop of a known length takes; so it is right in virtual time alone,
 * where a reader can tell by that time. The timer goes on one CPU, the reader's.
 *
 * Another file has the pool fragmented as far as it goes: every second page is taken. The third has
 * some of its pages parked: freed, while it still holds a reference to each.
 */
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "client.h"
#include "host/compat.h"

#define ROUNDS		500000UL	/* of two instructions */
#define PERIOD		10000UL

static DEFINE_MUTEX(irqs_lock);

static struct {
	struct hrtimer	timer;
	bool		runs;
	s64		instructions;	/* ns for a thousand of them */
	s64		period;		/* ns */
	s64		latest;		/* ns */
} irqs;

static enum hrtimer_restart irqs_timer(struct hrtimer *timer)
{
	s64 late = ktime_to_ns(ktime_sub(ktime_get(), hrtimer_get_expires(timer)));

	irqs.latest = max(irqs.latest, late);
	hrtimer_forward_now(timer, ns_to_ktime(irqs.period));
	return HRTIMER_RESTART;
}

static void irqs_calibrate(void)
{
	unsigned long flags, rounds = ROUNDS;
	u64 began;

	local_irq_save(flags);
	began = ktime_get_ns();
	while (--rounds)
		barrier();
	irqs.instructions = div_u64((ktime_get_ns() - began) * 1000, 2 * ROUNDS);
	local_irq_restore(flags);
	irqs.period = div_u64(PERIOD * irqs.instructions, 1000);
}

static void irqs_stop(void)
{
	if (irqs.runs)
		hrtimer_cancel(&irqs.timer);
	irqs.runs = false;
}

static void irqs_start(void)
{
	irqs_stop();
	irqs_calibrate();
	irqs.latest = 0;
	irqs.runs = true;
	hrtimer_setup(&irqs.timer, irqs_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	hrtimer_start(&irqs.timer, ns_to_ktime(irqs.period), HRTIMER_MODE_REL_PINNED_HARD);
}

/* Any write starts it anew; a read stops it. */
static ssize_t irqs_write(struct file *file, const char __user *ubuf, size_t count, loff_t *ppos)
{
	mutex_lock(&irqs_lock);
	irqs_start();
	mutex_unlock(&irqs_lock);
	return count;
}

static int irqs_show(struct seq_file *m, void *unused)
{
	mutex_lock(&irqs_lock);
	irqs_stop();
	if (irqs.instructions)
		seq_printf(m, "instructions=%llu ns_of_1000=%lld\n",
			   div64_u64((irqs.latest + irqs.period) * 1000, irqs.instructions),
			   irqs.instructions);
	mutex_unlock(&irqs_lock);
	return 0;
}

static int irqs_open(struct inode *inode, struct file *file)
{
	return single_open(file, irqs_show, NULL);
}

const struct file_operations client_irqs_fops = {
	.owner		= THIS_MODULE,
	.open		= irqs_open,
	.read		= seq_read,
	.write		= irqs_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/* --- every second page ------------------------------------------------------------------------ */

static struct page **taken;
static unsigned long nr_taken;

static void give_every_second(void)
{
	unsigned long i, kept = 0;

	for (i = 0; i < nr_taken; i++) {
		if (page_to_pfn(taken[i]) & 1)
			taken[kept++] = taken[i];
		else
			__pmm_free_pages(taken[i], 0);
		cond_resched();
	}
	nr_taken = kept;
}

static int take_half(void)
{
	unsigned long room = pmm_nr_free_pages();
	struct page *page;

	if (taken)
		return -EBUSY;
	taken = kvmalloc_array(room, sizeof(*taken), GFP_KERNEL);
	if (!taken)
		return -ENOMEM;
	for (nr_taken = 0; nr_taken < room; nr_taken++) {
		page = pmm_alloc_page(GFP_KERNEL | __GFP_NOWARN);
		if (!page)
			break;
		taken[nr_taken] = page;
		cond_resched();
	}
	give_every_second();
	return 0;
}

static void give_half(void)
{
	while (nr_taken) {
		__pmm_free_pages(taken[--nr_taken], 0);
		cond_resched();
	}
	kvfree(taken);
	taken = NULL;
}

static ssize_t half_write(struct file *file, const char __user *ubuf, size_t count, loff_t *ppos)
{
	bool on;
	int err = kstrtobool_from_user(ubuf, count, &on);

	if (err)
		return err;
	mutex_lock(&irqs_lock);
	if (on)
		err = take_half();
	else
		give_half();
	mutex_unlock(&irqs_lock);
	return err ?: count;
}

const struct file_operations client_half_fops = {
	.owner	= THIS_MODULE,
	.write	= half_write,
};

/* --- parked pages ----------------------------------------------------------------------------- */

static struct page **parked;
static unsigned long nr_parked;

/* As the kernel drops a reference, which tells the pool nothing. */
static void let_go(void)
{
	while (nr_parked) {
		put_page(parked[--nr_parked]);
		cond_resched();
	}
	kvfree(parked);
	parked = NULL;
}

static int park(unsigned long nr)
{
	struct page *page;

	let_go();
	if (!nr)
		return 0;
	parked = kvmalloc_array(nr, sizeof(*parked), GFP_KERNEL);
	if (!parked)
		return -ENOMEM;
	while (nr_parked < nr) {
		page = pmm_alloc_page(GFP_KERNEL | __GFP_NOWARN);
		if (!page)
			return -ENOSPC;
		get_page(page);
		__pmm_free_pages(page, 0);
		parked[nr_parked++] = page;
		cond_resched();
	}
	return 0;
}

static ssize_t parked_write(struct file *file, const char __user *ubuf, size_t count, loff_t *ppos)
{
	unsigned long nr;
	int err = kstrtoul_from_user(ubuf, count, 10, &nr);

	if (err)
		return err;
	mutex_lock(&irqs_lock);
	err = park(nr);
	mutex_unlock(&irqs_lock);
	return err ?: count;
}

const struct file_operations client_parked_fops = {
	.owner	= THIS_MODULE,
	.write	= parked_write,
};

/* The module goes. */
void client_irqs_stop(void)
{
	irqs_stop();
	give_half();
	let_go();
}

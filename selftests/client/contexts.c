// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: the calls that may come from any context, from each context.
 *
 * A trial is prepared in process context, runs where it is to run, and is judged in process
 * context. Under PREEMPT_RT the page calls are not for hard interrupts nor for preemption off, as
 * is said of the kernel's own; pmm_vfree() is not for hard interrupts.
 */
#include <linux/completion.h>
#include <linux/irq_work.h>
#include <linux/timer.h>

#include "client.h"

#define RT	IS_ENABLED(CONFIG_PREEMPT_RT)

/* The task of a trial, and the line of the first thing that went wrong in it. */
static struct client_trial {
	bool			page_calls;
	bool			vfree;
	void			*area;
	int			line;
	struct completion	done;
} trial;

static DEFINE_SPINLOCK(client_spinlock);

/* Runs anywhere: prints nothing, never sleeps. */
static int use_pages(void)
{
	struct page *page = pmm_alloc_pages(GFP_ATOMIC, 3), *bulk[4] = { };
	unsigned long before, addr;

	if (!page || client_holders(page))
		return __LINE__;
	before = pmm_nr_free_pages();
	addr = pmm_get_zeroed_page(GFP_ATOMIC);
	if (!addr || *(u64 *)addr || pmm_nr_free_pages() != before - 1)
		return __LINE__;
	*(u64 *)addr = 1;
	pmm_free_pages(addr, 0);
	if (pmm_alloc_pages_bulk(GFP_ATOMIC, 4, bulk) != 4 || pmm_nr_free_pages() != before - 4)
		return __LINE__;
	pmm_free_pages_bulk(4, bulk);
	if (pmm_nr_free_pages() != before)
		return __LINE__;
	__pmm_free_pages(page, 3);
	return pmm_nr_free_pages() == before + 8 ? 0 : __LINE__;
}

static void run_trial(void)
{
	if (trial.page_calls)
		trial.line = use_pages();
	if (trial.vfree)
		pmm_vfree(trial.area);
}

static void run_in_process(void)
{
	run_trial();
}

static void run_under_spinlock(void)
{
	spin_lock(&client_spinlock);
	run_trial();
	spin_unlock(&client_spinlock);
}

static void run_without_softirqs(void)
{
	local_bh_disable();
	run_trial();
	local_bh_enable();
}

static void run_without_preemption(void)
{
	preempt_disable();
	run_trial();
	preempt_enable();
}

static void run_without_interrupts(void)
{
	unsigned long flags;

	local_irq_save(flags);
	run_trial();
	local_irq_restore(flags);
}

static void client_timer_function(struct timer_list *timer)
{
	run_trial();
	complete(&trial.done);
}

static DEFINE_TIMER(client_timer, client_timer_function);

static void run_in_softirq(void)
{
	mod_timer(&client_timer, jiffies + 1);
	wait_for_completion(&trial.done);
}

static void client_irq_function(struct irq_work *work)
{
	run_trial();
	complete(&trial.done);
}

static struct irq_work client_irq_work = IRQ_WORK_INIT_HARD(client_irq_function);

static void run_in_hard_irq(void)
{
	irq_work_queue(&client_irq_work);
	wait_for_completion(&trial.done);
	irq_work_sync(&client_irq_work);
}

static void try_in(void (*run)(void), bool page_calls, bool vfree)
{
	unsigned long before = pmm_nr_free_pages();

	trial = (struct client_trial){ .page_calls = page_calls, .vfree = vfree };
	init_completion(&trial.done);
	trial.area = pmm_vmalloc(4 * PAGE_SIZE);
	if (!CHECK(trial.area))
		return;
	run();
	CHECK_EQ(trial.line, 0);
	if (!vfree)
		pmm_vfree(trial.area);
	pmm_vm_unmap_aliases();
	CHECK_EQ(pmm_nr_free_pages(), before);
	CHECK_EQ(client_peek(trial.area), -EFAULT);
	CHECK(!pmm_find_vm_area(trial.area));
}

static void test_process(void)
{
	try_in(run_in_process, true, true);
}

static void test_spinlock(void)
{
	try_in(run_under_spinlock, true, true);
}

static void test_no_softirqs(void)
{
	try_in(run_without_softirqs, true, true);
}

static void test_no_preemption(void)
{
	try_in(run_without_preemption, !RT, true);
}

static void test_no_interrupts(void)
{
	try_in(run_without_interrupts, !RT, true);
}

static void test_softirq(void)
{
	try_in(run_in_softirq, true, true);
}

static void test_hard_irq(void)
{
	if (RT)
		client_skip("not allowed under PREEMPT_RT");
	else
		try_in(run_in_hard_irq, true, true);
}

/* Until the worker has been, the area stands; to free it twice, or another with it, is no harm. */
static void test_deferred(void)
{
	char *a = pmm_vmalloc(PAGE_SIZE), *b = pmm_vmalloc(2 * PAGE_SIZE);
	unsigned long held = pmm_nr_free_pages(), flags;

	b[0] = 'b';
	local_irq_save(flags);
	pmm_vfree(a);
	pmm_vfree(a);
	pmm_vfree(b + PAGE_SIZE);
	pmm_vfree(b + 1);
	pmm_vfree(&flags);
	pmm_vfree((void *)ULONG_MAX);
	pmm_vfree(NULL);
	local_irq_restore(flags);
	pmm_vm_unmap_aliases();
	CHECK_EQ(pmm_nr_free_pages(), held + 1);
	CHECK_EQ(client_peek(a), -EFAULT);
	CHECK_EQ(b[0], 'b');
	pmm_vfree(a);
	CHECK_EQ(pmm_nr_free_pages(), held + 1);
	pmm_vfree(b);
}

/* Many at once, more than one pass of the worker may see. */
static void test_deferred_many(void)
{
	unsigned long before = pmm_nr_free_pages(), flags;
	void *areas[64];
	int i;

	for (i = 0; i < ARRAY_SIZE(areas); i++)
		areas[i] = pmm_vmalloc(PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(areas); i++) {
		local_irq_save(flags);
		pmm_vfree(areas[i]);
		local_irq_restore(flags);
		if (i % 16 == 7)
			cond_resched();
	}
	pmm_vm_unmap_aliases();
	CHECK_EQ(pmm_nr_free_pages(), before);
	for (i = 0; i < ARRAY_SIZE(areas); i++)
		CHECK_EQ(client_peek(areas[i]), -EFAULT);
}

const struct client_case client_context_cases[] = {
	{ "contexts: process", test_process },
	{ "contexts: a spinlock held", test_spinlock },
	{ "contexts: softirqs disabled", test_no_softirqs },
	{ "contexts: preemption off", test_no_preemption },
	{ "contexts: interrupts off", test_no_interrupts },
	{ "contexts: softirq", test_softirq },
	{ "contexts: hard interrupt", test_hard_irq },
	{ "contexts: misuse of a deferred vfree", test_deferred },
	{ "contexts: many deferred vfrees", test_deferred_many },
	{ }
};

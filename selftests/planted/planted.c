// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of pocketmm's that has, by bug=, one bug of each kind that a debug kernel is to find;
 * bug=none has none. It is loaded by selftests/planted/run, in a guest that is thrown away.
 *
 * Where that is possible, what is misused belongs to pocketmm or came from it.
 */
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

#include "host/struct_page.h"
#include "pocketmm.h"

static char *bug = "none";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "which bug to have (default none)");

/* Written by WRITE_ONCE(), so that the compiler leaves out nothing. */
static unsigned long sink;

static void planted_read(const void *addr)
{
	WRITE_ONCE(sink, READ_ONCE(*(const unsigned char *)addr));
}

/* The record of a range is the caller's when the range is removed. */
static void planted_use_after_free(void)
{
	struct pmm_vm_struct *vm = pmm_get_vm_area(PAGE_SIZE, PMM_VM_MAP);

	if (!vm || pmm_remove_vm_area(vm->addr) != vm)
		return;
	kfree(vm);
	planted_read(&vm->size);
}

static void planted_double_free(void)
{
	struct pmm_vm_struct *vm = pmm_get_vm_area(PAGE_SIZE, PMM_VM_MAP);

	if (!vm || pmm_remove_vm_area(vm->addr) != vm)
		return;
	kfree(vm);
	kfree(vm);
}

static void planted_leak(void)
{
	struct pmm_vm_struct *vm = pmm_get_vm_area(PAGE_SIZE, PMM_VM_MAP);

	if (vm)
		WRITE_ONCE(sink, pmm_remove_vm_area(vm->addr) != vm);
}

/* The first byte past the end of the window, which is 64K. */
static void planted_behind_window(void)
{
	struct pmm_vm_struct *vm = pmm_get_vm_area(SZ_64K - PAGE_SIZE, PMM_VM_MAP);

	if (vm)
		planted_read(vm->addr + SZ_64K);
}

static void planted_vmalloc_out_of_bounds(void)
{
	char *area = vmalloc(100);

	if (area)
		planted_read(area + 104);
	vfree(area);
}

static void planted_guard_page(void)
{
	char *area = pmm_vmalloc(PAGE_SIZE);

	if (area)
		planted_read(area + PAGE_SIZE);
}

static DEFINE_MUTEX(planted_first);
static DEFINE_MUTEX(planted_second);

static void planted_lock_inversion(void)
{
	mutex_lock(&planted_first);
	mutex_lock(&planted_second);
	mutex_unlock(&planted_second);
	mutex_unlock(&planted_first);

	mutex_lock(&planted_second);
	mutex_lock(&planted_first);
	mutex_unlock(&planted_first);
	mutex_unlock(&planted_second);
}

static DEFINE_SPINLOCK(planted_lock);

static void planted_irq(struct irq_work *work)
{
	spin_lock(&planted_lock);
	spin_unlock(&planted_lock);
}

static DEFINE_IRQ_WORK(planted_irq_work, planted_irq);

/* pocketmm's lock of the list is not for interrupts, so it must not be taken inside one that is. */
static void planted_lock_in_irq(void)
{
	void *area = pmm_vmalloc(PAGE_SIZE);

	irq_work_queue(&planted_irq_work);
	irq_work_sync(&planted_irq_work);
	spin_lock_irq(&planted_lock);
	WRITE_ONCE(sink, (unsigned long)pmm_find_vm_area(area));
	spin_unlock_irq(&planted_lock);
	pmm_vfree(area);
}

static void planted_atomic_sleep(void)
{
	struct page *page;

	spin_lock(&planted_lock);
	page = pmm_alloc_page(GFP_KERNEL);
	WRITE_ONCE(sink, (unsigned long)pmm_vmalloc(PAGE_SIZE));
	spin_unlock(&planted_lock);
	__pmm_free_pages(page, 0);
}

/* A page of the pool on its user's own list is written to: not the page, but what links it. */
static void planted_list(void)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL);
	struct list_head *links;
	LIST_HEAD(mine);

	if (!page)
		return;
	links = pmm_page_links(page);
	list_add(links, &mine);
	links->prev = links;
	list_del(links);
	__pmm_free_pages(page, 0);
}

/* A reference to a page that is the kernel's again. */
static void planted_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return;
	__free_page(page);
	get_page(page);
}

static unsigned int planted_order = 70;

static void planted_shift(void)
{
	WRITE_ONCE(sink, PAGE_SIZE << READ_ONCE(planted_order));
}

/* Two threads count in a page of the pool, without a lock. */
static int planted_counter(void *data)
{
	unsigned long *count = data;

	while (!kthread_should_stop()) {
		++*count;
		barrier();
		cond_resched();
	}
	return 0;
}

static void planted_race(void)
{
	void *area = pmm_vzalloc(PAGE_SIZE);
	struct task_struct *a, *b;

	if (!area)
		return;
	a = kthread_run(planted_counter, area, "planted/a");
	b = kthread_run(planted_counter, area, "planted/b");
	msleep(5000);
	if (!IS_ERR(a))
		kthread_stop(a);
	if (!IS_ERR(b))
		kthread_stop(b);
	pmm_vfree(area);
}

static void planted_none(void)
{
}

static const struct {
	const char	*name;
	void		(*plant)(void);
} planted_bugs[] = {
	{ "none",		planted_none },
	{ "use_after_free",	planted_use_after_free },
	{ "double_free",	planted_double_free },
	{ "leak",		planted_leak },
	{ "behind_window",	planted_behind_window },
	{ "vmalloc_out_of_bounds", planted_vmalloc_out_of_bounds },
	{ "guard_page",		planted_guard_page },
	{ "lock_inversion",	planted_lock_inversion },
	{ "lock_in_irq",	planted_lock_in_irq },
	{ "atomic_sleep",	planted_atomic_sleep },
	{ "list",		planted_list },
	{ "page",		planted_page },
	{ "shift",		planted_shift },
	{ "race",		planted_race },
};

static int __init planted_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(planted_bugs); i++) {
		if (strcmp(bug, planted_bugs[i].name))
			continue;
		planted_bugs[i].plant();
		return 0;
	}
	return -EINVAL;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);

MODULE_DESCRIPTION("Has bugs, for debug kernels to find");
MODULE_AUTHOR("The pocketmm maintainers");
MODULE_LICENSE("GPL");

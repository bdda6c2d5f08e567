// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: when to flush. With purge=eager each free of an area flushes every TLB before its pages
 * and addresses go back, as in 2.4. With purge=lazy, as in 2.6.28, the addresses of many areas wait
 * for one flush: a purge.
 *
 * 2.6.28 left the page table entries standing until then. Here they are cleared at once, and the
 * pages go back at once, as in today's kernel. A late access faults, unless the processor still has
 * the translation; only the addresses wait.
 *
 * It owns the policy and the order of a purge. The addresses that wait are kept by lazy.c (areas)
 * and by ram_block.c (parts of blocks), which registers its two steps here. A mutex keeps purges
 * from overlapping. Process context, interrupts on.
 */
#include <linux/cpumask.h>
#include <linux/mutex.h>

#include "purge.h"
#include "host/window.h"

bool pmm_lazy;
atomic_long_t pmm_lazy_pages;

static const struct pmm_purge_ops *pmm_purge_ops;
static DEFINE_MUTEX(pmm_purge_mutex);
static atomic64_t pmm_purges;

/**
 * pmm_purge_init() - choose between eager and lazy flushes
 * @when: purge=
 *
 * Context: Process context.
 */
void pmm_purge_init(enum pmm_purging when)
{
	pmm_lazy = when == PMM_PURGE_LAZY;
	atomic64_set(&pmm_purges, 0);
	atomic_long_set(&pmm_lazy_pages, 0);
}

/**
 * pmm_purge_register() - add two steps to each purge, before and after the flush
 * @ops: the steps; NULL to remove them
 *
 * Context: Process context, at load and unload; no purge is under way.
 */
void pmm_purge_register(const struct pmm_purge_ops *ops)
{
	pmm_purge_ops = ops;
}

/**
 * pmm_purge_count() - count the purges
 *
 * Context: Any.
 * Return: Purges, whether or not anything was waiting.
 */
u64 pmm_purge_count(void)
{
	return atomic64_read(&pmm_purges);
}

static bool __pmm_purge(void)
{
	struct list_head areas;
	unsigned long waiting = pmm_purge_waiting();
	bool any;

	lockdep_assert_held(&pmm_purge_mutex);
	any = pmm_vmlist_purge_begin(&pmm_vmlist, &areas);
	if (pmm_purge_ops)
		any |= pmm_purge_ops->begin();
	if (any)
		pmm_window_flush(PMM_FLUSH_LAZY, waiting);
	pmm_vmlist_purge_end(&pmm_vmlist, &areas);
	if (pmm_purge_ops)
		pmm_purge_ops->end();
	atomic64_inc(&pmm_purges);
	return any;
}

/**
 * pmm_purge() - flush, if anything waits for it, and make its addresses usable again
 *
 * Context: Process context, interrupts on; waits for other CPUs.
 * Return: Whether anything was waiting.
 */
bool pmm_purge(void)
{
	bool any;

	mutex_lock(&pmm_purge_mutex);
	any = __pmm_purge();
	mutex_unlock(&pmm_purge_mutex);
	return any;
}

/**
 * pmm_purge_if_due() - purge if the limit for all online CPUs is exceeded
 *
 * pmm_purge_excess() has seen that the limit for one CPU is exceeded.
 *
 * Context: As pmm_purge().
 */
void pmm_purge_if_due(void)
{
	if (pmm_purge_waiting() <= fls(num_online_cpus()) * PMM_PURGE_BYTES)
		return;
	if (!mutex_trylock(&pmm_purge_mutex))
		return;
	__pmm_purge();
	mutex_unlock(&pmm_purge_mutex);
}

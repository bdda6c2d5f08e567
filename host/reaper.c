// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: looking after parked blocks. The kernel drops its references to a page, such as that of
 * a process that had it mapped, without telling the pool. So for as long as blocks are parked, all
 * of them are checked once a second, a piece at a time with interrupts on in between (parked.c).
 *
 * It owns the work item.
 */
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "internal.h"

static void pmm_reap_all(struct work_struct *unused);
static DECLARE_DELAYED_WORK(pmm_reaper, pmm_reap_all);

static void pmm_reap_all(struct work_struct *unused)
{
	unsigned long left = READ_ONCE(pmm_zone.nr_parked);

	while (left) {
		pmm_zone_reap_piece(&pmm_zone, &left);
		cond_resched();
	}
	/* A block that is parked from now on asks for itself. */
	if (READ_ONCE(pmm_zone.nr_parked))
		pmm_reap_later(&pmm_zone);
}

/**
 * pmm_reap_later() - have all parked blocks checked within a second
 * @zone: the module's own zone
 *
 * Context: Any; zone->lock may be held.
 */
void pmm_reap_later(struct pmm_zone *zone)
{
	schedule_delayed_work(&pmm_reaper, HZ);
}

/**
 * pmm_reaper_stop() - leave the blocks that are parked still as they are
 *
 * Context: Process context, at unload, when nobody can free anything; may sleep.
 */
void pmm_reaper_stop(void)
{
	cancel_delayed_work_sync(&pmm_reaper);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: what purge.c offers, and the question that each free of an area asks.
 */
#ifndef POCKETMM_PURGE_H
#define POCKETMM_PURGE_H

#include "lazy.h"

#define PMM_PURGE_BYTES		(32UL << 20)	/* for each bit of the number of CPUs */

extern bool pmm_lazy;
extern atomic_long_t pmm_ram_dirty;	/* map_ram.c: pages that wait for a flush */

void pmm_purge_init(bool lazy);
u64 pmm_purge_count(void);
bool pmm_purge(void);
void __pmm_purge_excess(void);

/* May a flush wait? */
static inline bool pmm_purge_is_lazy(void)
{
	return pmm_lazy;
}

/* Bytes of the window that wait for a flush. */
static inline unsigned long pmm_purge_waiting(void)
{
	return READ_ONCE(pmm_vmlist.lazy_bytes) +
	       ((unsigned long)atomic_long_read(&pmm_ram_dirty) << PAGE_SHIFT);
}

/**
 * pmm_purge_excess() - purge when so much waits that a flush pays
 *
 * That is fls(online CPUs) x 32 MiB, the measure of the kernel's lazy_max_pages(): a flush costs
 * more the more CPUs take part. If somebody else is purging, that will do.
 *
 * Context: As pmm_purge().
 */
static inline void pmm_purge_excess(void)
{
	if (unlikely(pmm_purge_waiting() > PMM_PURGE_BYTES))
		__pmm_purge_excess();
}

#endif /* POCKETMM_PURGE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: when to flush (purge.c), and the question that each free of an area asks: do enough
 * addresses wait that a flush pays?
 */
#ifndef POCKETMM_PURGE_H
#define POCKETMM_PURGE_H

#include "lazy.h"

#define PMM_PURGE_BYTES		(32UL << 20)	/* for each bit of the number of CPUs */

/**
 * struct pmm_purge_ops - the steps of a purge for addresses that lazy.c does not keep
 * @begin: marks the waiting addresses; returns whether there are any
 * @end: makes the marked addresses usable again, after the flush
 */
struct pmm_purge_ops {
	bool	(*begin)(void);
	void	(*end)(void);
};

extern bool pmm_lazy;			/* purge=lazy; constant while loaded */
extern atomic_long_t pmm_lazy_pages;	/* pages that wait and belong to the pmm_purge_ops */

void pmm_purge_init(enum pmm_purging when);
void pmm_purge_register(const struct pmm_purge_ops *ops);
u64 pmm_purge_count(void);
bool pmm_purge(void);
void pmm_purge_if_due(void);

/* May a flush wait? */
static inline bool pmm_purge_is_lazy(void)
{
	return pmm_lazy;
}

/* Bytes of the window that wait for a flush. */
static inline unsigned long pmm_purge_waiting(void)
{
	return READ_ONCE(pmm_vmlist.lazy_bytes) +
	       ((unsigned long)atomic_long_read(&pmm_lazy_pages) << PAGE_SHIFT);
}

/**
 * pmm_purge_excess() - purge when enough waits that a flush pays
 *
 * The limit is fls(online CPUs) x 32 MiB, as in the kernel's lazy_max_pages(), because a flush
 * costs more the more CPUs take part. If another task is purging, nothing is done.
 *
 * Context: As pmm_purge().
 */
static inline void pmm_purge_excess(void)
{
	if (unlikely(pmm_purge_waiting() > PMM_PURGE_BYTES))
		pmm_purge_if_due();
}

#endif /* POCKETMM_PURGE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Native: allocators side by side, and what they are made to do.
 *
 * Each allocator is compiled together with its own copy of the workloads (workloads.h), so that
 * their calls are direct, and shows a single symbol: its struct native_allocator.
 */
#ifndef NATIVE_H
#define NATIVE_H

#include <linux/types.h>

#define NATIVE_PAGES	(1UL << 18)	/* of a pool: 1 GiB */
#define NATIVE_THREADS	2		/* at most */
#define NATIVE_BLOCKS	(1UL << 14)	/* that a thread holds, at most */

enum native_workload {
	NATIVE_PAIR_0,		/* a page is taken and given back */
	NATIVE_CHURN_0,		/* a random one of 256 slots is filled, or emptied */
	NATIVE_BURST_3,		/* 512 blocks of order 3, then all of them back */
	NATIVE_RANDOM_0,	/* 16,384 pages, then back in a random sequence */
	NATIVE_PAIR_9,
	NATIVE_POOL_9,		/* all the pool, or the thread's share, then back */
	NATIVE_NR_WORKLOADS,
};

struct native_thread {
	unsigned int	cpu;
	unsigned int	threads;	/* that run this workload at once */
	u64	random;
	void		**blocks;	/* room for NATIVE_BLOCKS */
	const u32	*sequence;	/* 0 to NATIVE_BLOCKS - 1, shuffled */
};

/**
 * struct native_allocator - an allocator to measure
 * @name: in the table
 * @largest: order of the largest block it has
 * @threads: that may use it at once
 * @init: make it ready, all pages free
 * @run: run a workload @rounds times; returns how many blocks were taken and given back
 * @check: NULL when nothing is amiss and all pages are free, else what is
 */
struct native_allocator {
	const char	*name;
	unsigned int	largest;
	unsigned int	threads;
	void		(*init)(void);
	unsigned long	(*run)(enum native_workload what, struct native_thread *t,
			       unsigned long rounds);
	const char	*(*check)(void);
};

#define NATIVE_HUGE	(2UL << 20)

void native_use_huge_pages(void *start, unsigned long bytes);	/* if there are any */

extern const struct native_allocator native_own, native_plain, native_unreferenced, native_bitmap,
	native_list;

#endif /* NATIVE_H */

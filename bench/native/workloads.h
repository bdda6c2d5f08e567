/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Native: the workloads, for the allocator that includes this file. It has defined
 *
 *	static inline void *take(unsigned int order);
 *	static inline void give(void *block, unsigned int order);
 *
 * No workload asks for more than there is, so a failure ends the program.
 */
#ifndef NATIVE_WORKLOADS_H
#define NATIVE_WORKLOADS_H

#include "native.h"
#include "services.h"

#define NATIVE_SLOTS	256

static inline u64 native_random(struct native_thread *t)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return t->random;
}

static inline void *take_one(unsigned int order)
{
	void *block = take(order);

	shim_assert(block, "no block of order %u", order);
	return block;
}

static inline unsigned long run_pairs(unsigned int order, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++)
		give(take_one(order), order);
	return nr;
}

/* Two steps of the churn are a block taken and one given back, in the long run. */
static unsigned long run_churn(struct native_thread *t, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < 2 * nr; i++) {
		void **slot = t->blocks + native_random(t) % NATIVE_SLOTS;

		if (*slot)
			give(*slot, 0);
		*slot = *slot ? NULL : take_one(0);
	}
	return nr;
}

static void end_churn(struct native_thread *t)
{
	unsigned int i;

	for (i = 0; i < NATIVE_SLOTS; i++) {
		if (t->blocks[i])
			give(t->blocks[i], 0);
		t->blocks[i] = NULL;
	}
}

/* The caller has room for @nr blocks; NULL everywhere afterwards. */
static inline unsigned long run_burst(struct native_thread *t, unsigned int order, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++)
		t->blocks[i] = take_one(order);
	for (i = 0; i < nr; i++) {
		give(t->blocks[i], order);
		t->blocks[i] = NULL;
	}
	return nr;
}

static unsigned long run_random(struct native_thread *t)
{
	unsigned long i;

	for (i = 0; i < NATIVE_BLOCKS; i++)
		t->blocks[i] = take_one(0);
	for (i = 0; i < NATIVE_BLOCKS; i++) {
		give(t->blocks[t->sequence[i]], 0);
		t->blocks[t->sequence[i]] = NULL;
	}
	return NATIVE_BLOCKS;
}

static unsigned long run_once(enum native_workload what, struct native_thread *t)
{
	switch (what) {
	case NATIVE_PAIR_0:
		return run_pairs(0, 4096);
	case NATIVE_CHURN_0:
		return run_churn(t, 4096);
	case NATIVE_BURST_3:
		return run_burst(t, 3, 512);
	case NATIVE_RANDOM_0:
		return run_random(t);
	case NATIVE_PAIR_9:
		return run_pairs(9, 512);
	default:
		return run_burst(t, 9, NATIVE_PAGES / 512 / t->threads);
	}
}

static unsigned long run(enum native_workload what, struct native_thread *t, unsigned long rounds)
{
	unsigned long done = 0;

	while (rounds--)
		done += run_once(what, t);
	if (what == NATIVE_CHURN_0)
		end_churn(t);
	return done;
}

#endif /* NATIVE_WORKLOADS_H */

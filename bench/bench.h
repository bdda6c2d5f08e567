/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm's benchmarks: declarations that the files share.
 *
 * A case is a pass that times itself, and belongs to a suite, which is a file of debugfs: reading
 * it runs the suite and gives a line 'bench: NAME VALUE' for each value. A pass is run PASSES + 1
 * times in process context; the first is discarded and the best of the others counts. In a pool
 * that ages the mean counts, and the best has a line of its own.
 */
#ifndef PMM_BENCH_H
#define PMM_BENCH_H

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/types.h>
#ifdef CONFIG_X86
#include <asm/msr.h>
#else
#include <asm/arch_timer.h>
#endif

#include "pocketmm.h"

#define BENCH_FAILED	U64_MAX

/* Counted in order with what comes before and after. */
static inline u64 bench_ticks(void)
{
#ifdef CONFIG_X86
	return rdtsc_ordered();
#else
	return __arch_counter_get_cntvct();
#endif
}

/* Both sides of a comparison allocate pages with the same flags. */
#define BENCH_GFP	(GFP_KERNEL | __GFP_NOWARN)

/**
 * struct bench_case - an operation that is timed
 * @name: of the value; with @args, the argument follows after a dot
 * @pass: repeats the operation and returns the ticks that this took, or BENCH_FAILED
 * @units: the number that the ticks are divided by
 * @args: the arguments to call @pass with, one after the other, or NULL for 0
 * @nr_args: length of @args
 * @irqs_off: @pass runs with interrupts off
 * @prepare: called before the first pass, untimed; may be NULL; 0 or an errno
 * @finish: called after the last one, if @prepare succeeded; may be NULL
 * @means: 0, or how many passes follow the first; then NAME is their mean, and NAME_best the best.
 *	With 1, which is for a pass that is long and warms up itself, none is discarded, and NAME is
 *	all there is
 */
struct bench_case {
	const char		*name;
	u64			(*pass)(unsigned long arg);
	unsigned int		units;
	const unsigned long	*args;
	unsigned int		nr_args;
	bool			irqs_off;
	int			(*prepare)(unsigned long arg);
	void			(*finish)(unsigned long arg);
	unsigned int		means;
};

/* Either cases, the last without a name, or a function that prints its own lines. */
struct bench_suite {
	const char		*name;
	const struct bench_case	*cases;
	void			(*show)(struct seq_file *m);
};

extern const struct bench_case bench_own_pages[], bench_own_parked[], bench_kernel_pages[];
extern const struct bench_case bench_kernel_genpool[], bench_kernel_gpu[];
extern const struct bench_case bench_own_areas[], bench_kernel_areas[];
extern const struct bench_case bench_own_holes[], bench_own_many_holes[], bench_kernel_holes[];
extern const struct bench_case bench_own_purge[], bench_kernel_purge[];

extern const struct bench_case bench_own_aged_pages[], bench_kernel_aged_pages[];
extern const struct bench_case bench_own_aged_areas[], bench_kernel_aged_areas[];
extern const struct bench_case bench_own_rounds_pages[], bench_kernel_rounds_pages[];
extern const struct bench_case bench_own_rounds_areas[], bench_kernel_rounds_areas[];

/* holes.c, frag.c, aged.c, scale.c */
void bench_own_frees(struct seq_file *m);
void bench_own_frag(struct seq_file *m);
void bench_own_frag_end(struct seq_file *m);
void bench_kernel_frag(struct seq_file *m);
void bench_own_fresh(struct seq_file *m);
void bench_own_churned(struct seq_file *m);
void bench_own_checkered(struct seq_file *m);
void bench_own_rounds(struct seq_file *m);
void bench_kernel_fresh(struct seq_file *m);
void bench_kernel_churned(struct seq_file *m);
void bench_kernel_checkered(struct seq_file *m);
void bench_kernel_rounds(struct seq_file *m);
void bench_own_scale(struct seq_file *m);
void bench_kernel_scale(struct seq_file *m);
void bench_no_scale(struct seq_file *m);

/* main.c */
void bench_run_cases(struct seq_file *m, const char *prefix, const struct bench_case *test);
void bench_run_at(struct seq_file *m, const char *prefix, const struct bench_case *test,
		  unsigned long label);

/* main.c: for --slow, which shows that a slower pocketmm is noticed */
void bench_dawdle(unsigned long operations);

/* Called at the end of each pass over pocketmm: ticks since @start. */
static inline u64 bench_own_ticks(u64 start, unsigned long operations)
{
	bench_dawdle(operations);
	return bench_ticks() - start;
}

/* The same for its peers. */
static inline u64 bench_peer_ticks(u64 start)
{
	return bench_ticks() - start;
}

/* A page allocator; not for timed code, where an indirect call would count. */
struct bench_allocator {
	struct page	*(*alloc)(gfp_t gfp, unsigned int order);
	void		(*free)(struct page *page, unsigned int order);
};

/* pages.c */
extern const struct bench_allocator bench_own, bench_kernel;

#endif /* PMM_BENCH_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's benchmarks: pairs of order 0 on one processor and on two at once.
 *
 * For processors that really run at the same time: multi-threaded emulation or a real machine, not
 * --icount. Each thread is bound to its processor; all start together and count pairs until their
 * time is over. The measured time is that from the first start to the last end. One and two
 * processors take turns, which are many and short, and the best turn of each counts: even on a busy
 * host nothing else runs in some of them. An empty loop shows how much of two processors the host
 * really gave.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/sched/task.h>

#include "bench.h"

#define NR_THREADS	2
#define TURNS		600
#define TURN_NS		(2 * NSEC_PER_MSEC)
#define PAIRS		256	/* from one reading of the clock to the next */

struct scale_side {
	const char	*name;
	void		(*pairs)(void);
};

struct scale_result {
	u64	pairs;
	u64	start;
	u64	end;
};

/**
 * struct scale_turn - threads that run at the same time
 * @side: the calls that they make
 * @nr: how many there are
 * @gate: opens when all have been created
 * @started: how many have passed the gate
 * @done: completed by each at its end
 * @result: by thread, times in nanoseconds
 */
struct scale_turn {
	const struct scale_side	*side;
	unsigned int		nr;
	struct completion	gate;
	atomic_t		started;
	struct completion	done;
	struct scale_result	result[NR_THREADS];
};

static void own_pairs(void)
{
	unsigned int i;

	for (i = 0; i < PAIRS; i++)
		__pmm_free_pages(pmm_alloc_pages(BENCH_GFP, 0), 0);
	bench_dawdle(PAIRS);
}

static void kernel_pairs(void)
{
	unsigned int i;

	for (i = 0; i < PAIRS; i++) {
		struct page *page = alloc_pages(BENCH_GFP, 0);

		if (likely(page))
			__free_pages(page, 0);
	}
}

static void no_pairs(void)
{
	unsigned int i;

	for (i = 0; i < PAIRS; i++)
		barrier();
}

static int scale_thread(void *data)
{
	struct scale_turn *turn = data;
	struct scale_result *result = &turn->result[smp_processor_id()];

	wait_for_completion(&turn->gate);
	atomic_inc(&turn->started);
	while (atomic_read(&turn->started) < turn->nr)
		cpu_relax();
	result->start = ktime_get_ns();
	do {
		turn->side->pairs();
		result->pairs += PAIRS;
		result->end = ktime_get_ns();
	} while (result->end - result->start < TURN_NS);
	complete(&turn->done);
	return 0;
}

/* Pairs in a millisecond, of all threads together. */
static u64 scale_rate(const struct scale_turn *turn)
{
	u64 start = U64_MAX, end = 0, pairs = 0;
	unsigned int i;

	for (i = 0; i < turn->nr; i++) {
		start = min(start, turn->result[i].start);
		end = max(end, turn->result[i].end);
		pairs += turn->result[i].pairs;
	}
	return div64_u64(pairs * NSEC_PER_MSEC, end - start);
}

/* Wait for threads that never ran, or are about to end. */
static void scale_join(struct task_struct **task, unsigned int nr)
{
	while (nr--) {
		kthread_stop(task[nr]);
		put_task_struct(task[nr]);
	}
}

/* 0 if the threads could not be started. */
static u64 scale_run(const struct scale_side *side, unsigned int nr)
{
	struct scale_turn turn = { .side = side, .nr = nr };
	struct task_struct *task[NR_THREADS];
	unsigned int i;

	init_completion(&turn.gate);
	init_completion(&turn.done);
	for (i = 0; i < nr; i++) {
		task[i] = kthread_create_on_cpu(scale_thread, &turn, i, "pmm-bench/%u");
		if (IS_ERR(task[i]))
			break;
		get_task_struct(task[i]);
	}
	if (i < nr) {
		scale_join(task, i);
		return 0;
	}
	for (i = 0; i < nr; i++)
		wake_up_process(task[i]);
	complete_all(&turn.gate);
	for (i = 0; i < nr; i++)
		wait_for_completion(&turn.done);
	scale_join(task, nr);
	return scale_rate(&turn);
}

static void scale_show(struct seq_file *m, const struct scale_side *side)
{
	u64 best[NR_THREADS + 1] = {};
	unsigned int turn, nr;

	if (num_online_cpus() < NR_THREADS) {
		seq_printf(m, "bench: %s.scale failed\n", side->name);
		return;
	}
	for (turn = 0; turn <= TURNS; turn++)
		for (nr = 1; nr <= NR_THREADS; nr++) {
			u64 rate = scale_run(side, nr);

			if (turn)
				best[nr] = max(best[nr], rate);
		}
	for (nr = 1; nr <= NR_THREADS; nr++)
		seq_printf(m, "bench: %s.scale.%u %llu\n", side->name, nr, best[nr]);
}

/**
 * bench_own_scale() - pocketmm's pairs in a millisecond, on one processor and on two
 * @m: gets both
 */
void bench_own_scale(struct seq_file *m)
{
	static const struct scale_side own = { "own", own_pairs };

	scale_show(m, &own);
}

/**
 * bench_kernel_scale() - the same for alloc_pages()
 * @m: gets both
 */
void bench_kernel_scale(struct seq_file *m)
{
	static const struct scale_side kernel = { "kernel", kernel_pairs };

	scale_show(m, &kernel);
}

/**
 * bench_no_scale() - the same for an empty loop
 * @m: gets both
 */
void bench_no_scale(struct seq_file *m)
{
	static const struct scale_side nothing = { "loop", no_pairs };

	scale_show(m, &nothing);
}

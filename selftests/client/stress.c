// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: threads and timers on all CPUs that use the pool at once.
 *
 * A thread writes its mark into what it gets and looks for it before it gives it back, so that a
 * page or an address with two owners is noticed. Areas that it no longer wants it hands to its
 * timers, which free them from softirq and from the hard interrupt (under PREEMPT_RT, where that is
 * not allowed, from softirq). Counters are atomic; starting and stopping is serialised by the
 * caller.
 *
 * There are two ways: a thread and a timer bound to each CPU, with pauses, until they are stopped;
 * or, in a storm, twice as many threads without pauses, that go wherever CPUs are online, until so
 * many operations were done. An operation is one call that takes, maps, unmaps or gives back.
 */
#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/timer.h>

#include "client.h"
#include "host/compat.h"

#define SLOTS		32
#define BULK		24
#define QUIET		(GFP_KERNEL | __GFP_NOWARN)
#define RT		IS_ENABLED(CONFIG_PREEMPT_RT)
#define HARD_PERIOD	(100 * NSEC_PER_USEC)

enum kind { NOTHING, BLOCK, AREA, MAP, RAM, DEVICE, NR_KINDS };

enum context { THREAD, SOFTIRQ, HARDIRQ, NR_CONTEXTS };

struct slot {
	enum kind	kind;
	unsigned int	order;
	struct page	*page;
	char		*addr;
	u64		mark;
};

static struct worker {
	struct task_struct	*task;
	struct timer_list	timer;
	struct hrtimer		hard;
	struct slot		slots[SLOTS];
	void			*to_free;	/* an area for the timer, or NULL */
	u64			next_mark;
} *workers;

static unsigned int nr_workers;
static bool stopping, storming;
static atomic64_t nr_uses, nr_failures, nr_wrong, nr_ops[NR_CONTEXTS];

static void count_ops(enum context context, unsigned int nr)
{
	atomic64_add(nr, &nr_ops[context]);
}

static u64 all_ops(void)
{
	return atomic64_read(&nr_ops[THREAD]) + atomic64_read(&nr_ops[SOFTIRQ]) +
	       atomic64_read(&nr_ops[HARDIRQ]);
}

static unsigned long slot_words(const struct slot *s)
{
	return (PAGE_SIZE / sizeof(u64)) << s->order;
}

/* First and last word of each page would do; first word of each page and the very last do too. */
static void write_mark(struct slot *s)
{
	unsigned long i;

	for (i = 0; i < slot_words(s); i += PAGE_SIZE / sizeof(u64))
		((u64 *)s->addr)[i] = s->mark + i;
	((u64 *)s->addr)[slot_words(s) - 1] = s->mark;
}

static void check_mark(const struct slot *s)
{
	unsigned long i;

	for (i = 0; i < slot_words(s); i += PAGE_SIZE / sizeof(u64))
		if (((u64 *)s->addr)[i] != s->mark + i)
			atomic64_inc(&nr_wrong);
	if (((u64 *)s->addr)[slot_words(s) - 1] != s->mark)
		atomic64_inc(&nr_wrong);
}

static void *map_block(struct page *first, unsigned int order, enum kind kind)
{
	struct page *pages[8];
	int i;

	for (i = 0; i < 1 << order; i++)
		pages[i] = first + i;
	if (kind == RAM)
		return pmm_vm_map_ram(pages, 1 << order, NUMA_NO_NODE);
	return pmm_vmap(pages, 1 << order, PMM_VM_MAP, PAGE_KERNEL);
}

static bool take_block(struct slot *s, gfp_t gfp)
{
	s->page = pmm_alloc_pages(gfp, s->order);
	s->addr = s->page ? page_address(s->page) : NULL;
	return s->page;
}

static bool take_map(struct slot *s)
{
	if (!take_block(s, QUIET))
		return false;
	s->addr = map_block(s->page, s->order, s->kind);
	if (s->addr)
		return true;
	__pmm_free_pages(s->page, s->order);
	return false;
}

static bool take(struct slot *s)
{
	switch (s->kind) {
	case BLOCK:
		return take_block(s, QUIET);
	case AREA:
		s->addr = __pmm_vmalloc(PAGE_SIZE << s->order, QUIET, PAGE_KERNEL);
		return s->addr;
	case MAP:
	case RAM:
		return take_map(s);
	case DEVICE:
		s->addr = (char __force *)pmm_ioremap(CLIENT_DEVICE, 64);
		return s->addr;
	default:
		return false;
	}
}

/* A slot with mapped pages costs two operations: allocating and mapping. */
static unsigned int slot_ops(const struct slot *s)
{
	return s->kind == MAP || s->kind == RAM ? 2 : 1;
}

static void fill_slot(struct worker *w, struct slot *s)
{
	s->kind = 1 + get_random_u32() % (NR_KINDS - 1);
	s->order = get_random_u32() % 4;
	if (s->kind == AREA && get_random_u32() % 32 == 0)
		s->order = PMM_MAX_ORDER - 1;
	s->mark = w->next_mark += 1 << 20;
	if (!take(s)) {
		s->kind = NOTHING;
		atomic64_inc(&nr_failures);
		return;
	}
	count_ops(THREAD, slot_ops(s));
	if (s->kind != DEVICE)
		write_mark(s);
}

static void free_area(struct worker *w, struct slot *s)
{
	void *before = s->addr;

	if (get_random_u32() % 2)
		before = xchg(&w->to_free, s->addr);
	pmm_vfree(before);
}

static void empty_slot(struct worker *w, struct slot *s)
{
	if (s->kind != NOTHING && s->kind != DEVICE)
		check_mark(s);
	if (s->kind == DEVICE)
		pmm_iounmap((void __iomem __force *)s->addr);
	else if (s->kind == AREA)
		free_area(w, s);
	else if (s->kind == MAP)
		pmm_vunmap(s->addr);
	else if (s->kind == RAM)
		pmm_vm_unmap_ram(s->addr, 1 << s->order);
	if (s->kind == BLOCK || s->kind == MAP || s->kind == RAM)
		__pmm_free_pages(s->page, s->order);
	if (s->kind != NOTHING)
		count_ops(THREAD, slot_ops(s));
	s->kind = NOTHING;
	atomic64_inc(&nr_uses);
}

/* One call that takes many, and one that gives them back, if there were any. */
static void use_bulk(struct worker *w)
{
	struct slot s = { .mark = w->next_mark += 1 << 20 };
	unsigned long nr, i, wanted = 1 + get_random_u32() % BULK;
	struct page *pages[BULK] = { };

	nr = pmm_alloc_pages_bulk(QUIET, wanted, pages);
	for (i = 0; i < nr; i++) {
		s.addr = page_address(pages[i]);
		write_mark(&s);
	}
	for (i = 0; i < nr; i++) {
		s.addr = page_address(pages[i]);
		check_mark(&s);
	}
	pmm_free_pages_bulk(nr, pages);
	count_ops(THREAD, nr ? 2 : 0);
}

/* Wherever the thread is now, there its timers will run. */
static void storm(struct worker *w)
{
	u32 dice = get_random_u32();

	if (!timer_pending(&w->timer))
		mod_timer(&w->timer, jiffies + 1);
	if (!hrtimer_active(&w->hard))
		hrtimer_start(&w->hard, ns_to_ktime(HARD_PERIOD),
			      RT ? HRTIMER_MODE_REL_SOFT : HRTIMER_MODE_REL_HARD);
	if (dice % 8 == 0)
		use_bulk(w);
	if (dice % 2048 == 1)
		pmm_vm_unmap_aliases();
}

static int worker_thread(void *data)
{
	struct worker *w = data;
	int i;

	while (!kthread_should_stop()) {
		struct slot *s = &w->slots[get_random_u32() % SLOTS];

		if (s->kind == NOTHING)
			fill_slot(w, s);
		else
			empty_slot(w, s);
		if (storming)
			storm(w);
		if (storming || get_random_u32() % 64)
			cond_resched();
		else
			msleep(20);	/* leave the processors to others, too */
	}
	for (i = 0; i < SLOTS; i++)
		empty_slot(w, &w->slots[i]);
	return 0;
}

/* In interrupts: blocks of its own, and the thread's area. */
static void use_from_interrupt(struct worker *w, enum context context)
{
	struct slot a = { .order = get_random_u32() % 4 }, b = { };
	bool had_a, had_b;
	void *area;

	a.mark = 1ULL << 63 | (unsigned long)w | context;
	b.mark = a.mark;
	had_a = take_block(&a, GFP_ATOMIC | __GFP_NOWARN);
	if (had_a)
		write_mark(&a);
	had_b = take_block(&b, GFP_ATOMIC | __GFP_NOWARN);
	if (had_b)
		write_mark(&b);
	area = xchg(&w->to_free, NULL);
	pmm_vfree(area);
	if (had_a)
		check_mark(&a);
	if (had_b)
		check_mark(&b);
	__pmm_free_pages(a.page, a.order);
	__pmm_free_pages(b.page, b.order);
	atomic64_inc(&nr_uses);
	count_ops(context, 2 * had_a + 2 * had_b + !!area);
}

static void worker_timer(struct timer_list *timer)
{
	use_from_interrupt(container_of(timer, struct worker, timer), SOFTIRQ);
	if (!READ_ONCE(stopping) && !storming)
		mod_timer(timer, jiffies + 1);
}

static enum hrtimer_restart worker_hard(struct hrtimer *timer)
{
	use_from_interrupt(container_of(timer, struct worker, hard), RT ? SOFTIRQ : HARDIRQ);
	return HRTIMER_NORESTART;
}

static int start_worker(struct worker *w, unsigned int nr, int cpu)
{
	w->next_mark = (u64)(nr + 1) << 48;
	timer_setup(&w->timer, worker_timer, storming ? 0 : TIMER_PINNED);
	hrtimer_setup(&w->hard, worker_hard, CLOCK_MONOTONIC,
		      RT ? HRTIMER_MODE_REL_SOFT : HRTIMER_MODE_REL_HARD);
	w->task = kthread_create_on_node(worker_thread, w, cpu_to_node(cpu), "pmm_client/%u", nr);
	if (IS_ERR(w->task))
		return PTR_ERR(w->task);
	if (!storming)
		kthread_bind(w->task, cpu);
	wake_up_process(w->task);
	if (storming)
		return 0;
	w->timer.expires = jiffies + 1;
	add_timer_on(&w->timer, cpu);
	return 0;
}

static void forget_counts(void)
{
	int i;

	WRITE_ONCE(stopping, false);
	atomic64_set(&nr_uses, 0);
	atomic64_set(&nr_failures, 0);
	atomic64_set(&nr_wrong, 0);
	for (i = 0; i < NR_CONTEXTS; i++)
		atomic64_set(&nr_ops[i], 0);
}

static int start_workers(unsigned int a_cpu)
{
	unsigned int i;
	int cpu, err;

	if (workers)
		return -EBUSY;
	workers = kvcalloc(nr_cpu_ids * a_cpu, sizeof(*workers), GFP_KERNEL);
	if (!workers)
		return -ENOMEM;
	nr_workers = 0;
	forget_counts();
	for_each_online_cpu(cpu) {
		for (i = 0; i < a_cpu; i++) {
			err = start_worker(&workers[nr_workers], nr_workers, cpu);
			if (err) {
				client_stress_stop();
				return err;
			}
			nr_workers++;
		}
	}
	return 0;
}

int client_stress_start(void)
{
	return start_workers(1);
}

/* Returns after the given number of operations, once everything that they took is freed. */
int client_storm(u64 ops)
{
	int err;

	if (workers)
		return -EBUSY;
	storming = true;
	err = start_workers(2);
	while (!err && all_ops() < ops)
		err = msleep_interruptible(50) ? -EINTR : 0;
	client_stress_stop();
	storming = false;
	return err;
}

/* Threads first, since they hand areas to the timers. */
void client_stress_stop(void)
{
	unsigned int i;

	for (i = 0; i < nr_workers; i++)
		kthread_stop(workers[i].task);
	WRITE_ONCE(stopping, true);
	for (i = 0; i < nr_workers; i++) {
		timer_delete_sync(&workers[i].timer);
		hrtimer_cancel(&workers[i].hard);
		pmm_vfree(xchg(&workers[i].to_free, NULL));
	}
	pmm_vm_unmap_aliases();
	kvfree(workers);
	workers = NULL;
	nr_workers = 0;
}

void client_stress_show(struct seq_file *m)
{
	seq_printf(m, "uses=%lld failures=%lld wrong=%lld", atomic64_read(&nr_uses),
		   atomic64_read(&nr_failures), atomic64_read(&nr_wrong));
	seq_printf(m, " operations=%llu thread=%lld softirq=%lld hardirq=%lld\n", all_ops(),
		   atomic64_read(&nr_ops[THREAD]), atomic64_read(&nr_ops[SOFTIRQ]),
		   atomic64_read(&nr_ops[HARDIRQ]));
}

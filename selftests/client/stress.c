// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: a thread and a timer on each CPU that use the pool at once.
 *
 * A thread writes its mark into what it gets and looks for it before it gives it back, so that a
 * page or an address with two owners is noticed. Areas that it no longer wants it hands to the
 * timer, which frees them from softirq. Counters are atomic; starting and stopping is serialised by
 * the caller.
 */
#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/timer.h>

#include "client.h"

#define SLOTS		32
#define QUIET		(GFP_KERNEL | __GFP_NOWARN)

enum kind { NOTHING, BLOCK, AREA, MAP, RAM, DEVICE, NR_KINDS };

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
	struct slot		slots[SLOTS];
	void			*to_free;	/* an area for the timer, or NULL */
	u64			next_mark;
} *workers;

static unsigned int nr_workers;
static bool stopping;
static atomic64_t nr_uses, nr_failures, nr_wrong;

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
		s->addr = (char __force *)pmm_ioremap(0xfed00000, 64);
		return s->addr;
	default:
		return false;
	}
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
	} else if (s->kind != DEVICE) {
		write_mark(s);
	}
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
	s->kind = NOTHING;
	atomic64_inc(&nr_uses);
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
		if (get_random_u32() % 64)
			cond_resched();
		else
			msleep(20);	/* leave the processors to others, too */
	}
	for (i = 0; i < SLOTS; i++)
		empty_slot(w, &w->slots[i]);
	return 0;
}

/* In softirq: blocks of its own, and the thread's area. */
static void worker_timer(struct timer_list *timer)
{
	struct worker *w = container_of(timer, struct worker, timer);
	struct slot a = { .order = 2, .mark = 1ULL << 63 | (unsigned long)timer }, b = a;
	bool had_a, had_b;

	b.order = 0;
	had_a = take_block(&a, GFP_ATOMIC | __GFP_NOWARN);
	if (had_a)
		write_mark(&a);
	had_b = take_block(&b, GFP_ATOMIC | __GFP_NOWARN);
	if (had_b)
		write_mark(&b);
	pmm_vfree(xchg(&w->to_free, NULL));
	if (had_a)
		check_mark(&a);
	if (had_b)
		check_mark(&b);
	__pmm_free_pages(a.page, a.order);
	__pmm_free_pages(b.page, b.order);
	atomic64_inc(&nr_uses);
	if (!READ_ONCE(stopping))
		mod_timer(timer, jiffies + 1);
}

static int start_worker(struct worker *w, int cpu)
{
	w->next_mark = (u64)(cpu + 1) << 48;
	timer_setup(&w->timer, worker_timer, TIMER_PINNED);
	w->task = kthread_create_on_node(worker_thread, w, cpu_to_node(cpu), "pmm_client/%d", cpu);
	if (IS_ERR(w->task))
		return PTR_ERR(w->task);
	kthread_bind(w->task, cpu);
	wake_up_process(w->task);
	w->timer.expires = jiffies + 1;
	add_timer_on(&w->timer, cpu);
	return 0;
}

int client_stress_start(void)
{
	int cpu, err;

	if (workers)
		return -EBUSY;
	workers = kvcalloc(nr_cpu_ids, sizeof(*workers), GFP_KERNEL);
	if (!workers)
		return -ENOMEM;
	nr_workers = 0;
	WRITE_ONCE(stopping, false);
	atomic64_set(&nr_uses, 0);
	atomic64_set(&nr_failures, 0);
	atomic64_set(&nr_wrong, 0);
	for_each_online_cpu(cpu) {
		err = start_worker(&workers[nr_workers], cpu);
		if (err) {
			client_stress_stop();
			return err;
		}
		nr_workers++;
	}
	return 0;
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
		pmm_vfree(xchg(&workers[i].to_free, NULL));
	}
	pmm_vm_unmap_aliases();
	kvfree(workers);
	workers = NULL;
	nr_workers = 0;
}

void client_stress_show(struct seq_file *m)
{
	seq_printf(m, "uses=%lld failures=%lld wrong=%lld\n", atomic64_read(&nr_uses),
		   atomic64_read(&nr_failures), atomic64_read(&nr_wrong));
}

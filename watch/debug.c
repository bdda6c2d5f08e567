// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the debug switches of the zone, off by default.
 *
 * poison=1: a block's pages are filled with a pattern when it is freed, and are checked when it is
 * taken and by `verify`: that finds a write in between, through an address kept too long. (The
 * kernel's page_poison=1.)
 *
 * owner=1: the stacks of the tasks that took a block and freed it, in the kernel's stack depot,
 * which keeps each once and for good. (The kernel's page_owner=on.)
 *
 * With either, pages bypass the per-CPU lists: pcp=0. The allocator calls this file for each block;
 * functions whose names begin with a double underscore run with zone->lock held.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <asm/current.h>
#include <linux/poison.h>
#include <linux/sched/clock.h>
#include <linux/stacktrace.h>

#include "internal.h"

#define PMM_STACK_FRAMES	16	/* kept of each */
#define PMM_STACK_SHOWN		6
#define PMM_POISON_PAGES	max(0x10000UL >> PAGE_SHIFT, 1UL)	/* checked at once */

/* --- poison ----------------------------------------------------------------------------------- */

static void pmm_poison_block(struct page *page, unsigned int order)
{
	memset(page_address(page), PAGE_POISON, PAGE_SIZE << order);
}

/* The bytes that differ in a page that should hold only the pattern. */
struct pmm_stain {
	unsigned long	page;
	unsigned int	first;	/* offset of the first wrong byte */
	unsigned int	nr;	/* bytes from there to the last wrong one */
	u8		is;	/* the first one's value */
};

static bool pmm_find_stain(const struct pmm_zone *zone, unsigned long index, unsigned long nr,
			   struct pmm_stain *stain)
{
	const u8 *start = page_address(zone->mem_map + index), *at, *last;

	at = memchr_inv(start, PAGE_POISON, nr << PAGE_SHIFT);
	if (likely(!at))
		return false;
	stain->page = index + ((at - start) >> PAGE_SHIFT);
	start += (stain->page - index) << PAGE_SHIFT;
	for (last = start + PAGE_SIZE - 1; last > at && *last == PAGE_POISON; last--)
		;
	stain->first = at - start;
	stain->nr = last - at + 1;
	stain->is = *at;
	return true;
}

static const char *pmm_stain_text(const struct pmm_stain *stain, char *text, size_t size)
{
	bool bit = stain->nr == 1 && hweight8(stain->is ^ PAGE_POISON) == 1;

	snprintf(text, size, "page %lu was written to while free: byte %u is %#x, not %#x; %s",
		 stain->page, stain->first, stain->is, PAGE_POISON,
		 bit ? "a single bit" : "more than a bit");
	if (stain->nr > 1)
		scnprintf(text + strlen(text), size - strlen(text), ", up to byte %u",
			  stain->first + stain->nr - 1);
	return text;
}

static void pmm_check_poison(struct pmm_zone *zone, unsigned long index, unsigned int order,
			     unsigned long caller)
{
	char text[128], who[PMM_WHO_LEN];
	const struct pmm_owner *owner = zone->debug->owner;
	struct pmm_stain stain;

	if (likely(!pmm_find_stain(zone, index, 1UL << order, &stain)))
		return;
	atomic_long_inc(&zone->debug->nr_poison);
	pmm_debug_who(zone, owner ? &owner[stain.page].freed : NULL,
		      pmm_page_caller(zone->mem_map + stain.page), who);
	pr_err_ratelimited("poison: %s; freed by %s, now taken by %pS\n",
			   pmm_stain_text(&stain, text, sizeof(text)), who, (void *)caller);
}

/* Up to @end, but no more than PMM_POISON_PAGES free pages; returns how far. */
static unsigned long __pmm_verify_poison(struct pmm_zone *zone, unsigned long index,
					 unsigned long end, struct pmm_verdict *v)
{
	unsigned long most = PMM_POISON_PAGES;
	struct pmm_stain stain;

	while (index < end && most) {
		unsigned long head = pmm_head_of(zone, index), nr;
		u8 state = READ_ONCE(zone->state[head]);

		nr = min(head + (1UL << PMM_STATE_ORDER(state)), end) - index;
		if (PMM_STATE_KIND(state) == PMM_FREE) {
			nr = min(nr, most);
			most -= nr;
			if (pmm_find_stain(zone, index, nr, &stain)) {
				pmm_stain_text(&stain, v->why, sizeof(v->why));
				break;
			}
		}
		index += nr;
	}
	return index;
}

/**
 * pmm_debug_verify() - check the pattern of every free page
 * @zone: the zone, in which pmm_zone_verify() found nothing wrong
 * @v: its @why names the first page whose pattern is broken
 *
 * Context: Process context; may sleep. Interrupts are off for PMM_POISON_PAGES free pages.
 * Return: true when all is well, and without poison=1.
 */
bool pmm_debug_verify(struct pmm_zone *zone, struct pmm_verdict *v)
{
	unsigned long index = 0, flags;

	if (!zone->debug || !zone->debug->poison)
		return true;
	while (!v->why[0] && index < zone->nr_pages) {
		unsigned long end = min(ALIGN(index + 1, PMM_MAX_ORDER_PAGES), zone->nr_pages);

		spin_lock_irqsave(&zone->lock, flags);
		index = __pmm_verify_poison(zone, index, end, v);
		spin_unlock_irqrestore(&zone->lock, flags);
		cond_resched();
	}
	return !v->why[0];
}

/* --- owner ------------------------------------------------------------------------------------ */

#ifdef CONFIG_STACKDEPOT
/* Starting at @caller: the frames below it belong to this module. */
static depot_stack_handle_t pmm_save_stack(unsigned long caller)
{
	unsigned long entries[PMM_STACK_FRAMES];
	unsigned int nr, own;

	nr = stack_trace_save(entries, ARRAY_SIZE(entries), 0);
	for (own = 0; own < nr && entries[own] != caller; own++)
		;
	if (own == nr)
		own = 0;
	return stack_depot_save(entries + own, nr - own, GFP_NOWAIT | __GFP_NOWARN);
}

static unsigned int pmm_load_stack(depot_stack_handle_t stack, unsigned long **entries)
{
	return stack_depot_fetch(stack, entries);
}
#else
/* Never called: pmm_debug_init() refuses owner=1. */
static depot_stack_handle_t pmm_save_stack(unsigned long caller)
{
	return 0;
}

static unsigned int pmm_load_stack(depot_stack_handle_t stack, unsigned long **entries)
{
	return 0;
}
#endif

/**
 * pmm_debug_stack() - the stack of a task that took a block or freed it
 * @act: the record of that act; its @stack is read
 * @entries: set to the depot's own copy of the stack, innermost first
 *
 * Context: Any.
 * Return: How many entries; 0 when nothing is known.
 */
unsigned int pmm_debug_stack(const struct pmm_act *act, unsigned long **entries)
{
	return act->stack ? pmm_load_stack(act->stack, entries) : 0;
}

static void pmm_note_act(struct pmm_act *act, gfp_t gfp, unsigned long caller)
{
	depot_stack_handle_t stack = pmm_save_stack(caller);

	WRITE_ONCE(act->stack, stack);
	WRITE_ONCE(act->when, local_clock());
	WRITE_ONCE(act->gfp, gfp);
	WRITE_ONCE(act->pid, current->pid);
	WRITE_ONCE(act->tgid, current->tgid);
	/* Readers may read meanwhile: a mixture of two acts does no harm. */
	data_race(strscpy(act->comm, current->comm, sizeof(act->comm)));
}

/**
 * pmm_debug_who() - name the code that took or freed a block, by its stack where there is one
 * @zone: the zone
 * @act: the record that owner=1 keeps, or NULL
 * @caller: the address that is known without owner=1
 * @text: of PMM_WHO_LEN bytes; written to
 *
 * Context: Any.
 * Return: @text: the innermost functions of the stack, each called by the next; pid and name.
 */
const char *pmm_debug_who(const struct pmm_zone *zone, const struct pmm_act *act,
			  unsigned long caller, char *text)
{
	unsigned int i, nr, len = 0;
	struct pmm_act copy = { };
	unsigned long *entries;

	if (act)
		copy = data_race(*act);	/* as in pmm_note_act() */
	nr = pmm_debug_stack(&copy, &entries);
	if (!nr) {
		pmm_name_code(caller, text, PMM_WHO_LEN);
		return text;
	}
	for (i = 0; i < min_t(unsigned int, nr, PMM_STACK_SHOWN); i++) {
		len += scnprintf(text + len, PMM_WHO_LEN - len, "%s", i ? " < " : "");
		pmm_name_code(entries[i], text + len, PMM_WHO_LEN - len);
		len += strlen(text + len);
	}
	scnprintf(text + len, PMM_WHO_LEN - len, " pid=%d (%.*s)", copy.pid, TASK_COMM_LEN,
		  copy.comm);
	return text;
}

/* --- the allocator's reports ------------------------------------------------------------------ */

/**
 * pmm_debug_taken() - a block has left the free lists
 * @zone: the zone, with a debug switch on
 * @index: of the block, which already belongs to the caller
 * @order: likewise
 * @gfp: the flags of the request
 * @caller: the code that made the request
 *
 * Context: Any.
 */
void pmm_debug_taken(struct pmm_zone *zone, unsigned long index, unsigned int order, gfp_t gfp,
		     unsigned long caller)
{
	if (zone->debug->poison)
		pmm_check_poison(zone, index, order, caller);
	if (zone->debug->owner)
		pmm_note_act(&zone->debug->owner[index].taken, gfp, caller);
}

/**
 * __pmm_debug_freed() - a block has been freed, and rightly so
 * @zone: the zone, locked, with a debug switch on
 * @index: of the block
 * @caller: the code that freed it
 *
 * Context: Any; zone->lock held.
 */
void __pmm_debug_freed(struct pmm_zone *zone, unsigned long index, unsigned long caller)
{
	if (zone->debug->owner)
		pmm_note_act(&zone->debug->owner[index].freed, 0, caller);
}

/**
 * __pmm_debug_fill() - a block is about to go to the free lists
 * @zone: the zone, locked, with a debug switch on
 * @index: of the block
 * @order: likewise
 *
 * Context: Any; zone->lock held.
 */
void __pmm_debug_fill(struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	if (zone->debug->poison)
		pmm_poison_block(zone->mem_map + index, order);
}

/**
 * pmm_debug_broken() - a used block has become single pages
 * @zone: the zone, with a debug switch on
 * @index: of the block
 * @order: likewise
 *
 * Context: Any.
 */
void pmm_debug_broken(struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	struct pmm_owner *owner = zone->debug->owner;
	unsigned long i;

	for (i = 1; owner && i < 1UL << order; i++)
		owner[index + i].taken = owner[index].taken;
}

/**
 * pmm_debug_init() - turn on the debug switches; before pmm_zone_init()
 * @zone: the zone
 * @debug: the switches; its @poison is set
 * @nr_pages: the zone's size
 * @owner: whether stacks are to be kept
 *
 * Context: Process context; may sleep.
 * Return: 0; -ENOMEM, or -EOPNOTSUPP when the kernel has no stack depot.
 */
int pmm_debug_init(struct pmm_zone *zone, struct pmm_debug *debug, unsigned long nr_pages,
		   bool owner)
{
	int err;

	zone->debug = debug;
	if (!owner)
		return 0;
	if (!IS_ENABLED(CONFIG_STACKDEPOT))
		return -EOPNOTSUPP;
	err = pmm_must_fail() ? -ENOMEM : stack_depot_init();
	if (err)
		return err;
	debug->owner = pmm_may_fail(kvcalloc(nr_pages, sizeof(*debug->owner), GFP_KERNEL));
	return debug->owner ? 0 : -ENOMEM;
}

/**
 * pmm_debug_destroy() - undo pmm_debug_init(), even after a failure
 * @zone: the zone, which is no longer in use
 *
 * Context: Process context; may sleep.
 */
void pmm_debug_destroy(struct pmm_zone *zone)
{
	if (!zone->debug)
		return;
	kvfree(zone->debug->owner);
	zone->debug->owner = NULL;
	zone->debug = NULL;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: every state that a small zone with per-CPU lists can get into, and every step from
 * each: single pages and blocks of two, on two CPUs.
 *
 * Unlike that of a zone alone, the number of states has no formula, because pages on the lists are
 * not merged, and the order of all lists counts here. So the search goes on until it meets nothing
 * new.
 * A state is written as a string of bytes, from which the zone is made anew for each step; the
 * pair bits are worked out from the free lists by their definition.
 *
 * After each step: the block is one that nobody had, an allocation failed only because there is
 * none, a free succeeded exactly when it was due, and once all lists are drained, free pages are
 * merged as far as possible.
 */
#include <stdlib.h>

#include "internal.h"
#include "zone.h"

#define GFP		(GFP_KERNEL | __GFP_NOWARN)
#define MOST_PAGES	8
#define MOST_STATES	(1U << 19)
#define NR_SLOTS	(2 * MOST_STATES)
#define ORDERS		2
#define CPUS		2

struct limits {
	unsigned long	nr_pages;
	enum pmm_expand	expand;
	unsigned int	batch, high;
};

/* State bytes; then a list after the other, each with an end: of each order, and of each CPU. */
#define END		0xff
#define KEY_SIZE	(MOST_PAGES + MOST_PAGES + 4 + CPUS * ORDERS)

struct key {
	u8	byte[KEY_SIZE];
};

static struct search {
	const struct limits	*limits;
	struct key		*queue;
	unsigned long		head, tail, steps;
	u32			*slots;		/* of a hash table: 1 + index into the queue */
	struct key		now;
} search;

/* --- states as bytes, and back --- */

static struct pmm_pcp *lists_of(unsigned int cpu)
{
	return per_cpu_ptr(pmm_zone.pcp, cpu);
}

static void save(struct key *key)
{
	u8 *to = key->byte;
	unsigned int order, cpu, i;
	struct page *page;

	memset(key, 0, sizeof(*key));
	memcpy(to, pmm_zone.state, search.limits->nr_pages);
	to += MOST_PAGES;
	for (order = 0; order < 4; order++) {
		list_for_each_entry(page, &pmm_zone.free_area[order].free_list, lru) {
			*to = pmm_page_index(&pmm_zone, page);
			to++;
		}
		*to++ = END;
	}
	for (cpu = 0; cpu < CPUS; cpu++) {
		for (order = 0; order < ORDERS; order++) {
			for (i = 0; i < lists_of(cpu)->nr[order]; i++)
				*to++ = pmm_pcp_list(lists_of(cpu), order)[i];
			*to++ = END;
		}
	}
	ASSERT(to <= key->byte + KEY_SIZE);
}

static const u8 *load_free(const u8 *from, unsigned int order)
{
	struct pmm_free_area *area = &pmm_zone.free_area[order];

	INIT_LIST_HEAD(&area->free_list);
	*area->map = 0;
	for (; *from != END; from++) {
		list_add_tail(&pmm_zone.mem_map[*from].lru, &area->free_list);
		*area->map ^= 1UL << (*from >> (1 + order));
		pmm_zone.free_pages += 1UL << order;
	}
	return from + 1;
}

static void load(const struct key *key)
{
	const u8 *from = key->byte + MOST_PAGES;
	unsigned int order, cpu;

	memcpy(pmm_zone.state, key->byte, search.limits->nr_pages);
	pmm_zone.free_pages = 0;
	for (order = 0; order < 4; order++)
		from = load_free(from, order);
	for (cpu = 0; cpu < CPUS; cpu++) {
		struct pmm_pcp *pcp = lists_of(cpu);

		for (order = 0; order < ORDERS; order++) {
			pcp->nr[order] = 0;
			while (*from != END)
				pmm_pcp_list(pcp, order)[pcp->nr[order]++] = *from++;
			from++;
		}
	}
	search.now = *key;
}

static u32 hash(const struct key *key)
{
	u32 sum = 2166136261;
	unsigned int i;

	for (i = 0; i < KEY_SIZE; i++)
		sum = (sum ^ key->byte[i]) * 16777619;
	return sum ^ sum >> 15;
}

static void enqueue(void)
{
	struct key *key = &search.queue[search.tail];
	u32 at;

	save(key);
	for (at = hash(key) % NR_SLOTS; search.slots[at]; at = (at + 1) % NR_SLOTS)
		if (!memcmp(&search.queue[search.slots[at] - 1], key, sizeof(*key)))
			return;
	search.slots[at] = ++search.tail;
	ASSERT(search.tail < MOST_STATES);
	ASSERT_SOUND(&pmm_zone);
}

/* --- the owner of each page in a state --- */

static bool in_use(unsigned long index)
{
	return PMM_STATE_KIND(search.now.byte[index]) == PMM_USED;
}

/* By page: is it part of a block in use? */
static bool taken(unsigned long index)
{
	return in_use(index) || (index && in_use(index - 1) &&
				 PMM_STATE_ORDER(search.now.byte[index - 1]) == 1 &&
				 (index & 1));
}

static bool there_is(unsigned int order)
{
	unsigned long index;

	for (index = 0; index + (1UL << order) <= search.limits->nr_pages; index += 1UL << order)
		if (!taken(index) && !taken(index + (1UL << order) - 1))
			return true;
	return false;
}

/* --- steps --- */

static void next_step(void)
{
	enqueue();
	load(&search.queue[search.head]);
	search.steps++;
}

static void step_alloc(unsigned int cpu, unsigned int order)
{
	struct page *page;
	unsigned long index, i;

	shim_set_cpu(cpu);
	page = pmm_alloc_pages(GFP, order);
	ASSERT_EQ(!!page, there_is(order));
	if (page) {
		index = page - pmm_zone.mem_map;
		ASSERT(IS_ALIGNED(index, 1UL << order));
		for (i = index; i < index + (1UL << order); i++)
			ASSERT(i < search.limits->nr_pages && !taken(i));
		ASSERT_EQ(pmm_zone.state[index], PMM_STATE(PMM_USED, order));
	}
	next_step();
}

static void step_free(unsigned int cpu, unsigned long index, unsigned int order)
{
	bool due = search.now.byte[index] == PMM_STATE(PMM_USED, order);
	enum pmm_free_result result;
	struct key after;

	shim_set_cpu(cpu);
	result = pmm_free_pages_caller(pmm_zone.mem_map + index, order, PMM_USED, CALLER);
	ASSERT_EQ(result == PMM_FREE_OK, due);
	if (due) {
		next_step();
		return;
	}
	/* A full list may have been flushed on the way; with that, nothing else has changed. */
	ASSERT(*shim_log_line());
	save(&after);
	if (memcmp(&after, &search.now, sizeof(after)))
		next_step();
}

static void step_drain(void)
{
	bool is_free[MOST_PAGES];
	unsigned long index;

	pmm_pcp_drain(&pmm_zone);
	for (index = 0; index < search.limits->nr_pages; index++)
		is_free[index] = !taken(index);
	assert_free_blocks(&pmm_zone, is_free);
	next_step();
}

static void all_steps(void)
{
	unsigned int cpu, order;
	unsigned long index;

	load(&search.queue[search.head]);
	step_drain();
	for (cpu = 0; cpu < CPUS; cpu++) {
		for (order = 0; order < ORDERS; order++) {
			step_alloc(cpu, order);
			for (index = 0; index < search.limits->nr_pages; index++)
				step_free(cpu, index, order);
		}
	}
}

static void where(void)
{
	char *text;

	shim_hook = NULL;
	load(&search.queue[search.head]);
	text = zone_text(&pmm_zone);
	ktap_say("state %lu of the queue, CPU %u, from the zone\n%s", search.head, shim_cpu(),
		 text);
	free(text);
}

static void closure(const void *arg)
{
	search.limits = arg;
	search.queue = calloc(MOST_STATES, sizeof(*search.queue));
	search.slots = calloc(NR_SLOTS, sizeof(*search.slots));
	pool_init(&(const struct setup) { search.limits->nr_pages, search.limits->expand }, true);
	pmm_zone.pcp_batch = search.limits->batch;
	pmm_zone.pcp_high = search.limits->high;
	ktap_where = where;
	enqueue();
	for (; search.head < search.tail; search.head++)
		all_steps();
	ktap_say("%lu states, %lu steps", search.tail, search.steps);
	load(&search.queue[0]);
	ktap_where = NULL;
	pool_exit();
	free(search.queue);
	free(search.slots);
}

#define RUN(name, ...)	{ name, closure, &(const struct limits){ __VA_ARGS__ } }

const struct ktap_test closure_tests[] = {
	RUN("closure-4", 4, PMM_EXPAND_UPPER, 2, 3),
	RUN("closure-5", 5, PMM_EXPAND_LOWER, 2, 3),
	RUN("closure-6", 6, PMM_EXPAND_UPPER, 2, 2),
	RUN("closure-6-more", 6, PMM_EXPAND_LOWER, 2, 3),
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: recompute every invariant of a zone and of a vm_struct list, and name the first that
 * does not hold.
 *
 * It only reads. A walk over a zone holds its lock for one piece at a time (walk.c), a walk over a
 * list of areas holds the list's: functions whose names begin with a double underscore run with
 * that lock held. It compiles unchanged in user space, where the tests call it after every step.
 */
#include "internal.h"

/* Remember the first violation; returns false for the caller to pass on. */
static __printf(2, 3) bool pmm_corrupt(struct pmm_verdict *v, const char *fmt, ...)
{
	va_list args;

	if (v->why[0])
		return false;
	va_start(args, fmt);
	vsnprintf(v->why, sizeof(v->why), fmt, args);
	va_end(args);
	return false;
}

/* One walk: what it has met so far, to be compared with what the zone has counted. */
struct pmm_tally {
	struct pmm_verdict	*v;
	struct pmm_moment	began;
	bool			last;	/* there will be no other */
	bool			moved;	/* others have allocated or freed since it began */
	unsigned int		order;	/* of the pairs being checked */
	unsigned long		nr_free[PMM_MAX_ORDER];
	unsigned long		free_pages;
	unsigned long		parked_blocks;
	unsigned long		parked_pages;
	unsigned long		quarantined_pages;
	unsigned long		pcp_pages;
};

/* A used block may go to a per-CPU list, or come from one, at any time. */
static bool __pmm_is_free(const struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	return index < zone->nr_pages &&
	       READ_ONCE(zone->state[index]) == PMM_STATE(PMM_FREE, order);
}

static void pmm_tally_block(struct pmm_tally *t, enum pmm_kind kind, unsigned int order)
{
	struct pmm_verdict *v = t->v;

	v->blocks++;
	if (kind == PMM_FREE) {
		v->free_blocks++;
		t->nr_free[order]++;
		t->free_pages += 1UL << order;
	} else if (kind == PMM_PARKED) {
		v->parked_blocks++;
		t->parked_blocks++;
		t->parked_pages += 1UL << order;
	} else if (kind == PMM_QUARANTINED) {
		v->parked_blocks++;
		t->quarantined_pages += 1UL << order;
	} else if (kind == PMM_PCP) {
		v->pcp_blocks++;
		t->pcp_pages += 1UL << order;
	} else {
		v->used_blocks++;
	}
}

/* --- blocks and pairs ------------------------------------------------------------------------- */

/* The blocks cover these pages without a gap or an overlap, each aligned to its own size. */
static bool __pmm_verify_blocks(struct pmm_zone *zone, unsigned long index, unsigned long end,
				void *arg)
{
	struct pmm_tally *t = arg;
	unsigned long i;

	while (index < end) {
		u8 state = READ_ONCE(zone->state[index]);
		enum pmm_kind kind = PMM_STATE_KIND(state);
		unsigned int order = PMM_STATE_ORDER(state);

		if (kind == PMM_TAIL || (kind > PMM_PCP && kind != PMM_QUARANTINED) ||
		    order >= PMM_MAX_ORDER)
			return pmm_corrupt(t->v, "page %lu: no block begins here, state %#x",
					   index, state);
		if (!IS_ALIGNED(index, 1UL << order) || zone->nr_pages - index < 1UL << order)
			return pmm_corrupt(t->v, "page %lu: misplaced block of order %u", index,
					   order);
		for (i = 1; i < 1UL << order; i++)
			if (zone->state[index + i] != PMM_TAIL)
				return pmm_corrupt(t->v, "page %lu: state %#x inside block %lu",
						   index + i, zone->state[index + i], index);
		pmm_tally_block(t, kind, order);
		index += 1UL << order;
	}
	return true;
}

/* The invariant of the pair bit, for the pairs of an order; see struct pmm_free_area. */
static bool __pmm_verify_pairs(struct pmm_zone *zone, unsigned long index, unsigned long end,
			       void *arg)
{
	static const char * const is[] = { "not free", "free" };
	struct pmm_tally *t = arg;
	unsigned int order = t->order;

	for (; index < end; index += 2UL << order) {
		unsigned long pair = index >> (1 + order), b = index + (1UL << order);
		bool a_free = __pmm_is_free(zone, index, order);
		bool b_free = __pmm_is_free(zone, b, order);

		if (a_free && b_free)
			return pmm_corrupt(t->v, "order %u pair %lu: %lu and %lu both free", order,
					   pair, index, b);
		if (test_bit(pair, zone->free_area[order].map) != (a_free || b_free))
			return pmm_corrupt(t->v, "order %u pair %lu: bit %d, %lu %s, %lu %s", order,
					   pair, !(a_free || b_free), index, is[a_free], b,
					   is[b_free]);
		t->v->pairs++;
	}
	return true;
}

static bool pmm_verify_pairs(struct pmm_zone *zone, struct pmm_tally *t)
{
	for (t->order = 0; t->order < PMM_MAX_ORDER - 1; t->order++)
		if (!pmm_zone_walk(zone, PMM_MAX_ORDER_PAGES << t->order, __pmm_verify_pairs, t))
			return false;
	return true;
}

/* --- lists ------------------------------------------------------------------------------------ */

/* How far a list has been checked. The @order of the parked blocks' list is -1. */
struct pmm_place {
	const struct list_head	*list;
	const struct list_head	*prev;	/* NULL before the first entry */
	const struct list_head	*pos;
	unsigned long		length;
	int			order;
};

static bool __pmm_is_listed(const struct pmm_zone *zone, unsigned long index, int order)
{
	return order < 0 ? PMM_STATE_KIND(READ_ONCE(zone->state[index])) == PMM_PARKED :
			   __pmm_is_free(zone, index, order);
}

/* A list's links agree in both directions, and every entry is a page of the zone, rightly there. */
static bool __pmm_verify_part(const struct pmm_zone *zone, struct pmm_place *at,
			      struct pmm_verdict *v)
{
	unsigned int left = PMM_WALK_ENTRIES;

	for (; at->pos != at->list && left--; at->prev = at->pos, at->pos = at->pos->next) {
		const struct page *page = list_entry(at->pos, struct page, lru);
		unsigned long index;

		if (!pmm_page_in_zone(zone, page) || at->pos->prev != at->prev)
			return pmm_corrupt(v, "order %d: broken link behind entry %lu", at->order,
					   at->length);
		index = pmm_page_index(zone, page);
		if (!__pmm_is_listed(zone, index, at->order))
			return pmm_corrupt(v, "order %d: page %lu is listed, state %#x", at->order,
					   index, zone->state[index]);
		if (++at->length > zone->nr_pages)
			return pmm_corrupt(v, "order %d: more than %lu entries", at->order,
					   zone->nr_pages);
	}
	return at->pos != at->list || at->list->prev == at->prev ||
	       pmm_corrupt(v, "order %d: broken tail", at->order);
}

static bool pmm_verify_length(const struct pmm_tally *t, int order, unsigned long length)
{
	if (order < 0)
		return length == t->parked_blocks ||
		       pmm_corrupt(t->v, "%lu blocks parked, %lu by state", length,
				   t->parked_blocks);
	if (length != t->nr_free[order])
		return pmm_corrupt(t->v, "order %u: %lu listed, %lu by state", order, length,
				   t->nr_free[order]);
	return true;
}

/* As long as nothing moves, the place between two parts of a list is still there. */
static bool pmm_verify_list(struct pmm_zone *zone, const struct list_head *list, int order,
			    struct pmm_tally *t)
{
	struct pmm_place at = { .list = list, .order = order };
	unsigned long flags;
	bool ok = true;

	do {
		spin_lock_irqsave(&zone->lock, flags);
		t->moved |= __pmm_zone_moment(zone) != t->began.zone;
		if (!at.prev) {
			at.prev = list;
			at.pos = list->next;
		}
		if (!t->moved)
			ok = __pmm_verify_part(zone, &at, t->v) &&
			     (at.pos != list || pmm_verify_length(t, order, at.length));
		spin_unlock_irqrestore(&zone->lock, flags);
		cond_resched();
	} while (ok && !t->moved && at.pos != list);
	return ok;
}

/* The neighbour of an entry is the list's head, or another entry that is rightly there. */
static bool __pmm_is_neighbour(const struct pmm_zone *zone, const struct list_head *pos,
			       const struct list_head *list, int order)
{
	const struct page *page = list_entry(pos, struct page, lru);

	return pos == list || (pmm_page_in_zone(zone, page) &&
			       __pmm_is_listed(zone, pmm_page_index(zone, page), order));
}

static bool __pmm_is_linked(const struct pmm_zone *zone, const struct list_head *pos,
			    const struct list_head *list, int order)
{
	return __pmm_is_neighbour(zone, pos->next, list, order) &&
	       __pmm_is_neighbour(zone, pos->prev, list, order) &&
	       pos->next->prev == pos && pos->prev->next == pos;
}

/* Each block that should be on a list is linked to its neighbours there, and they to it. */
static bool __pmm_verify_links_of(struct pmm_zone *zone, unsigned long index, unsigned long end,
				  void *arg)
{
	struct pmm_tally *t = arg;

	while (index < end) {
		const struct list_head *pos = &zone->mem_map[index].lru, *list = &zone->parked;
		u8 state = READ_ONCE(zone->state[index]);
		int order = PMM_STATE_ORDER(state);
		bool is_free = PMM_STATE_KIND(state) == PMM_FREE;

		if (is_free)
			list = &zone->free_area[order].free_list;
		if ((is_free || PMM_STATE_KIND(state) == PMM_PARKED) &&
		    !__pmm_is_linked(zone, pos, list, is_free ? order : -1))
			return pmm_corrupt(t->v, "page %lu: broken links, state %#x", index, state);
		index += 1UL << order;
	}
	return true;
}

/*
 * In a pool that does not rest no list stands still, but the links around each entry can be
 * checked. What this overlooks is a ring of entries that the list's head is not part of.
 */
static bool pmm_verify_links(struct pmm_zone *zone, struct pmm_tally *t)
{
	unsigned long flags;
	bool ok = true;
	int order;

	spin_lock_irqsave(&zone->lock, flags);
	for (order = -1; ok && order < PMM_MAX_ORDER; order++) {
		const struct list_head *list = order < 0 ? &zone->parked :
					       &zone->free_area[order].free_list;

		ok = __pmm_is_linked(zone, list, list, order) ||
		     pmm_corrupt(t->v, "order %d: broken links at the list's head", order);
	}
	spin_unlock_irqrestore(&zone->lock, flags);
	return ok && pmm_zone_walk(zone, PMM_MAX_ORDER_PAGES, __pmm_verify_links_of, t);
}

static bool pmm_verify_lists(struct pmm_zone *zone, struct pmm_tally *t)
{
	unsigned int order;

	for (order = 0; !t->moved && order < PMM_MAX_ORDER; order++)
		if (!pmm_verify_list(zone, &zone->free_area[order].free_list, order, t))
			return false;
	if (!t->moved && !pmm_verify_list(zone, &zone->parked, -1, t))
		return false;
	return !t->moved || !t->last || pmm_verify_links(zone, t);
}

/* --- per-CPU lists and placement= ------------------------------------------------------------- */

static bool __pmm_verify_pcp_list(const struct pmm_zone *zone, struct pmm_pcp *pcp,
				  unsigned int cpu, unsigned int order, struct pmm_verdict *v)
{
	unsigned int n, nr = pcp->nr[order];

	if (nr > zone->pcp_high >> order)
		return pmm_corrupt(v, "cpu %u order %u: %u entries", cpu, order, nr);
	for (n = 0; n < nr; n++) {
		unsigned long index = pmm_pcp_list(pcp, order)[n];

		if (index >= zone->nr_pages || zone->state[index] != PMM_STATE(PMM_PCP, order))
			return pmm_corrupt(v, "cpu %u order %u: page %lu is listed, state %#x",
					   cpu, order, index,
					   index < zone->nr_pages ? zone->state[index] : 0);
	}
	return true;
}

static bool pmm_verify_cpu(struct pmm_zone *zone, unsigned int cpu, struct pmm_verdict *v)
{
	unsigned long flags;
	unsigned int order;
	bool ok = true;

	pmm_zone_hold(zone, &flags);
	for (order = 0; ok && order < PMM_PCP_ORDERS; order++)
		ok = __pmm_verify_pcp_list(zone, per_cpu_ptr(zone->pcp, cpu), cpu, order, v);
	pmm_zone_release(zone, flags);
	cond_resched();
	return ok;
}

static bool pmm_verify_pcp(struct pmm_zone *zone, struct pmm_verdict *v)
{
	unsigned int cpu;

	if (zone->pcp)
		for_each_possible_cpu(cpu)
			if (!pmm_verify_cpu(zone, cpu, v))
				return false;
	return true;
}

/* What placement= has recorded of a largest block matches the state bytes. */
static bool __pmm_verify_pageblock(struct pmm_zone *zone, unsigned long index, unsigned long end,
				   void *arg)
{
	unsigned long nr = index / PMM_MAX_ORDER_PAGES, free = 0;
	struct pmm_fill fill = zone->placement->recorded(zone, nr);
	struct pmm_tally *t = arg;
	int max = -1;

	while (index < end) {
		u8 state = READ_ONCE(zone->state[index]);
		int order = PMM_STATE_ORDER(state);

		if (PMM_STATE_KIND(state) == PMM_FREE) {
			free += 1UL << order;
			max = max(max, order);
		}
		index += 1UL << order;
	}
	return (free == fill.nr_free && max == fill.max_order) ||
	       pmm_corrupt(t->v, "largest block %lu: %lu pages free, order %d; recorded %u, %d",
			   nr, free, max, fill.nr_free, fill.max_order);
}

/* --- the whole -------------------------------------------------------------------------------- */

/* What the walk has counted is what the zone counts, and no block is twice on a per-CPU list. */
static bool __pmm_verify_sums(struct pmm_zone *zone, const struct pmm_tally *t)
{
	struct pmm_pcp_count count;

	pmm_pcp_count(zone, &count);
	if (count.pages != t->pcp_pages)
		return pmm_corrupt(t->v, "%lu pages on per-CPU lists by state, %lu counted",
				   t->pcp_pages, count.pages);
	if (t->free_pages != zone->free_pages)
		return pmm_corrupt(t->v, "%lu pages free by state, %lu counted", t->free_pages,
				   zone->free_pages);
	if (t->quarantined_pages != zone->nr_quarantined)
		return pmm_corrupt(t->v, "%lu pages quarantined by state, %lu counted",
				   t->quarantined_pages, zone->nr_quarantined);
	return t->parked_pages == zone->nr_parked ||
	       pmm_corrupt(t->v, "%lu pages parked by state, %lu counted", t->parked_pages,
			   zone->nr_parked);
}

/* The sums of a walk are those of one moment only if nothing has moved since it began. */
static bool pmm_verify_sums(struct pmm_zone *zone, struct pmm_tally *t)
{
	struct pmm_moment moment;
	unsigned long flags;
	bool ok;

	pmm_zone_hold(zone, &flags);
	__pmm_moment(zone, &moment);
	t->moved |= moment.zone != t->began.zone || moment.pcp != t->began.pcp;
	ok = t->moved || __pmm_verify_sums(zone, t);
	pmm_zone_release(zone, flags);
	return ok;
}

static bool pmm_verify_once(struct pmm_zone *zone, struct pmm_tally *t)
{
	pmm_moment(zone, &t->began);
	if (!pmm_zone_walk(zone, PMM_MAX_ORDER_PAGES, __pmm_verify_blocks, t) ||
	    !pmm_verify_lists(zone, t))
		return false;
	if (t->moved && !t->last)
		return true;
	if (!pmm_verify_pairs(zone, t) || !pmm_verify_pcp(zone, t->v))
		return false;
	if (zone->placement->recorded &&
	    !pmm_zone_walk(zone, PMM_MAX_ORDER_PAGES, __pmm_verify_pageblock, t))
		return false;
	return pmm_verify_sums(zone, t);
}

/**
 * pmm_zone_verify() - check every invariant of a zone
 * @zone: the zone
 * @v: the counts are added to it; its @why names the first violation
 *
 * Blocks, pairs, per-CPU lists and records are checked piece by piece, and what is said of them is
 * true whatever others do meanwhile. The lengths of lists and the sums of pages are compared when
 * nothing has been allocated or freed during a walk: the first of a few, unless the pool is busy.
 * If it never rests, they are left out, and of the lists the links around each block are checked.
 *
 * Context: Process context; may sleep. Interrupts are off for one piece, whatever the zone's size;
 * the whole cost is linear in it.
 * Return: true when all is well.
 */
bool pmm_zone_verify(struct pmm_zone *zone, struct pmm_verdict *v)
{
	struct pmm_verdict was = *v;
	unsigned int tries = PMM_WALK_TRIES;
	struct pmm_tally t;
	bool ok;

	do {
		*v = was;
		t = (struct pmm_tally){ .v = v, .last = !--tries };
		ok = pmm_verify_once(zone, &t);
	} while (ok && t.moved && !t.last);
	return ok;
}

/* The link downward, and the tree's record of one area: its hole, and the largest hole. */
static bool __pmm_verify_links(const struct pmm_vmlist *list, const struct pmm_vm_struct *vm,
			       const struct pmm_vm_struct *below, unsigned long gap)
{
	const struct pmm_area *area = pmm_area(vm), *child;
	unsigned long max = gap;

	if (area->prev != below)
		return false;
	/* The highest one may be missing from the tree, when no hole is below it. */
	if (area == list->top)
		return list->search_tree && !vm->next && below && !gap;
	if (!list->search_tree)
		return true;
	if (area->node.rb_left) {
		child = rb_entry(area->node.rb_left, struct pmm_area, node);
		if (child->vm.addr >= vm->addr)
			return false;
		max = max(max, child->max_gap);
	}
	if (area->node.rb_right) {
		child = rb_entry(area->node.rb_right, struct pmm_area, node);
		if (child->vm.addr <= vm->addr)
			return false;
		max = max(max, child->max_gap);
	}
	return area->gap == gap && area->max_gap == max;
}

/* A red-black tree is shallow: at most 2 log2(n + 1), which is below 128. */
static unsigned long __pmm_count_tree(const struct rb_node *node)
{
	const struct rb_node *stack[128];
	unsigned long nr = 0;
	unsigned int depth = 0;

	while (node || depth) {
		if (node && depth == ARRAY_SIZE(stack))
			return 0;
		if (node) {
			stack[depth++] = node;
			node = node->rb_left;
			continue;
		}
		node = stack[--depth]->rb_right;
		nr++;
	}
	return nr;
}

static bool __pmm_vmlist_verify(const struct pmm_vmlist *list, struct pmm_verdict *v)
{
	const struct pmm_vm_struct *vm, *below = NULL;
	unsigned long addr = list->start, nr = 0, lazy = 0, lazy_bytes = 0;

	for (vm = list->head; vm; vm = vm->next) {
		unsigned long start = (unsigned long)vm->addr;

		if (!PAGE_ALIGNED(start) || !PAGE_ALIGNED(vm->size) || vm->size < 2 * PAGE_SIZE)
			return pmm_corrupt(v, "area %lu: not whole pages and a guard page", nr);
		if (start < addr)
			return pmm_corrupt(v, "area %lu: out of order, or overlapping", nr);
		if (start > list->end || vm->size > list->end - start)
			return pmm_corrupt(v, "area %lu: beyond the window", nr);
		if (!__pmm_verify_links(list, vm, below, start - addr))
			return pmm_corrupt(v, "area %lu: broken links, or the wrong hole", nr);
		lazy += pmm_area_waits(pmm_area(vm));
		lazy_bytes += pmm_area_waits(pmm_area(vm)) ? vm->size : 0;
		addr = start + vm->size;
		below = vm;
		nr++;
	}
	v->areas += nr - lazy;
	if (below != list->tail || lazy != list->nr_lazy || lazy_bytes != list->lazy_bytes)
		return pmm_corrupt(v, "%lu areas of %lu bytes wait, %lu of %lu counted", lazy,
				   lazy_bytes, list->nr_lazy, list->lazy_bytes);
	if (list->search_tree && __pmm_count_tree(list->tree.rb_node) != nr - !!list->top)
		return pmm_corrupt(v, "%lu areas listed, others in the tree", nr);
	return nr == list->nr_areas ||
	       pmm_corrupt(v, "%lu areas listed, %lu counted", nr, list->nr_areas);
}

/**
 * pmm_vmlist_verify() - check every invariant of a vm_struct list
 * @list: the window
 * @v: the counts are added to it; its @why names the first violation
 *
 * Context: Process context.
 * Return: true when all is well.
 */
bool pmm_vmlist_verify(struct pmm_vmlist *list, struct pmm_verdict *v)
{
	bool ok;

	spin_lock(&list->lock);
	ok = __pmm_vmlist_verify(list, v);
	spin_unlock(&list->lock);
	return ok;
}

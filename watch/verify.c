// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: recompute every invariant of a zone and of a vm_struct list, and name the first that
 * does not hold.
 *
 * It only reads; each walk holds the one lock of the structure that it walks: functions whose names
 * begin with a double underscore run with that lock held. It compiles unchanged in user space,
 * where the tests call it after every step.
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

/* The counts of the walk over the state bytes, to be compared with the lists. */
struct pmm_tally {
	unsigned long	nr_free[PMM_MAX_ORDER];
	unsigned long	free_pages;
	unsigned long	parked_blocks;
	unsigned long	parked_pages;
	unsigned long	pcp_pages;
};

static bool __pmm_is_free(const struct pmm_zone *zone, unsigned long index, unsigned int order)
{
	return index < zone->nr_pages && zone->state[index] == PMM_STATE(PMM_FREE, order);
}

static void pmm_tally_block(struct pmm_verdict *v, struct pmm_tally *t, enum pmm_kind kind,
			    unsigned int order)
{
	v->blocks++;
	if (kind == PMM_FREE) {
		v->free_blocks++;
		t->nr_free[order]++;
		t->free_pages += 1UL << order;
	} else if (kind == PMM_PARKED) {
		v->parked_blocks++;
		t->parked_blocks++;
		t->parked_pages += 1UL << order;
	} else if (kind == PMM_PCP) {
		v->pcp_blocks++;
		t->pcp_pages += 1UL << order;
	} else {
		v->used_blocks++;
	}
}

/* The blocks cover the zone without a gap or an overlap, each aligned to its own size. */
static bool __pmm_verify_blocks(const struct pmm_zone *zone, struct pmm_verdict *v,
				struct pmm_tally *t)
{
	unsigned long index, i;

	for (index = 0; index < zone->nr_pages;) {
		enum pmm_kind kind = PMM_STATE_KIND(zone->state[index]);
		unsigned int order = PMM_STATE_ORDER(zone->state[index]);

		if (kind == PMM_TAIL || kind > PMM_PCP || order >= PMM_MAX_ORDER)
			return pmm_corrupt(v, "page %lu: no block begins here, state %#x", index,
					   zone->state[index]);
		if (!IS_ALIGNED(index, 1UL << order) || zone->nr_pages - index < 1UL << order)
			return pmm_corrupt(v, "page %lu: misplaced block of order %u", index,
					   order);
		for (i = 1; i < 1UL << order; i++)
			if (zone->state[index + i] != PMM_TAIL)
				return pmm_corrupt(v, "page %lu: state %#x inside block %lu",
						   index + i, zone->state[index + i], index);
		pmm_tally_block(v, t, kind, order);
		index += 1UL << order;
	}
	return true;
}

/*
 * A list's links agree in both directions, and every entry is a page of the zone in the right
 * state. @order is -1 for the list of parked blocks, which has those of all orders.
 */
static bool __pmm_verify_list(const struct pmm_zone *zone, const struct list_head *list,
			      int order, struct pmm_verdict *v, unsigned long *length)
{
	enum pmm_kind kind = order < 0 ? PMM_PARKED : PMM_FREE;
	const struct list_head *prev = list, *pos;

	*length = 0;
	for (pos = list->next; pos != list; prev = pos, pos = pos->next) {
		const struct page *page = list_entry(pos, struct page, lru);
		unsigned long index;

		if (!pmm_page_in_zone(zone, page) || pos->prev != prev)
			return pmm_corrupt(v, "order %d: broken link behind entry %lu", order,
					   *length);
		index = pmm_page_index(zone, page);
		if (PMM_STATE_KIND(zone->state[index]) != kind ||
		    (order >= 0 && zone->state[index] != PMM_STATE(kind, order)))
			return pmm_corrupt(v, "order %d: page %lu is listed, state %#x", order,
					   index, zone->state[index]);
		if (++*length > zone->nr_pages)
			return pmm_corrupt(v, "order %d: more than %lu entries", order,
					   zone->nr_pages);
	}
	return list->prev == prev || pmm_corrupt(v, "order %d: broken tail", order);
}

static bool __pmm_verify_lists(const struct pmm_zone *zone, struct pmm_verdict *v,
			       const struct pmm_tally *t)
{
	unsigned long length;
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER; order++) {
		const struct pmm_free_area *area = &zone->free_area[order];

		if (!__pmm_verify_list(zone, &area->free_list, order, v, &length))
			return false;
		if (length != t->nr_free[order])
			return pmm_corrupt(v, "order %u: %lu listed, %lu by state", order, length,
					   t->nr_free[order]);
	}
	if (!__pmm_verify_list(zone, &zone->parked, -1, v, &length))
		return false;
	return length == t->parked_blocks ||
	       pmm_corrupt(v, "%lu blocks parked, %lu by state", length, t->parked_blocks);
}

/* The invariant of the pair bit, for every pair of an order; see struct pmm_free_area. */
static bool __pmm_verify_pairs(const struct pmm_zone *zone, struct pmm_verdict *v,
			       unsigned int order)
{
	static const char * const is[] = { "not free", "free" };
	unsigned long pair, nr = pmm_nr_pairs(zone, order);

	for (pair = 0; pair < nr; pair++) {
		unsigned long a = pair << (1 + order), b = a + (1UL << order);
		bool a_free = __pmm_is_free(zone, a, order), b_free = __pmm_is_free(zone, b, order);

		if (a_free && b_free)
			return pmm_corrupt(v, "order %u pair %lu: %lu and %lu both free", order,
					   pair, a, b);
		if (test_bit(pair, zone->free_area[order].map) != (a_free || b_free))
			return pmm_corrupt(v, "order %u pair %lu: bit %d, %lu %s, %lu %s", order,
					   pair, !(a_free || b_free), a, is[a_free], b, is[b_free]);
		v->pairs++;
	}
	return true;
}

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

/* Blocks on per-CPU lists or in transit match the state bytes; none is there twice. */
static bool __pmm_verify_pcp(struct pmm_zone *zone, struct pmm_verdict *v,
			     const struct pmm_tally *t)
{
	struct pmm_pcp_count count;
	unsigned int cpu, order;

	if (zone->pcp)
		for_each_possible_cpu(cpu)
			for (order = 0; order < PMM_PCP_ORDERS; order++)
				if (!__pmm_verify_pcp_list(zone, per_cpu_ptr(zone->pcp, cpu), cpu,
							   order, v))
					return false;
	pmm_pcp_count(zone, &count);
	return count.pages == t->pcp_pages ||
	       pmm_corrupt(v, "%lu pages on per-CPU lists by state, %lu counted", t->pcp_pages,
			   count.pages);
}

/* What placement= has recorded of each largest block matches the state bytes. */
static bool __pmm_verify_pageblock(const struct pmm_zone *zone, unsigned long nr,
				   struct pmm_verdict *v)
{
	unsigned long index = nr * PMM_MAX_ORDER_PAGES, free = 0;
	unsigned long end = min(index + PMM_MAX_ORDER_PAGES, zone->nr_pages);
	struct pmm_fill fill = zone->placement->recorded(zone, nr);
	int max = -1;

	while (index < end) {
		int order = PMM_STATE_ORDER(zone->state[index]);

		if (PMM_STATE_KIND(zone->state[index]) == PMM_FREE) {
			free += 1UL << order;
			max = max(max, order);
		}
		index += 1UL << order;
	}
	return (free == fill.nr_free && max == fill.max_order) ||
	       pmm_corrupt(v, "largest block %lu: %lu pages free, order %d; recorded %u, %d", nr,
			   free, max, fill.nr_free, fill.max_order);
}

static bool __pmm_verify_placement(const struct pmm_zone *zone, struct pmm_verdict *v)
{
	unsigned long nr;

	if (!zone->placement->recorded)
		return true;
	for (nr = 0; nr < DIV_ROUND_UP(zone->nr_pages, PMM_MAX_ORDER_PAGES); nr++)
		if (!__pmm_verify_pageblock(zone, nr, v))
			return false;
	return true;
}

static bool __pmm_zone_verify(struct pmm_zone *zone, struct pmm_verdict *v)
{
	struct pmm_tally tally = { };
	unsigned int order;

	lockdep_assert_held(&zone->lock);
	if (!__pmm_verify_blocks(zone, v, &tally) || !__pmm_verify_lists(zone, v, &tally))
		return false;
	for (order = 0; order < PMM_MAX_ORDER - 1; order++)
		if (!__pmm_verify_pairs(zone, v, order))
			return false;
	if (!__pmm_verify_pcp(zone, v, &tally) || !__pmm_verify_placement(zone, v))
		return false;
	if (tally.free_pages != zone->free_pages)
		return pmm_corrupt(v, "%lu pages free by state, %lu counted", tally.free_pages,
				   zone->free_pages);
	return tally.parked_pages == zone->nr_parked ||
	       pmm_corrupt(v, "%lu pages parked by state, %lu counted", tally.parked_pages,
			   zone->nr_parked);
}

/**
 * pmm_zone_verify() - check every invariant of a zone
 * @zone: the zone
 * @v: the counts are added to it; its @why names the first violation
 *
 * Context: Process context. Interrupts are off during the walk, whose cost is linear in the size
 * of the zone.
 * Return: true when all is well.
 */
bool pmm_zone_verify(struct pmm_zone *zone, struct pmm_verdict *v)
{
	unsigned long flags;
	bool ok;

	pmm_zone_hold(zone, &flags);
	ok = __pmm_zone_verify(zone, v);
	pmm_zone_release(zone, flags);
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

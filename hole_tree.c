// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: search=tree, which finds the hole of 2.4's first fit without a walk over all areas.
 *
 * Each area in the tree knows the hole between it and the area below, and the largest such hole in
 * its subtree. The list remains the authority: everything in the tree can be computed from it, and
 * both searches find the same hole. The hole above the highest area is in no node, and is checked
 * separately.
 *
 *	list	[ A ]....[ B ]..[ C ][ D ]........
 *	gap	  0        4      2    0
 *	tree	      B max=4
 *	             /       \
 *	       A max=0        C max=2		D is list->top: not in the tree yet
 *
 * The highest area may be missing from the tree (list->top) as long as no hole is below it. Such an
 * area is often the next to go, and then it never enters.
 *
 * It owns the nodes and the gaps of the areas. Functions whose names begin with a double underscore
 * run with list->lock held. It compiles unchanged in user space.
 */
#include <linux/rbtree_augmented.h>

#include "hole_tree.h"

static unsigned long pmm_area_gap(const struct pmm_area *area)
{
	return area->gap;
}

RB_DECLARE_CALLBACKS_MAX(static, pmm_gap_callbacks, struct pmm_area, node, unsigned long, max_gap,
			 pmm_area_gap)

static struct pmm_area *pmm_node_area(struct rb_node *node)
{
	return rb_entry(node, struct pmm_area, node);
}

static bool pmm_subtree_has(struct rb_node *node, unsigned long size)
{
	return node && pmm_node_area(node)->max_gap >= size;
}

/* The lowest area of the subtree with a hole of @size below it; the caller knows there is one. */
static struct pmm_area *__pmm_lowest_gap(struct rb_node *node, unsigned long size)
{
	for (;;) {
		if (pmm_subtree_has(node->rb_left, size)) {
			node = node->rb_left;
			continue;
		}
		if (pmm_node_area(node)->gap >= size)
			return pmm_node_area(node);
		node = node->rb_right;
	}
}

/* The next higher area with a hole of @size below it, or NULL. */
static struct pmm_area *__pmm_next_gap(struct pmm_area *area, unsigned long size)
{
	struct rb_node *node = &area->node, *parent;

	for (;;) {
		if (pmm_subtree_has(node->rb_right, size))
			return __pmm_lowest_gap(node->rb_right, size);
		while ((parent = rb_parent(node)) && node == parent->rb_right)
			node = parent;
		if (!parent)
			return NULL;
		if (pmm_node_area(parent)->gap >= size)
			return pmm_node_area(parent);
		node = parent;
	}
}

/**
 * __pmm_tree_find_hole() - find the lowest hole that fits
 * @list: the window, locked
 * @size: bytes
 * @align: of the address
 * @hole: gets the place
 *
 * A hole that is large enough may still be spoilt by @align; then the search goes on above it.
 *
 * Context: Process context, list->lock held.
 * Return: false when no hole fits.
 */
bool __pmm_tree_find_hole(const struct pmm_vmlist *list, unsigned long size, unsigned long align,
			  struct pmm_hole *hole)
{
	struct pmm_area *area = NULL;

	lockdep_assert_held(&list->lock);
	if (pmm_subtree_has(list->tree.rb_node, size))
		area = __pmm_lowest_gap(list->tree.rb_node, size);
	for (; area; area = __pmm_next_gap(area, size)) {
		hole->addr = pmm_start_of(&area->vm) - area->gap;
		hole->above = &area->vm;
		if (pmm_fits(hole, pmm_start_of(&area->vm), size, align))
			return true;
	}
	hole->addr = __pmm_top_of(list);
	hole->above = NULL;
	return pmm_fits(hole, list->end, size, align);
}

/**
 * __pmm_tree_find() - find the area in the tree that begins at an address
 * @list: the window, locked
 * @addr: first byte of the area
 *
 * Context: Process context, list->lock held.
 * Return: The area, or NULL.
 */
struct pmm_area *__pmm_tree_find(const struct pmm_vmlist *list, const void *addr)
{
	struct rb_node *node = list->tree.rb_node;

	while (node) {
		struct pmm_area *area = pmm_node_area(node);

		if (area->vm.addr == addr)
			return area;
		node = addr < area->vm.addr ? node->rb_left : node->rb_right;
	}
	return NULL;
}

/**
 * __pmm_tree_find_above() - find the lowest area in the tree that ends above an address
 * @list: the window, locked
 * @addr: the address
 *
 * Context: Process context, list->lock held.
 * Return: The area, or NULL.
 */
struct pmm_area *__pmm_tree_find_above(const struct pmm_vmlist *list, unsigned long addr)
{
	struct rb_node *node = list->tree.rb_node;
	struct pmm_area *lowest = NULL;

	while (node) {
		struct pmm_area *area = pmm_node_area(node);

		if (pmm_end_of(&area->vm) > addr) {
			lowest = area;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return lowest;
}

static void __pmm_set_gap(struct pmm_area *area, unsigned long gap)
{
	area->gap = gap;
	pmm_gap_callbacks_propagate(&area->node, NULL);
}

/**
 * __pmm_tree_insert() - add an area that is on the list already
 * @list: the window, locked
 * @area: the area
 * @gap: bytes of the hole below it
 *
 * The neighbours on the list are its neighbours in the tree; one of them has no child on its side.
 *
 * Context: Process context, list->lock held.
 */
void __pmm_tree_insert(struct pmm_vmlist *list, struct pmm_area *area, unsigned long gap)
{
	struct pmm_area *next = area->vm.next ? pmm_area(area->vm.next) : NULL;
	struct rb_node **link = &list->tree.rb_node, *parent = NULL;

	lockdep_assert_held(&list->lock);
	if (next && !next->node.rb_left) {
		parent = &next->node;
		link = &parent->rb_left;
	} else if (area->prev) {
		parent = &pmm_area(area->prev)->node;
		link = &parent->rb_right;
	}
	area->gap = gap;
	area->max_gap = gap;
	rb_link_node(&area->node, parent, link);
	if (gap && parent)
		pmm_gap_callbacks_propagate(parent, NULL);
	if (next)
		__pmm_set_gap(next, next->gap - gap - area->vm.size);
	rb_insert_augmented(&area->node, &list->tree, &pmm_gap_callbacks);
}

/**
 * __pmm_tree_erase() - remove an area
 * @list: the window, locked
 * @area: the area; its @next is still valid
 * @merged: a neighbour has taken over its addresses, so that no hole appears
 *
 * Context: Process context, list->lock held.
 */
void __pmm_tree_erase(struct pmm_vmlist *list, struct pmm_area *area, bool merged)
{
	struct pmm_area *above = area->vm.next ? pmm_area(area->vm.next) : NULL;

	lockdep_assert_held(&list->lock);
	rb_erase_augmented(&area->node, &list->tree, &pmm_gap_callbacks);
	if (above && !merged)
		__pmm_set_gap(above, above->gap + area->gap + area->vm.size);
}

/**
 * __pmm_tree_settle() - move the highest area into the tree
 * @list: the window, locked, with a @top
 *
 * Context: Process context, list->lock held.
 */
void __pmm_tree_settle(struct pmm_vmlist *list)
{
	struct pmm_area *area = list->top;

	lockdep_assert_held(&list->lock);
	list->top = NULL;
	__pmm_tree_insert(list, area, 0);
}

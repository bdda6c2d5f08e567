/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for <linux/list.h>, written for this purpose. Each change checks first that the links
 * around it agree, as kernels with DEBUG_LIST do, and what has left a list is poisoned.
 */
#ifndef UNIT_LINUX_LIST_H
#define UNIT_LINUX_LIST_H

#include <linux/kernel.h>
#include <linux/types.h>

#include "shim.h"

#define SHIM_POISON	((struct list_head *)0xdead)

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

#define LIST_HEAD(name)		struct list_head name = { &(name), &(name) }

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

static inline void shim_list_join(struct list_head *prev, struct list_head *next)
{
	prev->next = next;
	next->prev = prev;
}

static inline void shim_list_insert(struct list_head *entry, struct list_head *prev,
				    struct list_head *next)
{
	shim_assert(prev->next == next && next->prev == prev,
		    "list corruption: insertion between strangers");
	shim_assert(entry != prev && entry != next, "list corruption: inserted twice");
	shim_list_join(prev, entry);
	shim_list_join(entry, next);
}

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	shim_list_insert(entry, head, head->next);
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	shim_list_insert(entry, head->prev, head);
}

static inline void list_del(struct list_head *entry)
{
	shim_assert(entry->next != SHIM_POISON && entry->prev != SHIM_POISON,
		    "list corruption: deleted twice");
	shim_assert(entry->prev->next == entry && entry->next->prev == entry,
		    "list corruption: deletion of a stranger");
	shim_list_join(entry->prev, entry->next);
	entry->next = SHIM_POISON;
	entry->prev = SHIM_POISON;
}

static inline void list_move_tail(struct list_head *entry, struct list_head *head)
{
	list_del(entry);
	list_add_tail(entry, head);
}

/* @entry is the first afterwards; those before it come after the last. */
static inline void list_rotate_to_front(struct list_head *entry, struct list_head *head)
{
	shim_assert(entry != head, "list corruption: the head is no entry");
	list_move_tail(head, entry);
}

/*
 * All entries of @list, in their order, behind those of @head; @list itself is then not to be
 * used.
 */
static inline void list_splice_tail(struct list_head *list, struct list_head *head)
{
	shim_assert(head->prev->next == head, "list corruption: splice to a stranger");
	if (list_empty(list))
		return;
	shim_list_join(head->prev, list->next);
	shim_list_join(list->prev, head);
}

/* The same, but @list is empty afterwards, and its entries come in front of those of @head. */
static inline void list_splice_init(struct list_head *list, struct list_head *head)
{
	shim_assert(head->next->prev == head, "list corruption: splice to a stranger");
	if (list_empty(list))
		return;
	shim_list_join(list->prev, head->next);
	shim_list_join(head, list->next);
	INIT_LIST_HEAD(list);
}

#define list_entry(p, type, member)		container_of(p, type, member)
#define list_first_entry(head, type, member)	list_entry((head)->next, type, member)
#define list_next_entry(pos, member)						\
	list_entry((pos)->member.next, __typeof__(*(pos)), member)

#define list_for_each_entry(pos, head, member)					\
	for (pos = list_first_entry(head, __typeof__(*pos), member);		\
	     &pos->member != (head);						\
	     pos = list_next_entry(pos, member))

#define list_for_each_entry_safe(pos, n, head, member)				\
	for (pos = list_first_entry(head, __typeof__(*pos), member),		\
	     n = list_next_entry(pos, member);					\
	     &pos->member != (head);						\
	     pos = n, n = list_next_entry(n, member))

#define list_for_each_safe(pos, n, head)					\
	for (pos = (head)->next, n = pos->next; pos != (head); pos = n, n = pos->next)

#endif /* UNIT_LINUX_LIST_H */

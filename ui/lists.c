// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the large files of debugfs that show how the zone keeps its free blocks: freelist and
 * pairmap.
 *
 * Each shows a snapshot, as the files of lines.c do. It is taken a piece at a time, and again if
 * the pool has changed meanwhile; see watch/walk.c. Process context; no state of its own. Functions
 * whose names begin with a double underscore run with pmm_zone.lock held.
 */
#include <linux/bitmap.h>
#include <linux/seq_file.h>

#include "internal.h"
#include "ui/view.h"

/* --- freelist --------------------------------------------------------------------------------- */

/* A record is the index of a free block; the record before a list's first says which list it is. */
#define PMM_LIST_MARK(order)	(U32_MAX - (order))

static bool pmm_is_mark(u32 record)
{
	return record >= PMM_LIST_MARK(PMM_MAX_ORDER - 1);
}

/* The copy of the lists: what is there so far, and where it goes on. */
struct pmm_list_copy {
	u32		*records;
	unsigned long	room;
	unsigned long	nr;
	unsigned long	*seen;		/* by page: it is among them */
	u64		moment;		/* of the zone, when the last part was copied */
	bool		moved;		/* others have changed something since the first part */
	unsigned long	steps;		/* left before a busy pool is given up */
	struct page	*last;		/* copied of this list; NULL before the first */
};

static void pmm_copy_record(struct pmm_list_copy *copy, u32 record)
{
	if (copy->nr < copy->room)
		copy->records[copy->nr] = record;
	copy->nr++;
}

/*
 * Where the copy of a list goes on. If others have been here, the last block copied may have left
 * the list, or come back at its head. The rest of the list is behind it all the same; if it has
 * left, the copy goes on from the head. Blocks copied before are passed over.
 */
static struct list_head *__pmm_next_listed(struct pmm_list_copy *copy, unsigned int order)
{
	struct list_head *list = &pmm_zone.free_area[order].free_list;
	u64 moment = __pmm_zone_moment(&pmm_zone);
	struct page *last = copy->last;

	copy->moved |= moment != copy->moment;
	if (last && moment != copy->moment &&
	    READ_ONCE(pmm_zone.state[pmm_page_index(&pmm_zone, last)]) !=
	    PMM_STATE(PMM_FREE, order))
		last = NULL;
	copy->moment = moment;
	return last ? last->lru.next : list->next;
}

/* Copy a part of a list; false when there is no more of it. */
static bool __pmm_copy_part(struct pmm_list_copy *copy, unsigned int order)
{
	struct list_head *pos = __pmm_next_listed(copy, order);
	unsigned int left = PMM_WALK_ENTRIES;

	for (; left-- && copy->steps; pos = pos->next) {
		unsigned long index;

		if (pos == &pmm_zone.free_area[order].free_list)
			return false;
		copy->last = list_entry(pos, struct page, lru);
		index = pmm_page_index(&pmm_zone, copy->last);
		if (index >= pmm_zone.nr_pages)	/* only if the list is corrupt */
			return false;
		if (!__test_and_set_bit(index, copy->seen))
			pmm_copy_record(copy, index);
		copy->steps--;
	}
	return copy->steps;
}

static void pmm_copy_list(struct pmm_list_copy *copy, unsigned int order)
{
	unsigned long flags;
	bool more;

	copy->last = NULL;
	pmm_copy_record(copy, PMM_LIST_MARK(order));
	do {
		spin_lock_irqsave(&pmm_zone.lock, flags);
		more = __pmm_copy_part(copy, order);
		spin_unlock_irqrestore(&pmm_zone.lock, flags);
		cond_resched();
	} while (more);
}

/* All lists, as they are at one moment or, if the pool never rests, as they come. */
static void pmm_copy_lists(struct pmm_list_copy *copy)
{
	unsigned int order, tries = PMM_WALK_TRIES;
	unsigned long flags;

	do {
		copy->nr = 0;
		copy->moved = false;
		copy->steps = 4 * pmm_zone.nr_pages;
		bitmap_zero(copy->seen, pmm_zone.nr_pages);
		spin_lock_irqsave(&pmm_zone.lock, flags);
		copy->moment = __pmm_zone_moment(&pmm_zone);
		spin_unlock_irqrestore(&pmm_zone.lock, flags);
		for (order = 0; order < PMM_MAX_ORDER; order++)
			pmm_copy_list(copy, order);
	} while (copy->moved && --tries);
}

/* Room for the records of as many free blocks as there are now, and for some more. */
static unsigned long pmm_guess_room(void)
{
	unsigned long nr_free[PMM_MAX_ORDER], room = PMM_MAX_ORDER + 64;
	unsigned int order;

	pmm_zone_count_free(&pmm_zone, nr_free);
	for (order = 0; order < PMM_MAX_ORDER; order++)
		room += nr_free[order] + nr_free[order] / 8;
	return room;
}

static void *pmm_take_lists(unsigned long *nr)
{
	struct pmm_list_copy copy = { .room = pmm_guess_room() };

	copy.seen = pmm_may_fail(kvmalloc_array(BITS_TO_LONGS(pmm_zone.nr_pages),
						sizeof(*copy.seen), GFP_KERNEL_ACCOUNT));
	while (copy.seen) {
		copy.records = pmm_may_fail(kvmalloc_array(copy.room, sizeof(*copy.records),
							   GFP_KERNEL_ACCOUNT));
		if (!copy.records)
			break;
		pmm_copy_lists(&copy);
		if (copy.nr <= copy.room)
			break;
		kvfree(copy.records);
		copy.room = copy.nr + copy.nr / 8;
	}
	kvfree(copy.seen);
	*nr = copy.nr;
	return copy.records;
}

static void *pmm_freelist_start(struct seq_file *m, loff_t *pos)
{
	return pmm_view_start(m, pos, pmm_take_lists);
}

static int pmm_freelist_show(struct seq_file *m, void *unused)
{
	struct pmm_view *view = m->private;
	unsigned long i = *(loff_t *)unused;
	const u32 *record = (u32 *)view->snapshot + i;

	if (pmm_is_mark(*record))
		seq_printf(m, "order %u:", U32_MAX - *record);
	else
		seq_put_decimal_ull(m, " ", *record);
	if (i + 1 == view->nr || pmm_is_mark(record[1]))
		seq_putc(m, '\n');
	return 0;
}

const struct seq_operations pmm_freelist_ops = {
	.start	= pmm_freelist_start,
	.next	= pmm_view_next,
	.stop	= pmm_view_stop,
	.show	= pmm_freelist_show,
};

/* --- pairmap ---------------------------------------------------------------------------------- */

/* The maps of all orders, one after the other. */
static unsigned long *pmm_map_in(unsigned long *maps, unsigned int order)
{
	while (order--)
		maps += BITS_TO_LONGS(pmm_nr_pairs(&pmm_zone, order));
	return maps;
}

/* A piece begins at the first bit of a word in each map. */
static bool __pmm_copy_maps(struct pmm_zone *zone, unsigned long index, unsigned long end,
			    void *maps)
{
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER - 1; order++) {
		unsigned long word = (index >> (1 + order)) / BITS_PER_LONG;
		unsigned long words = BITS_TO_LONGS(DIV_ROUND_UP(end, 2UL << order)) - word;

		memcpy(pmm_map_in(maps, order) + word, zone->free_area[order].map + word,
		       words * sizeof(long));
	}
	return true;
}

static void *pmm_take_maps(unsigned long *nr)
{
	unsigned long *maps;

	*nr = PMM_MAX_ORDER - 1;
	maps = pmm_may_fail(kvmalloc(pmm_zone_map_bytes(&pmm_zone), GFP_KERNEL_ACCOUNT));
	if (maps)
		pmm_zone_snapshot(&pmm_zone, PMM_WALK_BITS, __pmm_copy_maps, maps);
	return maps;
}

static void *pmm_pairmap_start(struct seq_file *m, loff_t *pos)
{
	return pmm_view_start(m, pos, pmm_take_maps);
}

static int pmm_pairmap_show(struct seq_file *m, void *record)
{
	struct pmm_view *view = m->private;
	unsigned int order = *(loff_t *)record;
	unsigned int pairs = pmm_nr_pairs(&pmm_zone, order);
	unsigned long *map = pmm_map_in(view->snapshot, order);

	seq_printf(m, "order %u: pairs=%u set=%u list=%*pbl\n", order, pairs,
		   bitmap_weight(map, pairs), pairs, map);
	return 0;
}

const struct seq_operations pmm_pairmap_ops = {
	.start	= pmm_pairmap_start,
	.next	= pmm_view_next,
	.stop	= pmm_view_stop,
	.show	= pmm_pairmap_show,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: the vm_struct list. First some windows small enough to draw, then long random runs
 * in two windows, one of them with the tree, beside the oracle.
 */
#include <stdlib.h>

#include "areas.h"
#include "ktap.h"
#include "shim.h"

#define ASSERT_ERR(p, err)	ASSERT_EQ(PTR_ERR(p), err)

/* Each test is run both ways: with the list alone, and with the tree when it is given anything. */
static bool use_tree;

static void window_init(struct pmm_vmlist *list, unsigned long start, unsigned long size)
{
	pmm_vmlist_init(list, start, size);
	list->search_tree = use_tree;
}

static struct pmm_vm_struct *get(struct pmm_vmlist *list, unsigned long size)
{
	return pmm_vmlist_get(list, size, PMM_VM_ALLOC, GFP_KERNEL, CALLER);
}

/* An area of the given number of pages, guard page not counted, at the expected place. */
static struct pmm_vm_struct *get_at(struct pmm_vmlist *list, unsigned long pages, unsigned long at)
{
	struct pmm_vm_struct *vm = get(list, PAGES(pages));

	ASSERT(!IS_ERR(vm));
	ASSERT_EQ(vm->addr, list->start + PAGES(at));
	ASSERT_EQ(vm->size, PAGES(pages + 1));
	ASSERT_EQ(pmm_area_bytes(vm), PAGES(pages));
	assert_sound(list);
	return vm;
}

static void put(struct pmm_vmlist *list, struct pmm_vm_struct *vm)
{
	pmm_vmlist_unlink(list, vm);
	ASSERT(!vm->next);
	kfree(vm);
	assert_sound(list);
}

static void put_all(struct pmm_vmlist *list)
{
	while (list->head)
		put(list, list->head);
	ASSERT_EQ(list->nr_areas, 0);
	ASSERT(!list->tail);
	pmm_vmlist_destroy(list);
}

/* --- addresses --- */

/*
 * The lowest hole that is large enough, an exact fit included; g is a guard page.
 *
 *	0123456789012345
 *	aagbgcccgdg.....	a, b, c and d as they come
 *	aag..cccg.......	b and d are freed
 *	aag..cccgeeeeg..	4 pages do not fit into b's hole
 *	aagfgcccgeeeeg..	1 page does, exactly
 *	aagfgcccgeeeeghg	and so at the window's end
 */
static void vmlist_first_fit(const void *arg)
{
	struct pmm_vm_struct *b, *d;
	struct pmm_vmlist list;

	use_tree = arg;
	window_init(&list, START, PAGES(16));
	get_at(&list, 2, 0);
	b = get_at(&list, 1, 3);
	get_at(&list, 3, 5);
	d = get_at(&list, 1, 9);
	put(&list, b);
	put(&list, d);
	get_at(&list, 4, 9);
	get_at(&list, 1, 3);
	ASSERT_ERR(get(&list, PAGES(2)), -ENOSPC);	/* 14 and 15 are left: no guard */
	get_at(&list, 1, 14);
	ASSERT_ERR(get(&list, 1), -ENOSPC);
	ASSERT_EQ(list.nr_areas, 5);
	put_all(&list);
}

/* The hole at the start of the window is a hole like others. */
static void vmlist_first_hole(const void *arg)
{
	struct pmm_vm_struct *a;
	struct pmm_vmlist list;

	use_tree = arg;
	window_init(&list, START, PAGES(16));
	a = get_at(&list, 3, 0);
	get_at(&list, 1, 4);
	put(&list, a);
	get_at(&list, 4, 6);	/* 3 + guard would fit, 4 + guard do not */
	get_at(&list, 3, 0);
	put_all(&list);
}

/* A freed area's hole is one with the holes beside it. */
static void vmlist_holes_join(const void *arg)
{
	struct pmm_vm_struct *vm[4];
	struct pmm_vmlist list;
	unsigned int i;

	use_tree = arg;
	window_init(&list, START, PAGES(8));
	for (i = 0; i < 4; i++)
		vm[i] = get_at(&list, 1, 2 * i);
	put(&list, vm[1]);
	ASSERT_ERR(get(&list, PAGES(2)), -ENOSPC);
	put(&list, vm[2]);
	get_at(&list, 3, 2);
	put_all(&list);
}

/*
 * 2.4 forgot to look at the window's end while the list was empty. The guard page must be inside
 * as well.
 */
static void vmlist_end(const void *arg)
{
	static const unsigned long too_large[] = {
		PAGES(16), PAGES(15) + 1, PAGES(16) - 1, PAGES(17), PAGES(1000), 1UL << 40,
		1UL << 62, 1UL << 63,
	};
	struct pmm_vmlist list;
	size_t i;

	use_tree = arg;
	window_init(&list, START, PAGES(16));
	for (i = 0; i < ARRAY_SIZE(too_large); i++)
		ASSERT_ERR(get(&list, too_large[i]), -ENOSPC);
	get_at(&list, 15, 0);
	ASSERT_ERR(get(&list, 1), -ENOSPC);
	put_all(&list);
	get_at(&list, 1, 0);
	ASSERT_ERR(get(&list, PAGES(14)), -ENOSPC);
	get_at(&list, 13, 2);
	put_all(&list);
}

/* Windows that no area fits into. */
static void vmlist_tiny(const void *arg)
{
	struct pmm_vmlist list;

	use_tree = arg;
	window_init(&list, START, 0);
	ASSERT_ERR(get(&list, 1), -ENOSPC);
	assert_sound(&list);
	put_all(&list);
	window_init(&list, START, PAGES(1));
	ASSERT_ERR(get(&list, 1), -ENOSPC);
	put_all(&list);
	window_init(&list, START, PAGES(2));
	get_at(&list, 1, 0);
	put_all(&list);
}

/*
 * Rounding up and adding the guard must not wrap: the last size whose sum fits is refused for lack
 * of room.
 */
static void vmlist_huge_sizes(const void *arg)
{
	static const struct { unsigned long size; int err; } sizes[] = {
		{ 0, -EINVAL },
		{ ULONG_MAX, -EINVAL },
		{ ULONG_MAX - 1, -EINVAL },
		{ -PAGES(1), -EINVAL },
		{ -PAGES(1) - 1, -EINVAL },
		{ -PAGES(2) + 1, -EINVAL },
		{ -PAGES(2), -EINVAL },
		{ -PAGES(2) - 1, -ENOSPC },
		{ -PAGES(3) + 1, -ENOSPC },
		{ -PAGES(3), -ENOSPC },
		{ -START, -ENOSPC },
		{ -START - 1, -ENOSPC },
	};
	struct pmm_vmlist list;
	unsigned int areas;
	size_t i;

	use_tree = arg;
	window_init(&list, START, PAGES(16));
	for (areas = 0; areas < 3; areas++) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			ASSERT(IS_ERR(get(&list, sizes[i].size)));
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			if (sizes[i].size < -PAGES(2) || sizes[i].size > -PAGES(2))
				ASSERT_ERR(get(&list, sizes[i].size), sizes[i].err);
		get_at(&list, 1, 2 * areas);
	}
	put_all(&list);
}

/* Any number of bytes is rounded up to whole pages, and one more for the guard. */
static void vmlist_unaligned_sizes(const void *arg)
{
	static const unsigned long sizes[] = {
		1, 2, 4095, 4096, 4097, 8191, 8192, 8193, 12288, 12289,
	};
	struct pmm_vm_struct *vm;
	struct pmm_vmlist list;
	size_t i;

	use_tree = arg;
	window_init(&list, START, PAGES(64));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		vm = get(&list, sizes[i]);
		ASSERT_EQ(vm->addr, START);
		ASSERT_EQ(vm->size, ((sizes[i] - 1) / 4096 + 2) * 4096);
		put(&list, vm);
	}
}

/* A window that ends with the last page but one of the address space. */
static void vmlist_top(const void *arg)
{
	struct pmm_vmlist list;

	use_tree = arg;
	window_init(&list, -PAGES(17), PAGES(16));
	ASSERT_ERR(get(&list, PAGES(16)), -ENOSPC);
	ASSERT_ERR(get(&list, PAGES(17)), -ENOSPC);
	get_at(&list, 7, 0);
	ASSERT_ERR(get(&list, PAGES(8)), -ENOSPC);
	ASSERT_ERR(get(&list, -PAGES(4)), -ENOSPC);
	get_at(&list, 7, 8);
	ASSERT_ERR(get(&list, 1), -ENOSPC);
	put_all(&list);
}

/* The contents of the record. */
static void vmlist_record(const void *arg)
{
	struct pmm_vm_struct *vm;
	struct pmm_vmlist list;

	use_tree = arg;
	window_init(&list, START, PAGES(16));
	vm = pmm_vmlist_get(&list, 5000, PMM_VM_MAP | PMM_VM_USERMAP, GFP_ATOMIC, CALLER);
	ASSERT_EQ(vm->flags, PMM_VM_MAP | PMM_VM_USERMAP);
	ASSERT_EQ(vm->addr, START);
	ASSERT_EQ(vm->size, PAGES(3));
	ASSERT(!vm->next && !vm->pages && !vm->nr_pages && !vm->phys_addr);
	ASSERT_EQ(vm->caller, 0xca11e4);
	ASSERT_EQ(pmm_area(vm)->state, PMM_AREA_NEW);
	ASSERT_EQ(pmm_area(vm)->users, 1);
	ASSERT(!pmm_area(vm)->orphan);
	put_all(&list);
}

/* --- an area's life --- */

static struct pmm_vm_struct *live(struct pmm_vmlist *list, unsigned long flags)
{
	struct pmm_vm_struct *vm = pmm_vmlist_get(list, PAGES(2), flags, GFP_KERNEL, NULL);

	ASSERT(!IS_ERR(vm));
	pmm_vmlist_publish(list, vm);
	ASSERT_EQ(pmm_area(vm)->state, PMM_AREA_LIVE);
	return vm;
}

/* Refused, and the list and the area are as before. */
static void detach_refused(struct pmm_vmlist *list, struct pmm_vm_struct *vm, unsigned long addr,
			   unsigned long type, enum pmm_detach_result want)
{
	struct pmm_area before = *pmm_area(vm);
	struct pmm_vmlist was = *list;
	struct pmm_vm_struct *got;

	ASSERT_EQ(pmm_vmlist_detach(list, (void *)addr, type, NULL, &got), want);
	ASSERT(!memcmp(&before, pmm_area(vm), sizeof(before)));
	ASSERT(!memcmp(&was, list, sizeof(was)));
}

/* A window with an area at pages 0..2 and one at 3..5. */
static void vmlist_detach(const void *arg)
{
	struct pmm_vm_struct *vm, *other, *got = NULL;
	struct pmm_vmlist list;
	unsigned long addr;

	use_tree = arg;
	window_init(&list, START, PAGES(16));
	vm = live(&list, PMM_VM_ALLOC);
	other = live(&list, PMM_VM_MAP);
	addr = (unsigned long)other->addr;
	detach_refused(&list, other, addr + 1, 0, PMM_DETACH_BAD_ADDRESS);
	detach_refused(&list, other, addr + 4095, 0, PMM_DETACH_BAD_ADDRESS);
	detach_refused(&list, other, 1, 0, PMM_DETACH_BAD_ADDRESS);
	detach_refused(&list, other, 0, 0, PMM_DETACH_NONEXISTENT);
	detach_refused(&list, other, START - PAGES(1), 0, PMM_DETACH_NONEXISTENT);
	detach_refused(&list, other, addr + PAGES(1), 0, PMM_DETACH_NONEXISTENT);
	detach_refused(&list, other, addr + PAGES(2), 0, PMM_DETACH_NONEXISTENT);	/* guard */
	detach_refused(&list, other, addr + PAGES(3), 0, PMM_DETACH_NONEXISTENT);
	detach_refused(&list, other, -PAGES(1), 0, PMM_DETACH_NONEXISTENT);
	detach_refused(&list, other, addr, PMM_VM_ALLOC, PMM_DETACH_WRONG_TYPE);
	detach_refused(&list, other, addr, PMM_VM_ALLOC | PMM_VM_IOREMAP, PMM_DETACH_WRONG_TYPE);

	ASSERT_EQ(pmm_vmlist_detach(&list, other->addr, PMM_VM_MAP | PMM_VM_ALLOC, NULL, &got),
		  PMM_DETACH_OK);
	ASSERT(got == other);
	ASSERT_EQ(pmm_area(other)->state, PMM_AREA_DYING);
	detach_refused(&list, other, addr, PMM_VM_MAP, PMM_DETACH_NONEXISTENT);		/* twice */
	detach_refused(&list, other, addr, PMM_VM_ALLOC, PMM_DETACH_NONEXISTENT);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, 0, NULL, &got), PMM_DETACH_OK);
	ASSERT(got == vm);
	put_all(&list);
}

/* An area that its caller is still mapping: no other caller may take it down. */
static void vmlist_new(const void *arg)
{
	struct pmm_vm_struct *vm, *got;
	struct pmm_vmlist list;

	use_tree = arg;
	window_init(&list, START, PAGES(16));
	vm = get(&list, PAGES(2));
	detach_refused(&list, vm, START, 0, PMM_DETACH_NONEXISTENT);
	detach_refused(&list, vm, START, PMM_VM_ALLOC, PMM_DETACH_NONEXISTENT);
	pmm_vmlist_publish(&list, vm);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, PMM_VM_ALLOC, NULL, &got), PMM_DETACH_OK);
	put_all(&list);
}

/*
 * Found by its first byte only, not before it is mapped, and no longer once it is freed, although
 * it is still listed.
 */
static void vmlist_find(const void *arg)
{
	struct pmm_vm_struct *vm, *got;
	struct pmm_vmlist list;

	use_tree = arg;
	window_init(&list, START, PAGES(16));
	assert_found(&list, (void *)START, NULL);
	vm = get(&list, PAGES(2));
	assert_found(&list, vm->addr, NULL);
	pmm_vmlist_publish(&list, vm);
	assert_found(&list, vm->addr, vm);
	vm = live(&list, PMM_VM_ALLOC | PMM_VM_USERMAP);
	assert_found(&list, vm->addr, vm);
	assert_found(&list, vm->addr + 1, NULL);
	assert_found(&list, vm->addr + PAGES(1), NULL);
	assert_found(&list, vm->addr - PAGES(1), NULL);
	assert_found(&list, NULL, NULL);
	ASSERT(pmm_vmlist_hold(&list, vm->addr) == vm);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, 0, NULL, &got), PMM_DETACH_LATER);
	assert_found(&list, vm->addr, NULL);		/* an orphan */
	ASSERT(pmm_vmlist_drop(&list, vm));
	assert_found(&list, vm->addr, NULL);		/* dying */
	put_all(&list);
}

/*
 * The addresses of a dying area are not handed out before it is unlinked, however short the window
 * is of them.
 */
static void vmlist_no_early_reuse(const void *arg)
{
	struct pmm_vm_struct *vm, *got;
	struct pmm_vmlist list;

	use_tree = arg;
	window_init(&list, START, PAGES(6));
	vm = live(&list, PMM_VM_ALLOC);
	live(&list, PMM_VM_ALLOC);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, PMM_VM_ALLOC, NULL, &got), PMM_DETACH_OK);
	ASSERT_EQ(list.nr_areas, 2);
	ASSERT_ERR(get(&list, 1), -ENOSPC);
	put(&list, vm);
	get_at(&list, 2, 0);
	put_all(&list);
}

/*
 * Freed by its owner while mapped by users: it lives until the last of them has gone, and takes no
 * new ones.
 */
static void vmlist_orphan(const void *arg)
{
	struct pmm_vm_struct *vm, *got = NULL;
	struct pmm_vmlist list;

	use_tree = arg;
	window_init(&list, START, PAGES(16));
	vm = live(&list, PMM_VM_ALLOC | PMM_VM_USERMAP);
	ASSERT(pmm_vmlist_hold(&list, vm->addr) == vm);
	pmm_vmlist_hold_again(&list, vm);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, PMM_VM_ALLOC, NULL, &got), PMM_DETACH_LATER);
	ASSERT(pmm_area(vm)->orphan);
	detach_refused(&list, vm, START, PMM_VM_ALLOC, PMM_DETACH_NONEXISTENT);
	ASSERT(!pmm_vmlist_hold(&list, vm->addr));
	pmm_vmlist_hold_again(&list, vm);	/* but a mapping that is there may be copied */
	ASSERT(!pmm_vmlist_drop(&list, vm));
	ASSERT(!pmm_vmlist_drop(&list, vm));
	ASSERT(pmm_vmlist_drop(&list, vm));
	ASSERT_EQ(pmm_area(vm)->state, PMM_AREA_DYING);
	detach_refused(&list, vm, START, PMM_VM_ALLOC, PMM_DETACH_NONEXISTENT);
	put_all(&list);
}

/* Users that come and go leave the owner's area alone. */
static void vmlist_hold(const void *arg)
{
	struct pmm_vm_struct *vm, *plain, *got;
	struct pmm_vmlist list;

	use_tree = arg;
	window_init(&list, START, PAGES(16));
	vm = pmm_vmlist_get(&list, PAGES(2), PMM_VM_ALLOC | PMM_VM_USERMAP, GFP_KERNEL, NULL);
	ASSERT(!pmm_vmlist_hold(&list, vm->addr));		/* not mapped yet */
	pmm_vmlist_publish(&list, vm);
	plain = live(&list, PMM_VM_ALLOC);
	ASSERT(!pmm_vmlist_hold(&list, plain->addr));		/* not fit for users */
	ASSERT(!pmm_vmlist_hold(&list, vm->addr + PAGES(1)));
	ASSERT(!pmm_vmlist_hold(&list, NULL));
	ASSERT(pmm_vmlist_hold(&list, vm->addr) == vm);
	ASSERT(pmm_vmlist_hold(&list, vm->addr) == vm);
	ASSERT(!pmm_vmlist_drop(&list, vm));
	ASSERT(!pmm_vmlist_drop(&list, vm));
	ASSERT_EQ(pmm_area(vm)->state, PMM_AREA_LIVE);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, PMM_VM_ALLOC, NULL, &got), PMM_DETACH_OK);
	ASSERT(!pmm_vmlist_hold(&list, vm->addr));		/* dying */
	put_all(&list);
}

/* Users are counted under the lock: it is taken once for each that comes or goes. */
static void vmlist_hold_locks(const void *arg)
{
	struct pmm_vm_struct *vm;
	struct pmm_vmlist list;
	unsigned long locked;

	use_tree = arg;
	window_init(&list, START, PAGES(16));
	vm = live(&list, PMM_VM_ALLOC | PMM_VM_USERMAP);
	locked = shim_nr_locked();
	ASSERT(pmm_vmlist_hold(&list, vm->addr) == vm);
	ASSERT_EQ(shim_nr_locked(), ++locked);
	pmm_vmlist_hold_again(&list, vm);
	ASSERT_EQ(shim_nr_locked(), ++locked);
	ASSERT(!pmm_vmlist_drop(&list, vm));
	ASSERT_EQ(shim_nr_locked(), ++locked);
	ASSERT(!pmm_vmlist_drop(&list, vm));
	put_all(&list);
}

/* An area that owns its pages is not let go by those who would not free them. */
static void vmlist_pages(const void *arg)
{
	struct pmm_vm_struct *vm[3], *got;
	struct page *pages[2] = { NULL };
	struct pmm_vmlist list;
	unsigned int i;

	use_tree = arg;
	window_init(&list, START, PAGES(16));
	for (i = 0; i < 3; i++) {
		vm[i] = pmm_vmlist_get(&list, PAGES(2), i ? PMM_VM_ALLOC : PMM_VM_MAP, GFP_KERNEL,
				       NULL);
		if (i < 2)
			pmm_vmlist_set_pages(&list, vm[i], pages, 2);
		pmm_vmlist_publish(&list, vm[i]);
	}
	ASSERT(vm[1]->pages == pages && vm[1]->nr_pages == 2);
	detach_refused(&list, vm[1], (unsigned long)vm[1]->addr, 0, PMM_DETACH_WRONG_TYPE);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm[0]->addr, 0, NULL, &got), PMM_DETACH_OK);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm[1]->addr, PMM_VM_ALLOC, NULL, &got), PMM_DETACH_OK);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm[2]->addr, 0, NULL, &got), PMM_DETACH_OK);
	put_all(&list);
}

/* --- frees asked for in atomic context --- */

static unsigned long asked[BITS_TO_LONGS(16)];

static struct pmm_vmlist window_that_defers(void)
{
	struct pmm_vmlist list;

	window_init(&list, START, PAGES(16));
	list.deferred = asked;
	return list;
}

static enum pmm_detach_result deferred(struct pmm_vmlist *list, unsigned long page,
				       struct pmm_vm_struct **got)
{
	const void *caller = NULL;

	return pmm_vmlist_detach_deferred(list, (void *)(START + PAGES(page)), PMM_VM_ALLOC,
					  &caller, got);
}

/* Asking takes no lock and no memory and changes nothing; the area goes when it is followed up. */
static void vmlist_defer(const void *arg)
{
	struct pmm_vmlist list = window_that_defers();
	struct pmm_vm_struct *vm, *got;
	unsigned long locked;

	use_tree = arg;
	live(&list, PMM_VM_ALLOC);
	vm = live(&list, PMM_VM_ALLOC);
	ASSERT_EQ(deferred(&list, 3, &got), PMM_DETACH_NONE);
	locked = shim_nr_locked();
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr, NULL), PMM_DETACH_LATER);
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr, NULL), PMM_DETACH_NONEXISTENT);	/* twice */
	ASSERT_EQ(shim_nr_locked(), locked);
	ASSERT_EQ(shim_nr_allocs(), 2);
	assert_found(&list, vm->addr, vm);
	ASSERT_EQ(deferred(&list, 0, &got), PMM_DETACH_NONE);
	ASSERT_EQ(deferred(&list, 3, &got), PMM_DETACH_OK);
	ASSERT(got == vm);
	ASSERT_EQ(deferred(&list, 3, &got), PMM_DETACH_NONE);
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr, NULL), PMM_DETACH_LATER);
	ASSERT_EQ(deferred(&list, 3, &got), PMM_DETACH_NONEXISTENT);		/* it is dying */
	ASSERT_EQ(list.nr_stale, 0);
	put_all(&list);
}

/* What can be refused at once is, and the rest when it is followed up. */
static void vmlist_defer_refused(const void *arg)
{
	struct pmm_vmlist list = window_that_defers();
	struct pmm_vm_struct *vm, *got;

	use_tree = arg;
	vm = live(&list, PMM_VM_MAP);
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr + 1, NULL), PMM_DETACH_BAD_ADDRESS);
	ASSERT_EQ(pmm_vmlist_defer(&list, NULL, NULL), PMM_DETACH_NONEXISTENT);
	ASSERT_EQ(pmm_vmlist_defer(&list, (void *)(START - PAGES(1)), NULL),
		  PMM_DETACH_NONEXISTENT);
	ASSERT_EQ(pmm_vmlist_defer(&list, (void *)(START + PAGES(16)), NULL),
		  PMM_DETACH_NONEXISTENT);
	ASSERT_EQ(asked[0], 0);
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr, NULL), PMM_DETACH_LATER);
	ASSERT_EQ(deferred(&list, 0, &got), PMM_DETACH_WRONG_TYPE);
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr + PAGES(1), NULL), PMM_DETACH_LATER);
	ASSERT_EQ(deferred(&list, 1, &got), PMM_DETACH_NONEXISTENT);
	ASSERT_EQ(pmm_vmlist_defer(&list, (void *)(START + PAGES(15)), NULL), PMM_DETACH_LATER);
	ASSERT_EQ(deferred(&list, 15, &got), PMM_DETACH_NONEXISTENT);
	assert_found(&list, vm->addr, vm);
	ASSERT_EQ(asked[0], 0);
	put_all(&list);
}

/* Who asked for a deferred free is known, when it is followed up as well; not who asked in vain. */
static void vmlist_defer_names(const void *arg)
{
	struct pmm_vmlist list = window_that_defers();
	const void *by = vmlist_defer_names, *other = vmlist_defer, *caller = &list;
	struct pmm_vm_struct *vm, *got;

	use_tree = arg;
	vm = live(&list, PMM_VM_ALLOC);
	ASSERT(!pmm_vmlist_deferred_by(&list, vm->addr));
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr, by), PMM_DETACH_LATER);
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr, other), PMM_DETACH_NONEXISTENT);
	ASSERT(pmm_vmlist_deferred_by(&list, vm->addr) == by);
	ASSERT(!pmm_vmlist_deferred_by(&list, vm->addr + PAGES(1)));
	ASSERT(pmm_vmlist_freed_by(&list, vm->addr) == by);
	ASSERT_EQ(pmm_vmlist_detach_deferred(&list, vm->addr, PMM_VM_ALLOC, &caller, &got),
		  PMM_DETACH_OK);
	ASSERT(caller == by);
	ASSERT(pmm_vmlist_freed_by(&list, vm->addr) == by);
	/* Too far away to be kept. */
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr, (void *)1), PMM_DETACH_LATER);
	caller = &list;
	ASSERT_EQ(pmm_vmlist_detach_deferred(&list, vm->addr, PMM_VM_ALLOC, &caller, &got),
		  PMM_DETACH_NONEXISTENT);
	ASSERT(caller == &list);
	put_all(&list);
}

/* Pages whose callers share a record: the caller of one is not taken for that of the other. */
static void vmlist_defer_names_one(const void *arg)
{
	void *lower = (void *)(START + PAGES(3)), *upper = lower + PAGES(PMM_DEFERRED_KEPT);
	const void *by = vmlist_defer_names, *other = vmlist_defer;
	unsigned long bits[4] = { 0 };
	struct pmm_vmlist list;

	use_tree = arg;
	window_init(&list, START, PAGES(200));
	list.deferred = bits;
	ASSERT_EQ(pmm_vmlist_defer(&list, lower, by), PMM_DETACH_LATER);
	ASSERT_EQ(pmm_vmlist_defer(&list, upper, other), PMM_DETACH_LATER);
	ASSERT(!pmm_vmlist_deferred_by(&list, lower));
	ASSERT(pmm_vmlist_deferred_by(&list, upper) == other);
}

static void *free_by(struct pmm_vmlist *list, unsigned long caller)
{
	struct pmm_vm_struct *vm = live(list, PMM_VM_ALLOC), *got;
	void *addr = vm->addr;

	ASSERT_EQ(pmm_vmlist_detach(list, addr, 0, (void *)caller, &got), PMM_DETACH_OK);
	ASSERT(pmm_vmlist_freed_by(list, addr) == (void *)caller);
	return addr;
}

/*
 * The code that freed an area is known until as many others as are kept have been freed. Of two
 * areas at one address the later counts. A refusal frees nothing.
 */
static void vmlist_freed_by(const void *arg)
{
	struct pmm_vm_struct *vm, *got;
	struct pmm_vmlist list;
	unsigned long i;
	void *first;

	use_tree = arg;
	window_init(&list, START, PAGES(800));
	ASSERT(!pmm_vmlist_freed_by(&list, (void *)START));
	first = free_by(&list, 1);
	put(&list, list.head);
	ASSERT(free_by(&list, 2) == first);
	for (i = 1; i < PMM_FREED_KEPT; i++) {
		free_by(&list, 2 + i);
		ASSERT(pmm_vmlist_freed_by(&list, first) == (void *)2);
	}
	free_by(&list, 2 + i);
	ASSERT(!pmm_vmlist_freed_by(&list, first));
	ASSERT(pmm_vmlist_freed_by(&list, first + PAGES(3)) == (void *)3);
	vm = live(&list, PMM_VM_ALLOC | PMM_VM_USERMAP);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, PMM_VM_MAP, (void *)4, &got),
		  PMM_DETACH_WRONG_TYPE);
	ASSERT(!pmm_vmlist_freed_by(&list, vm->addr));
	ASSERT(pmm_vmlist_hold(&list, vm->addr) == vm);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, 0, (void *)5, &got), PMM_DETACH_LATER);
	ASSERT(pmm_vmlist_freed_by(&list, vm->addr) == (void *)5);
	ASSERT(pmm_vmlist_drop(&list, vm));
	put_all(&list);
}

/* Asked for one area, freed directly meanwhile: the next area at its address is not that one. */
static void vmlist_defer_void(const void *arg)
{
	struct pmm_vmlist list = window_that_defers();
	struct pmm_vm_struct *vm, *got;
	const char *line;

	use_tree = arg;
	vm = live(&list, PMM_VM_ALLOC);
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr, vmlist_defer), PMM_DETACH_LATER);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, PMM_VM_ALLOC, NULL, &got), PMM_DETACH_OK);
	put(&list, vm);
	vm = live(&list, PMM_VM_ALLOC);
	ASSERT_EQ(vm->addr, START);
	line = shim_log_line();
	ASSERT(strstr(line, "Trying to vfree() nonexistent vm area"));
	ASSERT(strstr(line, ", deferred, by "));
	ASSERT_EQ(list.nr_stale, 1);
	ASSERT_EQ(deferred(&list, 0, &got), PMM_DETACH_NONE);
	assert_found(&list, vm->addr, vm);
	put_all(&list);
}

/* --- random runs --- */

struct size {
	unsigned long	pages;
	unsigned int	at_least;	/* areas that the run should get to */
	unsigned int	steps;
	unsigned int	compare_every;
};

static struct run {
	const struct size	*size;
	unsigned int		step;
	bool			filling;		/* until there is no room, then back */
	unsigned int		drain_to;
	unsigned long		orphans;
} run;

static void where(void)
{
	ktap_say("step %u, %u areas", run.step, areas.nr);
}

/* --- steps --- */

/* Nothing, nearly all there is, about the size of the window, and any power of two. */
static unsigned long odd_size(void)
{
	unsigned int shift;

	switch (ktap_below(4)) {
	case 0:
		return 0;
	case 1:
		return -ktap_below(PAGES(4));
	case 2:
		return PAGES(run.size->pages) - ktap_below(PAGES(4));
	default:
		shift = ktap_below(64);
		return ktap_random() >> shift;
	}
}

/* Odd sizes are rarer in a larger window, that it may fill with many areas. */
static unsigned long random_size(void)
{
	if (!ktap_below(8 + run.size->pages / 16))
		return odd_size();
	switch (ktap_below(16)) {
	case 0:
		return 1 + ktap_below(PAGES(8 + run.size->pages / 512));
	case 1:
	case 2:
		return PAGES(1 + ktap_below(8));
	default:
		return 1 + ktap_below(PAGES(2));
	}
}

static unsigned long random_flags(void)
{
	static const unsigned long types[] = { PMM_VM_IOREMAP, PMM_VM_ALLOC, PMM_VM_MAP };

	unsigned long flags = types[ktap_below(3)];

	return flags | (ktap_below(2) ? PMM_VM_USERMAP : 0);
}

static void stop_filling(void)
{
	run.filling = false;
	run.drain_to = ktap_below(areas.nr + 1);
}

static void step_get(void)
{
	struct pmm_area_request want = { .align = PAGE_SIZE, .gfp = GFP_KERNEL };
	struct known *area;

	want.size = random_size();
	want.flags = random_flags();
	area = areas_reserve(&want);
	if (!area && want.size && want.size <= PAGES(3) && !ktap_below(16))
		stop_filling();
	if (area && area->oracle->pages > 64 && area->oracle->pages > run.size->pages / 16)
		areas_take_down(area, false);	/* it would leave too few for the others */
}

/* Mostly where an area begins, now and then any page, which may be outside the window. */
static unsigned long random_page(void)
{
	if (areas.nr && ktap_below(8))
		return areas.known[ktap_below(areas.nr)].oracle->first;
	return ktap_below(run.size->pages + 8);
}

static void step_detach(void)
{
	unsigned long type = ktap_below(3) ? 0 : random_flags() & ~PMM_VM_USERMAP;
	unsigned long page = random_page();
	unsigned long odd = ktap_below(16) ? 0 : 1 + ktap_below(4095);

	run.orphans += areas_detach(page, odd, type) == PMM_DETACH_LATER;
}

/*
 * What comes next in an area's life, if anything: map it, copy or end a user's mapping, unlink it.
 */
static void step_on(struct known *area)
{
	const struct oracle_area *oracle = area->oracle;
	bool new = oracle->state == ORACLE_AREA_NEW;

	if (oracle->state == ORACLE_AREA_DYING || (new && !ktap_below(4)))
		areas_take_down(area, false);
	else if (new && !area->has_pages && ktap_below(2))
		areas_set_pages(area);
	else if (new)
		areas_publish(area);
	else if (oracle->mappings && !ktap_below(3))
		areas_hold_again(area);
	else if (oracle->mappings)
		areas_drop(area);
}

static void random_step(void)
{
	run.filling |= areas.nr <= run.drain_to;
	if (areas.nr == MOST_AREAS)
		stop_filling();
	else if (ktap_below(8) < (run.filling ? 6 : 1))
		step_get();
	if (!ktap_below(3))
		step_detach();
	else if (!ktap_below(6))
		areas_hold(random_page());
	else if (!ktap_below(6))
		areas_find(random_page());
	else if (!ktap_below(8))
		areas_defer(random_page());
	else if (!ktap_below(8))
		areas_detach_deferred(random_page() % run.size->pages, PMM_VM_ALLOC);
	else if (areas.nr)
		step_on(&areas.known[ktap_below(areas.nr)]);
}

static bool met_all(void)
{
	return areas.refused && run.orphans && areas.peak >= run.size->at_least;
}

static void vmlist_random(const void *arg)
{
	run.size = arg;
	ktap_where = where;
	areas_init(START, run.size->pages);
	for (run.step = 0; run.step < run.size->steps ||
	     (run.step < 4 * run.size->steps && !met_all()); run.step++) {
		random_step();
		if (run.step % run.size->compare_every == 0)
			areas_compare();
	}
	areas_compare();
	ktap_say("%u steps: %u areas at most, %lu requests refused, %lu orphans, %lu stale frees",
		 run.step, areas.peak, areas.refused, run.orphans, areas.stale);
	ASSERT(met_all());
	while (areas.nr)
		areas_take_down(&areas.known[0], false);
	areas_compare();
	areas_exit();
}

static struct pmm_vm_struct *many[MOST_AREAS];

static void put_many(struct pmm_vmlist *list, unsigned int from, unsigned int step)
{
	unsigned int i;

	for (i = from; i < MOST_AREAS; i += step) {
		pmm_vmlist_unlink(list, many[i]);
		kfree(many[i]);
	}
	assert_sound(list);
}

/*
 * 4,096 areas at once: every other one taken out, the holes filled from the lowest, and all of
 * them found.
 */
static void vmlist_4096_areas(const void *arg)
{
	struct pmm_vmlist list;
	unsigned int i;

	use_tree = arg;
	window_init(&list, START, PAGES(2 * MOST_AREAS));
	for (i = 0; i < MOST_AREAS; i++) {
		many[i] = get(&list, 1 + ktap_below(PAGE_SIZE));
		ASSERT_EQ(many[i]->addr, (void *)(START + PAGES(2 * i)));
	}
	ASSERT_ERR(get(&list, 1), -ENOSPC);
	ASSERT_EQ(list.nr_areas, MOST_AREAS);
	put_many(&list, 1, 2);
	ASSERT_ERR(get(&list, PAGE_SIZE + 1), -ENOSPC);
	for (i = 1; i < MOST_AREAS; i += 2) {
		many[i] = get(&list, PAGE_SIZE);
		ASSERT_EQ(many[i]->addr, (void *)(START + PAGES(2 * i)));
	}
	for (i = 0; i < MOST_AREAS; i++)
		pmm_vmlist_publish(&list, many[i]);
	for (i = 0; i < MOST_AREAS; i += 7)
		assert_found(&list, (void *)(START + PAGES(2 * i)), many[i]);
	put_many(&list, 0, 1);
	put_all(&list);
}

#define LINEAR(name, run)	{ name, run, NULL }
#define TREE(name, run)		{ name, run, "" }
#define RANDOM(name, ...)	{ name, vmlist_random, &(const struct size){ __VA_ARGS__ } }

const struct ktap_test vmlist_tests[] = {
	LINEAR("vmlist-first-fit", vmlist_first_fit),
	TREE("vmlist-first-fit-tree", vmlist_first_fit),
	LINEAR("vmlist-first-hole", vmlist_first_hole),
	TREE("vmlist-first-hole-tree", vmlist_first_hole),
	LINEAR("vmlist-holes-join", vmlist_holes_join),
	TREE("vmlist-holes-join-tree", vmlist_holes_join),
	LINEAR("vmlist-end", vmlist_end),
	TREE("vmlist-end-tree", vmlist_end),
	LINEAR("vmlist-tiny", vmlist_tiny),
	TREE("vmlist-tiny-tree", vmlist_tiny),
	LINEAR("vmlist-huge-sizes", vmlist_huge_sizes),
	TREE("vmlist-huge-sizes-tree", vmlist_huge_sizes),
	LINEAR("vmlist-unaligned-sizes", vmlist_unaligned_sizes),
	TREE("vmlist-unaligned-sizes-tree", vmlist_unaligned_sizes),
	LINEAR("vmlist-top", vmlist_top),
	TREE("vmlist-top-tree", vmlist_top),
	LINEAR("vmlist-record", vmlist_record),
	TREE("vmlist-record-tree", vmlist_record),
	LINEAR("vmlist-detach", vmlist_detach),
	TREE("vmlist-detach-tree", vmlist_detach),
	LINEAR("vmlist-new", vmlist_new),
	TREE("vmlist-new-tree", vmlist_new),
	LINEAR("vmlist-find", vmlist_find),
	TREE("vmlist-find-tree", vmlist_find),
	LINEAR("vmlist-no-early-reuse", vmlist_no_early_reuse),
	TREE("vmlist-no-early-reuse-tree", vmlist_no_early_reuse),
	LINEAR("vmlist-orphan", vmlist_orphan),
	TREE("vmlist-orphan-tree", vmlist_orphan),
	LINEAR("vmlist-hold", vmlist_hold),
	TREE("vmlist-hold-tree", vmlist_hold),
	LINEAR("vmlist-hold-locks", vmlist_hold_locks),
	TREE("vmlist-hold-locks-tree", vmlist_hold_locks),
	LINEAR("vmlist-pages", vmlist_pages),
	TREE("vmlist-pages-tree", vmlist_pages),
	LINEAR("vmlist-defer", vmlist_defer),
	TREE("vmlist-defer-tree", vmlist_defer),
	LINEAR("vmlist-defer-refused", vmlist_defer_refused),
	TREE("vmlist-defer-refused-tree", vmlist_defer_refused),
	LINEAR("vmlist-defer-names", vmlist_defer_names),
	TREE("vmlist-defer-names-tree", vmlist_defer_names),
	LINEAR("vmlist-defer-names-one", vmlist_defer_names_one),
	LINEAR("vmlist-freed-by", vmlist_freed_by),
	TREE("vmlist-freed-by-tree", vmlist_freed_by),
	LINEAR("vmlist-defer-void", vmlist_defer_void),
	TREE("vmlist-defer-void-tree", vmlist_defer_void),
	RANDOM("vmlist-random-64", 64, 16, 60000, 1),
	RANDOM("vmlist-random-1000", 1000, 200, 40000, 16),
	RANDOM("vmlist-random-16384", 16384, 3000, 40000, 64),
	LINEAR("vmlist-4096-areas", vmlist_4096_areas),
	TREE("vmlist-4096-areas-tree", vmlist_4096_areas),
	{ }
};

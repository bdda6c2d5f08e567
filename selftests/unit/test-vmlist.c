// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: the vm_struct list. First some windows small enough to draw, then long random runs
 * beside the oracle.
 */
#include <stdlib.h>

#include "internal.h"
#include "ktap.h"
#include "oracle/window.h"
#include "shim.h"

#define START		0xffffc90000000000UL
#define PAGES(nr)	((unsigned long)(nr) * PAGE_SIZE)

#define ASSERT_ERR(p, err)	ASSERT_EQ(PTR_ERR(p), err)

#define ASSERT_SOUND_LIST(list)							\
	do {									\
		struct pmm_verdict v_ = { };					\
										\
		if (!pmm_vmlist_verify(list, &v_) || v_.why[0])			\
			ktap_fail(__FILE__, __LINE__, "verify: %s", v_.why);	\
	} while (0)

/* Each test is run both ways: with the list alone, and with the tree when it is given anything. */
static bool use_tree;

static void window_init(struct pmm_vmlist *list, unsigned long start, unsigned long size)
{
	pmm_vmlist_init(list, start, size);
	list->search_tree = use_tree;
}

static struct pmm_vm_struct *get(struct pmm_vmlist *list, unsigned long size)
{
	return pmm_vmlist_get(list, size, PMM_VM_ALLOC, GFP_KERNEL, (void *)0xca11e4);
}

/* An area of the given number of pages, guard page not counted, at the expected place. */
static struct pmm_vm_struct *get_at(struct pmm_vmlist *list, unsigned long pages, unsigned long at)
{
	struct pmm_vm_struct *vm = get(list, PAGES(pages));

	ASSERT(!IS_ERR(vm));
	ASSERT_EQ(vm->addr, list->start + PAGES(at));
	ASSERT_EQ(vm->size, PAGES(pages + 1));
	ASSERT_EQ(pmm_area_bytes(vm), PAGES(pages));
	ASSERT_SOUND_LIST(list);
	return vm;
}

static void put(struct pmm_vmlist *list, struct pmm_vm_struct *vm)
{
	pmm_vmlist_unlink(list, vm);
	ASSERT(!vm->next);
	kfree(vm);
	ASSERT_SOUND_LIST(list);
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
	ASSERT_SOUND_LIST(&list);
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
	vm = pmm_vmlist_get(&list, 5000, PMM_VM_MAP | PMM_VM_USERMAP, GFP_ATOMIC, (void *)0xca11e4);
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

	ASSERT_EQ(pmm_vmlist_detach(list, (void *)addr, type, &got), want);
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

	ASSERT_EQ(pmm_vmlist_detach(&list, other->addr, PMM_VM_MAP | PMM_VM_ALLOC, &got),
		  PMM_DETACH_OK);
	ASSERT(got == other);
	ASSERT_EQ(pmm_area(other)->state, PMM_AREA_DYING);
	detach_refused(&list, other, addr, PMM_VM_MAP, PMM_DETACH_NONEXISTENT);		/* twice */
	detach_refused(&list, other, addr, PMM_VM_ALLOC, PMM_DETACH_NONEXISTENT);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, 0, &got), PMM_DETACH_OK);
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
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, PMM_VM_ALLOC, &got), PMM_DETACH_OK);
	put_all(&list);
}

/* pmm_vmlist_find() and pmm_vmlist_copy() are of one mind. */
static void find(struct pmm_vmlist *list, const void *addr, const struct pmm_vm_struct *want)
{
	struct pmm_vm_struct copy, untouched;

	memset(&copy, 0x5a, sizeof(copy));
	untouched = copy;
	ASSERT(pmm_vmlist_find(list, addr) == want);
	ASSERT_EQ(pmm_vmlist_copy(list, addr, &copy), !!want);
	ASSERT(!memcmp(&copy, want ? want : &untouched, sizeof(copy)));
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
	find(&list, (void *)START, NULL);
	vm = get(&list, PAGES(2));
	find(&list, vm->addr, NULL);
	pmm_vmlist_publish(&list, vm);
	find(&list, vm->addr, vm);
	vm = live(&list, PMM_VM_ALLOC | PMM_VM_USERMAP);
	find(&list, vm->addr, vm);
	find(&list, vm->addr + 1, NULL);
	find(&list, vm->addr + PAGES(1), NULL);
	find(&list, vm->addr - PAGES(1), NULL);
	find(&list, NULL, NULL);
	ASSERT(pmm_vmlist_hold(&list, vm->addr) == vm);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, 0, &got), PMM_DETACH_LATER);
	find(&list, vm->addr, NULL);		/* an orphan */
	ASSERT(pmm_vmlist_drop(&list, vm));
	find(&list, vm->addr, NULL);		/* dying */
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
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, PMM_VM_ALLOC, &got), PMM_DETACH_OK);
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
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, PMM_VM_ALLOC, &got), PMM_DETACH_LATER);
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
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, PMM_VM_ALLOC, &got), PMM_DETACH_OK);
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
	ASSERT_EQ(pmm_vmlist_detach(&list, vm[0]->addr, 0, &got), PMM_DETACH_OK);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm[1]->addr, PMM_VM_ALLOC, &got), PMM_DETACH_OK);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm[2]->addr, 0, &got), PMM_DETACH_OK);
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
	return pmm_vmlist_detach_deferred(list, (void *)(START + PAGES(page)), PMM_VM_ALLOC, got);
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
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr), PMM_DETACH_LATER);
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr), PMM_DETACH_NONEXISTENT);	/* twice */
	ASSERT_EQ(shim_nr_locked(), locked);
	ASSERT_EQ(shim_nr_allocs(), 2);
	find(&list, vm->addr, vm);
	ASSERT_EQ(deferred(&list, 0, &got), PMM_DETACH_NONE);
	ASSERT_EQ(deferred(&list, 3, &got), PMM_DETACH_OK);
	ASSERT(got == vm);
	ASSERT_EQ(deferred(&list, 3, &got), PMM_DETACH_NONE);
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr), PMM_DETACH_LATER);
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
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr + 1), PMM_DETACH_BAD_ADDRESS);
	ASSERT_EQ(pmm_vmlist_defer(&list, NULL), PMM_DETACH_NONEXISTENT);
	ASSERT_EQ(pmm_vmlist_defer(&list, (void *)(START - PAGES(1))), PMM_DETACH_NONEXISTENT);
	ASSERT_EQ(pmm_vmlist_defer(&list, (void *)(START + PAGES(16))), PMM_DETACH_NONEXISTENT);
	ASSERT_EQ(asked[0], 0);
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr), PMM_DETACH_LATER);
	ASSERT_EQ(deferred(&list, 0, &got), PMM_DETACH_WRONG_TYPE);
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr + PAGES(1)), PMM_DETACH_LATER);
	ASSERT_EQ(deferred(&list, 1, &got), PMM_DETACH_NONEXISTENT);
	ASSERT_EQ(pmm_vmlist_defer(&list, (void *)(START + PAGES(15))), PMM_DETACH_LATER);
	ASSERT_EQ(deferred(&list, 15, &got), PMM_DETACH_NONEXISTENT);
	find(&list, vm->addr, vm);
	ASSERT_EQ(asked[0], 0);
	put_all(&list);
}

/* Asked for one area, freed directly meanwhile: the next area at its address is not that one. */
static void vmlist_defer_void(const void *arg)
{
	struct pmm_vmlist list = window_that_defers();
	struct pmm_vm_struct *vm, *got;

	use_tree = arg;
	vm = live(&list, PMM_VM_ALLOC);
	ASSERT_EQ(pmm_vmlist_defer(&list, vm->addr), PMM_DETACH_LATER);
	ASSERT_EQ(pmm_vmlist_detach(&list, vm->addr, PMM_VM_ALLOC, &got), PMM_DETACH_OK);
	put(&list, vm);
	vm = live(&list, PMM_VM_ALLOC);
	ASSERT_EQ(vm->addr, START);
	ASSERT(strstr(shim_log_line(), "Trying to vfree() nonexistent vm area"));
	ASSERT_EQ(list.nr_stale, 1);
	ASSERT_EQ(deferred(&list, 0, &got), PMM_DETACH_NONE);
	find(&list, vm->addr, vm);
	put_all(&list);
}

/* --- random runs --- */

#define MOST_AREAS	4096

struct size {
	unsigned long	pages;
	unsigned int	at_least;	/* areas that the run should get to */
	unsigned int	steps;
	unsigned int	compare_every;
	bool		tree;
};

struct known {
	struct pmm_vm_struct	*vm;
	struct oracle_area	*oracle;
	unsigned long		flags;
	bool			has_pages;
};

static struct run {
	const struct size	*size;
	struct pmm_vmlist	list;
	struct oracle_window	oracle;
	struct known		areas[MOST_AREAS];	/* in no order; the first nr are there */
	unsigned int		nr;
	bool			*asked;			/* by page: a free was deferred */
	unsigned long		stale;
	unsigned int		step, peak;
	bool			filling;		/* until there is no room, then back */
	unsigned int		drain_to;
	unsigned long		refused, orphans;
} run;

static void where(void)
{
	ktap_say("step %u, %u areas", run.step, run.nr);
}

static void *page_addr(unsigned long page)
{
	return (void *)(START + PAGES(page));
}

/* --- what the oracle expects --- */

static struct pmm_vm_struct *vm_of(const struct oracle_area *area)
{
	return area ? ((const struct known *)area->data)->vm : NULL;
}

static enum pmm_detach_result expect_detach(struct oracle_area *area, unsigned long type)
{
	static const enum pmm_detach_result results[] = {
		[ORACLE_DETACH_OK] = PMM_DETACH_OK, [ORACLE_DETACH_LATER] = PMM_DETACH_LATER,
		[ORACLE_DETACH_NONEXISTENT] = PMM_DETACH_NONEXISTENT,
		[ORACLE_DETACH_WRONG_TYPE] = PMM_DETACH_WRONG_TYPE,
	};

	return results[oracle_area_detach(area, type)];
}

/* --- the list against the oracle --- */

static void compare_area(struct pmm_vm_struct *vm, const struct oracle_area *want)
{
	static const enum pmm_area_state states[] = {
		[ORACLE_AREA_NEW] = PMM_AREA_NEW, [ORACLE_AREA_LIVE] = PMM_AREA_LIVE,
		[ORACLE_AREA_DYING] = PMM_AREA_DYING,
	};

	ASSERT(vm && vm_of(want) == vm);
	ASSERT_EQ(vm->addr, page_addr(want->first));
	ASSERT_EQ(vm->size, PAGES(want->pages));
	ASSERT_EQ(vm->flags, ((const struct known *)want->data)->flags);
	ASSERT_EQ(pmm_area(vm)->state, states[want->state]);
	ASSERT_EQ(pmm_area(vm)->users, want->mappings + want->owned);
}

static void compare(void)
{
	struct pmm_vm_struct *vm = run.list.head;
	const struct oracle_area *want;

	for (want = run.oracle.head; want; want = want->next, vm = vm->next)
		compare_area(vm, want);
	ASSERT(!vm);
	ASSERT_EQ(run.oracle.nr, run.nr);
	ASSERT_EQ(run.list.nr_areas, run.nr);
	ASSERT_EQ(run.list.nr_stale, run.stale);
	ASSERT_SOUND_LIST(&run.list);
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

/* By division and in 128 bits, where the core masks and compares. */
static long expected_get(unsigned long size, unsigned long *pages, struct oracle_hole *hole)
{
	unsigned __int128 most = ((unsigned __int128)size + 4095) / 4096 + 1;

	if (!size || most * 4096 > ULONG_MAX)
		return -EINVAL;
	*pages = most;
	return oracle_window_fit(&run.oracle, *pages, 1, hole) ? 0 : -ENOSPC;
}

/* The last of the known areas takes the place of the one that goes. */
static void give_back(struct known *area)
{
	pmm_vmlist_unlink(&run.list, area->vm);
	kfree(area->vm);
	oracle_window_remove(&run.oracle, area->oracle);
	*area = run.areas[--run.nr];
	if (area != &run.areas[run.nr])
		area->oracle->data = area;
}

static void stop_filling(void)
{
	run.filling = false;
	run.drain_to = ktap_below(run.nr + 1);
}

/* Between 'no window is that large' and 'this one is not' the line is the list's to draw. */
static void get_refused(const struct pmm_vm_struct *vm, unsigned long size, long want)
{
	ASSERT(IS_ERR(vm));
	if (size < 1UL << 60)
		ASSERT_EQ(PTR_ERR(vm), want);
	run.refused++;
	if (want == -ENOSPC && size <= PAGES(3) && !ktap_below(16))
		stop_filling();
}

static void add_area(const struct known *area, unsigned long first, unsigned long pages)
{
	struct known *known = &run.areas[run.nr++];

	*known = *area;
	known->oracle = oracle_window_add(&run.oracle, first, pages);
	known->oracle->data = known;
	known->oracle->type = area->flags & ~PMM_VM_USERMAP;
	known->oracle->for_users = area->flags & PMM_VM_USERMAP;
	run.peak = max(run.peak, run.nr);
}

static void step_get(void)
{
	struct known area = { .flags = random_flags() };
	unsigned long size = random_size(), pages;
	struct oracle_hole hole;
	long want = expected_get(size, &pages, &hole);

	area.vm = pmm_vmlist_get(&run.list, size, area.flags, GFP_KERNEL, NULL);
	if (want) {
		get_refused(area.vm, size, want);
		return;
	}
	ASSERT(!IS_ERR(area.vm));
	ASSERT_EQ(area.vm->addr, page_addr(hole.at));
	ASSERT_EQ(area.vm->size, PAGES(pages));
	if (run.asked[hole.at]) {
		run.asked[hole.at] = false;
		run.stale++;
		ASSERT(*shim_log_line());
	}
	add_area(&area, hole.at, pages);
	if (pages > 64 && pages > run.size->pages / 16)
		give_back(&run.areas[run.nr - 1]);	/* it would leave too few for the others */
}

/* Mostly where an area begins, now and then any page, which may be outside the window. */
static unsigned long random_page(void)
{
	if (run.nr && ktap_below(8))
		return run.areas[ktap_below(run.nr)].oracle->first;
	return ktap_below(run.size->pages + 8);
}

static void step_detach(void)
{
	unsigned long type = ktap_below(3) ? 0 : random_flags() & ~PMM_VM_USERMAP;
	unsigned long page = random_page();
	unsigned long odd = ktap_below(16) ? 0 : 1 + ktap_below(4095);
	struct oracle_area *area = oracle_window_at(&run.oracle, page);
	enum pmm_detach_result want;
	struct pmm_vm_struct *got;

	want = odd ? PMM_DETACH_BAD_ADDRESS : expect_detach(area, type);
	ASSERT_EQ(pmm_vmlist_detach(&run.list, page_addr(page) + odd, type, &got), want);
	ASSERT(want != PMM_DETACH_OK || got == vm_of(area));
	run.orphans += want == PMM_DETACH_LATER;
}

static void step_defer(void)
{
	unsigned long page = random_page();
	enum pmm_detach_result want = PMM_DETACH_LATER;

	if (page >= run.size->pages || run.asked[page])
		want = PMM_DETACH_NONEXISTENT;
	else
		run.asked[page] = true;
	ASSERT_EQ(pmm_vmlist_defer(&run.list, page_addr(page)), want);
}

static void step_follow_up(void)
{
	unsigned long page = random_page() % run.size->pages;
	struct oracle_area *area = oracle_window_at(&run.oracle, page);
	enum pmm_detach_result want = PMM_DETACH_NONE;
	struct pmm_vm_struct *got;

	if (run.asked[page])
		want = expect_detach(area, PMM_VM_ALLOC);
	run.asked[page] = false;
	ASSERT_EQ(pmm_vmlist_detach_deferred(&run.list, page_addr(page), PMM_VM_ALLOC, &got), want);
	ASSERT(want != PMM_DETACH_OK || got == vm_of(area));
}

static void step_hold(void)
{
	unsigned long page = random_page();
	struct oracle_area *area = oracle_window_at(&run.oracle, page);

	if (!oracle_area_found(area) || !area->for_users)
		area = NULL;
	ASSERT(pmm_vmlist_hold(&run.list, page_addr(page)) == vm_of(area));
	if (area)
		area->mappings++;
}

static void step_find(void)
{
	unsigned long page = random_page();
	struct oracle_area *area = oracle_window_at(&run.oracle, page);

	find(&run.list, page_addr(page), oracle_area_found(area) ? vm_of(area) : NULL);
}

/*
 * What comes next in an area's life, if anything: map it, copy or end a user's mapping, unlink it.
 */
static void step_on(struct known *area)
{
	struct oracle_area *oracle = area->oracle;
	bool new = oracle->state == ORACLE_AREA_NEW;

	if (oracle->state == ORACLE_AREA_DYING || (new && !ktap_below(4))) {
		give_back(area);
	} else if (new && !area->has_pages && ktap_below(2)) {
		pmm_vmlist_set_pages(&run.list, area->vm, (struct page **)run.asked, 1);
		area->has_pages = true;
		oracle->owns_pages = area->flags & PMM_VM_ALLOC;
	} else if (new) {
		pmm_vmlist_publish(&run.list, area->vm);
		oracle->state = ORACLE_AREA_LIVE;
	} else if (oracle->mappings && !ktap_below(3)) {
		pmm_vmlist_hold_again(&run.list, area->vm);
		oracle->mappings++;
	} else if (oracle->mappings) {
		ASSERT_EQ(pmm_vmlist_drop(&run.list, area->vm), oracle_area_drop(oracle));
	}
}

static void random_step(void)
{
	run.filling |= run.nr <= run.drain_to;
	if (run.nr == MOST_AREAS)
		stop_filling();
	else if (ktap_below(8) < (run.filling ? 6 : 1))
		step_get();
	if (!ktap_below(3))
		step_detach();
	else if (!ktap_below(6))
		step_hold();
	else if (!ktap_below(6))
		step_find();
	else if (!ktap_below(8))
		step_defer();
	else if (!ktap_below(8))
		step_follow_up();
	else if (run.nr)
		step_on(&run.areas[ktap_below(run.nr)]);
}

static void vmlist_random(const void *arg)
{
	run.size = arg;
	use_tree = run.size->tree;
	ktap_where = where;
	run.asked = calloc(run.size->pages, sizeof(*run.asked));
	window_init(&run.list, START, PAGES(run.size->pages));
	oracle_window_init(&run.oracle, START / PAGE_SIZE, run.size->pages);
	run.list.deferred = calloc(BITS_TO_LONGS(run.size->pages), sizeof(long));
	for (run.step = 0; run.step < run.size->steps; run.step++) {
		random_step();
		if (run.step % run.size->compare_every == 0)
			compare();
	}
	compare();
	ktap_say("%u steps: %u areas at most, %lu requests refused, %lu orphans, %lu stale frees",
		 run.step, run.peak, run.refused, run.orphans, run.stale);
	ASSERT(run.refused && run.orphans && run.peak >= run.size->at_least);
	put_all(&run.list);
	free(run.list.deferred);
	free(run.asked);
	oracle_window_exit(&run.oracle);
}

static struct pmm_vm_struct *many[MOST_AREAS];

static void put_many(struct pmm_vmlist *list, unsigned int from, unsigned int step)
{
	unsigned int i;

	for (i = from; i < MOST_AREAS; i += step) {
		pmm_vmlist_unlink(list, many[i]);
		kfree(many[i]);
	}
	ASSERT_SOUND_LIST(list);
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
		ASSERT_EQ(many[i]->addr, page_addr(2 * i));
	}
	ASSERT_ERR(get(&list, 1), -ENOSPC);
	ASSERT_EQ(list.nr_areas, MOST_AREAS);
	put_many(&list, 1, 2);
	ASSERT_ERR(get(&list, PAGE_SIZE + 1), -ENOSPC);
	for (i = 1; i < MOST_AREAS; i += 2) {
		many[i] = get(&list, PAGE_SIZE);
		ASSERT_EQ(many[i]->addr, page_addr(2 * i));
	}
	for (i = 0; i < MOST_AREAS; i++)
		pmm_vmlist_publish(&list, many[i]);
	for (i = 0; i < MOST_AREAS; i += 7)
		find(&list, page_addr(2 * i), many[i]);
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
	LINEAR("vmlist-defer-void", vmlist_defer_void),
	TREE("vmlist-defer-void-tree", vmlist_defer_void),
	RANDOM("vmlist-random-64", 64, 16, 60000, 1),
	RANDOM("vmlist-random-64-tree", 64, 16, 60000, 1, true),
	RANDOM("vmlist-random-1000", 1000, 200, 40000, 16),
	RANDOM("vmlist-random-1000-tree", 1000, 200, 40000, 16, true),
	RANDOM("vmlist-random-16384", 16384, 3000, 40000, 64),
	RANDOM("vmlist-random-16384-tree", 16384, 3000, 40000, 64, true),
	LINEAR("vmlist-4096-areas", vmlist_4096_areas),
	TREE("vmlist-4096-areas-tree", vmlist_4096_areas),
	{ }
};

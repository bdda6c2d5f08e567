// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the debugfs commands that allocate and free, and the blocks and areas that they hold.
 *
 * A block or an area that a command allocates is held here under an ID, until a command frees it or
 * the module is unloaded. IDs are never reused. pmm_command_lock protects this state. Process
 * context; may sleep.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/instruction_pointer.h>
#include <linux/io.h>
#include <linux/xarray.h>

#include "host/window.h"
#include "ui/command.h"
#include "vmlist.h"

#define PMM_HERE	((const void *)_THIS_IP_)

/* A block is held as a value, its index and order; an area as a pointer, its address. */
static DEFINE_XARRAY(pmm_blocks);
static DEFINE_XARRAY(pmm_areas);
static unsigned long pmm_last_block;
static unsigned long pmm_last_area;

static void *pmm_block_entry(unsigned long index, unsigned int order)
{
	return xa_mk_value(index << 4 | order);
}

static struct page *pmm_block_page(void *entry, unsigned int *order)
{
	*order = xa_to_value(entry) & 0xf;
	return pmm_zone.mem_map + (xa_to_value(entry) >> 4);
}

/* A command freed an entry without naming its ID: find the ID and forget it. */
static void pmm_forget(struct xarray *held, const void *entry)
{
	unsigned long id;
	void *each;

	xa_for_each(held, id, each)
		if (each == entry)
			xa_erase(held, id);
}

/**
 * pmm_held_block() - look up a block that the command names
 * @args: the arguments of the command
 * @i: which of the IDs in block=
 * @page: gets the first page
 * @order: gets the order
 *
 * Context: pmm_command_lock is held.
 * Return: 0 or -ENOENT.
 */
int pmm_held_block(struct pmm_args *args, unsigned int i, struct page **page, unsigned int *order)
{
	void *entry = xa_load(&pmm_blocks, args->blocks[i]);

	if (!entry)
		return PMM_FAIL(args, -ENOENT, "no block %llu", args->blocks[i]);
	*page = pmm_block_page(entry, order);
	return 0;
}

/**
 * pmm_held_area() - look up the area that the command names
 * @args: the arguments of the command
 * @addr: gets its address
 *
 * Context: pmm_command_lock is held.
 * Return: 0 or -ENOENT.
 */
int pmm_held_area(struct pmm_args *args, void **addr)
{
	*addr = xa_load(&pmm_areas, args->value[PMM_AREA]);
	if (!*addr)
		return PMM_FAIL(args, -ENOENT, "no area %llu", args->value[PMM_AREA]);
	return 0;
}

/* --- pages ------------------------------------------------------------------------------------ */

static int pmm_alloc_one(gfp_t gfp, unsigned int order)
{
	struct page *page = pmm_alloc_pages(gfp, order);
	unsigned long index;

	if (!page)
		return -ENOMEM;
	index = pmm_page_index(&pmm_zone, page);
	if (pmm_must_fail() ||
	    xa_is_err(xa_store(&pmm_blocks, pmm_last_block + 1, pmm_block_entry(index, order),
			       GFP_KERNEL))) {
		__pmm_free_pages(page, order);
		return -ENOMEM;
	}
	pmm_last_block++;
	pmm_say(" block=%lu page=%lu", pmm_last_block, index);
	return 0;
}

/* In reverse order, so that every free list is as it was before. */
static void pmm_undo_allocs(unsigned long down_to)
{
	for (; pmm_last_block > down_to; pmm_last_block--) {
		unsigned int order;
		struct page *page = pmm_block_page(xa_erase(&pmm_blocks, pmm_last_block), &order);

		__pmm_free_pages(page, order);
	}
}

int pmm_cmd_alloc(struct pmm_args *args)
{
	u64 order = args->value[PMM_ORDER], count = 1, done;
	gfp_t gfp = args->gfp | (pmm_given(args, PMM_ZERO) ? __GFP_ZERO : 0);
	unsigned long before = pmm_last_block;

	if (pmm_given(args, PMM_COUNT))
		count = args->value[PMM_COUNT];
	if (order >= PMM_MAX_ORDER)
		return PMM_FAIL(args, -EINVAL, "order %llu is not in 0-%d", order,
				PMM_MAX_ORDER - 1);
	if (!count || count > pmm_zone.nr_pages)
		return PMM_FAIL(args, -EINVAL, "count %llu is not in 1-%lu", count,
				pmm_zone.nr_pages);
	for (done = 0; done < count; done++) {
		if (pmm_alloc_one(gfp, order)) {
			pmm_undo_allocs(before);
			return PMM_FAIL(args, -ENOMEM,
					"%llu of %llu blocks available, all given back", done,
					count);
		}
		cond_resched();
	}
	return 0;
}

static int pmm_reply_free(struct pmm_args *args, enum pmm_free_result result)
{
	if (pmm_free_errno(result))
		return PMM_FAIL(args, pmm_free_errno(result), "%s", pmm_free_why(result));
	if (result == PMM_FREE_PARKED)
		pmm_say(" parked=1");
	else if (result == PMM_FREE_QUARANTINED)
		pmm_say(" quarantined=1");
	return 0;
}

int pmm_cmd_free_block(struct pmm_args *args)
{
	unsigned int order;
	struct page *page;
	int err;

	if (args->nr_blocks != 1)
		return PMM_FAIL(args, -EINVAL, "one block at a time");
	err = pmm_held_block(args, 0, &page, &order);
	if (err)
		return err;
	err = pmm_reply_free(args, pmm_free_pages_caller(page, order, PMM_USED, _THIS_IP_));
	if (!err)
		xa_erase(&pmm_blocks, args->blocks[0]);
	return err;
}

/* Index and order go to the free path unchecked, so that users can try misuse. */
int pmm_cmd_free_page(struct pmm_args *args)
{
	unsigned long index = args->value[PMM_PAGE];
	unsigned int order = args->value[PMM_ORDER];
	int err;

	err = pmm_reply_free(args, pmm_free_pages_caller(pmm_zone.mem_map + index, order, PMM_USED,
							 _THIS_IP_));
	if (!err)
		pmm_forget(&pmm_blocks, pmm_block_entry(index, order));
	return err;
}

/* --- areas ------------------------------------------------------------------------------------ */

/*
 * Hold a new area under an ID, and say where it is. @offset is the offset in the area of the first
 * byte that the user asked for.
 */
static int pmm_hold_area(struct pmm_args *args, void *addr, unsigned long type,
			 unsigned long offset)
{
	struct pmm_vm_struct vm = { .size = PAGE_SIZE };

	pmm_vmlist_copy(&pmm_vmlist, addr, &vm);
	if (pmm_must_fail() ||
	    xa_is_err(xa_store(&pmm_areas, pmm_last_area + 1, addr, GFP_KERNEL))) {
		pmm_take_down(addr, type, PMM_HERE);
		return PMM_FAIL(args, -ENOMEM, "no memory to remember the area");
	}
	pmm_last_area++;
	pmm_say(" area=%lu offset=%lu size=%lu pages=%lu", pmm_last_area,
		(unsigned long)addr - pmm_window_start() + offset, pmm_area_bytes(&vm),
		pmm_area_bytes(&vm) >> PAGE_SHIFT);
	return 0;
}

int pmm_fail_area(struct pmm_args *args, int err)
{
	switch (err) {
	case -EINVAL:
		return PMM_FAIL(args, err,
				"size is 0 or beyond the pool, or the address is out of reach");
	case -EPERM:
		return PMM_FAIL(args, err, "RAM is not mapped");
	case -EBUSY:
		return PMM_FAIL(args, -EPERM, "a driver or the kernel has claimed it: /proc/iomem");
	case -ENOSPC:
		return PMM_FAIL(args, err, "no hole in the window is large enough");
	case -ENXIO:
		return PMM_FAIL(args, err, "the window is lost: the kernel log has more");
	default:
		return PMM_FAIL(args, err, "not enough memory, %lu pages free",
				pmm_nr_free_pages());
	}
}

int pmm_cmd_vmalloc(struct pmm_args *args)
{
	bool user = pmm_given(args, PMM_USER), zero = user || pmm_given(args, PMM_ZERO);
	void *addr = pmm_vmalloc_caller(args->value[PMM_SIZE], GFP_KERNEL | (zero ? __GFP_ZERO : 0),
				     PAGE_KERNEL, user ? PMM_VM_USERMAP : 0, PMM_HERE);

	if (IS_ERR(addr))
		return pmm_fail_area(args, PTR_ERR(addr));
	return pmm_hold_area(args, addr, PMM_VM_ALLOC, 0);
}

/* All pages of the blocks that the command names, in this order. The caller frees the array. */
static struct page **pmm_collect_pages(struct pmm_args *args, unsigned int *count)
{
	unsigned int i, order;
	struct page **pages, *page;
	unsigned long j;

	pages = pmm_may_fail(kvmalloc_array(args->nr_blocks, PMM_MAX_ORDER_PAGES * sizeof(*pages),
					    GFP_KERNEL));
	if (!pages)
		return ERR_PTR(PMM_FAIL(args, -ENOMEM, "no memory for the list of pages"));
	*count = 0;
	for (i = 0; i < args->nr_blocks; i++) {
		int err = pmm_held_block(args, i, &page, &order);

		if (err) {
			kvfree(pages);
			return ERR_PTR(err);
		}
		for (j = 0; j < 1UL << order; j++)
			pages[(*count)++] = page + j;
	}
	return pages;
}

int pmm_cmd_vmap(struct pmm_args *args)
{
	unsigned int count;
	struct page **pages = pmm_collect_pages(args, &count);
	void *addr;

	if (IS_ERR(pages))
		return PTR_ERR(pages);
	addr = pmm_vmap_caller(pages, count, PMM_VM_MAP, PAGE_KERNEL, PMM_HERE);
	kvfree(pages);
	if (IS_ERR(addr) && PTR_ERR(addr) == -EINVAL)
		return PMM_FAIL(args, -EINVAL, "a block was freed by somebody else");
	if (IS_ERR(addr))
		return pmm_fail_area(args, PTR_ERR(addr));
	return pmm_hold_area(args, addr, PMM_VM_MAP, 0);
}

int pmm_cmd_ioremap(struct pmm_args *args)
{
	u64 phys = args->value[PMM_PHYS];
	void *addr = (__force void *)pmm_ioremap_unclaimed(phys, args->value[PMM_SIZE], PMM_HERE);
	unsigned long offset = offset_in_page(phys);

	if (IS_ERR(addr))
		return pmm_fail_area(args, PTR_ERR(addr));
	return pmm_hold_area(args, addr - offset, PMM_VM_IOREMAP, offset);
}

static int pmm_free_area(struct pmm_args *args, const void *addr, unsigned long type)
{
	enum pmm_detach_result result = pmm_take_down(addr, type, PMM_HERE);

	if (pmm_detach_errno(result))
		return PMM_FAIL(args, pmm_detach_errno(result), "%s", pmm_detach_why(result));
	if (result == PMM_DETACH_LATER)
		pmm_say(" deferred=1");
	return 0;
}

static int pmm_free_held_area(struct pmm_args *args, unsigned long type)
{
	void *addr;
	int err = pmm_held_area(args, &addr) ?: pmm_free_area(args, addr, type);

	if (!err)
		xa_erase(&pmm_areas, args->value[PMM_AREA]);
	return err;
}

int pmm_cmd_vfree(struct pmm_args *args)
{
	return pmm_free_held_area(args, PMM_VM_ALLOC);
}

int pmm_cmd_vfree_offset(struct pmm_args *args)
{
	void *addr = (void *)(pmm_window_start() + args->value[PMM_OFFSET]);
	int err = pmm_free_area(args, addr, PMM_VM_ALLOC);

	if (!err)
		pmm_forget(&pmm_areas, addr);
	return err;
}

int pmm_cmd_vunmap(struct pmm_args *args)
{
	return pmm_free_held_area(args, PMM_VM_MAP);
}

int pmm_cmd_iounmap(struct pmm_args *args)
{
	return pmm_free_held_area(args, PMM_VM_IOREMAP);
}

/* --- everything at once ----------------------------------------------------------------------- */

/* Areas are freed first, so that no block is still mapped when it is freed. */
static void pmm_release_all(unsigned long *nr_areas, unsigned long *nr_blocks)
{
	unsigned long id;
	void *entry;

	*nr_areas = 0;
	*nr_blocks = 0;
	xa_for_each(&pmm_areas, id, entry) {
		struct pmm_vm_struct vm;

		if (pmm_vmlist_copy(&pmm_vmlist, entry, &vm))
			pmm_take_down(entry,
				      vm.flags & (PMM_VM_ALLOC | PMM_VM_MAP | PMM_VM_IOREMAP),
				      PMM_HERE);
		xa_erase(&pmm_areas, id);
		++*nr_areas;
		cond_resched();
	}
	xa_for_each(&pmm_blocks, id, entry) {
		unsigned int order;
		struct page *page = pmm_block_page(entry, &order);

		__pmm_free_pages(page, order);
		xa_erase(&pmm_blocks, id);
		++*nr_blocks;
		cond_resched();
	}
}

int pmm_cmd_reset(struct pmm_args *args)
{
	unsigned long nr_areas, nr_blocks;

	pmm_release_all(&nr_areas, &nr_blocks);
	pmm_say(" blocks=%lu areas=%lu", nr_blocks, nr_areas);
	return 0;
}

/**
 * pmm_held_exit() - free what commands still hold
 *
 * Context: Process context; commands can no longer be written.
 */
void pmm_held_exit(void)
{
	unsigned long nr_areas, nr_blocks;

	pmm_release_all(&nr_areas, &nr_blocks);
	if (nr_areas || nr_blocks)
		pr_info("freed %lu blocks and %lu areas that commands still held\n", nr_blocks,
			nr_areas);
	xa_destroy(&pmm_areas);
	xa_destroy(&pmm_blocks);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the debugfs commands for the contents of held blocks and areas: pages, fill and check.
 *
 * `fill` writes a pattern that depends on a seed. `check` fails with -EIO at the first byte that
 * differs from it. No state; pmm_command_lock is held. Process context; may sleep.
 */
#include "host/window.h"
#include "ui/command.h"
#include "vmlist.h"

/*
 * Copy the record of a held area, which another user of the module may have freed. An area of a
 * device is refused, because it is not memory.
 */
static int pmm_memory_area(struct pmm_args *args, struct pmm_vm_struct *vm)
{
	void *addr;
	int err = pmm_held_area(args, &addr);

	if (err)
		return err;
	if (!pmm_vmlist_copy(&pmm_vmlist, addr, vm))
		return PMM_FAIL(args, -ENOENT, "area %llu was freed by somebody else",
				args->value[PMM_AREA]);
	if (vm->flags & PMM_VM_IOREMAP)
		return PMM_FAIL(args, -EINVAL, "area %llu is a device", args->value[PMM_AREA]);
	return 0;
}

int pmm_cmd_pages(struct pmm_args *args)
{
	struct pmm_vm_struct vm;
	unsigned int i;
	int err = pmm_memory_area(args, &vm);

	for (i = 0; !err && i < vm.nr_pages; i++) {
		struct page *page = pmm_vmalloc_to_page(vm.addr + (i << PAGE_SHIFT));

		if (!page)
			return PMM_FAIL(args, -ENOENT, "the area was freed by somebody else");
		pmm_say("%s%lu", i ? "," : " pages=", pmm_page_index(&pmm_zone, page));
		cond_resched();
	}
	return err;
}

/* --- patterns --------------------------------------------------------------------------------- */

/* Each word of the pattern mixes the seed with its place, so that no two pages look alike. */
static u64 pmm_pattern(u64 seed, u64 place)
{
	u64 x = seed + (place + 1) * 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

static void pmm_make_pattern(u64 *page, u64 seed, unsigned long page_nr)
{
	unsigned int i, words = PAGE_SIZE / sizeof(*page);

	for (i = 0; i < words; i++)
		page[i] = pmm_pattern(seed, page_nr * words + i);
}

/* An area is accessed at its address in the window, a block through the kernel's direct map. */
struct pmm_span {
	char		*addr;
	unsigned long	bytes;
	bool		in_window;
};

static int pmm_find_span(struct pmm_args *args, struct pmm_span *span)
{
	struct pmm_vm_struct vm;
	unsigned int order;
	struct page *page;
	int err;

	span->in_window = pmm_given(args, PMM_AREA);
	if (span->in_window) {
		err = pmm_memory_area(args, &vm);
		if (err)
			return err;
		span->addr = vm.addr;
		span->bytes = pmm_area_bytes(&vm) - pmm_area_slack(&vm);
		return 0;
	}
	if (args->nr_blocks != 1)
		return PMM_FAIL(args, -EINVAL, "one block at a time");
	err = pmm_held_block(args, 0, &page, &order);
	if (err)
		return err;
	span->addr = page_address(page);
	span->bytes = PAGE_SIZE << order;
	return 0;
}

static int pmm_compare_page(struct pmm_args *args, const u8 *is, const u8 *should_be,
			    unsigned long page_nr, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		if (is[i] != should_be[i])
			return PMM_FAIL(args, -EIO, "byte %lu is %#x, not %#x",
					(page_nr << PAGE_SHIFT) + i, is[i], should_be[i]);
	return 0;
}

static int pmm_fail_copy(struct pmm_args *args, long got)
{
	return got < 0 ? pmm_fail_area(args, got) : 0;
}

static int pmm_walk_span(struct pmm_args *args, bool write)
{
	char *pattern = pmm_may_fail((char *)__get_free_page(GFP_KERNEL));
	char *found = pmm_may_fail((char *)__get_free_page(GFP_KERNEL));
	struct pmm_span span = { };
	unsigned long i;
	int err = -ENOMEM;

	if (pattern && found)
		err = pmm_find_span(args, &span);
	for (i = 0; !err && i < PFN_UP(span.bytes); i++) {
		char *addr = span.addr + (i << PAGE_SHIFT);
		unsigned int len = min(PAGE_SIZE, span.bytes - (i << PAGE_SHIFT));

		pmm_make_pattern((u64 *)pattern, args->value[PMM_SEED], i);
		if (write && span.in_window) {
			err = pmm_fail_copy(args, pmm_vwrite(pattern, addr, len));
		} else if (write) {
			memcpy(addr, pattern, len);
		} else if (span.in_window) {
			err = pmm_fail_copy(args, pmm_vread(found, addr, len)) ?:
			      pmm_compare_page(args, found, pattern, i, len);
		} else {
			err = pmm_compare_page(args, addr, pattern, i, len);
		}
		cond_resched();
	}
	free_page((unsigned long)found);
	free_page((unsigned long)pattern);
	return err;
}

int pmm_cmd_fill(struct pmm_args *args)
{
	return pmm_walk_span(args, true);
}

int pmm_cmd_check(struct pmm_args *args)
{
	return pmm_walk_span(args, false);
}

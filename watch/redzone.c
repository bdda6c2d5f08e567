// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: redzone=1. The bytes between the end of a vmalloc() and the end of its last page get a
 * pattern, which is checked when the area is freed. The kernel's vmalloc() has no such check; the
 * model is SLUB's.
 *
 * The area's flags keep the number of these bytes (PMM_VM_SLACK_SHIFT), so that an area without any
 * costs one test. It owns the count of broken patterns. Process context; only the caller uses the
 * area.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kallsyms.h>
#include <linux/poison.h>

#include "internal.h"

bool pmm_redzone;

static atomic_long_t pmm_nr_redzone;	/* areas that were written to past their last byte */

static char *pmm_redzone_start(const struct pmm_vm_struct *vm)
{
	return (char *)page_address(vm->pages[vm->nr_pages - 1]) + PAGE_SIZE - pmm_area_slack(vm);
}

/**
 * pmm_redzone_paint() - put the pattern after the last byte of a new area
 * @vm: the area, with its pages
 * @size: bytes that its owner asked for
 *
 * An area that a user process may map gets none: the process may write to the whole last page.
 *
 * Context: Process context; nobody else uses the area yet.
 */
void pmm_redzone_paint(struct pmm_vm_struct *vm, unsigned long size)
{
	unsigned long slack = PAGE_ALIGN(size) - size;

	if (vm->flags & PMM_VM_USERMAP || !slack)
		return;
	WRITE_ONCE(vm->flags, vm->flags | slack << PMM_VM_SLACK_SHIFT);
	memset(pmm_redzone_start(vm), SLUB_RED_ACTIVE, slack);
}

/**
 * pmm_redzone_check() - report an area whose pattern is broken
 * @vm: the area: it has a pattern, and is being freed
 * @caller: the address that freed it, for the report
 *
 * Context: Process context; the area is no longer in use elsewhere.
 */
void pmm_redzone_check(const struct pmm_vm_struct *vm, const void *caller)
{
	const char *start = pmm_redzone_start(vm);
	const u8 *at = memchr_inv(start, SLUB_RED_ACTIVE, pmm_area_slack(vm));
	unsigned long size = ((unsigned long)vm->nr_pages << PAGE_SHIFT) - pmm_area_slack(vm);
	char name[KSYM_SYMBOL_LEN];

	if (likely(!at))
		return;
	atomic_long_inc(&pmm_nr_redzone);
	pmm_name_code((unsigned long)vm->caller, name, sizeof(name));
	pr_err_ratelimited("redzone: a vmalloc of %lu bytes was written to past its end: byte %lu is %#x, not %#x; allocated by %s, freed by %pS\n",
			   size, size + ((const char *)at - start), *at, SLUB_RED_ACTIVE,
			   name, caller);
}

/**
 * pmm_redzone_errors() - count the areas that were written to past their last byte
 *
 * Context: Any.
 * Return: How many were found since load.
 */
long pmm_redzone_errors(void)
{
	return atomic_long_read(&pmm_nr_redzone);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: refusals. A free of an area that does not exist, or of the wrong kind, changes nothing:
 * it is counted, told to the tracepoints, and reported in 2.4's words at a limited rate.
 *
 * It owns the count of refusals. Any context, no locks.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "internal.h"

static atomic64_t pmm_refused;	/* frees of areas that were refused */

static const struct {
	int		err;
	const char	*why;
} pmm_detach_results[PMM_NR_DETACH_RESULTS] = {
	[PMM_DETACH_OK]		 = { 0,		"freed" },
	[PMM_DETACH_LATER]	 = { 0,		"freed when its last user mapping goes" },
	[PMM_DETACH_NONE]	 = { 0,		"nothing to be freed" },
	[PMM_DETACH_BAD_ADDRESS] = { -EINVAL,	"bad address" },
	[PMM_DETACH_NONEXISTENT] = { -ENOENT,	"nonexistent vm area" },
	[PMM_DETACH_WRONG_TYPE]	 = { -EINVAL,	"vm area of another kind" },
};

/**
 * pmm_detach_why() - put the result of a free into words
 * @result: the result
 *
 * Context: Any.
 * Return: The words.
 */
const char *pmm_detach_why(enum pmm_detach_result result)
{
	return pmm_detach_results[result].why;
}

/**
 * pmm_detach_errno() - turn the result of a free into an error
 * @result: the result
 *
 * Context: Any.
 * Return: 0 unless the free was refused.
 */
int pmm_detach_errno(enum pmm_detach_result result)
{
	return pmm_detach_results[result].err;
}

/**
 * pmm_vmalloc_refused() - count the frees of areas that were refused
 *
 * Context: Any.
 * Return: How many, deferred frees that became void included.
 */
u64 pmm_vmalloc_refused(void)
{
	return atomic64_read(&pmm_refused) + READ_ONCE(pmm_vmlist.nr_stale);
}

static const char *pmm_free_call(unsigned long type)
{
	switch (type) {
	case PMM_VM_ALLOC:
		return "vfree";
	case PMM_VM_MAP:
		return "vunmap";
	case PMM_VM_IOREMAP:
		return "iounmap";
	case PMM_VM_RAM:
		return "vm_unmap_ram";
	default:
		return "remove_vm_area";
	}
}

/**
 * pmm_refuse() - count and report the refusal of a free
 * @result: why it is refused
 * @addr: the address that was to be freed
 * @type: the call that was to free it: PMM_VM_*, or 0 for remove_vm_area()
 * @caller: its caller
 *
 * Context: Any.
 */
void pmm_refuse(enum pmm_detach_result result, const void *addr, unsigned long type,
		const void *caller)
{
	atomic64_inc(&pmm_refused);
	pmm_tell_area_misuse(&pmm_vmlist, addr, result, (unsigned long)caller);
	pr_err_ratelimited("Trying to %s() %s (%p), by %pS\n", pmm_free_call(type),
			   pmm_detach_why(result), addr, caller);
}

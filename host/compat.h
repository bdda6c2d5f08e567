/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the only place that checks the kernel's version. Code elsewhere uses the newest
 * spelling; here it is made to work on Linux 6.1.
 */
#ifndef POCKETMM_COMPAT_H
#define POCKETMM_COMPAT_H

#include <linux/mm.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* PREEMPT_RT's locks tell sparse nothing, so code that returns with one held must not either. */
#if defined(CONFIG_PREEMPT_RT) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#undef __acquires
#define __acquires(...)
#undef __releases
#define __releases(...)
#endif

#endif /* POCKETMM_COMPAT_H */

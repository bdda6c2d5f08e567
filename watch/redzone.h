/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: redzone=1, a pattern after the last byte of each area of vmalloc().
 */
#ifndef POCKETMM_REDZONE_H
#define POCKETMM_REDZONE_H

#include <linux/types.h>

struct pmm_vm_struct;

extern bool pmm_redzone;	/* the switch; constant while loaded */

void pmm_redzone_paint(struct pmm_vm_struct *vm, unsigned long size);
void pmm_redzone_check(const struct pmm_vm_struct *vm, const void *caller);
long pmm_redzone_errors(void);

#endif /* POCKETMM_REDZONE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/poison.h>. */
#ifndef UNIT_LINUX_POISON_H
#define UNIT_LINUX_POISON_H

#define PAGE_POISON	0xaa

#endif /* UNIT_LINUX_POISON_H */

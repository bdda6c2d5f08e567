/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/module.h>. */
#ifndef FUZZ_LINUX_MODULE_H
#define FUZZ_LINUX_MODULE_H

#define THIS_MODULE	NULL

#endif /* FUZZ_LINUX_MODULE_H */

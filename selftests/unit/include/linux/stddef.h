/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/stddef.h>. */
#ifndef UNIT_LINUX_STDDEF_H
#define UNIT_LINUX_STDDEF_H

#include_next <linux/stddef.h>
#include <stddef.h>

#endif /* UNIT_LINUX_STDDEF_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/export.h>: everybody sees everything. */
#ifndef UNIT_LINUX_EXPORT_H
#define UNIT_LINUX_EXPORT_H

#define EXPORT_SYMBOL(symbol)
#define EXPORT_SYMBOL_GPL(symbol)

#endif /* UNIT_LINUX_EXPORT_H */

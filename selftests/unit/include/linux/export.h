/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/export.h>: everybody sees everything, see the Makefile. */
#ifndef UNIT_LINUX_EXPORT_H
#define UNIT_LINUX_EXPORT_H

#endif /* UNIT_LINUX_EXPORT_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/io.h>. */
#ifndef FUZZ_LINUX_IO_H
#define FUZZ_LINUX_IO_H

#define __force

#endif /* FUZZ_LINUX_IO_H */

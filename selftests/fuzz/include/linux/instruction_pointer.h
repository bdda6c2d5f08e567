/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/instruction_pointer.h>. */
#ifndef FUZZ_LINUX_INSTRUCTION_POINTER_H
#define FUZZ_LINUX_INSTRUCTION_POINTER_H

#define _THIS_IP_	0xca11e4UL

#endif /* FUZZ_LINUX_INSTRUCTION_POINTER_H */

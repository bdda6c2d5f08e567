/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for <linux/printk.h>: messages are kept for the test to read; %pS prints the address
 * and an S, and %pGg the flags that its argument points to, in hexadecimal.
 */
#ifndef UNIT_LINUX_PRINTK_H
#define UNIT_LINUX_PRINTK_H

#include "shim.h"

#ifndef pr_fmt
#define pr_fmt(fmt) fmt
#endif

#define pr_err_ratelimited(fmt, ...)	shim_printk(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn_ratelimited(fmt, ...)	shim_printk(pr_fmt(fmt), ##__VA_ARGS__)

#endif /* UNIT_LINUX_PRINTK_H */

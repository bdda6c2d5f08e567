/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/preempt.h>, and for <linux/irqflags.h>. */
#ifndef UNIT_LINUX_PREEMPT_H
#define UNIT_LINUX_PREEMPT_H

#include "shim.h"

#define preempt_disable()	shim_preempt_disable()
#define preempt_enable()	shim_preempt_enable()
#define in_interrupt()		shim_in_interrupt()
#define irqs_disabled()		shim_irqs_off()
#define cpu_relax()		shim_point(SHIM_RELAX)

#endif /* UNIT_LINUX_PREEMPT_H */

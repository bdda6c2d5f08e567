/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-in for <linux/percpu.h>: what alloc_percpu() returns is no address, and each CPU's part is
 * an object of its own, so that ASan sees a step from one into the next.
 */
#ifndef UNIT_LINUX_PERCPU_H
#define UNIT_LINUX_PERCPU_H

#include <linux/types.h>

#include "shim.h"

#define alloc_percpu(type)	({ (type *)shim_alloc_percpu(sizeof(type)); })
#define free_percpu(p)		shim_free_percpu(p)
#define per_cpu_ptr(p, cpu)	((__typeof__(p))shim_per_cpu(p, cpu))
#define this_cpu_ptr(p)		((__typeof__(p))shim_this_cpu(p))

#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < SHIM_NR_CPUS; (cpu)++)

#endif /* UNIT_LINUX_PERCPU_H */

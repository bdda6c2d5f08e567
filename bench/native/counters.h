/* SPDX-License-Identifier: GPL-2.0-only */
/* Native: cache misses of the calling thread, where the machine and its owner let us count them. */
#ifndef NATIVE_COUNTERS_H
#define NATIVE_COUNTERS_H

void counters_open(void);	/* for the calling thread */
long counters_misses(void);	/* since then; -1 where they are not counted */

#endif /* NATIVE_COUNTERS_H */

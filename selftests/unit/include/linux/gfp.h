/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/gfp.h>: the flags that the core looks at, with values of our own. */
#ifndef UNIT_LINUX_GFP_H
#define UNIT_LINUX_GFP_H

#include <linux/types.h>

#define __GFP_HIGH		0x01u
#define __GFP_MEMALLOC		0x02u
#define __GFP_NOMEMALLOC	0x04u
#define __GFP_NOWARN		0x08u
#define __GFP_RECLAIM		0x10u
#define __GFP_ZERO		0x20u

/* They change nothing. */
#define __GFP_IO		0x100u
#define __GFP_FS		0x200u
#define __GFP_NORETRY		0x400u
#define __GFP_RETRY_MAYFAIL	0x800u
#define __GFP_NOLOCKDEP		0x1000u
#define __GFP_HIGHMEM		0x2000u
#define __GFP_MOVABLE		0x4000u
#define __GFP_RECLAIMABLE	0x8000u
#define __GFP_WRITE		0x10000u

#define GFP_KERNEL		__GFP_RECLAIM
#define GFP_ATOMIC		__GFP_HIGH
#define GFP_NOWAIT		0u

#endif /* UNIT_LINUX_GFP_H */

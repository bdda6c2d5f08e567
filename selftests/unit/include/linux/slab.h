/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/slab.h>: counted, and made to fail on demand. */
#ifndef UNIT_LINUX_SLAB_H
#define UNIT_LINUX_SLAB_H

#include <linux/gfp.h>

#include "shim.h"

#define kmalloc(size, gfp)		shim_malloc(SHIM_SLAB, size, gfp)
#define kzalloc(size, gfp)		shim_zalloc(SHIM_SLAB, 1, size, gfp)
#define kvzalloc(size, gfp)		shim_zalloc(SHIM_KV, 1, size, gfp)
#define kvcalloc(nr, size, gfp)		shim_zalloc(SHIM_KV, nr, size, gfp)
#define kfree(p)			shim_free(SHIM_SLAB, p)
#define kvfree(p)			shim_free(SHIM_KV, p)

#endif /* UNIT_LINUX_SLAB_H */

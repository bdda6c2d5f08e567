/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm's benchmarks: one name for each peer whose calls differ from kernel to kernel.
 *
 * The buddy allocator of the graphics drivers is drm_buddy.ko in Linux 6.1 and part of the kernel,
 * under another name, in Debian's kernels since 6.12; the cloud flavours have neither.
 */
#ifndef PMM_BENCH_PEERS_H
#define PMM_BENCH_PEERS_H

#if IS_ENABLED(CONFIG_GPU_BUDDY)
#include <linux/gpu_buddy.h>

#define BENCH_GPU_BUDDY

static inline void bench_gpu_free(struct gpu_buddy *mm, struct list_head *blocks)
{
	gpu_buddy_free_list(mm, blocks, 0);
}

#elif IS_ENABLED(CONFIG_DRM_BUDDY)
#include <drm/drm_buddy.h>

#define BENCH_GPU_BUDDY
#define gpu_buddy		drm_buddy
#define gpu_buddy_init		drm_buddy_init
#define gpu_buddy_fini		drm_buddy_fini
#define gpu_buddy_alloc_blocks	drm_buddy_alloc_blocks

static inline void bench_gpu_free(struct drm_buddy *mm, struct list_head *blocks)
{
	drm_buddy_free_list(mm, blocks);
}
#endif

#endif /* PMM_BENCH_PEERS_H */

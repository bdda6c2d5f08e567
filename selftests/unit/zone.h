/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unit tier: a zone to test with, ways to look at it that owe nothing to the core's own, and ways
 * to put it back.
 */
#ifndef UNIT_ZONE_H
#define UNIT_ZONE_H

#include "internal.h"
#include "ktap.h"
#include "oracle/buddy.h"
#include "shim.h"

#define CALLER		0xca11e4UL
#define NO_PAGE		ULONG_MAX	/* what arena_alloc() says when there is none */

/* A zone and pages of its own, allocated to the byte, so that ASan sees a step beyond them. */
struct arena {
	struct pmm_zone	zone;
	struct page	*pages;
};

struct setup {
	unsigned long		nr_pages;
	enum pmm_expand		expand;
	enum pmm_placement	placement;
	unsigned long		pages_min;
	struct pmm_debug	*debug;
};

void arena_init(struct arena *arena, unsigned long nr_pages, enum pmm_expand expand,
		unsigned long pages_min);
void arena_init_as(struct arena *arena, const struct setup *setup);
void arena_exit(struct arena *arena);

/*
 * The zone of page_alloc.c, pmm_zone, with its pages in the direct map. What it is left with on
 * per-CPU lists is brought home at the end.
 */
void pool_init(const struct setup *setup, bool pcp);
void pool_exit(void);

/* Page indices in place of struct page, GFP_KERNEL, PMM_USED; a failure is not reported. */
unsigned long arena_alloc(struct arena *arena, unsigned int order);
enum pmm_free_result arena_free(struct arena *arena, unsigned long index, unsigned int order);

/* How long a free list is; and that the core counts as many, which it does by the pair bits. */
extern unsigned long zone_reap_requests;	/* calls of pmm_reap_later() */

unsigned long zone_nr_free(const struct pmm_zone *zone, unsigned int order);
void assert_counts(struct pmm_zone *zone);

/*
 * That what is free, by page, is on the free lists in as few and as large blocks as can be. It is
 * worked out from the definition: a block is free when all its pages are.
 */
void assert_free_blocks(const struct pmm_zone *zone, const bool *is_free);

/* That the free lists hold the oracle's free blocks, in whatever order. */
void assert_oracle_blocks(const struct pmm_zone *zone, const struct oracle_buddy *oracle);

/* State bytes up to the end of the last largest block. */
static inline unsigned long zone_nr_states(const struct pmm_zone *zone)
{
	return ALIGN(zone->nr_pages, PMM_MAX_ORDER_PAGES);
}

/* Fails the test with what pmm_zone_verify() says. */
#define ASSERT_SOUND(zone)						\
	do {								\
		struct pmm_verdict v_ = { };				\
									\
		if (!pmm_zone_verify(zone, &v_) || v_.why[0])		\
			ktap_fail(__FILE__, __LINE__, "verify: %s", v_.why);	\
	} while (0)

/*
 * All that the allocator decides from and that its users can see, as text: a line for each order,
 * with the free list head first and the numbers of the pairs whose bit is 1, and a line of counts.
 * The buffer is the caller's.
 *
 *	0: 510 / 255
 */
char *zone_text(const struct pmm_zone *zone);
void zone_text_order(const struct pmm_zone *zone, unsigned int order, FILE *out);

/* The bytes themselves: the zone, its maps, state bytes and pages. */
struct image {
	struct pmm_zone	zone;
	struct page	*pages;
	u8		*state;
	unsigned long	*maps;
	unsigned long	longs[PMM_MAX_ORDER - 1];	/* of each map */
};

void image_init(struct image *image, const struct pmm_zone *zone);
void image_exit(struct image *image);
void image_save(struct image *image, const struct pmm_zone *zone);
void image_restore(const struct image *image, struct pmm_zone *zone);

/* Whether nothing has changed but the counters in stat. */
bool image_same(const struct image *image, const struct pmm_zone *zone);

#endif /* UNIT_ZONE_H */

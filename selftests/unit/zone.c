// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: a zone to test with, see zone.h.
 */
#include <stdlib.h>

#include "host/gfp.h"
#include "zone.h"

unsigned long zone_reap_requests;

/* The kernel would look after the zone's parked blocks in a second. */
void pmm_reap_later(struct pmm_zone *zone)
{
	ASSERT(zone->nr_parked);
	zone_reap_requests++;
}

static struct page *make_pages(unsigned long nr_pages)
{
	struct page *pages = calloc(nr_pages, sizeof(*pages));
	unsigned long i;

	for (i = 0; i < nr_pages; i++)
		set_page_count(&pages[i], PMM_PAGE_REFS);
	for (i = 0; i < nr_pages; i++)
		pages[i].flags.f = PMM_PAGE_MARK;
	return pages;
}

static void zone_init(struct pmm_zone *zone, const struct setup *setup, struct page *pages)
{
	*zone = (struct pmm_zone) {
		.expand = setup->expand, .placement = pmm_placements[setup->placement],
		.pages_min = setup->pages_min, .name = "Pocket", .debug = setup->debug,
	};
	ASSERT_EQ(pmm_zone_init(zone, pages, setup->nr_pages), 0);
}

void arena_init_as(struct arena *arena, const struct setup *setup)
{
	arena->pages = make_pages(setup->nr_pages);
	zone_init(&arena->zone, setup, arena->pages);
}

void arena_init(struct arena *arena, unsigned long nr_pages, enum pmm_expand expand,
		unsigned long pages_min)
{
	arena_init_as(arena, &(const struct setup) {
		.nr_pages = nr_pages, .expand = expand, .pages_min = pages_min,
	});
}

void arena_exit(struct arena *arena)
{
	pmm_zone_destroy(&arena->zone);
	free(arena->pages);
}

void pool_init(const struct setup *setup, bool pcp)
{
	shim_direct_map = make_pages(setup->nr_pages);
	shim_direct_map_pages = setup->nr_pages;
	zone_init(&pmm_zone, setup, shim_direct_map);
	ASSERT_EQ(pmm_page_alloc_init(pcp), 0);
}

void pool_exit(void)
{
	pmm_page_alloc_exit();
	ASSERT_SOUND(&pmm_zone);
	pmm_zone_destroy(&pmm_zone);
	free(shim_direct_map);
}

unsigned long arena_alloc(struct arena *arena, unsigned int order)
{
	struct page *page = pmm_zone_alloc(&arena->zone, GFP_KERNEL | __GFP_NOWARN, order, PMM_USED,
					   CALLER);

	return page ? (unsigned long)(page - arena->pages) : NO_PAGE;
}

enum pmm_free_result arena_free(struct arena *arena, unsigned long index, unsigned int order)
{
	return pmm_zone_free(&arena->zone, arena->pages + index, order, PMM_USED, CALLER);
}

unsigned long zone_nr_free(const struct pmm_zone *zone, unsigned int order)
{
	const struct page *page;
	unsigned long nr = 0;

	list_for_each_entry(page, &zone->free_area[order].free_list, lru)
		nr++;
	return nr;
}

void assert_counts(struct pmm_zone *zone)
{
	unsigned long nr_free[PMM_MAX_ORDER];
	unsigned int order;

	pmm_zone_count_free(zone, nr_free);
	for (order = 0; order < PMM_MAX_ORDER; order++)
		ASSERT_EQ(nr_free[order], zone_nr_free(zone, order));
}

static u8 *listed_orders(const struct pmm_zone *zone, unsigned long *nr)
{
	u8 *orders = malloc(zone->nr_pages);
	const struct page *page;
	unsigned int order;

	*nr = 0;
	memset(orders, 0xff, zone->nr_pages);
	for (order = 0; order < PMM_MAX_ORDER; order++) {
		list_for_each_entry(page, &zone->free_area[order].free_list, lru) {
			orders[page - zone->mem_map] = order;
			++*nr;
		}
	}
	return orders;
}

/* The order of the largest block that begins here and is all free. */
static unsigned int free_order(const struct pmm_zone *zone, const bool *is_free,
			       unsigned long index)
{
	unsigned int order;
	unsigned long i;

	for (order = 0; order < PMM_MAX_ORDER - 1; order++) {
		unsigned long end = index + (2UL << order);

		if (!IS_ALIGNED(index, 2UL << order) || end > zone->nr_pages)
			break;
		for (i = index; i < end && is_free[i]; i++)
			;
		if (i < end)
			break;
	}
	return order;
}

void assert_free_blocks(const struct pmm_zone *zone, const bool *is_free)
{
	unsigned long index = 0, nr;
	u8 *orders = listed_orders(zone, &nr);

	while (index < zone->nr_pages) {
		if (!is_free[index]) {
			index++;
			continue;
		}
		ASSERT_EQ(orders[index], free_order(zone, is_free, index));
		index += 1UL << orders[index];
		nr--;
	}
	ASSERT_EQ(nr, 0);
	free(orders);
}

void assert_oracle_blocks(const struct pmm_zone *zone, const struct oracle_buddy *oracle)
{
	unsigned int order;
	struct page *page;

	for (order = 0; order < PMM_MAX_ORDER; order++) {
		list_for_each_entry(page, &zone->free_area[order].free_list, lru)
			ASSERT_EQ(oracle->label[page - zone->mem_map],
				  ORACLE_LABEL(ORACLE_FREE, order));
		ASSERT_EQ(zone_nr_free(zone, order), oracle->list[order].nr);
	}
}

/* --- as text --- */

void zone_text_order(const struct pmm_zone *zone, unsigned int order, FILE *out)
{
	const struct pmm_free_area *area = &zone->free_area[order];
	const struct page *page;
	unsigned long bit;

	fprintf(out, "%u:", order);
	list_for_each_entry(page, &area->free_list, lru)
		fprintf(out, " %td", page - zone->mem_map);
	fprintf(out, " /");
	for (bit = 0; area->map && bit < pmm_nr_pairs(zone, order); bit++)
		if (test_bit(bit, area->map))
			fprintf(out, " %lu", bit);
	fprintf(out, "\n");
}

char *zone_text(const struct pmm_zone *zone)
{
	const struct page *page;
	unsigned int order;
	char *text = NULL;
	size_t size;
	FILE *out;

	out = open_memstream(&text, &size);
	for (order = 0; order < PMM_MAX_ORDER; order++)
		zone_text_order(zone, order, out);
	fprintf(out, "parked:");
	list_for_each_entry(page, &zone->parked, lru)
		fprintf(out, " %td", page - zone->mem_map);
	fprintf(out, "\n%lu free, %lu parked\n", zone->free_pages, zone->nr_parked);
	fclose(out);
	return text;
}

/* --- as bytes --- */

void image_init(struct image *image, const struct pmm_zone *zone)
{
	unsigned long sum = 0;
	unsigned int order;

	for (order = 0; order < PMM_MAX_ORDER - 1; order++) {
		image->longs[order] = BITS_TO_LONGS(pmm_nr_pairs(zone, order));
		sum += image->longs[order];
	}
	image->pages = malloc(zone->nr_pages * sizeof(*image->pages));
	image->state = malloc(zone_nr_states(zone));
	image->maps = malloc(sum * sizeof(*image->maps));
	image_save(image, zone);
}

void image_exit(struct image *image)
{
	free(image->pages);
	free(image->state);
	free(image->maps);
}

/* Each map is a word or a few: a loop is faster than memcpy(). */
static void copy_longs(unsigned long *to, const unsigned long *from, unsigned long nr)
{
	while (nr--)
		*to++ = *from++;
}

void image_save(struct image *image, const struct pmm_zone *zone)
{
	unsigned long *map = image->maps;
	unsigned int order;

	memcpy(&image->zone, zone, sizeof(*zone));
	memcpy(image->pages, zone->mem_map, zone->nr_pages * sizeof(*image->pages));
	memcpy(image->state, zone->state, zone_nr_states(zone));
	for (order = 0; order < PMM_MAX_ORDER - 1; map += image->longs[order++])
		copy_longs(map, zone->free_area[order].map, image->longs[order]);
}

void image_restore(const struct image *image, struct pmm_zone *zone)
{
	const unsigned long *map = image->maps;
	unsigned int order;

	memcpy(zone, &image->zone, sizeof(*zone));
	memcpy(zone->mem_map, image->pages, zone->nr_pages * sizeof(*image->pages));
	memcpy(zone->state, image->state, zone_nr_states(zone));
	for (order = 0; order < PMM_MAX_ORDER - 1; map += image->longs[order++])
		copy_longs(zone->free_area[order].map, map, image->longs[order]);
}

/* In user space there is no flag that asks for more than the pool has. */
bool pmm_gfp_allows(gfp_t gfp, unsigned int order, unsigned long caller)
{
	return true;
}

/* In user space no code has a name: its address, and S, as for the rest of the log. */
void pmm_name_code(unsigned long addr, char *text, size_t size)
{
	snprintf(text, size, "%pS", (void *)addr);
}

/* What lies before stat and behind it: two comparisons, which take in the padding too. */
static bool same_but_stat(const struct pmm_zone *a, const struct pmm_zone *b)
{
	const size_t before = offsetof(struct pmm_zone, stat), behind = before + sizeof(a->stat);

	return !memcmp(a, b, before) &&
	       !memcmp((const char *)a + behind, (const char *)b + behind, sizeof(*a) - behind);
}

bool image_same(const struct image *image, const struct pmm_zone *zone)
{
	const unsigned long *map = image->maps;
	unsigned int order;

	if (!same_but_stat(&image->zone, zone) ||
	    memcmp(image->state, zone->state, zone_nr_states(zone)) ||
	    memcmp(image->pages, zone->mem_map, zone->nr_pages * sizeof(*image->pages)))
		return false;
	for (order = 0; order < PMM_MAX_ORDER - 1; map += image->longs[order++])
		if (memcmp(map, zone->free_area[order].map, image->longs[order] * sizeof(*map)))
			return false;
	return true;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: the vm_struct list. Two windows, one with search=linear and one with search=tree, do
 * what the input says, beside the oracle. All three must agree on every address and every answer.
 *
 * The first four bytes are the size of the window, how it lies, and how often it is compared; then
 * each step is a byte for what to do and a few for its arguments.
 */
#include <stdlib.h>

#include "areas.h"
#include "fuzz.h"

#define FUZZ_MOST_PAGES	1500

static struct {
	struct fuzz_input	in;
	unsigned int		step, compare_every;
} run;

static void where(void)
{
	ktap_say("window of %lu pages, step %u, %u areas", areas.oracle.pages, run.step, areas.nr);
}

/* --- steps ------------------------------------------------------------------------------------ */

static unsigned long any_flags(unsigned int byte)
{
	return (1UL << byte % 3) | (byte & 0x80 ? PMM_VM_USERMAP : 0);
}

/* Sizes and alignments as they are asked for in life. */
static void step_reserve(void)
{
	unsigned int how = fuzz_byte(&run.in), flags = fuzz_byte(&run.in);

	areas_reserve(&(const struct pmm_area_request) {
		.size = PAGES(1 + how % 32) - (how & 0x80 ? 77 : 0),
		.align = PAGE_SIZE << (how & 0x60 ? 0 : flags >> 3 & 0xf),
		.flags = any_flags(flags), .nr_slots = flags & 4 ? how % 32 : 0,
		.gfp = GFP_KERNEL, .caller = CALLER,
	});
}

/* Any at all, those that overflow included. */
static void step_reserve_odd(void)
{
	unsigned int how = fuzz_byte(&run.in);
	unsigned long size = fuzz_short(&run.in);

	if (how & 1)
		size = -size;
	areas_reserve(&(const struct pmm_area_request) {
		.size = how & 2 ? size : PAGES(size),
		.align = PAGE_SIZE << (how >> 2) % 52,
		.flags = PMM_VM_MAP, .gfp = GFP_KERNEL, .caller = CALLER,
	});
}

static struct known *any_area(void)
{
	unsigned int byte = fuzz_byte(&run.in);

	return areas.nr ? &areas.known[byte % areas.nr] : NULL;
}

static void step_publish(void)
{
	struct known *area = any_area();

	if (!area || area->oracle->state != ORACLE_AREA_NEW)
		return;
	if (area->flags & PMM_VM_ALLOC)
		areas_set_pages(area);
	areas_publish(area);
}

/* Of any address, as any kind: mostly the right ones. */
static void step_detach(void)
{
	unsigned int how = fuzz_byte(&run.in);
	const struct known *chosen = any_area();
	unsigned long page = chosen ? chosen->oracle->first : 0, type;

	if (how & 0x40)
		page = (page + (how & 0xf)) % (areas.oracle.pages + 1);
	type = how & 0x20 ? 1UL << how % 3 : chosen ? chosen->flags & AREA_TYPES : 0;
	if (how & 0x10)
		type = 0;
	if (how & 0x80 && type && page < areas.oracle.pages && areas_join(page, type))
		return;
	areas_detach(page, 8, type);
	if (areas_detach(page, 0, type) == PMM_DETACH_OK)
		areas_take_down(areas_at(page), how & 0x80);
}

/* The caller that reserved an area gives it up before it is published. */
static void step_abandon(void)
{
	struct known *area = any_area();

	if (area && area->oracle->state == ORACLE_AREA_NEW)
		areas_take_down(area, false);
}

static void step_defer(void)
{
	areas_defer(fuzz_short(&run.in) % (areas.oracle.pages + 2) - 1);
}

static void step_deferred(void)
{
	unsigned long page = fuzz_short(&run.in) % areas.oracle.pages;
	unsigned long type = 1UL << fuzz_byte(&run.in) % 3;

	if (areas_detach_deferred(page, type) == PMM_DETACH_OK)
		areas_take_down(areas_at(page), type & PMM_VM_MAP);
}

static void step_hold(void)
{
	areas_hold(fuzz_short(&run.in) % (areas.oracle.pages + 1));
}

static void step_hold_again(void)
{
	struct known *area = any_area();

	if (area && area->oracle->mappings)
		areas_hold_again(area);
}

static void step_drop(void)
{
	unsigned int lazy = fuzz_byte(&run.in);
	struct known *area = any_area();

	if (area && area->oracle->mappings && areas_drop(area))
		areas_take_down(area, lazy & 1);
}

static void step_find(void)
{
	areas_find(fuzz_short(&run.in) % (areas.oracle.pages + 1));
}

/* --- a run ------------------------------------------------------------------------------------ */

static void (* const steps[])(void) = {
	step_reserve, step_reserve, step_publish, step_detach, step_reserve_odd, areas_purge,
	step_abandon, step_hold, step_drop, step_defer, step_deferred, step_find, step_hold_again,
	step_detach, step_publish, step_reserve,
};

/* Near the end of the address space, in some. */
static void begin(const u8 *data, size_t size)
{
	unsigned int how, pages;

	run.in = (struct fuzz_input) { data, size };
	run.step = 0;
	pages = fuzz_short(&run.in);
	how = fuzz_byte(&run.in);
	run.compare_every = 1 + fuzz_byte(&run.in) % 8;
	pages = 1 + pages % (how & 1 ? FUZZ_MOST_PAGES : 80);
	areas_init(how & 2 ? -PAGES(pages + 1) : START + PAGES(how >> 2), pages);
}

static void end_area(struct known *area)
{
	unsigned long type = area->flags & AREA_TYPES;

	if (area->oracle->state == ORACLE_AREA_NEW) {
		areas_take_down(area, false);
		return;
	}
	if (!area->oracle->mappings)
		ASSERT_EQ(areas_detach(area->oracle->first, 0, type), PMM_DETACH_OK);
	else if (!areas_drop(area))
		return;
	areas_take_down(area, true);
}

static void end(void)
{
	while (areas.nr)
		end_area(&areas.known[areas.nr - 1]);
	areas_compare();
	do
		areas_purge();
	while (areas.purging || areas.list[0].nr_lazy);
	areas_compare();
	areas_exit();
}

void fuzz_one(const u8 *data, size_t size)
{
	ktap_where = where;
	begin(data, size);
	for (; run.in.left; run.step++) {
		steps[fuzz_byte(&run.in) % ARRAY_SIZE(steps)]();
		ASSERT_EQ(fuzz_messages(""), 0);
		if (run.step % run.compare_every == 0)
			areas_compare();
	}
	end();
}

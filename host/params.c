// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: module parameters.
 *
 * Every parameter is read as text and judged here, so that a bad value is refused with one line
 * that names parameter, value and range. The era presets the switches that the user does not give;
 * policy.c has the eras and the words.
 * State: the texts, which sysfs shows. Process context, at load only.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/moduleparam.h>
#include <linux/nodemask.h>

#include "host/params.h"

/*
 * debugfs limits the largest chunk: %*pbl prints fewer than 2^23 bits, one for each pair of pages,
 * and page indices have 32 bits.
 */
#define PMM_CHUNK_MAX	(32UL << 30)

static char *chunk = "64M";
module_param(chunk, charp, 0444);
MODULE_PARM_DESC(chunk, "size of the page chunk: whole pages from 64K, with K, M or G (default 64M)");

static char *window = "auto";
module_param(window, charp, 0444);
MODULE_PARM_DESC(window, "size of the virtual window (default 4 x chunk, at most RAM)");

static char *node = "-1";
module_param(node, charp, 0444);
MODULE_PARM_DESC(node, "NUMA node to take the chunk from, -1 for any (default -1)");

static char *below = "0";
module_param(below, charp, 0444);
MODULE_PARM_DESC(below, "physical address the chunk must end at or below (default 0: none)");

static char *min_free = "0";
module_param(min_free, charp, 0444);
MODULE_PARM_DESC(min_free, "pages kept for __GFP_HIGH and __GFP_MEMALLOC, or auto (default 0)");

static char *era = "modern";
module_param(era, charp, 0444);
MODULE_PARM_DESC(era, "preset of the switches below: 2.4, 2.6 (2.6.28) or modern (default)");

static char *expand;
module_param(expand, charp, 0444);
MODULE_PARM_DESC(expand, "half of a split block to hand out: upper (2.4) or lower (2.6, modern)");

static char *pcp;
module_param(pcp, charp, 0444);
MODULE_PARM_DESC(pcp, "per-CPU lists of free pages: 0 (2.4) or 1 (2.6, modern)");

static char *search;
module_param(search, charp, 0444);
MODULE_PARM_DESC(search, "first fit by linear walk (2.4, 2.6) or tree (modern): the same addresses");

static char *purge;
module_param(purge, charp, 0444);
MODULE_PARM_DESC(purge, "TLB flush in each vfree: eager (2.4), or once for many: lazy (2.6, modern)");

static char *placement;
module_param(placement, charp, 0444);
MODULE_PARM_DESC(placement, "free block to take: lifo (default), or packed, of the fullest 2 MiB");

static char *fail_nth = "0";
module_param(fail_nth, charp, 0444);
MODULE_PARM_DESC(fail_nth, "which request to the kernel's allocators fails, counted from load (default 0: none)");

static char *poison = "0";
module_param(poison, charp, 0444);
MODULE_PARM_DESC(poison, "pattern in free pages, to catch writes to them: 0 (default) or 1");

static char *redzone = "0";
module_param(redzone, charp, 0444);
MODULE_PARM_DESC(redzone, "pattern after the last byte of a vmalloc, checked in vfree: 0 (default) or 1");

static char *owner = "0";
module_param(owner, charp, 0444);
MODULE_PARM_DESC(owner, "stacks of the callers that took and freed each block: 0 (default) or 1");

static unsigned long pmm_ram_bytes(void)
{
	return totalram_pages() << PAGE_SHIFT;
}

/* Accept a size in whole pages between two bounds, or say in one line what it should have been. */
static int pmm_judge_size(const char *name, const char *text, unsigned long min, unsigned long max,
			  unsigned long *bytes)
{
	u64 value;

	if (pmm_parse_size(text, &value) || value < min || value > max || !PAGE_ALIGNED(value)) {
		pr_err("%s=%s is refused: a multiple of %lu between %luK and %luK\n", name, text,
		       PAGE_SIZE, min >> 10, max >> 10);
		return -EINVAL;
	}
	*bytes = value;
	return 0;
}

static int pmm_judge_chunk(struct pmm_config *config)
{
	unsigned long bytes;
	int err;

	err = pmm_judge_size("chunk", chunk, PMM_CHUNK_MIN, min(pmm_ram_bytes(), PMM_CHUNK_MAX),
			     &bytes);
	if (!err)
		config->chunk.nr_pages = bytes >> PAGE_SHIFT;
	return err;
}

/*
 * vmap() maps no more pages than there is RAM, so the window cannot be larger. kvmalloc() gives at
 * most INT_MAX bytes for an array of its pages.
 */
static int pmm_judge_window(struct pmm_config *config)
{
	unsigned long max = min(pmm_ram_bytes(), INT_MAX / sizeof(struct page *) << PAGE_SHIFT);

	if (!strcmp(window, "auto")) {
		config->window = min(4 * config->chunk.nr_pages << PAGE_SHIFT, max);
		return 0;
	}
	return pmm_judge_size("window", window, PMM_CHUNK_MIN, max, &config->window);
}

static int pmm_judge_node(struct pmm_config *config)
{
	u64 value;

	config->chunk.node = NUMA_NO_NODE;
	if (!strcmp(node, "-1"))
		return 0;
	if (pmm_parse_number(node, &value) || value >= MAX_NUMNODES || !node_online(value)) {
		pr_err("node=%s is refused: -1 or an online node, of %*pbl\n", node,
		       nodemask_pr_args(&node_online_map));
		return -EINVAL;
	}
	config->chunk.node = value;
	return 0;
}

static int pmm_judge_below(struct pmm_config *config)
{
	u64 value, min = (u64)config->chunk.nr_pages << PAGE_SHIFT;

	if (pmm_parse_size(below, &value) || (value && value < min)) {
		pr_err("below=%s is refused: 0, or an address from %#llx, the size of the chunk, to %#llx\n",
		       below, min, U64_MAX);
		return -EINVAL;
	}
	config->chunk.below = value;
	return 0;
}

/*
 * The automatic value follows 2.4's zone_balance_ratio, zone_balance_min and zone_balance_max of
 * the normal zone.
 */
static int pmm_judge_min_free(struct pmm_config *config)
{
	unsigned long pages = config->chunk.nr_pages;
	u64 value;

	if (!strcmp(min_free, "auto")) {
		config->min_free = clamp(pages / 128, 20UL, 255UL);
		return 0;
	}
	if (pmm_parse_number(min_free, &value) || value > pages) {
		pr_err("min_free=%s is refused: auto, or pages between 0 and %lu\n", min_free,
		       pages);
		return -EINVAL;
	}
	config->min_free = value;
	return 0;
}

/* --- the switches ----------------------------------------------------------------------------- */

/* The words in force; the user's, or else the era's, so that sysfs shows them. */
static char ** const pmm_switch_texts[PMM_NR_SWITCHES] = {
	[PMM_SWITCH_EXPAND]	= &expand,
	[PMM_SWITCH_PCP]	= &pcp,
	[PMM_SWITCH_SEARCH]	= &search,
	[PMM_SWITCH_PURGE]	= &purge,
	[PMM_SWITCH_PLACEMENT]	= &placement,
};

static int pmm_judge_era(struct pmm_policy *policy)
{
	const struct pmm_era *chosen = pmm_find_era(era);

	if (!chosen) {
		pr_err("era=%s is refused: 2.4, 2.6 or modern\n", era);
		return -EINVAL;
	}
	*policy = chosen->policy;
	return 0;
}

/* Returns the value of the word, or -EINVAL. */
static int pmm_judge_switch(const struct pmm_switch *by, const char *text)
{
	int value = pmm_find_word(by, text);

	if (value < 0)
		pr_err("%s=%s is refused: %s or %s\n", by->name, text, by->words[0],
		       by->words[1]);
	return value;
}

static int pmm_judge_bool(const char *name, const char *text, bool *on)
{
	int value = pmm_judge_switch(&(const struct pmm_switch){ name, { "0", "1" } }, text);

	*on = value > 0;
	return min(value, 0);
}

static int pmm_judge_debug(struct pmm_config *config)
{
	return pmm_judge_bool("poison", poison, &config->poison) ?:
	       pmm_judge_bool("redzone", redzone, &config->redzone) ?:
	       pmm_judge_bool("owner", owner, &config->owner);
}

/* With poison=1 or owner=1 each page is checked or recorded as it comes and goes. */
static bool pmm_pages_are_watched(const struct pmm_config *config)
{
	return config->poison || config->owner;
}

static int pmm_judge_choice(struct pmm_config *config, enum pmm_switch_id id)
{
	const struct pmm_switch *by = &pmm_switches[id];
	char **text = pmm_switch_texts[id];
	int value;

	if (!*text)
		*text = by->words[pmm_choice(&config->policy, id)];
	value = pmm_judge_switch(by, *text);
	if (value < 0)
		return value;
	pmm_choose(&config->policy, id, value);
	if (!config->policy.pcp || !pmm_pages_are_watched(config))
		return 0;
	pr_err("pcp=1 is refused: poison=1 and owner=1 need pcp=0\n");
	return -EINVAL;
}

static int pmm_judge_switches(struct pmm_config *config)
{
	int err = pmm_judge_era(&config->policy) ?: pmm_judge_debug(config);
	enum pmm_switch_id id;

	/* To watch a page needs the zone's lock. The per-CPU lists take no lock. */
	if (!err && pmm_pages_are_watched(config))
		config->policy.pcp = false;
	for (id = 0; !err && id < PMM_NR_SWITCHES; id++)
		err = pmm_judge_choice(config, id);
	return err;
}

/* --- all of them ------------------------------------------------------------------------------ */

/* Comes last, because any request from here on may be the one that fails. */
static int pmm_judge_fail_nth(void)
{
	u64 value;

	if (pmm_parse_number(fail_nth, &value) || value > INT_MAX) {
		pr_err("fail_nth=%s is refused: a number between 0 and %d\n", fail_nth, INT_MAX);
		return -EINVAL;
	}
	pmm_fail_nth(value);
	return 0;
}

/**
 * pmm_judge_parameters() - judge all module parameters
 * @config: gets their values
 *
 * The first parameter with a bad value is refused with one line in the log.
 *
 * Context: Process context, at load.
 * Return: 0 or -EINVAL.
 */
int pmm_judge_parameters(struct pmm_config *config)
{
	return pmm_judge_chunk(config) ?:
	       pmm_judge_window(config) ?:
	       pmm_judge_node(config) ?:
	       pmm_judge_below(config) ?:
	       pmm_judge_min_free(config) ?:
	       pmm_judge_switches(config) ?:
	       pmm_judge_fail_nth();
}

/**
 * pmm_describe_switches() - write the era and the switches in force as text
 * @text: gets the text
 * @room: bytes there
 *
 * Context: Process context; the parameters have been judged.
 */
void pmm_describe_switches(char *text, size_t room)
{
	size_t n = scnprintf(text, room, "era %s:", era);
	enum pmm_switch_id id;

	for (id = 0; id < PMM_NR_SWITCHES; id++)
		n += scnprintf(text + n, room - n, " %s=%s", pmm_switches[id].name,
			       *pmm_switch_texts[id]);
	scnprintf(text + n, room - n, "%s%s%s", strcmp(poison, "1") ? "" : " poison=1",
		  strcmp(redzone, "1") ? "" : " redzone=1",
		  strcmp(owner, "1") ? "" : " owner=1");
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: module parameters.
 *
 * Every parameter is read as text and judged here, so that a bad value is refused with one line
 * that names parameter, value and range. The era presets the switches that the user does not give.
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
#define PMM_CHUNK_MIN	(64UL << 10)
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
MODULE_PARM_DESC(fail_nth, "request to the kernel's allocators that fails, from load on (default 0: none)");

static char *poison = "0";
module_param(poison, charp, 0444);
MODULE_PARM_DESC(poison, "pattern in free pages, to find who writes to them: 0 (default) or 1");

static char *redzone = "0";
module_param(redzone, charp, 0444);
MODULE_PARM_DESC(redzone, "pattern behind the last byte of a vmalloc, looked at in vfree: 0 (default) or 1");

static char *owner = "0";
module_param(owner, charp, 0444);
MODULE_PARM_DESC(owner, "stacks of who took and who freed each block: 0 (default) or 1");

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

/*
 * What an era presets. A parameter of the same name overrides it. @bulk has no parameter: 2.4 and
 * 2.6 took and returned the pages of an area one by one, so only era modern does it in bulk, and
 * maps 2 MiB at a time.
 */
struct pmm_era {
	const char	*name;
	char		*expand;
	char		*pcp;
	char		*search;
	char		*purge;
	char		*placement;
	bool		bulk;
};

static const struct pmm_era pmm_eras[] = {
	{ "2.4",    "upper", "0", "linear", "eager", "lifo", false },
	{ "2.6",    "lower", "1", "linear", "lazy",  "lifo", false },
	{ "modern", "lower", "1", "tree",   "lazy",  "lifo", true },
};

static int pmm_judge_era(const struct pmm_era **chosen)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pmm_eras); i++) {
		if (!strcmp(era, pmm_eras[i].name)) {
			*chosen = &pmm_eras[i];
			return 0;
		}
	}
	pr_err("era=%s is refused: 2.4, 2.6 or modern\n", era);
	return -EINVAL;
}

/* The two words of a switch: off, on. */
static const char * const pmm_bool_words[] = { "0", "1" };
static const char * const pmm_expand_words[] = { "upper", "lower" };
static const char * const pmm_search_words[] = { "linear", "tree" };
static const char * const pmm_purge_words[] = { "eager", "lazy" };
static const char * const pmm_placement_words[] = { "lifo", "packed" };

/* If the user gave no word, *@text becomes the preset, so that sysfs shows the one in force. */
static int pmm_judge_switch(const char *name, char **text, char *preset, const char * const *words,
			    bool *on)
{
	if (!*text)
		*text = preset;
	*on = !strcmp(*text, words[1]);
	if (*on || !strcmp(*text, words[0]))
		return 0;
	pr_err("%s=%s is refused: %s or %s\n", name, *text, words[0], words[1]);
	return -EINVAL;
}

static int pmm_judge_debug(struct pmm_config *config)
{
	return pmm_judge_switch("poison", &poison, NULL, pmm_bool_words, &config->poison) ?:
	       pmm_judge_switch("redzone", &redzone, NULL, pmm_bool_words, &config->redzone) ?:
	       pmm_judge_switch("owner", &owner, NULL, pmm_bool_words, &config->owner);
}

/*
 * With poison=1 or owner=1 each page is checked or recorded as it comes and goes, which needs the
 * zone's lock. The per-CPU lists take no lock.
 */
static int pmm_judge_pcp(struct pmm_config *config, char *preset)
{
	bool watched = config->poison || config->owner;
	int err = pmm_judge_switch("pcp", &pcp, watched ? "0" : preset, pmm_bool_words,
				   &config->pcp);

	if (err || !config->pcp || !watched)
		return err;
	pr_err("pcp=1 is refused: poison=1 and owner=1 need pcp=0\n");
	return -EINVAL;
}

static int pmm_judge_switches(struct pmm_config *config)
{
	const struct pmm_era *by;
	int err = pmm_judge_era(&by) ?: pmm_judge_debug(config);

	if (err)
		return err;
	config->bulk = by->bulk;
	return pmm_judge_switch("expand", &expand, by->expand, pmm_expand_words, &config->lower) ?:
	       pmm_judge_pcp(config, by->pcp) ?:
	       pmm_judge_switch("search", &search, by->search, pmm_search_words, &config->tree) ?:
	       pmm_judge_switch("purge", &purge, by->purge, pmm_purge_words, &config->lazy) ?:
	       pmm_judge_switch("placement", &placement, by->placement, pmm_placement_words,
				&config->packed);
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
	snprintf(text, room, "era %s: expand=%s pcp=%s search=%s purge=%s placement=%s%s%s%s",
		 era, expand, pcp, search, purge, placement,
		 strcmp(poison, "1") ? "" : " poison=1", strcmp(redzone, "1") ? "" : " redzone=1",
		 strcmp(owner, "1") ? "" : " owner=1");
}

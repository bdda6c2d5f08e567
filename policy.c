// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the eras, and the words of the switches. An era is a row of choices; a switch overrides
 * one of them.
 *
 * Only a load reads the tables: from then on each choice is a bit where it is needed (zone->expand,
 * list->search_tree, pmm_lazy, pmm_bulk), or per-CPU lists that are there or not: a call through a
 * pointer would cost more than the code that it selects. Only placement= is a set of functions
 * (zone->placement), because only the longer paths consult it. The file owns nothing else. Any
 * context, no locks.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "packed.h"

/* The book's rule has no functions: rmqueue() itself chooses. */
static const struct pmm_placement_ops pmm_lifo = { };

/* By enum pmm_placement. */
const struct pmm_placement_ops *const pmm_placements[PMM_NR_PLACEMENTS] = {
	[PMM_PLACE_LIFO]	= &pmm_lifo,
	[PMM_PLACE_PACKED]	= &pmm_packed,
};

static const struct pmm_era pmm_eras[] = {
	{ "2.4", {
		.placement	= PMM_PLACE_LIFO,
		.expand		= PMM_EXPAND_UPPER,
		.search		= PMM_SEARCH_LINEAR,
		.purge		= PMM_PURGE_EAGER,
		.pcp		= false,
		.bulk		= false,
	} },
	{ "2.6", {
		.placement	= PMM_PLACE_LIFO,
		.expand		= PMM_EXPAND_LOWER,
		.search		= PMM_SEARCH_LINEAR,
		.purge		= PMM_PURGE_LAZY,
		.pcp		= true,
		.bulk		= false,
	} },
	{ "modern", {
		.placement	= PMM_PLACE_LIFO,
		.expand		= PMM_EXPAND_LOWER,
		.search		= PMM_SEARCH_TREE,
		.purge		= PMM_PURGE_LAZY,
		.pcp		= true,
		.bulk		= true,
	} },
};

const struct pmm_switch pmm_switches[PMM_NR_SWITCHES] = {
	[PMM_SWITCH_EXPAND] = {
		"expand", { [PMM_EXPAND_UPPER] = "upper", [PMM_EXPAND_LOWER] = "lower" },
	},
	[PMM_SWITCH_PCP] = {
		"pcp", { [false] = "0", [true] = "1" },
	},
	[PMM_SWITCH_SEARCH] = {
		"search", { [PMM_SEARCH_LINEAR] = "linear", [PMM_SEARCH_TREE] = "tree" },
	},
	[PMM_SWITCH_PURGE] = {
		"purge", { [PMM_PURGE_EAGER] = "eager", [PMM_PURGE_LAZY] = "lazy" },
	},
	[PMM_SWITCH_PLACEMENT] = {
		"placement", { [PMM_PLACE_LIFO] = "lifo", [PMM_PLACE_PACKED] = "packed" },
	},
};

/**
 * pmm_find_era() - find an era by its name
 * @name: the name
 *
 * Context: Any.
 * Return: The era, or NULL.
 */
const struct pmm_era *pmm_find_era(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pmm_eras); i++)
		if (!strcmp(name, pmm_eras[i].name))
			return &pmm_eras[i];
	return NULL;
}

/**
 * pmm_find_word() - find the value that a word of a switch stands for
 * @of: the switch
 * @word: the word
 *
 * Context: Any.
 * Return: The value, or -EINVAL.
 */
int pmm_find_word(const struct pmm_switch *of, const char *word)
{
	unsigned int value;

	for (value = 0; value < ARRAY_SIZE(of->words); value++)
		if (!strcmp(word, of->words[value]))
			return value;
	return -EINVAL;
}

/**
 * pmm_choice() - read the choice that a switch is for
 * @policy: the choices
 * @id: the switch
 *
 * Context: Any.
 * Return: Its value, an index of the switch's words.
 */
unsigned int pmm_choice(const struct pmm_policy *policy, enum pmm_switch_id id)
{
	switch (id) {
	case PMM_SWITCH_EXPAND:
		return policy->expand;
	case PMM_SWITCH_PCP:
		return policy->pcp;
	case PMM_SWITCH_SEARCH:
		return policy->search;
	case PMM_SWITCH_PURGE:
		return policy->purge;
	case PMM_SWITCH_PLACEMENT:
		return policy->placement;
	default:
		return 0;
	}
}

/**
 * pmm_choose() - set the choice that a switch is for
 * @policy: the choices
 * @id: the switch
 * @value: an index of the switch's words
 *
 * Context: Any.
 */
void pmm_choose(struct pmm_policy *policy, enum pmm_switch_id id, unsigned int value)
{
	switch (id) {
	case PMM_SWITCH_EXPAND:
		policy->expand = value;
		break;
	case PMM_SWITCH_PCP:
		policy->pcp = value;
		break;
	case PMM_SWITCH_SEARCH:
		policy->search = value;
		break;
	case PMM_SWITCH_PURGE:
		policy->purge = value;
		break;
	case PMM_SWITCH_PLACEMENT:
		policy->placement = value;
		break;
	default:
		break;
	}
}

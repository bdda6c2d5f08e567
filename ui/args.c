// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the words and arguments of a debugfs command.
 *
 * A table has the keys and the parsers of their values; command.c decides which keys a command
 * takes. No state; process context.
 */
#include "ui/command.h"

static int pmm_parse_plain(struct pmm_args *args, enum pmm_key key, char *text)
{
	return pmm_parse_number(text, &args->value[key]);
}

/* Sizes may have suffixes. So may offsets, because the same files print them. */
static int pmm_parse_bytes(struct pmm_args *args, enum pmm_key key, char *text)
{
	return pmm_parse_size(text, &args->value[key]);
}

/*
 * The page calls take an unsigned int. The index of a page is limited to 32 bits, so that no
 * address computed from it wraps.
 */
static int pmm_parse_uint(struct pmm_args *args, enum pmm_key key, char *text)
{
	int err = pmm_parse_number(text, &args->value[key]);

	return err ?: args->value[key] > UINT_MAX ? -ERANGE : 0;
}

static int pmm_parse_gfp(struct pmm_args *args, enum pmm_key key, char *text)
{
	if (!strcmp(text, "kernel"))
		args->gfp = GFP_KERNEL;
	else if (!strcmp(text, "atomic"))
		args->gfp = GFP_ATOMIC;
	else if (!strcmp(text, "memalloc"))
		args->gfp = GFP_KERNEL | __GFP_MEMALLOC;
	else
		return -EINVAL;
	return 0;
}

static int pmm_parse_ids(struct pmm_args *args, enum pmm_key key, char *text)
{
	char *id;

	while ((id = strsep(&text, ","))) {
		int err;

		if (args->nr_blocks == PMM_IDS_MAX)
			return -E2BIG;
		err = pmm_parse_number(id, &args->blocks[args->nr_blocks]);
		if (err)
			return err;
		args->nr_blocks++;
	}
	return 0;
}

/* A key without a parser is a flag and takes no value. */
static const struct {
	const char	*name;
	int		(*parse)(struct pmm_args *args, enum pmm_key key, char *text);
} pmm_keys[PMM_NR_KEYS] = {
	[PMM_ORDER]	= { "order", pmm_parse_uint },
	[PMM_COUNT]	= { "count", pmm_parse_plain },
	[PMM_GFP]	= { "gfp", pmm_parse_gfp },
	[PMM_ZERO]	= { "zero", NULL },
	[PMM_USER]	= { "user", NULL },
	[PMM_BLOCK]	= { "block", pmm_parse_ids },
	[PMM_PAGE]	= { "page", pmm_parse_uint },
	[PMM_AREA]	= { "area", pmm_parse_plain },
	[PMM_OFFSET]	= { "offset", pmm_parse_bytes },
	[PMM_SIZE]	= { "size", pmm_parse_bytes },
	[PMM_PHYS]	= { "phys", pmm_parse_plain },
	[PMM_SEED]	= { "seed", pmm_parse_plain },
	[PMM_NTH]	= { "nth", pmm_parse_uint },
};

static enum pmm_key pmm_find_key(const char *name)
{
	enum pmm_key key;

	for (key = 0; key < PMM_NR_KEYS; key++)
		if (!strcmp(name, pmm_keys[key].name))
			break;
	return key;
}

/**
 * pmm_parse_word() - parse one argument of a command
 * @args: gets its value; @args->why gets the reason for an error
 * @word: the argument, which is cut into pieces
 *
 * Context: pmm_command_lock is held.
 * Return: 0; -EINVAL for an argument that is unknown, malformed or given twice; -ERANGE for a value
 * that is too large; -E2BIG for too many IDs.
 */
int pmm_parse_word(struct pmm_args *args, char *word)
{
	char *name = strsep(&word, "=");
	enum pmm_key key = pmm_find_key(name);
	int err;

	if (key == PMM_NR_KEYS)
		return PMM_FAIL(args, -EINVAL, "unknown argument '%.40s'", name);
	if (args->given & BIT(key))
		return PMM_FAIL(args, -EINVAL, "'%s' is given twice", name);
	args->given |= BIT(key);
	if (!pmm_keys[key].parse)
		return word ? PMM_FAIL(args, -EINVAL, "'%s' takes no value", name) : 0;
	if (!word)
		return PMM_FAIL(args, -EINVAL, "'%s' needs a value", name);
	err = pmm_keys[key].parse(args, key, word);
	return err ? PMM_FAIL(args, err, "bad value of '%s'", name) : 0;
}

/**
 * pmm_next_word() - cut the next word off a line
 * @line: the rest of the line; moves past the word
 *
 * Words are separated by any number of spaces and tabs.
 *
 * Context: Any.
 * Return: The word, or NULL when there is none left.
 */
char *pmm_next_word(char **line)
{
	char *word;

	do {
		word = strsep(line, " \t");
	} while (word && !*word);
	return word;
}

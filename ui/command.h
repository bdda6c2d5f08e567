/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: shared by the files behind debugfs' `command` and `result`.
 *
 * command.c splits a write into lines and looks up the command of each. args.c parses the
 * arguments, held.c and contents.c have the commands, and result.c collects the text of `result`.
 * Nothing else uses them.
 *
 * pmm_command_lock in command.c protects the state of all of them; every function below runs with
 * it held, or when commands can no longer be written. Process context.
 */
#ifndef POCKETMM_COMMAND_H
#define POCKETMM_COMMAND_H

#include "internal.h"

#define PMM_IDS_MAX	256	/* in one vmap */

/* --- args.c ----------------------------------------------------------------------------------- */

enum pmm_key {
	PMM_ORDER, PMM_COUNT, PMM_GFP, PMM_ZERO, PMM_USER, PMM_BLOCK, PMM_PAGE, PMM_AREA,
	PMM_OFFSET, PMM_SIZE, PMM_PHYS, PMM_SEED, PMM_NTH, PMM_NR_KEYS,
};

/**
 * struct pmm_args - the arguments of one command, and why it failed
 * @given: one bit for each key
 * @value: of each key that is a number
 * @gfp: of gfp=
 * @nr_blocks: how many IDs block= has
 * @blocks: these IDs, in the order given
 * @why: the reason when the command fails; empty when memory is short
 */
struct pmm_args {
	unsigned long	given;
	u64		value[PMM_NR_KEYS];
	gfp_t		gfp;
	unsigned int	nr_blocks;
	u64		blocks[PMM_IDS_MAX];
	char		why[160];
};

/* Write down the reason for an error; its value is the error. */
#define PMM_FAIL(args, err, ...) ({					\
	snprintf((args)->why, sizeof((args)->why), __VA_ARGS__);	\
	err;								\
})

static inline bool pmm_given(const struct pmm_args *args, enum pmm_key key)
{
	return args->given & BIT(key);
}

char *pmm_next_word(char **line);
int pmm_parse_word(struct pmm_args *args, char *word);

/* --- result.c --------------------------------------------------------------------------------- */

__printf(1, 2) void pmm_say(const char *fmt, ...);
const char *pmm_error_name(int err);
size_t pmm_result_mark(void);
void pmm_result_end(size_t mark, int err, const char *why);
void pmm_result_clear(void);
void pmm_result_print(struct seq_file *m);
void pmm_result_free(void);

/* --- held.c ----------------------------------------------------------------------------------- */

int pmm_held_block(struct pmm_args *args, unsigned int i, struct page **page, unsigned int *order);
int pmm_held_area(struct pmm_args *args, void **addr);
int pmm_fail_area(struct pmm_args *args, int err);
void pmm_held_exit(void);

/* The commands return 0, or a negative errno with the reason in @args->why. They may sleep. */
int pmm_cmd_alloc(struct pmm_args *args);
int pmm_cmd_free_block(struct pmm_args *args);
int pmm_cmd_free_page(struct pmm_args *args);
int pmm_cmd_vmalloc(struct pmm_args *args);
int pmm_cmd_vfree(struct pmm_args *args);
int pmm_cmd_vfree_offset(struct pmm_args *args);
int pmm_cmd_vmap(struct pmm_args *args);
int pmm_cmd_vunmap(struct pmm_args *args);
int pmm_cmd_ioremap(struct pmm_args *args);
int pmm_cmd_iounmap(struct pmm_args *args);
int pmm_cmd_reset(struct pmm_args *args);

/* --- contents.c ------------------------------------------------------------------------------- */

int pmm_cmd_pages(struct pmm_args *args);
int pmm_cmd_fill(struct pmm_args *args);
int pmm_cmd_check(struct pmm_args *args);

#endif /* POCKETMM_COMMAND_H */

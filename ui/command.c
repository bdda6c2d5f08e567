// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: debugfs' files `command` and `result`: both allocators driven from a shell.
 *
 * A write has one command in each line. A line is parsed, its command is found in a table and run,
 * and the outcome is one line of `result`. The first command that fails ends the write.
 *
 * pmm_command_lock serialises writers and protects the state of this file and of those that
 * ui/command.h names. Process context.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "host/window.h"
#include "ui/command.h"

#define PMM_COMMAND_MAX		8191	/* bytes in one write */
#define PMM_LINE_MAX		6143	/* bytes in one command: a vmap of all IDs fits */
#define PMM_WRITER_BUFFER	4096	/* bytes: programs that buffer write no more at once */

static DEFINE_MUTEX(pmm_command_lock);

static struct pmm_args pmm_args;	/* of the command that is running */
static u64 pmm_sequence;		/* commands so far */
static const struct file *pmm_command_file;	/* that is written to */

/*
 * Both the task that opened the file and the task that writes must be privileged. So nobody gains
 * rights from a file that a privileged task passes on, and nobody can make a privileged program
 * write commands by handing it an open file.
 */
static bool pmm_may_command(const struct file *file, int cap)
{
	return capable(cap) && file_ns_capable(file, &init_user_ns, cap);
}

/* --- housekeeping ----------------------------------------------------------------------------- */

/*
 * With purge=eager every free flushes at once, so a purge finds only the areas that atomic contexts
 * have left to the worker.
 */
static int pmm_cmd_purge(struct pmm_args *args)
{
	u64 before = pmm_window_flushes();

	pmm_vm_unmap_aliases();
	pmm_say(" flushes=%llu", pmm_window_flushes() - before);
	return 0;
}

static int pmm_cmd_drain(struct pmm_args *args)
{
	struct pmm_pcp_count count;

	pmm_pcp_count(&pmm_zone, &count);
	pmm_pcp_drain(&pmm_zone);
	pmm_say(" pages=%lu", count.pages + pmm_zone_reap(&pmm_zone));
	return 0;
}

/* `left` tells how many requests were left before the previous `fail` made one fail. */
static int pmm_cmd_fail(struct pmm_args *args)
{
	pmm_say(" left=%lu", pmm_fail_nth(args->value[PMM_NTH]));
	return 0;
}

/* --- the table, and running a line of it ------------------------------------------------------ */

#define PMM_HAS(key)	BIT(PMM_##key)

/*
 * A command with two forms has two rows, which take different arguments. A command that is @raw
 * reaches devices, or blocks and areas of other modules: it needs CAP_SYS_RAWIO, as /dev/mem does.
 */
static const struct pmm_command {
	const char	*name;
	unsigned long	need;
	unsigned long	may;
	int		(*run)(struct pmm_args *args);
	bool		raw;
} pmm_commands[] = {
	{ "alloc", PMM_HAS(ORDER), PMM_HAS(COUNT) | PMM_HAS(GFP) | PMM_HAS(ZERO), pmm_cmd_alloc },
	{ "free", PMM_HAS(BLOCK), 0, pmm_cmd_free_block },
	{ "free", PMM_HAS(PAGE) | PMM_HAS(ORDER), 0, pmm_cmd_free_page, true },
	{ "vmalloc", PMM_HAS(SIZE), PMM_HAS(ZERO) | PMM_HAS(USER), pmm_cmd_vmalloc },
	{ "vfree", PMM_HAS(AREA), 0, pmm_cmd_vfree },
	{ "vfree", PMM_HAS(OFFSET), 0, pmm_cmd_vfree_offset, true },
	{ "vmap", PMM_HAS(BLOCK), 0, pmm_cmd_vmap },
	{ "vunmap", PMM_HAS(AREA), 0, pmm_cmd_vunmap },
	{ "ioremap", PMM_HAS(PHYS) | PMM_HAS(SIZE), 0, pmm_cmd_ioremap, true },
	{ "iounmap", PMM_HAS(AREA), 0, pmm_cmd_iounmap },
	{ "pages", PMM_HAS(AREA), 0, pmm_cmd_pages },
	{ "fill", PMM_HAS(AREA) | PMM_HAS(SEED), 0, pmm_cmd_fill },
	{ "fill", PMM_HAS(BLOCK) | PMM_HAS(SEED), 0, pmm_cmd_fill },
	{ "check", PMM_HAS(AREA) | PMM_HAS(SEED), 0, pmm_cmd_check },
	{ "check", PMM_HAS(BLOCK) | PMM_HAS(SEED), 0, pmm_cmd_check },
	{ "purge", 0, 0, pmm_cmd_purge },
	{ "drain", 0, 0, pmm_cmd_drain },
	{ "reset", 0, 0, pmm_cmd_reset },
	{ "fail", PMM_HAS(NTH), 0, pmm_cmd_fail },
};

static const struct pmm_command *pmm_find_command(struct pmm_args *args, const char *name)
{
	bool known = false;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pmm_commands); i++) {
		const struct pmm_command *cmd = &pmm_commands[i];

		if (strcmp(cmd->name, name))
			continue;
		known = true;
		if ((args->given & cmd->need) == cmd->need &&
		    !(args->given & ~(cmd->need | cmd->may)))
			return cmd;
	}
	if (known)
		PMM_FAIL(args, -EINVAL, "'%s' lacks an argument or takes no such one", name);
	else
		PMM_FAIL(args, -EINVAL, "unknown command '%.40s'", name);
	return NULL;
}

static int pmm_parse_and_run(struct pmm_args *args, char *line)
{
	const char *name = pmm_next_word(&line);
	const struct pmm_command *cmd;
	char *word;
	int err;

	while ((word = pmm_next_word(&line))) {
		err = pmm_parse_word(args, word);
		if (err)
			return err;
	}
	cmd = pmm_find_command(args, name);
	if (!cmd)
		return -EINVAL;
	if (cmd->raw && !pmm_may_command(pmm_command_file, CAP_SYS_RAWIO))
		return PMM_FAIL(args, -EPERM, "it needs CAP_SYS_RAWIO");
	return cmd->run(args);
}

/*
 * Refuse a line that `result` could not show as it is. There, question marks stand for the other
 * characters.
 */
static int pmm_check_line(struct pmm_args *args, char *line)
{
	size_t len = strlen(line);
	bool printable = true;
	char *c;

	for (c = line; *c; c++) {
		if (!isascii(*c) || (!isprint(*c) && *c != '\t')) {
			printable = false;
			*c = '?';
		}
	}
	if (len > PMM_LINE_MAX) {
		line[60] = '\0';
		return PMM_FAIL(args, -E2BIG, "%zu characters, limit %d", len, PMM_LINE_MAX);
	}
	return printable ? 0 : PMM_FAIL(args, -EINVAL, "not plain text");
}

static int pmm_run_line(char *line)
{
	struct pmm_args *args = &pmm_args;
	size_t mark;
	int err;

	memset(args, 0, sizeof(*args));
	args->gfp = GFP_KERNEL;
	err = pmm_check_line(args, line);
	pmm_say("%llu %s -> ", ++pmm_sequence, line);
	mark = pmm_result_mark();
	if (!err) {
		pmm_say("ok");
		err = pmm_parse_and_run(args, line);
	}
	pmm_result_end(mark, err, args->why);
	return err;
}

static int pmm_refuse_write(int err, const char *why)
{
	pmm_say("%llu (write) -> error %s %s\n", ++pmm_sequence, pmm_error_name(err), why);
	return err;
}

static int pmm_run_lines(char *text, size_t len)
{
	char *line;
	int err;

	if (strlen(text) != len)
		return pmm_refuse_write(-EINVAL, "a NUL byte");
	while ((line = strsep(&text, "\n"))) {
		if (!line[strspn(line, " \t")])
			continue;
		err = pmm_run_line(line);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/*
 * The first part of a text that the writer's buffer has cut may look like a shorter command that is
 * sound. So a write of a whole buffer has to end where a line ends.
 */
static bool pmm_may_be_cut(const char *text, size_t count)
{
	return count >= PMM_WRITER_BUFFER && text[count - 1] != '\n';
}

/* @text is NULL when the user wrote too much. */
static int pmm_run_write(char *text, size_t count, loff_t pos)
{
	pmm_result_clear();
	if (pos)
		return pmm_refuse_write(-EINVAL,
					"not at the start of the file: one write for each open");
	if (!text)
		return pmm_refuse_write(-E2BIG, "more than 8191 bytes in one write");
	if (pmm_may_be_cut(text, count))
		return pmm_refuse_write(-E2BIG,
					"4096 bytes or more, and no newline at the end: cut in two?");
	return pmm_run_lines(text, count);
}

static ssize_t pmm_command_write(struct file *file, const char __user *ubuf, size_t count,
				 loff_t *ppos)
{
	char *text = NULL;
	int err;

	if (!pmm_may_command(file, CAP_SYS_ADMIN))
		return -EPERM;
	if (!count)
		return 0;
	if (count <= PMM_COMMAND_MAX)
		text = pmm_must_fail() ? ERR_PTR(-ENOMEM) : memdup_user_nul(ubuf, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	err = mutex_lock_interruptible(&pmm_command_lock);
	if (!err) {
		pmm_command_file = file;
		err = pmm_run_write(text, count, *ppos);
		mutex_unlock(&pmm_command_lock);
	}
	kfree(text);
	if (err)
		return err;
	*ppos += count;
	return count;
}

const struct file_operations pmm_command_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= pmm_command_write,
	.llseek	= default_llseek,
};

/**
 * pmm_result_show() - print debugfs' file `result`
 * @m: the open file
 * @unused: not used
 *
 * Context: Process context; waits for a write that is running.
 * Return: 0 or -EINTR.
 */
int pmm_result_show(struct seq_file *m, void *unused)
{
	if (mutex_lock_interruptible(&pmm_command_lock))
		return -EINTR;
	pmm_result_print(m);
	mutex_unlock(&pmm_command_lock);
	return 0;
}

/**
 * pmm_command_exit() - free what commands still hold, and the result
 *
 * Context: Process context; commands can no longer be written.
 */
void pmm_command_exit(void)
{
	pmm_held_exit();
	pmm_result_free();
}

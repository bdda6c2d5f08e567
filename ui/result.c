// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the text of debugfs' file `result`, one line for each command of the last write.
 *
 * The text grows as commands run. It may run out of memory: a line that was cut says so, and never
 * makes its command fail. pmm_command_lock protects the text. Process context; may sleep.
 */
#include <linux/seq_file.h>

#include "ui/command.h"

#define PMM_RESULT_KEPT		(64 << 10)	/* bytes of memory kept for the next result */
#define PMM_RESULT_MAX		(64 << 20)	/* bytes; longer text is cut off */

static struct pmm_text {
	char	*buf;
	size_t	len;
	size_t	room;
	bool	cut;		/* no memory for all of it */
} pmm_result;

static bool pmm_text_reserve(struct pmm_text *text, size_t more)
{
	size_t room = max(2 * text->room, text->len + more + 1);
	char *buf = NULL;

	if (text->cut)
		return false;
	if (text->len + more < text->room)
		return true;
	if (room <= PMM_RESULT_MAX)
		buf = pmm_may_fail(kvmalloc(room,
					    GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN));
	if (!buf) {
		text->cut = true;
		return false;
	}
	if (text->len)
		memcpy(buf, text->buf, text->len);
	kvfree(text->buf);
	text->buf = buf;
	text->room = room;
	return true;
}

/**
 * pmm_say() - append text to the result
 * @fmt: as for printf
 *
 * When there is no memory for the text, it is dropped, and so is the rest of the line.
 *
 * Context: pmm_command_lock is held; may sleep.
 */
void pmm_say(const char *fmt, ...)
{
	struct pmm_text *text = &pmm_result;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (!pmm_text_reserve(text, len))
		return;
	va_start(args, fmt);
	text->len += vscnprintf(text->buf + text->len, text->room - text->len, fmt, args);
	va_end(args);
}

/**
 * pmm_result_clear() - begin a new result
 *
 * Context: pmm_command_lock is held.
 */
void pmm_result_clear(void)
{
	if (pmm_result.room > PMM_RESULT_KEPT) {
		kvfree(pmm_result.buf);
		pmm_result.buf = NULL;
		pmm_result.room = 0;
	}
	pmm_result.len = 0;
	pmm_result.cut = false;
}

/**
 * pmm_error_name() - the name of an error that a command returns
 * @err: the negative errno
 *
 * Context: Any.
 * Return: The name, such as EINVAL.
 */
const char *pmm_error_name(int err)
{
	switch (-err) {
	case EPERM:	return "EPERM";
	case ENOENT:	return "ENOENT";
	case EIO:	return "EIO";
	case ENXIO:	return "ENXIO";
	case E2BIG:	return "E2BIG";
	case ENOMEM:	return "ENOMEM";
	case EBUSY:	return "EBUSY";
	case EINVAL:	return "EINVAL";
	case ENOSPC:	return "ENOSPC";
	case ERANGE:	return "ERANGE";
	default:	return "EUNKNOWN";
	}
}

/* The error replaces everything that the command has said so far. */
static void pmm_say_error(size_t mark, int err, const char *why)
{
	pmm_result.len = min(pmm_result.len, mark);
	pmm_result.cut = false;
	pmm_say("error %s %s\n", pmm_error_name(err), why[0] ? why : "no memory");
}

/* The command has done its work, but there was no memory for all that it said. */
static void pmm_say_cut(void)
{
	static const char note[] = " (cut: no memory for all of the result)\n";

	pmm_result.cut = false;
	if (pmm_result.len + sizeof(note) > pmm_result.room)
		pmm_result.len -= min(pmm_result.len, sizeof(note));
	pmm_say("%s", note);
}

/**
 * pmm_result_mark() - remember where the outcome of a command begins
 *
 * Context: pmm_command_lock is held.
 * Return: The mark for pmm_result_end().
 */
size_t pmm_result_mark(void)
{
	return pmm_result.len;
}

/**
 * pmm_result_end() - end the line of a command
 * @mark: where the outcome begins; an error replaces all text after it
 * @err: 0 or the negative errno of the command
 * @why: the reason for an error; may be empty when memory was short
 *
 * Context: pmm_command_lock is held; may sleep.
 */
void pmm_result_end(size_t mark, int err, const char *why)
{
	if (err)
		pmm_say_error(mark, err, why);
	else if (pmm_result.cut)
		pmm_say_cut();
	else
		pmm_say("\n");
}

/**
 * pmm_result_print() - print the result of the last write
 * @m: the open file
 *
 * Context: pmm_command_lock is held.
 */
void pmm_result_print(struct seq_file *m)
{
	seq_write(m, pmm_result.buf, pmm_result.len);
}

/**
 * pmm_result_free() - free the memory of the result
 *
 * Context: Process context; the file can no longer be read or written.
 */
void pmm_result_free(void)
{
	kvfree(pmm_result.buf);
}

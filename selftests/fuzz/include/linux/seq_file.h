/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/seq_file.h>: the text is kept where the reader says. */
#ifndef FUZZ_LINUX_SEQ_FILE_H
#define FUZZ_LINUX_SEQ_FILE_H

#include <stdlib.h>
#include <string.h>

struct seq_file {
	char	*text;
	size_t	len;
};

static inline int seq_write(struct seq_file *m, const void *data, size_t len)
{
	m->text = realloc(m->text, m->len + len + 1);
	if (len)
		memcpy(m->text + m->len, data, len);
	m->len += len;
	m->text[m->len] = '\0';
	return 0;
}

#endif /* FUZZ_LINUX_SEQ_FILE_H */

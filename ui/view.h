/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the snapshot behind a large file of debugfs; see lines.c.
 */
#ifndef POCKETMM_VIEW_H
#define POCKETMM_VIEW_H

#include <linux/types.h>

struct seq_file;

/* An open file keeps this from the first line to the last. */
struct pmm_view {
	void		*snapshot;
	unsigned long	nr;
	bool		fresh;		/* nothing of it has been read yet */
};

void *pmm_view_start(struct seq_file *m, loff_t *pos, void *(*take)(unsigned long *nr));
void *pmm_view_next(struct seq_file *m, void *record, loff_t *pos);
void pmm_view_stop(struct seq_file *m, void *record);

#endif /* POCKETMM_VIEW_H */

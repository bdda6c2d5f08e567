/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm: the text that users type and read: the files of debugfs, and numbers.
 */
#ifndef POCKETMM_UI_H
#define POCKETMM_UI_H

#include <linux/types.h>

struct file;
struct inode;
struct seq_file;

/* parse.c: numbers and sizes as users write them */
int pmm_parse_number(const char *text, u64 *value);
int pmm_parse_size(const char *text, u64 *bytes);

/* debugfs.c: the directory and its small files */
void pmm_debugfs_init(void);
void pmm_debugfs_exit(void);

/* lines.c: large files, shown line by line from a snapshot */
extern const struct seq_operations pmm_blocks_ops;
extern const struct seq_operations pmm_page_owner_ops;
extern const struct seq_operations pmm_window_ops;
extern const struct seq_operations pmm_mappings_ops;
extern const struct seq_operations pmm_vmallocinfo_ops;
int pmm_lines_open(struct file *file, const struct seq_operations *lines);
int pmm_lines_release(struct inode *inode, struct file *file);

/* lists.c: two more of them */
extern const struct seq_operations pmm_freelist_ops;
extern const struct seq_operations pmm_pairmap_ops;

/* command.c, mem.c, extfrag.c: files with code of their own */
extern const struct file_operations pmm_command_fops;
extern const struct file_operations pmm_mem_fops;
int pmm_result_show(struct seq_file *m, void *unused);
void pmm_command_exit(void);
int pmm_unusable_show(struct seq_file *m, void *unused);
int pmm_extfrag_show(struct seq_file *m, void *unused);

/* leaks.c: the report at unload */
void pmm_leaks_init(void);
void pmm_leaks_exit(void);
void pmm_report_leaks(void);

#endif /* POCKETMM_UI_H */

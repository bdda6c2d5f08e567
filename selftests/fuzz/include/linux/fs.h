/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/fs.h>: what a file of debugfs is made of. */
#ifndef FUZZ_LINUX_FS_H
#define FUZZ_LINUX_FS_H

#include <linux/types.h>

#define __user

struct inode;

struct file {
	loff_t	f_pos;
};

struct file_operations {
	void	*owner;
	int	(*open)(struct inode *inode, struct file *file);
	ssize_t	(*write)(struct file *file, const char __user *ubuf, size_t count, loff_t *ppos);
	loff_t	(*llseek)(struct file *file, loff_t offset, int whence);
};

static inline int simple_open(struct inode *inode, struct file *file)
{
	return 0;
}

static inline loff_t default_llseek(struct file *file, loff_t offset, int whence)
{
	return -EINVAL;
}

#endif /* FUZZ_LINUX_FS_H */

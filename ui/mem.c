// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: debugfs' file `mem`: the window as a file, as 2.4's /dev/kmem showed vmalloc's.
 *
 * A read or write at a byte offset goes through pmm_vread() or pmm_vwrite(). mmap at the offset of
 * a user area maps it through pmm_remap_vmalloc_range(). Bytes pass through a kernel page, so that
 * nothing faults under the list's lock. To open it takes CAP_SYS_RAWIO, as for /dev/mem,
 * because devices are in the window too. No state and no lock; process context; may sleep.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "host/compat.h"
#include "host/window.h"

static int pmm_mem_open(struct inode *inode, struct file *file)
{
	return capable(CAP_SYS_RAWIO) ? simple_open(inode, file) : -EPERM;
}

static char *pmm_mem_addr(loff_t pos)
{
	return (char *)pmm_window_start() + pos;
}

/* How many of @count bytes lie inside the window and within one page. */
static size_t pmm_mem_piece(loff_t pos, size_t count)
{
	if (pos < 0 || pos >= pmm_window_size())
		return 0;
	return min3(count, (size_t)(pmm_window_size() - pos),
		    (size_t)(PAGE_SIZE - offset_in_page(pos)));
}

/* pmm_vread() stops after the last area. The rest of the window is a hole and reads as zeros. */
static ssize_t pmm_mem_read_piece(char __user *ubuf, char *bounce, loff_t pos, size_t len)
{
	long got = pmm_vread(bounce, pmm_mem_addr(pos), len);

	if (got < 0)
		return got;
	memset(bounce + got, 0, len - got);
	return copy_to_user(ubuf, bounce, len) ? -EFAULT : 0;
}

static ssize_t pmm_mem_write_piece(const char __user *ubuf, char *bounce, loff_t pos, size_t len)
{
	if (copy_from_user(bounce, ubuf, len))
		return -EFAULT;
	return min(pmm_vwrite(bounce, pmm_mem_addr(pos), len), 0L);
}

/* Piece by piece. An error after the first piece shortens the transfer, like a signal. */
static ssize_t pmm_mem_transfer(char __user *ubuf, size_t count, loff_t *ppos, bool write)
{
	char *bounce = pmm_may_fail((char *)__get_free_page(GFP_KERNEL));
	ssize_t done = 0, err = 0;
	size_t len;

	if (!bounce)
		return -ENOMEM;
	while (!err && (len = pmm_mem_piece(*ppos, count - done))) {
		if (write)
			err = pmm_mem_write_piece(ubuf + done, bounce, *ppos, len);
		else
			err = pmm_mem_read_piece(ubuf + done, bounce, *ppos, len);
		if (!err) {
			done += len;
			*ppos += len;
		}
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	free_page((unsigned long)bounce);
	return done ?: err;
}

static ssize_t pmm_mem_read(struct file *file, char __user *ubuf, size_t count, loff_t *ppos)
{
	return pmm_mem_transfer(ubuf, count, ppos, false);
}

static ssize_t pmm_mem_write(struct file *file, const char __user *ubuf, size_t count, loff_t *ppos)
{
	if (count && (*ppos < 0 || *ppos >= pmm_window_size()))
		return -ENOSPC;
	return pmm_mem_transfer((char __user *)ubuf, count, ppos, true);
}

static loff_t pmm_mem_llseek(struct file *file, loff_t offset, int whence)
{
	return fixed_size_llseek(file, offset, whence, pmm_window_size());
}

/* No mapping is executable, and no later mprotect() can make it so. */
static int pmm_mem_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	vm_flags_clear(vma, VM_MAYEXEC);
	if (vma->vm_pgoff >= pmm_window_size() >> PAGE_SHIFT)
		return -EINVAL;
	return pmm_remap_vmalloc_range(vma, pmm_mem_addr((loff_t)vma->vm_pgoff << PAGE_SHIFT), 0);
}

const struct file_operations pmm_mem_fops = {
	.owner	= THIS_MODULE,
	.open	= pmm_mem_open,
	.read	= pmm_mem_read,
	.write	= pmm_mem_write,
	.llseek	= pmm_mem_llseek,
	.mmap	= pmm_mem_mmap,
};

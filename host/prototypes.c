// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the kernel's functions whose arguments are numbers, as pocketmm calls them. There is no
 * code here, and no data.
 *
 * To C one integer is as good as another: alloc_contig_range() took a migrate type, then flags, and
 * compilers accepted the one for the other. So the declarations are repeated here, in the newest
 * spelling. The compiler complains if a type differs in more than its name. scripts/symbols
 * compares the names of types and of parameters as well, and reports functions that are missing
 * here. When it reports a difference, read what the kernel makes of the argument now:
 * docs/porting.md.
 */
#include <linux/capability.h>
#include <linux/cpuhotplug.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/ioport.h>
#include <linux/kallsyms.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/rbtree_augmented.h>
#include <linux/sched/clock.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "host/compat.h"

/* Pages: flags, orders, page frames. */
int alloc_contig_range_noprof(unsigned long start, unsigned long end, acr_flags_t alloc_flags,
			      gfp_t gfp_mask);
void free_contig_range(unsigned long pfn, unsigned long nr_pages);
#ifdef CONFIG_NUMA
struct page *alloc_pages_noprof(gfp_t gfp, unsigned int order);
#endif
unsigned long get_free_pages_noprof(gfp_t gfp_mask, unsigned int order);
void __free_pages(struct page *page, unsigned int order);
void free_pages(unsigned long addr, unsigned int order);
int walk_iomem_res_desc(unsigned long desc, unsigned long flags, u64 start, u64 end, void *arg,
			int (*func)(struct resource *, void *));
int region_intersects(resource_size_t offset, size_t size, unsigned long flags, unsigned long desc);

/* The kernel's own memory: sizes and flags. The kernel's macros fill in the other arguments. */
void *__kmalloc_noprof(DECL_TOKEN_PARAMS(size, token), gfp_t flags);
#ifdef DECL_KMALLOC_PARAMS
void *__kvmalloc_node_noprof(DECL_KMALLOC_PARAMS(size, b, token), unsigned long align, gfp_t flags,
			     int node);
#endif
void __percpu *pcpu_alloc_noprof(size_t size, size_t align, bool reserved, gfp_t gfp);
void *memdup_user_nul(const void __user *src, size_t len);

/* Addresses: flags and protections. */
void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot);
int vm_insert_page(struct vm_area_struct *vma, unsigned long addr, struct page *page);
#ifdef CONFIG_X86_64
pte_t *lookup_address(unsigned long address, unsigned int *level);
#endif
#ifdef CONFIG_ARM64
u64 read_sanitised_ftr_reg(u32 id);
#endif

/* Whether to wait or to call at once, and states of CPUs. */
void on_each_cpu_cond_mask(smp_cond_func_t cond_func, smp_call_func_t func, void *info, bool wait,
			   const struct cpumask *mask);
int __cpuhp_setup_state(enum cpuhp_state state, const char *name, bool invoke,
			int (*startup)(unsigned int cpu), int (*teardown)(unsigned int cpu),
			bool multi_instance);
void __cpuhp_remove_state(enum cpuhp_state state, bool invoke);
bool queue_work_on(int cpu, struct workqueue_struct *wq, struct work_struct *work);
bool queue_delayed_work_on(int cpu, struct workqueue_struct *wq, struct delayed_work *work,
			   unsigned long delay);

/* Files, numbers and stacks. */
bool capable(int cap);
bool file_ns_capable(const struct file *file, struct user_namespace *ns, int cap);
#ifdef debugfs_create_file_aux
struct dentry *debugfs_create_file_full(const char *name, umode_t mode, struct dentry *parent,
					void *data, const void *aux,
					const struct file_operations *fops);
#endif
struct dentry *debugfs_create_file_unsafe(const char *name, umode_t mode, struct dentry *parent,
					  void *data, const struct file_operations *fops);
loff_t fixed_size_llseek(struct file *file, loff_t offset, int whence, loff_t size);
int kstrtoull(const char *s, unsigned int base, unsigned long long *res);
int seq_open_private(struct file *file, const struct seq_operations *ops, int psize);
void seq_put_decimal_ull(struct seq_file *m, const char *delimiter, unsigned long long num);
void seq_putc(struct seq_file *m, char c);
int seq_write(struct seq_file *seq, const void *data, size_t len);
void seq_escape_mem(struct seq_file *m, const char *src, size_t len, unsigned int flags,
		    const char *esc);
int sprint_symbol(char *buffer, unsigned long address);
void *xa_erase(struct xarray *xa, unsigned long index);
void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter);
void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter);
void *xa_load(struct xarray *xa, unsigned long index);
void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
#ifdef CONFIG_STACKDEPOT
depot_stack_handle_t stack_depot_save(unsigned long *entries, unsigned int nr_entries,
				      gfp_t alloc_flags);
unsigned int stack_depot_fetch(depot_stack_handle_t handle, unsigned long **entries);
unsigned int stack_trace_save(unsigned long *store, unsigned int size, unsigned int skipnr);
#endif

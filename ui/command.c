// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: debugfs' files `command` and `result`: both allocators driven from a shell.
 *
 * A write holds one command a line. Each is parsed against a table of words and arguments, then
 * run; its outcome is one line of `result`. What commands allocate is held here under an ID until a
 * command frees it or the module goes.
 *
 * pmm_command_lock serialises writers and protects all state of this file. Process context.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/instruction_pointer.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>
#include <linux/xarray.h>

#include "purge.h"
#include "host/window.h"

#define PMM_COMMAND_MAX		4095	/* bytes in one write */
#define PMM_LINE_MAX		1023	/* bytes in one command */
#define PMM_IDS_MAX		256	/* in one vmap */
#define PMM_RESULT_KEPT		(64 << 10)	/* bytes of memory for the next result */
#define PMM_RESULT_MAX		(64 << 20)	/* bytes; what is beyond is cut off */
#define PMM_HERE		((const void *)_THIS_IP_)

static DEFINE_MUTEX(pmm_command_lock);

/* What commands hold: a block's index and order as a value, an area's address as a pointer. */
static DEFINE_XARRAY(pmm_blocks);
static DEFINE_XARRAY(pmm_areas);
static unsigned long pmm_last_block;
static unsigned long pmm_last_area;
static u64 pmm_sequence;

/* --- the result: text that grows -------------------------------------------------------------- */

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

static __printf(1, 2) void pmm_say(const char *fmt, ...)
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

static void pmm_clear_result(void)
{
	if (pmm_result.room > PMM_RESULT_KEPT) {
		kvfree(pmm_result.buf);
		pmm_result.buf = NULL;
		pmm_result.room = 0;
	}
	pmm_result.len = 0;
	pmm_result.cut = false;
}

static const char *pmm_error_name(int err)
{
	switch (-err) {
	case EPERM:	return "EPERM";
	case ENOENT:	return "ENOENT";
	case EIO:	return "EIO";
	case E2BIG:	return "E2BIG";
	case ENOMEM:	return "ENOMEM";
	case EBUSY:	return "EBUSY";
	case EINVAL:	return "EINVAL";
	case ENOSPC:	return "ENOSPC";
	case ERANGE:	return "ERANGE";
	default:	return "EUNKNOWN";
	}
}

/* --- arguments -------------------------------------------------------------------------------- */

enum pmm_key {
	PMM_ORDER, PMM_COUNT, PMM_GFP, PMM_ZERO, PMM_USER, PMM_BLOCK, PMM_PAGE, PMM_AREA,
	PMM_OFFSET, PMM_SIZE, PMM_PHYS, PMM_SEED, PMM_NTH, PMM_NR_KEYS,
};

/*
 * The arguments of the command that is being run, and the reason if it fails. Protected by
 * pmm_command_lock.
 */
static struct pmm_args {
	unsigned long	given;			/* a bit a key */
	u64		value[PMM_NR_KEYS];
	gfp_t		gfp;
	unsigned int	nr_blocks;
	u64		blocks[PMM_IDS_MAX];	/* of block=, in the order given */
	char		why[160];
} pmm_args;

#define PMM_FAIL(args, err, ...) ({					\
	snprintf((args)->why, sizeof((args)->why), __VA_ARGS__);	\
	err;								\
})

static int pmm_parse_plain(struct pmm_args *args, enum pmm_key key, char *text)
{
	return pmm_parse_number(text, &args->value[key]);
}

/* A size has suffixes; so has an offset, which the same files print. */
static int pmm_parse_bytes(struct pmm_args *args, enum pmm_key key, char *text)
{
	return pmm_parse_size(text, &args->value[key]);
}

/*
 * The page calls take unsigned int; a page's index is held to 32 bits so that no address computed
 * from it wraps.
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

static int pmm_parse_word(struct pmm_args *args, char *word)
{
	char *name = strsep(&word, "=");
	enum pmm_key key;
	int err;

	for (key = 0; key < PMM_NR_KEYS; key++)
		if (!strcmp(name, pmm_keys[key].name))
			break;
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

/* The next word of a line, or NULL; words are parted by any number of spaces and tabs. */
static char *pmm_next_word(char **line)
{
	char *word;

	do {
		word = strsep(line, " \t");
	} while (word && !*word);
	return word;
}

static bool pmm_given(const struct pmm_args *args, enum pmm_key key)
{
	return args->given & BIT(key);
}

/* --- what commands hold ----------------------------------------------------------------------- */

static void *pmm_block_entry(unsigned long index, unsigned int order)
{
	return xa_mk_value(index << 4 | order);
}

static struct page *pmm_block_page(void *entry, unsigned int *order)
{
	*order = xa_to_value(entry) & 0xf;
	return pmm_zone.mem_map + (xa_to_value(entry) >> 4);
}

/* An entry was freed by other words than its ID: forget it. */
static void pmm_forget(struct xarray *held, const void *entry)
{
	unsigned long id;
	void *each;

	xa_for_each(held, id, each)
		if (each == entry)
			xa_erase(held, id);
}

static int pmm_held_block(struct pmm_args *args, unsigned int i, struct page **page,
			  unsigned int *order)
{
	void *entry = xa_load(&pmm_blocks, args->blocks[i]);

	if (!entry)
		return PMM_FAIL(args, -ENOENT, "no block %llu", args->blocks[i]);
	*page = pmm_block_page(entry, order);
	return 0;
}

static int pmm_held_area(struct pmm_args *args, void **addr)
{
	*addr = xa_load(&pmm_areas, args->value[PMM_AREA]);
	if (!*addr)
		return PMM_FAIL(args, -ENOENT, "no area %llu", args->value[PMM_AREA]);
	return 0;
}

/* --- pages ------------------------------------------------------------------------------------ */

static int pmm_alloc_one(gfp_t gfp, unsigned int order)
{
	struct page *page = pmm_alloc_pages(gfp, order);
	unsigned long index;

	if (!page)
		return -ENOMEM;
	index = pmm_page_index(&pmm_zone, page);
	if (pmm_must_fail() ||
	    xa_is_err(xa_store(&pmm_blocks, pmm_last_block + 1, pmm_block_entry(index, order),
			       GFP_KERNEL))) {
		__pmm_free_pages(page, order);
		return -ENOMEM;
	}
	pmm_last_block++;
	pmm_say(" block=%lu page=%lu", pmm_last_block, index);
	return 0;
}

/* Undone in reverse order, allocations leave every list as it was. */
static void pmm_undo_allocs(unsigned long down_to)
{
	for (; pmm_last_block > down_to; pmm_last_block--) {
		unsigned int order;
		struct page *page = pmm_block_page(xa_erase(&pmm_blocks, pmm_last_block), &order);

		__pmm_free_pages(page, order);
	}
}

static int pmm_cmd_alloc(struct pmm_args *args)
{
	u64 order = args->value[PMM_ORDER], count = 1, done;
	gfp_t gfp = args->gfp | (pmm_given(args, PMM_ZERO) ? __GFP_ZERO : 0);
	unsigned long before = pmm_last_block;

	if (pmm_given(args, PMM_COUNT))
		count = args->value[PMM_COUNT];
	if (order >= PMM_MAX_ORDER)
		return PMM_FAIL(args, -EINVAL, "order %llu is not in 0-%d", order,
				PMM_MAX_ORDER - 1);
	if (!count || count > pmm_zone.nr_pages)
		return PMM_FAIL(args, -EINVAL, "count %llu is not in 1-%lu", count,
				pmm_zone.nr_pages);
	for (done = 0; done < count; done++) {
		if (pmm_alloc_one(gfp, order)) {
			pmm_undo_allocs(before);
			return PMM_FAIL(args, -ENOMEM,
					"%llu of %llu blocks could be had, all given back", done,
					count);
		}
		cond_resched();
	}
	return 0;
}

static int pmm_reply_free(struct pmm_args *args, enum pmm_free_result result)
{
	if (pmm_free_errno(result))
		return PMM_FAIL(args, pmm_free_errno(result), "%s", pmm_free_why(result));
	if (result == PMM_FREE_PARKED)
		pmm_say(" parked=1");
	return 0;
}

static int pmm_cmd_free_block(struct pmm_args *args)
{
	unsigned int order;
	struct page *page;
	int err;

	if (args->nr_blocks != 1)
		return PMM_FAIL(args, -EINVAL, "one block at a time");
	err = pmm_held_block(args, 0, &page, &order);
	if (err)
		return err;
	err = pmm_reply_free(args, pmm_free_pages_from(page, order, PMM_USED, _THIS_IP_));
	if (!err)
		xa_erase(&pmm_blocks, args->blocks[0]);
	return err;
}

/* What the user says goes to the free path as it is: to try misuse. */
static int pmm_cmd_free_page(struct pmm_args *args)
{
	unsigned long index = args->value[PMM_PAGE];
	unsigned int order = args->value[PMM_ORDER];
	int err;

	err = pmm_reply_free(args, pmm_free_pages_from(pmm_zone.mem_map + index, order, PMM_USED,
						       _THIS_IP_));
	if (!err)
		pmm_forget(&pmm_blocks, pmm_block_entry(index, order));
	return err;
}

/* --- areas ------------------------------------------------------------------------------------ */

/*
 * Hold a new area under an ID and tell where it is; @offset is that of the first byte asked for
 * within it.
 */
static int pmm_hold_area(struct pmm_args *args, void *addr, unsigned long type,
			 unsigned long offset)
{
	struct pmm_vm_struct vm = { .size = PAGE_SIZE };

	pmm_vmlist_copy(&pmm_vmlist, addr, &vm);
	if (pmm_must_fail() ||
	    xa_is_err(xa_store(&pmm_areas, pmm_last_area + 1, addr, GFP_KERNEL))) {
		pmm_take_down(addr, type, PMM_HERE);
		return PMM_FAIL(args, -ENOMEM, "no memory to remember the area");
	}
	pmm_last_area++;
	pmm_say(" area=%lu offset=%lu size=%lu pages=%lu", pmm_last_area,
		(unsigned long)addr - pmm_window_start() + offset, pmm_area_bytes(&vm),
		pmm_area_bytes(&vm) >> PAGE_SHIFT);
	return 0;
}

static int pmm_fail_area(struct pmm_args *args, int err)
{
	switch (err) {
	case -EINVAL:
		return PMM_FAIL(args, err,
				"size is 0 or beyond the pool, or the address is out of reach");
	case -EPERM:
		return PMM_FAIL(args, err, "RAM is not mapped");
	case -ENOSPC:
		return PMM_FAIL(args, err, "no hole in the window is large enough");
	default:
		return PMM_FAIL(args, err, "not enough memory, %lu pages free",
				pmm_nr_free_pages());
	}
}

static int pmm_cmd_vmalloc(struct pmm_args *args)
{
	bool user = pmm_given(args, PMM_USER), zero = user || pmm_given(args, PMM_ZERO);
	void *addr = pmm_vmalloc_caller(args->value[PMM_SIZE], GFP_KERNEL | (zero ? __GFP_ZERO : 0),
					PAGE_KERNEL, user ? PMM_VM_USERMAP : 0, PMM_HERE);

	if (IS_ERR(addr))
		return pmm_fail_area(args, PTR_ERR(addr));
	return pmm_hold_area(args, addr, PMM_VM_ALLOC, 0);
}

/* All pages of the blocks that the command names, in that order; to be kvfree()d. */
static struct page **pmm_collect_pages(struct pmm_args *args, unsigned int *count)
{
	unsigned int i, order;
	struct page **pages, *page;
	unsigned long j;

	pages = pmm_may_fail(kvmalloc_array(args->nr_blocks, PMM_MAX_ORDER_PAGES * sizeof(*pages),
					    GFP_KERNEL));
	if (!pages)
		return ERR_PTR(PMM_FAIL(args, -ENOMEM, "no memory for the list of pages"));
	*count = 0;
	for (i = 0; i < args->nr_blocks; i++) {
		int err = pmm_held_block(args, i, &page, &order);

		if (err) {
			kvfree(pages);
			return ERR_PTR(err);
		}
		for (j = 0; j < 1UL << order; j++)
			pages[(*count)++] = page + j;
	}
	return pages;
}

static int pmm_cmd_vmap(struct pmm_args *args)
{
	unsigned int count;
	struct page **pages = pmm_collect_pages(args, &count);
	void *addr;

	if (IS_ERR(pages))
		return PTR_ERR(pages);
	addr = pmm_vmap_caller(pages, count, PMM_VM_MAP, PAGE_KERNEL, PMM_HERE);
	kvfree(pages);
	if (IS_ERR(addr))
		return pmm_fail_area(args, PTR_ERR(addr));
	return pmm_hold_area(args, addr, PMM_VM_MAP, 0);
}

static int pmm_cmd_ioremap(struct pmm_args *args)
{
	u64 phys = args->value[PMM_PHYS];
	void *addr = (__force void *)pmm_ioremap_caller(phys, args->value[PMM_SIZE], PMM_HERE);
	unsigned long offset = offset_in_page(phys);

	if (IS_ERR(addr))
		return pmm_fail_area(args, PTR_ERR(addr));
	return pmm_hold_area(args, addr - offset, PMM_VM_IOREMAP, offset);
}

static int pmm_free_area(struct pmm_args *args, const void *addr, unsigned long type)
{
	enum pmm_detach_result result = pmm_take_down(addr, type, PMM_HERE);

	if (pmm_detach_errno(result))
		return PMM_FAIL(args, pmm_detach_errno(result), "%s", pmm_detach_why(result));
	if (result == PMM_DETACH_LATER)
		pmm_say(" deferred=1");
	return 0;
}

static int pmm_free_held_area(struct pmm_args *args, unsigned long type)
{
	void *addr;
	int err = pmm_held_area(args, &addr) ?: pmm_free_area(args, addr, type);

	if (!err)
		xa_erase(&pmm_areas, args->value[PMM_AREA]);
	return err;
}

static int pmm_cmd_vfree(struct pmm_args *args)
{
	return pmm_free_held_area(args, PMM_VM_ALLOC);
}

static int pmm_cmd_vfree_offset(struct pmm_args *args)
{
	void *addr = (void *)(pmm_window_start() + args->value[PMM_OFFSET]);
	int err = pmm_free_area(args, addr, PMM_VM_ALLOC);

	if (!err)
		pmm_forget(&pmm_areas, addr);
	return err;
}

static int pmm_cmd_vunmap(struct pmm_args *args)
{
	return pmm_free_held_area(args, PMM_VM_MAP);
}

static int pmm_cmd_iounmap(struct pmm_args *args)
{
	return pmm_free_held_area(args, PMM_VM_IOREMAP);
}

/*
 * A held area's record, which other users of the module may have freed. Devices are no memory to
 * look into.
 */
static int pmm_memory_area(struct pmm_args *args, struct pmm_vm_struct *vm)
{
	void *addr;
	int err = pmm_held_area(args, &addr);

	if (err)
		return err;
	if (!pmm_vmlist_copy(&pmm_vmlist, addr, vm))
		return PMM_FAIL(args, -ENOENT, "area %llu was freed by somebody else",
				args->value[PMM_AREA]);
	if (vm->flags & PMM_VM_IOREMAP)
		return PMM_FAIL(args, -EINVAL, "area %llu is a device", args->value[PMM_AREA]);
	return 0;
}

static int pmm_cmd_pages(struct pmm_args *args)
{
	struct pmm_vm_struct vm;
	unsigned int i;
	int err = pmm_memory_area(args, &vm);

	for (i = 0; !err && i < vm.nr_pages; i++) {
		struct page *page = pmm_vmalloc_to_page(vm.addr + (i << PAGE_SHIFT));

		if (!page)
			return PMM_FAIL(args, -ENOENT, "the area was freed by somebody else");
		pmm_say("%s%lu", i ? "," : " pages=", pmm_page_index(&pmm_zone, page));
		cond_resched();
	}
	return err;
}

/* --- patterns --------------------------------------------------------------------------------- */

/* The word at a place of the pattern: a mix of seed and place, so that no two pages look alike. */
static u64 pmm_pattern(u64 seed, u64 place)
{
	u64 x = seed + (place + 1) * 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

static void pmm_make_pattern(u64 *page, u64 seed, unsigned long page_nr)
{
	unsigned int i, words = PAGE_SIZE / sizeof(*page);

	for (i = 0; i < words; i++)
		page[i] = pmm_pattern(seed, page_nr * words + i);
}

/*
 * An area is written and read at its window address, a block at its address in the kernel's direct
 * map.
 */
struct pmm_span {
	char		*addr;
	unsigned long	bytes;
	bool		in_window;
};

static int pmm_find_span(struct pmm_args *args, struct pmm_span *span)
{
	struct pmm_vm_struct vm;
	unsigned int order;
	struct page *page;
	int err;

	span->in_window = pmm_given(args, PMM_AREA);
	if (span->in_window) {
		err = pmm_memory_area(args, &vm);
		if (err)
			return err;
		span->addr = vm.addr;
		span->bytes = pmm_area_bytes(&vm) - pmm_area_slack(&vm);
		return 0;
	}
	if (args->nr_blocks != 1)
		return PMM_FAIL(args, -EINVAL, "one block at a time");
	err = pmm_held_block(args, 0, &page, &order);
	if (err)
		return err;
	span->addr = page_address(page);
	span->bytes = PAGE_SIZE << order;
	return 0;
}

static int pmm_compare_page(struct pmm_args *args, const u8 *is, const u8 *should_be,
			    unsigned long page_nr, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		if (is[i] != should_be[i])
			return PMM_FAIL(args, -EIO, "byte %lu is %#x, not %#x",
					(page_nr << PAGE_SHIFT) + i, is[i], should_be[i]);
	return 0;
}

static int pmm_walk_span(struct pmm_args *args, bool write)
{
	char *pattern = pmm_may_fail((char *)__get_free_page(GFP_KERNEL));
	char *found = pmm_may_fail((char *)__get_free_page(GFP_KERNEL));
	struct pmm_span span = { };
	unsigned long i;
	int err = -ENOMEM;

	if (pattern && found)
		err = pmm_find_span(args, &span);
	for (i = 0; !err && i < PFN_UP(span.bytes); i++) {
		char *addr = span.addr + (i << PAGE_SHIFT);
		unsigned int len = min(PAGE_SIZE, span.bytes - (i << PAGE_SHIFT));

		pmm_make_pattern((u64 *)pattern, args->value[PMM_SEED], i);
		if (write && span.in_window) {
			pmm_vwrite(pattern, addr, len);
		} else if (write) {
			memcpy(addr, pattern, len);
		} else if (span.in_window) {
			pmm_vread(found, addr, len);
			err = pmm_compare_page(args, found, pattern, i, len);
		} else {
			err = pmm_compare_page(args, addr, pattern, i, len);
		}
		cond_resched();
	}
	free_page((unsigned long)found);
	free_page((unsigned long)pattern);
	return err;
}

static int pmm_cmd_fill(struct pmm_args *args)
{
	return pmm_walk_span(args, true);
}

static int pmm_cmd_check(struct pmm_args *args)
{
	return pmm_walk_span(args, false);
}

/* --- housekeeping ----------------------------------------------------------------------------- */

/*
 * With purge=eager every free flushes at once, so a purge finds nothing but what atomic contexts
 * left to the worker.
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

/* Areas before blocks, so that no block is still mapped when it is freed. */
static void pmm_release_all(unsigned long *nr_areas, unsigned long *nr_blocks)
{
	unsigned long id;
	void *entry;

	*nr_areas = 0;
	*nr_blocks = 0;
	xa_for_each(&pmm_areas, id, entry) {
		struct pmm_vm_struct vm;

		if (pmm_vmlist_copy(&pmm_vmlist, entry, &vm))
			pmm_take_down(entry,
				      vm.flags & (PMM_VM_ALLOC | PMM_VM_MAP | PMM_VM_IOREMAP),
				      PMM_HERE);
		xa_erase(&pmm_areas, id);
		++*nr_areas;
		cond_resched();
	}
	xa_for_each(&pmm_blocks, id, entry) {
		unsigned int order;
		struct page *page = pmm_block_page(entry, &order);

		__pmm_free_pages(page, order);
		xa_erase(&pmm_blocks, id);
		++*nr_blocks;
		cond_resched();
	}
}

static int pmm_cmd_reset(struct pmm_args *args)
{
	unsigned long nr_areas, nr_blocks;

	pmm_release_all(&nr_areas, &nr_blocks);
	pmm_say(" blocks=%lu areas=%lu", nr_blocks, nr_areas);
	return 0;
}

/* How far the one before still was from failing: who asks with nth=0 learns whether it has. */
static int pmm_cmd_fail(struct pmm_args *args)
{
	pmm_say(" left=%lu", pmm_fail_nth(args->value[PMM_NTH]));
	return 0;
}

/* --- the table, and running a line of it ------------------------------------------------------ */

#define PMM_HAS(key)	BIT(PMM_##key)

/* A command with two forms has two rows; the arguments given tell them apart. */
static const struct pmm_command {
	const char	*name;
	unsigned long	need;
	unsigned long	may;
	int		(*run)(struct pmm_args *args);
} pmm_commands[] = {
	{ "alloc", PMM_HAS(ORDER), PMM_HAS(COUNT) | PMM_HAS(GFP) | PMM_HAS(ZERO), pmm_cmd_alloc },
	{ "free", PMM_HAS(BLOCK), 0, pmm_cmd_free_block },
	{ "free", PMM_HAS(PAGE) | PMM_HAS(ORDER), 0, pmm_cmd_free_page },
	{ "vmalloc", PMM_HAS(SIZE), PMM_HAS(ZERO) | PMM_HAS(USER), pmm_cmd_vmalloc },
	{ "vfree", PMM_HAS(AREA), 0, pmm_cmd_vfree },
	{ "vfree", PMM_HAS(OFFSET), 0, pmm_cmd_vfree_offset },
	{ "vmap", PMM_HAS(BLOCK), 0, pmm_cmd_vmap },
	{ "vunmap", PMM_HAS(AREA), 0, pmm_cmd_vunmap },
	{ "ioremap", PMM_HAS(PHYS) | PMM_HAS(SIZE), 0, pmm_cmd_ioremap },
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
	return cmd ? cmd->run(args) : -EINVAL;
}

/* Refuse what could not be shown in `result` as it is; it is shown with question marks. */
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

/* The outcome replaces whatever the command had begun to say. */
static void pmm_say_error(struct pmm_args *args, size_t mark, int err)
{
	pmm_result.len = min(pmm_result.len, mark);
	pmm_result.cut = false;
	pmm_say("error %s %s\n", pmm_error_name(err), args->why[0] ? args->why : "no memory");
}

/* The command has done its work, but there is no room for all that it said. */
static void pmm_say_cut(void)
{
	static const char note[] = " (cut: no memory for all of the result)\n";

	pmm_result.cut = false;
	if (pmm_result.len + sizeof(note) > pmm_result.room)
		pmm_result.len -= min(pmm_result.len, sizeof(note));
	pmm_say("%s", note);
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
	mark = pmm_result.len;
	if (!err) {
		pmm_say("ok");
		err = pmm_parse_and_run(args, line);
	}
	if (err)
		pmm_say_error(args, mark, err);
	else if (pmm_result.cut)
		pmm_say_cut();
	else
		pmm_say("\n");
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

/* @text is NULL when there was too much of it. */
static int pmm_run_write(char *text, size_t count, loff_t pos)
{
	pmm_clear_result();
	if (pos)
		return pmm_refuse_write(-EINVAL,
					"not at the start of the file: one write for each open");
	if (!text)
		return pmm_refuse_write(-E2BIG, "more than 4095 bytes in one write");
	return pmm_run_lines(text, count);
}

/*
 * Both who writes and who opened the file: an open file that is passed on gives the one no rights,
 * and cannot be slipped to a privileged program for the other to write to.
 */
static bool pmm_may_command(const struct file *file)
{
	return capable(CAP_SYS_ADMIN) && file_ns_capable(file, &init_user_ns, CAP_SYS_ADMIN);
}

static ssize_t pmm_command_write(struct file *file, const char __user *ubuf, size_t count,
				 loff_t *ppos)
{
	char *text = NULL;
	int err;

	if (!pmm_may_command(file))
		return -EPERM;
	if (!count)
		return 0;
	if (count <= PMM_COMMAND_MAX)
		text = pmm_must_fail() ? ERR_PTR(-ENOMEM) : memdup_user_nul(ubuf, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	err = mutex_lock_interruptible(&pmm_command_lock);
	if (!err) {
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
 * pmm_result_show() - debugfs' file `result`: a line for each command of the last write
 * @m: where to
 * @unused: not used
 *
 * Context: Process context; waits for a write that is running.
 * Return: 0 or -EINTR.
 */
int pmm_result_show(struct seq_file *m, void *unused)
{
	if (mutex_lock_interruptible(&pmm_command_lock))
		return -EINTR;
	seq_write(m, pmm_result.buf, pmm_result.len);
	mutex_unlock(&pmm_command_lock);
	return 0;
}

/**
 * pmm_command_exit() - free what commands still hold
 *
 * Context: Process context; nobody can write commands any more.
 */
void pmm_command_exit(void)
{
	unsigned long nr_areas, nr_blocks;

	pmm_release_all(&nr_areas, &nr_blocks);
	if (nr_areas || nr_blocks)
		pr_info("freed %lu blocks and %lu areas that commands still held\n", nr_blocks,
			nr_areas);
	xa_destroy(&pmm_areas);
	xa_destroy(&pmm_blocks);
	kvfree(pmm_result.buf);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm's client module: what its files share.
 *
 * A case is a function that runs in process context with nobody else using the pool. Its checks
 * say what was expected and what came into `results`; one reader at a time.
 */
#ifndef POCKETMM_CLIENT_H
#define POCKETMM_CLIENT_H

#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/types.h>

#include "host/struct_page.h"
#include "pocketmm.h"

struct client_case {
	const char	*name;
	void		(*run)(void);
};

/* Each ends with an entry without a name. */
extern const struct client_case client_page_cases[];
extern const struct client_case client_gfp_cases[];
extern const struct client_case client_area_cases[];
extern const struct client_case client_huge_cases[];
extern const struct client_case client_protection_cases[];
extern const struct client_case client_ram_cases[];
extern const struct client_case client_misuse_cases[];
extern const struct client_case client_fault_cases[];
extern const struct client_case client_context_cases[];

/* Each of these has a file of its own, and all but the first leave a pool without a window. */
extern const struct client_case client_lost_cases[];

/* These too; most of them cost the pool a block. */
extern const struct client_case client_stray_cases[];

/* main.c: what the pool goes by */
extern bool client_pcp;
extern bool client_lazy;
extern bool client_modern;
extern bool client_tree;

/*
 * A device whose registers may be read, up to the end of a page even of 16 KiB, and with nothing
 * but devices in the pages behind it: the HPET of a PC, or the 32 virtio transports of QEMU's virt
 * machine. Both say who they are, which never changes. On arm64 an address with nothing behind it
 * would be an external abort.
 */
#ifdef CONFIG_ARM64
#define CLIENT_DEVICE		0x0a000000UL
#define CLIENT_DEVICE_ID	0
#else
#define CLIENT_DEVICE		0xfed00000UL
#define CLIENT_DEVICE_ID	0
#endif

/* tables.c: what the page tables say of an address; at level 0 there is nothing */
enum { CLIENT_PTE = 1, CLIENT_PMD = 2 };

struct client_entry {
	unsigned int	level;
	bool		present, executable, user;
	u64		value;		/* the whole entry */
	u64		cache;		/* how the processor caches what is mapped there */
};

struct client_entry client_entry_of(const void *addr);

bool client_check(bool holds, const char *file, int line, const char *what, long long got,
		  long long expected);
void client_skip(const char *why);

/* How many hold a page of the pool, beside the pool itself. */
static inline int client_holders(const struct page *page)
{
	return page_ref_count(page) - PMM_PAGE_REFS;
}

/* Each yields whether it held, and evaluates its arguments once. */
#define CHECK_EQ(got, expected) ({							\
	long long __got = (long long)(got), __expected = (long long)(expected);		\
	client_check(__got == __expected, __FILE__, __LINE__, #got, __got, __expected);	\
})

#define CHECK(condition) ({								\
	bool __got = (condition);							\
	client_check(__got, __FILE__, __LINE__, #condition, __got, true);		\
})

/* areas.c: 0, or -EFAULT where a load would fault; whether a store does */
int client_peek(const void *addr);
bool client_store_faults(void *addr);
void client_check_gone(char *addr, unsigned long nr_pages);

/* pages.c: @nr_pages pages are free now, or within some seconds */
bool client_comes_to_be_free(unsigned long nr_pages);

/* ram.c: maps and unmaps so often, with many mappings at a time */
int client_map_ram(unsigned long times);

/* damage.c */
int client_write_freed(unsigned int offset, u8 change);
int client_write_behind(unsigned long size, unsigned long behind);

/* stray.c */
int client_give_away(unsigned long nr);
unsigned long client_nr_taken(void);

/* stress.c */
int client_stress_start(void);
void client_stress_stop(void);
int client_storm(u64 ops);
void client_stress_show(struct seq_file *m);

/* irqs.c: three files, and their end */
extern const struct file_operations client_irqs_fops;
extern const struct file_operations client_half_fops;
extern const struct file_operations client_parked_fops;
void client_irqs_stop(void);

#endif /* POCKETMM_CLIENT_H */

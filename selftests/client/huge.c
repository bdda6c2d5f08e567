// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: areas of 512 pages and more. In era modern they are mapped by an entry
 * for each largest block where the pool has whole ones and a page table is as large (with pages of
 * 4 KiB), and otherwise page by page; nothing else may differ.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "client.h"

#define HUGE_PAGES	(1UL << (PMM_MAX_ORDER - 1))
#define HUGE_SIZE	(HUGE_PAGES * PAGE_SIZE)

static bool leaves_possible(void)
{
	return client_modern && HUGE_SIZE == PMD_SIZE;
}

static unsigned int level_of(const void *addr)
{
	struct client_entry entry = client_entry_of(addr);

	CHECK(entry.level && !entry.executable && !entry.user);
	return entry.level;
}

/* Both walks agree, each page has its own count, and a write here is seen in the direct map. */
static void check_area(char *addr, unsigned long nr_pages)
{
	unsigned long i;

	for (i = 0; i < nr_pages; i++) {
		char *at = addr + i * PAGE_SIZE;
		struct page *page = vmalloc_to_page(at + i);

		if (!CHECK(page) || !CHECK(page == pmm_vmalloc_to_page(at + i)))
			return;
		CHECK_EQ(client_holders(page), 0);
		*(u64 *)at = (unsigned long)at;
		CHECK_EQ(*(u64 *)page_address(page), (unsigned long)at);
	}
	CHECK_EQ(client_peek(addr + nr_pages * PAGE_SIZE - 1), 0);
	CHECK_EQ(client_peek(addr + nr_pages * PAGE_SIZE), -EFAULT);
	CHECK_EQ(pmm_find_vm_area(addr)->size, (nr_pages + 1) * PAGE_SIZE);
}

/* Two largest blocks and a rest. */
static void test_huge(void)
{
	unsigned long before = pmm_nr_free_pages(), nr_pages = 2 * HUGE_PAGES + 3;
	unsigned int large = leaves_possible() ? CLIENT_PMD : CLIENT_PTE;
	char *addr = pmm_vmalloc(nr_pages * PAGE_SIZE);

	if (!CHECK(addr))
		return;
	CHECK_EQ(pmm_nr_free_pages(), before - nr_pages);
	CHECK(!leaves_possible() || IS_ALIGNED((unsigned long)addr, PMD_SIZE));
	CHECK_EQ(level_of(addr), large);
	CHECK_EQ(level_of(addr + 2 * HUGE_SIZE - 1), large);
	CHECK_EQ(level_of(addr + 2 * HUGE_SIZE), CLIENT_PTE);
	check_area(addr, nr_pages);
	pmm_vfree(addr);
	CHECK_EQ(pmm_nr_free_pages(), before);
	client_check_gone(addr, nr_pages);
}

/* The end of a largest block is nothing to those who read and write across it. */
static void test_across(void)
{
	char *addr = pmm_vzalloc(HUGE_SIZE + PAGE_SIZE), text[16] = "across blocks", back[16];

	if (!CHECK(addr))
		return;
	CHECK(!memchr_inv(addr, 0, HUGE_SIZE + PAGE_SIZE));
	CHECK_EQ(pmm_vwrite(text, addr + HUGE_SIZE - 5, sizeof(text)), sizeof(text));
	CHECK_EQ(pmm_vread(back, addr + HUGE_SIZE - 5, sizeof(back)), sizeof(back));
	CHECK(!memcmp(text, back, sizeof(text)));
	CHECK(!memcmp(text, addr + HUGE_SIZE - 5, sizeof(text)));
	CHECK(!memcmp(text + 5, page_address(vmalloc_to_page(addr + HUGE_SIZE)), sizeof(text) - 5));
	pmm_vfree(addr);
}

/* Where a largest block was mapped at once small areas live as before, and the other way round. */
static void test_reused(void)
{
	char *addr = pmm_vmalloc(HUGE_SIZE), *small, *again;

	if (!CHECK(addr))
		return;
	memset(addr, 0x5a, HUGE_SIZE);
	pmm_vfree(addr);
	pmm_vm_unmap_aliases();
	small = pmm_vmalloc(3 * PAGE_SIZE);
	CHECK_EQ(level_of(small), CLIENT_PTE);
	check_area(small, 3);
	again = pmm_vmalloc(HUGE_SIZE);
	CHECK(again && again != small);
	check_area(again, HUGE_PAGES);
	pmm_vfree(small);
	pmm_vfree(again);
	pmm_vm_unmap_aliases();
	again = pmm_vmalloc(HUGE_SIZE);
	CHECK(again == addr);
	check_area(again, HUGE_PAGES);
	pmm_vfree(again);
}

static void test_protection(void)
{
	char *addr = __pmm_vmalloc(HUGE_SIZE, GFP_KERNEL | __GFP_ZERO, PAGE_KERNEL_RO);

	if (!CHECK(addr))
		return;
	CHECK_EQ(client_peek(addr), 0);
	CHECK(client_store_faults(addr));
	CHECK(client_store_faults(addr + HUGE_SIZE - 8));
	pmm_vfree(addr);
}

/* An entry that allows nothing is a leaf all the same: once it is gone a table is back in place. */
static void test_no_access(void)
{
	char *addr = __pmm_vmalloc(HUGE_SIZE, GFP_KERNEL, PAGE_NONE), *small;

	if (!CHECK(addr))
		return;
	CHECK_EQ(client_peek(addr), -EFAULT);
	pmm_vfree(addr);
	client_check_gone(addr, HUGE_PAGES);
	small = pmm_vmalloc(3 * PAGE_SIZE);
	CHECK(small == addr);
	check_area(small, 3);
	pmm_vfree(small);
}

#ifdef CONFIG_KPROBES
static const void *probed_addr;
static unsigned int probed_flushes, probed_present;

static int probe_flush(struct kprobe *probe, struct pt_regs *regs)
{
	probed_flushes++;
	if (client_entry_of(probed_addr).level)
		probed_present++;
	return 0;
}

static char *probed_vmalloc(const void *addr)
{
	static struct kprobe probe = {
		.symbol_name = "pmm_window_flush", .pre_handler = probe_flush,
	};
	char *area = NULL;

	probe.addr = NULL;
	probe.flags = 0;
	probed_addr = addr;
	probed_flushes = 0;
	probed_present = 0;
	if (CHECK_EQ(register_kprobe(&probe), 0)) {
		area = pmm_vmalloc(HUGE_SIZE);
		unregister_kprobe(&probe);
	}
	return area;
}

/*
 * Break before make: neither a table nor a leaf is there while the TLBs are flushed. No emulator
 * shows what a processor makes of an entry that changes from the one to the other at once.
 */
static void test_break_before_make(void)
{
	char *addr = pmm_vmalloc(HUGE_SIZE), *small;

	if (!leaves_possible() || !CHECK(addr)) {
		pmm_vfree(addr);
		client_skip("no entry maps a largest block");
		return;
	}
	pmm_vfree(addr);
	pmm_vm_unmap_aliases();
	small = pmm_vmalloc(PAGE_SIZE);
	CHECK(small == addr);
	CHECK_EQ(client_entry_of(addr).level, CLIENT_PTE);
	pmm_vfree(small);
	pmm_vm_unmap_aliases();
	small = probed_vmalloc(addr);
	CHECK(small == addr);
	CHECK_EQ(client_entry_of(addr).level, CLIENT_PMD);
	CHECK_EQ(probed_flushes, 1);
	CHECK_EQ(probed_present, 0);
	pmm_vfree(small);
}
#else
static void test_break_before_make(void)
{
	client_skip("the kernel has no kprobes");
}
#endif

/* One page taken out of every largest block: the area is of single pages, and as good. */
static void test_no_whole_block(void)
{
	unsigned long nr = pmm_nr_free_pages(), i, kept = 0;
	struct page **pages = kvcalloc(nr, sizeof(*pages), GFP_KERNEL);
	char *addr;

	if (!CHECK(pages))
		return;
	CHECK_EQ(pmm_alloc_pages_bulk(GFP_KERNEL, nr, pages), nr);
	for (i = 0; i < nr; i++) {
		struct page *page = pages[i];

		pages[i] = NULL;
		if (page_to_pfn(page) % HUGE_PAGES == 7)
			pages[kept++] = page;
		else
			pmm_free_pages_bulk(1, &page);
	}
	addr = pmm_vmalloc(HUGE_SIZE + 5 * PAGE_SIZE);
	if (CHECK(addr)) {
		CHECK_EQ(level_of(addr), CLIENT_PTE);
		check_area(addr, HUGE_PAGES + 5);
	}
	pmm_vfree(addr);
	pmm_free_pages_bulk(kept, pages);
	kvfree(pages);
}

/* A page of a largest block may outlive its area like any other. */
static void test_parked(void)
{
	unsigned long before = pmm_nr_free_pages();
	char *addr = pmm_vmalloc(HUGE_SIZE);
	struct page *page;

	if (!CHECK(addr))
		return;
	page = vmalloc_to_page(addr + 100 * PAGE_SIZE);
	get_page(page);
	pmm_vfree(addr);
	CHECK_EQ(pmm_nr_free_pages(), before - 1);
	put_page(page);
	CHECK(client_comes_to_be_free(before));
}

/* A leaf may take a flush, which waits for other CPUs: who must not wait gets small pages. */
static void test_atomic(void)
{
	unsigned long nr_pages = 2 * HUGE_PAGES, before = pmm_nr_free_pages();
	char *addr = __pmm_vmalloc(nr_pages * PAGE_SIZE, GFP_NOWAIT, PAGE_KERNEL);

	if (!CHECK(addr))
		return;
	CHECK_EQ(level_of(addr), CLIENT_PTE);
	check_area(addr, nr_pages);
	pmm_vfree(addr);
	CHECK_EQ(pmm_nr_free_pages(), before);
}

const struct client_case client_huge_cases[] = {
	{ "huge: two largest blocks and a rest, by both walks", test_huge },
	{ "huge: zeroed, read and written across blocks", test_across },
	{ "huge: large and small areas at the same address", test_reused },
	{ "huge: read-only means read-only", test_protection },
	{ "huge: no access", test_no_access },
	{ "huge: no table and no leaf while a flush goes on", test_break_before_make },
	{ "huge: without whole blocks page by page", test_no_whole_block },
	{ "huge: who must not wait gets small pages", test_atomic },
	{ "huge: one of its pages is parked until it is let go", test_parked },
	{ }
};

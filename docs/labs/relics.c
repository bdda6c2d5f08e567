// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mistakes that old kernels made, or let others make, for lab 11: the steps of Linux 2.4.22's buddy
 * allocator and list of areas, and of 2.6.28's vfree, retold small in user space, without what
 * pocketmm adds. Each does what those kernels did: nothing is staged.
 *
 *	relics buddy STEP...	16 pages; alloc, alloc=ORDER, free=PAGE, free=PAGE/ORDER
 *	relics area PAGES...	a window of 256 pages; areas of these sizes and a guard page each
 *	relics vfree STEP...	vmalloc, vfree=AREA, purge
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NR_PAGES	16
#define MAX_ORDER	5
#define WINDOW_PAGES	256
#define NR_AREAS	8

static void fail(const char *what)
{
	fprintf(stderr, "relics: %s\n", what);
	exit(2);
}

/* The number behind a character of a step, or what there is without one. */
static long number_after(const char *step, char mark, long otherwise)
{
	const char *at = strchr(step, mark);

	return at ? strtol(at + 1, NULL, 10) : otherwise;
}

/* --- 2.4.22, mm/page_alloc.c: lists, pair bits and a count a page, and nothing else ---------- */

struct link {
	struct link *next, *prev;
};

struct page {
	struct link list;
	int count;
};

static struct page mem_map[NR_PAGES];
static char memory[NR_PAGES];		/* each page has room for its owner's initial */

static struct {
	struct link free_list;
	unsigned int map;
} free_area[MAX_ORDER];

/* The block that each owner was given: A, B, C and so on, in this order. */
static struct {
	long page, order;
} owners[26];

static int nr_owners;

static void link_add(struct link *new, struct link *head)
{
	new->next = head->next;
	new->prev = head;
	head->next->prev = new;
	head->next = new;
}

static void link_del(struct link *old)
{
	old->next->prev = old->prev;
	old->prev->next = old->next;
	old->next = NULL;
	old->prev = NULL;
}

static long index_of(struct link *list)
{
	return (struct page *)list - mem_map;
}

/* Flip a pair's bit, and say what it was. */
static unsigned int flip(long index, long order)
{
	unsigned int bit = 1U << (index >> (1 + order)), was = free_area[order].map & bit;

	free_area[order].map ^= bit;
	return was;
}

/* rmqueue() and expand(): the lower half goes on the list, on with the upper. */
static long take_block(long order)
{
	long high = order, index;

	while (high < MAX_ORDER && free_area[high].free_list.next == &free_area[high].free_list)
		high++;
	if (high >= MAX_ORDER)
		return -1;
	index = index_of(free_area[high].free_list.next);
	link_del(&mem_map[index].list);
	if (high != MAX_ORDER - 1)
		flip(index, high);
	while (high-- > order) {
		link_add(&mem_map[index].list, &free_area[high].free_list);
		flip(index, high);
		index += 1 << high;
	}
	mem_map[index].count = 1;
	return index;
}

/* __free_pages_ok(): the pair bit is all that it asks. */
static void put_block(long index, long order)
{
	while (order < MAX_ORDER - 1 && flip(index, order)) {
		link_del(&mem_map[index ^ (1 << order)].list);
		index &= ~(1L << order);
		order++;
	}
	link_add(&mem_map[index].list, &free_area[order].free_list);
}

/* __free_pages(): the caller that drops the last reference frees. */
static void free_pages(long index, long order)
{
	if (index < 0 || order < 0 || order >= MAX_ORDER || index + (1L << order) > NR_PAGES)
		fail("no such block");
	if (--mem_map[index].count == 0)
		put_block(index, order);
}

static void show_lists(const char *step, const char *outcome)
{
	struct link *head, *at;
	int order;

	printf("%-9s %-16s free:", step, outcome);
	for (order = 0; order < MAX_ORDER; order++) {
		head = &free_area[order].free_list;
		for (at = head->next; at != head; at = at->next)
			printf(" %ld/%d", index_of(at), order);
	}
	printf("\n");
}

static void buddy_alloc(const char *step)
{
	long order = number_after(step, '=', 0), index, i;
	char outcome[32] = "-> none";

	if (order < 0 || order >= MAX_ORDER || nr_owners == 26)
		fail("no such order, or too many owners");
	index = take_block(order);
	if (index >= 0) {
		owners[nr_owners].page = index;
		owners[nr_owners].order = order;
		for (i = index; i < index + (1 << order); i++)
			memory[i] = 'A' + nr_owners;
		snprintf(outcome, sizeof(outcome), "-> %c has %ld/%ld", 'A' + nr_owners++, index,
			 order);
	}
	show_lists(step, outcome);
}

/* What each owner wrote, and what stands there now. */
static void show_owners(void)
{
	long i;
	int who;

	for (who = 0; who < nr_owners; who++) {
		printf("%c wrote %c, and reads: ", 'A' + who, 'A' + who);
		for (i = 0; i < 1 << owners[who].order; i++)
			putchar(memory[owners[who].page + i]);
		printf("\n");
	}
}

static void buddy(char **steps)
{
	long i;

	for (i = 0; i < MAX_ORDER; i++) {
		free_area[i].free_list.next = &free_area[i].free_list;
		free_area[i].free_list.prev = &free_area[i].free_list;
	}
	for (i = 0; i < NR_PAGES; i++)
		put_block(i, 0);
	for (; *steps; steps++) {
		if (!strncmp(*steps, "alloc", 5)) {
			buddy_alloc(*steps);
		} else {
			free_pages(number_after(*steps, '=', -1), number_after(*steps, '/', 0));
			show_lists(*steps, "");
		}
	}
	show_owners();
}

/* --- mm/vmalloc.c, in pages; the window begins at address 1000 ------------------------------- */

struct area {
	unsigned long addr, size;
	struct area *next;
	int in_tree;			/* 2.6.28: its addresses wait for a purge, or are in use */
};

#define WINDOW_START	1000UL
#define WINDOW_END	(WINDOW_START + WINDOW_PAGES)

static struct area areas[NR_AREAS], *vmlist;
static int nr_areas;

/* 2.4.22's get_vm_area(): the end of the window is checked after each area that it passes. */
static struct area *get_vm_area(unsigned long size)
{
	struct area **p, *at, *area;
	unsigned long addr = WINDOW_START;

	if (nr_areas == NR_AREAS)
		fail("too many areas");
	size++;
	for (p = &vmlist; (at = *p); p = &at->next) {
		if (addr + size <= at->addr)
			break;
		addr = at->addr + at->size;
		if (addr > WINDOW_END - size)
			return NULL;
	}
	area = &areas[nr_areas++];
	*area = (struct area){ .addr = addr, .size = size, .next = *p, .in_tree = 1 };
	*p = area;
	return area;
}

static void area(char **sizes)
{
	struct area *area;

	printf("the window has the pages %lu to %lu\n", WINDOW_START, WINDOW_END - 1);
	for (; *sizes; sizes++) {
		area = get_vm_area(strtoul(*sizes, NULL, 10));
		if (area)
			printf("%s pages: %lu to %lu\n", *sizes, area->addr,
			       area->addr + area->size - 1);
		else
			printf("%s pages: no room\n", *sizes);
	}
}

static void show_passed(const struct area *at)
{
	if (at)
		printf(" %ld,", (long)(at - areas));
	else
		printf(" the last, and behind that:\n");
}

/*
 * 2.6.28's remove_vm_area(): found in the tree, where it stays until the purge; then looked for on
 * the list, where it is taken for granted.
 */
static void lazy_vfree(long number)
{
	struct area *area = &areas[number], **p;

	if (number < 0 || number >= nr_areas || !area->in_tree) {
		printf("vfree %ld: nonexistent vm area\n", number);
		return;
	}
	printf("vfree %ld: in the tree; on the list it stands behind", number);
	for (p = &vmlist; *p != area; p = &(*p)->next)
		show_passed(*p);
	*p = area->next;
	printf(" taken off\n");
}

static void lazy_purge(void)
{
	struct area *at;
	int i, listed;

	for (i = 0; i < nr_areas; i++) {
		for (listed = 0, at = vmlist; at; at = at->next)
			listed |= at == &areas[i];
		areas[i].in_tree = listed;
	}
	printf("purge: what is freed leaves the tree\n");
}

static void lazy(char **steps)
{
	for (; *steps; steps++) {
		if (!strcmp(*steps, "vmalloc"))
			printf("vmalloc: area %ld\n", (long)(get_vm_area(1) - areas));
		else if (!strcmp(*steps, "purge"))
			lazy_purge();
		else
			lazy_vfree(number_after(*steps, '=', -1));
	}
}

int main(int argc, char **argv)
{
	/* Output is never lost, even if the program ends in the middle of a line. */
	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc < 3)
		fail("usage: relics buddy|area|vfree STEP...; relics.c says which steps");
	if (!strcmp(argv[1], "buddy"))
		buddy(argv + 2);
	else if (!strcmp(argv[1], "area"))
		area(argv + 2);
	else if (!strcmp(argv[1], "vfree"))
		lazy(argv + 2);
	else
		fail("buddy, area or vfree");
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Native: an allocator that is a bitmap under a lock: a bit for each page, 1 while it is free. The
 * search goes on where the last one ended. It checks nothing but that what comes back was out.
 */
#include <string.h>

#include "native.h"
#include "shim.h"

#define WORD_PAGES	64UL
#define NR_WORDS	(NATIVE_PAGES / WORD_PAGES)

static struct {
	spinlock_t	lock;	/* protects the rest */
	unsigned long	next;	/* the word to look at first */
	u64	words[NR_WORDS];
} map;

/* Of the aligned groups of 1, 2, 4, ... 32 bits, the lowest bit of each. */
static const u64 group_starts[] = {
	~0ULL, 0x5555555555555555ULL, 0x1111111111111111ULL, 0x0101010101010101ULL,
	0x0001000100010001ULL, 0x0000000100000001ULL,
};

/* The lowest bits of the groups that are all ones. */
static inline u64 whole_groups(u64 word, unsigned int order)
{
	unsigned int i;

	for (i = 0; i < order; i++)
		word &= word >> (1U << i);
	return word & group_starts[order];
}

static inline bool take_in_word(unsigned long at, unsigned int order, unsigned long *page)
{
	u64 groups = whole_groups(map.words[at], order);
	unsigned int bit;

	if (!groups)
		return false;
	bit = __builtin_ctzll(groups);
	map.words[at] &= ~(((1ULL << (1U << order)) - 1) << bit);
	*page = at * WORD_PAGES + bit;
	map.next = at;
	return true;
}

static inline bool take_words(unsigned long at, unsigned int order, unsigned long *page)
{
	unsigned long nr = (1UL << order) / WORD_PAGES, i;

	for (i = 0; i < nr; i++)
		if (map.words[at + i] != ~0ULL)
			return false;
	memset(map.words + at, 0, nr * sizeof(map.words[0]));
	*page = at * WORD_PAGES;
	map.next = (at + nr) % NR_WORDS;
	return true;
}

/* A page's number, and 1, stand for its address. */
static inline void *take(unsigned int order)
{
	unsigned long step = order < 6 ? 1 : (1UL << order) / WORD_PAGES, page = 0, i;
	bool found = false;

	shim_lock(&map.lock, true);
	for (i = 0; i < NR_WORDS && !found; i += step) {
		unsigned long at = ((map.next & -step) + i) % NR_WORDS;

		found = order < 6 ? take_in_word(at, order, &page) : take_words(at, order, &page);
	}
	shim_unlock(&map.lock, true);
	return found ? (void *)(page + 1) : NULL;
}

static inline void give(void *block, unsigned int order)
{
	unsigned long page = (unsigned long)block - 1, at = page / WORD_PAGES;
	u64 bits;

	shim_lock(&map.lock, true);
	if (order < 6) {
		bits = ((1ULL << (1U << order)) - 1) << page % WORD_PAGES;
		shim_assert(!(map.words[at] & bits), "page %lu is free already", page);
		map.words[at] |= bits;
	} else {
		memset(map.words + at, 0xff, (1UL << order) / 8);
	}
	shim_unlock(&map.lock, true);
}

#include "workloads.h"

static void init(void)
{
	map.lock.word = 0;
	map.next = 0;
	memset(map.words, 0xff, sizeof(map.words));
}

static const char *check(void)
{
	unsigned long at;

	for (at = 0; at < NR_WORDS; at++)
		if (map.words[at] != ~0ULL)
			return "pages are missing";
	return NULL;
}

const struct native_allocator native_bitmap = {
	.name = "bitmap", .largest = 9, .threads = NATIVE_THREADS,
	.init = init, .run = run, .check = check,
};

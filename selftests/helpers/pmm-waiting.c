// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmm-waiting FROM TO FILE [PARAMETER=VALUE]...: insmod of FILE while one page of this process
 * waits for the kernel's LRU lists on this CPU, at a physical address between FROM and TO.
 *
 * A page that was touched for the first time waits there until there are enough of them. Until then
 * the kernel does not know that it can be moved. Says 'ok' or the name of insmod's errno; 'no page'
 * when none could be brought there, with exit status 2.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PFN_BITS	((1UL << 55) - 1)	/* of an entry of pagemap */
#define KPF_LRU		5			/* linux/kernel-page-flags.h */
#define LOW		(1UL << 32)
#define TRIES		100

static unsigned long from, to;
static long page_size;
static int pagemap, kpageflags;

static unsigned long number_at(int fd, unsigned long index)
{
	unsigned long value = 0;

	return pread(fd, &value, sizeof(value), index * sizeof(value)) == sizeof(value) ? value : 0;
}

static unsigned long frame_of(const char *page)
{
	return number_at(pagemap, (unsigned long)page / page_size) & PFN_BITS;
}

static int is_between(const char *page)
{
	unsigned long phys = frame_of(page) * page_size;

	return phys >= from && phys < to;
}

static int is_waiting(const char *page)
{
	return is_between(page) && !(number_at(kpageflags, frame_of(page)) >> KPF_LRU & 1);
}

static int is_low(const char *page)
{
	return frame_of(page) * page_size < LOW;
}

/* The pages above 4 GiB stay taken, because the kernel would rather give out these. */
static void give_back_low(char *page, const char *end)
{
	char *run;

	for (run = page; page < end; page += page_size) {
		if (is_low(page))
			continue;
		if (page > run)
			madvise(run, page - run, MADV_DONTNEED);
		run = page + page_size;
	}
	if (page > run)
		madvise(run, page - run, MADV_DONTNEED);
}

static char *map_pages(size_t length)
{
	char *map = mmap(NULL, length, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return map == MAP_FAILED ? NULL : map;
}

/* Takes page after page until one lies there, and gives the low ones back, that one last. */
static int free_one(size_t length)
{
	char *map = map_pages(length), *page;

	if (!map)
		return 0;
	for (page = map; page < map + length; page += page_size) {
		*page = 1;
		if (is_between(page))
			break;
	}
	if (page == map + length)
		return 0;
	give_back_low(map, page);
	madvise(page, page_size, MADV_DONTNEED);
	return 1;
}

/* The page that was freed last is the next one that this CPU gets, and now it is a new one. */
static int let_it_wait(void)
{
	char *pages = map_pages(TRIES * page_size);
	int i;

	for (i = 0; pages && i < TRIES; i++) {
		pages[i * page_size] = 1;
		if (is_waiting(pages + i * page_size))
			return 1;
	}
	return 0;
}

static void stay_on_this_cpu(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static size_t free_bytes(void)
{
	return (size_t)sysconf(_SC_AVPHYS_PAGES) * page_size;
}

int main(int argc, char **argv)
{
	char params[1024] = "";
	int fd, i;

	if (argc < 4)
		return 2;
	page_size = sysconf(_SC_PAGESIZE);
	from = strtoull(argv[1], NULL, 0);
	to = strtoull(argv[2], NULL, 0);
	pagemap = open("/proc/self/pagemap", O_RDONLY);
	kpageflags = open("/proc/kpageflags", O_RDONLY);
	fd = open(argv[3], O_RDONLY | O_CLOEXEC);
	for (i = 4; i < argc; i++) {
		strncat(params, argv[i], sizeof(params) - strlen(params) - 2);
		strcat(params, " ");
	}
	stay_on_this_cpu();
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	if (fd < 0 || !free_one(free_bytes() / 16 * 15) || !let_it_wait()) {
		puts("no page");
		return 2;
	}
	if (syscall(SYS_finit_module, fd, params, 0)) {
		puts(strerrorname_np(errno));
		return 1;
	}
	puts("ok");
	return 0;
}

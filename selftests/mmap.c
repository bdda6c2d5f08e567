// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm selftests: areas of the window in user space, through mmap of debugfs' `mem`.
 *
 * The contents of a mapping, refusals, and above all that an area lives exactly as long as its
 * last mapping, whatever becomes of the mapping meanwhile. Each case leaves all of the pool free.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "pool.h"

#define NR_PAGES	4
#define LENGTH		(NR_PAGES * POOL_PAGE)

static int mem_fd;

struct area {
	long	id;
	long	offset;
};

static bool make_area(struct area *area, size_t length, const char *how)
{
	if (!EXPECT_EQ(pool_command("vmalloc size=%zu%s", length, how), 0))
		return false;
	area->id = pool_result("area");
	area->offset = pool_result("offset");
	return EXPECT(area->id > 0) && EXPECT(area->offset >= 0);
}

static char *map_at(long offset, size_t length, int prot, int flags)
{
	char *addr = mmap(NULL, length, prot, flags, mem_fd, offset);

	return addr == MAP_FAILED ? NULL : addr;
}

/* An area of NR_PAGES and its mapping, each page with a mark of its own. */
static char *make_mapped(struct area *area)
{
	char *addr;
	int i;

	if (!make_area(area, LENGTH, " user"))
		return NULL;
	addr = map_at(area->offset, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED);
	if (!EXPECT(addr))
		return NULL;
	for (i = 0; i < NR_PAGES; i++)
		memset(addr + i * POOL_PAGE, 'a' + i, POOL_PAGE);
	return addr;
}

static bool page_is(const char *page, char value)
{
	size_t i;

	for (i = 0; i < POOL_PAGE; i++)
		if (page[i] != value)
			return false;
	return true;
}

static bool marks_are_there(const char *addr)
{
	int i;

	for (i = 0; i < NR_PAGES; i++)
		if (!page_is(addr + i * POOL_PAGE, 'a' + i))
			return false;
	return true;
}

static void expect_refused(const char *command, int err)
{
	pool_expect_log_begin();
	EXPECT_EQ(pool_command("%s", command), -err);
	pool_expect_log_end();
}

static void expect_alive(const struct area *area)
{
	char line[64];

	snprintf(line, sizeof(line), "%ld %lu area vmalloc pages=%d\n", area->offset,
		 LENGTH + POOL_PAGE, NR_PAGES);
	EXPECT(strstr(pool_read("window"), line));
	EXPECT_EQ(pool_free_pages(), pool_stat("total_pages") - NR_PAGES);
}

static void expect_all_free(void)
{
	EXPECT_EQ(pool_stat("areas"), 0);
	EXPECT_EQ(pool_stat("parked_pages"), 0);
	EXPECT_EQ(pool_free_pages(), pool_stat("total_pages"));
	EXPECT(pool_verify());
}

static void vfree_deferred(const struct area *area)
{
	EXPECT_EQ(pool_command("vfree area=%ld", area->id), 0);
	EXPECT_EQ(pool_stat("areas"), 1);
}

/* How a child ends that touches an address: 0, or the signal that kills it. */
static int touch(char *addr, bool write)
{
	static char seen;
	pid_t child = fork();
	int status;

	if (!child) {
		if (write)
			__atomic_store_n(addr, 1, __ATOMIC_SEQ_CST);
		else
			__atomic_exchange(&seen, addr, &seen, __ATOMIC_SEQ_CST);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- what a mapping shows --------------------------------------------------------------------- */

static void test_zeroed(void)
{
	struct area area;
	char *addr;
	int i;

	make_area(&area, LENGTH, "");
	EXPECT_EQ(pool_command("fill area=%ld seed=1", area.id), 0);
	EXPECT_EQ(pool_command("vfree area=%ld", area.id), 0);
	make_area(&area, LENGTH, " user");
	addr = map_at(area.offset, LENGTH, PROT_READ, MAP_SHARED);
	for (i = 0; EXPECT(addr) && i < NR_PAGES; i++)
		EXPECT(page_is(addr + i * POOL_PAGE, 0));
	munmap(addr, LENGTH);
	EXPECT_EQ(pool_command("vfree area=%ld", area.id), 0);
	expect_all_free();
}

static void test_coherent(void)
{
	struct area area;
	char *addr = make_mapped(&area), *twin, byte, saved;

	if (!addr)
		return;
	twin = map_at(area.offset, LENGTH, PROT_READ, MAP_SHARED);
	EXPECT_EQ(pread(mem_fd, &byte, 1, area.offset + 2 * POOL_PAGE + 5), 1);
	EXPECT_EQ(byte, 'c');
	EXPECT_EQ(pwrite(mem_fd, "Q", 1, area.offset + POOL_PAGE - 1), 1);
	EXPECT_EQ(addr[POOL_PAGE - 1], 'Q');
	EXPECT(twin && twin[POOL_PAGE - 1] == 'Q');
	EXPECT_EQ(pool_command("fill area=%ld seed=7", area.id), 0);
	EXPECT_EQ(pool_command("check area=%ld seed=7", area.id), 0);
	saved = addr[3 * POOL_PAGE + 9];
	addr[3 * POOL_PAGE + 9] ^= 1;
	EXPECT_EQ(pool_command("check area=%ld seed=7", area.id), -EIO);
	addr[3 * POOL_PAGE + 9] = saved;
	EXPECT_EQ(pool_command("check area=%ld seed=7", area.id), 0);
	munmap(twin, LENGTH);
	munmap(addr, LENGTH);
	EXPECT_EQ(pool_command("vfree area=%ld", area.id), 0);
	expect_all_free();
}

/* Bytes that go from `mem` to a mapping of `mem`, and back. */
static void test_onto_itself(void)
{
	struct area area;
	char *addr = make_mapped(&area);

	if (!addr)
		return;
	EXPECT_EQ(pread(mem_fd, addr, POOL_PAGE, area.offset + POOL_PAGE), POOL_PAGE);
	EXPECT(page_is(addr, 'b'));
	EXPECT_EQ(pwrite(mem_fd, addr + 2 * POOL_PAGE, POOL_PAGE, area.offset), POOL_PAGE);
	EXPECT(page_is(addr, 'c'));
	munmap(addr, LENGTH);
	EXPECT_EQ(pool_command("vfree area=%ld", area.id), 0);
	expect_all_free();
}

static void test_private(void)
{
	struct area area;
	char *addr = make_mapped(&area), *private, byte;

	if (!addr)
		return;
	private = map_at(area.offset, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	if (EXPECT(private)) {
		EXPECT(marks_are_there(private));
		private[0] = 'P';
		EXPECT_EQ(addr[0], 'a');
		EXPECT_EQ(pread(mem_fd, &byte, 1, area.offset), 1);
		EXPECT_EQ(byte, 'a');
		addr[POOL_PAGE] = 'S';		/* not yet copied */
		EXPECT_EQ(private[POOL_PAGE], 'S');
	}
	munmap(addr, LENGTH);
	vfree_deferred(&area);
	EXPECT(private && private[0] == 'P' && private[2 * POOL_PAGE] == 'c');
	munmap(private, LENGTH);
	expect_all_free();
}

static void test_read_only(void)
{
	int fd = mem_fd, ro = pool_open("mem", O_RDONLY);
	struct area area;
	char *addr;

	make_area(&area, LENGTH, " user");
	mem_fd = ro;
	addr = map_at(area.offset, LENGTH, PROT_READ, MAP_SHARED);
	if (EXPECT(addr)) {
		EXPECT_EQ(addr[0], 0);
		EXPECT_EQ(touch(addr, false), 0);
		EXPECT_EQ(touch(addr, true), SIGSEGV);
		EXPECT_EQ(mprotect(addr, LENGTH, PROT_READ | PROT_WRITE), -1);
		EXPECT_EQ(errno, EACCES);
	}
	EXPECT(!map_at(area.offset, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED));
	EXPECT_EQ(errno, EACCES);
	mem_fd = fd;
	munmap(addr, LENGTH);
	close(ro);
	EXPECT_EQ(pool_command("vfree area=%ld", area.id), 0);
	expect_all_free();
}

/* --- what is refused -------------------------------------------------------------------------- */

static void expect_no_mapping(long offset, size_t length)
{
	char *addr;

	errno = 0;
	addr = map_at(offset, length, PROT_READ, MAP_SHARED);
	if (!EXPECT(!addr))
		munmap(addr, length);
	else
		EXPECT_EQ(errno, EINVAL);
}

static void test_refused(void)
{
	struct area user, plain, map;
	long block;

	make_area(&user, LENGTH, " user");
	make_area(&plain, LENGTH, "");
	pool_command("alloc order=1");
	block = pool_result("block");
	EXPECT_EQ(pool_command("vmap block=%ld", block), 0);
	map.offset = pool_result("offset");
	expect_no_mapping(plain.offset, POOL_PAGE);
	expect_no_mapping(map.offset, POOL_PAGE);
	expect_no_mapping(user.offset + POOL_PAGE, POOL_PAGE);
	expect_no_mapping(user.offset + LENGTH, POOL_PAGE);
	expect_no_mapping(map.offset + 16 * POOL_PAGE, POOL_PAGE);
	expect_no_mapping(pool_stat("window_bytes"), POOL_PAGE);
	expect_no_mapping(pool_stat("window_bytes") + POOL_PAGE, POOL_PAGE);
	expect_no_mapping(1L << 46, POOL_PAGE);
	expect_no_mapping(user.offset, LENGTH + 1);
	expect_no_mapping(user.offset, 1UL << 40);
	EXPECT_EQ(pool_command("reset"), 0);
	expect_no_mapping(user.offset, POOL_PAGE);
	expect_all_free();
}

static void test_device_refused(void)
{
	struct area area;

	if (pool_command("ioremap phys=" POOL_DEVICE " size=64")) {
		ktap_skip("no HPET or PL031");
		return;
	}
	area.offset = pool_result("offset");
	expect_no_mapping(area.offset, POOL_PAGE);
	EXPECT_EQ(pool_command("reset"), 0);
	expect_all_free();
}

static void test_partial_length(void)
{
	struct area area;
	size_t length;

	make_area(&area, LENGTH, " user");
	for (length = 1; length <= LENGTH; length += 4095) {
		char *addr = map_at(area.offset, length, PROT_READ | PROT_WRITE, MAP_SHARED);

		if (!EXPECT(addr))
			continue;
		addr[length - 1] = 'l';
		munmap(addr, length);
	}
	EXPECT_EQ(pool_command("vfree area=%ld", area.id), 0);
	expect_all_free();
}

/* --- how long an area lives ------------------------------------------------------------------- */

/* Everything else is taken and written over meanwhile. */
static void test_vfree_while_mapped(void)
{
	struct area area;
	char *addr = make_mapped(&area), again[64];

	if (!addr)
		return;
	vfree_deferred(&area);
	expect_alive(&area);
	snprintf(again, sizeof(again), "vfree area=%ld", area.id);
	expect_refused(again, ENOENT);
	snprintf(again, sizeof(again), "vfree offset=%ld", area.offset);
	expect_refused(again, ENOENT);
	expect_no_mapping(area.offset, POOL_PAGE);
	while (pool_free_pages() > 0) {
		if (!EXPECT_EQ(pool_command("alloc order=0"), 0))
			break;
		EXPECT_EQ(pool_command("fill block=%ld seed=3", pool_result("block")), 0);
	}
	EXPECT(marks_are_there(addr));
	EXPECT_EQ(pool_command("reset"), 0);
	expect_alive(&area);
	EXPECT(marks_are_there(addr));
	munmap(addr, LENGTH);
	expect_all_free();
}

static void test_reset_while_mapped(void)
{
	struct area area;
	char *addr = make_mapped(&area);

	if (!addr)
		return;
	EXPECT_EQ(pool_command("reset"), 0);
	expect_alive(&area);
	EXPECT(marks_are_there(addr));
	munmap(addr, LENGTH);
	expect_all_free();
}

static void test_fork(void)
{
	int go[2], status;
	struct area area;
	char *addr = make_mapped(&area), byte;
	pid_t child;

	if (!addr || !EXPECT_EQ(pipe(go), 0))
		return;
	child = fork();
	if (!child) {
		close(go[1]);
		status = read(go[0], &byte, 1) == 0 && marks_are_there(addr);
		addr[0] = 'Z';
		_exit(!status);
	}
	close(go[0]);
	munmap(addr, LENGTH);
	vfree_deferred(&area);
	expect_alive(&area);
	close(go[1]);
	waitpid(child, &status, 0);
	EXPECT_EQ(status, 0);
	expect_all_free();
}

static void test_partial_munmap(void)
{
	struct area area;
	char *addr = make_mapped(&area);

	if (!addr)
		return;
	EXPECT_EQ(munmap(addr + POOL_PAGE, POOL_PAGE), 0);
	vfree_deferred(&area);
	EXPECT(page_is(addr, 'a') && page_is(addr + 2 * POOL_PAGE, 'c'));
	EXPECT_EQ(touch(addr + POOL_PAGE, false), SIGSEGV);
	EXPECT_EQ(munmap(addr, POOL_PAGE), 0);
	expect_alive(&area);
	EXPECT_EQ(munmap(addr + 3 * POOL_PAGE, POOL_PAGE), 0);
	expect_alive(&area);
	EXPECT(page_is(addr + 2 * POOL_PAGE, 'c'));
	EXPECT_EQ(munmap(addr + 2 * POOL_PAGE, POOL_PAGE), 0);
	expect_all_free();
}

static void test_mremap(void)
{
	struct area area;
	char *addr = make_mapped(&area), *moved, *grown;
	char *spot = mmap(NULL, LENGTH, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!addr)
		return;
	moved = mremap(addr, LENGTH, LENGTH, MREMAP_MAYMOVE | MREMAP_FIXED, spot);
	if (!EXPECT(moved == spot))
		return;
	vfree_deferred(&area);
	EXPECT(marks_are_there(moved));
	grown = mremap(moved, LENGTH, LENGTH + POOL_PAGE, MREMAP_MAYMOVE);
	EXPECT(grown == MAP_FAILED);
	EXPECT(mremap(moved, LENGTH, POOL_PAGE, 0) == moved);
	EXPECT(page_is(moved, 'a'));
	expect_alive(&area);
	munmap(moved, POOL_PAGE);
	expect_all_free();
}

static void test_two_mappings(void)
{
	struct area area;
	char *addr = make_mapped(&area), *twin;

	if (!addr)
		return;
	twin = map_at(area.offset, POOL_PAGE, PROT_READ, MAP_SHARED);
	vfree_deferred(&area);
	munmap(addr, LENGTH);
	expect_alive(&area);
	EXPECT(twin && page_is(twin, 'a'));
	munmap(twin, POOL_PAGE);
	expect_all_free();
}

static void test_killed(void)
{
	int ready[2], status;
	struct area area;
	pid_t child;
	char byte;

	if (!make_area(&area, LENGTH, " user") || !EXPECT_EQ(pipe(ready), 0))
		return;
	child = fork();
	if (!child) {
		map_at(area.offset, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED);
		map_at(area.offset, POOL_PAGE, PROT_READ, MAP_PRIVATE);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	EXPECT_EQ(read(ready[0], &byte, 1), 1);
	vfree_deferred(&area);
	expect_alive(&area);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(ready[0]);
	close(ready[1]);
	expect_all_free();
}

/* No second life for pages that were dropped from the mapping: the next touch is a bus error. */
static void test_dontneed(void)
{
	struct area area;
	char *addr = make_mapped(&area);

	if (!addr)
		return;
	if (madvise(addr, POOL_PAGE, MADV_DONTNEED))
		EXPECT(marks_are_there(addr));
	else
		EXPECT_EQ(touch(addr, false), SIGBUS);
	EXPECT(page_is(addr + POOL_PAGE, 'b'));
	vfree_deferred(&area);
	munmap(addr, LENGTH);
	expect_all_free();
}

static void test_unload_refused(void)
{
	struct area area;
	char *addr = make_mapped(&area);
	int err;

	if (!addr)
		return;
	close(mem_fd);
	err = pool_unload();
	EXPECT(err == -EAGAIN || err == -EBUSY);
	EXPECT(marks_are_there(addr));
	vfree_deferred(&area);
	err = pool_unload();
	EXPECT(err == -EAGAIN || err == -EBUSY);
	munmap(addr, LENGTH);
	mem_fd = pool_open("mem", O_RDWR);
	expect_all_free();
}

/* A largest block and two pages, whatever maps them in the kernel. */
static void test_large(void)
{
	size_t length = (512 + 2) * POOL_PAGE, i;
	struct area area;
	char *addr;

	if (!make_area(&area, length, " user"))
		return;
	EXPECT_EQ(pool_command("fill area=%ld seed=4", area.id), 0);
	addr = map_at(area.offset, length, PROT_READ | PROT_WRITE, MAP_SHARED);
	if (!EXPECT(addr))
		return;
	EXPECT_EQ(pool_command("check area=%ld seed=4", area.id), 0);
	for (i = 0; i < length; i += POOL_PAGE)
		memset(addr + i, 'A' + i / POOL_PAGE % 26, POOL_PAGE);
	vfree_deferred(&area);
	for (i = 0; i < length; i += POOL_PAGE)
		EXPECT(page_is(addr + i, 'A' + i / POOL_PAGE % 26));
	EXPECT_EQ(pool_free_pages(), pool_stat("total_pages") - 514);
	munmap(addr, length);
	expect_all_free();
}

/* --- pages that outlive even that ------------------------------------------------------------- */

static bool fill_pipe(int fd, char *addr, size_t length)
{
	struct iovec piece = { .iov_base = addr, .iov_len = length };

	return EXPECT_EQ(vmsplice(fd, &piece, 1, 0), length);
}

static void test_parked(void)
{
	static char buf[2 * POOL_PAGE_MAX];
	struct area area;
	char *addr = make_mapped(&area);
	int pipe_fd[2];

	if (!addr || !EXPECT_EQ(pipe(pipe_fd), 0))
		return;
	fill_pipe(pipe_fd[1], addr + POOL_PAGE, 2 * POOL_PAGE);
	munmap(addr, LENGTH);
	EXPECT_EQ(pool_command("vfree area=%ld", area.id), 0);
	EXPECT_EQ(pool_stat("areas"), 0);
	EXPECT_EQ(pool_stat("parked_pages"), 2);
	EXPECT_EQ(pool_free_pages(), pool_stat("total_pages") - 2);
	EXPECT_EQ(pool_command("drain"), 0);
	EXPECT_EQ(pool_stat("parked_pages"), 2);
	EXPECT(pool_verify());
	EXPECT_EQ(read(pipe_fd[0], buf, 2 * POOL_PAGE), 2 * POOL_PAGE);
	EXPECT(page_is(buf, 'b') && page_is(buf + POOL_PAGE, 'c'));
	EXPECT_EQ(pool_command("drain"), 0);
	EXPECT_EQ(pool_result("pages"), 2);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	expect_all_free();
}

/* Freed while mapped, and recycled a second later at the latest, whatever else is done or not. */
static void test_parked_recycled(void)
{
	struct area area;
	char *addr = make_mapped(&area);
	int pipe_fd[2], tries = 30;

	if (!addr || !EXPECT_EQ(pipe(pipe_fd), 0))
		return;
	fill_pipe(pipe_fd[1], addr, POOL_PAGE);
	vfree_deferred(&area);
	munmap(addr, LENGTH);
	EXPECT_EQ(pool_stat("parked_pages"), 1);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	while (pool_stat("parked_pages") && tries--)
		usleep(100000);
	expect_all_free();
}

static const struct ktap_case cases[] = {
	{ "a user area is zeroed", test_zeroed },
	{ "mapping, mem, fill and check see the same bytes", test_coherent },
	{ "mem read and written through its own mapping", test_onto_itself },
	{ "a private mapping keeps its writes to itself", test_private },
	{ "opened for reading only, mapped for reading only", test_read_only },
	{ "no user area, or too long a range, is refused", test_refused },
	{ "a device is refused", test_device_refused },
	{ "a mapping may be shorter than the area", test_partial_length },
	{ "vfree while mapped waits for munmap", test_vfree_while_mapped },
	{ "reset while mapped waits for munmap", test_reset_while_mapped },
	{ "a child's copy keeps the area", test_fork },
	{ "the last of several pieces keeps the area", test_partial_munmap },
	{ "a moved mapping keeps the area, and cannot grow", test_mremap },
	{ "the second of two mappings keeps the area", test_two_mappings },
	{ "a killed process lets go", test_killed },
	{ "pages dropped from a mapping do not come back", test_dontneed },
	{ "the module stays while something is mapped", test_unload_refused },
	{ "512 pages and more", test_large },
	{ "pages in a pipe are parked until it is read", test_parked },
	{ "parked pages are recycled within a second", test_parked_recycled },
};

int main(void)
{
	const char *obstacle = pool_obstacle();
	int status, err;

	if (obstacle)
		return ktap_skip_all(obstacle);
	err = pool_load_pages(768, 3072, "");
	if (err) {
		ktap_note("insmod: %s", strerror(-err));
		return KTAP_FAIL;
	}
	mem_fd = pool_open("mem", O_RDWR);
	status = ktap_run(cases, ARRAY_SIZE(cases));
	close(mem_fd);
	err = pool_unload();
	if (err)
		ktap_note("rmmod: %s", strerror(-err));
	return err ? KTAP_FAIL : status;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm selftests: random bytes to `command` and `mem`, at all offsets; fuzz.sh runs this.
 *
 *	scribble SECONDS SEED
 *
 * Writes to `command` are pure noise, well-formed commands, or these with some bytes changed; the
 * window is read, written and mapped at any offset, beyond its end and below its start too. Each
 * call must give an answer that its file may give, `result` must be made of whole lines, and
 * `verify` must find nothing.
 *
 * Devices are kept out of harm's way, because a write to some register may reset the machine or
 * stop its clock, and that would say nothing about the module: a line reaches `ioremap` only with
 * a device's page for an address, whose registers may be read; and a write to `mem` never overlaps
 * an area of ioremap. (`fill` refuses such an area on its own.)
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <sys/mman.h>
#include <time.h>

#include "pool.h"

#define LEAST_STEPS	400	/* however slow the machine */
#define MOST_TEXT	5000
#define MOST_BYTES	(5 * POOL_PAGE)
#define DEVICE		" phys=" POOL_DEVICE " size="

static unsigned long long state;
static long window_bytes;
static unsigned int failures;

static unsigned long steps, commands, accepted, refused, transfers, mappings, verdicts;

static void wrong(const char *what, long long got)
{
	failures++;
	ktap_note("step %lu: %s: %lld", steps, what, got);
}

/* A Weyl sequence with its bits well mixed. */
static unsigned long long any(void)
{
	unsigned long long x = state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

static unsigned long below(unsigned long limit)
{
	return any() % limit;
}

/* --- what is written to `command` ------------------------------------------------------------- */

/* In place of '#' comes a small number, of '@' a number of any size, of '!' a word. */
static const char * const forms[] = {
	"alloc order=#", "alloc order=# count=# gfp=! zero", "alloc order=# gfp=!", "alloc order=@",
	"free block=#", "free page=# order=#", "free page=@ order=#", "free block=@",
	"vmalloc size=#00", "vmalloc size=#K zero", "vmalloc size=#K user", "vmalloc size=@",
	"vfree area=#", "vfree offset=@", "vfree offset=#K", "vmap block=#", "vmap block=#,#,#",
	"vunmap area=#", "ioremap" DEVICE "#", "iounmap area=#", "pages area=#",
	"fill area=# seed=@", "fill block=# seed=#", "check area=# seed=#", "check block=# seed=@",
	"purge", "drain", "reset", "fail nth=#", "!", "! block=# zero",
};

static const char * const words[] = {
	"kernel", "atomic", "memalloc", "zero", "alloc", "free", "0x", "", "=", "pages", "K",
};

static void print_number(FILE *out, bool small)
{
	unsigned long long value = small ? below(40) : any() >> below(64);

	fprintf(out, below(4) ? "%llu" : "%#llx", value);
}

static void print_form(FILE *out, const char *form)
{
	for (; *form; form++) {
		if (*form == '#' || *form == '@')
			print_number(out, *form == '#');
		else if (*form == '!')
			fputs(words[below(ARRAY_SIZE(words))], out);
		else
			fputc(*form, out);
	}
	fputc('\n', out);
}

static size_t make_commands(char *text)
{
	unsigned int lines = 1 + (below(4) ? 0 : below(60));
	FILE *out = fmemopen(text, MOST_TEXT, "w");
	long len;

	while (lines--)
		print_form(out, forms[below(ARRAY_SIZE(forms))]);
	fflush(out);
	len = ftell(out);
	fclose(out);
	return len < 0 ? 0 : len;
}

static size_t make_noise(char *text)
{
	size_t len = below(4) ? below(60) : below(MOST_TEXT + 1), i;
	bool plain = below(2);

	for (i = 0; i < len; i++)
		text[i] = plain ? ' ' + below(95) : any();
	return len;
}

/* Some bytes changed, a piece copied to elsewhere, or the end cut off. */
static size_t mutate(char *text, size_t len)
{
	unsigned int times = 1 + below(4);
	size_t from, to;

	while (len && times--) {
		from = below(len);
		to = below(len);
		switch (below(4)) {
		case 0:
			text[to] = any();
			break;
		case 1:
			text[to] ^= 1 << below(8);
			break;
		case 2:
			memmove(text + to, text + from, below(len - (from > to ? from : to) + 1));
			break;
		default:
			if (!below(4))
				len = from;
		}
	}
	return len;
}

/* Behind the word `ioremap`: the device, at most a page; or no number: then nothing is mapped. */
static bool harmless(const char *rest, const char *end)
{
	const char *size = rest + strlen(DEVICE), *at;

	if (end - rest > (long)strlen(DEVICE) && !memcmp(rest, DEVICE, strlen(DEVICE))) {
		for (at = size; at < end && isdigit((unsigned char)*at); at++)
			;
		return at - size <= 3 && (at == end || *at == '\n');
	}
	for (at = rest; at < end && *at != '\n'; at++)
		if (isdigit((unsigned char)*at))
			return false;
	return true;
}

static void disarm(char *text, size_t len)
{
	char *at = text, *end = text + len;

	while ((at = memmem(at, end - at, "ioremap", 7))) {
		if (!harmless(at + 7, end))
			*at = 'x';
		at += 7;
	}
}

static size_t make_text(char *text)
{
	size_t len = 0;

	switch (below(8)) {
	case 0:
		len = make_noise(text);
		break;
	case 1 ... 3:
		len = mutate(text, make_commands(text));
		break;
	default:
		len = make_commands(text);
	}
	disarm(text, len);
	return len;
}

/* --- `command` and `result` ------------------------------------------------------------------- */

static bool command_may_say(int err)
{
	static const int errnos[] = {
		EPERM, ENOENT, EIO, E2BIG, ENOMEM, EBUSY, EINVAL, ENOSPC, ERANGE,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errnos); i++)
		if (err == errnos[i])
			return true;
	return false;
}

static bool failing;	/* a request may fail on purpose */

static void stop_failing(void)
{
	pool_command("fail nth=0");
	failing = false;
}

/* A number, the command, and how it went; of a request that failed on purpose less may be left. */
static void check_result(bool starved)
{
	const char *line = pool_read("result"), *end;

	for (; *line && !starved; line = end + 1) {
		end = strchr(line, '\n');
		if (!end && strlen(pool_text) == sizeof(pool_text) - 1)
			return;
		if (!end) {
			wrong("result does not end with a newline", strlen(line));
			return;
		}
		if (!isdigit((unsigned char)*line) || !memmem(line, end - line, " -> ", 4))
			wrong("a line of result that is none", line - pool_text);
	}
}

static long long any_offset(void)
{
	switch (below(8)) {
	case 0:
		return any();
	case 1:
		return any() >> 1;
	case 2:
		return window_bytes - (long)below(20000) + 10000;
	case 3:
		return (long)below(20000) - 10000;
	default:
		return below(window_bytes);
	}
}

/* `fail` may have been given earlier: it lasts until so many requests were made. */
static void step_command(void)
{
	static char text[MOST_TEXT];
	size_t len = make_text(text);
	bool fails = memmem(text, len, "fail", 4);
	int fd = pool_open("command", O_WRONLY);
	long long offset = below(16) ? 0 : any_offset();
	ssize_t done = pwrite(fd, text, len, offset);

	commands++;
	if (done < 0 && !command_may_say(errno))
		wrong("errno of a write to command", errno);
	if (done >= 0 && (size_t)done != len)
		wrong("short write to command", done);
	if (done > 0 && (offset || len > 4095))
		wrong("accepted at an offset, or too long", offset);
	accepted += done > 0;
	refused += done < 0;
	close(fd);
	check_result(failing || fails || (done < 0 && errno == ENOMEM));
	if (failing)
		stop_failing();
	else
		failing = fails;
}

/* --- `mem` ------------------------------------------------------------------------------------ */

static int mem_fd;
static char bytes[5 * POOL_PAGE_MAX];

/*
 * May a range of the window overlap an area of ioremap? Where `fail` has made the file short, or
 * impossible to read, nobody knows; its lines cover the whole window otherwise.
 */
static bool hits_device(long long offset, size_t len)
{
	const char *line = pool_read("window");
	long long start, size, end = 0;
	char *rest;

	for (; strchr(line, '\n'); line = strchr(line, '\n') + 1) {
		start = strtoll(line, &rest, 10);
		size = strtoll(rest, &rest, 10);
		if (!strncmp(rest, " area ioremap", 13) && offset < start + size &&
		    start < offset + (long long)len)
			return true;
		end = start + size;
	}
	return end != window_bytes;
}

/* A buffer that is there, or now and then not wholly or not at all. */
static char *any_buffer(size_t len)
{
	switch (below(32)) {
	case 0:
		return NULL;
	case 1:
		return bytes + MOST_BYTES - len;
	default:
		return bytes;
	}
}

static void check_transfer(const char *what, long long offset, size_t len, ssize_t done)
{
	static const int errnos[] = { EINVAL, ENOSPC, EFAULT, EOVERFLOW, ENOMEM, EFBIG };
	bool inside = offset >= 0 && offset < window_bytes;
	unsigned int i;

	transfers++;
	if (done > (ssize_t)len || (done > 0 && (!inside || done > window_bytes - offset)))
		wrong(what, done);
	for (i = 0; done < 0 && i < ARRAY_SIZE(errnos); i++)
		if (errno == errnos[i])
			return;
	if (done < 0)
		wrong(what, -errno);
}

static void step_read(void)
{
	size_t len = below(MOST_BYTES + 1);
	long long offset = any_offset();

	check_transfer("pread of mem", offset, len, pread(mem_fd, any_buffer(len), len, offset));
}

static void step_write(void)
{
	size_t len = below(MOST_BYTES + 1), i;
	long long offset = any_offset();

	if (offset > -(long long)MOST_BYTES && offset < window_bytes && hits_device(offset, len))
		return;
	for (i = 0; i < len; i += 1 + below(64))
		bytes[i] = any();
	check_transfer("pwrite to mem", offset, len, pwrite(mem_fd, any_buffer(len), len, offset));
}

/* Where the file position is then, a read begins. */
static void step_seek(void)
{
	int whence = below(6);
	off_t at = lseek(mem_fd, any_offset(), whence);

	if (at < 0 && errno != EINVAL && errno != ENXIO && errno != EOVERFLOW)
		wrong("lseek in mem", -errno);
	if (at > window_bytes)
		wrong("position in mem", at);
	if (at >= 0)
		check_transfer("read of mem", at, 100, read(mem_fd, bytes, 100));
}

/* So that the compiler leaves it in. */
static void touch(char *addr, bool write)
{
	char byte = __atomic_load_n(addr, __ATOMIC_RELAXED);

	if (write)
		__atomic_store_n(addr, byte + 1, __ATOMIC_RELAXED);
}

/* Mostly where an area for users is; every page of a mapping can be read. */
static void step_map(void)
{
	size_t len = POOL_PAGE * (1 + below(8)), i;
	long long offset = any_offset();
	int prot = PROT_READ | (below(2) ? PROT_WRITE : 0);
	char *addr;

	if (below(4))
		offset &= -POOL_PAGE;
	if (below(4) && !pool_command("vmalloc size=%zu user", len))
		offset = pool_result("offset");
	addr = mmap(NULL, len, prot, below(8) ? MAP_SHARED : MAP_PRIVATE, mem_fd, offset);
	if (addr == MAP_FAILED) {
		if (errno != EINVAL && errno != EOVERFLOW && errno != EPERM && errno != ENOMEM)
			wrong("mmap of mem", -errno);
		return;
	}
	for (i = 0; i < len; i += POOL_PAGE)
		touch(addr + i, prot & PROT_WRITE);
	munmap(addr, len);
	mappings++;
}

/* --- until the time is over ------------------------------------------------------------------- */

static void step(void)
{
	static void (* const kinds[])(void) = {
		step_command, step_command, step_command, step_command, step_command, step_read,
		step_write, step_seek, step_map,
	};

	kinds[below(ARRAY_SIZE(kinds))]();
	if (++steps % 32)
		return;
	stop_failing();
	if (!pool_verify())
		wrong("verify", 0);
	verdicts++;
}

int main(int argc, char **argv)
{
	time_t end;

	if (argc != 3) {
		fprintf(stderr, "usage: scribble SECONDS SEED\n");
		return 2;
	}
	state = strtoull(argv[2], NULL, 0);
	window_bytes = pool_stat("window_bytes");
	mem_fd = pool_open("mem", O_RDWR);
	if (mem_fd < 0 || window_bytes <= 0)
		return 2;
	end = time(NULL) + atoi(argv[1]);
	while (failures < 5 && (time(NULL) < end || steps < LEAST_STEPS))
		step();
	stop_failing();
	printf("steps=%lu commands=%lu accepted=%lu refused=%lu ", steps, commands, accepted,
	       refused);
	printf("transfers=%lu mappings=%lu verdicts=%lu failed=%u\n", transfers, mappings, verdicts,
	       failures);
	return failures ? KTAP_FAIL : KTAP_PASS;
}

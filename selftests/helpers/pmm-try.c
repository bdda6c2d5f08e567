// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does one system call that a shell cannot do, or of which a shell hides the errno, and says how it
 * went: 'ok', 'ok N' for a count or a position, or the name of the errno. The exit status is 0 when
 * the call did what was asked, 1 when it failed, 2 when this program was called wrongly.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INPUT_MAX (8 << 20)
#define BATCH_MAX 8191
#define LOG_LOOKS 1000	/* for ten seconds and more */

static char input[INPUT_MAX];

static int failed(void)
{
	puts(strerrorname_np(errno));
	return 1;
}

static int report(long long count)
{
	if (count < 0)
		return failed();
	printf("ok %lld\n", count);
	return 0;
}

static size_t read_input(void)
{
	size_t len = 0;
	ssize_t got;

	while ((got = read(0, input + len, sizeof(input) - len)) > 0)
		len += got;
	return len;
}

static int try_insmod(int argc, char **argv)
{
	int fd = open(argv[0], O_RDONLY | O_CLOEXEC), i;
	char params[8192] = "";

	if (fd < 0)
		return failed();
	for (i = 1; i < argc; i++) {
		strncat(params, argv[i], sizeof(params) - strlen(params) - 2);
		strcat(params, " ");
	}
	if (syscall(SYS_finit_module, fd, params, 0))
		return failed();
	puts("ok");
	return 0;
}

static int try_rmmod(int argc, char **argv)
{
	(void)argc;
	if (syscall(SYS_delete_module, argv[0], O_NONBLOCK))
		return failed();
	puts("ok");
	return 0;
}

/* Each argument after the file is a write of its own; without one, what comes in is one write. */
static int try_write(int argc, char **argv)
{
	int fd = open(argv[0], O_WRONLY), status = 0, i;

	if (fd < 0)
		return failed();
	if (argc == 1)
		return report(write(fd, input, read_input()));
	for (i = 1; i < argc; i++)
		status = report(write(fd, argv[i], strlen(argv[i])));
	return status;
}

/* Where the last whole line in the first @most bytes ends; a longer line goes as it is. */
static size_t whole_lines(const char *text, size_t len, size_t most)
{
	const char *end;

	if (len <= most)
		return len;
	end = memrchr(text, '\n', most);
	return end ? (size_t)(end + 1 - text) : len;
}

/* Any number of commands, in as few writes as their file takes; it stops where one fails. */
static int try_batch(int argc, char **argv)
{
	size_t len = read_input(), done = 0, piece;
	int fd;

	(void)argc;
	for (; done < len; done += piece) {
		piece = whole_lines(input + done, len - done, BATCH_MAX);
		fd = open(argv[0], O_WRONLY);
		if (fd < 0 || write(fd, input + done, piece) != (ssize_t)piece)
			return failed();
		close(fd);
	}
	return report(len);
}

static int try_pwrite(int argc, char **argv)
{
	int fd = open(argv[0], O_WRONLY);

	if (fd < 0)
		return failed();
	if (argc != 2)
		return 2;
	return report(pwrite(fd, input, read_input(), strtoll(argv[1], NULL, 0)));
}

/* The bytes in hexadecimal, and behind them how many there were. */
static int try_pread(int argc, char **argv)
{
	int fd = open(argv[0], O_RDONLY);
	unsigned long length;
	ssize_t got, i;

	if (fd < 0)
		return failed();
	length = argc == 3 ? strtoul(argv[2], NULL, 0) : INPUT_MAX + 1;
	if (length > INPUT_MAX)
		return 2;
	got = pread(fd, input, length, strtoll(argv[1], NULL, 0));
	for (i = 0; i < got; i++)
		printf("%02x", (unsigned char)input[i]);
	if (got > 0)
		putchar(' ');
	return report(got);
}

static int try_seek(int argc, char **argv)
{
	static const char * const names[] = { "set", "cur", "end" };
	int fd = open(argv[0], O_RDONLY), whence;

	if (fd < 0)
		return failed();
	if (argc != 3)
		return 2;
	for (whence = 0; whence < 3; whence++)
		if (!strcmp(argv[2], names[whence]))
			return report(lseek(fd, strtoll(argv[1], NULL, 0), whence));
	return 2;
}

static int run(char **argv)
{
	execvp(argv[0], argv);
	return failed();
}

/* Root without one capability: what exec gives back to root is limited by the bounding set. */
static int try_nocap(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	if (prctl(PR_CAPBSET_DROP, strtoul(argv[0], NULL, 0), 0, 0, 0))
		return failed();
	return run(argv + 1);
}

static int try_user(int argc, char **argv)
{
	unsigned int id = strtoul(argv[0], NULL, 0);

	if (argc < 2)
		return 2;
	if (setgroups(0, NULL) || setresgid(id, id, id) || setresuid(id, id, id))
		return failed();
	return run(argv + 1);
}

/* Root in a user namespace of its own: all capabilities there, none outside. */
static int try_userns(int argc, char **argv)
{
	static const char map[] = "0 0 1";
	int fd;

	(void)argc;
	if (unshare(CLONE_NEWUSER))
		return failed();
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, map, strlen(map)) < 0)
		return failed();
	return run(argv);
}

/* Is the capability in force from now on? It stays permitted. */
static int enforce(unsigned int cap, int on)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	unsigned int bit = 1U << cap % 32;

	if (syscall(SYS_capget, &header, data))
		return -1;
	data[cap / 32].effective &= ~bit;
	if (on)
		data[cap / 32].effective |= bit;
	return syscall(SYS_capset, &header, data);
}

/* Opens without the capability and writes with it, as who is handed such a file would. */
static int try_deputy(int argc, char **argv)
{
	unsigned int cap = strtoul(argv[0], NULL, 0);
	int fd;

	if (argc != 3)
		return 2;
	if (enforce(cap, 0))
		return failed();
	fd = open(argv[1], O_WRONLY | O_CLOEXEC);
	if (fd < 0 || enforce(cap, 1))
		return failed();
	return report(write(fd, argv[2], strlen(argv[2])));
}

/* To and from a file that was open when this program began. */
static int try_fdwrite(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	return report(write(strtol(argv[0], NULL, 0), argv[1], strlen(argv[1])));
}

static int try_fdread(int argc, char **argv)
{
	size_t len = 0;
	ssize_t got;

	(void)argc;
	while ((got = read(strtol(argv[0], NULL, 0), input + len, sizeof(input) - len)) > 0)
		len += got;
	if (got < 0)
		return failed();
	fwrite(input, 1, len, stdout);
	return 0;
}

static int protection(const char *letters)
{
	return (strchr(letters, 'r') ? PROT_READ : 0) | (strchr(letters, 'w') ? PROT_WRITE : 0) |
	       (strchr(letters, 'x') ? PROT_EXEC : 0);
}

static size_t nonzero_bytes(const char *addr, size_t length)
{
	size_t nonzero = 0;

	while (length--)
		nonzero += !!*addr++;
	return nonzero;
}

/* Maps, and says how many bytes are not zero; with a second protection after a change to that. */
static int try_mmap(int argc, char **argv)
{
	unsigned long offset, length;
	char *addr;
	int fd;

	if (argc != 4 && argc != 5)
		return 2;
	fd = open(argv[0], strchr(argv[3], 'w') ? O_RDWR : O_RDONLY);
	if (fd < 0)
		return failed();
	offset = strtoul(argv[1], NULL, 0);
	length = strtoul(argv[2], NULL, 0);
	/* The C library's would judge the offset itself. */
	addr = (char *)syscall(SYS_mmap, NULL, length, protection(argv[3]),
			       strchr(argv[3], 'p') ? MAP_PRIVATE : MAP_SHARED, fd, offset);
	if (addr == MAP_FAILED || (argc == 5 && mprotect(addr, length, protection(argv[4]))))
		return failed();
	return report(nonzero_bytes(addr, length));
}

/* A message that the kernel prints once about any module from outside. */
static int is_taint(const char *line)
{
	return strstr(line, ": loading out-of-tree module taints") ||
	       strstr(line, ": module verification failed");
}

/* The kernel log's text after the last FROM, once TO appears in it; else NULL and errno. */
static char *read_log(const char *from, const char *to)
{
	char *start, *found;
	int looks, len;

	for (looks = 0; looks < LOG_LOOKS; looks++) {
		len = klogctl(3, input, sizeof(input) - 1);
		if (len < 0)
			return NULL;
		input[len] = '\0';
		for (start = NULL, found = input; (found = strstr(found, from)); found++)
			start = found;
		found = start ? strstr(start, to) : NULL;
		if (found) {
			*found = '\0';
			return start;
		}
		usleep(10000);
	}
	errno = ETIMEDOUT;
	return NULL;
}

/* The module's lines of the kernel log between two marks, text only. */
static int try_log(int argc, char **argv)
{
	char *line, *start, *text;

	if (argc != 2)
		return 2;
	start = read_log(argv[0], argv[1]);
	if (!start)
		return failed();
	for (strtok(start, "\n"); (line = strtok(NULL, "\n"));) {
		text = strstr(line, "] pocketmm: ");
		if (text && !is_taint(line))
			puts(text + strlen("] pocketmm: "));
	}
	return 0;
}

/* How many bytes a page has. */
static int try_page(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("%ld\n", sysconf(_SC_PAGESIZE));
	return 0;
}

static const struct {
	const char	*name;
	int		(*run)(int argc, char **argv);
	const char	*args;
} verbs[] = {
	{ "insmod",	try_insmod,	"FILE [PARAMETER=VALUE]..." },
	{ "rmmod",	try_rmmod,	"NAME" },
	{ "write",	try_write,	"FILE [TEXT]...   one write each, or what comes in" },
	{ "batch",	try_batch,	"FILE             what comes in, by whole lines" },
	{ "pwrite",	try_pwrite,	"FILE OFFSET      of what comes in" },
	{ "pread",	try_pread,	"FILE OFFSET LENGTH" },
	{ "seek",	try_seek,	"FILE OFFSET set|cur|end" },
	{ "log",	try_log,	"FROM TO          the module's log lines between" },
	{ "nocap",	try_nocap,	"NUMBER COMMAND... without that capability" },
	{ "user",	try_user,	"UID COMMAND...    as that user" },
	{ "userns",	try_userns,	"COMMAND...        as root of a user namespace" },
	{ "deputy",	try_deputy,	"NUMBER FILE TEXT  opened without that capability" },
	{ "fdwrite",	try_fdwrite,	"FD TEXT" },
	{ "fdread",	try_fdread,	"FD" },
	{ "page",	try_page,	"" },
	{ "mmap",	try_mmap,	"FILE OFFSET LENGTH [r][w][x][p] [PROTECTION]" },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[1], verbs[i].name) && (argc > 2 || !*verbs[i].args))
			return verbs[i].run(argc - 2, argv + 2);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(stderr, "usage: pmm-try %s %s\n", verbs[i].name, verbs[i].args);
	return 2;
}

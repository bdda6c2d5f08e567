// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm selftests: many processes at the module at once; concurrency.sh runs this.
 *
 *	hammer run SECONDS	on each CPU: commands, reads of every file, reads of the window, and
 *				mappings of it; and one that reads `verify` throughout
 *	hammer churn CYCLES	load and unload, while others open, read and map the files
 *
 * Each process has one role. It marks what it gets, and checks the mark before it gives it back.
 * A process that sees something wrong says so and fails; the sum of what was done is printed.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "pool.h"

#define HELD		24
#define PROCESSES_MAX	256

enum kind { NOTHING, BLOCK, VMALLOC, VMAP, IOREMAP, NR_KINDS };

static const char * const files[] = {
	"version", "buddyinfo", "freelist", "pairmap", "blocks", "vmallocinfo", "window", "showmem",
	"stats", "result",
};

/* Shared by all processes. */
static struct shared {
	bool		stop;
	unsigned long	commands;
	unsigned long	reads;
	unsigned long	verdicts;
	unsigned long	mappings;
	unsigned long	refusals;	/* commands that found no memory, no room or a reset */
} *shared;

static int lock_fd;
static int mem_fd;
static unsigned int failures;

static void wrong(const char *what, long expected, long got)
{
	failures++;
	ktap_note("pid %d: %s: expected %ld, got %ld", getpid(), what, expected, got);
}

static void count(unsigned long *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static bool going_on(void)
{
	return !__atomic_load_n(&shared->stop, __ATOMIC_RELAXED) && failures < 5;
}

/* --- commands --------------------------------------------------------------------------------- */

/*
 * `result` belongs to the last write of any task. So commands that allocate run under a lock of our
 * own until their result is read or their area is mapped, and so does reset. Other commands do not,
 * and may come between: then the result has no ID, and the memory stays allocated until a reset.
 */
static void lock_results(void)
{
	flock(lock_fd, LOCK_EX);
}

static void unlock_results(void)
{
	flock(lock_fd, LOCK_UN);
}

struct thing {
	enum kind	kind;
	long		id;
	long		block;	/* under a vmap */
	bool		filled;
};

static bool excusable(int err)
{
	return err == -ENOMEM || err == -ENOSPC || err == -ENOENT;
}

/* True when it succeeded. */
static bool done(const char *what, int err)
{
	count(&shared->commands);
	if (!err)
		return true;
	count(&shared->refusals);
	if (!excusable(err))
		wrong(what, 0, err);
	return false;
}

static const char *outcome(void)
{
	const char *said = strstr(pool_read("result"), " -> ");

	return said ? said : "";
}

static long take(const char *key, const char *command)
{
	if (!done(command, pool_command("%s", command)))
		return -1;
	return pool_value(outcome(), key);
}

static long take_block(void)
{
	char command[64];

	snprintf(command, sizeof(command), "alloc order=%ld", random() % 4);
	return take("block", command);
}

static long take_area(enum kind kind, long block)
{
	char command[64];

	if (kind == VMALLOC)
		snprintf(command, sizeof(command), "vmalloc size=%ld", 1 + random() % 30000);
	else if (kind == VMAP)
		snprintf(command, sizeof(command), "vmap block=%ld", block);
	else
		snprintf(command, sizeof(command), "ioremap phys=" POOL_DEVICE " size=64");
	return take("area", command);
}

/* A vmap that fails leaves its block. */
static void make_thing(struct thing *t)
{
	*t = (struct thing){ .kind = 1 + random() % (NR_KINDS - 1), .block = -1 };
	lock_results();
	if (t->kind == BLOCK || t->kind == VMAP)
		t->block = take_block();
	t->id = t->block;
	if (t->kind != BLOCK && (t->kind != VMAP || t->block > 0))
		t->id = take_area(t->kind, t->block);
	unlock_results();
	if (t->id > 0)
		return;
	t->kind = t->block > 0 ? BLOCK : NOTHING;
	t->id = t->block;
}

/* Memory that was filled is unchanged, unless a reset freed it. */
static void use_thing(struct thing *t)
{
	const char *verb = t->filled ? "check" : "fill";
	const char *noun = t->kind == BLOCK ? "block" : "area";

	if (t->kind == NOTHING || t->kind == IOREMAP)
		return;
	if (done(verb, pool_command("%s %s=%ld seed=%ld", verb, noun, t->id, t->id)))
		t->filled = true;
}

static void free_thing(struct thing *t)
{
	static const char * const verbs[NR_KINDS] = {
		[VMALLOC] = "vfree", [VMAP] = "vunmap", [IOREMAP] = "iounmap",
	};

	if (t->kind > BLOCK)
		done(verbs[t->kind], pool_command("%s area=%ld", verbs[t->kind], t->id));
	if (t->kind == BLOCK || t->kind == VMAP)
		done("free", pool_command("free block=%ld", t->block));
	t->kind = NOTHING;
}

static void command_role(void)
{
	struct thing things[HELD] = { };
	int i;

	while (going_on()) {
		struct thing *t = &things[random() % HELD];

		if (random() % 500 == 0) {
			lock_results();
			done("reset", pool_command("reset"));
			unlock_results();
		} else if (t->kind == NOTHING) {
			make_thing(t);
		} else if (random() % 2) {
			use_thing(t);
		} else {
			free_thing(t);
		}
	}
	for (i = 0; i < HELD; i++)
		free_thing(&things[i]);
}

/* --- files ------------------------------------------------------------------------------------ */

static void read_role(void)
{
	while (going_on()) {
		const char *name = files[random() % ARRAY_SIZE(files)];

		if (!*pool_read(name) && strcmp(name, "vmallocinfo") && strcmp(name, "result"))
			wrong(name, 1, 0);
		count(&shared->reads);
	}
}

static void verify_role(void)
{
	while (going_on()) {
		if (!pool_verify())
			wrong("verify", 1, 0);
		count(&shared->verdicts);
	}
}

static void window_role(void)
{
	static char buf[5 * POOL_PAGE_MAX];
	size_t most = 5 * POOL_PAGE;
	long size = pool_stat("window_bytes");

	while (going_on()) {
		size_t len = 1 + random() % most;
		ssize_t got = pread(mem_fd, buf, len, random() % (size - most));

		if (got != (ssize_t)len)
			wrong("pread of mem", len, got);
		count(&shared->reads);
	}
}

/* --- mappings --------------------------------------------------------------------------------- */

static bool bytes_are(const char *p, char value, size_t len)
{
	while (len--)
		if (*p++ != value)
			return false;
	return true;
}

static char *map_area(size_t len, long offset)
{
	char *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, mem_fd, offset);

	if (addr != MAP_FAILED)
		return addr;
	wrong("mmap", 0, errno);
	return NULL;
}

/* A user area and its mapping; once mapped, not even a reset can take it away. */
static char *map_new(size_t len, long *id, long *offset)
{
	char *addr = NULL;
	const char *said;

	lock_results();
	if (done("vmalloc", pool_command("vmalloc size=%zu user", len))) {
		said = outcome();
		*id = pool_value(said, "area");
		*offset = pool_value(said, "offset");
		if (*offset >= 0)
			addr = map_area(len, *offset);
	}
	unlock_results();
	return addr;
}

static void in_child(const char *addr, size_t len, char mark)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(!bytes_are(addr, mark, len));
	waitpid(child, &status, 0);
	if (status)
		wrong("a child's view of the mapping", 0, status);
}

static void map_role(void)
{
	char mark = getpid(), byte;

	while (going_on()) {
		size_t len = (1 + random() % 12) * POOL_PAGE;
		long id, offset;
		char *addr = map_new(len, &id, &offset);

		if (!addr)
			continue;
		if (!bytes_are(addr, 0, len))
			wrong("a new user area is zeroed", 1, 0);
		memset(addr, mark, len);
		if (pread(mem_fd, &byte, 1, offset + len - 1) != 1 || byte != mark)
			wrong("mem shows what is mapped", mark, byte);
		if (pwrite(mem_fd, &mark, 1, offset + random() % len) != 1)
			wrong("pwrite to mem", 1, 0);
		if (random() % 4 == 0)
			in_child(addr, len, mark);
		done("vfree", pool_command("vfree area=%ld", id));
		if (!bytes_are(addr, mark, len))
			wrong("the mapping after vfree", 1, 0);
		munmap(addr, len);
		count(&shared->mappings);
	}
}

/* --- processes -------------------------------------------------------------------------------- */

static pid_t processes[PROCESSES_MAX];
static unsigned int nr_processes;

/* A file description of its own, or the lock would be one for all. */
static void start(void (*role)(void))
{
	pid_t pid = fork();

	if (pid) {
		processes[nr_processes++] = pid;
		return;
	}
	srandom(getpid() ^ time(NULL));
	lock_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	role();
	exit(failures ? KTAP_FAIL : KTAP_PASS);
}

static unsigned int wait_for_all(void)
{
	unsigned int failed = 0;
	int status;

	while (nr_processes) {
		waitpid(processes[--nr_processes], &status, 0);
		if (WIFSIGNALED(status))
			wrong("a process was killed by signal", 0, WTERMSIG(status));
		failed += !!status;
	}
	return failed;
}

static int run(unsigned int seconds)
{
	static void (* const roles[])(void) = { command_role, read_role, window_role, map_role };
	unsigned int cpu, cpus = sysconf(_SC_NPROCESSORS_ONLN), i, failed;

	mem_fd = pool_open("mem", O_RDWR);
	start(verify_role);
	for (cpu = 0; cpu < cpus; cpu++)
		for (i = 0; i < ARRAY_SIZE(roles) && nr_processes < PROCESSES_MAX; i++)
			start(roles[i]);
	sleep(seconds);
	shared->stop = true;
	failed = wait_for_all();
	printf("commands=%lu refusals=%lu reads=%lu verdicts=%lu mappings=%lu failed=%u\n",
	       shared->commands, shared->refusals, shared->reads, shared->verdicts,
	       shared->mappings, failed);
	return failed ? KTAP_FAIL : KTAP_PASS;
}

/* --- load and unload -------------------------------------------------------------------------- */

/* The module cannot be unloaded while its pages are mapped, even if the file is closed. */
static void open_mem(int mem)
{
	char *addr;

	if (pread(mem, pool_text, POOL_PAGE, 0) != (ssize_t)POOL_PAGE)
		wrong("pread of mem", POOL_PAGE, errno);
	/* Seldom, or the module would hardly ever be free to go. */
	if (random() % 4) {
		close(mem);
		return;
	}
	pool_command("vmalloc size=%lu user", POOL_PAGE);
	addr = mmap(NULL, POOL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
	close(mem);
	if (addr == MAP_FAILED)
		return;
	memset(addr, 'm', POOL_PAGE);
	sched_yield();
	if (!bytes_are(addr, 'm', POOL_PAGE))
		wrong("a mapping while the module is to go", 'm', addr[0]);
	munmap(addr, POOL_PAGE);
	count(&shared->mappings);
}

/* Files come and go; what could be opened must work, or say that its module is going. */
static void open_role(void)
{
	while (going_on()) {
		int fd = pool_open(files[random() % ARRAY_SIZE(files)], O_RDONLY), mem;

		if (fd < 0)
			continue;
		if (read(fd, pool_text, sizeof(pool_text)) < 0 && errno != EIO)
			wrong("read", 0, errno);
		count(&shared->reads);
		mem = pool_open("mem", O_RDWR);
		if (mem >= 0)
			open_mem(mem);
		pool_command("alloc order=0");
		close(fd);
		usleep(random() % 4000);
	}
}

/* Held back for as long as somebody has a file open. */
static int unload_patiently(void)
{
	int tries, err = -EAGAIN;

	for (tries = 0; tries < 20000; tries++) {
		err = pool_unload();
		if (err != -EAGAIN && err != -EBUSY)
			break;
		count(&shared->refusals);
		usleep(500);
	}
	return err;
}

static int churn(unsigned int cycles)
{
	unsigned int i, failed;
	int err = 0;

	for (i = 0; i < 2; i++)
		start(open_role);
	for (i = 0; i < cycles && !err; i++) {
		err = pool_load_pages(256, 1024, "");
		if (err) {
			wrong("insmod", 0, err);
			break;
		}
		usleep(random() % 20000);
		err = unload_patiently();
		if (err)
			wrong("rmmod", 0, err);
	}
	shared->stop = true;
	failed = wait_for_all();
	printf("cycles=%u reads=%lu mem=%lu refusals=%lu failed=%u\n", i, shared->reads,
	       shared->mappings, shared->refusals, failed);
	return failed || failures ? KTAP_FAIL : KTAP_PASS;
}

int main(int argc, char **argv)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (argc == 3 && !strcmp(argv[1], "run"))
		return run(atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "churn"))
		return churn(atoi(argv[2]));
	fprintf(stderr, "usage: hammer run SECONDS | hammer churn CYCLES\n");
	return 2;
}

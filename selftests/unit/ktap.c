// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: the test runner, see ktap.h.
 */
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"
#include "shim.h"

/* No exit status that a sanitizer, a shell or a stray exit(0) would produce may mean success. */
enum {
	STATUS_PASSED = 42,
	STATUS_FAILED = 43,
	STATUS_SKIPPED = 44,
};

/* The stand-in for kfree() finds the core's leaks; the sanitizer's way needs ptrace. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

void (*ktap_where)(void);
u64 ktap_seed;
bool ktap_stop;

static u64 random_state;

static void say(const char *prefix, const char *fmt, va_list args)
{
	printf("# %s", prefix);
	vprintf(fmt, args);
	printf("\n");
}

void ktap_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("", fmt, args);
	va_end(args);
}

void ktap_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("skipped: ", fmt, args);
	va_end(args);
	exit(STATUS_SKIPPED);
}

void ktap_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	if (ktap_where)
		ktap_where();
	exit(STATUS_FAILED);
}

/*
 * A Weyl sequence with its bits well mixed; good for picking cases, and every seed will do, 0 too.
 */
u64 ktap_random(void)
{
	u64 x = random_state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
	return x ^ x >> 32;
}

/* The same numbers once more. */
void ktap_reseed(u64 seed)
{
	random_state = seed;
}

static void seed_for(const char *name)
{
	random_state = ktap_seed;
	while (*name)
		random_state = ktap_random() + (unsigned char)*name++;
}

static __noreturn void run_in_child(const struct ktap_test *test, unsigned int seconds, FILE *out)
{
	if (out) {
		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(out), STDERR_FILENO);
	}
	alarm(seconds);
	seed_for(test->name);
	test->run(test->arg);
	shim_check_idle();
	exit(STATUS_PASSED);
}

static enum ktap_outcome judge(int status)
{
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGALRM ? KTAP_TIMED_OUT : KTAP_CRASHED;
	switch (WEXITSTATUS(status)) {
	case STATUS_PASSED:
		return KTAP_PASSED;
	case STATUS_FAILED:
		return KTAP_FAILED;
	case STATUS_SKIPPED:
		return KTAP_SKIPPED;
	default:
		return KTAP_CRASHED;
	}
}

enum ktap_outcome ktap_run(const struct ktap_test *test, unsigned int seconds, FILE *out)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid)
		run_in_child(test, seconds, out);
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("unit: cannot run a test");
		return KTAP_CRASHED;
	}
	return judge(status);
}

static const char * const verdicts[KTAP_NR_OUTCOMES] = {
	[KTAP_PASSED]		= "ok",
	[KTAP_FAILED]		= "not ok",
	[KTAP_SKIPPED]		= "ok",
	[KTAP_CRASHED]		= "not ok",
	[KTAP_TIMED_OUT]	= "not ok",
};

static const char * const remarks[KTAP_NR_OUTCOMES] = {
	[KTAP_PASSED]		= "",
	[KTAP_FAILED]		= "",
	[KTAP_SKIPPED]		= " # SKIP",
	[KTAP_CRASHED]		= " # crashed",
	[KTAP_TIMED_OUT]	= " # timed out",
};

struct run {
	char		**patterns;
	unsigned int	timeout;
	unsigned int	nr;
	unsigned int	count[KTAP_NR_OUTCOMES];
};

static bool wanted(const struct run *run, const char *name)
{
	char **pattern;

	for (pattern = run->patterns; *pattern; pattern++)
		if (!fnmatch(*pattern, name, 0))
			return true;
	return !*run->patterns;
}

static unsigned int nr_wanted(const struct run *run, const struct ktap_test * const *tables)
{
	const struct ktap_test *test;
	unsigned int nr = 0;

	for (; *tables; tables++)
		for (test = *tables; test->name; test++)
			nr += wanted(run, test->name);
	return nr;
}

static void run_one(struct run *run, const struct ktap_test *test)
{
	enum ktap_outcome outcome = ktap_run(test, run->timeout, NULL);

	printf("%s %u %s%s\n", verdicts[outcome], ++run->nr, test->name, remarks[outcome]);
	run->count[outcome]++;
}

static unsigned int nr_failed(const struct run *run)
{
	return run->count[KTAP_FAILED] + run->count[KTAP_CRASHED] + run->count[KTAP_TIMED_OUT];
}

static void run_wanted(struct run *run, const struct ktap_test * const *tables)
{
	const struct ktap_test *test;

	for (; *tables; tables++)
		for (test = *tables; test->name && !(ktap_stop && nr_failed(run)); test++)
			if (wanted(run, test->name))
				run_one(run, test);
}

int ktap_run_tables(const struct ktap_test * const *tables, char **patterns, unsigned int timeout)
{
	struct run run = { .patterns = patterns, .timeout = timeout };
	unsigned int failed;

	printf("KTAP version 1\n1..%u\n# SEED=%llu\n", nr_wanted(&run, tables), ktap_seed);
	run_wanted(&run, tables);

	failed = nr_failed(&run);
	printf("%u passed, %u failed", run.count[KTAP_PASSED], failed);
	if (run.count[KTAP_SKIPPED])
		printf(", %u skipped", run.count[KTAP_SKIPPED]);
	printf("\n");
	return failed || !run.count[KTAP_PASSED];
}

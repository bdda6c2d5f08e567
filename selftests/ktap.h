/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pocketmm selftests: KTAP for test programs in C.
 *
 * A program is a table of cases. A case passes when every expectation in it holds; each that does
 * not prints what was expected and what was got. Exit status as in kselftest: 0 passed, 1 failed,
 * 4 skipped. A helper process that a case forks reports by exiting non-zero.
 */
#ifndef POCKETMM_KTAP_H
#define POCKETMM_KTAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KTAP_PASS	0
#define KTAP_FAIL	1
#define KTAP_SKIP	4

#define KTAP_UNUSED	__attribute__((unused))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct ktap_case {
	const char	*name;
	void		(*run)(void);
};

static unsigned int ktap_failures;	/* expectations of the current case that did not hold */
static const char *ktap_skipped;	/* why the current case cannot run here */

static KTAP_UNUSED __attribute__((format(printf, 1, 2))) void ktap_note(const char *fmt, ...)
{
	va_list args;

	fputs("# ", stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static KTAP_UNUSED bool ktap_expect(bool holds, const char *file, int line, const char *what,
				    long long expected, long long got)
{
	if (holds)
		return true;
	ktap_failures++;
	ktap_note("%s:%d: %s: expected %lld (%#llx), got %lld (%#llx)", file, line, what, expected,
		  expected, got, got);
	return false;
}

/* Each yields whether it held, and is evaluated once. */
#define EXPECT_EQ(got, expected) ({							\
	long long got__ = (long long)(got), expected__ = (long long)(expected);		\
	ktap_expect(got__ == expected__, __FILE__, __LINE__, #got, expected__, got__);	\
})

#define EXPECT(condition) ({								\
	bool got__ = (condition);							\
	ktap_expect(got__, __FILE__, __LINE__, #condition, 1, got__);			\
})

/* The case cannot run here; it should return. */
static KTAP_UNUSED void ktap_skip(const char *why)
{
	ktap_skipped = why;
}

static KTAP_UNUSED void ktap_start(unsigned int plan)
{
	printf("TAP version 13\n1..%u\n", plan);
	fflush(stdout);
}

static KTAP_UNUSED int ktap_skip_all(const char *why)
{
	printf("TAP version 13\n1..0 # SKIP %s\n", why);
	return KTAP_SKIP;
}

/* The outcome of a case that has just run: true unless it failed. */
static KTAP_UNUSED bool ktap_finish(unsigned int number, const char *name)
{
	bool passed = !ktap_failures;

	printf("%sok %u %s", passed ? "" : "not ", number, name);
	if (passed && ktap_skipped)
		printf(" # SKIP %s", ktap_skipped);
	putchar('\n');
	fflush(stdout);
	ktap_failures = 0;
	ktap_skipped = NULL;
	return passed;
}

static KTAP_UNUSED int ktap_run(const struct ktap_case *cases, unsigned int nr)
{
	unsigned int i, failed = 0;

	ktap_start(nr);
	for (i = 0; i < nr; i++) {
		cases[i].run();
		failed += !ktap_finish(i + 1, cases[i].name);
	}
	printf("# Totals: pass:%u fail:%u\n", nr - failed, failed);
	return failed ? KTAP_FAIL : KTAP_PASS;
}

#endif /* POCKETMM_KTAP_H */

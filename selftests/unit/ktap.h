/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unit tier: the test runner. Each test runs in a process of its own, so that a failed assertion,
 * a crash, a sanitizer's report or a hang costs that one test only, and none sees what another
 * left behind.
 */
#ifndef UNIT_KTAP_H
#define UNIT_KTAP_H

#include <stdio.h>
#include <string.h>

#include <linux/types.h>

/* A table of tests ends with a NULL name. */
struct ktap_test {
	const char	*name;
	void		(*run)(const void *arg);
	const void	*arg;
};

enum ktap_outcome {
	KTAP_PASSED,
	KTAP_FAILED,
	KTAP_SKIPPED,
	KTAP_CRASHED,
	KTAP_TIMED_OUT,
	KTAP_NR_OUTCOMES,
};

extern const struct ktap_test bulk_tests[];
extern const struct ktap_test closure_tests[];
extern const struct ktap_test cpus_tests[];
extern const struct ktap_test detour_tests[];
extern const struct ktap_test exhaustive_tests[];
extern const struct ktap_test failure_tests[];
extern const struct ktap_test lazy_tests[];
extern const struct ktap_test misuse_tests[];
extern const struct ktap_test packed_tests[];
extern const struct ktap_test pages_tests[];
extern const struct ktap_test parking_tests[];
extern const struct ktap_test parse_tests[];
extern const struct ktap_test pcp_tests[];
extern const struct ktap_test refill_tests[];
extern const struct ktap_test stray_tests[];
extern const struct ktap_test pieces_tests[];
extern const struct ktap_test poison_tests[];
extern const struct ktap_test random_tests[];
extern const struct ktap_test self_tests[];
extern const struct ktap_test trace_tests[];
extern const struct ktap_test undo_tests[];
extern const struct ktap_test verify_tests[];
extern const struct ktap_test vmlist_tests[];
extern const struct ktap_test walk_tests[];
extern const struct ktap_test watermark_tests[];

/* Run one test; what it prints goes to @out, or where it may when that is NULL. */
enum ktap_outcome ktap_run(const struct ktap_test *test, unsigned int seconds, FILE *out);

/*
 * Run those tests of the tables, which end with a NULL, whose names match one of the shell
 * patterns, or all when there are none, and print KTAP. Returns 0 when none failed and one passed,
 * else 1.
 */
int ktap_run_tables(const struct ktap_test * const *tables, char **patterns, unsigned int timeout);

/* In a test: end it as failed or skipped, or say something; the first two do not return. */
__printf(3, 4) __noreturn void ktap_fail(const char *file, int line, const char *fmt, ...);
__printf(1, 2) __noreturn void ktap_skip(const char *fmt, ...);
__printf(1, 2) void ktap_say(const char *fmt, ...);

/* Run no more tests when one has failed. */
extern bool ktap_stop;

/* Called when the test fails, to say how far it was: the step of a random run, for example. */
extern void (*ktap_where)(void);

/*
 * Random numbers: each test has its own sequence, which depends on SEED and the test's name only.
 * For the same run with every compiler, draw one number in an expression: in which order operands,
 * arguments and initializers are evaluated is the compiler's choice.
 */
extern u64 ktap_seed;
void ktap_reseed(u64 seed);
u64 ktap_random(void);

static inline unsigned long ktap_below(unsigned long limit)
{
	return ktap_random() % limit;
}

#define ASSERT(cond)								\
	do {									\
		if (!(cond))							\
			ktap_fail(__FILE__, __LINE__, "not so: %s", #cond);	\
	} while (0)

#define ASSERT_EQ(got, want)									\
	do {											\
		long long got_ = (long long)(got), want_ = (long long)(want);			\
												\
		if (got_ != want_)								\
			ktap_fail(__FILE__, __LINE__,						\
				  "%s: got %lld (%#llx), want %lld (%#llx)",			\
				  #got, got_, got_, want_, want_);				\
	} while (0)

#define ASSERT_STR(got, want)								\
	do {										\
		const char *got_ = (got), *want_ = (want);				\
											\
		if (strcmp(got_, want_))						\
			ktap_fail(__FILE__, __LINE__, "%s:\n#\tgot  '%s'\n#\twant '%s'",	\
				  #got, got_, want_);					\
	} while (0)

#endif /* UNIT_KTAP_H */

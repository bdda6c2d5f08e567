// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: runs the tests, or those whose names match one of the shell patterns given, and
 * prints KTAP.
 *
 *	unit [PATTERN]...
 *
 * SEED=N repeats the random runs of the run that printed that seed; TIMEOUT=S is each test's limit
 * in seconds; with STOP=1 the first test that fails is the last that runs. Exit status: 0 when no
 * test failed and one passed, else 1.
 */
#include <stdlib.h>
#include <time.h>

#include "ktap.h"

static const struct ktap_test * const tables[] = {
	self_tests, walk_tests, watermark_tests, parking_tests, misuse_tests, failure_tests,
	undo_tests, verify_tests, parse_tests, exhaustive_tests, random_tests, bulk_tests,
	packed_tests, pages_tests, pcp_tests, refill_tests, poison_tests, pieces_tests, stray_tests,
	cpus_tests, detour_tests, closure_tests, vmlist_tests,
	lazy_tests, trace_tests, NULL
};

static u64 number_from_env(const char *name, u64 otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	ktap_seed = number_from_env("SEED", time(NULL));
	ktap_stop = number_from_env("STOP", 0);
	return ktap_run_tables(tables, argv + (argc > 0), number_from_env("TIMEOUT", 600));
}

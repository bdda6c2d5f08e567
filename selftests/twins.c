// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm selftests: two ways to do the same must do the same.
 *
 * One random sequence of commands is run under two settings of the module. After each command its
 * line of `result` and the texts of `window`, and where pages count of `freelist` and `pairmap`,
 * must be the same under both.
 *
 *	search=linear, search=tree	the same hole for every area
 *	era=2.6, era=modern		pages of an area one by one, or in bulk: the same ones, and
 *					the same lists when they have gone back; areas of fewer
 *					than 512 pages
 *
 *	twins [-s SEED] [-n STEPS]
 */
#define _GNU_SOURCE
#include <sched.h>
#include <time.h>

#include "pool.h"

#define STEPS_MAX	20000
#define HELD_MAX	400

enum kind { BLOCK, VMALLOC, VMAP, IOREMAP, NR_KINDS };
enum sheet { RESULT, WINDOW, FREELIST, PAIRMAP, NR_SHEETS };

static const char * const sheets[NR_SHEETS] = { "result", "window", "freelist", "pairmap" };

struct pair {
	const char	*name;
	const char	*first;
	const char	*second;
	long		chunk;		/* pages */
	long		window;
	unsigned int	nr_sheets;	/* how many of them are compared */
	long		pages_max;	/* of an area */
};

struct held {
	enum kind	kind;
	long		id;
};

static struct run {
	unsigned long long	rng;
	struct held		held[HELD_MAX];
	unsigned int		nr_held;
	char			command[128];
	bool			failed;
} run;

/* What each step led to under the first setting. */
static unsigned long long seen[STEPS_MAX][NR_SHEETS];

static long steps = 2000;
static unsigned long long seed;

static long below(long n)
{
	run.rng ^= run.rng >> 12;
	run.rng ^= run.rng << 25;
	run.rng ^= run.rng >> 27;
	return (run.rng * 0x2545f4914f6cdd1dULL >> 16) % n;
}

/* FNV-1a of the whole file. */
static unsigned long long hash(const char *name)
{
	unsigned long long h = 0xcbf29ce484222325ULL;
	int fd = pool_open(name, O_RDONLY);
	ssize_t got, i;

	EXPECT(fd >= 0);
	while ((got = read(fd, pool_text, sizeof(pool_text))) > 0)
		for (i = 0; i < got; i++)
			h = (h ^ (unsigned char)pool_text[i]) * 0x100000001b3ULL;
	close(fd);
	return h;
}

/* --- the sequence ----------------------------------------------------------------------------- */

static long take_held(const struct pair *pair)
{
	static const char * const verbs[NR_KINDS] = {
		"free block", "vfree area", "vunmap area", "iounmap area",
	};
	struct held *h = &run.held[below(run.nr_held)];

	if (h->kind == VMALLOC && pair->nr_sheets > WINDOW + 1 && below(4) == 0) {
		snprintf(run.command, sizeof(run.command), "pages area=%ld", h->id);
		return -1;
	}
	snprintf(run.command, sizeof(run.command), "%s=%ld", verbs[h->kind], h->id);
	*h = run.held[--run.nr_held];
	return -1;
}

/* The kind of what the next command makes, or -1. */
static int next_command(const struct pair *pair)
{
	unsigned int what = below(100);

	if (what < 1) {
		strcpy(run.command, "reset");
		run.nr_held = 0;
		return -1;
	}
	if (what < 2) {
		strcpy(run.command, "purge");
		return -1;
	}
	if (run.nr_held == HELD_MAX || (run.nr_held && what < 50))
		return take_held(pair);
	if (what < 75) {
		snprintf(run.command, sizeof(run.command), "vmalloc size=%ld",
			 1 + below((below(4) ? 30 : pair->pages_max) * POOL_PAGE));
		return VMALLOC;
	}
	if (what < 85) {
		snprintf(run.command, sizeof(run.command), "ioremap phys=" POOL_DEVICE " size=%ld",
			 1 + below(16 * POOL_PAGE));
		return IOREMAP;
	}
	if (what < 92 && run.nr_held && run.held[0].kind == BLOCK) {
		snprintf(run.command, sizeof(run.command), "vmap block=%ld,%ld", run.held[0].id,
			 run.held[0].id);
		return VMAP;
	}
	snprintf(run.command, sizeof(run.command), "alloc order=%ld", below(below(3) ? 4 : 9));
	return BLOCK;
}

static void step(const struct pair *pair)
{
	int kind = next_command(pair);
	bool ok = !pool_command("%s", run.command);

	if (kind < 0 || !ok)
		return;
	run.held[run.nr_held++] = (struct held){
		.kind = kind, .id = pool_result(kind == BLOCK ? "block" : "area"),
	};
}

static void compare(const struct pair *pair, long nr, bool second)
{
	unsigned int i;

	for (i = 0; i < pair->nr_sheets && !run.failed; i++) {
		unsigned long long h = hash(sheets[i]);

		if (!second)
			seen[nr][i] = h;
		if (h == seen[nr][i])
			continue;
		run.failed = true;
		ktap_failures++;
		ktap_note("seed %llu, step %ld, '%s': %s differs", seed, nr, run.command,
			  sheets[i]);
		ktap_note("with %s: %s", pair->second, pool_read("result"));
	}
}

static bool play(const struct pair *pair, bool second)
{
	const char *parameters = second ? pair->second : pair->first;
	long nr;

	if (!EXPECT_EQ(pool_load_pages(pair->chunk, pair->window, parameters), 0))
		return false;
	run = (struct run){ .rng = seed * 0x9e3779b97f4a7c15ULL + 1 };
	for (nr = 0; nr < steps && !run.failed; nr++) {
		step(pair);
		compare(pair, nr, second);
	}
	EXPECT_EQ(pool_command("reset"), 0);
	EXPECT(pool_verify());
	EXPECT_EQ(pool_unload(), 0);
	return !run.failed;
}

static void play_both(const struct pair *pair)
{
	ktap_note("seed %llu: %s, and %s", seed, pair->first, pair->second);
	if (play(pair, false))
		play(pair, true);
}

/* --- the pairs -------------------------------------------------------------------------------- */

#define SEARCH(how)	"search=" how
#define PAGES(how)	"pcp=0 expand=lower search=tree " how

static const struct pair pairs[] = {
	{ "search, every free purged",
	  SEARCH("linear purge=eager"), SEARCH("tree purge=eager"),
	  2048, 1536, 2, 700 },
	{ "search, purged together",
	  SEARCH("linear purge=lazy"), SEARCH("tree purge=lazy"),
	  2048, 1536, 2, 700 },
	{ "pages in bulk",
	  PAGES("placement=lifo purge=lazy era=2.6"), PAGES("placement=lifo purge=lazy era=modern"),
	  1536, 2048, 4, 500 },
	{ "pages in bulk, packed",
	  PAGES("placement=packed purge=eager era=2.6"),
	  PAGES("placement=packed purge=eager era=modern"),
	  1536, 2048, 4, 500 },
};

/* Two settings that are not the same are told apart. */
static void play_strangers(void)
{
	static const struct pair strangers = {
		"strangers", PAGES("placement=lifo expand=upper"),
		PAGES("placement=lifo expand=lower"),
		1536, 2048, 4, 500,
	};
	long all = steps;

	steps = 200;
	if (play(&strangers, false)) {
		EXPECT(!play(&strangers, true));
		ktap_failures = !run.failed;
	}
	steps = all;
}

/* Which pages a CPU keeps depends on where one was before. */
static void stay_here(void)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
}

int main(int argc, char **argv)
{
	unsigned int i, failed = 0;
	const char *obstacle = pool_obstacle();
	int opt;

	seed = time(NULL);
	if (getenv("POCKETMM_QUICK") && *getenv("POCKETMM_QUICK"))
		steps = 200;
	while ((opt = getopt(argc, argv, "s:n:")) != -1) {
		if (opt == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (opt == 'n')
			steps = strtol(optarg, NULL, 0);
		else
			return KTAP_FAIL;
	}
	if (obstacle)
		return ktap_skip_all(obstacle);
	if (steps > STEPS_MAX)
		steps = STEPS_MAX;
	stay_here();
	ktap_start(ARRAY_SIZE(pairs) + 1);
	pool_expect_log_begin();
	play_strangers();
	failed += !ktap_finish(1, "what differs is noticed");
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		play_both(&pairs[i]);
		failed += !ktap_finish(i + 2, pairs[i].name);
	}
	pool_expect_log_end();
	printf("# Totals: pass:%u fail:%u\n", i + 1 - failed, failed);
	return failed ? KTAP_FAIL : KTAP_PASS;
}

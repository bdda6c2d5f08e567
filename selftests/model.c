// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm selftests: the module, step by step, against a second implementation of 2.4's
 * algorithms (model.h).
 *
 * A random sequence of alloc, free, vmalloc and vfree commands goes to both. After each command
 * the errno, the pages handed out and the whole text of `freelist`, `pairmap` and `window` must be
 * what the model says, byte by byte. A run must also have met each kind of event worth meeting:
 * exhaustion, fragmentation, exact fits, full coalescing, every failure.
 *
 *	model [-s SEED] [-n STEPS] [-c PAGES]
 *
 * $MODEL_SEED and $MODEL_STEPS say the same. The seed is printed; with it a run can be repeated.
 */
#define _GNU_SOURCE
#include <linux/types.h>
#include <time.h>

#include "model.h"
#include "pool.h"

#define TEXT_MAX	(1 << 20)
#define HELD_MAX	8192
#define COUNT_MAX	64

/* --- text that is expected -------------------------------------------------------------------- */

struct text {
	char	*buf;
	size_t	len;
};

static void text_str(struct text *t, const char *s)
{
	size_t len = strlen(s);

	memcpy(t->buf + t->len, s, len);
	t->len += len;
}

static void text_num(struct text *t, unsigned long n)
{
	char digits[24];
	int i = sizeof(digits);

	do {
		digits[--i] = '0' + n % 10;
		n /= 10;
	} while (n);
	memcpy(t->buf + t->len, digits + i, sizeof(digits) - i);
	t->len += sizeof(digits) - i;
}

static void text_copy(struct text *to, const struct text *from)
{
	memcpy(to->buf + to->len, from->buf, from->len);
	to->len += from->len;
}

/* --- a run ------------------------------------------------------------------------------------ */

enum sheet_nr { FREELIST, PAIRMAP, WINDOW, NR_SHEETS };

/* A file, what it should say, and for the first two the lines that this is made of. */
struct sheet {
	const char	*name;
	int		fd;
	struct text	expected;
	struct text	line[MODEL_ORDERS];
};

struct held {
	bool	area;
	int	order;
	long	where;		/* page of the pool, or of the window */
	long	id;
};

/* How a stretch of steps behaves: towards how many used pages, and with what sizes. */
enum style { SMALL, MIXED, LARGE, NR_STYLES };

struct phase {
	long		steps;
	long		target;
	enum style	style;
};

static struct run {
	struct model	model;
	struct sheet	sheet[NR_SHEETS];
	struct text	got;
	int		command_fd;
	int		result_fd;
	__u64	seed;
	__u64	rng;
	long		step;
	struct phase	phase;
	struct held	held[HELD_MAX];
	long		nr_held;
	char		command[128];
	bool		failed;
} run;

/* xorshift64*: a number below n. */
static __u64 below(__u64 n)
{
	run.rng ^= run.rng >> 12;
	run.rng ^= run.rng << 25;
	run.rng ^= run.rng >> 27;
	return (run.rng * 0x2545f4914f6cdd1dULL >> 16) % n;
}

static bool percent(unsigned int p)
{
	return below(100) < p;
}

static void fail(const char *what)
{
	run.failed = true;
	ktap_failures++;
	ktap_note("seed %llu, %ld pages, step %ld, '%s': %s", run.seed, run.model.nr_pages,
		  run.step, run.command, what);
}

/* --- what the three files should say ---------------------------------------------------------- */

static void show_list(struct text *t, const struct model *m, int order)
{
	long page;

	t->len = 0;
	text_str(t, "order ");
	text_num(t, order);
	text_str(t, ":");
	for (page = m->head[order]; page != MODEL_NONE; page = m->next[page]) {
		text_str(t, " ");
		text_num(t, page);
	}
	text_str(t, "\n");
}

/* Runs of set bits, as '3-5,9'; each bit is also recomputed from its definition. */
static long show_bits(struct text *t, const struct model *m, int order)
{
	long pair, nr = model_pairs(m, order), set = 0, first = MODEL_NONE;

	for (pair = 0; pair <= nr; pair++) {
		bool bit = pair < nr && m->bit[order][pair];

		if (pair < nr && bit != model_bit_defined(m, order, pair))
			fail("the model's own pair bit contradicts its free list");
		set += bit;
		if (bit && first == MODEL_NONE)
			first = pair;
		if (bit || first == MODEL_NONE)
			continue;
		if (set > pair - first)
			text_str(t, ",");
		text_num(t, first);
		if (pair - 1 > first) {
			text_str(t, "-");
			text_num(t, pair - 1);
		}
		first = MODEL_NONE;
	}
	return set;
}

static void show_pairs(struct text *t, const struct model *m, int order)
{
	static char list[TEXT_MAX];
	struct text bits = { .buf = list };
	long set = show_bits(&bits, m, order);

	t->len = 0;
	text_str(t, "order ");
	text_num(t, order);
	text_str(t, ": pairs=");
	text_num(t, model_pairs(m, order));
	text_str(t, " set=");
	text_num(t, set);
	text_str(t, " list=");
	text_copy(t, &bits);
	text_str(t, "\n");
}

static void show_extent(struct text *t, long start, long span, const char *kind)
{
	text_num(t, start * POOL_PAGE);
	text_str(t, " ");
	text_num(t, span * POOL_PAGE);
	text_str(t, kind);
}

static void show_window(struct text *t, const struct model *m)
{
	long i, at = 0;

	t->len = 0;
	for (i = 0; i <= m->nr_areas; i++) {
		long start = i < m->nr_areas ? m->areas[i].start : m->window_pages;

		if (start > at)
			show_extent(t, at, start - at, " hole\n");
		if (i == m->nr_areas)
			break;
		show_extent(t, start, m->areas[i].span, " area vmalloc pages=");
		text_num(t, m->areas[i].span - 1);
		text_str(t, "\n");
		at = start + m->areas[i].span;
	}
}

/* Only the lines that the last command can have changed are written anew. */
static void show_model(void)
{
	struct sheet *lists = &run.sheet[FREELIST], *maps = &run.sheet[PAIRMAP];
	struct model *m = &run.model;
	int order;

	lists->expected.len = 0;
	maps->expected.len = 0;
	for (order = 0; order < MODEL_ORDERS; order++) {
		if (m->touched[order])
			show_list(&lists->line[order], m, order);
		text_copy(&lists->expected, &lists->line[order]);
		if (m->touched[order] && order < MODEL_TOP)
			show_pairs(&maps->line[order], m, order);
		text_copy(&maps->expected, &maps->line[order]);
		m->touched[order] = false;
	}
	if (m->areas_touched)
		show_window(&run.sheet[WINDOW].expected, m);
	m->areas_touched = false;
}

/* --- comparing -------------------------------------------------------------------------------- */

/* The file from its start: one that is kept open shows the state anew at offset 0. */
static bool read_all(int fd, struct text *t)
{
	ssize_t got;

	t->len = 0;
	while ((got = pread(fd, t->buf + t->len, TEXT_MAX - t->len, t->len)) > 0)
		t->len += got;
	return got == 0;
}

static void note_line(const char *whose, const struct text *t, size_t line, size_t at)
{
	const char *start = t->buf + line, *end = memchr(start, '\n', t->len - line);
	size_t len = (end ? end : t->buf + t->len) - start;
	size_t skip = at > 60 ? at - 60 : 0;

	if (skip > len)
		skip = len;
	len -= skip;
	ktap_note("  %s: %s%.*s%s", whose, skip ? "..." : "", (int)(len < 110 ? len : 110),
		  start + skip, len < 110 ? "" : "...");
}

static void report_difference(const struct sheet *sheet, const struct text *got)
{
	const struct text *expected = &sheet->expected;
	size_t at = 0, line = 0, number = 1;
	char what[96];

	while (at < got->len && at < expected->len && got->buf[at] == expected->buf[at]) {
		if (got->buf[at++] == '\n') {
			line = at;
			number++;
		}
	}
	snprintf(what, sizeof(what), "%s differs in line %zu, column %zu", sheet->name, number,
		 at - line + 1);
	fail(what);
	note_line("expected", expected, line, at - line);
	note_line("got", got, line, at - line);
}

static bool sheet_agrees(const struct sheet *sheet)
{
	if (!read_all(sheet->fd, &run.got)) {
		fail(sheet->name);
		return false;
	}
	return run.got.len == sheet->expected.len &&
	       !memcmp(run.got.buf, sheet->expected.buf, run.got.len);
}

static void compare_all(void)
{
	int i;

	show_model();
	for (i = 0; i < NR_SHEETS; i++)
		if (!sheet_agrees(&run.sheet[i]))
			report_difference(&run.sheet[i], &run.got);
}

/* --- commands --------------------------------------------------------------------------------- */

/* Runs it and compares the errno; true when it was to succeed and did. */
static bool command(int expected, const char *fmt, ...)
{
	char what[96];
	va_list args;
	int len, err;

	va_start(args, fmt);
	len = vsnprintf(run.command, sizeof(run.command), fmt, args);
	va_end(args);
	err = pwrite(run.command_fd, run.command, len, 0) == len ? 0 : errno;
	if (err == expected)
		return !err;
	snprintf(what, sizeof(what), "expected errno %d, got %d", expected, err);
	fail(what);
	return false;
}

/* The next ' NAME=number' in `result`, which must be @expected unless that is MODEL_NONE. */
static long take_value(const char **at, const char *name, long expected)
{
	long value = pool_value(*at, name);
	char what[96];

	if (value >= 0)
		*at = strstr(strstr(*at, name) + 1, " ");
	if (value >= 0 && (expected == MODEL_NONE || value == expected))
		return value;
	snprintf(what, sizeof(what), "expected %s=%ld, got %ld", name, expected, value);
	fail(what);
	return MODEL_NONE;
}

static const char *read_result(void)
{
	const char *outcome;

	read_all(run.result_fd, &run.got);
	run.got.buf[run.got.len] = '\0';
	outcome = strstr(run.got.buf, " -> ok ");
	if (!outcome)
		fail("no result");
	return outcome ? outcome + 6 : NULL;
}

static void hold(bool area, int order, long where, long id)
{
	run.held[run.nr_held++] = (struct held){
		.area = area, .order = order, .where = where, .id = id,
	};
}

static long random_order(void)
{
	long order;

	switch (run.phase.style) {
	case SMALL:
		return below(3);
	case LARGE:
		return 6 + below(4);
	default:
		for (order = 0; order < MODEL_TOP && percent(55); order++)
			;
		return order;
	}
}

static void count_failure(long order)
{
	struct model *m = &run.model;

	m->events[m->nr_free < 1L << order ? EV_EXHAUSTED : EV_FRAGMENTED]++;
}

/* As many blocks of an order as there are, at most @count. */
static long alloc_blocks(long *pages, long order, long count)
{
	long i;

	for (i = 0; i < count; i++) {
		pages[i] = model_alloc(&run.model, order);
		if (pages[i] == MODEL_NONE)
			break;
	}
	return i;
}

/* Some blocks, or none and everything given back in reverse order. */
static void step_alloc(long order, long count)
{
	long pages[COUNT_MAX], i, done = alloc_blocks(pages, order, count);
	const char *at;

	if (done < count) {
		count_failure(order);
		run.model.events[EV_COUNT_UNDONE] += done > 0;
		while (done)
			model_free(&run.model, pages[--done], order);
		command(ENOMEM, count > 1 ? "alloc order=%ld count=%ld" : "alloc order=%ld", order,
			count);
		return;
	}
	if (!command(0, count > 1 ? "alloc order=%ld count=%ld" : "alloc order=%ld", order, count))
		return;
	at = read_result();
	for (i = 0; at && i < count; i++) {
		long id = take_value(&at, "block", MODEL_NONE);

		take_value(&at, "page", pages[i]);
		hold(false, order, pages[i], id);
		if (run.failed)
			return;
	}
}

static void step_vmalloc(long nr)
{
	unsigned long bytes = nr * POOL_PAGE - (percent(50) ? 0 : below(POOL_PAGE));
	const char *at;
	long start = 0, id;
	int err = model_vmalloc(&run.model, nr, &start);

	if (!command(err, "vmalloc size=%lu", bytes))
		return;
	at = read_result();
	if (!at)
		return;
	id = take_value(&at, "area", MODEL_NONE);
	take_value(&at, "offset", start * POOL_PAGE);
	hold(true, 0, start, id);
}

static void step_free(long i)
{
	struct held h = run.held[i];

	run.held[i] = run.held[--run.nr_held];
	if (h.area) {
		model_vfree(&run.model, h.where);
		if (percent(80))
			command(0, "vfree area=%ld", h.id);
		else
			command(0, "vfree offset=%lu", h.where * POOL_PAGE);
	} else {
		model_free(&run.model, h.where, h.order);
		if (percent(80))
			command(0, "free block=%ld", h.id);
		else
			command(0, "free page=%ld order=%d", h.where, h.order);
	}
}

/* --- what to do next -------------------------------------------------------------------------- */

static long min_long(long a, long b)
{
	return a < b ? a : b;
}

/* A hole between two areas that an area and its guard page fill, or 0. */
static long some_hole(void)
{
	const struct model *m = &run.model;
	long i, hole;

	if (!m->nr_areas)
		return 0;
	i = below(m->nr_areas);
	hole = m->areas[i].start - (i ? m->areas[i - 1].start + m->areas[i - 1].span : 0);
	return hole > 1 ? min_long(hole - 1, m->nr_pages) : 0;
}

static long random_area(void)
{
	long most[NR_STYLES] = { [SMALL] = 4, [MIXED] = 48, [LARGE] = run.model.nr_pages / 3 };
	long hole = percent(25) ? some_hole() : 0;

	return hole ? hole : 1 + (long)below(most[run.phase.style]);
}

/* All that is left, so that not one page stays free. */
static void step_take_rest(void)
{
	long left = run.model.nr_free;

	if (left <= COUNT_MAX)
		step_alloc(0, left ? left : 1);
	else
		step_vmalloc(left);
}

static void step_more(void)
{
	if (run.nr_held > HELD_MAX - COUNT_MAX)
		step_free(below(run.nr_held));
	else if (run.phase.target > run.model.nr_pages && percent(8))
		step_take_rest();
	else if (percent(35))
		step_vmalloc(random_area());
	else
		step_alloc(random_order(), percent(92) ? 1 : 2 + below(COUNT_MAX - 1));
}

/* What must be refused, and leave everything as it was. */
static void step_refused(void)
{
	const struct held *h = run.nr_held ? &run.held[below(run.nr_held)] : NULL;
	struct model *m = &run.model;
	long page = below(m->nr_pages);

	if (h && !h->area && percent(50)) {
		command(EINVAL, "free page=%ld order=%d", h->where, (h->order + 1) % MODEL_ORDERS);
		m->events[EV_MISUSE]++;
	} else if (h && h->area && percent(50)) {
		command(ENOENT, "vfree offset=%lu", (h->where + 1) * POOL_PAGE);
		m->events[EV_MISUSE]++;
	} else if (m->free_order[page] != MODEL_NONE) {
		command(EINVAL, "free page=%ld order=%d", page, m->free_order[page]);
		m->events[EV_MISUSE]++;
	} else {
		command(EINVAL, "vmalloc size=%lu", percent(50) ? 0 : m->nr_pages * POOL_PAGE + 1);
		m->events[EV_REFUSED]++;
	}
}

static void new_phase(void)
{
	static const int targets[] = { 0, 10, 50, 50, 80, 95, 150, 150 };
	struct phase *p = &run.phase;

	p->target = run.model.nr_pages * targets[below(ARRAY_SIZE(targets))] / 100;
	p->style = below(NR_STYLES);
	p->steps = p->target ? 30 + (long)below(200) : run.nr_held + 10;
}

static void end_of_step(void)
{
	struct model *m = &run.model;

	m->events[EV_ALL_USED] += !m->nr_free;
	m->events[EV_ALL_FREE] += m->nr_free == m->nr_pages;
	run.step++;
	compare_all();
}

static void step(void)
{
	struct model *m = &run.model;
	bool more = m->nr_pages - m->nr_free < run.phase.target;

	if (!run.phase.steps--)
		new_phase();
	if (percent(run.phase.target ? 15 : 3))
		more = !more;
	if (percent(2))
		step_refused();
	else if (more || !run.nr_held)
		step_more();
	else
		step_free(below(run.nr_held));
	end_of_step();
}

static void free_the_rest(void)
{
	while (run.nr_held && !run.failed) {
		step_free(below(run.nr_held));
		end_of_step();
	}
}

/* --- a case ----------------------------------------------------------------------------------- */

static long nr_steps = 10000;
static __u64 base_seed;

static void open_files(void)
{
	static const char * const names[NR_SHEETS] = { "freelist", "pairmap", "window" };
	int i;

	for (i = 0; i < NR_SHEETS; i++) {
		run.sheet[i].name = names[i];
		run.sheet[i].fd = pool_open(names[i], O_RDONLY);
	}
	run.command_fd = pool_open("command", O_WRONLY);
	run.result_fd = pool_open("result", O_RDONLY);
}

static void close_files(void)
{
	int i;

	for (i = 0; i < NR_SHEETS; i++)
		close(run.sheet[i].fd);
	close(run.command_fd);
	close(run.result_fd);
}

static bool begin(long nr_pages, long window_pages, bool lower)
{
	char parameters[128];
	int i;

	snprintf(parameters, sizeof(parameters), "chunk=%luK window=%luK expand=%s", nr_pages * 4,
		 window_pages * 4, lower ? "lower" : "upper");
	if (!EXPECT_EQ(pool_load(parameters), 0))
		return false;
	open_files();
	model_init(&run.model, nr_pages, window_pages, lower);
	for (i = 0; i < MODEL_ORDERS; i++)
		run.sheet[PAIRMAP].line[i].len = 0;
	run.rng = run.seed * 0x9e3779b97f4a7c15ULL + 1;
	run.step = 0;
	run.nr_held = 0;
	run.failed = false;
	strcpy(run.command, "insmod");
	new_phase();
	compare_all();
	return true;
}

static void end(void)
{
	close_files();
	EXPECT_EQ(pool_unload(), 0);
	model_destroy(&run.model);
}

static const char * const event_names[NR_EVENTS] = {
	[EV_EXHAUSTED]		= "exhausted",
	[EV_FRAGMENTED]		= "fragmented",
	[EV_COUNT_UNDONE]	= "count-undone",
	[EV_PAGES_UNDONE]	= "pages-undone",
	[EV_NO_HOLE]		= "no-hole",
	[EV_EXACT_HOLE]		= "exact-hole",
	[EV_LOWER_HOLE]		= "lower-hole",
	[EV_SPLIT_TOP]		= "split-top",
	[EV_MERGED_TOP]		= "merged-top",
	[EV_ALL_USED]		= "all-used",
	[EV_ALL_FREE]		= "all-free",
	[EV_REFUSED]		= "size-refused",
	[EV_MISUSE]		= "misuse-refused",
};

/* A short run need not meet them all. */
static void check_events(void)
{
	struct text t = { .buf = run.got.buf };
	int i;

	for (i = 0; i < NR_EVENTS; i++) {
		text_str(&t, " ");
		text_str(&t, event_names[i]);
		text_str(&t, "=");
		text_num(&t, run.model.events[i]);
		if (!run.model.events[i] && run.step >= 10000)
			fail(event_names[i]);
	}
	t.buf[t.len] = '\0';
	ktap_note("met%s", t.buf);
}

static void play(long nr_pages, long window_pages, bool lower, long steps)
{
	struct timespec start, stop;

	clock_gettime(CLOCK_MONOTONIC, &start);
	run.seed = base_seed + nr_pages;
	ktap_note("seed %llu: %ld pages, window of %ld, %ld steps", run.seed - nr_pages,
		  nr_pages, window_pages, steps);
	if (!begin(nr_pages, window_pages, lower))
		return;
	while (run.step < steps && !run.failed)
		step();
	free_the_rest();
	if (!run.failed) {
		EXPECT_EQ(run.model.nr_free, nr_pages);
		check_events();
		EXPECT(pool_verify());
	}
	end();
	clock_gettime(CLOCK_MONOTONIC, &stop);
	ktap_note("%ld steps in %ld s", run.step, (long)(stop.tv_sec - start.tv_sec));
}

/* The comparison is no formality: each file tells when the module did what the model did not. */
static void play_apart(void)
{
	int i;

	if (!begin(512, 512, false))
		return;
	command(0, "alloc order=0");
	command(0, "vmalloc size=1");
	for (i = 0; i < NR_SHEETS; i++)
		EXPECT(!sheet_agrees(&run.sheet[i]));
	end();
}

static const struct {
	long	nr_pages;
	long	window_pages;
	bool	lower;
} plays[] = {
	{ 512,		384,	false },
	{ 777,		777,	false },
	{ 1000,		800,	false },
	{ 1024,		1024,	false },
	{ 4097,		3600,	false },
	{ 16384,	14000,	false },
	{ 512,		400,	true },
	{ 1000,		1000,	true },
	{ 4097,		4097,	true },
};

static void allocate_texts(void)
{
	int i, j;

	run.got.buf = malloc(TEXT_MAX + 1);
	for (i = 0; i < NR_SHEETS; i++) {
		run.sheet[i].expected.buf = malloc(TEXT_MAX);
		for (j = 0; j < MODEL_ORDERS; j++)
			run.sheet[i].line[j].buf = malloc(TEXT_MAX / 4);
	}
}

static long only_pages;

static void parse_arguments(int argc, char **argv)
{
	int opt;

	base_seed = time(NULL);
	if (getenv("MODEL_SEED"))
		base_seed = strtoull(getenv("MODEL_SEED"), NULL, 0);
	if (getenv("MODEL_STEPS"))
		nr_steps = strtol(getenv("MODEL_STEPS"), NULL, 0);
	while ((opt = getopt(argc, argv, "s:n:c:")) != -1) {
		if (opt == 's')
			base_seed = strtoull(optarg, NULL, 0);
		else if (opt == 'n')
			nr_steps = strtol(optarg, NULL, 0);
		else if (opt == 'c')
			only_pages = strtol(optarg, NULL, 0);
		else
			exit(KTAP_FAIL);
	}
}

int main(int argc, char **argv)
{
	unsigned int i, done = 0, failed = 0;
	const char *obstacle = pool_obstacle();
	char name[64];

	parse_arguments(argc, argv);
	if (obstacle)
		return ktap_skip_all(obstacle);
	allocate_texts();
	ktap_start(ARRAY_SIZE(plays) + 1);
	pool_expect_log_begin();
	play_apart();
	failed += !ktap_finish(++done, "a difference is noticed in each file");
	for (i = 0; i < ARRAY_SIZE(plays); i++) {
		snprintf(name, sizeof(name), "%ld pages, expand=%s", plays[i].nr_pages,
			 plays[i].lower ? "lower" : "upper");
		if (only_pages && only_pages != plays[i].nr_pages)
			ktap_skipped = "not asked for";
		else
			play(plays[i].nr_pages, plays[i].window_pages, plays[i].lower,
			     plays[i].lower ? nr_steps / 5 : nr_steps);
		failed += !ktap_finish(++done, name);
	}
	pool_expect_log_end();
	printf("# Totals: pass:%u fail:%u\n", done - failed, failed);
	return failed ? KTAP_FAIL : KTAP_PASS;
}

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
 * The model follows expand=, purge= and era=; search= must not be seen. Which pages per-CPU lists
 * (pcp=1) and placement=packed choose is the module's affair. With these, the further runs check
 * the results that do not depend on the choice against a ledger of each page's owner (ledger.h).
 *
 *	model [-s SEED] [-n STEPS] [-c PAGES]
 *
 * $MODEL_SEED and $MODEL_STEPS say the same. The seed is printed; with it a run can be repeated.
 */
#define _GNU_SOURCE
#include <linux/types.h>
#include <time.h>

#include "ledger.h"
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

/* What differs between the exact runs and those with a ledger. */
struct rules {
	long	(*free_pages)(void);
	void	(*alloc)(long order, long count);
	void	(*vmalloc)(long nr);
	void	(*free_block)(long page, int order);
	void	(*free_area)(long start);
	long	(*some_free)(int *order);	/* a free page and an order, or MODEL_NONE */
	void	(*compare)(void);
};

static struct run {
	struct model	model;
	struct ledger	ledger;
	const struct rules *rules;
	bool		wide;		/* never full; only the module purges */
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

static long nr_free(void)
{
	return run.rules->free_pages();
}

static void fail(const char *what)
{
	run.failed = true;
	ktap_failures++;
	ktap_note("seed %llu, %ld pages, step %ld, '%s': %s", run.seed - run.model.nr_pages,
		  run.model.nr_pages, run.step, run.command, what);
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

static void show_area(struct text *t, const struct model_area *area)
{
	if (area->waits) {
		show_extent(t, area->start, area->span, " lazy\n");
		return;
	}
	show_extent(t, area->start, area->span, " area vmalloc pages=");
	text_num(t, area->span - 1);
	if (area->nr_huge) {
		text_str(t, " huge=");
		text_num(t, area->nr_huge);
	}
	text_str(t, "\n");
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
		show_area(t, &m->areas[i]);
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
	run.model.events[nr_free() < 1L << order ? EV_EXHAUSTED : EV_FRAGMENTED]++;
}

static bool command_alloc(int expected, long order, long count)
{
	return command(expected, count > 1 ? "alloc order=%ld count=%ld" : "alloc order=%ld", order,
		       count);
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
static void exact_alloc(long order, long count)
{
	long pages[COUNT_MAX], i, done = alloc_blocks(pages, order, count);
	const char *at;

	if (done < count) {
		count_failure(order);
		run.model.events[EV_COUNT_UNDONE] += done > 0;
		while (done)
			model_free(&run.model, pages[--done], order);
		command_alloc(ENOMEM, order, count);
		return;
	}
	if (!command_alloc(0, order, count))
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

/* The ID of the area that is to be at @start when all goes well, else MODEL_NONE. */
static long command_vmalloc(int expected, long nr, long start)
{
	unsigned long bytes = nr * POOL_PAGE - (percent(50) ? 0 : below(POOL_PAGE));
	const char *at;
	long id;

	if (!command(expected, "vmalloc size=%lu", bytes))
		return MODEL_NONE;
	at = read_result();
	if (!at)
		return MODEL_NONE;
	id = take_value(&at, "area", MODEL_NONE);
	take_value(&at, "offset", start * POOL_PAGE);
	hold(true, 0, start, id);
	return id;
}

static void exact_vmalloc(long nr)
{
	long start = 0;
	int err = model_vmalloc(&run.model, nr, &start);

	command_vmalloc(err, nr, start);
}

static void exact_free_block(long page, int order)
{
	model_free(&run.model, page, order);
}

static void exact_free_area(long start)
{
	model_vfree(&run.model, start);
}

static long exact_free_pages(void)
{
	return run.model.nr_free;
}

static long exact_some_free(int *order)
{
	long page = below(run.model.nr_pages);

	*order = run.model.free_order[page];
	return *order == MODEL_NONE ? MODEL_NONE : page;
}

static const struct rules exact = {
	.free_pages = exact_free_pages, .alloc = exact_alloc, .vmalloc = exact_vmalloc,
	.free_block = exact_free_block, .free_area = exact_free_area,
	.some_free = exact_some_free, .compare = compare_all,
};

static void step_free(long i)
{
	struct held h = run.held[i];

	run.held[i] = run.held[--run.nr_held];
	if (h.area) {
		run.rules->free_area(h.where);
		if (percent(80))
			command(0, "vfree area=%ld", h.id);
		else
			command(0, "vfree offset=%lu", h.where * POOL_PAGE);
	} else {
		run.rules->free_block(h.where, h.order);
		if (percent(80))
			command(0, "free block=%ld", h.id);
		else
			command(0, "free page=%ld order=%d", h.where, h.order);
	}
}

/* --- with a ledger in the place of the model's pages ------------------------------------------ */

static long ledger_free_pages(void)
{
	return run.ledger.nr_free;
}

static void ledger_alloc(long order, long count)
{
	long i, available = ledger_available(&run.ledger, order);
	const char *at;

	if (available < count) {
		count_failure(order);
		run.model.events[EV_COUNT_UNDONE] += available > 0;
		command_alloc(ENOMEM, order, count);
		return;
	}
	if (!command_alloc(0, order, count))
		return;
	at = read_result();
	for (i = 0; at && i < count && !run.failed; i++) {
		long id = take_value(&at, "block", MODEL_NONE);
		long page = take_value(&at, "page", MODEL_NONE);

		if (!ledger_take(&run.ledger, page, order))
			fail("a block that was not free");
		hold(false, order, page, id);
	}
}

/* The pages of a new area; none of them is anybody's. */
static void ledger_take_area(long id, long *pages, long nr)
{
	const char *at = NULL;
	char *end;
	long i;

	if (command(0, "pages area=%ld", id))
		at = strstr(read_result(), "pages=");
	for (i = 0; at && i < nr; i++, at = end) {
		at += i ? 1 : strlen("pages=");
		pages[i] = strtol(at, &end, 10);
		if (!ledger_take(&run.ledger, pages[i], 0))
			fail("a page that was not free");
	}
}

/* How many largest blocks `window` says that an area begins with: its pages must be such. */
static long ledger_huge(const struct model_area *area)
{
	long nr, i;
	char line[64], *at;

	read_all(run.sheet[WINDOW].fd, &run.got);
	run.got.buf[run.got.len] = '\0';
	snprintf(line, sizeof(line), "%s%lu %lu area vmalloc pages=%ld huge=",
		 area->start ? "\n" : "",
		 area->start * POOL_PAGE, area->span * POOL_PAGE, area->span - 1);
	at = strstr(run.got.buf, line);
	nr = at ? strtol(at + strlen(line), NULL, 10) : 0;
	if (nr && (!run.model.huge || area->start % MODEL_HUGE || nr * MODEL_HUGE >= area->span))
		fail("largest blocks where they cannot be");
	for (i = 0; i < nr * MODEL_HUGE && !run.failed; i++)
		if (area->pages[i] != area->pages[i - i % MODEL_HUGE] + i % MODEL_HUGE ||
		    (i % MODEL_HUGE == 0 && area->pages[i] % MODEL_HUGE))
			fail("a largest block that is not one");
	run.model.events[EV_HUGE] += nr > 0;
	return nr;
}

static void ledger_vmalloc(long nr)
{
	struct model *m = &run.model;
	long start = 0, id, i = model_reserve(m, nr, &start);
	struct model_area area = { .start = start, .span = nr + 1 };
	int err = i == MODEL_NONE ? ENOSPC : nr > nr_free() ? ENOMEM : 0;

	id = command_vmalloc(err, nr, start);
	if (id == MODEL_NONE)
		return;
	area.pages = calloc(nr, sizeof(*area.pages));
	ledger_take_area(id, area.pages, nr);
	if (!run.failed)
		area.nr_huge = ledger_huge(&area);
	model_insert_area(m, i, area);
}

static void ledger_free_block(long page, int order)
{
	ledger_give(&run.ledger, page, order);
}

static void ledger_free_area(long start)
{
	struct model *m = &run.model;
	long i = model_find_area(m, start), j;

	for (j = 0; j < m->areas[i].span - 1; j++)
		ledger_give(&run.ledger, m->areas[i].pages[j], 0);
	model_release_area(m, i);
}

static long ledger_some_free(int *order)
{
	long page = below(run.ledger.nr_pages);

	*order = 0;
	return run.ledger.used[page] ? MODEL_NONE : page;
}

/* `freelist` when nothing is kept elsewhere: every free page, in blocks, once. */
static void ledger_compare_lists(void)
{
	char *line, *save, *word;
	long listed = 0, order, page;

	if (!command(0, "drain") || !read_all(run.sheet[FREELIST].fd, &run.got))
		return;
	run.got.buf[run.got.len] = '\0';
	for (line = strtok_r(run.got.buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		order = strtol(line + strlen("order "), &word, 10);
		for (word++; *word; listed += 1L << order) {
			page = strtol(word, &word, 10);
			if (!ledger_is_free(&run.ledger, page, order))
				fail("a block is listed that is not free");
		}
	}
	if (listed != run.ledger.nr_free)
		fail("free pages are not listed, or twice");
}

static void ledger_compare(void)
{
	show_model();
	if (!sheet_agrees(&run.sheet[WINDOW]))
		report_difference(&run.sheet[WINDOW], &run.got);
	if (run.step % 4 == 0 && pool_free_pages() != run.ledger.nr_free)
		fail("the number of free pages");
	if (run.step % 64 == 0)
		ledger_compare_lists();
	if (run.step % 64 == 32 && !pool_verify())
		fail("verify");
}

static const struct rules with_ledger = {
	.free_pages = ledger_free_pages, .alloc = ledger_alloc, .vmalloc = ledger_vmalloc,
	.free_block = ledger_free_block, .free_area = ledger_free_area,
	.some_free = ledger_some_free, .compare = ledger_compare,
};

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

/* Takes every page that is left, so that none stays free. */
static void step_take_rest(void)
{
	long left = nr_free();

	if (left <= COUNT_MAX)
		run.rules->alloc(0, left ? left : 1);
	else
		run.rules->vmalloc(left);
}

static void step_more(void)
{
	if (run.nr_held > HELD_MAX - COUNT_MAX)
		step_free(below(run.nr_held));
	else if (run.phase.target > run.model.nr_pages && percent(8))
		step_take_rest();
	else if (percent(35))
		run.rules->vmalloc(random_area());
	else
		run.rules->alloc(random_order(), percent(92) ? 1 : 2 + below(COUNT_MAX - 1));
}

/* What must be refused, and leave everything as it was. */
static void step_refused(void)
{
	const struct held *h = run.nr_held ? &run.held[below(run.nr_held)] : NULL;
	struct model *m = &run.model;
	int order;
	long page = run.rules->some_free(&order);

	if (h && !h->area && percent(50)) {
		command(EINVAL, "free page=%ld order=%d", h->where, (h->order + 1) % MODEL_ORDERS);
		m->events[EV_MISUSE]++;
	} else if (h && h->area && percent(50)) {
		command(ENOENT, "vfree offset=%lu", (h->where + 1) * POOL_PAGE);
		m->events[EV_MISUSE]++;
	} else if (page != MODEL_NONE) {
		command(EINVAL, "free page=%ld order=%d", page, order);
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

static void step_purge(void)
{
	model_purge(&run.model);
	command(0, "purge");
}

static void end_of_step(void)
{
	struct model *m = &run.model;

	m->events[EV_ALL_USED] += !nr_free();
	m->events[EV_ALL_FREE] += nr_free() == m->nr_pages;
	run.step++;
	run.rules->compare();
}

static void step(void)
{
	struct model *m = &run.model;
	bool more = m->nr_pages - nr_free() < run.phase.target;

	if (!run.phase.steps--)
		new_phase();
	if (percent(run.phase.target ? 15 : 3))
		more = !more;
	if (percent(2))
		step_refused();
	else if (percent(1) && !run.wide)
		step_purge();
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

struct play {
	long			nr_pages;
	long			window_pages;
	bool			lower;
	const struct rules	*rules;
	int			percent;	/* of the steps asked for */
};

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

/* The kernel's rule: this many MiB for each doubling of the CPUs. */
static long waiting_max(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), mib = 32;

	for (; cpus > 1; cpus /= 2)
		mib += 32;
	return mib << 8;
}

static void begin_model(const struct play *p)
{
	struct model *m = &run.model;

	model_init(m, p->nr_pages, p->window_pages, p->lower);
	m->lazy = pool_with("purge", "lazy");
	m->huge = pool_with("era", "modern");
	m->waiting_max = waiting_max();
	ledger_init(&run.ledger, p->nr_pages);
	run.wide = p->window_pages > 2 * p->nr_pages;
}

static bool begin(const struct play *p)
{
	char parameters[128];
	int i;

	snprintf(parameters, sizeof(parameters), "chunk=%luK window=%luK expand=%s%s",
		 p->nr_pages * 4, p->window_pages * 4, p->lower ? "lower" : "upper",
		 p->rules == &exact ? " pcp=0 placement=lifo" : "");
	if (!EXPECT_EQ(pool_load(parameters), 0))
		return false;
	open_files();
	begin_model(p);
	for (i = 0; i < MODEL_ORDERS; i++)
		run.sheet[PAIRMAP].line[i].len = 0;
	run.rules = p->rules;
	run.rng = run.seed * 0x9e3779b97f4a7c15ULL + 1;
	run.step = 0;
	run.nr_held = 0;
	run.failed = false;
	strcpy(run.command, "insmod");
	new_phase();
	run.rules->compare();
	return true;
}

static void end(void)
{
	close_files();
	EXPECT_EQ(pool_unload(), 0);
	ledger_destroy(&run.ledger);
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
	[EV_PURGED_FULL]	= "purged-full",
	[EV_PURGED_EXCESS]	= "purged-excess",
	[EV_HUGE]		= "huge",
	[EV_PARTLY_HUGE]	= "partly-huge",
};

/* Must this kind of event have happened by now? */
static bool is_due(const struct play *p, enum model_event event)
{
	const struct model *m = &run.model;

	switch (event) {
	case EV_PURGED_EXCESS:
		/* It takes 64 MiB of addresses: about 1,500 steps, but now and then many more. */
		return run.wide && m->lazy && run.step >= 20000;
	case EV_NO_HOLE:
		return !run.wide && run.step >= 10000;
	case EV_PURGED_FULL:
		return !run.wide && m->lazy && run.step >= 10000;
	case EV_HUGE:
	case EV_PARTLY_HUGE:
		return m->huge && p->nr_pages >= 4 * MODEL_HUGE && run.step >= 10000;
	default:
		return run.step >= 10000;
	}
}

/* A short run need not meet them all. */
static void check_events(const struct play *p)
{
	struct text t = { .buf = run.got.buf };
	int i;

	for (i = 0; i < NR_EVENTS; i++) {
		text_str(&t, " ");
		text_str(&t, event_names[i]);
		text_str(&t, "=");
		text_num(&t, run.model.events[i]);
		if (!run.model.events[i] && is_due(p, i))
			fail(event_names[i]);
	}
	t.buf[t.len] = '\0';
	ktap_note("met%s", t.buf);
}

static void play(const struct play *p, long steps)
{
	struct timespec start, stop;

	clock_gettime(CLOCK_MONOTONIC, &start);
	run.seed = base_seed + p->nr_pages;
	ktap_note("seed %llu: %ld pages, window of %ld, %ld steps", base_seed, p->nr_pages,
		  p->window_pages, steps);
	if (!begin(p))
		return;
	while (run.step < steps && !run.failed)
		step();
	free_the_rest();
	if (!run.failed) {
		EXPECT_EQ(nr_free(), p->nr_pages);
		check_events(p);
		EXPECT(pool_verify());
	}
	end();
	clock_gettime(CLOCK_MONOTONIC, &stop);
	ktap_note("%ld steps in %ld s", run.step, (long)(stop.tv_sec - start.tv_sec));
}

/* The comparison is no formality: each file tells when the module did what the model did not. */
static void play_apart(void)
{
	static const struct play p = { 512, 512, false, &exact, 0 };
	int i;

	if (!begin(&p))
		return;
	command(0, "alloc order=0");
	command(0, "vmalloc size=1");
	for (i = 0; i < NR_SHEETS; i++)
		EXPECT(!sheet_agrees(&run.sheet[i]));
	end();
}

/* Nor is that with the ledger. */
static void play_apart_from_ledger(void)
{
	static const struct play p = { 512, 512, false, &with_ledger, 0 };

	if (!begin(&p))
		return;
	EXPECT(ledger_take(&run.ledger, 511, 0));
	EXPECT(!ledger_take(&run.ledger, 511, 0));
	EXPECT(!ledger_take(&run.ledger, 2, 2));
	EXPECT(!ledger_take(&run.ledger, 510, 1));
	EXPECT_EQ(ledger_available(&run.ledger, 8), 1);
	pool_command("alloc order=0 count=2");
	EXPECT(pool_free_pages() != run.ledger.nr_free);
	end();
}

/* The last is so wide that a purge begins because too many areas wait, not for lack of room. */
static const struct play plays[] = {
	{ 512,		384,	false,	&exact,		100 },
	{ 777,		777,	false,	&exact,		100 },
	{ 1000,		800,	false,	&exact,		100 },
	{ 1024,		1024,	false,	&exact,		100 },
	{ 4097,		3600,	false,	&exact,		100 },
	{ 16384,	14000,	false,	&exact,		100 },
	{ 512,		400,	true,	&exact,		20 },
	{ 1000,		1000,	true,	&exact,		20 },
	{ 4097,		4097,	true,	&exact,		20 },
	{ 4096,		32768,	true,	&exact,		20 },
	{ 777,		600,	false,	&with_ledger,	20 },
	{ 1024,		800,	true,	&with_ledger,	20 },
	{ 4097,		3600,	true,	&with_ledger,	40 },
	{ 16384,	14000,	true,	&with_ledger,	20 },
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
	if (getenv("POCKETMM_QUICK") && *getenv("POCKETMM_QUICK"))
		nr_steps = 400;
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
	ktap_start(ARRAY_SIZE(plays) + 2);
	pool_expect_log_begin();
	play_apart();
	failed += !ktap_finish(++done, "a difference is noticed in each file");
	play_apart_from_ledger();
	failed += !ktap_finish(++done, "a difference from the ledger is noticed");
	for (i = 0; i < ARRAY_SIZE(plays); i++) {
		const struct play *p = &plays[i];

		snprintf(name, sizeof(name), "%ld pages, expand=%s, %s", p->nr_pages,
			 p->lower ? "lower" : "upper",
			 p->rules == &exact ? "page by page" : "by the ledger");
		if (only_pages && only_pages != p->nr_pages)
			ktap_skipped = "not asked for";
		else
			play(p, nr_steps * p->percent / 100);
		failed += !ktap_finish(++done, name);
	}
	pool_expect_log_end();
	printf("# Totals: pass:%u fail:%u\n", done - failed, failed);
	return failed ? KTAP_FAIL : KTAP_PASS;
}

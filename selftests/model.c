// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm selftests: the loaded module, step by step, against the oracle (oracle/).
 *
 * A random sequence of alloc, free, vmalloc and vfree commands goes to both. After each command
 * the errno, the pages handed out and the whole text of `freelist`, `pairmap` and `window` must be
 * what the oracle says, byte by byte. A run must also have met each kind of event worth meeting:
 * exhaustion, fragmentation, exact fits, full coalescing, every failure.
 *
 * The oracle follows expand=, purge= and era=; search= must not be seen. Which pages per-CPU lists
 * (pcp=1) and placement=packed choose is the module's affair. With these, the further runs tell the
 * oracle which pages it chose, and check what does not depend on the choice: a request must be met
 * exactly when there is a block, aligned to its size and free throughout.
 *
 *	model [-s SEED] [-n STEPS] [-c PAGES]
 *
 * $MODEL_SEED and $MODEL_STEPS say the same. The seed is printed; with it a run can be repeated.
 */
#define _GNU_SOURCE
#include <linux/types.h>
#include <time.h>

#include "oracle/buddy.h"
#include "oracle/window.h"
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

/* Events that a run met; a test that never met some of them has not tested much. */
enum event {
	EV_EXHAUSTED,		/* fewer pages free than asked for */
	EV_FRAGMENTED,		/* enough pages free, but no such block */
	EV_COUNT_UNDONE,	/* several blocks asked for, some had, all given back */
	EV_PAGES_UNDONE,	/* an area whose pages ran out half-way */
	EV_NO_HOLE,		/* no hole large enough for an area */
	EV_EXACT_HOLE,		/* a hole between areas, filled exactly */
	EV_LOWER_HOLE,		/* a hole between areas, filled in part */
	EV_SPLIT_TOP,		/* a largest block split */
	EV_MERGED_TOP,		/* coalesced up to a largest block */
	EV_ALL_USED,		/* not one page free */
	EV_ALL_FREE,		/* all pages free */
	EV_REFUSED,		/* a size that is refused */
	EV_MISUSE,		/* a free that is refused */
	EV_PURGED_FULL,		/* addresses that waited, purged for lack of room */
	EV_PURGED_EXCESS,	/* likewise, because so many waited */
	EV_HUGE,		/* an area, or its beginning, of whole largest blocks */
	EV_PARTLY_HUGE,		/* one that could have had more of them */
	NR_EVENTS,
};

enum sheet_nr { FREELIST, PAIRMAP, WINDOW, NR_SHEETS };

/* A file, what it should say, and for the first two the lines that this is made of. */
struct sheet {
	const char	*name;
	int		fd;
	struct text	expected;
	struct text	line[ORACLE_ORDERS];
};

struct held {
	bool	area;
	int	order;
	long	where;		/* page of the pool, or of the window */
	long	id;
};

/* A page of the window. */
struct place {
	long	page;		/* of the pool */
	long	nr_huge;	/* largest blocks at the beginning of the area that begins here */
};

/* How a stretch of steps behaves: towards how many used pages, and with what sizes. */
enum style { SMALL, MIXED, LARGE, NR_STYLES };

struct phase {
	long		steps;
	long		target;
	enum style	style;
};

static struct run {
	struct oracle_buddy	buddy;
	struct oracle_window	window;
	struct place		*places;	/* by page of the window */
	unsigned long		*map;		/* room for an order's pair bits */
	bool		exact;		/* the oracle says which pages, not the module */
	bool		lazy;		/* 2.6.28: addresses wait for a purge */
	bool		huge;		/* aligned, largest blocks first: by one entry each */
	long		waiting_max;	/* pages; more are purged */
	bool		wide;		/* never full; only the module purges */
	long		events[NR_EVENTS];
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
	ktap_note("seed %llu, %ld pages, step %ld, '%s': %s", run.seed - run.buddy.nr_pages,
		  run.buddy.nr_pages, run.step, run.command, what);
}

/* --- areas ------------------------------------------------------------------------------------ */

/* One flush, and all that waited is a hole; false when nothing did. */
static bool purge(void)
{
	bool any = oracle_window_purge_begin(&run.window);

	oracle_window_purge_end(&run.window);
	return any;
}

/* Once more without what waits, when there is no room with it. */
static bool make_room(long pages, long align, struct oracle_hole *hole)
{
	if (oracle_window_fit(&run.window, pages, align, hole))
		return true;
	if (!purge())
		return false;
	run.events[EV_PURGED_FULL]++;
	return oracle_window_fit(&run.window, pages, align, hole);
}

/* Where an area of this many pages and its guard page goes, or ORACLE_NONE. */
static long find_room(long nr)
{
	struct oracle_hole hole;

	if (!(run.huge && nr >= ORACLE_LARGEST && make_room(nr + 1, ORACLE_LARGEST, &hole)) &&
	    !make_room(nr + 1, 1, &hole)) {
		run.events[EV_NO_HOLE]++;
		return ORACLE_NONE;
	}
	if (hole.below)
		run.events[hole.pages == nr + 1UL ? EV_EXACT_HOLE : EV_LOWER_HOLE]++;
	return hole.at;
}

/* Largest blocks for as much of an area as there are: how many. */
static long take_huge(long start, long nr)
{
	long got, page, i;

	for (got = 0; got < nr / ORACLE_LARGEST; got++) {
		page = oracle_buddy_alloc(&run.buddy, 0, ORACLE_TOP, ORACLE_MAPPED);
		if (page == ORACLE_NONE)
			break;
		oracle_buddy_break(&run.buddy, page);
		for (i = 0; i < ORACLE_LARGEST; i++)
			run.places[start + got * ORACLE_LARGEST + i].page = page + i;
	}
	run.events[EV_HUGE] += got > 0;
	run.events[EV_PARTLY_HUGE] += got < nr / ORACLE_LARGEST;
	return got;
}

/* The pages of an area, those beyond the largest blocks one by one: how many there were. */
static long take_pages(long start, long nr)
{
	bool huge = run.huge && start % ORACLE_LARGEST == 0;
	long got;

	run.places[start].nr_huge = huge ? take_huge(start, nr) : 0;
	for (got = run.places[start].nr_huge * ORACLE_LARGEST; got < nr; got++) {
		long page = oracle_buddy_alloc(&run.buddy, 0, 0, ORACLE_MAPPED);

		if (page == ORACLE_NONE)
			break;
		run.places[start + got].page = page;
	}
	return got;
}

/* First to last. */
static void give_pages(long start, long nr)
{
	long i;

	for (i = 0; i < nr; i++)
		oracle_buddy_give(&run.buddy, run.places[start + i].page);
}

/* All pages that there are for an area are had, and go back one by one. */
static void undo_pages(long start, long nr)
{
	long got = take_pages(start, nr);

	run.events[EV_PAGES_UNDONE] += got > 0;
	give_pages(start, got);
}

static void free_area(long start)
{
	struct oracle_area *area = oracle_window_at(&run.window, start);

	give_pages(start, area->pages - 1);
	if (!run.lazy) {
		oracle_window_remove(&run.window, area);
		return;
	}
	oracle_window_retire(&run.window, area);
	if (run.window.waiting <= (unsigned long)run.waiting_max)
		return;
	purge();
	run.events[EV_PURGED_EXCESS]++;
}

/* --- what the three files should say ---------------------------------------------------------- */

static void show_list(struct text *t, int order)
{
	long page;

	t->len = 0;
	text_str(t, "order ");
	text_num(t, order);
	text_str(t, ":");
	for (page = run.buddy.list[order].head; page != ORACLE_NONE; page = run.buddy.next[page]) {
		text_str(t, " ");
		text_num(t, page);
	}
	text_str(t, "\n");
}

/* Runs of set bits, as '3-5,9'. */
static long show_bits(struct text *t, int order)
{
	long pair, nr = oracle_buddy_pairs(&run.buddy, order), set = 0, first = ORACLE_NONE;

	oracle_buddy_pair_bits(&run.buddy, order, run.map);
	for (pair = 0; pair <= nr; pair++) {
		bool bit = pair < nr && run.map[pair / 64] >> pair % 64 & 1;

		set += bit;
		if (bit && first == ORACLE_NONE)
			first = pair;
		if (bit || first == ORACLE_NONE)
			continue;
		if (set > pair - first)
			text_str(t, ",");
		text_num(t, first);
		if (pair - 1 > first) {
			text_str(t, "-");
			text_num(t, pair - 1);
		}
		first = ORACLE_NONE;
	}
	return set;
}

static void show_pairs(struct text *t, int order)
{
	static char list[TEXT_MAX];
	struct text bits = { .buf = list };
	long set = show_bits(&bits, order);

	t->len = 0;
	text_str(t, "order ");
	text_num(t, order);
	text_str(t, ": pairs=");
	text_num(t, oracle_buddy_pairs(&run.buddy, order));
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

static void show_area(struct text *t, const struct oracle_area *area)
{
	long nr_huge = run.places[area->first].nr_huge;

	if (area->state == ORACLE_AREA_WAITING) {
		show_extent(t, area->first, area->pages, " lazy\n");
		return;
	}
	show_extent(t, area->first, area->pages, " area vmalloc pages=");
	text_num(t, area->pages - 1);
	if (nr_huge) {
		text_str(t, " huge=");
		text_num(t, nr_huge);
	}
	text_str(t, "\n");
}

static void show_hole(struct text *t, long start, long end)
{
	if (end > start)
		show_extent(t, start, end - start, " hole\n");
}

static void show_window(struct text *t)
{
	const struct oracle_area *area;
	long at = 0;

	t->len = 0;
	for (area = run.window.head; area; area = area->next) {
		show_hole(t, at, area->first);
		show_area(t, area);
		at = area->first + area->pages;
	}
	show_hole(t, at, run.window.pages);
}

/* Only the lines that the last command can have changed are written anew. */
static void show_oracle(void)
{
	struct sheet *lists = &run.sheet[FREELIST], *maps = &run.sheet[PAIRMAP];
	int order;

	lists->expected.len = 0;
	maps->expected.len = 0;
	for (order = 0; order < ORACLE_ORDERS; order++) {
		bool changed = run.buddy.changed & 1U << order;

		if (changed)
			show_list(&lists->line[order], order);
		text_copy(&lists->expected, &lists->line[order]);
		if (changed && order < ORACLE_TOP)
			show_pairs(&maps->line[order], order);
		text_copy(&maps->expected, &maps->line[order]);
	}
	if (run.window.changed)
		show_window(&run.sheet[WINDOW].expected);
	run.buddy.changed = 0;
	run.window.changed = false;
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

	show_oracle();
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

/* The next ' NAME=number' in `result`, which must be @expected unless that is ORACLE_NONE. */
static long take_value(const char **at, const char *name, long expected)
{
	long value = pool_value(*at, name);
	char what[96];

	if (value >= 0)
		*at = strstr(strstr(*at, name) + 1, " ");
	if (value >= 0 && (expected == ORACLE_NONE || value == expected))
		return value;
	snprintf(what, sizeof(what), "expected %s=%ld, got %ld", name, expected, value);
	fail(what);
	return ORACLE_NONE;
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
		for (order = 0; order < ORACLE_TOP && percent(55); order++)
			;
		return order;
	}
}

static bool command_alloc(int expected, long order, long count)
{
	return command(expected, count > 1 ? "alloc order=%ld count=%ld" : "alloc order=%ld", order,
		       count);
}

/* --- steps ------------------------------------------------------------------------------------ */

/* As many blocks as there are, and everything given back in reverse order. */
static void alloc_undone(long order, long count)
{
	long pages[COUNT_MAX], done = 0;

	while ((pages[done] = oracle_buddy_alloc(&run.buddy, 0, order, ORACLE_USED)) != ORACLE_NONE)
		done++;
	run.events[run.buddy.nr_free < 1L << order ? EV_EXHAUSTED : EV_FRAGMENTED]++;
	run.events[EV_COUNT_UNDONE] += done > 0;
	while (done)
		oracle_buddy_give(&run.buddy, pages[--done]);
	command_alloc(ENOMEM, order, count);
}

/* False when the block is not free. */
static bool take(long page, int order)
{
	if (!oracle_buddy_is_free(&run.buddy, page, order))
		return false;
	oracle_buddy_take(&run.buddy, page, order, ORACLE_USED);
	return true;
}

static void step_alloc(long order, long count)
{
	const char *at;
	long i;

	if (oracle_buddy_available(&run.buddy, order) < count) {
		alloc_undone(order, count);
		return;
	}
	if (!command_alloc(0, order, count))
		return;
	at = read_result();
	for (i = 0; at && i < count && !run.failed; i++) {
		long want = run.exact ? oracle_buddy_choose(&run.buddy, order) : ORACLE_NONE;
		long id = take_value(&at, "block", ORACLE_NONE);
		long page = take_value(&at, "page", want);

		if (!run.failed && !take(page, order))
			fail("a block that was not free");
		hold(false, order, page, id);
	}
}

/* The ID of the area that is to be at @start when all goes well, else ORACLE_NONE. */
static long command_vmalloc(int expected, long nr, long start)
{
	unsigned long bytes = nr * POOL_PAGE - (percent(50) ? 0 : below(POOL_PAGE));
	const char *at;
	long id;

	if (!command(expected, "vmalloc size=%lu", bytes))
		return ORACLE_NONE;
	at = read_result();
	if (!at)
		return ORACLE_NONE;
	id = take_value(&at, "area", ORACLE_NONE);
	take_value(&at, "offset", start * POOL_PAGE);
	hold(true, 0, start, id);
	return id;
}

/* The pages that the module chose for a new area; none of them is anybody's. */
static void follow_pages(long start, long nr, long id)
{
	const char *at = NULL;
	char *end;
	long i;

	if (command(0, "pages area=%ld", id))
		at = strstr(read_result(), "pages=");
	for (i = 0; at && i < nr; i++, at = end) {
		at += i ? 1 : strlen("pages=");
		run.places[start + i].page = strtol(at, &end, 10);
		if (!take(run.places[start + i].page, 0))
			fail("a page that was not free");
	}
}

/* How many largest blocks `window` says that an area begins with: its pages must be such. */
static long follow_huge(long start, long span)
{
	const struct place *place = &run.places[start];
	long nr, i;
	char line[64], *at;

	read_all(run.sheet[WINDOW].fd, &run.got);
	run.got.buf[run.got.len] = '\0';
	snprintf(line, sizeof(line), "%s%lu %lu area vmalloc pages=%ld huge=",
		 start ? "\n" : "", start * POOL_PAGE, span * POOL_PAGE, span - 1);
	at = strstr(run.got.buf, line);
	nr = at ? strtol(at + strlen(line), NULL, 10) : 0;
	if (nr && (!run.huge || start % ORACLE_LARGEST || nr * ORACLE_LARGEST >= span))
		fail("largest blocks where they cannot be");
	for (i = 0; i < nr * ORACLE_LARGEST && !run.failed; i++)
		if (place[i].page != place[i - i % ORACLE_LARGEST].page + i % ORACLE_LARGEST ||
		    (i % ORACLE_LARGEST == 0 && place[i].page % ORACLE_LARGEST))
			fail("a largest block that is not one");
	run.events[EV_HUGE] += nr > 0;
	return nr;
}

static void step_vmalloc(long nr)
{
	long start = find_room(nr), id;
	int err = start == ORACLE_NONE ? ENOSPC : nr > run.buddy.nr_free ? ENOMEM : 0;

	if (err == ENOMEM)
		undo_pages(start, nr);
	id = command_vmalloc(err, nr, start);
	if (id == ORACLE_NONE)
		return;
	if (run.exact) {
		take_pages(start, nr);
	} else {
		follow_pages(start, nr, id);
		run.places[start].nr_huge = run.failed ? 0 : follow_huge(start, nr + 1);
	}
	oracle_window_add(&run.window, start, nr + 1)->state = ORACLE_AREA_LIVE;
}

static void step_free(long i)
{
	struct held h = run.held[i];

	run.held[i] = run.held[--run.nr_held];
	if (h.area) {
		free_area(h.where);
		if (percent(80))
			command(0, "vfree area=%ld", h.id);
		else
			command(0, "vfree offset=%lu", h.where * POOL_PAGE);
	} else {
		oracle_buddy_give(&run.buddy, h.where);
		if (percent(80))
			command(0, "free block=%ld", h.id);
		else
			command(0, "free page=%ld order=%d", h.where, h.order);
	}
}

/* --- whichever pages the module chooses ------------------------------------------------------- */

/* `freelist` when nothing is kept elsewhere: the oracle's blocks, in any order. */
static void compare_lists(void)
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
			if (!oracle_buddy_is_free(&run.buddy, page, order) ||
			    run.buddy.label[page] != ORACLE_LABEL(ORACLE_FREE, order)) {
				fail("a block is listed that is not free, or not whole");
				return;
			}
		}
	}
	if (listed != run.buddy.nr_free)
		fail("free pages are not listed, or twice");
}

static void compare_results(void)
{
	show_oracle();
	if (!sheet_agrees(&run.sheet[WINDOW]))
		report_difference(&run.sheet[WINDOW], &run.got);
	if (run.step % 4 == 0 && pool_free_pages() != run.buddy.nr_free)
		fail("the number of free pages");
	if (run.step % 64 == 0)
		compare_lists();
	if (run.step % 64 == 32 && !pool_verify())
		fail("verify");
}

static void compare(void)
{
	if (run.exact)
		compare_all();
	else
		compare_results();
}

/* --- what to do next -------------------------------------------------------------------------- */

static long min_long(long a, long b)
{
	return a < b ? a : b;
}

/* A hole between two areas that an area and its guard page fill, or 0. */
static long some_hole(void)
{
	const struct oracle_area *area = run.window.head;
	long i, hole, end = 0;

	if (!area)
		return 0;
	for (i = below(run.window.nr); i--; area = area->next)
		end = area->first + area->pages;
	hole = area->first - end;
	return hole > 1 ? min_long(hole - 1, run.buddy.nr_pages) : 0;
}

static long random_area(void)
{
	long most[NR_STYLES] = { [SMALL] = 4, [MIXED] = 48, [LARGE] = run.buddy.nr_pages / 3 };
	long hole = percent(25) ? some_hole() : 0;

	return hole ? hole : 1 + (long)below(most[run.phase.style]);
}

/* Takes every page that is left, so that none stays free. */
static void step_take_rest(void)
{
	long left = run.buddy.nr_free;

	if (left <= COUNT_MAX)
		step_alloc(0, left ? left : 1);
	else
		step_vmalloc(left);
}

static void step_more(void)
{
	if (run.nr_held > HELD_MAX - COUNT_MAX)
		step_free(below(run.nr_held));
	else if (run.phase.target > run.buddy.nr_pages && percent(8))
		step_take_rest();
	else if (percent(35))
		step_vmalloc(random_area());
	else
		step_alloc(random_order(), percent(92) ? 1 : 2 + below(COUNT_MAX - 1));
}

/* A free block, or a page of one; or ORACLE_NONE. */
static long some_free(int *order)
{
	long page = below(run.buddy.nr_pages), block = oracle_buddy_block(&run.buddy, page);
	bool whole = percent(50);

	if (oracle_kind(&run.buddy, block) != ORACLE_FREE)
		return ORACLE_NONE;
	*order = whole ? oracle_order(&run.buddy, block) : 0;
	return whole ? block : page;
}

/* What must be refused, and leave everything as it was. */
static void step_refused(void)
{
	const struct held *h = run.nr_held ? &run.held[below(run.nr_held)] : NULL;
	long page, nr_pages = run.buddy.nr_pages;
	int order;

	page = some_free(&order);
	if (h && !h->area && percent(50)) {
		command(EINVAL, "free page=%ld order=%d", h->where, (h->order + 1) % ORACLE_ORDERS);
		run.events[EV_MISUSE]++;
	} else if (h && h->area && percent(50)) {
		command(ENOENT, "vfree offset=%lu", (h->where + 1) * POOL_PAGE);
		run.events[EV_MISUSE]++;
	} else if (page != ORACLE_NONE) {
		command(EINVAL, "free page=%ld order=%d", page, order);
		run.events[EV_MISUSE]++;
	} else {
		command(EINVAL, "vmalloc size=%lu", percent(50) ? 0 : nr_pages * POOL_PAGE + 1);
		run.events[EV_REFUSED]++;
	}
}

static void new_phase(void)
{
	static const int targets[] = { 0, 10, 50, 50, 80, 95, 150, 150 };
	struct phase *p = &run.phase;

	p->target = run.buddy.nr_pages * targets[below(ARRAY_SIZE(targets))] / 100;
	p->style = below(NR_STYLES);
	p->steps = p->target ? 30 + (long)below(200) : run.nr_held + 10;
}

static void step_purge(void)
{
	purge();
	command(0, "purge");
}

static void end_of_step(void)
{
	run.events[EV_ALL_USED] += !run.buddy.nr_free;
	run.events[EV_ALL_FREE] += run.buddy.nr_free == run.buddy.nr_pages;
	run.step++;
	compare();
}

static void step(void)
{
	bool more = run.buddy.nr_pages - run.buddy.nr_free < run.phase.target;

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
	bool			exact;
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
	return (mib << 20) / POOL_PAGE;
}

static void begin_oracle(const struct play *p)
{
	oracle_buddy_init(&run.buddy, p->nr_pages, p->lower, false);
	oracle_window_init(&run.window, 0, p->window_pages);
	run.places = calloc(p->window_pages, sizeof(*run.places));
	run.map = calloc(p->nr_pages / 64 + 1, sizeof(*run.map));
	run.exact = p->exact;
	run.lazy = pool_with("purge", "lazy");
	run.huge = pool_with("era", "modern") && POOL_PAGE == 4096;
	run.waiting_max = waiting_max();
	run.wide = p->window_pages > 2 * p->nr_pages;
	memset(run.events, 0, sizeof(run.events));
}

static bool begin(const struct play *p)
{
	char parameters[128];
	int i;

	snprintf(parameters, sizeof(parameters), "expand=%s%s", p->lower ? "lower" : "upper",
		 p->exact ? " pcp=0 placement=lifo" : "");
	if (!EXPECT_EQ(pool_load_pages(p->nr_pages, p->window_pages, parameters), 0))
		return false;
	open_files();
	begin_oracle(p);
	for (i = 0; i < ORACLE_ORDERS; i++)
		run.sheet[PAIRMAP].line[i].len = 0;
	run.rng = run.seed * 0x9e3779b97f4a7c15ULL + 1;
	run.step = 0;
	run.nr_held = 0;
	run.failed = false;
	strcpy(run.command, "insmod");
	new_phase();
	compare();
	return true;
}

static void end(void)
{
	close_files();
	EXPECT_EQ(pool_unload(), 0);
	oracle_buddy_exit(&run.buddy);
	oracle_window_exit(&run.window);
	free(run.places);
	free(run.map);
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
static bool is_due(const struct play *p, enum event event)
{
	switch (event) {
	case EV_PURGED_EXCESS:
		/* It takes 64 MiB of addresses: about 1,500 steps, but now and then many more. */
		return run.wide && run.lazy && run.step >= 20000;
	case EV_NO_HOLE:
		return !run.wide && run.step >= 10000;
	case EV_PURGED_FULL:
		return !run.wide && run.lazy && run.step >= 10000;
	case EV_HUGE:
	case EV_PARTLY_HUGE:
		return run.huge && p->nr_pages >= 4 * ORACLE_LARGEST && run.step >= 10000;
	default:
		return run.step >= 10000;
	}
}

/* A short run need not meet them all. */
static void check_events(const struct play *p)
{
	struct text t = { .buf = run.got.buf };
	int i;

	run.events[EV_SPLIT_TOP] = run.buddy.splits[ORACLE_TOP];
	run.events[EV_MERGED_TOP] = run.buddy.merges[ORACLE_TOP];
	for (i = 0; i < NR_EVENTS; i++) {
		text_str(&t, " ");
		text_str(&t, event_names[i]);
		text_str(&t, "=");
		text_num(&t, run.events[i]);
		if (!run.events[i] && is_due(p, i))
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
		EXPECT_EQ(run.buddy.nr_free, p->nr_pages);
		check_events(p);
		EXPECT(pool_verify());
	}
	end();
	clock_gettime(CLOCK_MONOTONIC, &stop);
	ktap_note("%ld steps in %ld s", run.step, (long)(stop.tv_sec - start.tv_sec));
}

/* The comparison is no formality: each file tells when the module did what the oracle did not. */
static void play_apart(void)
{
	static const struct play p = { 512, 512, false, true, 0 };
	int i;

	if (!begin(&p))
		return;
	command(0, "alloc order=0");
	command(0, "vmalloc size=1");
	for (i = 0; i < NR_SHEETS; i++)
		EXPECT(!sheet_agrees(&run.sheet[i]));
	end();
}

/* Nor is that of the results. */
static void play_apart_in_results(void)
{
	static const struct play p = { 512, 512, false, false, 0 };

	if (!begin(&p))
		return;
	EXPECT(take(511, 0));
	EXPECT(!take(511, 0));
	EXPECT(!take(2, 2));
	EXPECT(!take(510, 1));
	EXPECT_EQ(oracle_buddy_available(&run.buddy, 8), 1);
	pool_command("alloc order=0 count=2");
	EXPECT(pool_free_pages() != run.buddy.nr_free);
	end();
}

/* The last is so wide that a purge begins because too many areas wait, not for lack of room. */
static const struct play plays[] = {
	{ 512,		384,	false,	true,	100 },
	{ 777,		777,	false,	true,	100 },
	{ 1000,		800,	false,	true,	100 },
	{ 1024,		1024,	false,	true,	100 },
	{ 4097,		3600,	false,	true,	100 },
	{ 16384,	14000,	false,	true,	100 },
	{ 512,		400,	true,	true,	20 },
	{ 1000,		1000,	true,	true,	20 },
	{ 4097,		4097,	true,	true,	20 },
	{ 4096,		32768,	true,	true,	20 },
	{ 777,		600,	false,	false,	20 },
	{ 1024,		800,	true,	false,	20 },
	{ 4097,		3600,	true,	false,	40 },
	{ 16384,	14000,	true,	false,	20 },
};

static void allocate_texts(void)
{
	int i, j;

	run.got.buf = malloc(TEXT_MAX + 1);
	for (i = 0; i < NR_SHEETS; i++) {
		run.sheet[i].expected.buf = malloc(TEXT_MAX);
		for (j = 0; j < ORACLE_ORDERS; j++)
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
	play_apart_in_results();
	failed += !ktap_finish(++done, "a difference in the results is noticed");
	for (i = 0; i < ARRAY_SIZE(plays); i++) {
		const struct play *p = &plays[i];

		snprintf(name, sizeof(name), "%ld pages, expand=%s, %s", p->nr_pages,
			 p->lower ? "lower" : "upper",
			 p->exact ? "page by page" : "whichever pages");
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

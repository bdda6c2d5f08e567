// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: debugfs' file `command`, run by the module's own sources with a pool of pages and a
 * window that have no page tables.
 *
 * The input is what somebody writes to the file. First each of its lines is a write of its own,
 * then, on a fresh pool, the whole is one: both must tell the same. Of each line a parser that is
 * written from the documented grammar, in another way, says whether it is well-formed, what is
 * wrong with it, or which values it has; and what was parsed, printed and parsed again is the same.
 * In the end `reset` gives everything back.
 */
#define _GNU_SOURCE
#include "command-window.h"

/* Included, because their state is checked. */
#undef pr_fmt
#include "ui/args.c"
#include "ui/result.c"
#include "ui/held.c"
#include "ui/contents.c"
#include "ui/command.c"

#include "fuzz.h"
#include "zone.h"

#define MOST_KEYS	16
#define MOST_FORMS	32

/* --- the documented grammar, with the kind of value in place of its name ---------------------- */

static const char * const grammar[] = {
	"alloc order=U32 [count=U64] [gfp=GFP] [zero]",
	"free block=IDS",
	"free page=U32 order=U32",
	"vmalloc size=BYTES [zero] [user]",
	"vfree area=U64",
	"vfree offset=BYTES",
	"vmap block=IDS",
	"vunmap area=U64",
	"ioremap phys=U64 size=BYTES",
	"iounmap area=U64",
	"pages area=U64",
	"fill area=U64 seed=U64",
	"fill block=IDS seed=U64",
	"check area=U64 seed=U64",
	"check block=IDS seed=U64",
	"purge",
	"drain",
	"reset",
	"fail nth=U32",
};

struct key {
	char	name[16];
	char	kind[8];	/* empty for a flag */
};

static struct key keys[MOST_KEYS];
static unsigned int nr_keys;

/* The meaning of a line, by the grammar. */
struct reading {
	int		err;
	char		why[160];
	char		name[64];
	unsigned int	given;			/* a bit an entry of keys[] */
	u64		value[MOST_KEYS];
	char		gfp[16];
	unsigned int	nr_ids;
	u64		ids[300];
};

static int find_key(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_keys; i++)
		if (!strcmp(keys[i].name, name))
			return i;
	return -1;
}

static bool has(const struct reading *r, const char *name)
{
	return r->given >> find_key(name) & 1;
}

static u64 value_of(const struct reading *r, const char *name)
{
	return r->value[find_key(name)];
}

/* The next argument of a form: its key, and whether it may be left out. */
static bool next_argument(const char **form, struct key *key, bool *optional)
{
	size_t len;

	*form += strspn(*form, " ]");
	*optional = **form == '[';
	*form += *optional;
	len = strcspn(*form, " ]=");
	if (!len)
		return false;
	memset(key, 0, sizeof(*key));
	memcpy(key->name, *form, len);
	*form += len;
	if (**form == '=') {
		len = strcspn(*form, " ]") - 1;
		memcpy(key->kind, *form + 1, len);
		*form += len + 1;
	}
	return true;
}

static void learn_keys(void)
{
	const char *form;
	struct key key;
	unsigned int i;
	bool optional;

	for (i = 0; i < ARRAY_SIZE(grammar); i++) {
		form = grammar[i] + strcspn(grammar[i], " ");
		while (next_argument(&form, &key, &optional))
			if (find_key(key.name) < 0)
				keys[nr_keys++] = key;
	}
}

static bool is_form(const char *form, const struct reading *r)
{
	unsigned int left = r->given;
	struct key key;
	bool optional;

	form += strlen(r->name);
	while (next_argument(&form, &key, &optional)) {
		if (!optional && !has(r, key.name))
			return false;
		left &= ~(1U << find_key(key.name));
	}
	return !left;
}

/* --- a line, by the grammar ------------------------------------------------------------------- */

static __printf(3, 4) void bad(struct reading *r, int err, const char *fmt, ...)
{
	va_list args;

	r->err = err;
	va_start(args, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, args);
	va_end(args);
}

/* All of the text, which need not end; in 128 bits nothing overflows that has few digits. */
static int read_number(const char *text, size_t len, __uint128_t *value)
{
	static const char digits[] = "0123456789abcdef";
	bool hex = len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	size_t i = hex ? 2 : 0;
	const char *digit;
	bool over = false;

	*value = 0;
	if (i == len)
		return -EINVAL;
	for (; i < len; i++) {
		char c = text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 'a' - 'A' : text[i];

		digit = c ? memchr(digits, c, hex ? 16 : 10) : NULL;
		if (!digit)
			return -EINVAL;
		*value = *value * (hex ? 16 : 10) + (digit - digits);
		over |= *value >> 64 != 0;
		if (over)
			*value = 0;
	}
	return over ? -ERANGE : 0;
}

static int read_u64(const char *text, size_t len, u64 *value)
{
	__uint128_t number;
	int err = read_number(text, len, &number);

	if (!err)
		*value = number;
	return err;
}

static int read_bytes(const char *text, size_t len, u64 *value)
{
	static const char suffixes[] = "kKmMgG";
	const char *suffix = len ? memchr(suffixes, text[len - 1], 6) : NULL;
	__uint128_t number;
	int err;

	if (!len || len > 63)
		return -EINVAL;
	err = read_number(text, len - !!suffix, &number);
	if (err)
		return err;
	if (suffix)
		number <<= 10 * (1 + (suffix - suffixes) / 2);
	if (number > UINT64_MAX)
		return -ERANGE;
	*value = number;
	return 0;
}

static int read_ids(struct reading *r, const char *text)
{
	size_t len;
	int err;

	for (;; text += len + 1) {
		if (r->nr_ids == 256)
			return -E2BIG;
		len = strcspn(text, ",");
		err = read_u64(text, len, &r->ids[r->nr_ids]);
		if (err)
			return err;
		r->nr_ids++;
		if (!text[len])
			return 0;
	}
}

static int read_value(struct reading *r, int key, const char *text)
{
	const char *kind = keys[key].kind;
	int err;

	if (!strcmp(kind, "IDS"))
		return read_ids(r, text);
	if (!strcmp(kind, "BYTES"))
		return read_bytes(text, strlen(text), &r->value[key]);
	if (!strcmp(kind, "GFP")) {
		if (strcmp(text, "kernel") && strcmp(text, "atomic") && strcmp(text, "memalloc"))
			return -EINVAL;
		strcpy(r->gfp, text);
		return 0;
	}
	err = read_u64(text, strlen(text), &r->value[key]);
	if (!err && !strcmp(kind, "U32") && r->value[key] >> 32)
		return -ERANGE;
	return err;
}

static void read_word(struct reading *r, char *word)
{
	char *value = strchr(word, '=');
	int key, err;

	if (value)
		*value++ = '\0';
	key = find_key(word);
	if (key < 0) {
		bad(r, -EINVAL, "unknown argument '%.40s'", word);
	} else if (r->given & 1U << key) {
		bad(r, -EINVAL, "'%s' is given twice", word);
	} else if (!keys[key].kind[0]) {
		if (value)
			bad(r, -EINVAL, "'%s' takes no value", word);
	} else if (!value) {
		bad(r, -EINVAL, "'%s' needs a value", word);
	} else {
		err = read_value(r, key, value);
		if (err)
			bad(r, err, "bad value of '%s'", word);
	}
	r->given |= key < 0 ? 0 : 1U << key;
}

static void read_command(struct reading *r, const char *name)
{
	bool known = false;
	unsigned int i;

	snprintf(r->name, sizeof(r->name), "%s", name);
	for (i = 0; i < ARRAY_SIZE(grammar); i++) {
		if (strcspn(grammar[i], " ") != strlen(name) ||
		    strncmp(grammar[i], name, strlen(name)))
			continue;
		known = true;
		if (is_form(grammar[i], r))
			return;
	}
	if (known)
		bad(r, -EINVAL, "'%s' lacks an argument or takes no such one", name);
	else
		bad(r, -EINVAL, "unknown command '%.40s'", name);
}

/* @line becomes what `result` shows of it. */
static void read_line(struct reading *r, char *line)
{
	size_t len = strlen(line), i;
	char *words, *word, *save;
	const char *name;
	bool plain = true;

	memset(r, 0, sizeof(*r));
	for (i = 0; i < len; i++) {
		if (line[i] != '\t' && (line[i] < 0x20 || line[i] > 0x7e)) {
			line[i] = '?';
			plain = false;
		}
	}
	if (len > 6143) {
		line[60] = '\0';
		bad(r, -E2BIG, "%zu characters, limit 6143", len);
		return;
	}
	if (!plain) {
		bad(r, -EINVAL, "not plain text");
		return;
	}
	words = strdup(line);
	name = strtok_r(words, " \t", &save);
	while (!r->err && (word = strtok_r(NULL, " \t", &save)))
		read_word(r, word);
	if (!r->err)
		read_command(r, name);
	free(words);
}

/* --- what was parsed, against that ------------------------------------------------------------ */

static void compare_args(const struct pmm_args *args, const struct reading *r)
{
	static const struct { const char *name; gfp_t gfp; } gfps[] = {
		{ "", GFP_KERNEL }, { "kernel", GFP_KERNEL }, { "atomic", GFP_ATOMIC },
		{ "memalloc", GFP_KERNEL | __GFP_MEMALLOC },
	};
	unsigned int i, given = 0;

	for (i = 0; i < PMM_NR_KEYS; i++) {
		int key = find_key(pmm_keys[i].name);

		ASSERT(key >= 0);
		if (!pmm_given(args, i))
			continue;
		given |= 1U << key;
		ASSERT_EQ(args->value[i], r->value[key]);
	}
	ASSERT_EQ(given, r->given);
	for (i = 0; i < ARRAY_SIZE(gfps); i++)
		ASSERT(strcmp(r->gfp, gfps[i].name) || args->gfp == gfps[i].gfp);
	ASSERT_EQ(args->nr_blocks, r->nr_ids);
	ASSERT(!memcmp(args->blocks, r->ids, r->nr_ids * sizeof(r->ids[0])));
}

/* As pmm_parse_and_run(), but nothing is run. */
static const struct pmm_command *parse_only(struct pmm_args *args, char *line)
{
	const char *name = pmm_next_word(&line);
	char *word;

	memset(args, 0, sizeof(*args));
	args->gfp = GFP_KERNEL;
	while ((word = pmm_next_word(&line)))
		if (pmm_parse_word(args, word))
			return NULL;
	return pmm_find_command(args, name);
}

/* Values in a base and arguments in an order that need not be those that were written. */
static void print_args(FILE *out, const struct pmm_args *args, const struct reading *r)
{
	unsigned int i, j;

	for (i = PMM_NR_KEYS; i-- > 0;) {
		if (!pmm_given(args, i))
			continue;
		fprintf(out, " \t%s", pmm_keys[i].name);
		if (i == PMM_GFP)
			fprintf(out, "=%s", r->gfp);
		else if (i == PMM_BLOCK)
			for (j = 0; j < args->nr_blocks; j++)
				fprintf(out, "%c0%llu", j ? ',' : '=', args->blocks[j]);
		else if (pmm_keys[i].parse)
			fprintf(out, args->value[i] % 3 ? "=%llu" : "=0x%llX", args->value[i]);
	}
}

static void round_trip(const char *line, const struct reading *r)
{
	struct pmm_args first, again;
	const struct pmm_command *command;
	char *copy = strdup(line), *text;
	size_t size;
	FILE *out;

	command = parse_only(&first, copy);
	ASSERT(command && !strcmp(command->name, r->name));
	compare_args(&first, r);
	out = open_memstream(&text, &size);
	fprintf(out, "%s", command->name);
	print_args(out, &first, r);
	fclose(out);
	ASSERT(parse_only(&again, text) == command);
	ASSERT(!memcmp(&first, &again, sizeof(first)));
	free(text);
	free(copy);
}

/* --- running it ------------------------------------------------------------------------------- */

static struct {
	bool		faulty;		/* a request to the kernel's allocators was made to fail */
	u64		sequence;
	char		*said;		/* of the lines so far, up to the first that failed */
	size_t		said_len;
	int		err;		/* of that line */
} run;

static void begin(void)
{
	static const struct setup setup = { FUZZ_POOL_PAGES, PMM_EXPAND_LOWER };

	pool_init(&setup, false);
	fuzz_window_init();
	pmm_last_block = 0;
	pmm_last_area = 0;
	pmm_sequence = 0;
	run.sequence = 0;
}

static ssize_t write_text(const char *text, size_t len)
{
	loff_t pos = 0;
	ssize_t done = pmm_command_write(NULL, text, len, &pos);

	ASSERT_EQ(pos, done < 0 ? 0 : done);
	fuzz_messages("");
	return done;
}

static char *result(void)
{
	struct seq_file m = { };

	ASSERT_EQ(pmm_result_show(&m, NULL), 0);
	return m.text;
}

/* Everything still holds, and then everything goes back. */
static void end(void)
{
	char *text;

	ASSERT_SOUND(&pmm_zone);
	pmm_fail_nth(0);
	ASSERT_EQ(write_text("reset\npurge\ndrain", 17), 17);
	text = result();
	ASSERT(strstr(text, " reset -> ok blocks=") && strstr(text, " drain -> ok pages="));
	free(text);
	ASSERT(!pmm_blocks.head && !pmm_areas.head);
	ASSERT_EQ(pmm_nr_free_pages(), FUZZ_POOL_PAGES);
	pmm_command_exit();
	memset(&pmm_result, 0, sizeof(pmm_result));
	fuzz_window_exit();
	pool_exit();
}

/* The errno with which a well-formed command must be refused in every state; 0 if none. */
static int misfit(const struct reading *r)
{
	bool is_alloc = !strcmp(r->name, "alloc");

	if (is_alloc && value_of(r, "order") > 9)
		return -EINVAL;
	if (is_alloc && has(r, "count") &&
	    (!value_of(r, "count") || value_of(r, "count") > FUZZ_POOL_PAGES))
		return -EINVAL;
	if (has(r, "page") && (value_of(r, "page") >= FUZZ_POOL_PAGES || value_of(r, "order") > 9))
		return -EINVAL;
	if (!strcmp(r->name, "vmalloc") &&
	    (!value_of(r, "size") || value_of(r, "size") > FUZZ_POOL_PAGES * PAGE_SIZE))
		return -EINVAL;
	if (has(r, "area") && (!value_of(r, "area") || value_of(r, "area") > pmm_last_area))
		return -ENOENT;
	if (has(r, "block") && strcmp(r->name, "vmap") && r->nr_ids != 1)
		return -EINVAL;
	if (has(r, "block") && (!r->ids[0] || r->ids[0] > pmm_last_block))
		return -ENOENT;
	return 0;
}

static int errno_of(const char *outcome)
{
	static const int errnos[] = { EPERM, ENOENT, EIO, E2BIG, ENOMEM, EBUSY, EINVAL, ENOSPC,
				      ERANGE };
	unsigned int i;

	if (!strncmp(outcome, "ok", 2) && (outcome[2] == ' ' || outcome[2] == '\n'))
		return 0;
	ASSERT(!strncmp(outcome, "error ", 6));
	for (i = 0; i < ARRAY_SIZE(errnos); i++) {
		const char *name = strerrorname_np(errnos[i]);

		if (!strncmp(outcome + 6, name, strlen(name)) && outcome[6 + strlen(name)] == ' ')
			return -errnos[i];
	}
	ktap_fail(__FILE__, __LINE__, "an errno of no name: %s", outcome);
}

/* `SEQ COMMAND -> ok ...` or `SEQ COMMAND -> error ERRNAME why`, and write(2) says the same. */
static void check_result(const char *text, const char *shown, const struct reading *r, int want,
			 int err)
{
	char start[6300], why[256];
	const char *outcome;

	snprintf(start, sizeof(start), "%llu %s -> ", run.sequence, shown);
	ASSERT(!strncmp(text, start, strlen(start)));
	outcome = text + strlen(start);
	ASSERT(strchr(outcome, '\n') && !strchr(outcome, '\n')[1]);
	ASSERT_EQ(errno_of(outcome), err);
	if (want)
		ASSERT_EQ(err, want);
	if (!r->err)
		return;
	snprintf(why, sizeof(why), "error %s %s\n", strerrorname_np(-r->err), r->why);
	ASSERT_STR(outcome, why);
}

static void keep_said(const char *text, int err)
{
	size_t len = strlen(text);

	if (run.err)
		return;
	run.err = err;
	run.said = realloc(run.said, run.said_len + len + 1);
	memcpy(run.said + run.said_len, text, len + 1);
	run.said_len += len;
}

static void one_line(const char *line, size_t len)
{
	char *shown = strndup(line, len), *text;
	struct reading r;
	ssize_t done;
	int want;

	if (len && strspn(line, " \t") < len) {
		read_line(&r, shown);
		run.sequence++;
		if (!r.err)
			round_trip(shown, &r);
		want = r.err ?: misfit(&r);
		run.faulty |= !r.err && !strcmp(r.name, "fail") && value_of(&r, "nth");
		done = write_text(line, len);
		ASSERT(done == (ssize_t)len || done < 0);
		text = result();
		if (!run.faulty)
			check_result(text, shown, &r, want, done < 0 ? done : 0);
		else
			ASSERT(!r.err || done == r.err || done == -ENOMEM);
		keep_said(text, done < 0 ? done : 0);
		free(text);
	} else {
		done = write_text(line, len);
		ASSERT(done == (ssize_t)len || (run.faulty && done == -ENOMEM));
	}
	free(shown);
}

static void each_line(const char *text, size_t size)
{
	size_t at = 0, len;

	while (at <= size) {
		const char *newline = at < size ? memchr(text + at, '\n', size - at) : NULL;
		char *line;

		len = newline ? (size_t)(newline - text) - at : size - at;
		line = strndup(text + at, len);
		one_line(line, len);
		free(line);
		at += len + 1;
	}
}

/* More than 8191 bytes, or so many that they may be a part of more, and no newline at the end. */
static bool is_too_much(const char *data, size_t size)
{
	return size > 8191 || (size >= 4096 && data[size - 1] != '\n');
}

/* With a NUL byte, or with too much, none is run. */
static void whole_write(const char *data, size_t size, bool refused)
{
	int want = run.err;
	ssize_t done;
	char *text;

	if (refused)
		want = is_too_much(data, size) ? -E2BIG : -EINVAL;
	done = write_text(data, size);
	ASSERT(done == (ssize_t)size || done < 0);
	text = result();
	if (refused) {
		ASSERT_EQ(done, want);
		ASSERT(!strncmp(text, "1 (write) -> error ", 19));
	} else if (!run.faulty) {
		ASSERT_EQ(done < 0 ? done : 0, want);
		ASSERT_STR(text ?: "", run.said ?: "");
	}
	free(text);
}

static void second_write(void)
{
	loff_t pos = 1;
	char *text;

	ASSERT_EQ(pmm_command_write(NULL, "drain", 5, &pos), -EINVAL);
	text = result();
	ASSERT(strstr(text, " (write) -> error EINVAL "));
	free(text);
}

void fuzz_one(const u8 *data, size_t size)
{
	const char *text = (const char *)data;
	bool refused = is_too_much(text, size) || memchr(data, 0, size);

	if (!nr_keys)
		learn_keys();
	memset(&run, 0, sizeof(run));
	if (!refused) {
		begin();
		each_line(text, size);
		end();
	}
	begin();
	whole_write(text, size, refused);
	pmm_fail_nth(0);
	second_write();
	end();
	free(run.said);
}

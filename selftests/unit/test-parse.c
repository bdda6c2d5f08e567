// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: numbers and sizes as users write them: what is taken, what is refused, and that a
 * refusal leaves the value alone.
 */
#include "internal.h"
#include "ktap.h"
#include "shim.h"

#define UNTOUCHED	0x0123456789abcdefULL
#define U64_TOP		0xffffffffffffffffULL

struct parse_case {
	const char	*text;
	int		err;
	u64		value;
};

static const struct parse_case numbers[] = {
	{ "0", 0, 0 },
	{ "1", 0, 1 },
	{ "9", 0, 9 },
	{ "4096", 0, 4096 },
	{ "00", 0, 0 },
	{ "010", 0, 10 },
	{ "000000000000000000000000000000000000000000000000000000000000000000000000007", 0, 7 },
	{ "0x0", 0, 0 },
	{ "0x10", 0, 16 },
	{ "0X10", 0, 16 },
	{ "0xdeadBEEF", 0, 0xdeadbeef },
	{ "0x0000000000000000000000000000001f", 0, 31 },
	{ "0x1b", 0, 27 },
	{ "4294967296", 0, 4294967296 },
	{ "18446744073709551615", 0, U64_TOP },
	{ "0xffffffffffffffff", 0, U64_TOP },
	{ "18446744073709551616", -ERANGE },
	{ "18446744073709551620", -ERANGE },
	{ "99999999999999999999", -ERANGE },
	{ "0x10000000000000000", -ERANGE },
	{ "340282366920938463463374607431768211456", -ERANGE },
	{ "", -EINVAL },
	{ " ", -EINVAL },
	{ "x", -EINVAL },
	{ "0x", -EINVAL },
	{ "0X", -EINVAL },
	{ "x10", -EINVAL },
	{ "-", -EINVAL },
	{ "+", -EINVAL },
	{ "-1", -EINVAL },
	{ "+1", -EINVAL },
	{ "0x+1", -EINVAL },
	{ "0x-1", -EINVAL },
	{ "--1", -EINVAL },
	{ " 1", -EINVAL },
	{ "1 ", -EINVAL },
	{ "1\n", -EINVAL },
	{ "0x1\n", -EINVAL },
	{ "\t1", -EINVAL },
	{ "1 2", -EINVAL },
	{ "1,2", -EINVAL },
	{ "1.5", -EINVAL },
	{ "1e3", -EINVAL },
	{ "1_000", -EINVAL },
	{ "12a", -EINVAL },
	{ "a12", -EINVAL },
	{ "ff", -EINVAL },
	{ "0xfg", -EINVAL },
	{ "0x0x1", -EINVAL },
	{ "0b1", -EINVAL },
	{ "0o7", -EINVAL },
	{ "1K", -EINVAL },
	{ "'1'", -EINVAL },
	{ "1\xb2", -EINVAL },
	{ "\xd9\xa1", -EINVAL },
	{ "\xff", -EINVAL },
	{ "18446744073709551616z", -EINVAL },
};

static const struct parse_case sizes[] = {
	{ "0", 0, 0 },
	{ "1", 0, 1 },
	{ "65536", 0, 65536 },
	{ "0K", 0, 0 },
	{ "0G", 0, 0 },
	{ "1k", 0, 1024 },
	{ "1K", 0, 1024 },
	{ "64K", 0, 65536 },
	{ "064k", 0, 65536 },
	{ "1m", 0, 1048576 },
	{ "64M", 0, 67108864 },
	{ "1g", 0, 1073741824 },
	{ "1G", 0, 1073741824 },
	{ "0x10", 0, 16 },
	{ "0x10K", 0, 16384 },
	{ "0x1g", 0, 1073741824 },
	{ "0xbM", 0, 11534336 },
	{ "0x1b", 0, 27 },
	{ "18446744073709551615", 0, U64_TOP },
	{ "18014398509481983K", 0, 18446744073709550592ULL },
	{ "17592186044415M", 0, 18446744073708503040ULL },
	{ "17179869183G", 0, 18446744072635809792ULL },
	{ "0x3ffffffffG", 0, 18446744072635809792ULL },
	{ "18446744073709551616", -ERANGE },
	{ "18014398509481984K", -ERANGE },
	{ "17592186044416M", -ERANGE },
	{ "17179869184G", -ERANGE },
	{ "0x400000000G", -ERANGE },
	{ "18446744073709551615K", -ERANGE },
	{ "18446744073709551615M", -ERANGE },
	{ "18446744073709551615G", -ERANGE },
	{ "0xffffffffffffffffk", -ERANGE },
	{ "99999999999999999999G", -ERANGE },
	{ "", -EINVAL },
	{ "K", -EINVAL },
	{ "G", -EINVAL },
	{ "0xK", -EINVAL },
	{ "0xG", -EINVAL },
	{ "-1K", -EINVAL },
	{ "+1K", -EINVAL },
	{ " 1K", -EINVAL },
	{ "1 K", -EINVAL },
	{ "1K ", -EINVAL },
	{ "1K\n", -EINVAL },
	{ "1KB", -EINVAL },
	{ "1Kb", -EINVAL },
	{ "1KiB", -EINVAL },
	{ "1KK", -EINVAL },
	{ "1MK", -EINVAL },
	{ "K1", -EINVAL },
	{ "1K1", -EINVAL },
	{ "1.5G", -EINVAL },
	{ "1B", -EINVAL },
	{ "1T", -EINVAL },
	{ "1P", -EINVAL },
	{ "1E", -EINVAL },
	{ "1%", -EINVAL },
	{ "\xcb", -EINVAL },
	{ "1\xcb", -EINVAL },
};

static const struct parse_case *current;

static void where(void)
{
	ktap_say("of '%s'", current->text);
}

static void check_case(int (*parse)(const char *text, u64 *value), const struct parse_case *want)
{
	u64 value = UNTOUCHED;

	current = want;
	ASSERT_EQ(parse(want->text, &value), want->err);
	ASSERT_EQ(value, want->err ? UNTOUCHED : want->value);
}

static void parse_numbers(const void *arg)
{
	size_t i;

	ktap_where = where;
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		check_case(pmm_parse_number, &numbers[i]);
}

static void parse_sizes(const void *arg)
{
	size_t i;

	ktap_where = where;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		check_case(pmm_parse_size, &sizes[i]);
}

static bool has_suffix(const char *text)
{
	return *text && strchr("kKmMgG", text[strlen(text) - 1]);
}

/* A text without a suffix is either a number and the same size, or neither. */
static void parse_alike(const void *arg)
{
	size_t i;

	ktap_where = where;
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		if (strlen(numbers[i].text) < 64 && !has_suffix(numbers[i].text))
			check_case(pmm_parse_size, &numbers[i]);
}

/* The longest text is 63 characters; a longer one is refused and never copied beyond its room. */
static void parse_long(const void *arg)
{
	char text[5000];
	size_t len;
	u64 value;

	for (len = 1; len < sizeof(text); len += len < 200 ? 1 : 499) {
		memset(text, '0', len);
		text[len - 1] = '5';
		text[len] = '\0';
		value = UNTOUCHED;
		ASSERT_EQ(pmm_parse_size(text, &value), len < 64 ? 0 : -EINVAL);
		ASSERT_EQ(value, len < 64 ? 5 : UNTOUCHED);
		ASSERT_EQ(pmm_parse_number(text, &value), 0);
		ASSERT_EQ(value, 5);
	}
}

/*
 * Each single character, alone and behind a digit: digits and suffixes are taken and nothing else.
 */
static void parse_characters(const void *arg)
{
	unsigned int c;
	u64 value;

	for (c = 1; c < 256; c++) {
		const char alone[] = { (char)c, '\0' }, behind[] = { '1', (char)c, '\0' };
		bool digit = c >= '0' && c <= '9';

		ASSERT_EQ(pmm_parse_number(alone, &value), digit ? 0 : -EINVAL);
		ASSERT_EQ(pmm_parse_size(alone, &value), digit ? 0 : -EINVAL);
		ASSERT_EQ(pmm_parse_number(behind, &value), digit ? 0 : -EINVAL);
		ASSERT_EQ(pmm_parse_size(behind, &value),
			  digit || strchr("kKmMgG", c) ? 0 : -EINVAL);
	}
}

const struct ktap_test parse_tests[] = {
	{ "parse-numbers", parse_numbers },
	{ "parse-sizes", parse_sizes },
	{ "parse-alike", parse_alike },
	{ "parse-long", parse_long },
	{ "parse-characters", parse_characters },
	{ }
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: numbers and sizes as users write them, in module parameters and in debugfs commands.
 *
 * This is stricter than the kernel's memparse(): a sign, trailing text and overflow are errors, and
 * a leading zero does not mean octal. No state; any context. It compiles unchanged in user space.
 */
#include "internal.h"

/**
 * pmm_parse_number() - parse a whole number: decimal, or hexadecimal after 0x
 * @text: the number and nothing else
 * @value: gets the number; unchanged on error
 *
 * Context: Any.
 * Return: 0, -EINVAL if @text is not a number, or -ERANGE if it does not fit 64 bits.
 */
int pmm_parse_number(const char *text, u64 *value)
{
	bool hex = text[0] == '0' && tolower(text[1]) == 'x';
	const char *digits = hex ? text + 2 : text;
	unsigned long long parsed;
	size_t len = 0;
	int err;

	while (hex ? isxdigit(digits[len]) : isdigit(digits[len]))
		len++;
	/* kstrtoull() alone would accept a '+' and a trailing newline. */
	if (!len || digits[len])
		return -EINVAL;
	err = kstrtoull(digits, hex ? 16 : 10, &parsed);
	if (!err)
		*value = parsed;
	return err;
}

static unsigned int pmm_suffix_shift(char suffix)
{
	switch (tolower(suffix)) {
	case 'k':
		return 10;
	case 'm':
		return 20;
	case 'g':
		return 30;
	default:
		return 0;
	}
}

/**
 * pmm_parse_size() - parse a number of bytes, with the kernel's suffixes K, M and G in either case
 * @text: the size and nothing else
 * @bytes: gets the size; unchanged on error
 *
 * Context: Any.
 * Return: 0, -EINVAL if @text is not a size, or -ERANGE if it does not fit 64 bits.
 */
int pmm_parse_size(const char *text, u64 *bytes)
{
	size_t len = strlen(text);
	unsigned int shift;
	char digits[64];
	u64 number, size;
	int err;

	if (!len || len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, len + 1);
	shift = pmm_suffix_shift(digits[len - 1]);
	if (shift)
		digits[len - 1] = '\0';
	err = pmm_parse_number(digits, &number);
	if (err)
		return err;
	if (check_shl_overflow(number, shift, &size))
		return -ERANGE;
	*bytes = size;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz targets: libFuzzer's entry, and the unit tier's assertions as it wants them. There is no
 * process for each input, which would be slow; so after each the stand-ins are asked whether
 * anything is left.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
const char *__asan_default_options(void);

/* The stand-in for kfree() finds the core's leaks; the sanitizer's way needs ptrace. */
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

void (*ktap_where)(void);

static void say(const char *fmt, va_list args)
{
	fprintf(stderr, "# ");
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
}

void ktap_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
}

void ktap_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "# failed at %s:%d\n", file, line);
	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	if (ktap_where)
		ktap_where();
	abort();
}

unsigned int fuzz_messages(const char *text)
{
	unsigned int nr = 0;
	const char *line;

	while (*(line = shim_log_line()))
		nr += !!strstr(line, text);
	return nr;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	fuzz_one(data, size);
	shim_check_idle();
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzz targets: what they share. Each defines fuzz_one(); a failed ASSERT(), of the unit tier's, is
 * a crash for libFuzzer.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "ktap.h"
#include "shim.h"

/* One input. It begins in a fresh process' state, and has to leave nothing behind. */
void fuzz_one(const u8 *data, size_t size);

/* An input read as numbers; zeroes follow its end. */
struct fuzz_input {
	const u8	*data;
	size_t		left;
};

static inline unsigned int fuzz_byte(struct fuzz_input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

static inline unsigned int fuzz_short(struct fuzz_input *in)
{
	unsigned int low = fuzz_byte(in);

	return fuzz_byte(in) << 8 | low;
}

/* Reads the messages that wait; returns how many of them have this text. */
unsigned int fuzz_messages(const char *text);

#endif /* FUZZ_H */

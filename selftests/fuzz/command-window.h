/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzz targets: the pool and the window that commands are run on; command-window.c.
 */
#ifndef FUZZ_COMMAND_WINDOW_H
#define FUZZ_COMMAND_WINDOW_H

#include "command-shim.h"

#define FUZZ_POOL_PAGES		100UL
#define FUZZ_WINDOW_PAGES	300UL

void fuzz_window_init(void);
void fuzz_window_exit(void);

#endif /* FUZZ_COMMAND_WINDOW_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <trace/events/mmflags.h>: nothing is printed. */

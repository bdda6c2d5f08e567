/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <trace/define_trace.h>: there is nothing to be made. */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unit tier: what the tracepoints tell, in one form for all of them.
 */
#ifndef UNIT_EVENTS_H
#define UNIT_EVENTS_H

#include <linux/types.h>

/* @name is the event's; of the numbers those that it has, as docs/tracing.md names them. */
struct shim_event {
	const char	*name;
	unsigned long	page;		/* or offset */
	unsigned long	order;		/* or size, bytes */
	unsigned long	other;		/* kept, buddy, pages, nr; a map's page */
	unsigned int	where;		/* from, to, reason, type */
	bool		flag;		/* kind=area, lazy */
};

/* Told of each event; NULL at first. */
extern void (*shim_on_event)(const struct shim_event *event);

#endif /* UNIT_EVENTS_H */

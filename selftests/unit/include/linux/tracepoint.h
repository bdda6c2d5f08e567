/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/tracepoint.h>: an event is a call of shim_trace_NAME(), in events.c. */
#ifndef UNIT_LINUX_TRACEPOINT_H
#define UNIT_LINUX_TRACEPOINT_H

#define TP_PROTO(...)	__VA_ARGS__
#define TP_ARGS(...)	__VA_ARGS__

#define TRACE_EVENT_FN(name, proto, args, ...)				\
	void shim_trace_##name(proto);					\
	static inline void trace_##name(proto)				\
	{								\
		shim_trace_##name(args);				\
	}								\
	struct shim_trace_##name

#define DECLARE_EVENT_CLASS(name, ...)	struct shim_class_##name
#define DEFINE_EVENT_FN(class, name, proto, args, ...)			\
	TRACE_EVENT_FN(name, PARAMS(proto), PARAMS(args))
#define PARAMS(...)	__VA_ARGS__

#endif /* UNIT_LINUX_TRACEPOINT_H */

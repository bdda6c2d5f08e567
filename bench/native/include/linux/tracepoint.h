/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/tracepoint.h>: nobody listens. */
#ifndef NATIVE_LINUX_TRACEPOINT_H
#define NATIVE_LINUX_TRACEPOINT_H

#define TP_PROTO(...)	__VA_ARGS__
#define TP_ARGS(...)	__VA_ARGS__
#define PARAMS(...)	__VA_ARGS__

#define TRACE_EVENT_FN(name, proto, args, ...)				\
	static inline void trace_##name(proto)				\
	{								\
	}								\
	struct shim_trace_##name

#define DECLARE_EVENT_CLASS(name, ...)	struct shim_class_##name
#define DEFINE_EVENT_FN(class, name, proto, args, ...)			\
	TRACE_EVENT_FN(name, PARAMS(proto), PARAMS(args))

#endif /* NATIVE_LINUX_TRACEPOINT_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/user_namespace.h>: there is one, and the opener of a file is its writer. */
#ifndef FUZZ_LINUX_USER_NAMESPACE_H
#define FUZZ_LINUX_USER_NAMESPACE_H

#include <linux/capability.h>

struct file;
struct user_namespace {
	int level;
};

static struct user_namespace init_user_ns;

static inline bool file_ns_capable(const struct file *file, struct user_namespace *ns, int cap)
{
	return capable(cap);
}

#endif /* FUZZ_LINUX_USER_NAMESPACE_H */

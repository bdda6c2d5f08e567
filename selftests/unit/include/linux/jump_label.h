/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/jump_label.h>: a key is a number. */
#ifndef UNIT_LINUX_JUMP_LABEL_H
#define UNIT_LINUX_JUMP_LABEL_H

#include <linux/compiler.h>

struct static_key_false {
	int enabled;
};

#define DECLARE_STATIC_KEY_FALSE(name)	extern struct static_key_false name
#define DEFINE_STATIC_KEY_FALSE(name)	struct static_key_false name
#define static_branch_unlikely(key)	unlikely((key)->enabled)
#define static_branch_inc(key)		((void)(key)->enabled++)
#define static_branch_dec(key)		((void)(key)->enabled--)

#endif /* UNIT_LINUX_JUMP_LABEL_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for <linux/xarray.h>: a list by ascending index, of which a few hundred is many. */
#ifndef FUZZ_LINUX_XARRAY_H
#define FUZZ_LINUX_XARRAY_H

#include <linux/slab.h>
#include <stdlib.h>

#include "shim.h"

struct shim_xa_entry {
	struct shim_xa_entry	*next;
	unsigned long		index;
	void			*entry;
};

struct xarray {
	struct shim_xa_entry	*head;
};

#define DEFINE_XARRAY(name)	struct xarray name

/* Where the entry of an index is, or would be. */
static inline struct shim_xa_entry **shim_xa_find(struct xarray *xa, unsigned long index)
{
	struct shim_xa_entry **at = &xa->head;

	while (*at && (*at)->index < index)
		at = &(*at)->next;
	return at;
}

static inline void *xa_load(struct xarray *xa, unsigned long index)
{
	const struct shim_xa_entry *found = *shim_xa_find(xa, index);

	return found && found->index == index ? found->entry : NULL;
}

static inline void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	struct shim_xa_entry **at = shim_xa_find(xa, index), *new;

	shim_assert(entry && !xa_load(xa, index), "stored twice, or nothing");
	new = kzalloc(sizeof(*new), gfp);
	shim_assert(new, "the machine is out of memory");
	*new = (struct shim_xa_entry){ *at, index, entry };
	*at = new;
	return NULL;
}

static inline void *xa_erase(struct xarray *xa, unsigned long index)
{
	struct shim_xa_entry **at = shim_xa_find(xa, index), *found = *at;
	void *entry;

	if (!found || found->index != index)
		return NULL;
	*at = found->next;
	entry = found->entry;
	kfree(found);
	return entry;
}

/* The next entry from an index on; the one before may be gone. */
static inline void *shim_xa_from(struct xarray *xa, unsigned long *index)
{
	const struct shim_xa_entry *found = *shim_xa_find(xa, *index);

	if (!found)
		return NULL;
	*index = found->index;
	return found->entry;
}

#define xa_for_each(xa, index, each)					\
	for ((index) = 0; ((each) = shim_xa_from(xa, &(index))); (index)++)

static inline void xa_destroy(struct xarray *xa)
{
	while (xa->head)
		xa_erase(xa, xa->head->index);
}

static inline bool xa_is_err(const void *entry)
{
	return false;
}

static inline void *xa_mk_value(unsigned long value)
{
	return (void *)(value << 1 | 1);
}

static inline unsigned long xa_to_value(const void *entry)
{
	return (unsigned long)entry >> 1;
}

#endif /* FUZZ_LINUX_XARRAY_H */

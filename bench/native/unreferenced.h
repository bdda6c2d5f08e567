/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Native: included before the core's first line, this takes the place of the accessors that look
 * whether somebody else holds a page, or has left flags in it: nobody ever does. It shows what the
 * look costs.
 */
#ifndef NATIVE_UNREFERENCED_H
#define NATIVE_UNREFERENCED_H

#include "host/struct_page.h"

#define pmm_page_refs(page)		((void)(page), PMM_PAGE_REFS)
#define pmm_page_flags(page)		((void)(page), PMM_PAGE_MARK)
#define pmm_page_is_clean(page)		((void)(page), true)

#endif /* NATIVE_UNREFERENCED_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Native: included before the core's first line, this takes the place of the accessors that look
 * whether somebody else holds a page: nobody ever does. It shows what the look costs.
 */
#ifndef NATIVE_UNREFERENCED_H
#define NATIVE_UNREFERENCED_H

#define page_ref_count		shim_page_ref_count
#define pmm_page_referenced	shim_page_referenced
#include "host/struct_page.h"
#undef page_ref_count
#undef pmm_page_referenced

#define page_ref_count(page)		1
#define pmm_page_referenced(page)	((void)(page), false)

#endif /* NATIVE_UNREFERENCED_H */

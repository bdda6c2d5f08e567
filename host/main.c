// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: a second, pocket-sized memory manager: load and unload.
 *
 * Load starts one subsystem after the other. Unload, and a load that fails, stop them in exact
 * reverse. Process context; may sleep.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "host/params.h"
#include "host/window.h"
#include "purge.h"

/* The zone points to it if poison=1 or owner=1. */
static struct pmm_debug pmm_debug;

static int pmm_init_debug(const struct pmm_config *config)
{
	int err;

	if (!config->poison && !config->owner)
		return 0;
	pmm_debug.poison = config->poison;
	err = pmm_debug_init(&pmm_zone, &pmm_debug, config->chunk.nr_pages, config->owner);
	if (err == -EOPNOTSUPP)
		pr_err("owner=1 is refused: this kernel has no stack depot\n");
	if (err)
		pmm_debug_destroy(&pmm_zone);
	return err;
}

static int pmm_init_zone(const struct pmm_config *config, struct page *pages)
{
	int err;

	pmm_zone.name = "Pocket";
	pmm_zone.pages_min = config->min_free;
	pmm_zone.expand = config->policy.expand;
	pmm_zone.placement = pmm_placements[config->policy.placement];
	err = pmm_init_debug(config);
	if (err)
		return err;
	err = pmm_zone_init(&pmm_zone, pages, config->chunk.nr_pages);
	if (err)
		goto err_debug;
	err = pmm_page_alloc_init(config->policy.pcp);
	if (err)
		goto err_zone;
	return 0;

err_zone:
	pmm_zone_destroy(&pmm_zone);
err_debug:
	pmm_debug_destroy(&pmm_zone);
	return err;
}

static void pmm_exit_zone(void)
{
	pmm_reaper_stop();
	pmm_page_alloc_exit();
	pmm_zone_destroy(&pmm_zone);
	pmm_debug_destroy(&pmm_zone);
}

static void pmm_report_load(void)
{
	unsigned long pfn = page_to_pfn(pmm_zone.mem_map);
	char switches[PMM_SWITCHES_LEN];

	pmm_describe_switches(switches, sizeof(switches));
	pr_info("chunk of %lu pages, frames %#lx-%#lx, node %d; window of %luK; metadata: %lu bytes of pair bits, %lu of page states, %lu for the window; %s\n",
		pmm_zone.nr_pages, pfn, pfn + pmm_zone.nr_pages - 1, page_to_nid(pmm_zone.mem_map),
		pmm_window_size() >> 10, pmm_zone_map_bytes(&pmm_zone), pmm_nr_states(&pmm_zone),
		pmm_window_metadata(), switches);
}

static int __init pmm_init(void)
{
	struct pmm_config config = { };
	struct page *pages;
	int err = pmm_judge_parameters(&config);

	if (err)
		return err;
	pages = pmm_chunk_reserve(&config.chunk);
	if (!pages)
		return -ENOMEM;
	err = pmm_init_zone(&config, pages);
	if (err)
		goto err_chunk;
	err = pmm_window_init(config.window);
	if (err)
		goto err_zone;
	pmm_purge_init(config.policy.purge);
	err = pmm_vmalloc_init(&config.policy, config.redzone);
	if (err)
		goto err_window;
	pmm_report_load();
	pmm_debugfs_init();
	pmm_leaks_init();
	return 0;

err_window:
	pmm_window_exit();
err_zone:
	pmm_exit_zone();
err_chunk:
	pmm_chunk_release(pages, config.chunk.nr_pages);
	return err;
}

static void __exit pmm_exit(void)
{
	pmm_leaks_exit();
	pmm_debugfs_exit();
	pmm_vm_unmap_aliases();
	pmm_report_leaks();
	pmm_command_exit();
	pmm_vmalloc_exit();
	pmm_window_exit();
	pmm_exit_zone();
	pmm_chunk_release(pmm_zone.mem_map, pmm_zone.nr_pages);
	pr_info("unloaded, %lu pages are the kernel's again\n", pmm_zone.nr_pages);
}

module_init(pmm_init);
module_exit(pmm_exit);

MODULE_DESCRIPTION("A second, pocket-sized memory manager: the book's buddy allocator and vmalloc");
MODULE_AUTHOR("The pocketmm maintainers");
MODULE_LICENSE("GPL");

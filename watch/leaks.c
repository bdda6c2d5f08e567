// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: the reports of each block and each area that nobody freed, with the function that
 * allocated it: when a module goes that left some, while its functions still have names; and at
 * unload, when it takes no lock, because the module is no longer in use. Process context.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/notifier.h>

#include "host/window.h"
#include "vmlist.h"

#define PMM_LEAKS_NAMED	32	/* of each kind; the others are only counted */

/**
 * pmm_name_code() - name code by its address, which is never shown itself
 * @addr: the address; where a client may write, as in page->index, it may be anything
 * @text: gets the name, as printk's %pS has it
 * @size: of @text
 *
 * Context: Any.
 */
void pmm_name_code(unsigned long addr, char *text, size_t size)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol(name, addr);
	scnprintf(text, size, "%s", strncmp(name, "0x", 2) ? name : "(unloaded module)");
}

static void pmm_report_block(unsigned long index, unsigned int order)
{
	const struct pmm_owner *owner = pmm_zone.debug ? pmm_zone.debug->owner : NULL;
	char who[PMM_WHO_LEN];

	pr_warn("leak: block %lu order %u, by %s\n", index, order,
		pmm_debug_who(&pmm_zone, owner ? &owner[index].taken : NULL,
			      pmm_page_caller(pmm_zone.mem_map + index), who));
}

static void pmm_report_area(const struct pmm_vm_struct *vm)
{
	char name[KSYM_SYMBOL_LEN];

	pmm_name_code((unsigned long)vm->caller, name, sizeof(name));
	pr_warn("leak: area at offset %lu, %lu bytes, by %s\n",
		(unsigned long)vm->addr - pmm_window_start(), pmm_area_bytes(vm), name);
}

/* --- when another module goes ----------------------------------------------------------------- */

/* The module's next block, from @index on; the lock is held for 2 MiB at a time. */
static unsigned long pmm_next_block_of(struct module *mod, unsigned long index,
				       unsigned int *order)
{
	while (index < pmm_zone.nr_pages) {
		unsigned long end = min(ALIGN(index + 1, PMM_MAX_ORDER_PAGES), pmm_zone.nr_pages);
		unsigned long flags;
		bool found = false;

		spin_lock_irqsave(&pmm_zone.lock, flags);
		while (!found && index < end) {
			u8 state = READ_ONCE(pmm_zone.state[index]);

			*order = PMM_STATE_ORDER(state);
			found = PMM_STATE_KIND(state) == PMM_USED &&
				within_module(pmm_page_caller(pmm_zone.mem_map + index), mod);
			index += found ? 0 : 1UL << *order;
		}
		spin_unlock_irqrestore(&pmm_zone.lock, flags);
		if (found)
			break;
		cond_resched();
	}
	return index;
}

static void pmm_report_blocks_of(struct module *mod)
{
	unsigned long index = 0, nr = 0, pages = 0;
	unsigned int order;

	while ((index = pmm_next_block_of(mod, index, &order)) < pmm_zone.nr_pages) {
		if (nr++ < PMM_LEAKS_NAMED)
			pmm_report_block(index, order);
		pages += 1UL << order;
		index += 1UL << order;
	}
	if (nr)
		pr_warn("leak: module %s is gone and left %lu blocks, %lu pages in all\n",
			mod->name, nr, pages);
}

/*
 * Blocks of vm_map_ram() are the pool's own, whichever call was the first to need one. With the
 * list's lock held.
 */
static bool __pmm_is_area_of(const struct pmm_vm_struct *vm, struct module *mod)
{
	return pmm_area_state(pmm_area(vm)) == PMM_AREA_LIVE && !pmm_area_waits(pmm_area(vm)) &&
	       !(vm->flags & PMM_VM_RAM) && within_module((unsigned long)vm->caller, mod);
}

/* A copy of the module's next area, from @addr on. */
static bool pmm_next_area_of(struct module *mod, unsigned long addr, struct pmm_vm_struct *copy)
{
	const struct pmm_vm_struct *vm;

	spin_lock(&pmm_vmlist.lock);
	vm = __pmm_vmlist_find_above(&pmm_vmlist, addr);
	while (vm && !__pmm_is_area_of(vm, mod))
		vm = vm->next;
	if (vm)
		*copy = *vm;
	spin_unlock(&pmm_vmlist.lock);
	return vm;
}

static void pmm_report_areas_of(struct module *mod)
{
	unsigned long nr = 0, bytes = 0, addr = pmm_window_start();
	struct pmm_vm_struct vm;

	for (; pmm_next_area_of(mod, addr, &vm); addr = (unsigned long)vm.addr + vm.size) {
		if (nr++ < PMM_LEAKS_NAMED)
			pmm_report_area(&vm);
		bytes += pmm_area_bytes(&vm);
	}
	if (nr)
		pr_warn("leak: module %s is gone and left %lu areas, %lu bytes in all\n",
			mod->name, nr, bytes);
}

/* Its exit function has run. */
static int pmm_module_changes(struct notifier_block *block, unsigned long state, void *mod)
{
	if (state == MODULE_STATE_GOING && mod != THIS_MODULE) {
		pmm_report_blocks_of(mod);
		pmm_report_areas_of(mod);
	}
	return NOTIFY_DONE;
}

static struct notifier_block pmm_module_notifier = { .notifier_call = pmm_module_changes };

/* Watch modules come and go, or no longer. Process context; may sleep. */
void pmm_leaks_init(void)
{
	register_module_notifier(&pmm_module_notifier);
}

void pmm_leaks_exit(void)
{
	unregister_module_notifier(&pmm_module_notifier);
}

/* --- at unload -------------------------------------------------------------------------------- */

/* The blocks of an area are reported with the area. */
static void pmm_report_blocks(void)
{
	unsigned long index, nr = 0, pages = 0;

	for (index = 0; index < pmm_zone.nr_pages;) {
		enum pmm_kind kind = PMM_STATE_KIND(pmm_zone.state[index]);
		unsigned int order = PMM_STATE_ORDER(pmm_zone.state[index]);

		if (kind == PMM_USED && nr++ < PMM_LEAKS_NAMED)
			pmm_report_block(index, order);
		if (kind == PMM_USED)
			pages += 1UL << order;
		index += 1UL << order;
	}
	if (nr)
		pr_warn("leak: %lu blocks, %lu pages in all\n", nr, pages);
	if (pmm_zone.nr_parked)
		pr_warn("%lu freed pages are still referenced by others\n", pmm_zone.nr_parked);
}

static void pmm_report_areas(void)
{
	const struct pmm_vm_struct *vm;
	unsigned long nr = 0, bytes = 0;

	for (vm = pmm_vmlist.head; vm; vm = vm->next) {
		if (nr++ < PMM_LEAKS_NAMED)
			pmm_report_area(vm);
		bytes += pmm_area_bytes(vm);
	}
	if (nr)
		pr_warn("leak: %lu areas, %lu bytes in all\n", nr, bytes);
}

/**
 * pmm_report_leaks() - log the blocks and areas that nobody freed
 *
 * Context: Process context, at unload.
 */
void pmm_report_leaks(void)
{
	pmm_zone_reap(&pmm_zone);
	pmm_report_blocks();
	pmm_report_areas();
}

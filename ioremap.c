// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: map a device's registers into the window, uncached, as 2.4.22's ioremap().
 *
 * RAM is refused, so that nobody's pages get a second, uncached mapping. What a driver has claimed
 * is refused to commands only: the driver itself, which has requested its region before it maps it,
 * must get it. It owns nothing. Process context; pmm_vmlist.lock protects the areas (vmlist.c).
 */
#include <linux/export.h>
#include <linux/ioport.h>

#include "host/window.h"

/* The last address is inclusive, so it cannot overflow. 2.4 computed a size one byte short. */
static int pmm_check_phys(phys_addr_t phys, unsigned long size)
{
	phys_addr_t last = phys + size - 1;

	if (!size || last < phys || last > pmm_window_phys_limit())
		return -EINVAL;
	phys &= PAGE_MASK;
	if (region_intersects(phys, (last | ~PAGE_MASK) - phys + 1, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return -EPERM;
	return 0;
}

/**
 * pmm_ioremap_caller() - pmm_ioremap() for a caller further up
 * @phys: physical address, any alignment
 * @size: bytes
 * @caller: address to record
 *
 * Context: Process context; may sleep.
 * Return: The address, at the same offset within its page as @phys; or ERR_PTR: -EINVAL (no bytes,
 * or beyond the reach of the processor), -EPERM (RAM), -ENOSPC, -ENOMEM, -ENXIO.
 */
void __iomem *pmm_ioremap_caller(phys_addr_t phys, unsigned long size, const void *caller)
{
	unsigned long offset = offset_in_page(phys);
	struct pmm_area_request want = {
		.align = PAGE_SIZE, .flags = PMM_VM_IOREMAP, .gfp = GFP_KERNEL, .caller = caller,
	};
	struct pmm_vm_struct *vm;
	int err;

	err = pmm_check_phys(phys, size);
	if (err)
		return (__force void __iomem *)ERR_PTR(err);
	size = PAGE_ALIGN(size + offset);
	want.size = size;
	phys -= offset;
	vm = pmm_reserve_area(&want);
	if (IS_ERR(vm))
		return (__force void __iomem *)vm;
	vm->phys_addr = phys;
	pmm_window_map((unsigned long)vm->addr, PHYS_PFN(phys), size >> PAGE_SHIFT,
		       pmm_window_device_prot());
	pmm_vmlist_publish(&pmm_vmlist, vm);
	return (void __iomem *)(vm->addr + offset);
}

static int pmm_found_one(struct resource *res, void *unused)
{
	return 1;
}

/* Does any resource in these pages, at whatever depth of the tree, have the flag? */
static bool pmm_any_resource(phys_addr_t phys, phys_addr_t last, unsigned long flag)
{
	return walk_iomem_res_desc(IORES_DESC_NONE, flag, phys & PAGE_MASK, last | ~PAGE_MASK,
				   NULL, pmm_found_one) == 1;
}

/**
 * pmm_ioremap_unclaimed() - pmm_ioremap_caller() for a user who may be no driver
 * @phys: as for pmm_ioremap_caller()
 * @size: likewise
 * @caller: likewise
 *
 * It refuses what /dev/mem does with CONFIG_STRICT_DEVMEM and CONFIG_IO_STRICT_DEVMEM, whether the
 * kernel has these or not, and despite iomem=relaxed: a page in which a driver or the kernel has
 * claimed anything. iomem_is_exclusive(), which decides there, is not exported. A driver that
 * claims its device afterwards does not end the mapping.
 *
 * Context: Process context; may sleep.
 * Return: As pmm_ioremap_caller(); ERR_PTR(-EBUSY) too.
 */
void __iomem *pmm_ioremap_unclaimed(phys_addr_t phys, unsigned long size, const void *caller)
{
	phys_addr_t last = phys + size - 1;
	int err = pmm_check_phys(phys, size);

	if (!err && (pmm_any_resource(phys, last, IORESOURCE_BUSY) ||
		     pmm_any_resource(phys, last, IORESOURCE_EXCLUSIVE)))
		err = -EBUSY;
	if (err)
		return (__force void __iomem *)ERR_PTR(err);
	return pmm_ioremap_caller(phys, size, caller);
}

/**
 * pmm_ioremap() - map a device's registers, uncached
 * @phys: physical address, any alignment
 * @size: bytes
 *
 * RAM, no bytes, and a range that wraps or that the processor cannot reach are refused without a
 * message. The memory type is not reserved with the kernel's PAT code, which a module cannot call;
 * the kernel's own ioremap() maps uncached as well, so the two agree.
 *
 * Context: Process context; may sleep.
 * Return: The address, for readl() and its kin; NULL on failure. (2.4.22)
 */
void __iomem *pmm_ioremap(phys_addr_t phys, unsigned long size)
{
	void __iomem *addr;

	pmm_might_sleep();
	addr = pmm_ioremap_caller(phys, size, __builtin_return_address(0));
	return IS_ERR((__force void *)addr) ? NULL : addr;
}
EXPORT_SYMBOL_GPL(pmm_ioremap);

/**
 * pmm_iounmap() - undo pmm_ioremap()
 * @addr: its result; NULL is ignored
 *
 * Any other address is refused as by pmm_vfree().
 *
 * Context: Process context, interrupts on; waits for a TLB flush.
 */
void pmm_iounmap(void __iomem *addr)
{
	unsigned long page = (unsigned long)addr & PAGE_MASK;

	pmm_might_sleep();
	if (addr)
		pmm_take_down((void *)page, PMM_VM_IOREMAP, __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(pmm_iounmap);

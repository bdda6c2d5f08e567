// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm: vread() and vwrite(), which copy out of the window and into it, whatever is mapped
 * there, as in 2.4.22.
 *
 * It owns nothing. Process context; a copy holds pmm_vmlist.lock, so that no area goes away.
 */
#include <linux/export.h>
#include <linux/io.h>

#include "host/window.h"
#include "vmlist.h"

/*
 * Copy within one page. A mapping that forbids the access counts as a hole. A device is read and
 * written in larger units where alignment allows it; 2.4 always went byte by byte.
 */
static void pmm_copy_piece(char *buf, unsigned long addr, unsigned long len, bool write)
{
	unsigned long pfn;
	unsigned int map = pmm_window_lookup(addr, &pfn);
	bool device = map & PMM_MAP_DEVICE;

	if (write && map & PMM_MAP_WRITABLE) {
		if (device)
			memcpy_toio((void __iomem *)addr, buf, len);
		else
			memcpy((void *)addr, buf, len);
	} else if (!write && map & PMM_MAP_READABLE) {
		if (device)
			memcpy_fromio(buf, (void __iomem *)addr, len);
		else
			memcpy(buf, (void *)addr, len);
	} else if (!write) {
		memset(buf, 0, len);
	}
}

static void pmm_copy_area(char *buf, unsigned long addr, unsigned long len, bool write)
{
	while (len) {
		unsigned long piece = min(len, PAGE_SIZE - offset_in_page(addr));

		pmm_copy_piece(buf, addr, piece, write);
		buf += piece;
		addr += piece;
		len -= piece;
	}
}

/*
 * 2.4's walk: holes and guard pages read as zeros and ignore writes; the count falls short at the
 * end of the last area.
 */
static long pmm_copy_window(char *buf, unsigned long addr, unsigned long count, bool write)
{
	const struct pmm_vm_struct *vm;
	char *start = buf;

	if (pmm_window_is_lost())
		return -ENXIO;
	count = min(count, ULONG_MAX - addr);
	spin_lock(&pmm_vmlist.lock);
	for (vm = __pmm_vmlist_find_above(&pmm_vmlist, addr); vm && count; vm = vm->next) {
		unsigned long first = (unsigned long)vm->addr, end = first + pmm_area_bytes(vm),
			      len;
		/* Mappings of vm_map_ram() go without this lock, so they read as holes. */
		bool live = pmm_area_state(pmm_area(vm)) == PMM_AREA_LIVE &&
			    !(vm->flags & PMM_VM_RAM);

		if (addr >= end || pmm_area_waits(pmm_area(vm)))
			continue;
		len = addr < first ? min(count, first - addr) : 0;
		if (!write)
			memset(buf, 0, len);
		buf += len;
		addr += len;
		count -= len;
		len = min(count, end - addr);
		if (live)
			pmm_copy_area(buf, addr, len, write);
		else if (!write)
			memset(buf, 0, len);
		buf += len;
		addr += len;
		count -= len;
	}
	spin_unlock(&pmm_vmlist.lock);
	return buf - start;
}

/**
 * pmm_vread() - copy out of the window
 * @buf: kernel memory to copy to
 * @addr: any address; all addresses below the window are a hole
 * @count: bytes, a few pages at most: the copy holds the list's lock
 *
 * Mappings of pmm_vm_map_ram() read as holes. A device is read wherever its pages are: where it has
 * no register, x86 reads ones, but on arm64 the kernel may take a fatal external abort.
 *
 * Context: Process context.
 * Return: Bytes copied: less than @count when the last area ends first; -ENXIO when the window is
 * lost. (2.4.22)
 */
long pmm_vread(char *buf, char *addr, unsigned long count)
{
	return pmm_copy_window(buf, (unsigned long)addr, count, false);
}
EXPORT_SYMBOL_GPL(pmm_vread);

/**
 * pmm_vwrite() - copy into the window
 * @buf: kernel memory to copy from
 * @addr: any address
 * @count: bytes, as for pmm_vread()
 *
 * Holes, guard pages and read-only mappings ignore the bytes written to them.
 *
 * Context: Process context.
 * Return: Bytes passed: less than @count when the last area ends first; -ENXIO when the window is
 * lost. (2.4.22)
 */
long pmm_vwrite(char *buf, char *addr, unsigned long count)
{
	return pmm_copy_window(buf, (unsigned long)addr, count, true);
}
EXPORT_SYMBOL_GPL(pmm_vwrite);

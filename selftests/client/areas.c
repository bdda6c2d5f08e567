// SPDX-License-Identifier: GPL-2.0-only
/*
 * pocketmm's client module: areas of the window, used as they should be, and what the page tables
 * say of them, by the kernel's own vmalloc_to_page(), its page tables and fault-tolerant loads.
 */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "client.h"

#define VGA_PHYS	0xa0000UL

int client_peek(const void *addr)
{
	char byte;

	return copy_from_kernel_nofault(&byte, addr, sizeof(byte));
}

/* Would a store there fault? If not, it is done. */
bool client_store_faults(void *addr)
{
	u64 value = 0x5a5a5a5a5a5a5a5aULL;

	pagefault_disable();
	__put_kernel_nofault(addr, &value, u64, fault);
	pagefault_enable();
	return false;
fault:
	pagefault_enable();
	return true;
}

static unsigned long size_at(const void *addr)
{
	const struct pmm_vm_struct *vm = pmm_find_vm_area(addr);

	return vm ? vm->size : 0;
}

/*
 * Unmapped, says the kernel's own walk, and says it at once; a load faults when every TLB has been
 * flushed, too, which purge=lazy leaves for later.
 */
void client_check_gone(char *addr, unsigned long nr_pages)
{
	unsigned long i;

	for (i = 0; i < nr_pages; i++) {
		CHECK(!vmalloc_to_page(addr + i * PAGE_SIZE));
		CHECK(!pmm_vmalloc_to_page(addr + i * PAGE_SIZE));
	}
	pmm_vm_unmap_aliases();
	CHECK_EQ(client_peek(addr), -EFAULT);
	CHECK_EQ(client_peek(addr + nr_pages * PAGE_SIZE - 1), -EFAULT);
	CHECK(client_store_faults(addr));
}

static void check_page_by_page(void *addr, unsigned long nr_pages)
{
	unsigned long i;

	for (i = 0; i < nr_pages; i++) {
		void *at = addr + i * PAGE_SIZE + i;

		CHECK(pmm_vmalloc_to_page(at));
		CHECK(pmm_vmalloc_to_page(at) == vmalloc_to_page(at));
		CHECK_EQ(client_holders(vmalloc_to_page(at)), 0);
	}
}

static void check_record(void *addr, unsigned long nr_pages)
{
	struct pmm_vm_struct *vm = pmm_find_vm_area(addr);

	if (!CHECK(vm))
		return;
	CHECK(vm->addr == addr);
	CHECK_EQ(vm->size, (nr_pages + 1) * PAGE_SIZE);
	CHECK_EQ(vm->nr_pages, nr_pages);
	CHECK_EQ(vm->flags, PMM_VM_ALLOC);
	CHECK(vm->pages && vm->pages[1] == pmm_vmalloc_to_page(addr + PAGE_SIZE));
	CHECK(within_module((unsigned long)vm->caller, THIS_MODULE));
}

static void test_vmalloc(void)
{
	unsigned long before = pmm_nr_free_pages();
	char *addr = pmm_vmalloc(5 * PAGE_SIZE - 100);

	if (!CHECK(addr))
		return;
	CHECK(PAGE_ALIGNED((unsigned long)addr));
	CHECK_EQ(pmm_nr_free_pages(), before - 5);
	memset(addr, 0x5a, 5 * PAGE_SIZE);
	CHECK_EQ(*(char *)page_address(pmm_vmalloc_to_page(addr + 4 * PAGE_SIZE)), 0x5a);
	check_page_by_page(addr, 5);
	check_record(addr, 5);
	pmm_vfree(addr);
	CHECK_EQ(pmm_nr_free_pages(), before);
	CHECK(!pmm_find_vm_area(addr));
	CHECK(!pmm_vmalloc_to_page(addr));
}

static void test_guard(void)
{
	char *addr = pmm_vmalloc(2 * PAGE_SIZE), *next = pmm_vmalloc(PAGE_SIZE);

	CHECK_EQ(next - addr, 3 * PAGE_SIZE);
	CHECK_EQ(client_peek(addr), 0);
	CHECK_EQ(client_peek(addr + 2 * PAGE_SIZE - 1), 0);
	CHECK_EQ(client_peek(addr + 2 * PAGE_SIZE), -EFAULT);
	CHECK_EQ(client_peek(next - 1), -EFAULT);
	CHECK_EQ(client_peek(next), 0);
	CHECK(!pmm_vmalloc_to_page(addr + 2 * PAGE_SIZE));
	CHECK(client_store_faults(addr + 2 * PAGE_SIZE));
	CHECK(!client_store_faults(addr + 2 * PAGE_SIZE - 8));
	pmm_vfree(addr);
	client_check_gone(addr, 2);
	CHECK_EQ(client_peek(next), 0);
	pmm_vfree(next);
	client_check_gone(next, 2);
	CHECK_EQ(client_peek(next + 2 * PAGE_SIZE), -EFAULT);
}

/* With purge=lazy nobody gets a freed area's addresses before a purge, else the next one does. */
static void test_addresses_wait(void)
{
	char *first = pmm_vmalloc(2 * PAGE_SIZE), *second, byte = 'x';

	first[0] = 'f';
	pmm_vfree(first);
	CHECK(!pmm_find_vm_area(first));
	CHECK(!vmalloc_to_page(first));
	second = pmm_vmalloc(2 * PAGE_SIZE);
	CHECK((second == first) == !client_lazy);
	if (client_lazy) {
		CHECK_EQ(pmm_vread(&byte, first, 1), 1);
		CHECK_EQ(byte, 0);
		pmm_vfree(first);		/* refused */
		CHECK_EQ(client_peek(second), 0);
	}
	pmm_vfree(second);
	pmm_vm_unmap_aliases();
	second = pmm_vmalloc(2 * PAGE_SIZE);
	CHECK(second == first);
	pmm_vfree(second);
}

/* Each kind takes the pages that were just dirtied. */
static void check_zeroed(void *(*get)(unsigned long size), unsigned long size,
			 unsigned long flags)
{
	char *addr = pmm_vmalloc(size);

	memset(addr, 0xa5, size);
	pmm_vfree(addr);
	addr = get(size);
	if (!CHECK(addr))
		return;
	CHECK(!memchr_inv(addr, 0, size));
	CHECK_EQ(pmm_find_vm_area(addr)->flags, flags);
	pmm_vfree(addr);
}

static void test_zeroed_areas(void)
{
	/* A few pages are taken one by one, many in bulk. */
	check_zeroed(pmm_vzalloc, 3 * PAGE_SIZE, PMM_VM_ALLOC);
	check_zeroed(pmm_vzalloc, 300 * PAGE_SIZE, PMM_VM_ALLOC);
	check_zeroed(pmm_vmalloc_user, 3 * PAGE_SIZE, PMM_VM_ALLOC | PMM_VM_USERMAP);
}

static void test_vmalloc_32(void)
{
	char *addr = pmm_vmalloc_32(2 * PAGE_SIZE);

	if (!addr) {
		client_skip("the chunk is above 4 GiB");
		return;
	}
	CHECK(page_to_phys(pmm_vmalloc_to_page(addr + PAGE_SIZE)) < 1ULL << 32);
	pmm_vfree(addr);
}

static void test_read_only(void)
{
	char *addr = __pmm_vmalloc(PAGE_SIZE, GFP_KERNEL | __GFP_ZERO, PAGE_KERNEL_RO);
	char text[8] = "changed";

	if (!CHECK(addr))
		return;
	CHECK_EQ(client_peek(addr), 0);
	CHECK(client_store_faults(addr));
	CHECK_EQ(pmm_vwrite(text, addr, sizeof(text)), sizeof(text));
	CHECK(!memchr_inv(addr, 0, PAGE_SIZE));
	CHECK_EQ(pmm_vread(text, addr, sizeof(text)), sizeof(text));
	CHECK_EQ(text[0], 0);
	pmm_vfree(addr);
}

static void test_vmap_pool_pages(void)
{
	unsigned long before = pmm_nr_free_pages();
	struct page *pages[2] = { pmm_alloc_page(GFP_KERNEL), pmm_alloc_page(GFP_KERNEL) }, *first;
	char *addr;

	swap(pages[0], pages[1]);
	first = pages[0];
	addr = pmm_vmap(pages, 2, PMM_VM_MAP, PAGE_KERNEL);
	if (!CHECK(addr))
		return;
	memset(addr, 0x11, PAGE_SIZE);
	memset(addr + PAGE_SIZE, 0x22, PAGE_SIZE);
	CHECK_EQ(*(char *)page_address(pages[0]), 0x11);
	CHECK_EQ(*(char *)page_address(pages[1]), 0x22);
	CHECK(pmm_vmalloc_to_page(addr) == first && vmalloc_to_page(addr) == first);
	__pmm_free_pages(pages[0], 0);		/* parked while it is mapped */
	CHECK_EQ(pmm_nr_free_pages(), before - 2);
	CHECK_EQ(*addr, 0x11);
	pmm_vunmap(addr);
	client_check_gone(addr, 2);
	CHECK_EQ(pmm_nr_free_pages(), before - 1);
	CHECK_EQ(client_holders(pages[1]), 0);
	__pmm_free_pages(pages[1], 0);
}

static void test_vmap_kernel_pages(void)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO), *pages[3] = { page, page, page };
	char *addr = pmm_vmap(pages, 3, PMM_VM_MAP, PAGE_KERNEL);

	if (CHECK(addr)) {
		WRITE_ONCE(addr[PAGE_SIZE + 7], 'x');
		CHECK_EQ(READ_ONCE(addr[7]), 'x');
		CHECK_EQ(READ_ONCE(addr[2 * PAGE_SIZE + 7]), 'x');
		CHECK_EQ(READ_ONCE(((char *)page_address(page))[7]), 'x');
		CHECK_EQ(client_peek(addr + 3 * PAGE_SIZE), -EFAULT);
	}
	pmm_vunmap(addr);
	pmm_vunmap(NULL);
	CHECK_EQ(page_count(page), 1);
	CHECK(!pmm_vmap(pages, 0, PMM_VM_MAP, PAGE_KERNEL));
	CHECK(!pmm_vmap(pages, 1, 0x4000, PAGE_KERNEL));
	__free_page(page);
}

static void test_bare_area(void)
{
	struct page *page = pmm_alloc_page(GFP_KERNEL), *array[2] = { page, page }, **pages = array;
	struct pmm_vm_struct *vm = pmm_get_vm_area(2 * PAGE_SIZE, PMM_VM_MAP), *removed;
	char *addr;

	if (!CHECK(vm))
		return;
	addr = vm->addr;
	CHECK_EQ(vm->size, 3 * PAGE_SIZE);
	CHECK_EQ(client_peek(addr), -EFAULT);
	CHECK(pmm_find_vm_area(addr) == vm);
	CHECK(!pmm_find_vm_area(addr + PAGE_SIZE));
	CHECK(!pmm_find_vm_area(NULL));
	CHECK_EQ(pmm_map_vm_area(vm, PAGE_KERNEL, &pages), 0);
	CHECK(pages == array + 2);
	pages = array;
	CHECK_EQ(pmm_map_vm_area(vm, PAGE_KERNEL, &pages), -EBUSY);
	CHECK(pages == array);
	WRITE_ONCE(addr[0], 'y');
	CHECK_EQ(READ_ONCE(addr[PAGE_SIZE]), 'y');
	CHECK_EQ(client_peek(addr + 2 * PAGE_SIZE), -EFAULT);
	removed = pmm_remove_vm_area(addr);
	CHECK(removed == vm);
	client_check_gone(addr, 2);
	CHECK(!pmm_find_vm_area(addr));
	kfree(removed);
	__pmm_free_pages(page, 0);
}

/* An area, its guard page and the hole behind it, in one read and in one write. */
static void test_vread_vwrite(void)
{
	char *hole = pmm_vmalloc(PAGE_SIZE), *addr = pmm_vmalloc(PAGE_SIZE);
	char *buf = kvmalloc(4 * PAGE_SIZE, GFP_KERNEL);

	memset(addr, 0x33, PAGE_SIZE);
	pmm_vfree(hole);
	memset(buf, 0xff, 4 * PAGE_SIZE);
	CHECK_EQ(pmm_vread(buf, hole, 4 * PAGE_SIZE), addr - hole + PAGE_SIZE);
	CHECK(!memchr_inv(buf, 0, 2 * PAGE_SIZE));
	CHECK(!memchr_inv(buf + 2 * PAGE_SIZE, 0x33, PAGE_SIZE));
	CHECK(!memchr_inv(buf + 3 * PAGE_SIZE, 0xff, PAGE_SIZE));
	memset(buf, 0x44, 4 * PAGE_SIZE);
	CHECK_EQ(pmm_vwrite(buf, hole, 4 * PAGE_SIZE), addr - hole + PAGE_SIZE);
	CHECK(!memchr_inv(addr, 0x44, PAGE_SIZE));
	CHECK_EQ(client_peek(hole), -EFAULT);
	CHECK_EQ(pmm_vread(buf, addr + 10, 3), 3);
	CHECK_EQ(pmm_vread(buf, addr + PAGE_SIZE - 1, 10), 1);
	CHECK_EQ(pmm_vread(buf, addr + PAGE_SIZE, 10), 0);
	CHECK_EQ(pmm_vread(buf, addr, 0), 0);
	CHECK_EQ(pmm_vread(buf, (char *)ULONG_MAX - 8, 100), 0);
	pmm_vfree(addr);
	CHECK_EQ(pmm_vread(buf, addr, 10), 0);
	CHECK_EQ(pmm_vwrite(buf, addr, 10), 0);
	kvfree(buf);
}

static void check_device(void __iomem *addr, u32 id)
{
	CHECK_EQ(readl(addr + CLIENT_DEVICE_ID), id);
	CHECK_EQ((u32)readq(addr + CLIENT_DEVICE_ID), id);
	CHECK(!pmm_vmalloc_to_page((void __force *)addr));
	CHECK_EQ(client_peek((void __force *)addr + PAGE_SIZE), -EFAULT);
}

static void test_ioremap(void)
{
	void __iomem *addr, *inside, *kernel = ioremap(CLIENT_DEVICE, PAGE_SIZE);
	u32 id = readl(kernel + CLIENT_DEVICE_ID), next = readl(kernel + CLIENT_DEVICE_ID + 4);
	u64 cache = client_entry_of((void __force *)kernel).cache;

	iounmap(kernel);
	if (id == U32_MAX) {
		client_skip("no HPET or virtio transports");
		return;
	}
	addr = pmm_ioremap(CLIENT_DEVICE, 1);
	inside = pmm_ioremap(CLIENT_DEVICE + CLIENT_DEVICE_ID + 4, 8);
	if (CHECK(addr) && CHECK(inside)) {
		check_device(addr, id);
		CHECK_EQ(client_entry_of((void __force *)addr).cache, cache);
		CHECK_EQ(offset_in_page(inside), CLIENT_DEVICE_ID + 4);
		CHECK_EQ(readl(inside), next);
		CHECK_EQ(pmm_find_vm_area((void __force *)addr)->phys_addr, CLIENT_DEVICE);
		CHECK_EQ(pmm_find_vm_area((void __force *)addr)->flags, PMM_VM_IOREMAP);
		CHECK_EQ(size_at((void __force *)addr), 2 * PAGE_SIZE);
	}
	pmm_iounmap(inside);
	pmm_iounmap(addr);
	pmm_iounmap(NULL);
	client_check_gone((void __force *)addr, 1);
}

/* The last byte counts: 2.4 mapped one page where a request reached into a second. */
static void test_ioremap_sizes(void)
{
	void __iomem *addr = pmm_ioremap(CLIENT_DEVICE + PAGE_SIZE - 1, 2);

	if (CHECK(addr))
		CHECK_EQ(size_at((void __force *)addr - PAGE_SIZE + 1), 3 * PAGE_SIZE);
	pmm_iounmap(addr);
	addr = pmm_ioremap(CLIENT_DEVICE, PAGE_SIZE);
	if (CHECK(addr))
		CHECK_EQ(size_at((void __force *)addr), 2 * PAGE_SIZE);
	pmm_iounmap(addr);
}

/* Device memory among RAM, where the kernel has a struct page for it all the same. */
static void test_device_has_no_page(void)
{
	void __iomem *addr = pmm_ioremap(VGA_PHYS, PAGE_SIZE);

	if (!addr) {
		client_skip("no device memory below 1 MiB");
		return;
	}
	CHECK(!pmm_vmalloc_to_page((void __force *)addr));
	pmm_iounmap(addr);
}

/* The shortest of some reads of a page. */
static u64 time_of_vread(char *buf, void *addr)
{
	u64 best = U64_MAX, start;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		start = ktime_get_ns();
		CHECK_EQ(pmm_vread(buf, addr, PAGE_SIZE), PAGE_SIZE);
		best = min(best, ktime_get_ns() - start);
	}
	return best;
}

/* Behind thousands of areas a page is read about as quickly as the first. */
static void test_vread_far(void)
{
	const unsigned int nr = 3000;
	struct pmm_vm_struct **areas = kvcalloc(nr, sizeof(*areas), GFP_KERNEL);
	void *first = pmm_vmalloc(PAGE_SIZE), *last;
	char *buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	unsigned int i;

	if (!client_tree)
		client_skip("search=linear walks the list");
	for (i = 0; areas && i < nr; i++)
		areas[i] = pmm_get_vm_area(PAGE_SIZE, PMM_VM_MAP);
	last = pmm_vmalloc(PAGE_SIZE);
	if (CHECK(areas && areas[nr - 1] && first && last && buf)) {
		CHECK(last > areas[nr - 1]->addr);
		if (client_tree)
			CHECK(time_of_vread(buf, last) < 3 * time_of_vread(buf, first));
	}
	pmm_vfree(last);
	for (i = 0; areas && i < nr; i++)
		if (areas[i])
			kfree(pmm_remove_vm_area(areas[i]->addr));
	pmm_vfree(first);
	kvfree(areas);
	kfree(buf);
}

const struct client_case client_area_cases[] = {
	{ "areas: vmalloc, its record, and the kernel's view of it", test_vmalloc },
	{ "areas: guard page and freed area fault", test_guard },
	{ "areas: freed addresses are used again after a purge", test_addresses_wait },
	{ "areas: vzalloc and vmalloc_user are zeroed", test_zeroed_areas },
	{ "areas: vmalloc_32 stays below 4 GiB", test_vmalloc_32 },
	{ "areas: read-only means read-only", test_read_only },
	{ "areas: vmap of pages of the pool", test_vmap_pool_pages },
	{ "areas: vmap of pages of the kernel", test_vmap_kernel_pages },
	{ "areas: get, map, remove", test_bare_area },
	{ "areas: vread and vwrite over holes and guard pages", test_vread_vwrite },
	{ "areas: ioremap of a device", test_ioremap },
	{ "areas: a device has no page", test_device_has_no_page },
	{ "areas: ioremap up to its last byte", test_ioremap_sizes },
	{ "areas: a page behind thousands of areas is read as quickly", test_vread_far },
	{ }
};

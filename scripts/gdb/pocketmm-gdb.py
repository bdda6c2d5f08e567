# SPDX-License-Identifier: GPL-2.0-only
"""pocketmm in gdb: the zone, its free lists and pair bits, and the window of a
kernel that stands still: in a virtual machine to which gdb is connected, or in
a dump that has its virtual addresses.

The kernel's own symbols are not needed: pocketmm.ko has the types of all that
is looked at, struct page among them.  But where the module lies only the
kernel knows:

    guest# grep -H . /sys/module/pocketmm/sections/.[a-z]*  >sections
    (gdb) source scripts/gdb/pocketmm-gdb.py
    (gdb) target remote SOCKET
    (gdb) pmm symbols sections build/6.12-cloud/pocketmm.ko
    (gdb) pmm freelist

freelist, pairmap and window print what debugfs' files of the same names do.
Nothing is written and no function of the kernel is called.
"""

import gdb

# Constants that the debug information lacks, because they are macros.
VM_IOREMAP, VM_ALLOC = 1, 2
PAGE_SIZE = 4096
LONG_BITS = 64


def pmm_object(name):
    """A variable of the module's; the kernel may have others of its name."""
    symbol = gdb.lookup_global_symbol(name)
    if symbol is None:
        raise gdb.GdbError("no symbols of pocketmm: pmm symbols SECTIONS POCKETMM.KO")
    return symbol.value()


def zone():
    return pmm_object("pmm_zone")


def vmlist():
    return pmm_object("pmm_vmlist")


def enumerator(name):
    return int(gdb.parse_and_eval(name))


# --- the module's symbols


def read_sections(path):
    """Lines 'NAME ADDRESS' or 'PATH/NAME:ADDRESS', as a dictionary."""
    sections = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            words = line.strip().rsplit("/", 1)[-1].replace(":", " ").split()
            if len(words) == 2:
                sections[words[0]] = int(words[1], 16)
    if not sections.get(".text"):
        raise gdb.GdbError(f"{path} does not say where .text is (root alone can see it)")
    return sections


def load_symbols(path, module):
    sections = read_sections(path)
    text = sections.pop(".text")
    wanted = [name for name in sections if name in (".data", ".bss", ".rodata", ".init.text")]
    others = " ".join(f"-s {name} {sections[name]:#x}" for name in wanted)
    gdb.execute(f"add-symbol-file {module} {text:#x} {others}", to_string=True)


# --- the zone


def list_entries(head, struct, member):
    """The structures on a list_head: as list_for_each_entry(), but a list that is cut ends."""
    kind = gdb.lookup_type(struct).pointer()
    offset = int(gdb.parse_and_eval(f"(unsigned long)&(({struct} *)0)->{member}"))
    end, node = int(head.address), head["next"]
    while int(node) != end:
        if int(node) == 0:
            raise gdb.GdbError("the list is not whole")
        yield gdb.Value(int(node) - offset).cast(kind)
        node = node["next"]


def free_blocks(order):
    base = zone()["mem_map"]
    for page in list_entries(zone()["free_area"][order]["free_list"], "struct page", "lru"):
        yield int(page - base)


def orders():
    return range(int(zone()["free_area"].type.range()[1]) + 1)


def nr_pairs(order):
    return -(-int(zone()["nr_pages"]) // (2 << order))


def set_pairs(order):
    """The numbers of the pairs whose bit is 1."""
    words = zone()["free_area"][order]["map"]
    for first in range(0, nr_pairs(order), LONG_BITS):
        word = int(words[first // LONG_BITS])
        last = min(first + LONG_BITS, nr_pairs(order))
        yield from (pair for pair in range(first, last) if word >> (pair - first) & 1)


def ranges(numbers):
    """1,2,3,5 as 1-3,5: the kernel's way to print a bitmap."""
    runs = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs)


def lock_state(lock):
    """PREEMPT_RT has another kind of lock."""
    try:
        return "held" if int(lock["rlock"]["raw_lock"]["val"]["counter"]) else "free"
    except gdb.error:
        return "unknown"


def show_zone():
    z = zone()
    print(f"zone {z['name'].string()}: {int(z['nr_pages'])} pages from {int(z['mem_map']):#x} of the mem_map")
    print(f"free_pages {int(z['free_pages'])} pages_min {int(z['pages_min'])} parked {int(z['nr_parked'])}")
    for name in ("allocations", "failures", "frees", "splits", "merges"):
        print(f"{name} {int(z['stat'][name])}")
    print(f"lock {lock_state(z['lock'])}")


def show_freelist():
    for order in orders():
        print(f"order {order}:" + "".join(f" {index}" for index in free_blocks(order)))


def show_pairmap():
    for order in orders()[:-1]:
        pairs = list(set_pairs(order))
        print(f"order {order}: pairs={nr_pairs(order)} set={len(pairs)} list={ranges(pairs)}")


# --- the window


def areas():
    """In address order, each a struct pmm_area."""
    kind = gdb.lookup_type("struct pmm_area").pointer()
    vm = vmlist()["head"]
    while int(vm):
        yield vm.cast(kind).dereference()
        vm = vm["next"]


def describe(area):
    state = int(area["state"])
    if state in (enumerator("PMM_AREA_LAZY"), enumerator("PMM_AREA_PURGED")):
        return "lazy"
    flags = int(area["vm"]["flags"])
    kind = "ioremap" if flags & VM_IOREMAP else "vmalloc" if flags & VM_ALLOC else "vmap"
    huge = f" huge={int(area['nr_huge'])}" if int(area["nr_huge"]) else ""
    return f"area {kind} pages={int(area['vm']['size']) // PAGE_SIZE - 1}{huge}"


def show_window():
    start = hole = int(vmlist()["start"])
    end = int(vmlist()["end"])
    for area in areas():
        addr, size = int(area["vm"]["addr"]), int(area["vm"]["size"])
        if addr > hole:
            print(f"{hole - start} {addr - hole} hole")
        print(f"{addr - start} {size} {describe(area)}")
        hole = addr + size
    if end > hole:
        print(f"{hole - start} {end - hole} hole")


# --- the commands


class Pmm(gdb.Command):
    """pocketmm: symbols, zone, freelist, pairmap, window."""

    def __init__(self):
        super().__init__("pmm", gdb.COMMAND_DATA, prefix=True)


class PmmSymbols(gdb.Command):
    """pmm symbols SECTIONS POCKETMM.KO: SECTIONS is what
    grep -H . /sys/module/pocketmm/sections/.[a-z]* prints where it is loaded."""

    def __init__(self):
        super().__init__("pmm symbols", gdb.COMMAND_FILES, gdb.COMPLETE_FILENAME)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if len(words) != 2:
            raise gdb.GdbError("usage: pmm symbols SECTIONS POCKETMM.KO")
        try:
            load_symbols(*words)
        except (OSError, ValueError) as error:
            raise gdb.GdbError(str(error)) from error


class PmmShow(gdb.Command):
    """Prints a part of pocketmm's state."""

    def __init__(self, name, show):
        super().__init__(f"pmm {name}", gdb.COMMAND_DATA)
        self.show = show

    def invoke(self, argument, from_tty):
        for lock in zone()["lock"], vmlist()["lock"]:
            if lock_state(lock) == "held":
                gdb.write("pmm: a lock is held: what is shown may be half done\n", gdb.STDERR)
        self.show()


Pmm()
PmmSymbols()
PmmShow("zone", show_zone)
PmmShow("freelist", show_freelist)
PmmShow("pairmap", show_pairmap)
PmmShow("window", show_window)

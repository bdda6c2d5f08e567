# SPDX-License-Identifier: GPL-2.0-only
#
# Targets for a person to type.  The module itself is described in Kbuild, which kbuild
# prefers over this file; everything here finds a kernel to build against and
# runs the tests.  'make help' lists the targets.
#
# With KERNEL=NAME the module is built in build/NAME/, a directory of links to
# the sources, so that builds for several kernels neither disturb each other
# nor the one in the top directory.  (M= with a separate output directory needs
# a newer kbuild than 6.1's.)

.DEFAULT_GOAL := modules
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null)
endif

top := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))

comma := ,
# Make, kbuild or the shell would take a path with one of these for something else.  What builds nothing works there.
reserved := : ; $(comma) = & ( ) < > | * ? [ ] { } ' " ` \ % $$ \#
ifneq ($(filter-out help clean install uninstall,$(or $(MAKECMDGOALS),modules)),)
ifneq ($(words $(filter-out $(MAKEFILES),$(MAKEFILE_LIST)) $(top))$(strip $(foreach c,$(reserved),$(findstring $(c),$(top)))),2)
$(error kbuild cannot build in a path with a blank, or any of $(strip $(reserved)): \
'$(if $(findstring /,$(MAKEFILE_LIST)),$(strip $(MAKEFILE_LIST)),$(CURDIR))')
endif
endif

# The scripts call make themselves and must not inherit this one's variables.
run := env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL

# BTF would need pahole and is of no use to an out-of-tree module. Nor is a warning that this
# machine has another version of it, which the make of 7.x compares.
# (Used after a +, for make does not see that it is a make.)
kbuild = $(MAKE) -C $(KDIR) M=$(1) CONFIG_DEBUG_INFO_BTF_MODULES= 'PAHOLE_VERSION=$$(CONFIG_PAHOLE_VERSION)'

define need_headers
	@test -f $(KDIR)/Makefile || { \
		echo "make: no kernel headers in $(KDIR): install linux-headers-$$(uname -r), or say KDIR=... or KERNEL=6.12-cloud" >&2; \
		exit 1; }
endef

# What make KERNEL=NAME needs first: the compiler and the kernel's headers.
find_headers = $(top)/scripts/setup build && \
	kdir=$$($(top)/scripts/kernel show $(KERNEL) | sed -n 's/^build=//p') && test -n "$$kdir"

ifneq ($(KERNEL),)

SHADOW ?= $(top)/build/$(KERNEL)

modules:
	@$(find_headers) && mkdir -p $(SHADOW) && \
	flock $(SHADOW).lock $(MAKE) -f $(top)/Makefile shadow SHADOW=$(SHADOW) KDIR="$$kdir" KERNEL=

modules_install: modules
	@$(find_headers) && $(MAKE) -C "$$kdir" M=$(SHADOW) modules_install

else

KDIR ?= /lib/modules/$(shell uname -r)/build

modules:
	$(need_headers)
	+@$(call kbuild,$(top)) modules

modules_install:
	$(need_headers)
	+@$(call kbuild,$(top)) modules_install

endif

# Kbuild decides what is out of date; another kernel's objects are not reused.
shadow:
	@$(top)/scripts/sources --link $(SHADOW)
	@test "$$(cat $(SHADOW)/.kdir 2>/dev/null)" = "$(KDIR)" || { \
		find $(SHADOW) -type f -delete; echo "$(KDIR)" >$(SHADOW)/.kdir; }
	+@$(call kbuild,$(SHADOW)) modules

# The tools, manual pages, completions and the sources for DKMS; scripts/install --help.
install:
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' $(run) scripts/install

uninstall:
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' $(run) scripts/install --remove

# A machine to try things on, PARAMS='era=2.4 chunk=8M' for the module in it.
vm:
	@$(run) scripts/setup vm build
	@PARAMS='$(PARAMS)' $(run) scripts/vm $(if $(KERNEL),--kernel $(KERNEL)) --interactive

demo:
	@$(run) scripts/setup vm build
	@$(run) scripts/demo

# To run after each change: docs/testing.md.
quick_tiers := quick:6.12-cloud unit native labs:6.12-cloud view lint-quick
debug_tiers := quick:6.12-debug quick:6.12-kcsan planted:6.12-debug planted:6.12-kcsan planted:6.12-cloud \
	planted:6.12-cloud-arm64 numa:6.12-debug numa:6.12-cloud

# Every kernel that Debian has: all kselftests, the quick ones, or a minute's worth of them.
in_full := 6.12-cloud 7.3-cloud
in_short := 7.3-arm64-16k 7.3-cloud-arm64 6.1-cloud 7.3-rt
in_smoke := 6.12-arm64-16k 7.2-arm64-16k 7.3-rt-arm64 7.3-arm64 7.2-rt-arm64 7.2-cloud-arm64 7.2-arm64 \
	6.12-rt-arm64 6.12-cloud-arm64 6.12-arm64 6.1-rt-arm64 6.1-cloud-arm64 6.1-arm64 \
	7.3 7.2 7.2-cloud 7.2-rt 6.12 6.12-rt 6.1 6.1-rt
kernel_tiers := $(addprefix vm:,$(in_full)) $(addprefix quick:,$(in_short)) $(addprefix smoke:,$(in_smoke)) \
	$(addprefix build:,$(in_full) $(in_short)) $(addprefix module:,$(in_smoke))

# Tiers that 'make check' does not have.  The slowest come first, so that nothing waits for them in the end.
more_tiers := switches:6.12-cloud $(debug_tiers) fuzz proof bench reports:6.12-cloud home record tools \
	lockdown:6.12-cloud harness debian13 labs:7.3-arm64-16k record:6.12-cloud-arm64 $(kernel_tiers)

JOBS ?= $(shell nproc)

check:
	@$(run) scripts/setup
	@$(run) scripts/check -n check -j $(JOBS) $(quick_tiers)

# Everything; the kselftests on 6.12-cloud in full and not in short.
check-all:
	@$(run) scripts/setup
	@$(run) scripts/check -n check-all -j $(JOBS) $(filter-out quick:6.12-cloud,$(quick_tiers)) $(more_tiers)

# The tiers that 'make check' has not run: for .ci/run, which does both.
check-more:
	@$(run) scripts/setup
	@$(run) scripts/check -n check-more -j $(JOBS) $(more_tiers)

# Kernels that are built when they are first asked for, one after the other.
check-debug:
	@$(run) scripts/setup vmtest kernel
	@$(run) scripts/kernel show 6.12-debug >/dev/null
	@$(run) scripts/kernel show 6.12-kcsan >/dev/null
	@$(run) scripts/check -n check-debug -j $(JOBS) $(debug_tiers)

unit:
	@$(run) scripts/setup unit
	@$(MAKE) -C selftests/unit check

vmtest:
	@$(run) scripts/setup vmtest
	@$(run) scripts/vmtest $(if $(KERNEL),--kernel $(KERNEL))

harness:
	@$(run) scripts/setup vm
	@$(run) selftests/harness/run

home:
	@$(run) scripts/setup home
	@$(run) selftests/home/run

# As root: what the README promises, in a Debian 13 that is bootstrapped for it (docs/where-it-runs.md).
check-debian13:
	@$(run) scripts/setup debian13
	@$(run) selftests/debian13/run

# docs/recording.md, docs/tools.md
record:
	@$(run) selftests/record/run

tools:
	@$(run) selftests/tools/run

lockdown:
	@KERNEL=$(or $(KERNEL),6.12-cloud) $(run) selftests/lockdown/run

# For an hour, under emulation.
stress:
	@$(run) scripts/setup vmtest
	@$(run) scripts/vmtest --long $(if $(KERNEL),--kernel $(KERNEL)) concurrency recovery

lint:
	@$(run) scripts/setup lint
	@$(run) scripts/lint

# docs/proof.md
proof:
	@$(run) scripts/setup proof
	@$(run) proof/run

# FUZZ_SECONDS=N for each target; scripts/fuzz --help.
fuzz:
	@$(run) scripts/fuzz $(if $(FUZZ_SECONDS),--seconds $(FUZZ_SECONDS))

# Are the tests able to fail?  About an hour; faults with a known result are not run again.
mutate:
	@$(run) scripts/setup unit vmtest
	@$(run) scripts/mutate --docs

# Instructions are counted, in a virtual machine; scripts/bench --help.
bench:
	@$(run) scripts/bench --docs

bench-check:
	@$(run) scripts/bench --prove

# The core in user space, timed beside other allocators; the core on simulated processors, counted.
bench-native bench-scale:
	@$(run) scripts/setup unit
	@$(MAKE) -C bench/native $@

# In a virtual machine, in real time.
bench-guest:
	@$(run) scripts/bench --scale

# One HTML file that shows one or two recordings: docs/viewer.md.
view:
	@test -n "$(FILE)" || { echo 'make: say which recording: make view FILE=recording.jsonl [FILE2=other.jsonl]' >&2; exit 2; }
	@$(run) scripts/setup view
	@$(run) viewer/view $(if $(OUTPUT),-o $(OUTPUT)) $(FILE) $(FILE2)

# DEMO="lifo packed" for the other two recordings.
demo-view:
	@$(run) scripts/setup view
	@$(run) viewer/view -o build/demo-view.html $(patsubst %,viewer/demo/%.jsonl,$(or $(DEMO),era-2.4 modern))

check-view:
	@$(run) scripts/check view

# docs/viewer.svg, from the demo's recording.
picture:
	@$(run) scripts/setup view
	@$(run) viewer/view --picture

clean:
	@rm -rf build Module.symvers modules.order .modules.order.cmd .Module.symvers.cmd
	@rm -f *.ko *.mod *.mod.c $(foreach room,. watch host ui,$(addprefix $(room)/,*.o .*.cmd .*.o .*.o.d))
	@test ! -f selftests/unit/Makefile || $(MAKE) -C selftests/unit clean
	@test ! -f selftests/fuzz/Makefile || $(MAKE) -C selftests/fuzz clean
	@test ! -f bench/native/Makefile || $(MAKE) -C bench/native clean

define help
Build
  make                   pocketmm.ko for the running kernel
  make KDIR=DIRECTORY    for the kernel whose headers are there
  make KERNEL=NAME       for a known kernel, in build/NAME/
  make modules_install   into /lib/modules, with KDIR= or KERNEL= as above
  make install           tools, manual pages, completions, sources for DKMS;
                         PREFIX=, DESTDIR=
  make uninstall         takes these away
  make clean
See it work
  make demo              both allocators at work in a virtual machine
  make demo-view         recordings of the demo as a page for the browser;
                         DEMO="lifo packed"
  make view FILE=RECORDING
                         the same of your own, or two: FILE="ONE OTHER"
                         (docs/viewer.md)
  make vm                a virtual machine with the module loaded, and a shell;
                         PARAMS=era=2.4
  scripts/doctor         what stands in the way of the module on this machine
  scripts/top            a live view of the pool, in a terminal
Test
  make check             unit, kselftests in short on 6.12-cloud, labs, viewer,
                         lint without builds
  make check-all         every tier there is (docs/testing.md)
  make check-debug       on kernels with KASAN, lockdep and KCSAN, which it
                         builds (docs/debug-kernels.md)
  make check-debian13    all of make check, DKMS and the Containerfile in a root
                         of Debian 13; as root
  make unit              the core in user space, with sanitizers
  make vmtest KERNEL=NAME
                         the kselftests in a virtual machine
  make harness           the exit statuses of scripts/vm
  make home              DKMS, install, manual pages, completion, doctor, top,
                         make vm
  make record            recordings, and what they replay to
  make tools             trace-cmd, perf, bpftrace and gdb in virtual machines
  make fuzz              libFuzzer on the core and the commands;
                         FUZZ_SECONDS=600
  make proof             lemmas by z3 and cvc4, contracts of buddy.c by frama-c
                         (docs/proof.md)
  make check-view        the viewer of recordings, in headless Chromium
  make lockdown          kernels that are locked down, in virtual machines
  make stress            ten million operations at once, 500 loads: an hour
  make lint              sparse, checkpatch, kernel-doc, shellcheck, structure,
                         prose, help texts
  make mutate            that they notice small faults; about an hour, and in no
                         other target
Measure, beside the kernel's own allocators
  make bench             all, and write docs/benchmarks.md with its plots
  make bench-check       fail where a target is missed
  make bench-native      the core with real threads, timed beside a bitmap, a
                         list and plain instructions; never fails
  make bench-scale       up to 64 simulated processors: locks taken, cache lines
                         moved (docs/scaling.md)
  make bench-guest       two processors of a virtual machine against one

Each target installs what it needs (as root or by sudo), or prints the apt-get
line.  NAME is one of
endef

help:
	$(info $(help))
	@scripts/kernel names | fold -sw 76 | sed 's/^/  /; s/ *$$//'

.PHONY: modules modules_install shadow install uninstall vm demo clean help
.PHONY: check check-all check-more check-debug check-debian13 unit vmtest harness home record tools lockdown stress lint fuzz mutate proof
.PHONY: bench bench-check bench-native bench-scale bench-guest

# SPDX-License-Identifier: GPL-2.0-only
#
# What a person types.  The module itself is described in Kbuild, which kbuild
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

top := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
sources := $(notdir $(wildcard $(top)/*.c $(top)/*.h $(top)/Kbuild))

# BTF would need pahole and is of no use to an out-of-tree module's tests.
kbuild_flags := CONFIG_DEBUG_INFO_BTF_MODULES= $(if $(W),W=$(W)) $(if $(C),C=$(C))

ifdef KERNEL

out := $(top)/build/$(KERNEL)

modules:
	@$(top)/scripts/setup build
	@build=$$($(top)/scripts/kernel show $(KERNEL) | sed -n 's/^build=//p'); \
	test -n "$$build" && mkdir -p $(out) && \
	flock $(out).lock $(MAKE) -f $(top)/Makefile shadow out=$(out) KDIR="$$build" KERNEL=

else

KDIR ?= /lib/modules/$(shell uname -r)/build

modules:
	@test -f $(KDIR)/Makefile || { \
		echo "make: no kernel headers in $(KDIR): install linux-headers-$$(uname -r), or say KDIR=... or KERNEL=6.12-cloud" >&2; \
		exit 1; }
	@$(MAKE) -C $(KDIR) M=$(top) $(kbuild_flags) modules

endif

# Kbuild decides what is out of date; a source that is gone takes its link
# with it, and another kernel's objects are not reused.
shadow:
	@find $(out) -maxdepth 1 -type l -delete
	@ln -s $(addprefix ../../,$(sources)) $(out)/
	@test "$$(cat $(out)/.kdir 2>/dev/null)" = "$(KDIR)" || { \
		find $(out) -type f -delete; echo "$(KDIR)" >$(out)/.kdir; }
	@$(MAKE) -C $(KDIR) M=$(out) $(kbuild_flags) modules

.PHONY: modules shadow

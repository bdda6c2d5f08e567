# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of run
#
# Manual pages, make install and uninstall, DKMS.

# --- manual pages

# options_of PROGRAM: what its --help tells.
options_of() {
	"$top/scripts/$1" --help | grep -oE -- '--[a-z]+' | sort -u
}

options_in_page() {
	sed -n 's/^\.It Fl -\([a-z]*\).*/--\1/p' "$1" | sort -u
}

# variables_of PROGRAM: what it reads of its environment: names that it does not set itself.
# shellcheck disable=SC2016 # as they stand
variables_of() {
	grep -v '^[[:space:]]*#' "$top/scripts/$1" | grep -oE '\$\{?[A-Z][A-Z_]+\b' | tr -d '${' | grep -vE '^(N[RF]|BASH_.*)$' |
		sort -u | while read -r name; do
		grep -qE "(^|[;	 ]|readonly .*)$name=|read .*\b$name\b" "$top/scripts/$1" || echo "$name"
	done
}

variables_in_page() {
	sed -n 's/^\.It Ev //p' "$1" | tr -d ' ' | tr ',' '\n' | sort -u
}

test_manual() {
	local page tool

	for page in "$top"/man/*; do
		is "mandoc has nothing against ${page##*/}" "$(mandoc -Tlint -W warning "$page" 2>&1)" ''
		is "nor has man" "$(LC_ALL=C.UTF-8 man --warnings -l -Tutf8 -Z "$page" 2>&1 >/dev/null)" ''
	done
	page=$top/man/pocketmm.4
	is 'the page of the module has each parameter' \
		"$(sed -n 's/^\.It Cm \([a-z_]*\) Ns.*/\1/p' "$page" | sort)" \
		"$(sed -n 's/^module_param(\([a-z_]*\),.*/\1/p' "$top/host/params.c" | sort)"
	is 'and each file' "$(sed -n '/^\.It Pa \/sys\/kernel\/debug\/pocketmm\/$/,/^\.El/p' "$page" | sed -n 's/^\.It Pa \([a-z].*\)/\1/p' | sed 's/ , /\n/' | sort)" \
		"$(sed -n 's/^\t{ "\([a-z_]*\)",\t.*/\1/p' "$top/debugfs.c" | sort)"
	for tool in top doctor record; do
		is "the page of $tool has what readers look for" \
			"$(grep -cxE '\.Sh (FILES|EXIT STATUS|EXAMPLES|SEE ALSO)' "$top/man/pocketmm-$tool.8")" 4
		is "the page of $tool has each variable that it reads" "$(variables_in_page "$top/man/pocketmm-$tool.8")" \
			"$(variables_of "$tool")"
		is "the page of $tool has each option" "$(options_in_page "$top/man/pocketmm-$tool.8")" \
			"$(options_of $tool)"
	done
}

# --- make install

version() {
	sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf"
}

# things DIRECTORY: every file in it, and every directory that is empty.
things() {
	(cd "$1" && find . ! -type d -o -empty | LC_ALL=C sort)
}

test_install() {
	local version to=$dir/package

	version=$(version)
	run quiet_make install PREFIX=/usr DESTDIR="$to"
	is 'make install' "$status" 0
	is 'what it lists is what it installs' "$(things "$to")" \
		"$(PREFIX=/usr "$top/scripts/install" --list | sed 's/^[^ ]* [^ ]* /./' | LC_ALL=C sort)"
	is 'programs and nothing else can be run' "$(cd "$to" && find . -type f -perm /111 | sort)" \
		"$(for tool in doctor record top; do
			[[ ! -e $top/scripts/$tool ]] || echo "./usr/sbin/pocketmm-$tool"; done)"
	run "$to/usr/sbin/pocketmm-doctor" --help
	has 'an installed program knows its name' "$out" pocketmm-doctor
	run man -l "$to/usr/share/man/man4/pocketmm.4"
	has 'an installed page can be read' "$out" 'page chunk'
	mkdir -p "$to/var/lib/dkms/pocketmm/$version"
	run quiet_make uninstall PREFIX=/usr DESTDIR="$to"
	has 'uninstall is refused while DKMS builds from the sources' "$out" "dkms remove pocketmm/$version --all"
	[[ -e $to/usr/src/pocketmm-$version/dkms.conf ]]
	is 'and nothing is gone then' "$?" 0
	rm -r "${to:?}/var"
	run quiet_make uninstall PREFIX=/usr DESTDIR="$to"
	is 'make uninstall' "$status" 0
	is 'leaves no file' "$(find "$to" ! -type d)$(find "$to" -name 'pocketmm*')" ''
	PREFIX=here run "$top/scripts/install"
	is 'a relative PREFIX is refused' "$status: $out" "1: install: PREFIX has to be an absolute path, not 'here'"
	run "$top/scripts/install" --bogus
	is 'so is an unknown option' "$status" 2
}

# --- DKMS

# in_dkms ACTION...: with directories of its own, and where there may be a mount namespace, without the key that
# it would make for this machine.
in_dkms() {
	local enter=()

	unshare -m true 2>/dev/null && enter=(unshare -m)
	((EUID == 0)) || enter=(unshare -rm)
	# shellcheck disable=SC2016 # for that shell
	run "${enter[@]}" sh -c 'case $1 in yes) mount -t tmpfs none /var/lib/dkms ;; esac; shift; exec "$@"' \
		sh "${enter[0]+yes}" dkms "$@" --dkmstree "$dkms/var/lib/dkms" --sourcetree "$dkms/usr/src" \
		--installtree "$dkms/lib/modules"
}

# dkms_step NAME ACTION...
dkms_step() {
	local name=$1
	shift

	in_dkms "$@"
	if ((status == 0)); then
		ok "$name"
	else
		not_ok "$name" "exit status $status" "$out" \
			"$(tail -n 20 "$dkms"/var/lib/dkms/pocketmm/*/build/make.log 2>&1)"
	fi
}

# The module of DKMS is left for test_guest.
test_dkms() {
	local dkms=$dir/dkms release headers module before version

	version=$(version) release=$(shown release) headers=$(shown build)
	before=$(ls /lib/modules /var/lib/dkms 2>&1)
	mkdir -p "$dkms"/{var/lib/dkms,"lib/modules/$release"}
	run quiet_make install PREFIX=/usr DESTDIR="$dkms"
	dkms_step 'dkms add' add "pocketmm/$version"
	dkms_step 'dkms build, for a kernel that does not run here' build "pocketmm/$version" \
		-k "$release/x86_64" --kernelsourcedir "$headers"
	dkms_step 'dkms install' install "pocketmm/$version" -k "$release/x86_64" \
		--kernelsourcedir "$headers" --no-depmod
	in_dkms status
	is 'dkms status' "$out" "pocketmm/$version, $release, x86_64: installed"
	module=$dkms/lib/modules/$release/updates/dkms/pocketmm.ko
	is 'the module is for that kernel' "$(modinfo -F vermagic "$module" 2>&1 | cut -d ' ' -f 1)" "$release"
	is 'and has its parameters' "$(modinfo -F parm "$module" | sed 's/:.*//' | sort)" \
		"$(sed -n 's/^module_param(\([a-z_]*\),.*/\1/p' "$top/host/params.c" | sort)"
	cp -r "$dkms/lib/modules" "$dir/modules"
	dkms_step 'dkms remove' remove "pocketmm/$version" --all --no-depmod
	is 'leaves neither module nor build' "$(find "$dkms/lib" "$dkms/var" ! -type d)" ''
	run quiet_make uninstall PREFIX=/usr DESTDIR="$dkms"
	is 'and the sources can go' "$status" 0
	is 'this machine has nothing of all that' "$(ls /lib/modules /var/lib/dkms 2>&1)" "$before"
}

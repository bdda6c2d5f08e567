# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of scripts/kernel
#
# Debian's archive, as scripts/kernel sees it: an apt state of its own in the cache,
# with every suite that has kernels, for amd64 and arm64.  It needs no root,
# changes nothing on the host and is the same on every Debian.  The packages come
# from the mirror that the host's apt uses, and apt verifies them with Debian's keys.
#
# After each update the kernels are written to $apt/index, a line each:
#
#	SUITE ARCHITECTURE PACKAGE VERSION BYTES DEPENDENCY,DEPENDENCY...
#
# It answers at once what would take apt-cache seconds.  Sourced by scripts/kernel, which
# has $cache, die, say and writable, and debian.sh.

# The newest last; for scripts that source this.
# shellcheck disable=SC2034
readonly RELEASES='bookworm trixie sid'
readonly SUITES='bookworm bookworm-backports trixie trixie-backports sid'
readonly SECURITY_SUITES='bookworm-security trixie-security'
# Days after which the index is updated before it is used.
readonly STALE=7
readonly KEYRINGS='/usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/debian-archive-keyring.pgp'
apt=$cache/apt

# base_release SUITE: the release that the suite belongs to.
base_release() {
	echo "${1%%-*}"
}

# host_repository LABEL PATTERN: where the host's apt takes the repository from.  Its
# labels are known once apt has an index; before that the suite's name has to do.
host_repository() {
	# shellcheck disable=SC2016 # apt's variables
	apt-get indextargets --format '$(LABEL)|$(COMPONENT)|$(RELEASE)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk -F'|' -v label="$1" -v pattern="$2" '
			$2 == "main" && $4 !~ /^cdrom:/ && ($1 == label || $1 ~ /^\$/ && $3 $4 ~ pattern) { print $4; exit }'
}

mirror() {
	local found

	found=${POCKETMM_MIRROR-}
	[[ -n $found ]] || found=$(host_repository Debian '^(bookworm|trixie|forky|sid)[^-]*/debian(/|\.list)?$')
	[[ -n $found ]] || { say 'apt names no mirror of Debian here: set POCKETMM_MIRROR'; return 1; }
	echo "${found%/}"
}

security_mirror() {
	local found=

	[[ -n ${POCKETMM_MIRROR-} ]] || found=$(host_repository Debian-Security '-security.*/debian-security(/|\.list)?$')
	found=${found:-$(mirror)-security}
	echo "${found%/}"
}

keyring() {
	local file

	for file in $KEYRINGS; do
		[[ ! -r $file ]] || { echo "$file"; return; }
	done
	return 1
}

# obstacle: why this machine cannot fetch packages, or nothing.
obstacle() {
	! { command -v apt-get && keyring; } >/dev/null || return 0
	if on_debian; then
		echo "no Debian archive keys on this machine: install debian-archive-keyring"
	else
		way_out
	fi
}

# fetchable: whether something can be fetched into the cache.
fetchable() {
	writable && [[ -z $(obstacle) ]]
}

# no_obstacle_or_die WHAT
no_obstacle_or_die() {
	local why

	why=$(obstacle)
	[[ -z $why ]] || die "$1: $why"
}

# sources: the lines of sources.list.
sources() {
	local suite uri key options

	key=$(keyring) && uri=$(mirror) || return 1
	options="[arch=amd64,arm64 target=Packages signed-by=$key]"
	for suite in $SUITES; do
		echo "deb $options $uri $suite main"
	done
	uri=$(security_mirror)
	for suite in $SECURITY_SUITES; do
		echo "deb $options $uri $suite main"
	done
}

# The host's settings, such as a proxy, stay; its hooks are not for this state.
configuration() {
	cat <<-END
	#clear APT::Architectures;
	#clear APT::Update::Pre-Invoke;
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	#clear DPkg::Post-Invoke;
	APT::Architectures { "amd64"; "arm64"; };
	APT::Sandbox::User "root";
	Acquire::AllowInsecureRepositories "false";
	Acquire::GzipIndexes "true";
	Acquire::Languages "none";
	Acquire::PDiffs "false";
	Acquire::Retries "1";
	Dir::Cache "$apt/cache";
	Dir::Cache::pkgcache "pkgcache.bin";
	Dir::Cache::srcpkgcache "";
	Dir::Etc::preferences "/dev/null";
	Dir::Etc::preferencesparts "/dev/null";
	Dir::Etc::sourcelist "$apt/sources.list";
	Dir::Etc::sourceparts "/dev/null";
	Dir::State "$apt";
	Dir::State::lists "$apt/lists";
	Dir::State::status "$apt/status";
	END
}

own_apt() {
	apt-get -qq -c "$apt/apt.conf" "$@"
}

# lists SUITE [ARCHITECTURE]: the file that apt has of a suite.  After a change of mirror it may have
# several, of which it wrote the right one last.
lists() {
	find "$apt/lists" -name "*_dists_$1_main_binary-${2-*}_Packages*" -printf '%C@ %p\n' 2>/dev/null |
		sort -rn | head -n 1 | cut -d ' ' -f 2- | grep .
}

missing_suites() {
	local suite

	for suite in $SUITES $SECURITY_SUITES; do
		lists "$suite" >/dev/null || echo "$suite"
	done
}

# index_of SUITE ARCHITECTURE: its kernels, from the files on standard input.
index_of() {
	awk -v suite="$1" -v arch="$2" '
		/^Package: / { name = $2; depends = "-"; wanted = /: linux-(image|headers|binary|base|kbuild|source)-[0-9]/ }
		!wanted { next }
		/^Version: / { version = $2 }
		/^Size: / { size = $2 }
		/^Depends: / {
			depends = substr($0, 10)
			gsub(/ *\|[^,]*/, "", depends)
			gsub(/\(= /, "(=", depends)
			gsub(/ *\(=/, "=", depends)
			gsub(/ *\([^=)][^)]*\)|\)| /, "", depends)
		}
		/^$/ { print suite, arch, name, version, size, depends; wanted = 0 }'
}

make_index() {
	local suite arch file

	for suite in $SUITES $SECURITY_SUITES; do
		for arch in amd64 arm64; do
			file=$(lists "$suite" "$arch") || continue
			# An empty line ends the last package as well.
			{ /usr/lib/apt/apt-helper cat-file "$file" && echo; } | index_of "$suite" "$arch" || return 1
		done
	done
}

# index_current: there is an index, and it is not old.
index_current() {
	[[ -s $apt/index && -n $(find "$apt/index" -mtime "-$STALE") ]]
}

report_missing() {
	local missing

	missing=$(missing_suites)
	[[ -z $missing ]] || say "the mirror ($(mirror)) does not carry ${missing//$'\n'/, }"
}

# update: called under the lock; no download goes on meanwhile.  Lists that cannot be fetched stay
# as they were.
update() {
	locked fetch fetch_lists
	local status=$?

	touch "$apt/tried"
	return $status
}

fetch_lists() {
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" || return 1
	sources >"$apt/sources.list" && configuration >"$apt/apt.conf" && : >"$apt/status" || return 1
	say 'updating the index of Debian'\''s kernels'
	if ! own_apt update >"$apt/log" 2>&1; then
		lists '*' >/dev/null || { grep -m 1 '^[EW]:' "$apt/log" >&2; return 1; }
		report_missing
	fi
	make_index >"$apt/index.new" && [[ -s $apt/index.new ]] && mv "$apt/index.new" "$apt/index"
}

# Another process may have updated it while this one waited for the lock.
update_unless_tried() {
	tried_just_now || update
}

# tried_just_now: asked first, because without a network each attempt takes its time.  Where there is
# no index at all, only those who have waited for an attempt do not repeat it.
tried_just_now() {
	[[ -n $(find "$apt/tried" -mmin "-$([[ -s $apt/index ]] && echo 10 || echo 0.1)" 2>/dev/null) ]]
}

# have_index: an old index is better than none.
have_index() {
	index_current && return
	! fetchable || tried_just_now || locked apt update_unless_tried || true
	[[ -s $apt/index ]]
}

# refresh: if a download has failed, the archive may have moved on.
refresh() {
	fetchable && ! tried_just_now && locked apt update_unless_tried
}

# --- what the index says

# indexed PACKAGE [VERSION]: prints PACKAGE:ARCHITECTURE=VERSION of the newest that this host can run.
indexed() {
	awk -v arch="$(host_architecture)" -v name="$1" -v version="${2-}" '
		$2 == arch && $3 == name && (version == "" || version == $4) { print $3 ":" $2 "=" $4 }' "$apt/index" |
		sort -V | tail -n 1
}

# megabytes PACKAGE...: their total size, as far as the index knows them.
megabytes() {
	awk 'NR == FNR { wanted[$1]; next }
		($3 ":" $2 "=" $4) in wanted && !seen[$3, $2, $4]++ { bytes += $5 }
		END { print int(bytes / 1000000) }' <(printf '%s\n' "$@") "$apt/index"
}

downloaded() {
	du -sB 1000000 "$1" | cut -f 1
}

get() (
	cd "$1" && own_apt download "${@:2}" >apt.log 2>&1
)

# download DIRECTORY PACKAGE:ARCHITECTURE=VERSION...
download() {
	local dir=$1
	shift

	! progress_shown || progress_begin 'kernel: fetching' "$(megabytes "$@")" MB
	progress_while "downloaded $dir" get "$dir" "$@" && return
	grep -m 1 '^E:' "$dir/apt.log" >&2
	say "cannot download $*"
	return 1
}

# closure RELEASE ARCHITECTURE SKIP PACKAGE...: the packages and all that they depend on, except
# for those whose names match SKIP, as download takes them.
closure() {
	local release=$1 arch=$2 skip=$3 file
	shift 3

	file=$(lists "$release" "$arch") || return 1
	/usr/lib/apt/apt-helper cat-file "$file" | awk -v arch="$arch" -v skip="$skip" -v roots="$*" '
		/^Package: / { name = $2 }
		/^Version: / { version[name] = $2 }
		/^(Pre-)?Depends: / { sub(/^[^:]*: /, ""); depends[name] = depends[name] "," $0 }
		function visit(package, list, n, i) {
			sub(/^ */, "", package)
			sub(/[ :(|].*/, "", package)
			if (package in seen || !(package in version) || package ~ skip)
				return
			seen[package]
			print package ":" arch "=" version[package]
			n = split(depends[package], list, ",")
			for (i = 1; i <= n; i++)
				visit(list[i])
		}
		END { n = split(roots, root, " "); for (i = 1; i <= n; i++) visit(root[i]) }'
}

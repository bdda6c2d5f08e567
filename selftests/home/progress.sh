# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of run
#
# The progress of long work: the helper itself, and each script that uses it, in a
# copy of the tree where what takes long is put in for by what does not.

# fake FILE LINE...: a shell script in the copy.
fake() {
	local file=$copy/$1
	shift

	mkdir -p "${file%/*}"
	printf '%s\n' '#!/bin/sh' "$@" >"$file"
	chmod +x "$file"
}

make_copy() {
	copy=$dir/copy
	rm -rf "$copy" && mkdir "$copy"
	cp -r "$top"/{scripts,bench,selftests,Kbuild,Makefile} "$top"/*.[ch] "$copy/"
	fake bin/make true
	# shellcheck disable=SC2016
	fake bin/apt-get 'case "$*" in *download*) head -c 5000000 /dev/zero >part.deb; sleep $LASTS ;; esac; exit 1'
	fake scripts/vm true
	fake scripts/setup true
	# shellcheck disable=SC2016
	fake build/fuzz/fuzz-vmlist 'sleep $LASTS'
}

# shows NAME PATTERN COMMAND: on a terminal the pattern, and nothing without one.  On a busy machine
# what only pretends to work, for LASTS seconds, may be over before anybody looks.
shows() {
	for LASTS in 1 5 25; do
		on_terminal 100 30 "cd '$copy' && PATH='$copy/bin:$PATH' && export PATH && $3"
		[[ ! $out =~ $2 ]] || break
	done
	if [[ $out =~ $2 ]]; then
		ok "$1 shows how far it is"
	else
		not_ok "$1 shows how far it is" "no such line: $2" "$out"
	fi
	out=$(cd "$copy" && PATH=$copy/bin:$PATH bash -c "$3" 2>&1 </dev/null)
	if [[ $out =~ $2 || $out == *$'\e['* ]]; then
		not_ok "$1 is quiet without a terminal" "$out"
	else
		ok "$1 is quiet without a terminal"
	fi
}

progress_helper() {
	# A clock that stands still: unset, SECONDS is a variable like others.
	local use="unset SECONDS; SECONDS=0; . '$top/scripts/progress.sh'; progress_begin work 240 steps;"

	on_terminal 80 24 "bash -c \"$use SECONDS=2; progress_at 60 pages; progress_end; echo done\""
	has 'what, how many of how many, what remains, and a note' "$out" 'work: 60 of 240 steps, 6 s left, pages'
	has 'the line is gone in the end' "$out" $'\r\e[Kdone'
	on_terminal 80 24 "bash -c \"$use SECONDS=2; progress_at 1\""
	has 'minutes are told as such' "$out" 'work: 1 of 240 steps, 8 min left'
	on_terminal 80 24 "bash -c \"$use progress_at 250\""
	has 'never more than all' "$out" 'work: 240 of 240 steps'
	on_terminal 80 24 "bash -c \"$use progress_while 'echo 7' sh -c 'sleep \$LASTS; exit 3'; echo status \\\$?; jobs\""
	has 'while a command runs, a probe says how far it is' "$out" 'work: 7 of 240 steps'
	has 'and its status is the command'\''s' "$out" 'status 3'
	run bash -c "$use progress_at 3; progress_say text; progress_while 'echo 7' sh -c 'exit 4'"
	is 'without a terminal there is nothing but the status' "$status:$out" '4:'
}

# The index is read beforehand, because otherwise looking it up would take most of the time.
know_kernels() {
	"$top/scripts/kernel" show 6.12-cloud >/dev/null
	mkdir -p "$dir/cache/apt"
	cp "$("$top/scripts/kernel" cache)/apt/index" "$dir/cache/apt/"
}

test_progress() {
	export LASTS=5
	progress_helper
	make_copy
	know_kernels
	shows 'the fetch of a kernel' 'kernel: fetching: [0-9]+ of [0-9]{2} MB' \
		"POCKETMM_CACHE='$dir/cache' scripts/kernel show 6.12-cloud"
	shows 'the build of a kernel' 'kernel: building 6.12-debug: 7 of 1400 files' \
		"$(build_of_a_kernel)"
	shows bench 'bench: 1 of 3 steps.*measure on 6.12-cloud' \
		'scripts/bench --kernel 6.12-cloud --only pages --prove'
	shows fuzz 'fuzz: fuzz-vmlist: [12] of 2 s' 'scripts/fuzz --seconds 2 fuzz-vmlist'
	two_faults
	shows mutate 'mutate: 1 of 2 faults' 'rm -rf build/mutate; scripts/mutate -j 1'
}

two_faults() {
	echo 'first second' >"$copy/faulty.c"
	printf 'fault %s\nfile faulty.c\nkind a test\nseen unit\nbreaks nothing\nold %s\nnew third\n\n' \
		one first two second >"$copy/selftests/mutations"
}

# Only the step that builds, with a build that is over soon: 7 files.
build_of_a_kernel() {
	# shellcheck disable=SC2016
	fake scripts/build-kernel 'for n in 1 2 3 4 5 6 7; do echo "  CC  file$n.o"; done >"$3/log"; sleep $LASTS; exit 1'
	sed '/^case/,$d' "$copy/scripts/kernel" >"$copy/scripts/kernel-lib"
	cat >"$copy/scripts/part" <<-'END'
	. scripts/kernel-lib
	download() { :; }
	dpkg-deb() { :; }
	tar() { :; }
	build_kernel 6.12-debug /nowhere/final 1
	END
	touch "$dir/cache/any.deb"
	echo "POCKETMM_CACHE='$dir/cache' bash scripts/part"
}

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of run
#
# scripts/completion.bash, called as bash calls it: by its own shell, interactive and
# with bash-completion, which is given the words of a line.

# complete_line WORD...: prints what the last one may become, sorted, on a line.  '=' and ':' are words of bash's; after
# such a word the text to complete is still empty.
complete_line() {
	(
		cd "$top" || exit
		bash -c '
		. /usr/share/bash-completion/bash_completion
		. scripts/completion.bash
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
		handler=$(complete -p -- "$1" | sed "s/.* -F \([^ ]*\) .*/\1/")
		"$handler" "$1" "${!#/#[=:]/}" "${COMP_WORDS[COMP_CWORD - 1]}"
		printf "%s\n" "${COMPREPLY[@]}" | sort -u | paste -sd" "' sh "$@" 2>&1
	)
}

# on_tab NAME LINE...: with the tab key of an interactive bash; sets $out to the line as it is then.
on_tab() {
	out=$(cd "$top" && expect "$here/tab.exp" "$1" 2>&1)
}

test_completion() {
	local kernels

	kernels=$("$top/scripts/kernel" names | tr ' ' '\n' | sort | paste -sd' ')
	is 'a kernel for scripts/vm' "$(complete_line scripts/vm --kernel '')" "$kernels"
	is 'one that has begun' "$(complete_line ./scripts/vmtest --kernel 6.12-d)" 6.12-debug
	is 'one behind an equals sign' "$(complete_line scripts/vm --kernel = 6.12-d)" 6.12-debug
	is 'all of them there' "$(complete_line scripts/vm --kernel =)" "$kernels"
	is 'parameters of the module' "$(complete_line scripts/vmtest --params era =)" '2.4 2.6 modern'
	is 'several in quotes' "$(complete_line scripts/vmtest --params 'era=2.4 expand=u')" 'era=2.4 expand=upper'
	is 'options are those of --help' "$(complete_line scripts/vm --k)" '--keep-log --kernel'
	is 'all of them' "$(complete_line scripts/doctor --)" '--chunk --module --root'
	has 'a file where one is wanted' "$(complete_line scripts/vm --file Ma)" Makefile
	is 'nothing where a number is wanted' "$(complete_line scripts/vm --cpus '')" ''
	is 'tests, by name' "$(complete_line scripts/vmtest m)" 'mem mmap model'
	is 'groups of bench' "$(complete_line scripts/bench --only g)" gpu
	is 'tiers, with a kernel' "$(complete_line scripts/check vm : 6.1-c)" '6.1-cloud 6.1-cloud-arm64'
	is 'and that of the whole version' "$(complete_line scripts/check build :)" "$kernels"
	is 'tiers without' "$(complete_line scripts/check ho)" home
	is 'tiers with a digit' "$(complete_line scripts/check deb)" debian13
	is 'purposes of setup' "$(complete_line scripts/setup hom)" home
	is 'verbs of kernel' "$(complete_line scripts/kernel s)" 'show source'
	is 'and what the verb takes' "$(complete_line scripts/kernel show 6.1-r)" '6.1-rt 6.1-rt-arm64'
	is 'faults of mutate' "$(complete_line scripts/mutate pcp- | tr ' ' '\n')" \
		"$(sed -n 's/^fault \(pcp-.*\)/\1/p' "$top/selftests/mutations" | sort)"
	module_parameters
	on_tab 'scripts/vm --kern'
	has 'the tab key of a bash' "$out" 'scripts/vm --kernel '
	on_tab 'insmod ./pocketmm.ko pla'
	has 'a name of a parameter, and no space behind it' "$out" 'pocketmm.ko placement=|'
	on_tab 'insmod ./pocketmm.ko era=mo'
	has 'and its value' "$out" 'pocketmm.ko era=modern |'
	on_tab 'insmod ./pocketmm.ko pcp=0 era='
	has 'several values are no name' "$out" 'pocketmm.ko pcp=0 era=|'
	on_tab 'insmod ./pocketmm.ko chunk='
	has 'nor is there a space where a size comes' "$out" 'pocketmm.ko chunk=|'
	on_tab 'scripts/vm --kernel=6.12-k'
	has 'a value of an option' "$out" 'scripts/vm --kernel=6.12-kcsan |'
}

module_parameters() {
	is 'names of parameters are those of the module' \
		"$(complete_line insmod ./pocketmm.ko '' | tr ' ' '\n' | sed 's/=//')" \
		"$(sed -n 's/^module_param(\([a-z_]*\),.*/\1/p' "$top/host/params.c" | sort)"
	is 'values of one' "$(complete_line modprobe pocketmm era =)" '2.4 2.6 modern'
	is 'and behind another parameter' "$(complete_line modprobe pocketmm pcp = 0 era =)" '2.4 2.6 modern'
	is 'of a size none' "$(complete_line modprobe pocketmm chunk =)" ''
	is 'a value that has begun' "$(complete_line insmod ./pocketmm.ko era=2.4 search = t)" tree
	is 'a parameter after another' "$(complete_line insmod ./pocketmm.ko era = 2.4 exp)" expand=
	lacks 'of another module nothing of that' "$(complete_line insmod ./other.ko e)" era
	has 'but files' "$(complete_line insmod ./Kb)" Kbuild
}

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion in bash.  In a clone, '. scripts/completion.bash' completes the scripts,
# called from the top directory, and the module's parameters after insmod and
# modprobe.  Installed, it completes pocketmm-top and the like, by bash-completion.
#
# The options come from --help, so there is no second list to keep; only values that
# no other place lists are here.

# _pocketmm_words WORDS: completes with those that begin with the text typed so far.
_pocketmm_words() {
	mapfile -t COMPREPLY < <(compgen -P "$front" -W "$1" -- "$cur")
}

_pocketmm_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -P "$front" -f -- "$cur")
}

_pocketmm_options() {
	"$1" --help 2>/dev/null | grep -oE -- '(^|[ [])--?[a-zA-Z][a-z-]*' | tr -d ' [' | sort -u
}

# The repository that the command belongs to.
_pocketmm_top() {
	local path

	path=$(command -v -- "$1") && cd -- "$(dirname -- "$path")/.." && pwd
}

_pocketmm_tests() {
	(
		shopt -s nullglob
		cd "$1/selftests" && printf '%s\n' ./*.sh | sed -n 's|^\./\(.*\)\.sh$|\1|p' | grep -vxE 'lib|each'
		sed -n 's/^TEST_GEN_PROGS := //p' "$1/selftests/Makefile" | tr ' ' '\n'
	)
}

# The tiers, with the kernel's name after the colon where there is one.
_pocketmm_tiers() {
	local tier kernel

	"$1/scripts/check" -h | sed -n 's/^  \([a-z0-9-]*\(:NAME\)\?\)  .*/\1/p' | while read -r tier; do
		[[ $tier == *:NAME ]] || { echo "$tier"; continue; }
		for kernel in $("$1/scripts/kernel" names); do echo "${tier%NAME}$kernel"; done
	done
}

# Complete the value of the option before; false if it takes none.
_pocketmm_value() {
	local command=$1 top=$2

	case $prev in
	--kernel) _pocketmm_words "$("$top/scripts/kernel" names)" ;;
	--accel) _pocketmm_words 'kvm tcg auto' ;;
	--only) _pocketmm_words "$(sed -n 's/^\[\(.*\)\]$/\1/p' "$top/bench/targets")" ;;
	--params) _pocketmm_parameter ;;
	--file | --scan | --keep | --keep-log | --input | --minimize | --module | --root) _pocketmm_files ;;
	--cpus | --cpu | --numa | --mem | --append | --timeout | --interval | --chunk | --slow | --seconds | --jobs | -j) ;;
	*) return 1 ;;
	esac
}

# Complete words that are not options.
_pocketmm_arguments() {
	local command=$1 top=$2

	case ${command##*/} in
	vmtest) _pocketmm_words "$(_pocketmm_tests "$top")" ;;
	check) _pocketmm_words "$(_pocketmm_tiers "$top")" ;;
	kernel)
		if [[ $prev == show ]]; then
			_pocketmm_words "$("$top/scripts/kernel" names)"
		else
			_pocketmm_words 'show list names update cache source'
		fi
		;;
	setup) _pocketmm_words "$("$top/scripts/setup" --help | sed '1,/^PURPOSE is/d')" ;;
	fuzz) _pocketmm_words 'fuzz-buddy fuzz-vmlist fuzz-command' ;;
	mutate) _pocketmm_words "$(sed -n 's/^fault //p' "$top/selftests/mutations")" ;;
	esac
}

# _pocketmm_word WORD: sets $cur to the word to complete and $prev to the one before.  To bash '=' and ':' are
# words of their own, but not in era=2.4 or vm:6.12: what belongs to the word, and bash completes without, is
# $joined.
_pocketmm_word() {
	local i=$COMP_CWORD

	joined='' front='' cur=$1
	[[ $cur != [=:] ]] || cur=
	[[ ${COMP_WORDS[i]} != [=:] ]] || joined=${COMP_WORDS[i]}
	while ((i > 1)) && [[ $joined == [=:]* || ${COMP_WORDS[i - 1]} == [=:] ]]; do
		joined=${COMP_WORDS[--i]}$joined
	done
	cur=$joined$cur prev=${COMP_WORDS[i - 1]}
}

# --kernel=NAME is --kernel NAME; $front is what stays in front of the word.
_pocketmm_option_with_value() {
	[[ $cur == --*=* ]] || return
	prev=${cur%%=*} front=${cur%%=*}= cur=${cur#*=}
}

_pocketmm_without_joined() {
	COMPREPLY=("${COMPREPLY[@]#"$joined"}")
}

# _pocketmm COMMAND WORD PREVIOUS, as bash calls it.
_pocketmm() {
	local cur prev front joined top

	COMPREPLY=()
	_pocketmm_word "$2"
	top=$(_pocketmm_top "$1") || return
	_pocketmm_option_with_value
	if _pocketmm_value "$1" "$top"; then
		:
	elif [[ $cur == -* ]]; then
		_pocketmm_words "$(_pocketmm_options "$1")"
	else
		_pocketmm_arguments "$1" "$top"
	fi
	_pocketmm_without_joined
}

# --- the module's parameters

_pocketmm_parameters() {
	echo chunk= window= node= below= min_free= fail_nth=
	echo era={2.4,2.6,modern} expand={upper,lower} pcp={0,1} search={linear,tree} purge={eager,lazy}
	echo placement={lifo,packed} poison={0,1} redzone={0,1} owner={0,1}
}

# Complete the name first, then its values; sizes are not completed.  In quotes there may be several.
_pocketmm_parameter() {
	local names

	[[ $cur != *' '* ]] || { front+="${cur% *} " cur=${cur##* }; }
	if [[ $cur == *=* ]]; then
		_pocketmm_words "$(_pocketmm_parameters | tr ' ' '\n' | grep -v '=$')"
	else
		names=$(_pocketmm_parameters | tr ' ' '\n' | sed 's/=.*/=/' | sort -u)
		_pocketmm_words "$names"
		compopt -o nospace 2>/dev/null
	fi
}

# For other modules use the completion that was there before, or else file names.
_pocketmm_insmod() {
	local cur prev front joined

	COMPREPLY=()
	_pocketmm_word "$2"
	if [[ " ${COMP_WORDS[*]:1:COMP_CWORD-1} " =~ [\ /]pocketmm(\.ko)?\  ]]; then
		_pocketmm_parameter
		_pocketmm_without_joined
	elif declare -F _insmod >/dev/null; then
		_insmod "$@"
	else
		_pocketmm_files
		_pocketmm_without_joined
	fi
}

# In a clone a script is called by its path, which bash looks up as it was typed.
_pocketmm_register() {
	local directory=${BASH_SOURCE[0]%/*} script

	complete -F _pocketmm pocketmm-top pocketmm-doctor pocketmm-record
	[[ -e $directory/vmtest ]] || return
	for script in vm vmtest bench top doctor record check kernel setup fuzz mutate lint demo install; do
		complete -F _pocketmm {,./}scripts/$script "$(cd "$directory" && pwd)/$script"
	done
	complete -F _pocketmm_insmod insmod modprobe
}

_pocketmm_register

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # variables of run and root.sh
#
# Builds, in a root of Debian 13, what a Containerfile describes.  It runs the instructions
# one by one; one that it does not know is an error.

# instructions FILE: prints one per line, without comments and with continued lines joined.
instructions() {
	grep -vE '^[[:space:]]*(#|$)' "$1" | sed -e ':a' -e '/\\$/N; s/\\\n//; ta'
}

# step INSTRUCTION ARGUMENTS
step() {
	local words

	case $1 in
	FROM)
		[[ $2 == debian:trixie-slim ]] && new_root container
		;;
	ENV)
		read -ra words <<<"$2"
		environment+=("${words[@]}")
		;;
	WORKDIR)
		directory=$2
		mkdir -p "$root$directory"
		;;
	COPY)
		[[ $2 == '. .' ]] && rmdir "$root$directory" && put_sources "$root" "$directory"
		;;
	RUN) enter "$root" sh -c "cd $directory && $2" ;;
	CMD)
		# ["make", "demo"]
		command=$(sed 's/^\["//; s/"\]$//; s/", "/ /g' <<<"$2")
		;;
	*)
		echo "unknown instruction: $1"
		return 1
		;;
	esac
}

# test_container: the image, and the command that it starts with.
test_container() {
	local environment=() directory=/ command='' suite=trixie name arguments

	while read -r name arguments; do
		attempt "Containerfile: $name ${arguments:0:60}" step "$name" "$arguments" || return
	done < <(instructions "$top/Containerfile")
	# shellcheck disable=SC2086 # words
	attempt "in the container: $command" enter "$root" sh -c "cd $directory && exec \"\$@\"" sh $command
}

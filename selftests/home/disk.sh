# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2034 # variables of run and record.sh
#
# A file stays as it is if there is no room for the one that is to replace it.

# on_full_disk COMMAND: $disk has a file 'old' and not a byte more to give.
# shellcheck disable=SC2016 # for that shell
on_full_disk() {
	mkdir -p "$disk"
	on_made_up sh -c 'mount -t tmpfs -o size=64k tmpfs "$1" && cd "$1" && echo precious >old && chmod 640 old
		cat /dev/zero 2>/dev/null >fill; eval "$2"; echo "status $?: $(cat old): $(ls | tr "\n" " ")"' sh "$disk" "$1"
}

# stays NAME STATUS COMMAND
stays() {
	on_full_disk "$3"
	is "$1: the old file stays, and no other" "$(tail -n 1 <<<"$out")" "status $2: precious: fill old "
}

full_disks() {
	local awk

	stays replace 1 ". '$top/scripts/replace.sh'; seq 100000 | replace old"
	stays 'record: the file' 125 "TMPDIR='$dir' '$top/scripts/record' -o old -- true"
	has 'and it says so' "$out" "record: cannot write 'old'"
	for awk in $(awks); do
		use_awk "$awk"
		stays "record: its own files, with $awk" 125 \
			"rm fill; head -c 36000 /dev/zero >fill; TMPDIR=. '$top/scripts/record' -o old -- true"
		has 'and it says so' "$out" "is there room in './pocketmm-record."
	done
	stays 'vm --fetch' 125 "set -- '$disk'; bash -c 'unpack_fetched() { :; }; say() { :; }; die() { echo \"\$*\"; exit 125; }
		. \"$top/scripts/replace.sh\"; $(from_script vm deliver_fetched)
		fetch=(/x:old) dir=$dir HARNESS_FAILED=125; deliver_fetched 0'"
	stays install 1 "mkdir -p usr/local/sbin && ln old usr/local/sbin/pocketmm-top && DESTDIR='$disk' '$top/scripts/install'
		status=\$?; cmp old usr/local/sbin/pocketmm-top || status=9; [ \"\$(ls usr/local/sbin)\" = pocketmm-top ] || status=8
		rm -r usr; (exit \$status)"
	stays viewer 1 "node -e 'import(\"$top/viewer/write.js\").then((m) => m.writeOrFail(\"old\", \"x\".repeat(1e6)))'"
	has 'and it says so in one line' "$(head -n 1 <<<"$out")" 'view: cannot write old: ENOSPC'
}

# What may stand there instead of a plain file.
what_is_replaced() {
	local file=$dir/replaced

	rm -rf "$file" && mkdir "$file"
	# shellcheck source=../../scripts/replace.sh
	(. "$top/scripts/replace.sh" && cd "$file" && umask 022 || exit
		echo 1 >secret && chmod 600 secret && echo 2 | replace secret
		ln -s secret link && echo 3 | replace link
		ln -s none dangling && echo 4 | replace dangling
		echo 5 | replace ./new
		mkfifo pipe && { cat pipe >piped & } && echo 6 | replace pipe; wait
		echo 7 | replace /dev/null && echo 8 | replace /dev/stdout) >"$dir/said" 2>&1
	is 'a mode is kept, a link followed, a pipe and a device written to' \
		"$(cd "$file" && stat -c '%a %F %n' -- * | tr '\n' ';'; cat secret none new piped "$dir/said" | tr '\n' ' ')" \
		"777 symbolic link dangling;777 symbolic link link;644 regular file new;644 regular file none;644 fifo pipe;644 regular file piped;600 regular file secret;3 4 5 6 8 "
	(. "$top/scripts/replace.sh" && cd "$file" || exit
		for name in new secret link none/x . '' pipe /dev/null /x; do writable "$name" && printf '%s ' "$name"; done) >"$dir/said"
	is 'a file that cannot be made or replaced is not writable' "$(<"$dir/said")" 'new secret link pipe /dev/null /x '
	is 'record has the same' "$(sed -n '/^# in_place /,/^)$/p' "$top/scripts/record")" \
		"$(sed -n '/^# in_place /,/^)$/p' "$top/scripts/replace.sh")"
}

test_disk() {
	local disk=$dir/disk machine awk_path

	made_up_machine
	head -c 200000 /dev/zero | tr '\0' x >"$dir/large"
	mkdir -p "$dir/files" && cp "$dir/large" "$dir/files/1"
	what_is_replaced
	if can_mount; then
		full_disks
	else
		ok 'full disks # SKIP mounts are not allowed here'
	fi
}

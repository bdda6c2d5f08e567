#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The debug switches: poison=1 finds who writes to a free page, redzone=1 who writes behind a vmalloc,
# owner=1 names who took and who freed a block with the stack of each.  None of them sees what is not there.
#
# not with --switches: each load here says its own

. ./lib.sh

CLIENT=/sys/kernel/debug/pocketmm_client
CLIENT_KO=${POCKETMM_CLIENT_KO:-client/pocketmm_client.ko}

readonly NAME='[a-z_0-9]+(\.[a-z0-9.]+)*\+0x[0-9a-f]+/0x[0-9a-f]+( \[[a-z_]+\])?'
readonly STACK="$NAME( < $NAME)+ pid=[0-9]+ \([^)]+\)"

load_with_client() {
	load chunk=$((1024 * PAGE)) "$@"
	"$TRY" insmod "$CLIENT_KO" "pcp=$(param pcp)" >/dev/null || bail "insmod $CLIENT_KO"
}

unload_client() {
	"$TRY" rmmod pocketmm_client >/dev/null || bail 'rmmod pocketmm_client'
}

# What none of the switches may find fault with.
good_use() {
	must 'alloc order=0 count=40'
	must 'alloc order=5'
	must 'fill block=41 seed=3'
	must 'check block=41 seed=3'
	must 'alloc order=2 zero'
	must "vmalloc size=$((3 * PAGE - 2287))"
	must 'fill area=1 seed=9'
	must 'check area=1 seed=9'
	must "vmalloc size=$((18 * PAGE - 3727)) user"
	must 'vmalloc size=1 zero'
	must "vmalloc size=$((512 * PAGE))"
	must 'fill area=4 seed=1'
	must 'vmap block=41,1'
	must 'fill area=5 seed=2'
	must 'free block=41'
	matches 'verify while much is held' "$(cat "$PMM/verify")" 'ok .*'
	must reset
	must purge
	must drain
	must "vmalloc size=$((768 * PAGE)) zero"
	must 'alloc order=0 count=200'
	must reset
	is 'nothing was found' "$(stat_of poison_errors) $(stat_of redzone_errors)" '0 0'
	matches 'verify when all is back' "$(cat "$PMM/verify")" 'ok .*'
}

# written_to OFFSET CHANGE HOW: by verify, then by who gets the page.
written_to() {
	echo "$1 $2" >"$CLIENT/freed" || bail "client freed: $1 $2"
	read -r verdict <"$PMM/verify"
	matches "byte $1 ^ $2: verify" "$verdict" "corrupt: page [0-9]+ was written to while free: byte $1 is $3"
	page=${verdict#corrupt: page } page=${page%% *}
	errors=$(stat_of poison_errors)
	log_mark
	expect_log_begin
	must 'alloc order=0'
	expect_log_end
	is "byte $1 ^ $2: the page is handed out next" "$(value page)" "$page"
	matches "byte $1 ^ $2: and reported" "$(log_since)" \
		"poison: page $page was written to while free: byte $1 is $3; freed by client_write_freed$FREER, now taken by pmm_[a-z_]+\+.*"
	is "byte $1 ^ $2: counted" $(($(stat_of poison_errors) - errors)) 1
	must reset
	matches "byte $1 ^ $2: all is well afterwards" "$(cat "$PMM/verify")" 'ok .*'
}

poison() {
	load_with_client placement=lifo poison=1
	FREER='\+0x[0-9a-f]+/0x[0-9a-f]+ \[pocketmm_client\]'
	is 'poison=1: no per-CPU lists' "$(param pcp)" 0
	good_use
	written_to 0 1 '0xab, not 0xaa; a single bit'
	written_to $((PAGE - 1)) 128 '0x2a, not 0xaa; a single bit'
	written_to 1234 255 '0x55, not 0xaa; more than a bit'
	unload_client
	unload
}

poison_with_owner() {
	load_with_client placement=lifo poison=1 owner=1
	FREER="\+0x[0-9a-f]+/0x[0-9a-f]+ \[pocketmm_client\]( < $NAME)+ pid=[0-9]+ \([^)]+\)"
	written_to 77 2 '0xa8, not 0xaa; a single bit'
	unload_client
	unload
}

# written_behind SIZE N
written_behind() {
	errors=$(stat_of redzone_errors)
	log_mark
	expect_log_begin
	echo "$1 $2" >"$CLIENT/behind" || bail "client behind: $1 $2"
	expect_log_end
	byte=$(($1 + $2))
	matches "size $1, byte $byte: reported" "$(log_since)" "redzone: a vmalloc of $1 bytes was written to past its end: \
byte $byte is 0xcd, not 0xcc; allocated by client_write_behind.*pocketmm_client\], freed by client_write_behind.*"
	is "size $1, byte $byte: counted" $(($(stat_of redzone_errors) - errors)) 1
}

redzone() {
	load_with_client redzone=1
	good_use
	written_behind 1 0
	written_behind $((PAGE - 1)) 0
	written_behind $((3 * PAGE - 2288)) 2287
	written_behind $((25 * PAGE - 2399)) 5
	# The same through the file mem, which ends with the pages and not with what was asked for.
	must "vmalloc size=$((PAGE + 904))"
	offset=$(value offset)
	is 'mem: up to the last byte' "$(head -c $((PAGE + 904)) /dev/zero | "$TRY" pwrite "$PMM/mem" "$offset")" "ok $((PAGE + 904))"
	must reset
	is 'mem: nothing wrong with that' "$(stat_of redzone_errors)" 4
	must "vmalloc size=$((PAGE + 904))"
	offset=$(value offset)
	is 'mem: one more' "$(head -c $((PAGE + 905)) /dev/zero | "$TRY" pwrite "$PMM/mem" "$offset")" "ok $((PAGE + 905))"
	expect_log_begin
	must reset
	expect_log_end
	is 'mem: is found' "$(stat_of redzone_errors)" 5
	# An area that a user may map can be written to up to the end of its last page.
	must "vmalloc size=$((PAGE + 904)) user"
	offset=$(value offset)
	is 'user: to the end of the page' "$(yes | head -c $((2 * PAGE)) | "$TRY" pwrite "$PMM/mem" "$offset")" "ok $((2 * PAGE))"
	must reset
	is 'user: nothing wrong with that' "$(stat_of redzone_errors)" 5
	unload_client
	unload
}

owner() {
	# A block that is freed stays the first of what it becomes.
	load_with_client owner=1 expand=lower
	good_use
	must 'alloc order=3'
	page=$(value page) block=$(value block)
	matches 'blocks: who took it' "$(grep "^$page order=3 " "$PMM/blocks")" \
		"$page order=3 used pmm_[^ ]+ \[pocketmm\] pid=[0-9]+ comm=[^ ]+ stack=pmm_cmd_alloc \[pocketmm\](<[A-Za-z_0-9.]+( \[[a-z_]+\])?)+"
	must "free block=$block"
	matches 'blocks: who freed it' "$(grep "^$page order=" "$PMM/blocks")" \
		"$page order=[0-9] free pid=[0-9]+ comm=[^ ]+ stack=__pmm_free_pages[^<]*<.*|$page order=[0-9] free pid=[0-9]+ comm=[^ ]+ stack=pmm_.*"
	log_mark
	expect_log_begin
	cmd "free page=$page order=3"
	expect_log_end
	matches 'a double free names who was first' "$(log_since)" "free refused: the page is already free: .*, by $NAME; freed before by $STACK"
	must 'alloc order=3'
	page=$(value page)
	log_mark
	expect_log_begin
	cmd "free page=$page order=2"
	expect_log_end
	matches 'a wrong order names who has it' "$(log_since)" "free refused: the block has another order: .*, by $NAME; taken by $STACK"
	must "vmalloc size=$((512 * PAGE))"
	within 'each page of a large area has an owner' "$(grep -c 'order=0 used .* stack=.*pmm_cmd_vmalloc' "$PMM/blocks")" 512 512
	unload_client
	log_mark
	expect_log_begin
	is 'rmmod with leaks' "$("$TRY" rmmod pocketmm)" ok
	expect_log_end
	matches 'the leak report has the stack' "$(log_since | grep 'leak: block [0-9]* order')" "leak: block $page order 3, by $STACK"
}

not_with_pcp() {
	for switch in poison owner; do
		log_mark
		expect_log_begin
		is "$switch=1 and pcp=1" "$(insmod_with chunk=$((256 * PAGE)) "$switch=1" pcp=1)" EINVAL
		is "$switch=1 and pcp=1: why" "$(log_since)" 'pcp=1 is refused: poison=1 and owner=1 need pcp=0'
		expect_log_end
	done
	load chunk=$((256 * PAGE)) redzone=1 pcp=1
	is 'redzone=1 and pcp=1' "$(param pcp) $(param redzone)" '1 1'
	unload
	load chunk=$((256 * PAGE)) era=modern poison=1 pcp=0
	is 'off unless asked for' "$(param redzone) $(param owner)" '0 0'
	unload
}

[ -e "$CLIENT_KO" ] || skip_all "no $CLIENT_KO"
plan 57
poison
poison_with_owner
redzone
owner
not_with_pcp
finish

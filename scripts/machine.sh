# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # variables in lower case are of scripts/vm
#
# The machine that scripts/vm runs a guest in: QEMU, its options for either
# architecture, and a watch over the guest's clock.  scripts/vm sources this.

# shellcheck source=architecture.sh
. "$top/scripts/architecture.sh"

# A /dev/kvm that opens proves nothing: there are hosts where the guest then
# hangs in its firmware.  So a guest must have been seen to boot since the
# host did.
kvm_works() {
	local verdict

	[[ $arch == "$(host_architecture)" && -w /dev/kvm ]] || return 1
	[[ $arch != amd64 ]] || grep -qwE 'vmx|svm' /proc/cpuinfo || return 1
	verdict=$cache/kvm.$(</proc/sys/kernel/random/boot_id)
	[[ -s $verdict || -w $cache ]] || return 1
	if [[ ! -s $verdict ]]; then
		"$self" --kernel "$kernel" --accel kvm --no-module --timeout 30 -- true >/dev/null 2>&1
		echo $? >"$verdict"
	fi
	[[ $(<"$verdict") == 0 ]]
}

# An instruction takes 2^SHIFT nanoseconds.  With fewer, a test that does something for
# some seconds takes longer; with more, the timer interrupts are most of the work.
readonly SHIFT=3

# What else would differ from run to run: random numbers and the date.
readonly VIRTUAL='-seed 1 -rtc base=2001-01-01T00:00:00,clock=vm'

# If the processor says that string instructions of single bytes are fast, the kernel
# clears and copies pages with them, and each byte is emulated.  --icount has QEMU's
# plainest processor.
amd64_processor() {
	local model=${cpu:-$([[ -n $icount ]] || echo max)}

	[[ $model != max ]] || model=max,la57=off,erms=off,fsrm=off
	echo "${model:+-cpu $model}"
}

# In virtual time the counter that the kernel reads the time from ticks once per
# nanosecond, and with --icount that is once per instruction.  Pointers are
# authenticated in a way that is quick to emulate.
arm64_processor() {
	local model=${cpu:-neoverse-n1}

	[[ $model != max ]] || model=max,pauth-impdef=on
	echo "-cpu $model${virtual:+,cntfrq=1000000000}"
}

accelerator() {
	if [[ -n $virtual ]]; then
		echo "-accel tcg,thread=single -icount shift=$([[ -n $icount ]] && echo 0 || echo $SHIFT),sleep=off $VIRTUAL"
	elif [[ $accel == kvm ]] || { [[ $accel == auto ]] && kvm_works; }; then
		echo "-accel kvm -cpu ${cpu:-host}"
		return
	else
		echo "-accel tcg,thread=${parallel:-single}"
	fi
	"${arch}_processor"
}

# Memory and processors are dealt out evenly, and the last node takes the rest;
# with fewer processors than nodes the last nodes have memory only.  Each
# processor is a socket: the kernel warns of a socket that spans nodes.
numa_nodes() {
	local node share=$((mem / numa)) size first last

	echo "-smp $cpus,sockets=$cpus"
	for ((node = 0; node < numa; node++)); do
		size=$((node == numa - 1 ? mem - share * node : share))
		first=$((cpus * node / numa))
		last=$((cpus * (node + 1) / numa - 1))
		((cpus >= numa)) || { first=$node; last=$((node < cpus ? node : -1)); }
		echo "-object memory-backend-ram,id=mem$node,size=${size}M"
		echo "-numa node,nodeid=$node,memdev=mem$node$( ((last < first)) || echo ",cpus=$first-$last")"
	done
}

kernel_arguments() {
	case $arch in
	# The kernel would test whether its timer interrupts, with loops that are too short on a busy host.
	amd64) echo console=ttyS0,115200 no_timer_check ;;
	arm64) echo console=ttyAMA0,115200 ;;
	esac
	echo ignore_loglevel printk.devkmsg=on log_buf_len=4M
	echo panic=-1 oops=panic softlockup_panic=1 hung_task_panic=1
	# Warnings are read afterwards, too; the kernel's own data races must stop nothing.
	[[ $kernel == *-kcsan ]] || echo panic_on_warn=1
	# A guest on a busy host stands still for longer than a machine would.
	echo watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=300 workqueue.watchdog_thresh=120
	[[ -n $virtual ]] || echo sysctl.kernel.hung_task_timeout_secs=600
	[[ -z $icount ]] || echo init_on_alloc=0 mitigations=off
	[[ -z $virtual ]] || echo nokaslr
	[[ -z $virtual || $arch != amd64 ]] || echo tsc=reliable
	echo "$append"
}

# What only some guests have.
extra_devices() {
	[[ -z $watched ]] || printf '%s\n' -chardev "pipe,id=monitor,path=${dir//,/,,}/monitor" -mon chardev=monitor,mode=control
	[[ -z $gdb ]] || printf '%s\n' -gdb "unix:${gdb//,/,,},server=on,wait=off"
}

# Where the command's output goes.  In a terminal every key but Ctrl-a is the guest's; Ctrl-a x
# pulls the plug.
output_port() {
	if [[ -n $interactive ]]; then
		echo 'stdio,id=output,mux=on,signal=off'
	else
		echo "file,id=output,path=${dir//,/,,}/output"
	fi
}

# ttyS1, ttyS2 and ttyS3 in the guest; the last one, for files, is there on amd64
# only when it is wanted.
ports() {
	printf '%s\n' -chardev "file,id=console,path=${dir//,/,,}/console" -serial chardev:console \
		-chardev "$(output_port)" -chardev "file,id=verdict,path=${dir//,/,,}/verdict"
	[[ ${#fetch[@]} == 0 ]] || printf '%s\n' -chardev "file,id=fetch,path=${dir//,/,,}/fetched"
	"${arch}_ports"
}

amd64_ports() {
	printf '%s\n' -serial chardev:output -serial chardev:verdict
	[[ ${#fetch[@]} == 0 ]] || printf '%s\n' -serial chardev:fetch
}

# QEMU's arm64 machine has a single serial port, ttyAMA0, which is the console.  A
# card has the other ports; its ttyS0 is connected to nothing.
arm64_ports() {
	local last=fetch

	printf '%s\n' -chardev null,id=none
	[[ ${#fetch[@]} != 0 ]] || { last=unused; printf '%s\n' -chardev null,id=unused; }
	printf '%s\n' -device "pci-serial-4x,chardev1=none,chardev2=output,chardev3=verdict,chardev4=$last"
}

# The program and its machine.  An arm64 kernel gets its first random numbers from the
# machine, and -seed makes them the same in every run.
amd64_qemu() {
	printf '%s\n' qemu-system-x86_64 -machine pc
}

arm64_qemu() {
	printf '%s\n' qemu-system-aarch64 -machine virt,gic-version=max
}

# The death of this script takes the VM with it, whatever kills the script.  The VM stays
# in the foreground, where it may read the terminal.
run_qemu() {
	local machine=() accel_args numa_args=() devices=() in=/dev/null out=$dir/qemu.log

	[[ -z $interactive ]] || in=/dev/stdin out=/dev/stdout

	mapfile -t machine < <("${arch}_qemu")
	read -ra accel_args < <(accelerator | tr '\n' ' ')
	[[ -z $numa ]] || read -ra numa_args < <(numa_nodes | tr '\n' ' ')
	mapfile -t devices < <(ports; extra_devices)
	setpriv --pdeathsig TERM timeout ${interactive:+--foreground} -k 5 "$timeout" \
		setpriv --pdeathsig KILL "${machine[@]}" \
		-nodefaults -no-user-config -display none -no-reboot \
		"${accel_args[@]}" -smp "$cpus" -m "${mem}M" "${numa_args[@]}" "${devices[@]}" \
		-kernel "$image" -initrd "$dir/initramfs" \
		-append "$(kernel_arguments | tr '\n' ' ')" \
		<"$in" >"$out" 2>"$dir/qemu.log" {hold}>&- &
	qemu=$!
	watch_clock
	wait "$qemu"
	qemu_status=$?
	qemu=
	[[ -z $watcher ]] || { kill "$watcher"; wait "$watcher"; } 2>/dev/null
	watcher=
}

# --- the guest's clock, beside the host's

# A guest in real time whose clock stands still or jumps proves nothing: the host
# paused it, or its emulation lost an interrupt.  So its jiffies are read through
# QEMU's monitor every few seconds.  (Its init wakes up often enough that they
# are kept up to date; a process for this would stop with a kernel that hangs,
# which is the tests' affair.)
readonly WATCH_EVERY=3 TOLERATED=12

# monitor COMMAND: prints the answer of QEMU's monitor; fails if there is none.
monitor() {
	local line

	printf '{"execute":"human-monitor-command","arguments":{"command-line":"%s"}}\n' "$1" >&"$to_monitor"
	while read -r -t $TOLERATED -u "$from_monitor" line; do
		[[ $line != *'"return": "'* ]] || { line=${line#*'"return": "'}; echo "${line%\"\}*}"; return; }
		[[ $line != *'"error":'* ]] || return
	done
	return 1
}

# The monitor's command that reads them.  Init reports where they are as soon as it runs.
read_jiffies() {
	sed -n 's/^jiffies \(0x[0-9a-f]*\)$/xp \/1gx \1/p' "$dir/verdict" 2>/dev/null
}

# If all processors run with interrupts off, the kernel hangs, and its clock is not to blame.
all_deaf() {
	local registers

	registers=$(monitor 'info registers -a') || return
	case $arch in
	amd64) ! grep -oE 'RFL=[0-9a-f]+' <<<"$registers" | grep -qE '[2367abef]..$' ;;
	arm64) ! grep -oE 'PSTATE=[0-9a-f]+' <<<"$registers" | grep -qE '[0-7].$' ;;
	esac
}

stall() {
	echo "the guest's clock $1" >"$dir/stalled"
	kill "$qemu"
	exit
}

# Milliseconds since the host booted.
host_clock() {
	local up

	read -r up _ </proc/uptime
	echo $((10#${up/./} * 10))
}

# Seconds of processor time that QEMU, the child of timeout, has used.
qemu_seconds() {
	local child stat

	read -r child _ <"/proc/$qemu/task/$qemu/children" && read -r stat <"/proc/$child/stat" || return
	read -ra stat <<<"${stat##*) }"
	echo $(((stat[11] + stat[12]) / 100))
}

# A clock has stopped if it stands still while QEMU runs: on a busy host QEMU itself may have to wait for long.
# It has lost or gained time if its distance from the host's is no longer the first one, and stays so while QEMU
# runs: a processor that turns its interrupts on again makes up for what it missed, on a busy host much later.
compare_clocks() {
	local command jiffies guest=0 last ahead first='' used moved=0 right=0

	while sleep $WATCH_EVERY; do
		command=$(read_jiffies)
		jiffies=$(monitor "${command:-info status}") || stall 'stopped: QEMU does not answer'
		[[ $jiffies =~ :\ 0x([0-9a-f]+) ]] || continue
		last=$guest guest=$((16#${BASH_REMATCH[1]} * 1000 / hz)) used=$(qemu_seconds)
		if ((guest == last)); then
			((used - moved < TOLERATED)) || all_deaf || stall "stopped for $((used - moved)) s of QEMU's processor time"
			continue
		fi
		moved=$used ahead=$((guest - $(host_clock)))
		first=${first:-$ahead}
		((ahead = (ahead - first) / 1000))
		((-TOLERATED >= ahead || ahead >= TOLERATED)) || right=$used
		((used - right < TOLERATED)) || stall "is ahead by $ahead s"
	done
}

watch_clock() {
	[[ -n $watched ]] || return
	{
		exec {from_monitor}<>"$dir/monitor.out" {to_monitor}<>"$dir/monitor.in" {hold}>&-
		echo '{"execute":"qmp_capabilities"}' >&"$to_monitor"
		compare_clocks
	} </dev/null >/dev/null 2>&1 &
	watcher=$!
}


# process.sh - the processes of one stack, each under a name: $VAR/run/NAME.pid and $VAR/log/NAME.log.
# A pid file holds the pid and the time the process began, so that a number the kernel gave to somebody
# else meanwhile is never taken for ours. SPDX-License-Identifier: MIT

# pid_began PID: its start time in clock ticks; nothing for one that is gone or a zombie.
pid_began() {
	sed -n 's/^.*) //p' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'
}

# One that ended before proc_start looked has no time in its file.
proc_alive() {
	local pid began
	read -r pid began 2>/dev/null <"$VAR/run/$1.pid" && [ -n "$began" ] && [ "$(pid_began "$pid")" = "$began" ]
}

proc_pid() {
	local pid _
	read -r pid _ <"$VAR/run/$1.pid" && echo "$pid"
}

# proc_start NAME COMMAND...: in a session of its own, so that Ctrl-C reaches only the script.
proc_start() {
	local name=$1 pid
	shift
	setsid "$@" </dev/null >>"$VAR/log/$name.log" 2>&1 9>&- &
	pid=$!
	echo "$pid $(pid_began "$pid")" >"$VAR/run/$name.pid"
}

proc_tail() {
	local log=${2:-$VAR/log/$1.log}
	if [ -s "$log" ]; then
		say "--- the end of $log:"
		tail -n 20 "$log" >&2
	fi
}

# proc_await NAME SECONDS COMMAND...: until the command is true; the end of the log when it never is.
proc_await() {
	local name=$1 seconds=$2
	shift 2
	if wait_until "$seconds" proc_ready_or_dead "$name" "$@" && proc_alive "$name"; then
		return
	fi
	proc_tail "$name"
	if proc_alive "$name"; then
		die "$name did not come up within $seconds s"
	fi
	die "$name ended at once"
}

proc_ready_or_dead() {
	local name=$1
	shift
	! proc_alive "$name" || "$@"
}

proc_dead() {
	! proc_alive "$1"
}

# proc_stop NAME SECONDS: SIGTERM, and again half way (a media node that drains takes the second one as
# "now"); SIGKILL, with a word, only when that was not enough.
proc_stop() {
	local name=$1 seconds=$2 pid
	if ! proc_alive "$name"; then
		rm -f "$VAR/run/$name.pid"
		# 0, said: in a trap a bare return is what was before the trap.
		return 0
	fi
	pid=$(proc_pid "$name")
	kill -TERM "$pid" 2>/dev/null || true
	if ! wait_until "$((seconds / 2))" proc_dead "$name"; then
		kill -TERM "$pid" 2>/dev/null || true
		if ! wait_until "$((seconds / 2))" proc_dead "$name"; then
			say "$name did not stop within $seconds s: killed"
			kill -KILL "$pid" 2>/dev/null || true
			wait_until 5 proc_dead "$name" || say "$name (pid $pid) is still there"
		fi
	fi
	rm -f "$VAR/run/$name.pid"
}

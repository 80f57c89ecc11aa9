# stack.sh - one stack in one folder, $VAR: its settings, its environment, what it is made of.
# SPDX-License-Identifier: MIT

# Remembered in $VAR/stack from the first start on, so that a later start finds the same stack. PORT, NODES,
# NODE_PORT and JOBS of the environment change it.
stack_load() {
	local port=${PORT:-} nodes=${NODES:-} node_port=${NODE_PORT:-} jobs=${JOBS:-}
	mkdir -p "$VAR"
	VAR=$(cd -- "$VAR" && pwd -P)
	if [ ${#VAR} -gt 80 ]; then
		die "VAR is too long a path: sockets in it must stay below 108 characters"
	fi
	mkdir -p "$VAR/run" "$VAR/log"
	chmod 750 "$VAR" "$VAR/run" "$VAR/log"
	if [ -f "$VAR/stack" ]; then
		# shellcheck source=/dev/null
		. "$VAR/stack"
	fi
	if [ -n "$port" ] && [ "$port" != "${PORT:-$port}" ] && proc_alive nginx; then
		die "it runs on port $PORT; stop it first (scripts/stop) to move it to $port"
	fi
	PORT=${port:-${PORT:-8080}}
	NODES=${nodes:-${NODES:-2}}
	NODE_PORT=${node_port:-${NODE_PORT:-7880}}
	JOBS=${jobs:-${JOBS:-1}}
	[[ $JOBS = 0 || $JOBS = 1 ]] || die "JOBS is 0 or 1"
	[[ $PORT =~ ^[0-9]+$ && $NODES =~ ^[0-9]+$ && $NODE_PORT =~ ^[0-9]+$ && $NODES -le 100 ]] ||
		die "PORT and NODE_PORT are port numbers, NODES is 0 to 100"
}

stack_save() {
	local i name
	: "${STACK_DB_PASSWORD:=$(random_text 16)}"
	: "${STACK_KEY:=tgo_$(random_text 24)}"
	: "${STACK_OPS_KEY:=tgo_ops_$(random_text 24)}"
	: "${STACK_LIVEKIT_KEY:=LK$(random_text 6)}"
	: "${STACK_LIVEKIT_SECRET:=$(random_text 24)}"
	: "${STACK_TICKET_SECRET:=$(random_text 32)}"
	: "${STACK_REDIS_PORT:=$(free_port)}"
	: "${STACK_JOBS_PORT:=$(free_port)}"
	for ((i = 1; i <= NODES; i++)); do
		for name in "STACK_RTC_TCP_$i" "STACK_RTC_UDP_$i"; do
			if [ -z "${!name:-}" ]; then
				declare -g "$name=$(free_port)"
			fi
		done
	done
	(
		umask 077
		for name in PORT NODES NODE_PORT JOBS "${!STACK_@}"; do
			printf '%s=%q\n' "$name" "${!name}"
		done >"$VAR/stack.new"
	)
	mv "$VAR/stack.new" "$VAR/stack"
}

stack_parts() {
	local i
	if [ -z "${DB_HOST:-}" ]; then
		echo mariadb
	fi
	echo redis
	for ((i = 1; i <= NODES; i++)); do
		echo "livekit-$i"
	done
	echo worker
	echo route
	if [ "$JOBS" = 1 ]; then
		echo jobs
	fi
	echo nginx
}

# Every process of $VAR, also one that the settings no longer name.
stack_running() {
	local file name
	for file in "$VAR"/run/*.pid; do
		name=${file##*/}
		name=${name%.pid}
		if [ -e "$file" ] && proc_alive "$name"; then
			echo "$name"
		fi
	done
}

node_address() {
	echo "127.0.0.$((10 + $1)):$NODE_PORT"
}

node_addresses() {
	local i list=
	for ((i = 1; i <= NODES; i++)); do
		list+=${list:+,}$(node_address "$i")
	done
	echo "$list"
}

# What the worker, the jobs and the operator's command run with. Configuration of the caller's environment that is not
# about this stack's own servers (AUTH_MODE, WORKERS, BUSINESS_WEBHOOK_ENDPOINTS, ...) passes on as it is.
stack_environment() {
	if [ -z "${DB_HOST:-}" ]; then
		export DB_SOCKET=$VAR/run/mariadb.sock DB_USER=tgo DB_PASSWORD=$STACK_DB_PASSWORD
		export DB_NAME=tgo_rtc
	else
		unset DB_SOCKET
		export DB_USER=${DB_USER:-root} DB_PASSWORD=${DB_PASSWORD:-} DB_NAME=${DB_NAME:-tgo_rtc}
	fi
	unset REDIS_HOST REDIS_PORT REDIS_PASSWORD
	export REDIS_SOCKET=$VAR/run/redis.sock REDIS_DB=0
	export LIVEKIT_URL=http://127.0.0.1:$PORT LIVEKIT_CLIENT_URL=ws://127.0.0.1:$PORT
	export LIVEKIT_API_KEY=$STACK_LIVEKIT_KEY LIVEKIT_API_SECRET=$STACK_LIVEKIT_SECRET
	# Without nodes of its own a stack may have others, named by address.
	if [ "$NODES" != 0 ]; then
		LIVEKIT_NODES=$(node_addresses)
	fi
	LIVEKIT_NODES=${LIVEKIT_NODES:-}
	API_KEYS="run:$(sha256_of "$STACK_KEY"),ops-run:$(sha256_of "$STACK_OPS_KEY")${API_KEYS:+,$API_KEYS}"
	export LIVEKIT_NODES API_KEYS
	export TICKET_SECRET=${TICKET_SECRET:-$STACK_TICKET_SECRET} CORS_ORIGINS=${CORS_ORIGINS-*}
	export LOG_FILE=$VAR/log/tgo-call.log JOBS_METRICS_LISTEN=127.0.0.1:$STACK_JOBS_PORT
}

# exports NAME VALUE...: one line each, quoted only where a shell needs it.
exports() {
	while [ $# -gt 0 ]; do
		if [[ $2 =~ ^[A-Za-z0-9_./:,@+-]*$ ]]; then
			echo "export $1=$2"
		else
			echo "export $1=${2@Q}"
		fi
		shift 2
	done
}

# $VAR/env: for shells (`. var/env`) and for tests.
stack_write_env() {
	local i logs=
	for ((i = 1; i <= NODES; i++)); do
		logs+=${logs:+ }$VAR/log/livekit-$i.log
	done
	(
		umask 077
		exports TGO_URL "http://127.0.0.1:$PORT" TGO_KEY "$STACK_KEY" TGO_OPS_KEY "$STACK_OPS_KEY" \
			TGO_BIN "$BIN" DB_SOCKET "${DB_SOCKET:-}" DB_USER "$DB_USER" \
			DB_PASSWORD "$DB_PASSWORD" DB_NAME "$DB_NAME" REDIS_SOCKET "$REDIS_SOCKET" \
			LIVEKIT_API_KEY "$LIVEKIT_API_KEY" LIVEKIT_API_SECRET "$LIVEKIT_API_SECRET" \
			LIVEKIT_NODES "$LIVEKIT_NODES" APP_LOG "$LOG_FILE" \
			NGINX_ACCESS_LOG "$VAR/log/livekit-cluster-access.log" LIVEKIT_LOGS "$logs" \
			JOBS_METRICS_LISTEN "$JOBS_METRICS_LISTEN" \
			JOBS_METRICS_URL "http://$JOBS_METRICS_LISTEN/metrics" \
			>"$VAR/env.new"
	)
	mv "$VAR/env.new" "$VAR/env"
}

stack_status() {
	local name state rc=0
	for name in $(stack_parts); do
		if proc_alive "$name"; then
			state="running, pid $(proc_pid "$name")"
		else
			state="not running"
			rc=1
		fi
		printf '%-12s %s\n' "$name" "$state"
	done
	return "$rc"
}

# stack_stop [NAME...]: all of it, in the order that loses nothing.
stack_stop() {
	local name stops=()
	if [ $# -gt 0 ]; then
		for name in "$@"; do
			proc_stop "$name" 20
		done
		return
	fi
	proc_stop nginx 10
	proc_stop worker 20
	proc_stop route 20
	# After the worker: what its last requests left behind still finds somebody.
	proc_stop jobs 20
	for name in $(stack_running | grep '^livekit-' || true); do
		proc_stop "$name" 10 &
		stops+=($!)
	done
	# Not a bare wait: in the foreground the servers themselves are children, too.
	[ ${#stops[@]} -eq 0 ] || wait "${stops[@]}"
	proc_stop redis 10
	proc_stop mariadb 60
}

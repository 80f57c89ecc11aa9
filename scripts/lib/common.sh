# common.sh - what every script here shares: where things are, what is said, how long is waited.
# Sourced by the scripts, after `set -euo pipefail`. SPDX-License-Identifier: MIT

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
CACHE=${TGO_CACHE:-${HOME:-/root}/.cache/tgo-call-server}
# Where Debian keeps daemons; an ordinary user's PATH lacks it.
PATH=$PATH:/usr/sbin:/sbin

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "${0##*/}: $*"
	exit 1
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "needs root, or sudo, for: $*"
	fi
}

# wait_until SECONDS COMMAND...: polls the command; false when it never came true.
wait_until() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			return 1
		fi
		sleep 0.1
	done
}

# random_text BYTES: as hex.
random_text() {
	od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

sha256_of() {
	printf %s "$1" | sha256sum | cut -d' ' -f1
}

# port_used PORT: some socket of this machine has it, TCP or UDP, on any address.
port_used() {
	local hex
	hex=$(printf ':%04X' "$1")
	cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 2>/dev/null |
		awk -v p="$hex\$" '$2 ~ p { found = 1 } END { exit !found }'
}

# free_port: one below the kernel's ephemeral range, so that no outgoing connection takes it meanwhile.
free_port() {
	local p
	while :; do
		p=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
		if ! port_used "$p"; then
			echo "$p"
			return
		fi
	done
}

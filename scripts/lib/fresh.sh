# fresh.sh - the tier `fresh`: a bare Debian 12 in a folder, and in it the two commands of the README.
# Needs root, for chroot. How this machine reaches Debian's, Python's, Node's and Go's registries is carried over,
# nothing else. SPDX-License-Identifier: MIT

fresh_make_root() {
	local root=$1 sources=$SCRATCH/sources.list
	apt-config dump | grep -E '^Acquire::(http|https|Check|Retries|ForceIPv)' >"$SCRATCH/apt.conf" || true
	if [ -f /etc/apt/sources.list.d/debian.sources ]; then
		sources=/etc/apt/sources.list.d/debian.sources
	else
		cp /etc/apt/sources.list "$sources"
	fi
	mmdebstrap --quiet --variant=apt --aptopt="$SCRATCH/apt.conf" bookworm "$root" "$sources" >&2
	cp /etc/resolv.conf /etc/hosts "$root/etc/"
	cp "$SCRATCH/apt.conf" "$root/etc/apt/apt.conf.d/99host"
	cp /etc/ssl/certs/ca-certificates.crt "$root/usr/local/share/host-certificates.crt"
	if [ -f /etc/pip.conf ]; then
		cp /etc/pip.conf "$root/etc/pip.conf"
	fi
	mkdir -p "$root/srv/tgo-call-server"
	(cd "$ROOT" && git ls-files -z -co --exclude-standard | xargs -0 ls -d 2>/dev/null |
		tar -c -T - | tar -x -C "$root/srv/tgo-call-server")
}

# NAME=VALUE lines for env: where packages come from, and the certificates those places are known by.
fresh_environment() {
	local certificates=/usr/local/share/host-certificates.crt name
	printf '%s\n' HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"SSL_CERT_FILE=$certificates" "PIP_CERT=$certificates" "NODE_EXTRA_CA_CERTS=$certificates" \
		"npm_config_cafile=$certificates" "REQUESTS_CA_BUNDLE=$certificates" \
		"PORT=$(free_port)" "NODE_PORT=$(free_port)"
	if command -v npm >/dev/null; then
		echo "npm_config_registry=$(npm config get registry 2>/dev/null)"
	fi
	if command -v go >/dev/null; then
		printf 'GOPROXY=%s\nGOSUMDB=%s\n' "$(go env GOPROXY)" "$(go env GOSUMDB)"
	fi
	for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_DEFAULT_TIMEOUT http_proxy https_proxy no_proxy \
		HTTP_PROXY HTTPS_PROXY NO_PROXY; do
		if [ -n "${!name:-}" ]; then
			echo "$name=${!name}"
		fi
	done
}

# The commands as the README shows them: its first lines that begin with scripts/run and scripts/test. The
# first of them runs until Ctrl-C, so here it is told to return.
fresh_commands() {
	local command
	for command in scripts/run scripts/test; do
		grep -qE "^ *$command *(#|\$)" "$ROOT/README.md" ||
			die "README.md does not show $command on a line of its own"
	done
	cat <<-'END'
		set -e
		cd /srv/tgo-call-server
		scripts/run --detach
		. var/env
		curl -fsS "$TGO_URL/api/v1/rooms" -H "Authorization: Bearer $TGO_KEY" \
			-d '{"creator": "alice", "uids": ["bob"]}' | grep '"token"'
		scripts/run --status
		scripts/stop
		scripts/test
	END
}

tier_fresh() {
	local root=$SCRATCH/root rc=0 settings last
	[ "$(id -u)" = 0 ] || die "the tier fresh needs root"
	packages_ensure mmdebstrap
	fresh_commands >"$SCRATCH/commands"
	fresh_make_root "$root"
	cp "$SCRATCH/commands" "$root/srv/commands"
	mapfile -t settings < <(fresh_environment)
	# In namespaces of their own: mounts and processes are gone when it ends, however it ends.
	unshare --mount --pid --fork --kill-child bash -c '
		set -e
		mount --make-rprivate /
		mount -t proc proc "$1/proc"
		mount --rbind /sys "$1/sys"
		mount --rbind /dev "$1/dev"
		root=$1
		shift
		exec chroot "$root" env -i "$@" bash /srv/commands
	' fresh "$root" "${settings[@]}" </dev/null 2>&1 | tee "$SCRATCH/fresh.log" || rc=$?
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$SCRATCH/fresh.log" | tail -n 1 || true)
	if [ "$rc" = 0 ] && [[ $last =~ ^([0-9]+)\ passed,\ 0\ failed$ ]]; then
		count "${BASH_REMATCH[1]}" 0 0
	else
		count 0 1 0
	fi
}

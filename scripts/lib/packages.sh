# packages.sh - installs Debian packages that are missing, and nothing when none is.
# An entry is PACKAGE, or COMMAND:PACKAGE where another package may bring the command too.
# SPDX-License-Identifier: MIT

PACKAGES_BUILD=(gcc:build-essential make autoconf automake libtoolize:libtool pkg-config:pkg-config
	libfcgi-dev default-libmysqlclient-dev libhiredis-dev libjson-c-dev libssl-dev
	libcurl4-openssl-dev zlib1g-dev protoc-c:protobuf-c-compiler libprotobuf-c-dev
	libmicrohttpd-dev check)
PACKAGES_RUN=(mariadbd:mariadb-server mariadb:mariadb-client redis-server nginx spawn-fcgi curl tzdata
	ca-certificates)
PACKAGES_TEST=(python3-venv)
PACKAGES_FUZZ=(clang)
# What packaging/Dockerfile installs besides what it built.
PACKAGES_IMAGE=(nginx curl tzdata ca-certificates libfcgi0ldbl libmariadb3 libhiredis0.14 libjson-c5 libssl3
	libcurl4 zlib1g libprotobuf-c1 libmicrohttpd12)

package_missing() {
	local command=${1%%:*} package=${1##*:}
	if [ "$command" != "$package" ] && command -v "$command" >/dev/null; then
		return 1
	fi
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]
}

# Packages start their services on installation unless policy-rc.d says no. Ours are started by us, on
# sockets of their own; somebody else's file stays. Two that install wait for each other. A shell of its own, so that
# the file goes however this ends; the line in it tells a later run whose it is, where this one was killed.
packages_install() (
	policy=/usr/sbin/policy-rc.d
	ours='# made by tgo-call-server while it installs packages, and of no use afterwards'
	flock 6 || exit 1
	if [ ! -e "$policy" ] || grep -qxF "$ours" "$policy"; then
		trap 'as_root rm -f "$policy"' EXIT
		trap 'exit 130' INT TERM HUP
		printf '#!/bin/sh\n%s\nexit 101\n' "$ours" | as_root tee "$policy" >/dev/null &&
			as_root chmod 755 "$policy" || exit 1
	fi
	as_root apt-get update -q >&2 &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
			--no-install-recommends "$@" >&2
)

packages_ensure() {
	local entry missing=()
	if ! command -v dpkg-query >/dev/null; then
		say "no Debian system: packages are taken as installed"
		return
	fi
	for entry in "$@"; do
		if package_missing "$entry"; then
			missing+=("${entry##*:}")
		fi
	done
	if [ ${#missing[@]} -eq 0 ]; then
		return
	fi
	say "installing: ${missing[*]}"
	mkdir -p "$CACHE"
	packages_install "${missing[@]}" 6>"$CACHE/packages.lock" || die "apt-get could not install: ${missing[*]}"
}

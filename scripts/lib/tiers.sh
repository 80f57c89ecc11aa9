# tiers.sh - how each tier of scripts/test runs and is counted. SPDX-License-Identifier: MIT

# count PASSED FAILED SKIPPED
count() {
	echo "$1 $2 $3" >>"$COUNTS"
}

# sum_counts: sets PASSED, FAILED, SKIPPED.
sum_counts() {
	local sums
	sums=$(awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' "$COUNTS")
	read -r PASSED FAILED SKIPPED <<<"$sums"
}

# run_tier TIER: in this shell, with a scratch folder of its own.
run_tier() {
	local began=$SECONDS SCRATCH=$SCRATCH/$1
	mkdir -p "$SCRATCH"
	say "=== $1"
	"tier_$1"
	sum_counts
	say "=== $1: $((SECONDS - began)) s; so far $PASSED passed, $FAILED failed"
}

# run_side_by_side N TIER...: N at a time, in this order; what a tier says comes when it is done. What several of them
# need is made before.
run_side_by_side() {
	local n=$1 pid
	shift
	make -C "$BUILD" -j2 check TESTS= >"$SCRATCH/make.log" 2>&1 &&
		make -C "$BUILD" t/statements t/routes >>"$SCRATCH/make.log" 2>&1 || {
		tail -n 40 "$SCRATCH/make.log" >&2
		die "the tests do not build"
	}
	tools_python
	tools_node
	printf '%s\n' "$@" >"$SCRATCH/queue"
	# A process group each, so that stop_runners reaches all that a runner started.
	set -m
	while [ ${#RUNNERS[@]} -lt "$n" ]; do
		runner &
		RUNNERS+=($!)
	done
	set +m
	for pid in "${RUNNERS[@]}"; do
		wait "$pid" || count 0 1 0
	done
	RUNNERS=()
}

# Takes the next tier as soon as it is free.
runner() {
	local tier log pid rc
	trap - EXIT
	trap 'wait; exit 143' TERM
	while tier=$(next_tier) && [ -n "$tier" ]; do
		log=$SCRATCH/$tier.log rc=0
		run_tier_apart "$tier" >"$log" 2>&1 &
		pid=$!
		wait "$pid" || rc=$?
		flock "$SCRATCH/lock" cat "$log" >&2
		if [ "$rc" != 0 ]; then
			say "$tier ended with status $rc"
			count 0 1 0
		fi
	done
}

# Told to end, it waits for the program that runs, which was told, too.
run_tier_apart() {
	trap 'exit 143' TERM
	run_tier "$1"
}

next_tier() {
	flock "$SCRATCH/lock" sed -i -e '1{w /dev/stdout' -e 'd}' "$SCRATCH/queue"
}

# Whoever ends the run ends what runs beside it; pytest then stops the servers that it started.
stop_runners() {
	local pid
	for pid in "${RUNNERS[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null || true
	done
	for pid in "${RUNNERS[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
}

# run_check BUILDDIR: make check, counted by automake's summary.
run_check() {
	local log=$SCRATCH/check.log rc=0 passed failed skipped
	make -C "$1" -j2 check >"$log" 2>&1 || rc=$?
	passed=$(sum_of PASS "$log")
	failed=$(($(sum_of FAIL "$log") + $(sum_of ERROR "$log") + $(sum_of XPASS "$log")))
	skipped=$(sum_of SKIP "$log")
	if [ "$rc" != 0 ] && [ "$failed" = 0 ]; then
		failed=1
	fi
	if [ "$failed" -gt 0 ]; then
		grep -E '^(FAIL|ERROR|XPASS)|error:|\*\*\*' "$log" >&2 || tail -n 40 "$log" >&2
		if [ -f "$1/test-suite.log" ]; then
			grep -E '^(not ok|FAIL|ERROR)|:[EF]:' "$1/test-suite.log" >&2 || true
		fi
	fi
	count "$passed" "$failed" "$skipped"
}

# sum_of WORD LOG: the numbers of lines like "# PASS:  12".
sum_of() {
	awk -v word="$1:" '$1 == "#" && $2 == word { n += $3 } END { print n + 0 }' "$2"
}

# run_tap NAME COMMAND...: a program that speaks TAP.
run_tap() {
	local name=$1 out=$SCRATCH/tap rc=0 passed failed skipped
	shift
	"$@" >"$out" 2>&1 || rc=$?
	skipped=$(grep -ciE '^(not )?ok .*# skip|^1\.\.0' "$out" || true)
	passed=$(($(grep -c '^ok ' "$out" || true) - $(grep -ciE '^ok .*# skip' "$out" || true)))
	failed=$(grep -c '^not ok ' "$out" || true)
	if [ "$rc" != 0 ] && [ "$rc" != 77 ] && [ "$failed" = 0 ]; then
		failed=1
	fi
	if [ "$failed" -gt 0 ]; then
		say "$name (exit status $rc):"
		grep -A3 '^not ok ' "$out" >&2 || tail -n 20 "$out" >&2
	fi
	count "$passed" "$failed" "$skipped"
}

has_pytests() {
	compgen -G "$ROOT/t/$1/test_*.py" >/dev/null
}

# run_pytest FOLDER: t/FOLDER, counted by its JUnit file.
run_pytest() {
	local xml=$SCRATCH/$1.xml rc=0 numbers
	tools_python
	(cd "$ROOT/t" && PYTHONDONTWRITEBYTECODE=1 timeout --foreground 4500 "$PYTHON" -m pytest -q --junitxml="$xml" \
		--basetemp="$SCRATCH/pytest-$1" "$1" "${PYTEST_OPTIONS[@]}") || rc=$?
	numbers=$("$PYTHON" - "$xml" <<-'END' || echo "0 1 0"
		import sys, xml.etree.ElementTree as tree
		suites = list(tree.parse(sys.argv[1]).getroot().iter("testsuite"))
		n, bad, skipped = (sum(int(s.get(k, 0)) for s in suites for k in keys)
		                   for keys in (["tests"], ["failures", "errors"], ["skipped"]))
		print(max(n - bad - skipped, 0), bad, skipped)
	END
	)
	# 5: no test here; that is in order when the caller's options chose so.
	if [ "$rc" = 5 ] && [ ${#PYTEST_OPTIONS[@]} -gt 0 ]; then
		rc=0
	fi
	if [ "$rc" != 0 ] && [[ $numbers == *" 0 "* ]]; then
		say "pytest ended with status $rc"
		numbers="${numbers%% *} 1 0"
	fi
	# shellcheck disable=SC2086
	count $numbers
}

tier_unit() {
	run_check "$BUILD"
}

# The C tests of t/db against the servers of a stack of their own.
tier_db() {
	local var=$SCRATCH/db test
	trap 'VAR=$var "$ROOT/scripts/stop"; exit 143' TERM
	make -C "$BUILD" -j2 check TESTS= >"$SCRATCH/make.log" 2>&1 || {
		tail -n 20 "$SCRATCH/make.log" >&2
		count 0 1 0
		return
	}
	VAR=$var PORT=$(free_port) NODES=0 JOBS=0 "$ROOT/scripts/run" --detach >"$SCRATCH/run.log" 2>&1 || {
		tail -n 40 "$SCRATCH/run.log" >&2
		count 0 1 0
		VAR=$var "$ROOT/scripts/stop"
		return
	}
	for test in "$BUILD"/t/db/test_*; do
		if [ -x "$test" ] && [ ! -d "$test" ]; then
			run_tap "${test##*/}" in_stack "$var" "$test"
		fi
	done
	VAR=$var "$ROOT/scripts/stop"
	if has_pytests db; then
		run_pytest db
	fi
}

# in_stack VAR COMMAND...: with the settings of that stack.
in_stack() (
	# shellcheck source=/dev/null
	. "$1/env"
	cd "$SCRATCH"
	shift
	exec timeout 600 "$@"
)

tier_process() {
	packages_ensure valgrind
	run_pytest process
}

tier_system() {
	packages_ensure mmdebstrap
	run_pytest system
}

tier_api() {
	run_pytest api
}

tier_jobs() {
	packages_ensure valgrind
	run_pytest jobs
}

tier_livekit() {
	tools_python
	tools_node
	run_pytest livekit
}

tier_cluster() {
	tools_python
	tools_node
	run_pytest cluster
}

# The guides' commands on a running system; what the documents name exists; the tables' comments; every
# statement in MySQL 8's grammar.
tier_docs() {
	make -C "$BUILD" t/statements t/routes >"$SCRATCH/make.log" 2>&1 || {
		tail -n 20 "$SCRATCH/make.log" >&2
		count 0 1 0
		return
	}
	tools_python
	tools_node
	tools_promtool
	run_pytest docs
}

tier_faults() {
	packages_ensure faketime
	if has_pytests faults; then
		run_pytest faults
	fi
}

# libFuzzer on every target for FUZZ_S seconds each (3, full: 60): what it finds is left in FUZZ_FOUND. Inputs that
# reach new code are gathered in the cache and tried first the next time.
tier_fuzz() {
	local seconds=${FUZZ_S:-3} dir=$ROOT/build-fuzz found=${FUZZ_FOUND:-$ROOT/build-fuzz/found} target
	if [ -n "${TGO_FULL:-}" ]; then
		seconds=${FUZZ_S:-60}
	fi
	packages_ensure "${PACKAGES_FUZZ[@]}"
	build_in "$dir" CC=clang CFLAGS='-g -O1' --enable-fuzzers
	make -C "$dir" -j2 t/fuzz/fuzz >"$SCRATCH/make.log" 2>&1 || {
		tail -n 20 "$SCRATCH/make.log" >&2
		count 0 1 0
		return
	}
	for target in "$ROOT"/t/fuzz/corpus/*/; do
		fuzz_one "$(basename "$target")" "$seconds" "$dir" "$found"
	done
	if has_pytests fuzz; then
		run_pytest fuzz
	fi
}

# fuzz_one TARGET SECONDS BUILD FOUND
fuzz_one() {
	local target=$1 grown=$CACHE/fuzz/$1 log=$SCRATCH/fuzz.log
	mkdir -p "$grown" "$4/$target"
	if FUZZ_TARGET=$target "$3/t/fuzz/fuzz" -max_total_time="$2" -max_len=4096 -timeout=20 -rss_limit_mb=1024 \
		-artifact_prefix="$4/$target/" "$grown" "$ROOT/t/fuzz/corpus/$target" >"$log" 2>&1; then
		count 1 0 0
		return
	fi
	say "fuzz $target: what it found is in $4/$target"
	grep -E 'does not hold|runtime error|ERROR:|SUMMARY|FUZZ_TARGET' "$log" >&2 || tail -n 20 "$log" >&2
	count 0 1 0
}

# Reports of the sanitizers end the process that made them and so fail a test; what they print into a
# stack's log is looked for when the stack stops.
tier_asan() {
	local plain=$BUILD
	build_in "$ROOT/build-asan" --enable-sanitizers
	export BIN=$ROOT/build-asan TGO_BIN=$ROOT/build-asan ASAN_OPTIONS=abort_on_error=0:exitcode=99
	run_check "$BIN"
	# All rounds are done without them; here it is the paths that count.
	TGO_FULL='' run_pytest api
	if [ -n "${TGO_FULL:-}" ]; then
		TGO_FULL='' run_pytest process
		TGO_FULL='' run_pytest jobs
	fi
	unset ASAN_OPTIONS
	export BIN=$plain TGO_BIN=$plain
}

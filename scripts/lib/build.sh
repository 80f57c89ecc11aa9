# build.sh - configure and make, out of the source tree. SPDX-License-Identifier: MIT

# build_in DIR [CONFIGURE OPTION...]: quiet unless it fails.
build_in() {
	local dir=$1 log
	shift
	mkdir -p "$dir"
	dir=$(cd -- "$dir" && pwd -P)
	log=$dir/build.log
	if ! build_steps "$dir" "$@" 8>"$dir/.lock" >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		die "the build failed; all of it is in $log"
	fi
}

# Two builds into one folder wait for each other. Make itself sees to a changed configure.ac or Makefile.am.
build_steps() (
	cd "$1" && shift && flock 8 || return 1
	if [ ! -x "$ROOT/configure" ] || [ ! -f "$ROOT/Makefile.in" ] || [ ! -d "$ROOT/build-aux" ]; then
		autoreconf --install "$ROOT" || return 1
	fi
	if [ ! -f Makefile ]; then
		"$ROOT/configure" --enable-werror "$@" || return 1
	fi
	make -j2
)

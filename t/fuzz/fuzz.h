/* fuzz - the targets, and what they share. A target takes any bytes and holds what the program promises against them:
 * a broken promise aborts, as a report of a sanitizer does.
 * Run:       by libFuzzer (libfuzzer.c; scripts/test fuzz), or over the files of t/fuzz/corpus/<target>/ (replay.c, part
 *            of `make check`), always with an arena of their own for each input.
 * Adding:    a row here, a file target_<name>.c, and a folder of examples.
 * SPDX-License-Identifier: MIT */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/arena.h"

#define FUZZ_TARGETS(X) \
	X(head) X(params) X(path) X(query) X(language) X(json) X(jsonw) X(log) X(logs_line) X(jwt) X(ticket) X(join_token) \
	X(webhook) X(node) X(signal) X(conf) X(conf_file) X(nodes) X(rates) X(endpoints) X(url) X(cidr) \
	X(split) X(when) X(verdict)

#define X(name) void fuzz_##name(struct arena *a, struct str data);
FUZZ_TARGETS(X)
#undef X

enum { FUZZ_ARENA_BYTES = 32 * 1024 * 1024 };

/* promise: what was to hold, in words for the report. */
void holds(bool ok, const char *promise);

/* An input taken apart from its front; at its end there are zeros and empty texts. */
uint8_t take_byte(struct str *data);
/* A byte says how long it is. */
struct str take_text(struct str *data);
/* A copy that differs from s, which is not empty, in one byte; `data` says which and how. */
struct str changed(struct arena *a, struct str s, struct str *data);
bool has_byte(struct str s, char c);
/* No byte below 0x20 and no 0x7f: fit for a header, one line of a log, a terminal. */
bool is_one_line(struct str s);
/* No C1 control and no U+2028 or U+2029, as UTF-8, either. */
bool is_plain(struct str s);

#endif

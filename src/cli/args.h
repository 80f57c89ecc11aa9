/* args - a command line by a table of flags: --name VALUE, --name=VALUE, --name, -x, -x VALUE; `--` ends
 * them. What is no flag is a word. The texts point into argv.
 * SPDX-License-Identifier: MIT */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stddef.h>

#include "base/strbuf.h"

enum { ARGS_FLAGS_MAX = 16, ARGS_WORDS_MAX = 3 };

struct flag {
	const char *name;             /* without "--"; NULL ends a table */
	char letter;                  /* '\0': none */
	const char *value;            /* what it takes, for help; NULL: nothing */
	const char *help;
};

/* Values by the flag's place in its table: NULL where it was not given, "" for one without a value. */
struct args {
	const char *values[ARGS_FLAGS_MAX];
	const char *words[ARGS_WORDS_MAX];
	size_t n_words;
};

/* A line under reading: a flag is looked up in `flags`, then in `common`. */
struct args_line {
	const struct flag *flags, *common;            /* either may be NULL */
	struct args own, shared;                      /* what was given: words and `flags`; `common` */
	struct strbuf *err;
};
/* False: one line in err says what is wrong. */
bool args_parse(struct args_line *l, int argc, char *const *argv) MUST_CHECK;

#endif

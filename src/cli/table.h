/* table - rows of text in columns for a terminal. Control characters of a text become '?', so that what a
 * database holds cannot drive somebody's terminal.
 * SPDX-License-Identifier: MIT */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdio.h>

#include "base/strbuf.h"

struct table {
	struct arena *arena;
	const char *const *heads;
	size_t n_cols;
	struct str *cells;            /* row by row */
	size_t n_cells, cap;
};

void table_init(struct table *t, struct arena *a, const char *const *heads, size_t n_cols);
void table_add(struct table *t, struct str cell);     /* the next one */
void table_print(const struct table *t, FILE *to);
/* The same care for a single text. */
void table_print_text(struct str s, FILE *to);

#endif

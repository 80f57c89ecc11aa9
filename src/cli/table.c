/* table - lays out columns as wide as their widest text.
 * SPDX-License-Identifier: MIT */
#include "cli/table.h"

#include <string.h>

#include "base/utf8.h"

enum { FIRST_CELLS = 128, GAP = 2 };

void
table_init(struct table *t, struct arena *a, const char *const *heads, size_t n_cols)
{
	*t = (struct table){ .arena = a, .heads = heads, .n_cols = n_cols };
	for (size_t i = 0; i < n_cols; i++)
		table_add(t, str_of(heads[i]));
}

void
table_add(struct table *t, struct str cell)
{
	if (t->n_cells == t->cap) {
		size_t cap = t->cap == 0 ? FIRST_CELLS : 2 * t->cap;
		struct str *more = arena_array(t->arena, cap, sizeof(*more));

		if (t->n_cells > 0)
			memcpy(more, t->cells, t->n_cells * sizeof(*more));
		t->cells = more;
		t->cap = cap;
	}
	t->cells[t->n_cells++] = cell;
}

static size_t
width_of(struct str s)
{
	long n = utf8_length(s);

	return n < 0 ? s.len : (size_t)n;
}

void
table_print_text(struct str s, FILE *to)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		(void)fputc(c < 0x20 || c == 0x7f ? '?' : c, to);
	}
}

void
table_print(const struct table *t, FILE *to)
{
	for (size_t i = 0; i < t->n_cells; i++) {
		size_t col = i % t->n_cols, widest = 0;

		table_print_text(t->cells[i], to);
		if (col == t->n_cols - 1) {
			(void)fputc('\n', to);
			continue;
		}
		for (size_t k = col; k < t->n_cells; k += t->n_cols)
			widest = width_of(t->cells[k]) > widest ? width_of(t->cells[k]) : widest;
		for (size_t k = width_of(t->cells[i]); k < widest + GAP; k++)
			(void)fputc(' ', to);
	}
}

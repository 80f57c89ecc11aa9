/* split - a migration's text as statements with their guards; pure.
 * Shape:     *rest is cut from the front; the statement's text is without its ';' and without the
 *            comments before it. What a statement points at lives in the migration's text.
 * SPDX-License-Identifier: MIT */
#ifndef SCHEMA_SPLIT_H
#define SCHEMA_SPLIT_H

#include "base/str.h"

enum schema_guard_kind { GUARD_TABLE, GUARD_COLUMN, GUARD_INDEX, GUARD_COLLATION };

struct schema_guard {
	enum schema_guard_kind kind;
	bool unless;                  /* holds when the thing is not there */
	struct str line;              /* as written, for people */
	struct str table, item, value;
};

enum { SCHEMA_MAX_GUARDS = 8 };

struct schema_stmt {
	struct str text;
	struct schema_guard guards[SCHEMA_MAX_GUARDS];
	size_t n_guards;
};

enum schema_split { SPLIT_STMT, SPLIT_END, SPLIT_BAD };

/* SPLIT_BAD: *why_out names the mistake, out->text the place. */
enum schema_split schema_next(struct str *rest, struct schema_stmt *out, const char **why_out);

#endif

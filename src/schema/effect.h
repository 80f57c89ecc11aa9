/* effect - what a statement of a migration does to a table that is in use; pure, from its words.
 * SPDX-License-Identifier: MIT */
#ifndef SCHEMA_EFFECT_H
#define SCHEMA_EFFECT_H

#include "base/str.h"

enum schema_effect {
	EFFECT_NONE,                  /* touches no rows */
	EFFECT_CREATES,               /* a new table */
	EFFECT_CATALOGUE,             /* a moment's lock, no rows touched */
	EFFECT_IN_PLACE,              /* reads all rows, writers go on */
	EFFECT_LOCKS_ROWS,            /* locks the rows it changes until it is done */
	EFFECT_COPIES,                /* copies the table, writers wait */
	EFFECT_COUNT
};

const char *schema_effect_text(enum schema_effect e);
/* *table_out: the table it is about, without backquotes; "" when there is none. */
enum schema_effect schema_effect_of(struct str stmt, struct str *table_out);

#endif

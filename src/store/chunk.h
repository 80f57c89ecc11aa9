/* chunk - an INSERT of many rows, in as many statements as the server's limits ask for (65,535 parameters,
 * max_allowed_packet). SPDX-License-Identifier: MIT */
#ifndef STORE_CHUNK_H
#define STORE_CHUNK_H

#include "sql/sql.h"

/* Arguments of n rows, n_each of them a row. */
struct chunk { const struct sql_arg *args; size_t n, n_each; };
/* Nothing is sent for no rows. The statement has no arguments besides. */
enum err chunk_run(struct op *op, struct sql_link *l, const struct sql_stmt *s, const struct chunk *rows) MUST_CHECK;

#endif

/* database - what a start must know of the database: whether its schema is ours, and how many
 * connections it grants.
 * SPDX-License-Identifier: MIT */
#ifndef APP_DATABASE_H
#define APP_DATABASE_H

#include "conf/conf.h"
#include "sql/sql.h"

enum database_state { DATABASE_AWAY, DATABASE_READY, DATABASE_OTHER_SCHEMA };

/* With DATABASE_OTHER_SCHEMA one line in cure (cut to its size, terminated) says what to do. */
enum database_state database_schema(struct op *op, struct sql_link *l, char *cure, size_t cure_cap);

struct database_facts {
	enum database_state state;
	char cure[200];
	int64_t max_connections;  /* 0: unknown */
};
/* Over a link of its own, closed again: for the master, before it forks. */
void database_look(const struct conf *c, struct log *log, struct database_facts *out);

/* How many workers: `wanted` (0: 8 per processor, at most 48), but at most what leaves 20 of the
 * database's connections (0: unknown) to others, and at least 1. */
int64_t database_workers(int64_t wanted, int64_t n_processors, int64_t max_connections);

#endif

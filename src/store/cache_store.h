/* cache_store - what Redis keeps of calls (kv_room), read for many of them.
 * Ownership: in op->arena.
 * Errors:    those of the sql room. SPDX-License-Identifier: MIT */
#ifndef STORE_CACHE_STORE_H
#define STORE_CACHE_STORE_H

#include "sql/sql.h"

struct cache_row {
	struct str room_id, node, url;
	int status;
	int64_t version;
};
/* Whom a moderator put out. */
struct cache_removed { struct str room_id, uid; };
struct cache_rows {
	struct cache_row *rooms;      /* those of the named that are there, each once; no order */
	struct cache_removed *removed;
	size_t n_rooms, n_removed;
};
/* No lock: a room's people are never older than its version says, and may be newer. */
enum err cache_store_read(struct op *op, struct sql_link *l, const struct str *room_ids, size_t n, struct cache_rows *out)
    MUST_CHECK;

extern const struct sql_stmt *const CACHE_STORE_STMTS[];

#endif

/* recall - table livekit_node as the registry's memory.
 * SPDX-License-Identifier: MIT */
#include "call/recall.h"

#include "store/node_store.h"

enum { LATELY_MS = 60000 };

static bool
ask(struct op *op, void *db, struct remembered **out, size_t *n_out)
{
	struct node_row *rows;

	if (node_store_list(op, db, &rows, n_out) != ERR_OK)
		return false;
	*out = arena_array(op->arena, *n_out, sizeof(**out));
	for (size_t i = 0; i < *n_out; i++) {
		const struct node_row *r = &rows[i];

		(*out)[i] = (struct remembered){ .addr = r->addr, .host = r->host, .livekit_id = r->livekit_id,
		    .drained = r->drained,
		    .seen_lately = r->seen_at_ms > 0 && r->now_ms - r->seen_at_ms < LATELY_MS };
	}
	return true;
}

void
recall_nodes(struct registry *r, struct sql_link *db)
{
	registry_remembers(r, ask, db);
}

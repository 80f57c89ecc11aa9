/* recall - lets the registry remember what the database knows of the nodes.
 * SPDX-License-Identifier: MIT */
#ifndef CALL_RECALL_H
#define CALL_RECALL_H

#include "livekit/registry.h"
#include "sql/sql.h"

/* Asked through db, which must outlive r's use. */
void recall_nodes(struct registry *r, struct sql_link *db);

#endif

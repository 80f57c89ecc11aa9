/* node_views - how LiveKit's nodes look in answers, of the API and of tgo-call.
 * SPDX-License-Identifier: MIT */
#ifndef API_NODE_VIEWS_H
#define API_NODE_VIEWS_H

#include "base/jsonw.h"
#include "call/node_ops.h"

void view_node(struct op *op, struct jsonw *w, const struct node_view *v);
/* {nodes, partial, unassigned, livekit_version, livekit_tested, placement} */
void view_cluster(struct op *op, struct jsonw *w, const struct cluster_view *v, const struct conf *c);

#endif

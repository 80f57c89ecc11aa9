/* route - what nginx asks before it lets a client through to a LiveKit node (auth_request): which node, and whether at all.
 * Served by workers of their own (--only route), so that no request of the API ever stands in front of it.
 * Asked:     GET /_route/KIND?bad_node=ADDR&QUERY, with the client's header Authorization (no other is read) and QUERY, its
 *            query: its access_token counts, its bad_node does not. bad_node: an address that just refused nginx. KIND: join
 *            (the signalling paths), whip, name (LiveKit's API, agents: any living node; the room is named for the log, and
 *            nobody is refused).
 * Answered:  200 with X-LiveKit-Node, the address to connect to; without it any node will do. X-LiveKit-Url, X-Room-Id.
 *            401 (the token), 403 (not this person, not this call, not now; a malformed head, whatever was asked) with
 *            X-Route-Status and X-Route-Text: what the client is told. Everything else is a failure of ours, for which nginx
 *            lets LiveKit decide alone.
 * SPDX-License-Identifier: MIT */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "call/services.h"
#include "http/http.h"

void route_serve(struct op *op, struct services *sv, struct request *rq, struct reply *rp);

#endif

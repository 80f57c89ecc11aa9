/* nodes - the LiveKit nodes: how they are, and draining them.
 * SPDX-License-Identifier: MIT */
#include "api/handlers.h"
#include "api/node_views.h"
#include "api/replay.h"

HANDLER(api_nodes)
{
	struct cluster_view v;
	struct jsonw w;
	enum err e;

	(void)rq;
	(void)who;
	if ((e = op_nodes(op, sv, &v)) != ERR_OK)
		return e;
	jsonw_init(&w, &rp->body);
	view_cluster(op, &w, &v, sv->conf);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

static enum err
write_node(struct op *op, struct reply *rp, const void *what)
{
	const struct node_view *v = what;
	struct jsonw w;

	jsonw_init(&w, &rp->body);
	view_node(op, &w, v);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

static const struct answer_kind ANSWER_NODE = { write_node, NULL };

HANDLER(api_node)
{
	struct node_view v = { .node.addr = S("") };
	const struct answer answer = { &ANSWER_NODE, &v };
	enum err e;

	(void)who;
	e = op_node(op, sv, rq->args[0], &v);
	op->livekit_node = v.node.addr;
	return answer_give(op, &answer, e, rp);
}

struct drain_ask {
	struct str id, by;
	bool drained;
};

static enum err
set_drained(struct op *op, struct services *sv, const struct drain_ask *ask, struct reply *rp)
{
	struct node_view v = { .node.addr = S("") };
	const struct answer answer = { &ANSWER_NODE, &v };
	enum err e;

	answer_promise(op, &answer);
	e = op_node_drain(op, sv, ask->id, ask->drained, ask->by, &v);
	op->livekit_node = v.node.addr;
	return answer_give(op, &answer, e, rp);
}

HANDLER(api_node_drain)
{
	const struct drain_ask ask = { .id = rq->args[0], .by = who->name, .drained = true };

	return set_drained(op, sv, &ask, rp);
}

HANDLER(api_node_undrain)
{
	const struct drain_ask ask = { .id = rq->args[0], .by = who->name, .drained = false };

	return set_drained(op, sv, &ask, rp);
}

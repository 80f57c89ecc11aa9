/* nodes - the LiveKit nodes: how they are, and draining them.
 * SPDX-License-Identifier: MIT */
#include "api/handlers.h"
#include "api/node_views.h"

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
answer(struct op *op, struct reply *rp, const struct node_view *v)
{
	struct jsonw w;

	op->livekit_node = v->node.addr;
	jsonw_init(&w, &rp->body);
	view_node(op, &w, v);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

HANDLER(api_node)
{
	struct node_view v;
	enum err e;

	(void)who;
	e = op_node(op, sv, rq->args[0], &v);
	return e == ERR_OK ? answer(op, rp, &v) : e;
}

HANDLER(api_node_drain)
{
	struct node_view v;
	enum err e = op_node_drain(op, sv, rq->args[0], true, who->name, &v);

	return e == ERR_OK ? answer(op, rp, &v) : e;
}

HANDLER(api_node_undrain)
{
	struct node_view v;
	enum err e = op_node_drain(op, sv, rq->args[0], false, who->name, &v);

	return e == ERR_OK ? answer(op, rp, &v) : e;
}

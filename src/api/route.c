/* route - points each media connection to its node.
 * SPDX-License-Identifier: MIT */
#include "api/route.h"

#include "api/metrics.h"
#include "api/serve.h"
#include "base/clock.h"
#include "base/rng.h"
#include "call/place.h"
#include "http/reply.h"
#include "livekit/join_token.h"

/* Everything that is known of one question. */
struct asking {
	struct op *op;
	struct services *sv;
	struct reply *rp;
	struct join_token token;
	struct str bad_node;
	const char *reason;           /* of a refusal, for the log; NULL: let through */
};

/* ---- refusals ---- */

static enum err
refuse(struct asking *ask, int status, struct token_refusal told, const char *reason)
{
	ask->rp->status = status;
	ask->rp->refused_status = told.status;
	ask->rp->refused_text = told.text;
	ask->reason = reason;
	ask->op->livekit_node = S("");
	return ERR_OK;
}

/* LiveKit's SDKs give up at 401 and 403 and show the text; a node knows no 403, so ours is not seen outside. */
static enum err
refuse_person(struct asking *ask, enum err e)
{
	struct token_refusal told = { .status = 401 };

	told.text = e == ERR_PARTICIPANT_REMOVED ? S("permissions denied: removed from the call")
	    : S("permissions denied: the call is over");
	return refuse(ask, 403, told, err_key(e));
}

/* What a node says that waits for another one in vain. SDKs try again. */
static enum err
refuse_for_now(struct asking *ask)
{
	const struct token_refusal told = { .status = 503, .text = S("request timed out") };

	return refuse(ask, 403, told, "node_silent");
}

/* Never a bare 400: nginx takes that for no word at all, and lets any node have the client. */
static enum err
refuse_malformed(struct asking *ask)
{
	const struct token_refusal told = { .status = 400, .text = S("malformed request") };

	return refuse(ask, 403, told, "malformed_request");
}

/* ---- questions ---- */

static struct str
query_of(struct op *op, const struct request *rq, const char *name)
{
	struct str value;
	bool bad;

	/* What cannot be decoded is not there, as for LiveKit. */
	return request_query(op->arena, rq, name, &value, &bad) && !bad ? value : S("");
}

/* False: it was refused. */
static bool
read_token(struct asking *ask, const struct request *rq)
{
	struct token_refusal no;
	bool holds = join_token_read(ask->op, ask->sv->conf, rq->authorization,
	    query_of(ask->op, rq, "access_token"), clock_wall_ms() + ask->op->nodes_ahead_s * 1000, &ask->token, &no);

	ask->op->uid = ask->token.identity;
	ask->op->room_id = ask->token.room;
	if (!holds)
		(void)refuse(ask, 401, no, "invalid_token");
	return holds;
}

static enum err
lead_to_room(struct asking *ask)
{
	struct op *op = ask->op;
	struct routed to;
	enum err e;

	e = place_route(op, ask->sv, ask->token.room, ask->bad_node, &to);
	if (e != ERR_ROOM_NOT_ACTIVE && routed_keeps_out(&to, ask->token.identity))
		return refuse_person(ask, ERR_PARTICIPANT_REMOVED);
	if (e == ERR_ROOM_NOT_ACTIVE)
		return refuse_person(ask, e);
	if (e == ERR_UNAVAILABLE)
		return refuse_for_now(ask);
	return e == ERR_ROOM_NOT_FOUND ? ERR_OK : e;
}

static enum err
lead_join(struct asking *ask, const struct request *rq)
{
	struct token_refusal no;

	if (!read_token(ask, rq))
		return ERR_OK;
	if (!join_token_joins(&ask->token, &no))
		return refuse(ask, 401, no, "not_for_joining");
	return lead_to_room(ask);
}

/* A node words its other refusals in its own way there; a request that creates no session needs no token. */
static enum err
lead_whip(struct asking *ask, const struct request *rq)
{
	struct token_refusal no;

	if (!read_token(ask, rq))
		return ERR_OK;
	return join_token_joins(&ask->token, &no) ? lead_to_room(ask) : ERR_OK;
}

static const struct cluster_node *
any_of(const struct snapshot *s, bool (*fits)(const struct cluster_node *n))
{
	const struct cluster_node *found = NULL;
	uint32_t n_seen = 0;

	for (size_t i = 0; i < s->n; i++) {
		/* Each of those seen so far is as likely as the others. */
		if (fits(&s->nodes[i]) && rng_below(++n_seen) == 0)
			found = &s->nodes[i];
	}
	return found;
}

static enum err
lead_anywhere(struct asking *ask, const struct request *rq)
{
	struct op *op = ask->op;
	const struct cluster_node *n;
	struct snapshot nodes;

	if (!read_token(ask, rq)) {
		/* Its node says so itself. */
		ask->rp->status = 200;
		ask->rp->refused_status = 0;
		ask->reason = NULL;
	}
	registry_snapshot(op, ask->sv->registry, ask->sv->kv, ask->sv->livekit_kv, &nodes);
	if ((n = any_of(&nodes, node_takes_rooms)) == NULL)
		n = any_of(&nodes, node_keeps_rooms);
	if (n != NULL)
		op->livekit_node = arena_str(op->arena, n->addr);
	return ERR_OK;
}

static const struct kind {
	const char *path;
	enum err (*answer)(struct asking *ask, const struct request *rq);
	enum log_level level;         /* of the line when it let somebody through */
} KINDS[] = {
	{ "/_route/join", lead_join, LOG_INFO },
	{ "/_route/whip", lead_whip, LOG_INFO },
	{ "/_route/name", lead_anywhere, LOG_DEBUG },
};

/* ---- the way of one ---- */

static const struct kind *
kind_of(const struct request *rq)
{
	for (size_t i = 0; i < N_ELEMS(KINDS); i++)
		if (str_eq(rq->raw_path, str_of(KINDS[i].path)))
			return &KINDS[i];
	return NULL;
}

static void
log_routed(const struct asking *ask, const struct kind *kind, enum err e)
{
	bool refused = ask->reason != NULL;
	struct op *op = ask->op;
	enum log_level level = refused ? LOG_INFO : kind->level;
	struct log_line l;

	if (e != ERR_OK)
		level = LOG_ERROR;
	log_begin(&l, op->log, level, refused ? "媒体连接已拒绝" : "媒体连接已路由", refused ? "route_refused" : "routed",
	    op->request_id);
	log_z(&l, "route", kind->path);
	log_i64(&l, "status", refused ? ask->rp->refused_status : ask->rp->status);
	serve_log_op(&l, op);
	log_str(&l, "bad_node", ask->bad_node);
	log_str(&l, "told", ask->rp->refused_text);
	log_z(&l, "error", e != ERR_OK ? err_key(e) : refused ? ask->reason : "");
	log_end(&l);
}

/* The node is the one it was led to; who was refused went nowhere. */
static void
count(const struct asking *ask, struct str route, enum err e)
{
	struct op *op = ask->op;
	const char *outcome = e != ERR_OK ? err_key(e) : ask->reason != NULL ? ask->reason : "allowed";

	serve_count(op, meter_label(op->meter, LABEL_ROUTE, route), ask->rp->status);
	if (!str_eq(route, S("unknown")))
		meter_add(op->meter, METER_ROUTED, op->livekit_node, str_of(outcome), 1);
}

void
route_serve(struct op *op, struct services *sv, struct request *rq, struct reply *rp)
{
	struct asking ask = { .op = op, .sv = sv, .rp = rp };
	const struct kind *kind = kind_of(rq);
	enum err e;

	if (str_eq(rq->raw_path, S(METRICS_ROUTE_PATH)) && rq->method == METHOD_GET && !rq->malformed) {
		metrics_answer(op, sv, rq, rp);
		return;
	}
	if (kind == NULL) {
		reply_error(rp, op, rq->malformed ? ERR_INVALID_PARAMETERS : ERR_NOT_FOUND, false);
		count(&ask, S("unknown"), ERR_OK);
		return;
	}
	ask.bad_node = query_of(op, rq, "bad_node");
	e = rq->malformed ? refuse_malformed(&ask) : kind->answer(&ask, rq);
	if (e != ERR_OK)
		reply_error(rp, op, e, false);
	count(&ask, str_of(kind->path), e);
	log_routed(&ask, kind, e);
}

/* serve - the way of one request.
 * SPDX-License-Identifier: MIT */
#include "api/serve.h"

#include <stdio.h>

#include "api/replay.h"
#include "api/routes.h"
#include "base/clock.h"
#include "http/reply.h"
#include "i18n/i18n.h"

/* JSON by name, by suffix, or by no name at all; and what `curl -d` claims, if it looks like JSON. */
static bool
is_json(const struct request *rq)
{
	struct str type = rq->content_type, rest;

	rest = type;
	if (!str_split(&rest, ';', &type))
		type = S("");
	type = str_trim(type);
	if (type.len == 0 || str_eq_nocase(type, S("application/json")))
		return true;
	if (type.len > 5 && str_eq_nocase((struct str){ type.at + type.len - 5, 5 }, S("+json")))
		return true;
	return str_eq_nocase(type, S("application/x-www-form-urlencoded")) &&
	    str_starts(str_trim(rq->body), S("{"));
}

static void
pick_language(struct op *op, const struct request *rq)
{
	struct str query = S("");
	bool bad = false;

	if (!request_query(op->arena, rq, "lang", &query, &bad))
		query = S("");
	op->lang = lang_pick(rq->x_language, query, rq->accept_language);
}

/* Body and handler of a route that this caller may use. */
static enum err
run_route(struct op *op, struct services *sv, const struct route *route, struct request *rq,
    body_reader read_body, void *arg, struct reply *rp)
{
	struct caller who = { .kind = CALLER_NONE };
	enum err e;

	if ((route->who & WHO_PUBLIC) == 0) {
		if ((e = caller_identify(op, sv->conf, rq, clock_wall_ms(), &who)) != ERR_OK)
			return e;
		if ((e = caller_may(&who, route->who)) != ERR_OK)
			return e;
	}
	if (route->body_max_bytes > 0) {
		if ((e = read_body(arg, op->arena, rq, route->body_max_bytes)) != ERR_OK)
			return e;
		if (rq->body.len > 0 && !is_json(rq))
			return ERR_UNSUPPORTED_MEDIA_TYPE;
	}
	/* Whoever everybody may be has no scope of its own. */
	if (rq->method == METHOD_POST && (route->who & WHO_PUBLIC) == 0 &&
	    (e = replay_begin(op, sv, rq, &who, route)) != ERR_OK)
		return e;
	return route->handler(op, sv, rq, &who, rp);
}

static enum err
answer(struct op *op, struct services *sv, const struct route **route_out, struct request *rq,
    body_reader read_body, void *arg, struct reply *rp)
{
	const char *allow = NULL;

	if (!request_split_path(op->arena, rq)) {
		op->bad_field = "path";
		return ERR_INVALID_PARAMETERS;
	}
	pick_language(op, rq);
	reply_cors(rp, sv->conf, rq);
	if (rq->malformed) {
		op->bad_field = "request";
		return ERR_INVALID_PARAMETERS;
	}
	*route_out = route_find(op->arena, ROUTES, N_ROUTES, rq, &allow);
	if (*route_out != NULL)
		return run_route(op, sv, *route_out, rq, read_body, arg, rp);
	if (allow == NULL)
		return ERR_NOT_FOUND;
	rp->allow = allow;
	if (rq->method != METHOD_OPTIONS)
		return ERR_METHOD_NOT_ALLOWED;
	rp->status = 204;
	rp->preflight = true;
	return ERR_OK;
}

/* What is no route of ours has one name each, whatever was asked for: a path is the sender's to choose. */
enum { ROUTE_UNKNOWN, ROUTE_OTHER_METHOD, ROUTE_FIRST };

void
api_routes_count_in(struct meter *m)
{
	static const char *const METHODS[] = {
		[METHOD_GET] = "GET", [METHOD_POST] = "POST", [METHOD_PUT] = "PUT", [METHOD_DELETE] = "DELETE",
	};

	(void)meter_label(m, LABEL_ROUTE, S("unknown"));
	(void)meter_label(m, LABEL_ROUTE, S("other method"));
	for (size_t i = 0; i < N_ROUTES; i++) {
		char name[128];

		snprintf(name, sizeof(name), "%s %s%s", METHODS[ROUTES[i].method], ROUTES[i].absolute ? "" : "/api/v1",
		    ROUTES[i].pattern);
		(void)meter_label(m, LABEL_ROUTE, str_of(name));
	}
}

void
serve_count(struct op *op, size_t route, int status)
{
	char text[16];

	if (op->meter == NULL)
		return;
	snprintf(text, sizeof(text), "%d", status);
	meter_add_at(op->meter, METER_REQUESTS, route, meter_label(op->meter, LABEL_STATUS, str_of(text)), 1);
	meter_time_at(op->meter, METER_REQUEST_TIME, route, clock_mono_us() - op->started_us);
}

static size_t
index_of(const struct route *route, const struct reply *rp)
{
	if (route != NULL)
		return ROUTE_FIRST + (size_t)(route - ROUTES);
	return rp->allow != NULL ? ROUTE_OTHER_METHOD : ROUTE_UNKNOWN;
}

void
serve_log_op(struct log_line *l, const struct op *op)
{
	log_ms(l, "ms", clock_mono_us() - op->started_us);
	log_ms(l, "db_ms", op->db_us);
	log_i64(l, "n_sql", op->n_sql);
	log_str(l, "uid", op->uid);
	log_str(l, "room_id", op->room_id);
	log_str(l, "livekit_url", op->livekit_url);
	log_str(l, "livekit_node", op->livekit_node);
}

static void
log_done(struct op *op, const struct request *rq, const struct route *route, const struct reply *rp, enum err e)
{
	enum log_level level = LOG_DEBUG;
	struct log_line l;

	if (e != ERR_OK || op->livekit_url.len > 0 || rp->status >= 400)
		level = LOG_INFO;
	if (e != ERR_OK && err_blame(e) == BLAME_PEER)
		level = LOG_WARN;
	if (e != ERR_OK && err_blame(e) == BLAME_US)
		level = LOG_ERROR;
	/* Most answers at most levels: not even the route's name is written then. */
	if (!log_on(op->log, level))
		return;
	log_begin(&l, op->log, level, "请求完成", "request_done", op->request_id);
	log_str(&l, "method", rq->method_text);
	log_str(&l, "route", route != NULL ? route_name(op->arena, route) : S(""));
	log_i64(&l, "status", rp->status);
	serve_log_op(&l, op);
	log_z(&l, "error", e == ERR_OK ? "" : err_key(e));
	if (rp->replayed)
		log_z(&l, "replayed", "true");
	log_end(&l);
}

void
api_serve(struct op *op, struct services *sv, struct request *rq, body_reader read_body, void *arg,
    struct reply *rp)
{
	const struct route *route = NULL;
	enum err e;

	op->lang = LANG_DEFAULT;
	op->region = rq->x_region;
	e = answer(op, sv, &route, rq, read_body, arg, rp);
	if (e != ERR_OK)
		reply_error(rp, op, e, sv->conf->legacy_status);
	serve_count(op, index_of(route, rp), rp->status);
	log_done(op, rq, route, rp, e);
}

bool
api_routes_ok(void)
{
	for (size_t i = 0; i < N_ROUTES; i++) {
		if (ROUTES[i].who != 0)
			continue;
		fprintf(stderr, "route %s does not say who may call it\n", ROUTES[i].pattern);
		return false;
	}
	return true;
}

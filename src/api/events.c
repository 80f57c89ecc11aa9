/* events - the stream of events for a receiver that was down, and sending them once more.
 * SPDX-License-Identifier: MIT */
#include "api/event_views.h"
#include "api/handlers.h"
#include "api/input.h"
#include "api/replay.h"
#include "model/ids.h"

enum {
	LIMIT_DEFAULT = 100, TYPES_MAX = 50, EVENT_ID_LEN = 36, ENDPOINT_ID_LEN = 16,
	MOST_MS = 2500                                /* of a request's four seconds */
};
#define UNIX_S_MAX 4102444800                         /* the year 2100 */

HANDLER(api_events)
{
	struct event_filter f = { .limit = LIMIT_DEFAULT };
	struct event_page page = { 0 };
	struct json_strs types;
	struct jsonw w;
	enum err e;

	(void)who;
	if ((e = input_query_i64(op, rq, "after", 0, INT64_MAX, &f.span.after)) != ERR_OK ||
	    (e = input_query_i64(op, rq, "limit", 1, EVENTS_MAX, &f.limit)) != ERR_OK ||
	    (e = input_query_str(op, rq, "room_id", id_ok, &f.room_id)) != ERR_OK ||
	    (e = input_query_types(op, rq, &types)) != ERR_OK)
		return e;
	f.types = types.at;
	f.n_types = types.n;
	if ((e = op_events(op, sv, &f, &page)) != ERR_OK)
		return e;
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	jsonw_arr(&w, "events");
	for (size_t i = 0; i < page.n; i++)
		view_event(&w, &page.rows[i]);
	jsonw_arr_end(&w);
	jsonw_i64(&w, "next", page.next);
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

static enum err
write_queued(struct op *op, struct reply *rp, const void *what)
{
	const int64_t *queued = what;
	struct jsonw w;

	(void)op;
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	jsonw_i64(&w, "queued", *queued);
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

static const struct answer_kind ANSWER_QUEUED = { write_queued, NULL };

HANDLER(api_event_redeliver)
{
	int64_t queued = 0;
	const struct answer answer = { &ANSWER_QUEUED, &queued };
	enum err e;

	(void)who;
	if (rq->args[0].len != EVENT_ID_LEN)
		return ERR_NOT_FOUND;
	answer_promise(op, &answer);
	e = op_redeliver(op, sv, rq->args[0], &queued);
	return answer_give(op, &answer, e, rp);
}

struct redeliver_in {
	int64_t since, until;
	bool has_until;
	struct str endpoint;
	struct json_strs types;
};
#define AT(field) offsetof(struct redeliver_in, field)
static const struct json_field REDELIVER_IN[] = {
	{ .name = "since", .kind = JSON_IN_INT, .offset = AT(since), .max = UNIX_S_MAX, .required = true },
	{ .name = "until", .kind = JSON_IN_INT, .offset = AT(until), .has_offset = AT(has_until), .max = UNIX_S_MAX },
	{ .name = "endpoint", .kind = JSON_IN_STR, .offset = AT(endpoint), .min = ENDPOINT_ID_LEN,
	  .max = ENDPOINT_ID_LEN, .ok = input_endpoint_id_ok },
	{ .name = "types", .kind = JSON_IN_STRS, .offset = AT(types), .max = TYPES_MAX, .ok = input_event_type_ok },
};
#undef AT

HANDLER(api_events_redeliver)
{
	struct redeliver_in in = { 0 };
	int64_t queued, next_ms;
	struct jsonw w;
	enum err e;

	(void)who;
	if ((e = json_read(op, rq->body, REDELIVER_IN, N_ELEMS(REDELIVER_IN), &in)) != ERR_OK)
		return e;
	const struct redeliver_req rd = {
		.since_ms = in.since * 1000,
		.until_ms = in.has_until ? in.until * 1000 : INT64_MAX,
		.endpoint_id = in.endpoint,
		.types = in.types.at,
		.n_types = in.types.n,
		.most_ms = MOST_MS,
	};
	if ((e = op_redeliver_many(op, sv, &rd, &queued, &next_ms)) != ERR_OK)
		return e;
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	jsonw_i64(&w, "queued", queued);
	jsonw_i64(&w, "next", next_ms / 1000);
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

/* webhooks - what became of the events sent to the business backend, and its receivers.
 * SPDX-License-Identifier: MIT */
#include "api/event_views.h"
#include "api/handlers.h"
#include "api/input.h"
#include "api/replay.h"
#include "base/codec.h"
#include "model/ids.h"

enum { LIST_MAX = 100, LIST_DEFAULT = 20, CURSOR_MAX = 64, DAYS_MAX = 36500 };

/* "pending,retrying" -> bits */
static enum err
read_outcomes(struct op *op, const struct request *rq, unsigned *bits_out)
{
	struct str text, part;
	bool bad = false;

	if (!request_query(op->arena, rq, "outcome", &text, &bad) || (text.len == 0 && !bad))
		return ERR_OK;
	while (!bad && str_split(&text, ',', &part)) {
		unsigned before = *bits_out;

		for (unsigned i = 0; i < OUTCOME_COUNT; i++)
			if (str_eq(part, str_of(OUTCOME_WORDS[i])))
				*bits_out |= 1u << i;
		bad = *bits_out == before;
	}
	return bad ? input_refuse(op, "outcome") : ERR_OK;
}

/* "pos.endpoint" behind which the page begins. */
static struct str
delivery_cursor(struct op *op, const struct delivery_log_page *p)
{
	struct strbuf b;
	struct str plain;

	if (!p->more)
		return S("");
	plain = arena_printf(op->arena, "%lld.%.*s", (long long)p->next_pos, STR_ARG(p->next_endpoint));
	strbuf_init_arena(&b, op->arena, CURSOR_MAX, CURSOR_MAX);
	base64url_encode(&b, plain.at, plain.len);
	return strbuf_str(&b);
}

static enum err
read_cursor(struct op *op, const struct request *rq, struct delivery_log_filter *f)
{
	uint8_t bytes[CURSOR_MAX];
	size_t n = sizeof(bytes);
	struct str text, rest, pos;
	bool bad = false;

	if (!request_query(op->arena, rq, "cursor", &text, &bad) || (text.len == 0 && !bad))
		return ERR_OK;
	if (bad || text.len > CURSOR_MAX || !base64url_decode(text, bytes, &n))
		return input_refuse(op, "cursor");
	rest = arena_str(op->arena, (struct str){ (const char *)bytes, n });
	if (!str_split(&rest, '.', &pos) || !parse_i64(pos, 0, INT64_MAX, &f->before_pos) || rest.at == NULL ||
	    (!str_eq(rest, BEFORE_ALL_ENDPOINTS) && !input_endpoint_id_ok(rest)))
		return input_refuse(op, "cursor");
	f->before_endpoint = rest;
	return ERR_OK;
}

HANDLER(api_webhook_logs)
{
	struct delivery_log_filter f = { .before_pos = INT64_MAX, .before_endpoint = BEFORE_ALL_ENDPOINTS,
		.limit = LIST_DEFAULT };
	struct delivery_log_page page = { 0 };
	struct jsonw w;
	enum err e;

	(void)who;
	if ((e = input_query_str(op, rq, "room_id", id_ok, &f.room_id)) != ERR_OK ||
	    (e = input_query_str(op, rq, "event_type", input_event_type_ok, &f.type)) != ERR_OK ||
	    (e = input_query_str(op, rq, "endpoint", input_endpoint_id_ok, &f.endpoint_id)) != ERR_OK ||
	    (e = input_query_i64(op, rq, "limit", 1, LIST_MAX, &f.limit)) != ERR_OK ||
	    (e = read_outcomes(op, rq, &f.outcomes)) != ERR_OK ||
	    (e = read_cursor(op, rq, &f)) != ERR_OK)
		return e;
	if ((e = op_deliveries(op, sv, &f, &page)) != ERR_OK)
		return e;
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	jsonw_arr(&w, "logs");
	for (size_t i = 0; i < page.n; i++)
		view_delivery(op, &w, &page.rows[i]);
	jsonw_arr_end(&w);
	jsonw_str(&w, "next_cursor", delivery_cursor(op, &page));
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

/* The Go server's answer to what an operator asks: {"code": 200, "message": ...}. */
static void
begin_answer(struct jsonw *w, struct reply *rp, const char *message)
{
	jsonw_init(w, &rp->body);
	jsonw_obj(w, NULL);
	jsonw_i64(w, "code", rp->status);
	jsonw_z(w, "message", message);
}

HANDLER(api_webhook_stats)
{
	struct webhook_stats st;
	struct jsonw w;
	enum err e;

	(void)rq;
	(void)who;
	if ((e = op_webhook_stats(op, sv, &st)) != ERR_OK)
		return e;
	begin_answer(&w, rp, "ok");
	jsonw_obj(&w, "data");
	jsonw_obj(&w, "failure_by_event");
	for (size_t i = 0; i < st.n_failures; i++)
		jsonw_i64(&w, arena_z(op->arena, st.failures[i].type), st.failures[i].n);
	jsonw_obj_end(&w);
	jsonw_i64(&w, "max_id", st.max_id);
	jsonw_i64(&w, "total_failure_count", st.total);
	jsonw_i64(&w, "pending", st.pending);
	jsonw_i64(&w, "oldest_pending_s", st.oldest_pending_s);
	jsonw_obj_end(&w);
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

struct cleanup_in { int64_t days; };
static const struct json_field CLEANUP_IN[] = {
	{ .name = "retention_days", .kind = JSON_IN_INT, .offset = offsetof(struct cleanup_in, days), .min = 1,
	  .max = DAYS_MAX, .required = true },
};

HANDLER(api_webhook_cleanup)
{
	struct cleanup_in in = { 0 };
	int64_t deleted;
	struct jsonw w;
	bool more;
	enum err e;

	(void)who;
	if ((e = json_read(op, rq->body, CLEANUP_IN, N_ELEMS(CLEANUP_IN), &in)) != ERR_OK)
		return e;
	if ((e = op_webhook_cleanup(op, sv, in.days, &deleted, &more)) != ERR_OK)
		return e;
	begin_answer(&w, rp, "日志清理成功");
	jsonw_i64(&w, "deleted", deleted);
	jsonw_bool(&w, "more", more);
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

HANDLER(api_webhook_endpoints)
{
	struct endpoint_view *views;
	struct jsonw w;
	size_t n;
	enum err e;

	(void)rq;
	(void)who;
	if ((e = op_endpoints(op, sv, &views, &n)) != ERR_OK)
		return e;
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	jsonw_arr(&w, "endpoints");
	for (size_t i = 0; i < n; i++)
		view_endpoint(op, &w, &views[i]);
	jsonw_arr_end(&w);
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

static enum err
write_ok(struct op *op, struct reply *rp, const void *what)
{
	struct jsonw w;

	(void)op;
	(void)what;
	begin_answer(&w, rp, "ok");
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

static const struct answer_kind ANSWER_OK = { write_ok, NULL };

HANDLER(api_webhook_enable)
{
	const struct answer answer = { &ANSWER_OK, NULL };
	enum err e;

	(void)who;
	if (!input_endpoint_id_ok(rq->args[0]))
		return ERR_NOT_FOUND;
	answer_promise(op, &answer);
	e = op_endpoint_enable(op, sv, rq->args[0]);
	return answer_give(op, &answer, e, rp);
}

/* event_views - events, deliveries and receivers as JSON.
 * SPDX-License-Identifier: MIT */
#include "api/event_views.h"

#include "conf/conf_url.h"

void
view_event(struct jsonw *w, const struct event_row *r)
{
	jsonw_obj(w, NULL);
	jsonw_i64(w, "pos", r->pos);
	jsonw_str(w, "event_id", r->event_id);
	jsonw_str(w, "type", r->type);
	jsonw_str(w, "room_id", r->room_id);
	jsonw_i64(w, "seq", r->seq);
	jsonw_str(w, "uid", r->uid);
	jsonw_i64(w, "created_at", r->created_at_ms);
	jsonw_raw(w, "data", r->data);
	jsonw_obj_end(w);
}

struct str
view_url(struct op *op, struct str url)
{
	enum { MASK_BYTES = 16 };
	struct strbuf b;

	strbuf_init_arena(&b, op->arena, url.len + MASK_BYTES, url.len + MASK_BYTES);
	url_mask(url, &b);
	return strbuf_str(&b);
}

void
view_delivery(struct op *op, struct jsonw *w, const struct delivery_log_row *r)
{
	jsonw_obj(w, NULL);
	jsonw_str(w, "event_id", r->event_id);
	jsonw_str(w, "event_type", r->type);
	jsonw_str(w, "room_id", r->room_id);
	jsonw_i64(w, "seq", r->seq);
	jsonw_str(w, "endpoint", r->endpoint_id);
	jsonw_str(w, "url", view_url(op, r->url));
	jsonw_z(w, "outcome", r->outcome < OUTCOME_COUNT ? OUTCOME_WORDS[r->outcome] : "");
	jsonw_i64(w, "attempts", r->attempts);
	jsonw_i64(w, "status", r->status);
	jsonw_str(w, "answer", r->answer);
	jsonw_i64(w, "created_at", r->created_at_ms);
	jsonw_i64(w, "last_try_at", r->last_try_at_ms);
	jsonw_i64(w, "next_try_at", r->next_try_at_ms);
	jsonw_obj_end(w);
}

static void
put_types(struct jsonw *w, const struct endpoint *e)
{
	const struct str every = S("*");

	if (e == NULL)
		jsonw_strs(w, "events", NULL, 0);
	else
		jsonw_strs(w, "events", e->all ? &every : e->events, e->all ? 1 : e->n_events);
}

void
view_endpoint(struct op *op, struct jsonw *w, const struct endpoint_view *v)
{
	const struct endpoint_row *r = &v->row;

	jsonw_obj(w, NULL);
	jsonw_str(w, "id", r->id);
	jsonw_str(w, "url", view_url(op, r->url));
	jsonw_str(w, "state", r->state);
	jsonw_i64(w, "added_at", r->added_at_ms);
	jsonw_i64(w, "down_since", r->down_since_ms);
	jsonw_i64(w, "pending", v->waiting.n);
	jsonw_i64(w, "oldest_pending_s", waiting_age_s(v));
	jsonw_i64(w, "last_ok_at", r->last_ok_at_ms);
	jsonw_i64(w, "last_failed_at", r->last_failed_at_ms);
	jsonw_i64(w, "last_status", r->last_status);
	jsonw_str(w, "last_error", r->last_error);
	put_types(w, v->conf);
	jsonw_obj_end(w);
}

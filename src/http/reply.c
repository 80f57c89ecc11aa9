/* reply - the beginning of an answer, and the answer when something went wrong.
 * SPDX-License-Identifier: MIT */
#include "http/reply.h"

#include "i18n/i18n.h"

enum { BODY_BYTES_FIRST = 2048, BODY_BYTES_MAX = 8 * 1024 * 1024 };

void
reply_init(struct reply *rp, struct arena *a)
{
	*rp = (struct reply){ .status = 200, .content_type = "application/json; charset=utf-8" };
	strbuf_init_arena(&rp->body, a, BODY_BYTES_FIRST, BODY_BYTES_MAX);
}

/* The Go server knew one status for everything its callers did wrong. */
static int
status_of(enum err e, bool legacy)
{
	int status = err_http(e);

	return legacy && status >= 400 && status <= 409 ? 400 : status;
}

static void
write_error(struct strbuf *to, const struct op *op, enum err e, int status)
{
	struct jsonw w;

	jsonw_init(&w, to);
	jsonw_obj(&w, NULL);
	jsonw_i64(&w, "code", status);
	jsonw_z(&w, "message", message_of(e, op->lang));
	jsonw_z(&w, "error", err_key(e));
	jsonw_str(&w, "request_id", op->request_id);
	if (e == ERR_INVALID_PARAMETERS && op->bad_field != NULL && op->bad_field[0] != '\0')
		jsonw_z(&w, "field", op->bad_field);
	if (op->err_room_id.len > 0)
		jsonw_str(&w, "room_id", op->err_room_id);
	if (e == ERR_PARTICIPANT_IN_CALL && op->n_busy_uids > 0)
		jsonw_strs(&w, "busy_uids", op->busy_uids, op->n_busy_uids);
	jsonw_obj_end(&w);
}

void
reply_error(struct reply *rp, const struct op *op, enum err e, bool legacy)
{
	rp->status = status_of(e, legacy);
	rp->content_type = "application/json; charset=utf-8";
	/* "Unavailable" is our promise that nothing happened: the caller may simply try again. */
	rp->retry_after_s = str_eq(str_of(err_key(e)), S("unavailable")) ? 1 : 0;
	if (e == ERR_RATE_LIMITED)
		rp->retry_after_s = op->retry_after_s;
	rp->access_len = 0;
	/* A buffer of its own: the handler's may be full, which is why we are here. */
	strbuf_init_arena(&rp->body, op->arena, BODY_BYTES_FIRST, BODY_BYTES_MAX);
	write_error(&rp->body, op, e, rp->status);
}

static bool
in_list(struct str list, struct str origin)
{
	struct str item;

	while (str_split(&list, ',', &item)) {
		/* Browsers send scheme and host in lower case; an operator may not. */
		if (str_eq_nocase(str_trim(item), origin))
			return true;
	}
	return false;
}

void
reply_cors(struct reply *rp, const struct conf *c, const struct request *rq)
{
	rp->cors_origin = S("");
	/* Also where no origin is named or answered: a cache must not give that answer to one that is. */
	rp->vary_origin = c->cors_origins.len > 0;
	if (rq->origin.len == 0)
		return;
	if (str_eq(str_trim(c->cors_origins), S("*")))
		rp->cors_origin = S("*");
	else if (in_list(c->cors_origins, rq->origin))
		rp->cors_origin = rq->origin;
}

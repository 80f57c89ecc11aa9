/* replay - keeps answers, and gives them again.
 * SPDX-License-Identifier: MIT */
#include "api/replay.h"

#include "http/reply.h"

enum { ACCESS_BYTES_FIRST = 1024, ACCESS_BYTES_MAX = 256 * 1024 };

/* What op->once is the first member of. */
struct promise {
	struct once once;
	const struct answer *answer;  /* how it will be worded; NULL: it is not kept */
	bool legacy;                  /* LEGACY_STATUS */
};

/* As it is about to be given, without a token: none is made before the commit. */
static enum err
word(struct op *op, const void *arg, enum err outcome, struct once_row *out)
{
	const struct promise *p = arg;
	struct reply rp;
	enum err e;

	reply_init(&rp, op->arena);
	if (outcome != ERR_OK)
		reply_error(&rp, op, outcome, p->legacy);
	else if ((e = p->answer->kind->write(op, &rp, p->answer->what)) != ERR_OK)
		return e;
	if (!strbuf_ok(&rp.body))
		return ERR_INTERNAL;
	out->status = rp.status;
	out->answer = strbuf_str(&rp.body);
	out->access_at = (int64_t)rp.access_at;
	out->access_len = (int64_t)rp.access_len;
	return ERR_OK;
}

void
answer_promise(struct op *op, const struct answer *a)
{
	struct promise *p = (struct promise *)op->once;

	if (p == NULL)
		return;
	p->answer = a;
	p->once.word = word;
	p->once.arg = p;
}

/* The access part as it is now, with the comma that stood before it; "": nobody gets a token. */
static struct str
fresh_access(struct op *op, const struct answer *a, bool comma)
{
	struct strbuf text;
	struct jsonw w;
	bool token;

	strbuf_init_arena(&text, op->arena, ACCESS_BYTES_FIRST, ACCESS_BYTES_MAX);
	jsonw_init(&w, &text);
	jsonw_obj(&w, NULL);
	token = a->kind->access != NULL && a->kind->access(&w, a->what);
	jsonw_obj_end(&w);
	if (!token || !jsonw_done(&w))
		return S("");
	/* Between the braces. */
	return arena_printf(op->arena, "%s%.*s", comma ? "," : "", (int)text.len - 2, text.at + 1);
}

static enum err
give_again(struct op *op, const struct answer *a, struct reply *rp)
{
	const struct once_row *kept = &op->once->kept;
	size_t at = (size_t)kept->access_at, end = at + (size_t)kept->access_len;
	struct str access = S("");

	if (kept->status == 0 || end > kept->answer.len)
		return ERR_INTERNAL;
	if (end > at)
		access = fresh_access(op, a, kept->answer.at[at] == ',');
	if (access.len == 0)
		access = (struct str){ kept->answer.at + at, end - at };
	rp->status = kept->status;
	rp->replayed = true;
	strbuf_add(&rp->body, (struct str){ kept->answer.at, at });
	strbuf_add(&rp->body, access);
	strbuf_add(&rp->body, (struct str){ kept->answer.at + end, kept->answer.len - end });
	meter_add(op->meter, METER_REPLAYED, S(""), S(""), 1);
	return ERR_OK;
}

enum err
answer_give(struct op *op, const struct answer *a, enum err e, struct reply *rp)
{
	if (e == ERR_REPLAYED)
		return give_again(op, a, rp);
	return e == ERR_OK ? a->kind->write(op, rp, a->what) : e;
}

enum err
replay_begin(struct op *op, const struct services *sv, const struct request *rq, const struct caller *who,
    const struct route *route)
{
	struct idempotency asked;
	struct promise *p;
	enum err e;

	if (rq->idempotency_key.at == NULL)
		return ERR_OK;
	if ((e = idempotency_read(op, rq, who, route, &asked)) != ERR_OK)
		return e;
	p = arena_alloc(op->arena, sizeof(*p));
	p->legacy = sv->conf->legacy_status;
	p->once = (struct once){ .id = asked.id, .body_sha256 = asked.body_sha256, .caller = asked.caller,
	    .route = asked.route, .kept_ms = sv->conf->idempotency_s * 1000 };
	op->once = &p->once;
	return ERR_OK;
}

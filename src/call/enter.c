/* enter - operations that end with a token in somebody's hand: create, join, refresh.
 * SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "call/change.h"
#include "call/once.h"
#include "call/place.h"
#include "call/tally.h"
#include "livekit/room_api.h"
#include "livekit/token.h"
#include "rules/settle.h"
#include "store/call_store.h"

/* Seats of an open call made by the token endpoint: as many as the API allows. */
enum { OPEN_CALL_SEATS = 1000 };

/* Where nodes make no rooms by themselves, the media room must be there before its token leaves. */
static enum err
ensure_media_room(struct op *op, struct services *sv, struct str room_id)
{
	const struct room_api api = { .conf = sv->conf, .http = sv->http };

	if (!sv->conf->livekit_create_room || room_api_create(op, &api, room_id) == ERR_OK)
		return ERR_OK;
	return ERR_UNAVAILABLE;
}

enum err
view_add_token(struct op *op, struct services *sv, struct view *out, const struct join_req *rq)
{
	const struct participant *p = out->me;
	const struct token_for t = {
		.room_id = out->call.room.room_id,
		.uid = p->uid,
		.name = p->name,
		.device_type = p->device_type.len > 0 || rq == NULL ? p->device_type : rq->who.device_type,
		.device_id = p->device_id.len > 0 || rq == NULL ? p->device_id : rq->who.device_id,
		.livekit_url = out->url,
		.livekit_node = out->call.room.livekit_node,
		.metadata = rq != NULL ? rq->token_metadata : S(""),
		.attributes = rq != NULL ? rq->token_attributes : S(""),
		.room_config = rq != NULL ? rq->token_room_config : S(""),
		.ttl_s = rq != NULL ? rq->ttl_s : 0,
	};

	enum err e;

	if ((e = ensure_media_room(op, sv, out->call.room.room_id)) != ERR_OK)
		return e;
	out->token = token_mint(op, sv->conf, &t);
	return ERR_OK;
}

/* What was answered before is answered again. Its token is made anew, and only for who could have one now; one that is
 * to be had and cannot be made is why there is no answer yet. */
static enum err
replay(struct op *op, struct services *sv, const struct actor *who, const struct join_req *rq, struct view *out)
{
	const struct once_row *kept = &op->once->kept;
	struct call c;
	enum err e;

	op->room_id = op->err_room_id = kept->room_id;
	if (kept->access_len == 0)
		return ERR_REPLAYED;
	if ((e = change_load(op, sv, kept->room_id, &c)) != ERR_OK)
		return e == ERR_ROOM_NOT_FOUND ? ERR_REPLAYED : e;
	view_of(sv, &c, who->uid, out);
	if (!view_may_enter(out, who))
		return ERR_REPLAYED;
	if ((e = place_check(op, sv, &c, op->region)) != ERR_OK)
		return e == ERR_ROOM_NOT_ACTIVE ? ERR_REPLAYED : e;
	view_of(sv, &c, who->uid, out);
	e = view_add_token(op, sv, out, rq);
	return e == ERR_OK ? ERR_REPLAYED : e;
}

/* ---- create ---- */

struct creation {
	struct services *sv;
	const struct create_req *rq;
	struct view *out;
	struct str room_id;
	struct str *invitees, *people;     /* people: invitees and creator, sorted */
	size_t n_invitees, n_people;
	int64_t seats;
	struct str node, url;              /* what the room was assigned */
	struct call call;
	enum err outcome;                  /* stored, and yet an error: everybody is busy */
};

static void
describe_room(struct creation *cr, int64_t now_ms)
{
	const struct create_req *rq = cr->rq;
	struct room *r = &cr->call.room;

	cr->call.now_ms = now_ms;
	r->room_id = cr->room_id;
	r->creator = rq->creator.uid;
	r->rtc_type = (int)rq->rtc_type;
	r->invite_on = (int)rq->invite_on;
	r->max_participants = cr->seats;
	r->source_channel_id = rq->source_channel_id;
	r->source_channel_type = (int)rq->source_channel_type;
	r->timeout_s = rq->timeout_s > 0 ? rq->timeout_s : cr->sv->conf->livekit_timeout_s;
	r->metadata = rq->metadata;
	r->version = 1;
	r->created_at_ms = r->updated_at_ms = now_ms;
	r->livekit_node = cr->node;
	r->livekit_url = cr->url;
	if (cr->sv->conf->reconcile_interval_ms > 0)
		r->look_at_ms = now_ms + cr->sv->conf->reconcile_interval_ms;
}

static void
show_created(struct op *op, struct creation *cr, struct str *busy)
{
	op->room_id = op->err_room_id = cr->room_id;
	once_outcome(op, cr->outcome);
	view_of(cr->sv, &cr->call, cr->rq->creator.uid, cr->out);
	cr->out->invited.busy = busy;
	cr->out->invited.n_busy = op->n_busy_uids;
}

static enum err
create_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct creation *cr = arg;
	struct create_in in = { .creator = cr->rq->creator, .invitees = cr->invitees,
	    .n_invitees = cr->n_invitees };
	struct create_look look;
	enum err e;

	(void)rollback_out;
	if ((e = people_store_lock(op, l, cr->people, cr->n_people)) != ERR_OK)
		return e;
	if ((e = people_store_look(op, l, cr->room_id, cr->people, cr->n_people, &look)) != ERR_OK)
		return e;
	if (look.taken)
		return ERR_ROOM_ALREADY_EXISTS;
	if (uid_in(cr->rq->creator.uid, look.busy, look.n_busy))
		return ERR_CREATOR_IN_ANOTHER_CALL;
	in.busy = look.busy;
	in.n_busy = look.n_busy;
	call_init(&cr->call, op->arena, change_policy(cr->sv));
	describe_room(cr, look.now_ms);
	cr->outcome = verb_create(&cr->call, &in);
	/* Over before it began: it will never need a node. */
	if (room_status_final(cr->call.room.status)) {
		cr->call.room.livekit_node = S("");
		cr->call.room.livekit_url = cr->sv->conf->livekit_client_url;
	}
	op->busy_uids = look.busy;
	op->n_busy_uids = in.n_busy;
	if ((e = call_store_insert(op, l, &cr->call)) != ERR_OK)
		return e == ERR_SQL_DUPLICATE ? ERR_ROOM_ALREADY_EXISTS : e;
	show_created(op, cr, look.busy);
	return ERR_OK;
}

static struct str
made_room_id(struct op *op)
{
	struct strbuf b;

	strbuf_init_arena(&b, op->arena, 33, 33);
	rng_hex32(&b);
	return strbuf_str(&b);
}

static void
log_created(struct op *op, const struct creation *cr)
{
	const struct room *r = &cr->call.room;
	struct log_line l;

	log_begin(&l, op->log, LOG_INFO, "房间创建成功", "room_created", op->request_id);
	log_str(&l, "room_id", r->room_id);
	log_str(&l, "creator", r->creator);
	log_str(&l, "source_channel_id", r->source_channel_id);
	log_str(&l, "livekit_url", r->livekit_url);
	log_strs(&l, "invited_uids", cr->invitees, cr->n_invitees);
	log_i64(&l, "status", r->status);
	log_z(&l, "language", op->lang);
	log_str(&l, "livekit_node", r->livekit_node);
	log_end(&l);
}

struct undoing {
	struct services *sv;
	struct call call;
};

static enum err
undo_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct undoing *u = arg;
	enum err e;

	(void)rollback_out;
	if ((e = once_withdraw(op, l)) != ERR_OK)
		return e;
	if ((e = change_lock(op, u->sv, l, op->room_id, &u->call)) != ERR_OK)
		return e;
	if (room_status_final(u->call.room.status))
		return ERR_OK;
	call_end(&u->call, ROOM_CANCELLED, END_LOST, S(""));
	return call_store_save(op, l, &u->call);
}

/* The call was stored and cannot be had: nobody rings for it, and whoever asks again asks anew. */
static enum err
undo_create(struct op *op, struct services *sv)
{
	struct undoing u = { .sv = sv };
	enum err e;

	if ((e = tx_run(op, sv->db, undo_in_tx, &u)) != ERR_OK)
		return change_failed(op, sv, op->room_id, e);
	if (u.call.changed)
		change_publish(op, sv, &u.call);
	return ERR_UNAVAILABLE;
}

enum err
op_create(struct op *op, struct services *sv, const struct create_req *rq, struct view *out)
{
	struct creation cr = { .sv = sv, .rq = rq, .out = out,
	    .room_id = rq->room_id.len > 0 ? rq->room_id : made_room_id(op) };
	enum err e;

	op->uid = rq->creator.uid;
	op->room_id = rq->room_id;
	cr.invitees = verbs_invitees(op->arena, rq->uids, rq->n_uids, rq->creator.uid, &cr.n_invitees);
	if ((cr.seats = verbs_seats(rq->max_participants, cr.n_invitees)) == 0)
		return ERR_ROOM_TOO_SMALL;
	cr.people = arena_array(op->arena, cr.n_invitees + 1, sizeof(struct str));
	for (size_t i = 0; i < cr.n_invitees; i++)
		cr.people[i] = cr.invitees[i];
	cr.people[cr.n_invitees] = rq->creator.uid;
	cr.n_people = cr.n_invitees + 1;
	uids_sort(cr.people, cr.n_people);
	/* Before any lock: nodes may have to be asked for. */
	call_init(&cr.call, op->arena, change_policy(sv));
	place_new(op, sv, &cr.call, op->region);
	cr.node = cr.call.room.livekit_node;
	cr.url = cr.call.room.livekit_url;

	if ((e = once_run(op, sv->db, create_in_tx, &cr)) != ERR_OK) {
		op->room_id = op->err_room_id = rq->room_id;
		return e == ERR_REPLAYED ? replay(op, sv, &rq->creator, NULL, out) : e;
	}
	change_publish(op, sv, &cr.call);
	tally_assigned(sv->meter, cr.call.room.livekit_node, S(""));
	if (cr.outcome != ERR_OK)
		return cr.outcome;
	place_announce(op, sv, &cr.call);
	view_of(sv, &cr.call, rq->creator.uid, out);
	e = rq->no_token ? ensure_media_room(op, sv, cr.room_id) : view_add_token(op, sv, out, NULL);
	if (e != ERR_OK)
		return undo_create(op, sv);
	log_created(op, &cr);
	return ERR_OK;
}

/* ---- join ---- */

struct joining {
	struct services *sv;
	const struct join_req *rq;
};

static enum err
join_rule(struct op *op, struct call *c, void *arg)
{
	const struct joining *j = arg;
	const struct join_req *rq = j->rq;

	(void)op;
	if (rq->access.ticket && !j->sv->conf->ticket_open_join && call_find(c, rq->who.uid) == NULL)
		return ERR_FORBIDDEN;
	return verb_join(c, &rq->who, rq->takeover);
}

static void
log_joined(struct op *op, const struct view *v)
{
	const struct room *r = &v->call.room;
	struct log_line l;

	log_begin(&l, op->log, LOG_INFO, "参与者加入房间成功", "participant_joined", op->request_id);
	log_str(&l, "room_id", r->room_id);
	log_str(&l, "uid", v->me->uid);
	log_str(&l, "creator", r->creator);
	log_str(&l, "livekit_url", v->url);
	log_i64(&l, "room_status", r->status);
	log_z(&l, "language", op->lang);
	log_str(&l, "livekit_node", r->livekit_node);
	log_end(&l);
}

enum err
op_join(struct op *op, struct services *sv, const struct join_req *rq, struct view *out)
{
	struct joining j = { .sv = sv, .rq = rq };
	const struct shown_change ch = { .room_id = rq->room_id, .rule = join_rule, .arg = &j, .uid = rq->who.uid,
	    .out = out };
	struct call c;
	enum err e;

	op->uid = rq->who.uid;
	if ((e = change_show(op, sv, &ch)) != ERR_OK)
		return e == ERR_REPLAYED ? replay(op, sv, &rq->who, rq, out) : e;
	c = out->call;
	if ((e = place_check(op, sv, &c, op->region)) != ERR_OK) {
		op->err_room_id = rq->room_id;
		return e;
	}
	view_of(sv, &c, rq->who.uid, out);
	if ((e = view_add_token(op, sv, out, rq)) != ERR_OK)
		return e;
	log_joined(op, out);
	return ERR_OK;
}

enum err
op_open_call(struct op *op, struct services *sv, const struct join_req *rq, struct view *out)
{
	const struct create_req open_call = { .creator = rq->who, .room_id = rq->room_id,
	    .max_participants = OPEN_CALL_SEATS, .no_token = true };
	struct once *once = op->once;
	struct view created = { 0 };
	enum err e;

	/* What is answered is the join. A create that no answer followed is found by the next try, and joined. */
	op->once = NULL;
	e = op_create(op, sv, &open_call, &created);
	op->once = once;
	/* Somebody else was first: then it is theirs, and this one joins it. */
	if (e != ERR_OK && e != ERR_ROOM_ALREADY_EXISTS)
		return e;
	return op_join(op, sv, rq, out);
}

enum err
op_refresh(struct op *op, struct services *sv, struct str room_id, struct str uid, int64_t ttl_s,
    struct view *out)
{
	const struct join_req rq = { .ttl_s = ttl_s };
	struct call c;
	enum err e;

	op->uid = uid;
	if ((e = change_load(op, sv, room_id, &c)) != ERR_OK)
		return e;
	view_of(sv, &c, uid, out);
	if (out->me == NULL || out->me->status != P_JOINED)
		return ERR_FORBIDDEN;
	if ((e = place_check(op, sv, &c, op->region)) != ERR_OK)
		return e;
	view_of(sv, &c, uid, out);
	return view_add_token(op, sv, out, &rq);
}

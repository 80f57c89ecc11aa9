/* leave - the operations without a token: going, refusing, inviting, moderating.
 * SPDX-License-Identifier: MIT */
#include "call/change.h"
#include "call/once.h"
#include "livekit/room_api.h"
#include "store/call_store.h"

/* What the rules below take. */
struct ask {
	const struct actor *who;
	const struct access *access;
	struct str uid;
	int64_t status;
	enum refusal why;
};

static struct str
by_of(const struct ask *a)
{
	return a->access != NULL && a->access->ticket ? a->access->uid : S("");
}

static enum err
leave_rule(struct op *op, struct call *c, void *arg)
{
	const struct ask *a = arg;
	enum err e;

	(void)op;
	if ((e = access_check(a->access, c)) != ERR_OK)
		return e;
	return verb_leave(c, a->who);
}

static enum err
reject_rule(struct op *op, struct call *c, void *arg)
{
	const struct ask *a = arg;
	enum err e;

	(void)op;
	if ((e = access_check(a->access, c)) != ERR_OK)
		return e;
	return verb_reject(c, a->who, a->why);
}

static enum err
end_rule(struct op *op, struct call *c, void *arg)
{
	const struct ask *a = arg;
	enum err e;

	(void)op;
	if ((e = access_check(a->access, c)) != ERR_OK)
		return e;
	return verb_end(c, by_of(a));
}

static enum err
remove_rule(struct op *op, struct call *c, void *arg)
{
	const struct ask *a = arg;
	enum err e;

	(void)op;
	if ((e = access_check(a->access, c)) != ERR_OK)
		return e;
	return verb_remove(c, a->uid, by_of(a));
}

static enum err
room_status_rule(struct op *op, struct call *c, void *arg)
{
	const struct ask *a = arg;

	(void)op;
	return verb_put_room_status(c, a->status, S(""));
}

static enum err
participant_status_rule(struct op *op, struct call *c, void *arg)
{
	const struct ask *a = arg;

	(void)op;
	return verb_put_participant_status(c, a->uid, a->status);
}

/* Runs a rule and shows the call to uid. */
static enum err
run(struct op *op, struct services *sv, struct str room_id, change_rule rule, struct ask *a, struct view *out)
{
	const struct shown_change ch = { .room_id = room_id, .rule = rule, .arg = a, .uid = a->uid, .out = out };

	op->uid = a->uid;
	return change_show(op, sv, &ch);
}

enum err
op_leave(struct op *op, struct services *sv, struct str room_id, const struct actor *who,
    const struct access *access, struct view *out)
{
	struct ask a = { .who = who, .access = access, .uid = who->uid };

	return run(op, sv, room_id, leave_rule, &a, out);
}

enum err
op_reject(struct op *op, struct services *sv, const struct reject_req *rq, struct view *out)
{
	struct ask a = { .who = &rq->who, .access = &rq->access, .uid = rq->who.uid, .why = rq->why };

	return run(op, sv, rq->room_id, reject_rule, &a, out);
}

enum err
op_end(struct op *op, struct services *sv, struct str room_id, const struct access *access, struct view *out)
{
	struct ask a = { .access = access };

	return run(op, sv, room_id, end_rule, &a, out);
}

enum err
op_remove(struct op *op, struct services *sv, struct str room_id, struct str uid, const struct access *access,
    struct view *out)
{
	struct ask a = { .access = access, .uid = uid };

	return run(op, sv, room_id, remove_rule, &a, out);
}

enum err
op_put_room_status(struct op *op, struct services *sv, struct str room_id, int64_t status, struct view *out)
{
	struct ask a = { .status = status };

	return run(op, sv, room_id, room_status_rule, &a, out);
}

enum err
op_put_participant_status(struct op *op, struct services *sv, struct str room_id, struct str uid,
    int64_t status, struct view *out)
{
	struct ask a = { .uid = uid, .status = status };

	return run(op, sv, room_id, participant_status_rule, &a, out);
}

enum err
op_mute(struct op *op, struct services *sv, struct str room_id, struct str uid, enum track_source source,
    bool muted, const struct access *access, struct view *out)
{
	const struct room_api api = { .conf = sv->conf, .http = sv->http };
	struct call c;
	enum err e;

	op->uid = uid;
	if ((e = change_load(op, sv, room_id, &c)) != ERR_OK)
		return e;
	if ((e = access_check(access, &c)) != ERR_OK)
		return e;
	view_of(sv, &c, uid, out);
	if (out->me == NULL)
		return ERR_PARTICIPANT_NOT_FOUND;
	e = room_api_mute(op, &api, room_id, uid, source, muted);
	/* Of somebody who is not there LiveKit may say nothing at all for seconds. */
	return e == ERR_UNAVAILABLE && out->me->sid.len == 0 ? ERR_PARTICIPANT_NOT_FOUND : e;
}

/* ---- invite: people are locked before the call ---- */

struct inviting {
	struct services *sv;
	struct str room_id;
	struct invite_in in;
	const struct access *access;
	struct str *people;                /* sorted */
	size_t n_people;
	struct view *out;
	struct call call;
};

static enum err
invite_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct inviting *iv = arg;
	struct str *busy;
	enum err e;

	if (iv->n_people > 0 && (e = people_store_lock(op, l, iv->people, iv->n_people)) != ERR_OK)
		return e;
	if ((e = change_lock(op, iv->sv, l, iv->room_id, &iv->call)) != ERR_OK)
		return e;
	if ((e = access_check(iv->access, &iv->call)) != ERR_OK)
		return e;
	e = people_store_busy(op, l, iv->people, iv->n_people, iv->room_id, &busy, &iv->in.n_busy);
	if (e != ERR_OK)
		return e;
	iv->in.busy = busy;
	e = verb_invite(&iv->call, &iv->in, &iv->out->invited);
	op->busy_uids = iv->out->invited.busy;
	op->n_busy_uids = iv->out->invited.n_busy;
	if (e != ERR_OK)
		return e;
	if (!iv->call.changed)
		*rollback_out = true;
	else if ((e = call_store_save(op, l, &iv->call)) != ERR_OK)
		return e;
	view_of(iv->sv, &iv->call, S(""), iv->out);
	return ERR_OK;
}

enum err
op_invite(struct op *op, struct services *sv, struct str room_id, const struct invite_in *in,
    const struct access *access, struct view *out)
{
	struct inviting iv = { .sv = sv, .room_id = room_id, .in = *in, .access = access, .out = out };
	enum err e;

	op->room_id = room_id;
	op->uid = in->by;
	iv.people = verbs_invitees(op->arena, in->uids, in->n_uids, S(""), &iv.n_people);
	uids_sort(iv.people, iv.n_people);
	if ((e = once_run(op, sv->db, invite_in_tx, &iv)) != ERR_OK) {
		op->err_room_id = room_id;
		return change_failed(op, sv, room_id, e);
	}
	change_tell(op, sv, &iv.call);
	return ERR_OK;
}

/* look - claiming and applying looks.
 * SPDX-License-Identifier: MIT */
#include "call/look.h"

#include "call/change.h"
#include "kv/kv_ear.h"
#include "rules/reconcile.h"
#include "store/outbox_store.h"

/* One call at a time lives in it, with the events of a change: a thousand people who are all found gone are a thousand
 * events that each name everybody, and a deadlock makes them anew. */
enum { ONE_CALL_BYTES = 512 << 20 };

/* ---- claim ---- */

struct claim {
	struct services *sv;
	struct look_sweep *sweep;
	struct look *looks;
	size_t n;
};

static enum err
claim_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct claim *cl = arg;
	const struct conf *c = cl->sv->conf;
	struct look_times t = { .interval_ms = c->reconcile_interval_ms, .look_again_ms = c->look_again_ms,
	    .final_for_ms = LOOK_FINAL_FOR_MS };
	enum err e;

	if ((e = look_store_now(op, l, &t.now_ms)) != ERR_OK)
		return e;
	cl->sweep->now_ms = t.now_ms;
	if (!cl->sweep->begun) {
		cl->sweep->begun = true;
		/* What is claimed from now on is scheduled to a later time than this. */
		cl->sweep->until_ms = t.now_ms + t.interval_ms - 1;
	}
	if (!cl->sweep->done)
		t.until_ms = cl->sweep->until_ms;
	if ((e = look_store_claim(op, l, &t, LOOKS_MAX, &cl->looks, &cl->n)) != ERR_OK)
		return e;
	*rollback_out = cl->n == 0;
	return ERR_OK;
}

enum err
op_look_claim(struct op *op, struct services *sv, struct look_sweep *sweep, struct look **out, size_t *n_out,
    bool *full_out)
{
	struct claim cl = { .sv = sv, .sweep = sweep };
	size_t n_active = 0;
	enum err e;

	*n_out = 0;
	*full_out = false;
	if ((e = tx_run(op, sv->db, claim_in_tx, &cl)) != ERR_OK)
		return e;
	for (size_t i = 0; i < cl.n; i++)
		n_active += !room_status_final(cl.looks[i].status);
	*out = cl.looks;
	*n_out = cl.n;
	*full_out = n_active >= LOOKS_MAX || cl.n - n_active >= LOOKS_MAX;
	if (n_active < LOOKS_MAX)
		sweep->done = true;
	return ERR_OK;
}

/* ---- what to ask ---- */

/* A change of the call asked for this look, it is not just its turn. */
static bool
was_asked_for(const struct look *k)
{
	return k->look_at_ms > 0 && k->look_at_ms <= k->updated_at_ms;
}

bool
look_wants_list(const struct look *k, const struct seen_room *seen, const struct conf *c, int64_t now_ms,
    bool trouble)
{
	bool uncertain = trouble || k->n_without_sid > 0;
	int64_t every_ms = uncertain && c->list_soon_ms < c->list_interval_ms ? c->list_soon_ms
	                                                                      : c->list_interval_ms;

	if (room_status_final(k->status) || !seen->heard || seen->host == HOST_GONE)
		return false;
	/* Of a room that no node is known to have nobody could say more. */
	if (!seen->listed)
		return false;
	return seen->n_people != k->n_joined || k->n_missing + k->n_waiting > 0 || was_asked_for(k) ||
	    now_ms - k->listed_at_ms >= every_ms;
}

/* Whether a list that was had (or is as good as empty) may lack somebody who was missing in a look before. */
static bool
has_doubted(const struct look *k, const struct seen_room *seen)
{
	return k->n_doubted > 0 && seen->heard && seen->host != HOST_GONE && (seen->people_known || !seen->listed);
}

static bool
is_listed(const struct looks *looks, const struct doubted_row *row)
{
	for (size_t i = 0; i < looks->n; i++) {
		const struct seen_room *seen = &looks->seen[i];

		if (!str_eq(looks->at[i].room_id, row->room_id))
			continue;
		for (size_t k = 0; k < seen->n_sessions; k++)
			if (str_eq(seen->people[k].uid, row->uid))
				return true;
	}
	return false;
}

enum err
op_look_doubted(struct op *op, struct services *sv, const struct looks *looks, int64_t now_ms,
    struct doubted_row **out, size_t *n_out)
{
	struct str *rooms = arena_array(op->arena, looks->n + 1, sizeof(*rooms));
	struct doubted_row *rows;
	size_t n_rooms = 0, n;
	enum err e;

	*n_out = 0;
	for (size_t i = 0; i < looks->n; i++)
		if (has_doubted(&looks->at[i], &looks->seen[i]))
			rooms[n_rooms++] = looks->at[i].room_id;
	if (n_rooms == 0)
		return ERR_OK;
	e = look_store_doubted(op, sv->db, now_ms - sv->conf->look_again_ms, rooms, n_rooms, &rows, &n);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++)
		if (!is_listed(looks, &rows[i]))
			rows[(*n_out)++] = rows[i];
	*out = rows;
	return ERR_OK;
}

/* ---- apply ---- */

struct applying {
	struct services *sv;
	const struct look *look;
	const struct seen_room *seen;
};

/* Whether the call may be another one than the one LiveKit was asked about decides its version: `more` is what our own
 * lock added to it. */
static void
reconcile(struct call *c, const struct applying *a, int64_t more)
{
	if (c->room.version == a->look->version + more)
		call_reconcile(c, a->seen);
}

static enum err
look_rule(struct op *op, struct call *c, void *arg)
{
	(void)op;
	reconcile(c, arg, 1);
	return ERR_OK;
}

/* Whether a look at what is known of the call is worth loading it. */
static bool
may_change(const struct look *k, const struct seen_room *seen)
{
	if (room_status_final(k->status))
		return seen->heard && seen->listed;
	if (k->n_adopted > 0)
		return true;
	if (!seen->heard)
		return false;
	if (seen->host == HOST_GONE || !seen->listed)
		return k->n_joined > 0 || k->n_active == 0 || seen->n_sessions > 0;
	return seen->people_known || k->n_active == 0;
}

static void
log_change(struct op *op, const struct look *k, const struct call *c)
{
	struct str *events = arena_array(op->arena, c->n_events + 1, sizeof(*events));
	struct log_line l;

	for (size_t i = 0; i < c->n_events; i++)
		events[i] = str_of(c->events[i].type);
	log_begin(&l, op->log, LOG_INFO, "与 LiveKit 对账", "reconciled", op->request_id);
	log_str(&l, "room_id", k->room_id);
	log_i64(&l, "status", c->room.status);
	log_strs(&l, "events", events, c->n_events);
	log_i64(&l, "actions", (int64_t)c->n_actions);
	log_end(&l);
}

/* A call that is over stays as it is: only the action is written. */
static enum err
close_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	const struct applying *a = arg;
	struct call c, *calls[] = { &c };
	enum err e;

	if ((e = change_lock(op, a->sv, l, a->look->room_id, &c)) != ERR_OK)
		return e;
	reconcile(&c, a, 1);
	*rollback_out = c.n_actions == 0;
	return outbox_store_actions(op, l, calls, 1);
}

static enum err
close_again(struct op *op, struct applying *a)
{
	enum err e = tx_run(op, a->sv->db, close_in_tx, a);

	if (e == ERR_OK)
		kv_ear_say(op, a->sv->kv, KV_WAKE, 0);
	return e;
}

/* op's arena is its own: it is emptied on the way. */
static enum err
apply_one(struct op *op, struct applying *a, size_t *n_changed)
{
	struct call c;
	enum err e;

	if (room_status_final(a->look->status))
		return close_again(op, a);
	/* Most looks change nothing: they are made without a lock first. */
	if ((e = change_load(op, a->sv, a->look->room_id, &c)) != ERR_OK)
		return e;
	reconcile(&c, a, 0);
	if (!c.changed)
		return ERR_OK;
	arena_reset(op->arena);
	e = change_run(op, a->sv, a->look->room_id, look_rule, a, &c);
	if (e == ERR_OK && c.changed) {
		(*n_changed)++;
		log_change(op, a->look, &c);
	}
	return e;
}

static enum err
note_listed(struct op *op, struct services *sv, const struct looks *looks)
{
	int64_t *ids = arena_array(op->arena, looks->n + 1, sizeof(*ids));
	size_t n = 0;

	for (size_t i = 0; i < looks->n; i++)
		if (looks->listed[i])
			ids[n++] = looks->at[i].id;
	return look_store_listed(op, sv->db, ids, n);
}

static void
count(struct op *op, const struct applying *a, enum err e, bool changed)
{
	struct str outcome = changed ? S("changed") : S("agreed");

	if (e != ERR_OK)
		outcome = S("failed");
	else if (!a->seen->heard)
		outcome = S("unheard");
	meter_add(op->meter, METER_RECONCILED, outcome, S(""), 1);
}

enum err
op_look_apply(struct op *op, struct services *sv, const struct looks *looks, size_t *n_changed_out)
{
	struct arena *own = arena_new(ONE_CALL_BYTES);
	struct op one = *op;
	enum err e = note_listed(op, sv, looks);

	one.arena = own;
	*n_changed_out = 0;
	for (size_t i = 0; i < looks->n && e != ERR_UNAVAILABLE; i++) {
		struct applying a = { .sv = sv, .look = &looks->at[i], .seen = &looks->seen[i] };
		size_t n_before = *n_changed_out;

		e = ERR_OK;
		if (may_change(a.look, a.seen)) {
			arena_reset(own);
			e = apply_one(&one, &a, n_changed_out);
		}
		count(op, &a, e, *n_changed_out > n_before);
	}
	arena_free(own);
	return e == ERR_UNAVAILABLE ? e : ERR_OK;
}

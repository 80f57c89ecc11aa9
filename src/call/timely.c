/* timely - deadlines carried out, many calls in one transaction.
 * SPDX-License-Identifier: MIT */
#include "call/timely.h"

#include "call/change.h"
#include "rules/deadline.h"
#include "store/call_store.h"

enum {
	EVENTS_MAX = 1200 * 1200,    /* people named in all events of all calls */
	BATCH = 64,                  /* calls a transaction */
	PUSH_MS = 1000,
};

/* How many of the rooms fit into memory: each event of a call may name everybody in it, and there may be one for each
 * of them. */
static size_t
n_fitting(const struct due_row *rows, size_t n)
{
	int64_t size = 0;
	size_t i = 0;

	for (; i < n; i++) {
		size += rows[i].n_rows * rows[i].n_rows;
		if (i > 0 && size > EVENTS_MAX)
			break;
	}
	return i;
}

enum err
op_due(struct op *op, struct services *sv, size_t limit, struct due *out)
{
	struct due_next next;
	enum err e;

	*out = (struct due){ 0 };
	if ((e = due_store_next(op, sv->db, &next)) != ERR_OK)
		return e;
	out->now_ms = next.now_ms;
	out->next_ms = next.at_ms;
	if (next.at_ms == 0 || next.at_ms > next.now_ms)
		return ERR_OK;
	const struct due_ask ask = { .now_ms = next.now_ms, .limit = (int64_t)limit };
	e = due_store_rooms(op, sv->db, &ask, &out->rooms, &out->n);
	out->n = n_fitting(out->rooms, out->n);
	return e;
}

/* Some of the due rooms, in one transaction. */
struct firing {
	struct services *sv;
	const struct due_row *rooms;
	const struct seen_room *seen;
	size_t n;
	struct call *calls;          /* calls[i] is that of rooms[i] */
	struct fired *fired;
};

static enum err
fire_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct firing *f = arg;
	struct room_ref *refs = arena_array(op->arena, f->n, sizeof(*refs));
	bool any = false;
	enum err e;

	for (size_t i = 0; i < f->n; i++) {
		refs[i] = (struct room_ref){ .id = f->rooms[i].id, .version = f->rooms[i].version };
		call_init(&f->calls[i], op->arena, change_policy(f->sv));
	}
	if ((e = call_store_lock_many(op, l, refs, f->n, f->calls)) != ERR_OK)
		return e;
	for (size_t i = 0; i < f->n; i++) {
		if (f->calls[i].room.id == 0)
			continue;
		change_fill_defaults(f->sv, &f->calls[i]);
		call_fire(&f->calls[i], &f->seen[i], &f->fired[i]);
		any = any || f->calls[i].changed;
	}
	*rollback_out = !any;
	return call_store_save_many(op, l, f->calls, f->n);
}

static void
log_fired(struct op *op, const struct call *c, const struct fired *f)
{
	const char *why = f->n_missed == 0 ? "rejoin" : f->n_lost == 0 ? "ring" : "ring,rejoin";
	struct log_line l;

	log_begin(&l, op->log, LOG_INFO, "到期处理", "deadline_fired", op->request_id);
	log_str(&l, "room_id", c->room.room_id);
	log_z(&l, "what", f->too_long ? "max_call" : why);
	log_i64(&l, "missed", (int64_t)f->n_missed);
	log_i64(&l, "lost", (int64_t)f->n_lost);
	log_i64(&l, "room_status", c->room.status);
	log_end(&l);
}

static void
log_failed(struct op *op, const struct due_row *r, enum err e)
{
	struct log_line l;

	log_begin(&l, op->log, LOG_ERROR, "到期处理失败", "deadline_failed", op->request_id);
	log_str(&l, "room_id", r->room_id);
	log_z(&l, "error", err_key(e));
	log_end(&l);
}

/* After the commit. */
static void
tell(struct op *op, const struct firing *f, struct fire_count *out)
{
	change_publish_many(op, f->sv, f->calls, f->n);
	for (size_t i = 0; i < f->n; i++) {
		const struct call *c = &f->calls[i];
		const struct fired *done = &f->fired[i];

		if (c->room.id == 0) {
			out->n_passed++;
			continue;
		}
		if (!c->changed)
			continue;
		out->n_waiting += done->waits;
		if (done->too_long || done->n_missed + done->n_lost > 0) {
			out->n_fired++;
			log_fired(op, c, done);
			meter_time(op->meter, METER_DEADLINE_LATE, S(""),
			    (c->now_ms - f->rooms[i].next_deadline_ms) * 1000);
		}
	}
}

/* A room that cannot be fired spoils the transaction for the others: halves are tried, down to the one that is at
 * fault, and that is due again a little later. */
static enum err
fire(struct op *op, struct firing f, struct fire_count *out)
{
	struct firing half = f;
	enum err e;

	e = tx_run(op, f.sv->db, fire_in_tx, &f);
	if (e == ERR_OK) {
		tell(op, &f, out);
		return ERR_OK;
	}
	/* Nobody knows whether it was committed: a version tells, at the next look. */
	if (e == ERR_OUTCOME_UNKNOWN || !sql_ping(op, f.sv->db))
		return ERR_UNAVAILABLE;
	if (f.n == 1) {
		log_failed(op, f.rooms, e);
		out->n_failed++;
		return due_store_push(op, f.sv->db, f.rooms, PUSH_MS);
	}
	half.n = f.n / 2;
	if ((e = fire(op, half, out)) != ERR_OK)
		return e;
	f.rooms += half.n;
	f.seen += half.n;
	f.n -= half.n;
	return fire(op, f, out);
}

enum err
op_fire(struct op *op, struct services *sv, const struct due *d, const struct seen_room *seen,
    struct fire_count *out)
{
	enum err e;

	*out = (struct fire_count){ 0 };
	for (size_t from = 0; from < d->n; from += BATCH) {
		struct firing f = { .sv = sv, .rooms = &d->rooms[from], .seen = &seen[from],
		    .n = d->n - from < BATCH ? d->n - from : BATCH };

		f.calls = arena_array(op->arena, f.n, sizeof(*f.calls));
		f.fired = arena_array(op->arena, f.n, sizeof(*f.fired));
		if ((e = fire(op, f, out)) != ERR_OK)
			return e;
	}
	return ERR_OK;
}

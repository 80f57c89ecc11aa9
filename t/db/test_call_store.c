/* Several calls at once, on a real server: locked without waiting, loaded and saved with as few statements as one;
 * and what the outbox takes of them.
 * SPDX-License-Identifier: MIT */
#include "store/call_store.h"

#include "model/event.h"
#include "rules/settle.h"
#include "store/due_store.h"
#include "support/db.h"

enum { N = 64, CLOSE_MS = 60000, RING_MS = 60000 };

static struct db d, other;
static struct str room_ids[N];

static const struct call_policy POLICY = { .max_call_ms = 3600000, .close_interval_ms = CLOSE_MS };

/* A call of ann's with bob, both ringing. */
static enum err
make_call(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct str id = *(const struct str *)arg;
	struct call c;

	(void)rollback_out;
	call_init(&c, op->arena, POLICY);
	c.now_ms = db_number(&d, "SELECT " SQL_NOW_MS);
	c.room = (struct room){ .room_id = id, .creator = S("ann"), .max_participants = 2, .timeout_s = 60,
	    .created_at_ms = c.now_ms };
	for (int i = 0; i < 2; i++)
		call_add_row(&c, i == 0 ? S("bob") : S("ann"))->deadline_ms = c.now_ms + RING_MS;
	return call_store_insert(op, l, &c);
}

static void
set_up(void)
{
	d = db_open(NULL);
	other = db_open(NULL);
	db_text(&d, "DELETE FROM rtc_room WHERE room_id LIKE 'cs-%'");
	db_text(&d, "DELETE FROM rtc_participant WHERE room_id LIKE 'cs-%'");
	db_text(&d, "DELETE FROM event WHERE room_id LIKE 'cs-%'");
	db_text(&d, "DELETE FROM livekit_action WHERE room_id LIKE 'cs-%'");
	for (int i = 0; i < N; i++) {
		room_ids[i] = arena_printf(d.op.arena, "cs-%02d", i);
		ck_assert_int_eq(tx_run(&d.op, d.l, make_call, &room_ids[i]), ERR_OK);
	}
}

static void
tear_down(void)
{
	db_close(&other);
	db_close(&d);
}

static struct call *
some_calls(struct db *db, size_t n)
{
	struct call *calls = arena_array(db->op.arena, n, sizeof(*calls));

	for (size_t i = 0; i < n; i++)
		call_init(&calls[i], db->op.arena, POLICY);
	return calls;
}

static struct room_ref *
refs_of(const struct call *calls, size_t n)
{
	struct room_ref *refs = arena_array(d.op.arena, n, sizeof(*refs));

	for (size_t i = 0; i < n; i++)
		refs[i] = (struct room_ref){ calls[i].room.id, calls[i].room.version };
	return refs;
}

/* What a transaction of the tests does with the calls it could lock. */
struct work {
	struct room_ref *refs;
	struct call *calls;
	size_t n, n_locked;
	bool end, rollback;
};

static void
load(struct call *calls, const struct str *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool found = false;

		ck_assert_int_eq(call_store_load(&d.op, d.l, ids[i], &calls[i], &found), ERR_OK);
		ck_assert(found);
	}
}

static enum err
lock_and_end(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct work *w = arg;
	enum err e;

	w->n_locked = 0;
	for (size_t i = 0; i < w->n; i++)
		call_init(&w->calls[i], op->arena, POLICY);
	if ((e = call_store_lock_many(op, l, w->refs, w->n, w->calls)) != ERR_OK)
		return e;
	for (size_t i = 0; i < w->n; i++) {
		w->n_locked += w->calls[i].room.id != 0;
		if (w->calls[i].room.id != 0 && w->end)
			call_end(&w->calls[i], ROOM_MISSED, END_MISSED, S(""));
	}
	*rollback_out = w->rollback;
	return call_store_save_many(op, l, w->calls, w->n);
}

/* 64 calls end in one transaction: few statements, and every call as if it had been alone. */
START_TEST(ends_many)
{
	struct call *calls = some_calls(&d, N);
	struct work w = { .calls = some_calls(&d, N), .n = N, .end = true };
	int before;

	load(calls, room_ids, N);
	w.refs = refs_of(calls, N);
	before = d.op.n_sql;
	ck_assert_int_eq(tx_run(&d.op, d.l, lock_and_end, &w), ERR_OK);
	ck_assert_uint_eq(w.n_locked, N);
	ck_assert_msg(d.op.n_sql - before <= 10, "%d statements", d.op.n_sql - before);
	ck_assert_int_eq(db_number(&other, "SELECT COUNT(*) FROM rtc_room WHERE room_id LIKE 'cs-%' AND status = 6"
	    " AND version = 2 AND seq = 1 AND end_reason = 'missed' AND next_deadline_ms = 0"), N);
	ck_assert_int_eq(db_number(&other, "SELECT COUNT(*) FROM rtc_participant WHERE room_id LIKE 'cs-%'"
	    " AND status = 4 AND claimed = 0 AND deadline_ms = 0"), 2 * N);
	ck_assert_int_eq(db_number(&other, "SELECT COUNT(DISTINCT room_id) FROM event WHERE room_id LIKE 'cs-%'"
	    " AND seq = 1 AND type = 'room.finished' AND JSON_VALUE(data, '$.room_id') = room_id"), N);
	ck_assert_int_eq(db_number(&other, "SELECT COUNT(DISTINCT room_id) FROM livekit_action WHERE room_id LIKE"
	    " 'cs-%' AND kind = 'delete_room' AND state = 'open'"), N);
	/* Nobody's creation was touched. */
	ck_assert_int_eq(db_number(&other, "SELECT COUNT(*) FROM rtc_room WHERE room_id LIKE 'cs-%' AND creator = 'ann'"
	    " AND created_at IS NOT NULL AND max_participants = 2"), N);
}
END_TEST

/* Only those that are the same still, and that nobody holds; nobody is waited for. */
START_TEST(leaves_the_others)
{
	struct call *calls = some_calls(&d, N);
	struct work w = { .calls = some_calls(&d, N), .n = N, .end = true };
	int64_t start;

	load(calls, room_ids, N);
	w.refs = refs_of(calls, N);
	db_text(&other, "UPDATE rtc_room SET version = version + 1 WHERE room_id = 'cs-07'");
	db_text(&other, "START TRANSACTION");
	db_text(&other, "UPDATE rtc_room SET version = version + 1 WHERE room_id IN ('cs-08', 'cs-09')");
	start = clock_mono_us();
	ck_assert_int_eq(tx_run(&d.op, d.l, lock_and_end, &w), ERR_OK);
	ck_assert_int_lt(clock_mono_us() - start, 900000);         /* innodb_lock_wait_timeout is 1 s */
	db_text(&other, "ROLLBACK");
	ck_assert_uint_eq(w.n_locked, N - 3);
	for (size_t i = 0; i < N; i++)
		ck_assert_int_eq(w.calls[i].room.id != 0, i < 7 || i > 9);
	ck_assert_int_eq(db_number(&other, "SELECT COUNT(*) FROM rtc_room WHERE room_id LIKE 'cs-%' AND status = 6"),
	    N - 3);
	ck_assert_int_eq(db_number(&other, "SELECT COUNT(*) FROM event WHERE room_id IN ('cs-07','cs-08','cs-09')"), 0);
}
END_TEST

/* What a rule left alone is not written, and a transaction that is undone leaves nothing. */
START_TEST(writes_only_changes)
{
	struct call *calls = some_calls(&d, N);
	struct work w = { .calls = some_calls(&d, N), .n = N };

	load(calls, room_ids, N);
	w.refs = refs_of(calls, N);
	ck_assert_int_eq(tx_run(&d.op, d.l, lock_and_end, &w), ERR_OK);
	ck_assert_int_eq(db_number(&other, "SELECT COUNT(*) FROM rtc_room WHERE room_id LIKE 'cs-%' AND version = 2"
	    " AND updated_at_ms = created_at_ms"), N);
	/* Each of them has a newer version by now. */
	ck_assert_int_eq(tx_run(&d.op, d.l, lock_and_end, &w), ERR_OK);
	ck_assert_uint_eq(w.n_locked, 0);
	for (size_t i = 0; i < N; i++)
		w.refs[i].version++;
	w.rollback = w.end = true;
	ck_assert_int_eq(tx_run(&d.op, d.l, lock_and_end, &w), ERR_OK);
	ck_assert_uint_eq(w.n_locked, N);
	ck_assert_int_eq(db_number(&other, "SELECT COUNT(*) FROM rtc_room WHERE room_id LIKE 'cs-%' AND version = 2"
	    " AND status = 0"), N);
	ck_assert_int_eq(db_number(&other, "SELECT COUNT(*) FROM event WHERE room_id LIKE 'cs-%'"), 0);
}
END_TEST

static enum err
close_again(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct call c;
	bool found;
	enum err e;

	(void)arg;
	(void)rollback_out;
	call_init(&c, op->arena, POLICY);
	if ((e = call_store_lock(op, l, S("cs-00"), &c, &found)) != ERR_OK)
		return e;
	ck_assert(found);
	call_act(&c, ACTION_DELETE_ROOM, S(""), S(""));
	call_act(&c, ACTION_DELETE_ROOM, S(""), S(""));
	return call_store_save(op, l, &c);
}

static int64_t
n_closes(void)
{
	return db_number(&other, "SELECT COUNT(*) FROM livekit_action WHERE room_id = 'cs-00'");
}

/* One open action that closes a media room, one a minute. */
START_TEST(closes_seldom)
{
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(tx_run(&d.op, d.l, close_again, NULL), ERR_OK);
	ck_assert_int_eq(n_closes(), 1);
	db_text(&other, "UPDATE livekit_action SET state = 'done' WHERE room_id = 'cs-00'");
	ck_assert_int_eq(tx_run(&d.op, d.l, close_again, NULL), ERR_OK);
	ck_assert_int_eq(n_closes(), 1);
	db_text(&other, "UPDATE livekit_action SET created_at_ms = created_at_ms - 60001 WHERE room_id = 'cs-00'");
	ck_assert_int_eq(tx_run(&d.op, d.l, close_again, NULL), ERR_OK);
	ck_assert_int_eq(n_closes(), 2);
	/* Open, however old. */
	db_text(&other, "UPDATE livekit_action SET created_at_ms = 1 WHERE room_id = 'cs-00'");
	ck_assert_int_eq(tx_run(&d.op, d.l, close_again, NULL), ERR_OK);
	ck_assert_int_eq(n_closes(), 2);
}
END_TEST

/* A call of a thousand people ends: more bytes than a packet takes, more parameters than a statement. */
START_TEST(a_large_call)
{
	struct work w = { .calls = some_calls(&d, 1), .n = 1, .end = true };
	struct call *calls = some_calls(&d, 1);

	db_text(&other, "INSERT INTO rtc_participant (room_id, uid, status, join_time) SELECT 'cs-01',"
	    " CONCAT('somebody-with-a-rather-long-name-', seq), 1, 1 FROM seq_1_to_998");
	load(calls, &room_ids[1], 1);
	ck_assert_uint_eq(calls[0].n_rows, 1000);
	w.refs = refs_of(calls, 1);
	ck_assert_int_eq(tx_run(&d.op, d.l, lock_and_end, &w), ERR_OK);
	ck_assert_int_eq(db_number(&other, "SELECT COUNT(*) FROM event WHERE room_id = 'cs-01' AND"
	    " type = 'participant.left'"), 998);
	ck_assert_int_eq(db_number(&other, "SELECT COUNT(*) FROM rtc_participant WHERE room_id = 'cs-01' AND"
	    " status = 3"), 998);
}
END_TEST

START_TEST(knows_what_is_due)
{
	struct due_ask ask = { .limit = 2 };
	struct due_next next;
	struct due_row *rows;
	size_t n;

	ck_assert_int_eq(due_store_next(&d.op, d.l, &next), ERR_OK);
	ck_assert_int_gt(next.at_ms, next.now_ms);
	db_text(&other, "UPDATE rtc_room SET next_deadline_ms = 5 WHERE room_id = 'cs-03'");
	db_text(&other, "UPDATE rtc_room SET next_deadline_ms = 4 WHERE room_id = 'cs-04'");
	db_text(&other, "UPDATE rtc_room SET next_deadline_ms = 3, status = 2 WHERE room_id = 'cs-05'");
	db_text(&other, "UPDATE rtc_room SET livekit_sid = 'RM_1' WHERE room_id = 'cs-04'");
	db_text(&other, "UPDATE rtc_participant SET status = 1 WHERE room_id = 'cs-04' AND uid = 'ann'");
	ck_assert_int_eq(due_store_next(&d.op, d.l, &next), ERR_OK);
	ck_assert_int_eq(next.at_ms, 4);
	ask.now_ms = next.now_ms;
	ck_assert_int_eq(due_store_rooms(&d.op, d.l, &ask, &rows, &n), ERR_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert(str_eq(rows[0].room_id, S("cs-04")) && str_eq(rows[1].room_id, S("cs-03")));
	ck_assert(rows[0].has_media && rows[0].n_rows == 2 && rows[0].n_joined == 1);
	ck_assert(!rows[1].has_media && rows[1].n_rows == 2 && rows[1].n_joined == 0);
	ask.now_ms = 4;
	ck_assert_int_eq(due_store_rooms(&d.op, d.l, &ask, &rows, &n), ERR_OK);
	ck_assert_uint_eq(n, 1);
	ask.now_ms = 5;
	ck_assert_int_eq(due_store_rooms(&d.op, d.l, &ask, &rows, &n), ERR_OK);
	/* Pushed, unless it changed. */
	ck_assert_int_eq(due_store_push(&d.op, d.l, &rows[0], 1000), ERR_OK);
	rows[1].version--;
	ck_assert_int_eq(due_store_push(&d.op, d.l, &rows[1], 1000), ERR_OK);
	ck_assert_int_eq(db_number(&other, "SELECT COUNT(*) FROM rtc_room WHERE room_id = 'cs-04' AND"
	    " next_deadline_ms BETWEEN " SQL_NOW_MS " AND " SQL_NOW_MS " + 1000"), 1);
	ck_assert_int_eq(db_number(&other, "SELECT next_deadline_ms FROM rtc_room WHERE room_id = 'cs-03'"), 5);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("db/call_store");
	TCase *tc = tcase_create("many");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, ends_many);
	tcase_add_test(tc, leaves_the_others);
	tcase_add_test(tc, writes_only_changes);
	tcase_add_test(tc, closes_seldom);
	tcase_add_test(tc, a_large_call);
	tcase_add_test(tc, knows_what_is_due);
	suite_add_tcase(s, tc);
	return db_main(s);
}

/* What becomes of events, on a real server: it is written once, and by nobody whose lease is somebody else's.
 * SPDX-License-Identifier: MIT */
#include "jobs/outlet.h"

#include "store/jobs_store.h"
#include "support/db.h"

#define ID "test0123456789ab"
#define OF_MINE " FROM event_delivery WHERE endpoint_id = '" ID "'"

static struct db d;
static struct task task;
static struct post post;
static struct outlet outlet;
static const struct endpoint to = { .id = { ID, 16 }, .url = { "http://me:pw@b/h", 16 }, .secret = { "s", 1 },
	.secret_old = { "", 0 }, .timeout_ms = 1000 };

static void
forget(void)
{
	db_text(&d, "DELETE FROM jobs_lease WHERE name LIKE 'endpoint:test%'");
	db_text(&d, "DELETE FROM event WHERE room_id LIKE 'test-outlet%'");
	db_text(&d, "DELETE" OF_MINE);
	db_text(&d, "DELETE FROM webhook_endpoint WHERE id = '" ID "'");
	db_text(&d, "DELETE FROM business_webhook_log WHERE event_id LIKE 'test-outlet%'");
}

/* Two events of a call and one of another, read into the window of an outlet that holds its lease. */
static void
set_up(void)
{
	d = db_open(NULL);
	forget();
	db_text(&d, "INSERT INTO webhook_endpoint (id, url) VALUES ('" ID "', 'http://me:pw@b/h')");
	db_text(&d, "INSERT INTO event (event_id, room_id, seq, type, data, created_at_ms, pos) VALUES "
	    "('test-outlet-1', 'test-outlet-a', 1, 'x', '{\"n\":1}', 1, 900000001), "
	    "('test-outlet-2', 'test-outlet-a', 2, 'x', '{\"n\":2}', 1, 900000002), "
	    "('test-outlet-3', 'test-outlet-b', 1, 'x', '{\"n\":3}', 1, 900000003)");
	db_text(&d, "INSERT INTO event_delivery (endpoint_id, pos, event_no, room_id, type) "
	    "SELECT '" ID "', pos, id, room_id, type FROM event WHERE room_id LIKE 'test-outlet%'");
	task = (struct task){ .id = S("me"), .sv = { .conf = d.conf, .log = d.op.log, .db = d.l } };
	post = (struct post){ .task = &task, .parallel = 8 };
	ck_assert(outlet_open(&outlet, &post, &to, d.conf));
	ck_assert(outlet_take(&d.op, &post, &outlet));
	outlet_load(&d.op, &post, &outlet);
	ck_assert_uint_eq(window_n(outlet.window), 3);
}

static void
tear_down(void)
{
	outlet_close(&outlet);
	post_forget_letters(&post);
	forget();
	db_close(&d);
}

/* As if the first of the ready had been sent and answered. */
static void
answer(int status, const char *body)
{
	struct letter *t = calloc(1, sizeof(*t));
	struct multi_done done = { .answered = status > 0, .status = status, .body = str_of(body), .why = "no answer" };

	ck_assert_ptr_nonnull(t);
	t->from = &outlet;
	t->item = window_ready(outlet.window);
	t->sent_at_ms = post_now_ms(&post);
	t->sent_at_s = 1795224981;
	ck_assert_ptr_nonnull(t->item);
	post.letters = t;
	window_fly(outlet.window, t->item);
	outlet.n_flying++;
	outlet_answer(&d.op, &post, t, &done);
}

static void
write_now(void)
{
	outlet_write(&d.op, &post, &outlet, true);
}

START_TEST(taken)
{
	answer(204, "");
	answer(200, "");
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*)" OF_MINE " AND state = 2"), 0);
	write_now();
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*)" OF_MINE " AND state = 2 AND attempts = 1"), 2);
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*)" OF_MINE " AND last_status = 204 AND last_try_at_ms > 0"), 1);
	ck_assert_int_eq(db_number(&d, "SELECT last_ok_at_ms > 0 FROM webhook_endpoint WHERE id = '" ID "'"), 1);
	ck_assert_uint_eq(window_n(outlet.window), 1);
	/* The second of its call is ready now. */
	ck_assert_int_eq(window_ready(outlet.window)->pos, 900000002);
}
END_TEST

START_TEST(failed)
{
	answer(500, "b\xff" "ad");
	write_now();
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*)" OF_MINE " AND pos = 900000001 AND state = 0 AND attempts = 1 "
	    "AND last_status = 500 AND last_answer = CONCAT('b', CONVERT(x'efbfbd' USING utf8mb4), 'ad') "
	    "AND first_try_at_ms > 0 AND next_try_at_ms - last_try_at_ms BETWEEN 5000 AND 5500"), 1);
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*) FROM business_webhook_log WHERE event_id = 'test-outlet-1' "
	    "AND url = 'http://***@b/h?event_type=x&event_id=test-outlet-1' AND status = 500 AND error = 'HTTP 500' "
	    "AND request = '{\"event_type\":\"x\",\"event_id\":\"test-outlet-1\",\"timestamp\":1795224981,"
	    "\"data\":{\"n\":1},\"retry\":0,\"retry_after\":5}'"), 1);
	ck_assert_int_eq(window_ready(outlet.window)->pos, 900000003);
}
END_TEST

START_TEST(refused_and_unanswered)
{
	answer(400, "");
	answer(0, "");
	write_now();
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*)" OF_MINE " AND pos = 900000001 AND state = 1 "
	    "AND due_at_ms - last_try_at_ms BETWEEN 5000 AND 5500"), 1);
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*)" OF_MINE " AND pos = 900000003 AND state = 0 "
	    "AND last_status = 0 AND last_answer = 'no answer'"), 1);
	ck_assert_int_eq(window_ready(outlet.window)->pos, 900000002);
}
END_TEST

/* Frozen past its lease, and thawed in the worst moment: after its own look at it. */
START_TEST(whose_lease_is_gone_writes_nothing)
{
	answer(204, "");
	answer(500, "");
	db_text(&d, "UPDATE jobs_lease SET holder = 'you' WHERE name = 'endpoint:" ID "'");
	write_now();
	ck_assert(!outlet.held);
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*)" OF_MINE " AND state = 0 AND attempts = 0 "
	    "AND last_try_at_ms = 0"), 3);
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*) FROM business_webhook_log "
	    "WHERE event_id LIKE 'test-outlet%'"), 0);
	ck_assert_int_eq(db_number(&d, "SELECT last_ok_at_ms FROM webhook_endpoint WHERE id = '" ID "'"), 0);
}
END_TEST

/* Another process had the lease meanwhile, delivered, and gave it back. */
static void
somebody_else_delivers(void)
{
	db_text(&d, "UPDATE event_delivery SET state = 2, attempts = attempts + 1, last_status = 200 "
	    "WHERE endpoint_id = '" ID "'");
	db_text(&d, "UPDATE jobs_lease SET holder = '', until_ms = 0 WHERE name = 'endpoint:" ID "'");
}

/* Frozen past its lease, and thawed when it is free again. */
START_TEST(whose_lease_was_somebody_elses_starts_over)
{
	answer(500, "");
	write_now();
	answer(500, "");
	somebody_else_delivers();
	outlet.renew_at_us = 0;
	outlet_renew(&d.op, &post, &outlet);
	ck_assert(outlet.held && outlet.active);
	ck_assert_uint_eq(window_n(outlet.window), 0);
	write_now();
	outlet_load(&d.op, &post, &outlet);
	ck_assert_uint_eq(window_n(outlet.window), 0);
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*)" OF_MINE " AND state = 2 AND last_status = 200"), 3);
}
END_TEST

/* Late, though nobody else had it: it goes on. */
START_TEST(whose_lease_nobody_took_goes_on)
{
	answer(204, "");
	db_text(&d, "UPDATE jobs_lease SET until_ms = 5 WHERE name = 'endpoint:" ID "'");
	outlet.renew_at_us = 0;
	outlet_renew(&d.op, &post, &outlet);
	ck_assert(outlet.held);
	ck_assert_uint_eq(window_n(outlet.window), 3);
	write_now();
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*)" OF_MINE " AND state = 2"), 1);
}
END_TEST

/* Whatever a process believes: what was delivered is not to be tried again. */
START_TEST(what_was_delivered_never_goes_back)
{
	answer(500, "");
	db_text(&d, "UPDATE event_delivery SET state = 2, last_status = 200 WHERE endpoint_id = '" ID "'");
	write_now();
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*)" OF_MINE " AND state = 2 AND last_status = 200"), 3);
}
END_TEST

START_TEST(recovery_makes_everything_due)
{
	answer(500, "");
	answer(400, "");                           /* test-outlet-3: state 1 */
	write_now();
	db_text(&d, "UPDATE webhook_endpoint SET down_since_ms = 5, probe_at_ms = 6 WHERE id = '" ID "'");
	outlet_recover(&outlet);
	write_now();
	ck_assert(!outlet.recovering);
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*)" OF_MINE " AND state = 0 AND due_at_ms = 0 "
	    "AND first_try_at_ms = 0 AND next_try_at_ms = 0"), 3);
	ck_assert_int_eq(db_number(&d, "SELECT SUM(attempts)" OF_MINE), 2);
	ck_assert_int_eq(db_number(&d, "SELECT down_since_ms + probe_at_ms FROM webhook_endpoint "
	    "WHERE id = '" ID "'"), 0);
	outlet_load(&d.op, &post, &outlet);
	ck_assert_int_eq(window_ready(outlet.window)->pos, 900000001);
	ck_assert_int_eq(window_ready(outlet.window)->next->pos, 900000003);
}
END_TEST

START_TEST(given_back)
{
	outlet_release(&d.op, &post, &outlet);
	ck_assert(!outlet.held);
	ck_assert_int_eq(db_number(&d, "SELECT until_ms FROM jobs_lease WHERE name = 'endpoint:" ID "'"), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("jobs/outlet");
	TCase *tc = tcase_create("outlet");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, taken);
	tcase_add_test(tc, failed);
	tcase_add_test(tc, refused_and_unanswered);
	tcase_add_test(tc, whose_lease_is_gone_writes_nothing);
	tcase_add_test(tc, whose_lease_was_somebody_elses_starts_over);
	tcase_add_test(tc, whose_lease_nobody_took_goes_on);
	tcase_add_test(tc, what_was_delivered_never_goes_back);
	tcase_add_test(tc, recovery_makes_everything_due);
	tcase_add_test(tc, given_back);
	suite_add_tcase(s, tc);
	return db_main(s);
}

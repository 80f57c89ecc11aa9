/* Leases, heartbeats and lag on a real server.
 * SPDX-License-Identifier: MIT */
#include "store/jobs_store.h"

#include <sys/wait.h>
#include <unistd.h>

#include "support/db.h"

static struct db d, other;

static void
forget(void)
{
	db_text(&d, "DELETE FROM jobs_lease WHERE name LIKE 'test%'");
	db_text(&d, "DELETE FROM jobs_process");
	db_text(&d, "DELETE FROM event WHERE room_id LIKE 'test-jobs%'");
	db_text(&d, "DELETE FROM event_delivery WHERE room_id LIKE 'test-jobs%'");
	db_text(&d, "DELETE FROM webhook_endpoint WHERE id LIKE 'test%'");
	db_text(&d, "DELETE FROM rtc_room WHERE room_id LIKE 'test-jobs%'");
}

static void
set_up(void)
{
	d = db_open(NULL);
	other = db_open(NULL);
	forget();
}

static void
tear_down(void)
{
	forget();
	db_close(&other);
	db_close(&d);
}

static struct lease
ask(struct db *db, struct str name, struct str holder, int64_t ttl_ms)
{
	struct lease l = { 0 };

	ck_assert_int_eq(jobs_store_lease(&db->op, db->l, name, holder, ttl_ms, &l), ERR_OK);
	return l;
}

START_TEST(one_has_it_and_renews_it)
{
	int64_t first, second;

	ck_assert(ask(&d, S("test"), S("me"), 60000).held);
	first = db_number(&d, "SELECT until_ms FROM jobs_lease WHERE name = 'test'");
	ck_assert(!ask(&other, S("test"), S("you"), 60000).held);
	ck_assert(ask(&other, S("test2"), S("you"), 60000).held);
	(void)usleep(5000);
	ck_assert(ask(&d, S("test"), S("me"), 60000).held);
	second = db_number(&d, "SELECT until_ms FROM jobs_lease WHERE name = 'test'");
	ck_assert_int_gt(second, first);
	ck_assert(!ask(&other, S("test"), S("you"), 60000).held);
}
END_TEST

START_TEST(it_is_free_when_its_time_is_over_or_it_was_given_back)
{
	ck_assert(ask(&d, S("test"), S("me"), 100).held);
	ck_assert(!ask(&other, S("test"), S("you"), 60000).held);
	(void)usleep(110000);
	ck_assert(ask(&other, S("test"), S("you"), 60000).held);
	ck_assert(!ask(&d, S("test"), S("me"), 60000).held);
	/* Only one's own can be given back. */
	ck_assert_int_eq(jobs_store_release(&d.op, d.l, S("test"), S("me")), ERR_OK);
	ck_assert(!ask(&d, S("test"), S("me"), 60000).held);
	ck_assert_int_eq(jobs_store_release(&d.op, other.l, S("test"), S("you")), ERR_OK);
	ck_assert(ask(&d, S("test"), S("me"), 60000).held);
}
END_TEST

/* Renewed past its time it is one's own still, unless somebody else had it: what its holder knew is old then. */
START_TEST(it_says_when_somebody_else_may_have_had_it)
{
	ck_assert(!ask(&d, S("test"), S("me"), 60000).kept);
	ck_assert(ask(&d, S("test"), S("me"), 60000).kept);
	ck_assert(ask(&d, S("test"), S("me"), 100).kept);
	(void)usleep(110000);
	ck_assert(ask(&d, S("test"), S("me"), 100).kept);
	(void)usleep(110000);
	ck_assert(ask(&other, S("test"), S("you"), 60000).held);
	ck_assert(!ask(&d, S("test"), S("me"), 60000).kept);
	ck_assert_int_eq(jobs_store_release(&other.op, other.l, S("test"), S("you")), ERR_OK);
	ck_assert(!ask(&d, S("test"), S("me"), 60000).kept);
	ck_assert(ask(&d, S("test"), S("me"), 60000).kept);
	db_text(&other, "DELETE FROM jobs_lease WHERE name = 'test'");
	ck_assert(!ask(&d, S("test"), S("me"), 60000).kept);
}
END_TEST

START_TEST(now_is_the_databases)
{
	int64_t before = db_number(&d, "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000");
	struct lease l = ask(&d, S("test"), S("me"), 60000);

	ck_assert_int_ge(l.now_ms, before);
	ck_assert_int_lt(l.now_ms, before + 5000);
	ck_assert_int_ge(db_number(&d, "SELECT until_ms FROM jobs_lease WHERE name = 'test'"), before + 60000);
}
END_TEST

/* What a holder does on the strength of its lease. */
struct work { struct str holder; bool held; int64_t before, set; };

static enum err
work_in_tx(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct work *w = arg;
	struct lease lease;
	enum err e;

	if ((e = jobs_store_hold(op, l, S("test"), w->holder, &lease)) != ERR_OK)
		return e;
	w->held = lease.held;
	w->before = lease.value;
	*rollback_out = !lease.held;
	return lease.held ? jobs_store_set_value(op, l, S("test"), w->set) : ERR_OK;
}

START_TEST(a_frozen_holder_writes_nothing)
{
	struct work mine = { .holder = S("me"), .set = 7 }, yours = { .holder = S("you"), .set = 9 };

	ck_assert(ask(&d, S("test"), S("me"), 100).held);
	ck_assert_int_eq(tx_run(&d.op, d.l, work_in_tx, &mine), ERR_OK);
	ck_assert(mine.held && mine.before == 0);
	(void)usleep(110000);
	/* Over, but nobody has taken it. */
	mine.set = 8;
	ck_assert_int_eq(tx_run(&d.op, d.l, work_in_tx, &mine), ERR_OK);
	ck_assert(mine.held && mine.before == 7);
	(void)usleep(110000);
	ck_assert(ask(&other, S("test"), S("you"), 60000).held);
	mine.set = 100;
	ck_assert_int_eq(tx_run(&d.op, d.l, work_in_tx, &mine), ERR_OK);
	ck_assert(!mine.held);
	ck_assert_int_eq(tx_run(&other.op, other.l, work_in_tx, &yours), ERR_OK);
	ck_assert(yours.held && yours.before == 8);
	ck_assert_int_eq(ask(&other, S("test"), S("you"), 60000).value, 9);
}
END_TEST

/* While the holder's transaction runs, nobody takes its lease away: the other one waits for the commit. */
static enum err
slow_work(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	enum err e = work_in_tx(op, l, arg, rollback_out);

	(void)usleep(300000);
	return e;
}

START_TEST(a_lease_cannot_be_taken_during_the_holders_transaction)
{
	struct work mine = { .holder = S("me"), .set = 5 };
	struct lease l;
	int status;
	pid_t pid;

	ck_assert(ask(&d, S("test"), S("me"), 100).held);
	(void)usleep(110000);
	if ((pid = fork()) == 0) {
		struct db own = db_open(NULL);

		_exit(tx_run(&own.op, own.l, slow_work, &mine) == ERR_OK && mine.held ? 0 : 1);
	}
	(void)usleep(100000);
	l = ask(&other, S("test"), S("you"), 60000);
	ck_assert(l.held);
	ck_assert_int_eq(l.value, 5);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(of_many_only_one_gets_it)
{
	enum { N = 8 };
	int n_held = 0, status;
	pid_t pids[N];

	for (int i = 0; i < N; i++) {
		if ((pids[i] = fork()) == 0) {
			struct db own = db_open(NULL);
			char name[8];
			bool held = false;

			(void)snprintf(name, sizeof(name), "p%d", i);
			for (int k = 0; k < 20; k++)
				held = ask(&own, S("test"), str_of(name), 60000).held || held;
			_exit(held ? 1 : 0);
		}
	}
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
		n_held += WEXITSTATUS(status);
	}
	ck_assert_int_eq(n_held, 1);
}
END_TEST

static struct jobs_lag
lag(void)
{
	struct jobs_lag l;

	ck_assert_int_eq(jobs_store_lag(&d.op, d.l, &l), ERR_OK);
	return l;
}

static void
beat(struct str id, struct str instance)
{
	struct beat b = { .id = id, .instance = instance, .task = S("deliver"), .host = S("here"), .pid = 12,
	    .version = S("1.2.3") };

	ck_assert_int_eq(jobs_store_beat(&d.op, d.l, &b), ERR_OK);
}

START_TEST(heartbeats)
{
	ck_assert_int_eq(lag().alive, 0);
	beat(S("a"), S("one"));
	beat(S("b"), S("one"));
	beat(S("c"), S("two"));
	ck_assert_int_eq(lag().alive, 2);
	db_text(&d, "UPDATE jobs_process SET beat_at_ms = beat_at_ms - 20000, started_at_ms = 1 WHERE id = 'c'");
	ck_assert_int_eq(lag().alive, 1);
	beat(S("c"), S("two"));
	ck_assert_int_eq(lag().alive, 2);
	ck_assert_int_eq(db_number(&d, "SELECT started_at_ms FROM jobs_process WHERE id = 'c'"), 1);
	ck_assert_int_eq(jobs_store_gone(&d.op, d.l, S("c")), ERR_OK);
	ck_assert_int_eq(lag().alive, 1);
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*) FROM jobs_process"), 2);
}
END_TEST

#define NOW "(SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)"

START_TEST(late_deadlines)
{
	/* What other tests left in this database is not due here. */
	db_text(&d, "UPDATE rtc_room SET next_deadline_ms = 0");
	ck_assert_int_eq(lag().oldest_deadline_s, 0);
	db_text(&d, "INSERT INTO rtc_room (room_id, creator, status, next_deadline_ms) VALUES "
	    "('test-jobs-1', 'u', 0, " NOW " + 60000), ('test-jobs-2', 'u', 0, 0), ('test-jobs-3', 'u', 2, 5)");
	ck_assert_int_eq(lag().oldest_deadline_s, 0);
	db_text(&d, "INSERT INTO rtc_room (room_id, creator, status, next_deadline_ms) VALUES "
	    "('test-jobs-4', 'u', 1, " NOW " - 40500), ('test-jobs-5', 'u', 0, " NOW " - 7000)");
	ck_assert_int_ge(lag().oldest_deadline_s, 40);
	ck_assert_int_le(lag().oldest_deadline_s, 45);
}
END_TEST

#define DELIVERY "INSERT INTO event_delivery (endpoint_id, pos, event_no, room_id, type, state, due_at_ms, " \
	"created_at_ms) VALUES "

START_TEST(late_events)
{
	db_text(&d, "INSERT INTO webhook_endpoint (id, url, state, down_since_ms) VALUES ('test-well', '', 'active', 0), "
	    "('test-down', '', 'active', 5), ('test-gone', '', 'removed', 0), ('test-off', '', 'disabled', 0)");
	/* None of these is late: taken, tried again aside, or its receiver is not to be waited for. */
	db_text(&d, DELIVERY "('test-well', 1, 1, 'test-jobs', 't', 2, 0, 1), ('test-well', 2, 1, 'test-jobs', 't', 1, 9, 1), "
	    "('test-well', 3, 1, 'test-jobs', 't', 3, 0, 1), ('test-down', 1, 1, 'test-jobs', 't', 0, 0, 1), "
	    "('test-gone', 1, 1, 'test-jobs', 't', 0, 0, 1), ('test-off', 1, 1, 'test-jobs', 't', 0, 0, 1)");
	db_text(&d, "INSERT INTO event (event_id, room_id, seq, type, uid, data, created_at_ms, pos) VALUES "
	    "('test-jobs-1', 'test-jobs', 1, 't', '', '', 1, 77777)");
	ck_assert_int_eq(lag().oldest_event_s, 0);
	db_text(&d, DELIVERY "('test-well', 5, 1, 'test-jobs', 't', 0, 0, " NOW " - 20500), "
	    "('test-well', 6, 1, 'test-jobs', 't', 0, 0, " NOW " - 10000)");
	ck_assert_int_ge(lag().oldest_event_s, 20);
	ck_assert_int_le(lag().oldest_event_s, 25);
	db_text(&d, "INSERT INTO event (event_id, room_id, seq, type, uid, data, created_at_ms, pos) VALUES "
	    "('test-jobs-2', 'test-jobs', 2, 't', '', '', " NOW " - 50500, 0)");
	ck_assert_int_ge(lag().oldest_event_s, 50);
	ck_assert_int_le(lag().oldest_event_s, 55);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("db/jobs_store");
	TCase *tc = tcase_create("jobs_store");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, one_has_it_and_renews_it);
	tcase_add_test(tc, it_is_free_when_its_time_is_over_or_it_was_given_back);
	tcase_add_test(tc, it_says_when_somebody_else_may_have_had_it);
	tcase_add_test(tc, now_is_the_databases);
	tcase_add_test(tc, a_frozen_holder_writes_nothing);
	tcase_add_test(tc, a_lease_cannot_be_taken_during_the_holders_transaction);
	tcase_add_test(tc, of_many_only_one_gets_it);
	tcase_add_test(tc, heartbeats);
	tcase_add_test(tc, late_deadlines);
	tcase_add_test(tc, late_events);
	suite_add_tcase(s, tc);
	return db_main(s);
}

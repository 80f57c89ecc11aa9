/* Transactions on a real server: deadlocks, links that die at each step, commits nobody can answer for.
 * SPDX-License-Identifier: MIT */
#include "sql/sql.h"

#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/db.h"

static const struct sql_stmt BUMP = {
	.name = "bump", .text = "UPDATE t_tx SET n = n + 1 WHERE id = ?",
};
static const struct sql_stmt INSERT = {
	.name = "insert", .text = "INSERT INTO t_tx (id, n) VALUES (?, 1)",
};

static struct db d, other;
static char log_path[] = "test_tx.log.XXXXXX";

static void
set_up(void)
{
	int fd = mkstemp(log_path);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	d = db_open(log_path);
	other = db_open(NULL);
	db_text(&d, "DROP TABLE IF EXISTS t_tx");
	db_text(&d, "CREATE TABLE t_tx (id INT PRIMARY KEY, n INT NOT NULL) ENGINE=InnoDB");
	db_text(&d, "INSERT INTO t_tx VALUES (1, 0), (2, 0)");
}

static void
tear_down(void)
{
	db_close(&other);
	db_close(&d);
	(void)unlink(log_path);
}

static int64_t
sum(void)
{
	return db_number(&other, "SELECT SUM(n) FROM t_tx");
}

static enum err
bump(struct op *op, struct sql_link *l, int64_t id)
{
	struct sql_arg arg = sql_i64(id);

	return sql_run(op, l, &BUMP, &arg, 1, NULL);
}

/* What a body shares with its test: how often it ran, and what it does. */
struct plan {
	int n_runs;
	enum err end;                 /* what it returns when all went well */
	bool rollback;
	int kill_at;                  /* before step 0, 1, 2 (= before COMMIT); -1: never */
	int n_kills;                  /* in so many runs */
	bool swallow;                 /* goes on after an error */
};

static enum err
two_steps(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct plan *p = arg;
	int64_t id = p->n_kills > 0 ? db_number(&d, "SELECT CONNECTION_ID()") : 0;

	p->n_runs++;
	*rollback_out = p->rollback;
	for (int step = 0; step <= 2; step++) {
		enum err e = ERR_OK;

		if (step == p->kill_at && p->n_kills-- > 0)
			db_kill(&other, id);
		if (step < 2)
			e = bump(op, l, step + 1);
		if (e != ERR_OK && !p->swallow)
			return e;
	}
	return p->end;
}

START_TEST(commits)
{
	struct plan p = { .kill_at = -1 };
	int before = d.op.n_sql;

	ck_assert_int_eq(tx_run(&d.op, d.l, two_steps, &p), ERR_OK);
	ck_assert_int_eq(p.n_runs, 1);
	ck_assert_int_eq(sum(), 2);
	ck_assert_int_ge(d.op.n_sql - before, 4);            /* START, two updates, COMMIT */
}
END_TEST

START_TEST(an_error_of_the_body_undoes_and_comes_back)
{
	struct plan p = { .kill_at = -1, .end = ERR_ROOM_FULL };

	ck_assert_int_eq(tx_run(&d.op, d.l, two_steps, &p), ERR_ROOM_FULL);
	ck_assert_int_eq(p.n_runs, 1);
	ck_assert_int_eq(sum(), 0);
}
END_TEST

START_TEST(a_body_may_end_without_writing)
{
	struct plan p = { .kill_at = -1, .rollback = true };

	ck_assert_int_eq(tx_run(&d.op, d.l, two_steps, &p), ERR_OK);
	ck_assert_int_eq(sum(), 0);
	p.rollback = false;
	ck_assert_int_eq(tx_run(&d.op, d.l, two_steps, &p), ERR_OK);
	ck_assert_int_eq(sum(), 2);
}
END_TEST

/* Killed once: before the first and the second statement all is done again on a new link. Killed
 * before COMMIT nobody knows: it is not done again. _i counts steps; twice as many with a body that
 * does not look at errors. */
START_TEST(a_link_killed_at_each_step)
{
	struct plan p = { .kill_at = _i % 3, .n_kills = 1, .swallow = _i >= 3 };
	enum err e = tx_run(&d.op, d.l, two_steps, &p);

	if (p.kill_at < 2) {
		ck_assert_int_eq(e, ERR_OK);
		ck_assert_int_eq(p.n_runs, 2);
		ck_assert_int_eq(sum(), 2);
	} else {
		ck_assert_int_eq(e, ERR_OUTCOME_UNKNOWN);
		ck_assert_int_eq(p.n_runs, 1);
		ck_assert_int_eq(sum(), 0);                  /* as it happens */
	}
}
END_TEST

START_TEST(a_link_killed_twice_is_given_up)
{
	struct plan p = { .kill_at = 1, .n_kills = 2 };

	ck_assert_int_eq(tx_run(&d.op, d.l, two_steps, &p), ERR_UNAVAILABLE);
	ck_assert_int_eq(p.n_runs, 2);
	ck_assert_int_eq(sum(), 0);
	ck_assert_int_eq(db_log_count(log_path, "tx_given_up"), 1);
	ck_assert_int_eq(db_log_count(log_path, "\"statement\":\"bump\""), 2);
	ck_assert_int_eq(tx_run(&d.op, d.l, two_steps, &p), ERR_OK);
}
END_TEST

START_TEST(a_link_killed_between_transactions_is_not_noticed)
{
	struct plan p = { .kill_at = -1 };

	db_kill(&other, db_number(&d, "SELECT CONNECTION_ID()"));
	ck_assert_int_eq(tx_run(&d.op, d.l, two_steps, &p), ERR_OK);
	ck_assert_int_eq(p.n_runs, 1);
	ck_assert_int_eq(sum(), 2);
}
END_TEST

static enum err
insert_twice(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	int64_t *id = arg;
	struct sql_arg a = sql_i64(*id);
	enum err e = sql_run(op, l, &INSERT, &a, 1, NULL);

	(void)rollback_out;
	return e != ERR_OK ? e : sql_run(op, l, &INSERT, &a, 1, NULL);
}

START_TEST(a_duplicate_is_the_bodys_business)
{
	int64_t id = 7;

	ck_assert_int_eq(tx_run(&d.op, d.l, insert_twice, &id), ERR_SQL_DUPLICATE);
	ck_assert_int_eq(db_number(&other, "SELECT COUNT(*) FROM t_tx"), 2);
}
END_TEST

/* Two processes lock two rows in opposite order, and meet in between. */
struct meeting {
	pthread_barrier_t barrier;
	int n_runs[2];
	enum err result[2];
};
struct side { struct meeting *m; int me; int runs; };

static enum err
cross(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct side *s = arg;
	enum err e;

	(void)rollback_out;
	s->m->n_runs[s->me]++;
	if ((e = bump(op, l, 1 + s->me)) != ERR_OK)
		return e;
	if (s->runs++ == 0)
		(void)pthread_barrier_wait(&s->m->barrier);
	return bump(op, l, 2 - s->me);
}

static void
cross_in_child(struct meeting *m)
{
	struct db mine = db_open(log_path);
	struct side s = { .m = m, .me = 1 };

	m->result[1] = tx_run(&mine.op, mine.l, cross, &s);
	db_close(&mine);
	_exit(0);
}

START_TEST(a_deadlock_is_repeated_and_both_commit)
{
	struct meeting *m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	    -1, 0);
	pthread_barrierattr_t attr;
	struct side s = { .m = m, .me = 0 };
	pid_t pid;

	ck_assert_ptr_ne(m, MAP_FAILED);
	(void)pthread_barrierattr_init(&attr);
	(void)pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	(void)pthread_barrier_init(&m->barrier, &attr, 2);
	if ((pid = fork()) == 0)
		cross_in_child(m);
	m->result[0] = tx_run(&d.op, d.l, cross, &s);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(m->result[0], ERR_OK);
	ck_assert_int_eq(m->result[1], ERR_OK);
	ck_assert_int_eq(m->n_runs[0] + m->n_runs[1], 3);    /* exactly one was the victim */
	ck_assert_int_eq(sum(), 4);
	ck_assert_int_eq(db_log_count(log_path, "tx_again"), 1);
	ck_assert_int_eq(db_log_count(log_path, "tx_given_up"), 0);
}
END_TEST

/* A lock somebody keeps: 1205 after a second each time, until half of a request's time is used up. */
START_TEST(a_lock_that_never_comes_ends_within_the_budget)
{
	struct plan p = { .kill_at = -1 };
	int64_t start = clock_mono_us(), ms;

	db_text(&other, "START TRANSACTION");
	db_text(&other, "UPDATE t_tx SET n = 100 WHERE id = 2");
	ck_assert_int_eq(tx_run(&d.op, d.l, two_steps, &p), ERR_UNAVAILABLE);
	ms = (clock_mono_us() - start) / 1000;
	ck_assert_int_ge(ms, 2000);
	ck_assert_int_le(ms, 3500);
	/* 1205 undid only the statement; the first update must be gone all the same. */
	db_text(&other, "ROLLBACK");
	ck_assert_int_eq(sum(), 0);
	ck_assert_int_eq(db_log_count(log_path, "tx_given_up"), 1);
}
END_TEST

/* Looks at no error. The second time the row is free. */
static enum err
careless(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	int *n_runs = arg;

	(void)rollback_out;
	if ((*n_runs)++ == 1)
		db_text(&other, "ROLLBACK");
	(void)bump(op, l, 1);
	(void)bump(op, l, 2);
	(void)bump(op, l, 1);
	return ERR_OK;
}

START_TEST(a_body_that_overlooks_a_lock_error_commits_no_half)
{
	int n_runs = 0, before;

	db_text(&other, "START TRANSACTION");
	db_text(&other, "UPDATE t_tx SET n = 100 WHERE id = 2");
	before = d.op.n_sql;
	ck_assert_int_eq(tx_run(&d.op, d.l, careless, &n_runs), ERR_OK);
	ck_assert_int_eq(n_runs, 2);
	ck_assert_int_eq(sum(), 3);
	/* START, two of three, ROLLBACK; START, three, COMMIT: after the error nothing more was sent. */
	ck_assert_int_eq(d.op.n_sql - before, 9);
}
END_TEST

START_TEST(a_read_only_server_is_unavailable)
{
	struct plan p = { .kill_at = -1 };

	/* 1792, as after a failover, without touching the server for everybody. */
	db_text(&d, "SET SESSION TRANSACTION READ ONLY");
	ck_assert_int_eq(tx_run(&d.op, d.l, two_steps, &p), ERR_UNAVAILABLE);
	ck_assert_int_eq(p.n_runs, 1);
	ck_assert_int_eq(sum(), 0);
	/* The next one asks on a new connection, which may lead to the new primary. */
	ck_assert_int_eq(tx_run(&d.op, d.l, two_steps, &p), ERR_OK);
}
END_TEST

/* Falls silent in the middle, its socket open and a row locked, like a host whose cable was pulled, until
 * somebody else has had the row; then it goes on, like a process that was frozen. */
struct silence { int n_runs; enum err others; };

static enum err
bump_first(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	(void)arg;
	(void)rollback_out;
	return bump(op, l, 1);
}

static enum err
silent_in_between(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	int64_t until_us = clock_mono_us() + 20 * 1000000;
	struct silence *s = arg;
	enum err e;

	(void)rollback_out;
	if ((e = bump(op, l, 1)) != ERR_OK)
		return e;
	if (s->n_runs++ == 0)
		do
			s->others = tx_run(&other.op, other.l, bump_first, NULL);
		while (s->others == ERR_UNAVAILABLE && clock_mono_us() < until_us);
	return bump(op, l, 2);
}

START_TEST(who_falls_silent_in_a_transaction_loses_its_locks)
{
	struct silence s = { 0 };

	ck_assert_int_eq(tx_run(&d.op, d.l, silent_in_between, &s), ERR_UNAVAILABLE);
	ck_assert_int_eq(s.others, ERR_OK);
	ck_assert_int_eq(sum(), 1);
	/* Its time was over; the next one goes as ever. */
	ck_assert_int_eq(tx_run(&d.op, d.l, silent_in_between, &s), ERR_OK);
	ck_assert_int_eq(sum(), 3);
}
END_TEST

/* A relay between client and server that lets COMMIT pass and keeps the answer for itself. */
static void
relay(int client, int server)
{
	struct pollfd p[2] = { { .fd = client, .events = POLLIN }, { .fd = server, .events = POLLIN } };
	static char buf[65536];
	bool committing = false;

	while (poll(p, 2, -1) > 0) {
		int from = p[0].revents != 0 ? 0 : 1;
		ssize_t n = read(p[from].fd, buf, sizeof(buf));

		if (n <= 0 || (committing && from == 1))
			_exit(0);
		/* 3 = a query; the set-up has "READ COMMITTED" in it. */
		committing = from == 0 && memmem(buf, (size_t)n, "\003COMMIT", 7) != NULL;
		if (write(p[1 - from].fd, buf, (size_t)n) != n)
			_exit(1);
	}
	_exit(1);
}

static int
unix_socket(const char *path, bool listening)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (listening)
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)) | listen(fd, 4), 0);
	else
		ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

START_TEST(a_commit_whose_answer_is_lost_is_unknown_and_not_repeated)
{
	struct str real = d.conf->db_socket;
	struct plan p = { .kill_at = -1 };
	char path[64];
	int listener;
	pid_t pid;

	(void)snprintf(path, sizeof(path), "test_tx.%ld.sock", (long)getpid());
	listener = unix_socket(path, true);
	if ((pid = fork()) == 0)
		relay(accept(listener, NULL, NULL), unix_socket(arena_z(d.op.arena, real), false));
	d.conf->db_socket = str_of(path);
	sql_close(d.l);
	d.l = sql_open(d.conf);
	ck_assert_int_eq(tx_run(&d.op, d.l, two_steps, &p), ERR_OUTCOME_UNKNOWN);
	(void)unlink(path);
	(void)close(listener);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(p.n_runs, 1);
	ck_assert_int_eq(sum(), 2);                          /* it was done, once */
}
END_TEST

/* A relay that, once told, ends its half towards the client as a server's kernel does on TCP: what the client
 * sends is taken, and nobody reads it. */
static void
relay_that_leaves(int client, int server, int told)
{
	struct pollfd p[3] = { { .fd = client, .events = POLLIN }, { .fd = server, .events = POLLIN },
		{ .fd = told, .events = POLLIN } };
	static char buf[65536];

	while (poll(p, 3, -1) > 0 && p[2].revents == 0) {
		int from = p[0].revents != 0 ? 0 : 1;
		ssize_t n = read(p[from].fd, buf, sizeof(buf));

		if (n <= 0 || write(p[1 - from].fd, buf, (size_t)n) != n)
			_exit(1);
	}
	(void)close(server);
	if (shutdown(client, SHUT_WR) != 0 || write(told, "", 1) != 1)
		_exit(1);
	while (read(client, buf, sizeof(buf)) > 0)
		continue;
	_exit(0);
}

/* It lay idle for longer than the server keeps it: a single write must not go to nobody. */
START_TEST(a_link_the_server_closed_is_not_written_to)
{
	struct sql_arg arg = sql_i64(1);
	char path[64], said;
	int listener, told[2], status;
	pid_t pid;

	(void)snprintf(path, sizeof(path), "test_tx.%ld.sock", (long)getpid());
	listener = unix_socket(path, true);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, told), 0);
	if ((pid = fork()) == 0)
		relay_that_leaves(accept(listener, NULL, NULL),
		    unix_socket(arena_z(d.op.arena, other.conf->db_socket), false), told[1]);
	d.conf->db_socket = str_of(path);
	sql_close(d.l);
	d.l = sql_open(d.conf);
	ck_assert_int_eq(sql_run(&d.op, d.l, &BUMP, &arg, 1, NULL), ERR_OK);
	d.conf->db_socket = other.conf->db_socket;
	ck_assert_int_eq(write(told[0], "", 1), 1);
	ck_assert_int_eq(read(told[0], &said, 1), 1);
	ck_assert_int_eq(sql_run(&d.op, d.l, &BUMP, &arg, 1, NULL), ERR_OK);
	ck_assert_int_eq(sum(), 2);
	(void)unlink(path);
	(void)close(listener);
	(void)close(told[0]);
	(void)close(told[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(without_a_server_it_is_unavailable_at_once)
{
	struct plan p = { .kill_at = -1 };
	int64_t start = clock_mono_us();

	d.conf->db_socket = S("no-such-socket");
	sql_close(d.l);
	d.l = sql_open(d.conf);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(tx_run(&d.op, d.l, two_steps, &p), ERR_UNAVAILABLE);
	ck_assert_int_eq(p.n_runs, 0);
	ck_assert_int_lt(clock_mono_us() - start, 500000);
	ck_assert_int_eq(db_log_count(log_path, "tx_given_up"), 0);
	ck_assert_int_eq(db_log_count(log_path, "db_unavailable"), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("db/tx");
	TCase *tc = tcase_create("tx");

	tcase_set_timeout(tc, 40);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, commits);
	tcase_add_test(tc, an_error_of_the_body_undoes_and_comes_back);
	tcase_add_test(tc, a_body_may_end_without_writing);
	tcase_add_loop_test(tc, a_link_killed_at_each_step, 0, 6);
	tcase_add_test(tc, a_link_killed_twice_is_given_up);
	tcase_add_test(tc, a_link_killed_between_transactions_is_not_noticed);
	tcase_add_test(tc, a_duplicate_is_the_bodys_business);
	tcase_add_test(tc, a_deadlock_is_repeated_and_both_commit);
	tcase_add_test(tc, a_lock_that_never_comes_ends_within_the_budget);
	tcase_add_test(tc, a_body_that_overlooks_a_lock_error_commits_no_half);
	tcase_add_test(tc, a_read_only_server_is_unavailable);
	tcase_add_test(tc, who_falls_silent_in_a_transaction_loses_its_locks);
	tcase_add_test(tc, a_commit_whose_answer_is_lost_is_unknown_and_not_repeated);
	tcase_add_test(tc, a_link_the_server_closed_is_not_written_to);
	tcase_add_test(tc, without_a_server_it_is_unavailable_at_once);
	suite_add_tcase(s, tc);
	return db_main(s);
}

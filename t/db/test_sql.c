/* The sql room on a real server: what goes in comes out, and what every failure is called.
 * SPDX-License-Identifier: MIT */
#include "sql/sql.h"

#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/db.h"

struct row {
	int64_t id, big;
	int tiny;
	bool flag;
	struct str name, body, at_local;
};

static const struct sql_col ROW_COLS[] = {
	SQL_COL(struct row, id), SQL_COL(struct row, big), SQL_COL(struct row, tiny),
	SQL_COL(struct row, flag), SQL_COL(struct row, name), SQL_COL(struct row, body),
	SQL_COL(struct row, at_local),
};
static const struct sql_stmt GET = {
	.name = "get",
	.text = "SELECT id, big, tiny, flag, name, body, at_local FROM t_sql WHERE id = ?",
	.cols = ROW_COLS, .n_cols = N_ELEMS(ROW_COLS),
};
static const struct sql_stmt LIST = {
	.name = "list",
	.text = "SELECT id, big, tiny, flag, name, body, at_local FROM t_sql WHERE id IN ({}) ORDER BY id",
	.unit = "?",
	.cols = ROW_COLS, .n_cols = N_ELEMS(ROW_COLS),
};
static const struct sql_stmt PUT = {
	.name = "put",
	.text = "INSERT INTO t_sql (id, big, tiny, flag, name, body, at_local) VALUES (?, ?, ?, ?, ?, ?, ?)",
};
static const struct sql_stmt PUT_MANY = {
	.name = "put_many", .text = "INSERT INTO t_sql (id, name) VALUES {}", .unit = "(?,?)",
};
static const struct sql_stmt UPSERT = {
	.name = "upsert",
	.text = "INSERT INTO t_sql (id, big) VALUES (?, 1) ON DUPLICATE KEY UPDATE big = big + 1",
};
static const struct sql_stmt ADD = {
	.name = "add", .text = "INSERT INTO t_auto (name) VALUES (?)",
};

static struct db d;

static void
set_up(void)
{
	d = db_open(NULL);
	db_text(&d, "DROP TABLE IF EXISTS t_sql");
	db_text(&d, "DROP TABLE IF EXISTS t_auto");
	db_text(&d, "CREATE TABLE t_sql (id BIGINT UNSIGNED PRIMARY KEY, big BIGINT NULL,"
	    " tiny TINYINT UNSIGNED NULL, flag TINYINT(1) NULL, name VARCHAR(100) NULL,"
	    " body LONGTEXT NULL, at_local DATETIME(3) NULL)"
	    " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin");
	db_text(&d, "CREATE TABLE t_auto (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(9) NOT NULL)");
}

static void
tear_down(void)
{
	db_close(&d);
}

static void
check_str(struct str got, struct str want)
{
	ck_assert_msg(str_eq(got, want), "%zu bytes \"%.40s\", want %zu", got.len, got.at, want.len);
}

static void
put(int64_t id, int64_t big, int64_t tiny, struct str name, struct str body)
{
	struct sql_arg args[] = { sql_i64(id), sql_i64(big), sql_i64(tiny), sql_i64(tiny != 0), sql_str(name),
	    sql_str(body), sql_str(S("2026-11-21 03:35:16.123")) };
	struct sql_done done = { 0 };

	ck_assert_int_eq(sql_run(&d.op, d.l, &PUT, args, N_ELEMS(args), &done), ERR_OK);
	ck_assert_int_eq(done.n_affected, 1);
}

static struct row
get(int64_t id)
{
	struct sql_arg arg = sql_i64(id);
	struct row r = { 0 };
	bool found = false;

	ck_assert_int_eq(sql_one(&d.op, d.l, &GET, &arg, 1, &r, &found), ERR_OK);
	ck_assert(found);
	return r;
}

static const int64_t NUMBERS[] = { 0, 1, -1, INT_MAX, INT_MIN, INT64_MAX, INT64_MIN };

START_TEST(numbers_come_back)
{
	struct row r;

	put(1, NUMBERS[_i], 255, S("n"), S(""));
	r = get(1);
	ck_assert_int_eq(r.big, NUMBERS[_i]);
	ck_assert_int_eq(r.tiny, 255);
	ck_assert(r.flag);
	check_str(r.at_local, S("2026-11-21 03:35:16.123"));
}
END_TEST

/* Around the length that is fetched at once, around packets, and large. */
static const size_t LENGTHS[] = { 0, 1, 63, 64, 65, 255, 256, 65535, 65536, 1000000 };

START_TEST(texts_of_any_length_come_back)
{
	size_t n = LENGTHS[_i];
	char *at = arena_alloc(d.op.arena, n + 1);
	struct row r;

	for (size_t i = 0; i < n; i++)
		at[i] = (char)('a' + i % 26);
	put(1, 0, 0, S(""), (struct str){ at, n });
	put(2, 0, 0, S("short"), S("after a long one"));
	r = get(1);
	check_str(r.body, (struct str){ at, n });
	ck_assert_int_eq(r.body.at[n], '\0');
	check_str(get(2).body, S("after a long one"));
}
END_TEST

START_TEST(bytes_and_characters_come_back)
{
	struct str odd = S("it's \"x\" \\ \n \0 ? {} %s 呼叫 📞");

	put(1, 0, 0, odd, odd);
	check_str(get(1).name, odd);
	check_str(get(1).body, odd);
}
END_TEST

START_TEST(null_reads_as_nothing)
{
	struct row r;

	put(2, 7, 7, S("seven"), S("seven"));
	db_text(&d, "INSERT INTO t_sql (id) VALUES (1)");
	(void)get(2);                                /* leaves other values in the library's buffers */
	r = get(1);
	ck_assert_int_eq(r.big, 0);
	ck_assert_int_eq(r.tiny, 0);
	ck_assert(!r.flag);
	check_str(r.name, S(""));
	check_str(r.body, S(""));
	ck_assert_ptr_nonnull(r.body.at);
}
END_TEST

START_TEST(null_after_a_value_reads_as_nothing)
{
	struct sql_arg ids[] = { sql_i64(1), sql_i64(2), sql_i64(3) };
	struct row *rows = NULL;
	size_t n = 0;

	put(1, 7, 7, S("seven"), S("seven"));
	db_text(&d, "INSERT INTO t_sql (id) VALUES (2)");
	put(3, 8, 8, S("eight"), S("eight"));
	ck_assert_int_eq(sql_all(&d.op, d.l, &LIST, ids, 3, sizeof(*rows), &rows, &n), ERR_OK);
	ck_assert_uint_eq(n, 3);
	ck_assert_int_eq(rows[1].big, 0);
	ck_assert(!rows[1].flag);
	check_str(rows[1].name, S(""));
	ck_assert_int_eq(rows[2].big, 8);
	check_str(rows[2].body, S("eight"));
}
END_TEST

START_TEST(not_found_is_a_flag)
{
	struct sql_arg arg = sql_i64(99);
	struct row r = { .big = 5 };
	bool found = true;

	ck_assert_int_eq(sql_one(&d.op, d.l, &GET, &arg, 1, &r, &found), ERR_OK);
	ck_assert(!found);
	ck_assert_int_eq(r.big, 5);
}
END_TEST

START_TEST(a_number_too_large_is_an_error_and_not_another_number)
{
	struct sql_arg arg = sql_i64(1);
	struct row r;
	bool found;

	db_text(&d, "ALTER TABLE t_sql MODIFY tiny BIGINT");
	db_text(&d, "INSERT INTO t_sql (id, tiny) VALUES (1, 2147483648)");
	ck_assert_int_eq(sql_one(&d.op, d.l, &GET, &arg, 1, &r, &found), ERR_INTERNAL);
	db_text(&d, "UPDATE t_sql SET tiny = 2147483647");
	ck_assert_int_eq(get(1).tiny, INT_MAX);
	ck_assert_int_eq(db_number(&d, "SELECT CAST(SUM(tiny) AS SIGNED) FROM t_sql"), INT_MAX);
	ck_assert_int_eq(db_number(&d, "SELECT SUM(tiny) FROM t_sql"), INT_MAX);
}
END_TEST

static const size_t LISTS[] = { 1, 2, 8, 9, 999 };

START_TEST(lists_of_any_length)
{
	size_t n = LISTS[_i], n_rows = 0;
	struct sql_arg *args = arena_array(d.op.arena, 2 * n, sizeof(*args));
	struct sql_done done = { 0 };
	struct row *rows = NULL;

	for (size_t i = 0; i < n; i++) {
		args[2 * i] = sql_i64((int64_t)i + 1);
		args[2 * i + 1] = sql_str(arena_printf(d.op.arena, "name %zu", i + 1));
	}
	ck_assert_int_eq(sql_run(&d.op, d.l, &PUT_MANY, args, 2 * n, &done), ERR_OK);
	ck_assert_int_eq(done.n_affected, (int64_t)n);
	for (size_t i = 0; i < n; i++)
		args[i] = sql_i64((int64_t)i + 1);
	for (int round = 0; round < 2; round++) {            /* the second time from the cache */
		ck_assert_int_eq(sql_all(&d.op, d.l, &LIST, args, n, sizeof(*rows), &rows, &n_rows), ERR_OK);
		ck_assert_uint_eq(n_rows, n);
		for (size_t i = 0; i < n; i++)
			check_str(rows[i].name, arena_printf(d.op.arena, "name %zu", i + 1));
	}
}
END_TEST

/* Handles the server holds for this connection. */
static int64_t
n_prepared(void)
{
	return db_number(&d, "SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM"
	    " information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'COM_STMT_PREPARE'") -
	    db_number(&d, "SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM"
	    " information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'COM_STMT_CLOSE'");
}

START_TEST(short_lists_stay_prepared_and_long_ones_do_not)
{
	struct sql_arg args[9] = { 0 };
	struct row *rows;
	size_t n;
	int64_t before = n_prepared();

	for (int round = 0; round < 3; round++)
		for (size_t k = 1; k <= 9; k++)
			ck_assert_int_eq(sql_all(&d.op, d.l, &LIST, args, k, sizeof(*rows), &rows, &n), ERR_OK);
	ck_assert_int_eq(n_prepared() - before, 8);
}
END_TEST

START_TEST(a_statement_made_at_run_time_is_never_kept)
{
	struct sql_stmt s = { .name = "once", .cols = ROW_COLS, .n_cols = 1, .once = true };
	const char *texts[] = { "SELECT 1", "SELECT 2" };
	struct row r;
	bool found;

	for (int i = 0; i < 2; i++) {
		s.text = texts[i];
		ck_assert_int_eq(sql_one(&d.op, d.l, &s, NULL, 0, &r, &found), ERR_OK);
		ck_assert_int_eq(r.id, i + 1);
	}
}
END_TEST

START_TEST(counts_and_ids)
{
	struct sql_arg id = sql_i64(1), name = sql_str(S("x"));
	struct sql_done done = { 0 };

	ck_assert_int_eq(sql_run(&d.op, d.l, &UPSERT, &id, 1, &done), ERR_OK);
	ck_assert_int_eq(done.n_affected, 1);
	ck_assert_int_eq(sql_run(&d.op, d.l, &UPSERT, &id, 1, &done), ERR_OK);
	ck_assert_int_eq(done.n_affected, 2);
	ck_assert_int_eq(sql_run(&d.op, d.l, &ADD, &name, 1, &done), ERR_OK);
	ck_assert_int_eq(done.insert_id, 1);
	ck_assert_int_eq(sql_run(&d.op, d.l, &ADD, &name, 1, &done), ERR_OK);
	ck_assert_int_eq(done.insert_id, 2);
}
END_TEST

START_TEST(cost_is_counted)
{
	int before = d.op.n_sql;

	put(1, 0, 0, S(""), S(""));
	(void)get(1);
	ck_assert_int_eq(d.op.n_sql - before, 2);
	ck_assert_int_gt(d.op.db_us, 0);
}
END_TEST

static enum err
do_nothing(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	(void)rollback_out;
	return sql_run(op, l, &UPSERT, arg, 1, NULL);
}

START_TEST(times_and_failures_are_counted)
{
	struct sql_arg twice[] = { sql_i64(1), sql_str(S("a")), sql_i64(1), sql_str(S("b")) }, one = sql_i64(5);
	struct meter *m = d.op.meter = meter_new(1);
	static char text[1 << 18];
	struct strbuf b;

	ck_assert_int_eq(sql_run(&d.op, d.l, &PUT_MANY, twice, 4, NULL), ERR_SQL_DUPLICATE);
	ck_assert_int_eq(tx_run(&d.op, d.l, do_nothing, &one), ERR_OK);
	strbuf_init(&b, text, sizeof(text));
	meter_print(m, &b);
	ck_assert_ptr_nonnull(strstr(text, "tgo_sql_errors_total{kind=\"duplicate\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text, "tgo_sql_seconds_count{step=\"commit\"} 1\n"));
	ck_assert_int_eq(meter_total(m, METER_SQL_ERRORS), 1);
	ck_assert_int_ge(meter_total(m, METER_SQL_TIME), 4);
	d.op.meter = NULL;
	meter_free(m);
}
END_TEST

/* A second for an answer, and nothing more is sent when the time is over: no second try either. */
START_TEST(a_link_in_a_hurry)
{
	static const struct sql_stmt SLEEP = { .name = "sleep", .text = "SELECT SLEEP(8)", .cols = ROW_COLS, .n_cols = 1 };
	struct sql_link *l = sql_twin(d.l);
	int64_t began = clock_mono_us();
	struct row r;
	bool found;

	sql_hurry(l, began + 800 * 1000);
	ck_assert(sql_ping(&d.op, l));
	ck_assert_int_eq(sql_one(&d.op, l, &SLEEP, NULL, 0, &r, &found), ERR_UNAVAILABLE);
	ck_assert_int_lt(clock_mono_us() - began, 3500 * 1000);
	ck_assert(!sql_ping(&d.op, l));
	ck_assert_int_eq(sql_one(&d.op, l, &GET, &(struct sql_arg){ .i = 7 }, 1, &r, &found), ERR_UNAVAILABLE);
	sql_close(l);
	/* Nobody else is hurried by it. */
	ck_assert_int_eq(db_number(&d, "SELECT 3"), 3);
}
END_TEST

START_TEST(failures_have_their_names)
{
	static const struct sql_stmt NO_TABLE = { .name = "no_table", .text = "DELETE FROM t_nowhere" };
	struct sql_arg twice[] = { sql_i64(1), sql_str(S("a")), sql_i64(1), sql_str(S("b")) };
	struct sql_arg arg = sql_str(S("too long for it"));
	struct row r;
	bool found;

	ck_assert_int_eq(sql_run(&d.op, d.l, &PUT_MANY, twice, 4, NULL), ERR_SQL_DUPLICATE);
	ck_assert_int_eq(sql_run(&d.op, d.l, &NO_TABLE, NULL, 0, NULL), ERR_INTERNAL);
	ck_assert_int_eq(sql_run(&d.op, d.l, &ADD, &arg, 1, NULL), ERR_INTERNAL);   /* strict mode */
	ck_assert_int_eq(sql_run(&d.op, d.l, &ADD, NULL, 0, NULL), ERR_INTERNAL);
	ck_assert_int_eq(sql_all(&d.op, d.l, &LIST, NULL, 0, sizeof(r), &r, &(size_t){ 0 }), ERR_INTERNAL);
	put(7, 1, 1, S("still"), S("works"));
	ck_assert_int_eq(sql_one(&d.op, d.l, &GET, &(struct sql_arg){ .i = 7 }, 1, &r, &found), ERR_OK);
	ck_assert(found);
}
END_TEST

START_TEST(columns_that_are_not_those_named_are_an_error)
{
	static const struct sql_stmt S2 = { .name = "two", .text = "SELECT 1, 2", .cols = ROW_COLS,
	    .n_cols = 1 };
	struct row r;
	bool found;

	ck_assert_int_eq(sql_one(&d.op, d.l, &S2, NULL, 0, &r, &found), ERR_INTERNAL);
	ck_assert_int_eq(db_number(&d, "SELECT 3"), 3);
}
END_TEST

START_TEST(a_read_survives_a_killed_link)
{
	struct db other = db_open(NULL);
	struct row r;

	put(1, 5, 5, S("x"), S(""));
	r = get(1);
	db_kill(&other, db_number(&d, "SELECT CONNECTION_ID()"));
	r = get(1);
	ck_assert_int_eq(r.big, 5);
	db_kill(&other, db_number(&d, "SELECT CONNECTION_ID()"));
	ck_assert(sql_ping(&d.op, d.l));
	/* The write could not even be sent, so it too is repeated. */
	db_kill(&other, db_number(&d, "SELECT CONNECTION_ID()"));
	put(2, 6, 6, S("y"), S(""));
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*) FROM t_sql"), 2);
	db_close(&other);
}
END_TEST

START_TEST(the_session_is_ours_again_after_a_reconnect)
{
	struct db other = db_open(NULL);

	for (int round = 0; round < 2; round++) {
		ck_assert_int_eq(db_number(&d, "SELECT @@autocommit"), 1);
		ck_assert_int_eq(db_number(&d, "SELECT @@innodb_lock_wait_timeout"), 1);
		ck_assert_int_eq(db_number(&d, "SELECT @@idle_transaction_timeout"), 10);
		ck_assert_int_eq(db_number(&d, "SELECT @@time_zone = '+00:00'"), 1);
		ck_assert_int_eq(db_number(&d, "SELECT @@collation_connection = 'utf8mb4_bin'"), 1);
		ck_assert_int_eq(db_number(&d, "SELECT @@sql_mode LIKE '%STRICT_ALL_TABLES%'"), 1);
		ck_assert_int_eq(db_number(&d, "SELECT VARIABLE_VALUE = 'READ-COMMITTED' FROM"
		    " information_schema.SESSION_VARIABLES WHERE VARIABLE_NAME = 'TX_ISOLATION'"), 1);
		db_kill(&other, db_number(&d, "SELECT CONNECTION_ID()"));
	}
	ck_assert_int_eq(db_number(&d, "SELECT 1"), 1);
	ck_assert_ptr_nonnull(strchr(sql_server_version(d.l), '.'));
	/* A migration may think for as long as it likes. */
	sql_be_patient(d.l);
	ck_assert_int_eq(db_number(&d, "SELECT @@idle_transaction_timeout = @@GLOBAL.idle_transaction_timeout"), 1);
	db_close(&other);
}
END_TEST

START_TEST(a_dead_server_costs_nothing_and_is_told_once)
{
	char path[] = "test_sql.log.XXXXXX";
	int fd = mkstemp(path);
	struct db dead;
	struct sql_arg arg = sql_i64(1);
	struct row r;
	bool found;
	int64_t start = clock_mono_us();

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	dead = db_open(path);
	dead.conf->db_socket = S("no-such-socket");
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(sql_one(&dead.op, dead.l, &GET, &arg, 1, &r, &found), ERR_UNAVAILABLE);
	ck_assert(!sql_ping(&dead.op, dead.l));
	(void)usleep(210000);                                /* past the pause: tried again, told once */
	ck_assert(!sql_ping(&dead.op, dead.l));
	ck_assert_int_lt(clock_mono_us() - start, 700000);
	ck_assert_int_eq(db_log_count(path, "db_unavailable"), 1);
	ck_assert_str_ne(sql_why_down(dead.l), "");
	/* And is there again as soon as it is: the pause is short. */
	dead.conf->db_socket = d.conf->db_socket;
	(void)usleep(250000);
	ck_assert_int_eq(db_number(&dead, "SELECT 1"), 1);
	ck_assert_int_eq(db_log_count(path, "db_back"), 1);
	db_close(&dead);
	(void)unlink(path);
}
END_TEST

/* Listens and never answers: the first call waits for the connect limit, the next one not at all. */
START_TEST(a_silent_server_holds_up_one_call_and_not_the_next)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int64_t start = clock_mono_us(), first;

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "test_sql.%ld.sock", (long)getpid());
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)) | listen(fd, 4), 0);
	d.conf->db_socket = str_of(a.sun_path);
	sql_close(d.l);
	d.l = sql_open(d.conf);
	ck_assert(!sql_ping(&d.op, d.l));
	first = clock_mono_us() - start;
	ck_assert(!sql_ping(&d.op, d.l));
	ck_assert_int_ge(first, 900000);
	ck_assert_int_le(first, 2000000);
	ck_assert_int_le(clock_mono_us() - start - first, 50000);
	(void)close(fd);
	(void)unlink(a.sun_path);
}
END_TEST

START_TEST(a_statement_the_server_has_forgotten_is_prepared_anew)
{
	struct row r;

	put(1, 5, 5, S("x"), S(""));
	(void)get(1);
	db_text(&d, "ALTER TABLE t_sql ADD COLUMN extra INT, MODIFY tiny BIGINT");
	r = get(1);
	ck_assert_int_eq(r.tiny, 5);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("db/sql");
	TCase *tc = tcase_create("sql");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, numbers_come_back, 0, N_ELEMS(NUMBERS));
	tcase_add_loop_test(tc, texts_of_any_length_come_back, 0, N_ELEMS(LENGTHS));
	tcase_add_test(tc, bytes_and_characters_come_back);
	tcase_add_test(tc, null_reads_as_nothing);
	tcase_add_test(tc, null_after_a_value_reads_as_nothing);
	tcase_add_test(tc, not_found_is_a_flag);
	tcase_add_test(tc, a_number_too_large_is_an_error_and_not_another_number);
	tcase_add_loop_test(tc, lists_of_any_length, 0, N_ELEMS(LISTS));
	tcase_add_test(tc, short_lists_stay_prepared_and_long_ones_do_not);
	tcase_add_test(tc, a_statement_made_at_run_time_is_never_kept);
	tcase_add_test(tc, counts_and_ids);
	tcase_add_test(tc, cost_is_counted);
	tcase_add_test(tc, times_and_failures_are_counted);
	tcase_add_test(tc, a_link_in_a_hurry);
	tcase_add_test(tc, failures_have_their_names);
	tcase_add_test(tc, columns_that_are_not_those_named_are_an_error);
	tcase_add_test(tc, a_read_survives_a_killed_link);
	tcase_add_test(tc, the_session_is_ours_again_after_a_reconnect);
	tcase_add_test(tc, a_dead_server_costs_nothing_and_is_told_once);
	tcase_add_test(tc, a_silent_server_holds_up_one_call_and_not_the_next);
	tcase_add_test(tc, a_statement_the_server_has_forgotten_is_prepared_anew);
	suite_add_tcase(s, tc);
	return db_main(s);
}

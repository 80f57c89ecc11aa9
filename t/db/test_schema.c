/* Migrations on a real server, in a database of their own.
 * SPDX-License-Identifier: MIT */
#include "schema/schema.h"

#include <sys/wait.h>
#include <unistd.h>

#include "support/db.h"

#define TABLE_A "-- unless table a\nCREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(10)) ENGINE=InnoDB;\n"
#define FILL_A "INSERT INTO a VALUES (1, 'x'), (2, 'y') ON DUPLICATE KEY UPDATE name = VALUES(name);\n"
#define ADD_B "-- unless column a.b\nALTER TABLE a ADD COLUMN b INT NOT NULL DEFAULT 0;\n"
#define KEY_B "-- unless index a.k_b\nALTER TABLE a ADD KEY k_b (b);\n"
#define BIN_A "-- unless collation a.name utf8mb4_bin\n" \
	"ALTER TABLE a MODIFY name VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\n"
#define BROKEN "UPDATE nowhere SET x = 1;\n"
#define COUNT_RUN "-- if column a.b\nUPDATE a SET b = b + 1;\n"

static const struct schema_migration GOOD[] = {
	{ 1, "0001_a", TABLE_A FILL_A },
	{ 2, "0002_b", ADD_B KEY_B BIN_A },
	{ 5, "0005_c", "-- prose\n" COUNT_RUN "-- if table nowhere\n" BROKEN },
};
static const struct schema_migration BAD[] = {
	{ 1, "0001_a", TABLE_A FILL_A },
	{ 2, "0002_b", ADD_B BROKEN KEY_B BIN_A },
	{ 5, "0005_c", COUNT_RUN },
};
static const struct schema_migration NEWER[] = {
	{ 1, "0001_a", TABLE_A FILL_A },
	{ 2, "0002_b", ADD_B KEY_B BIN_A },
	{ 5, "0005_c", COUNT_RUN },
	{ 6, "0006_d", COUNT_RUN },
};
static const struct schema_migration UNREADABLE[] = { { 1, "0001_a", TABLE_A "-- if tabel a\nDO 1;" } };
static const struct schema_migration SLOW[] = { { 1, "0001_slow", TABLE_A "SELECT SLEEP(1);" } };
static const struct schema_migration ASKS[] = {
	{ 1, "0001_a", TABLE_A "INSERT INTO a VALUES (@first, @second);" },
};

#define SET(rows) (&(const struct schema_set){ rows, N_ELEMS(rows) })

static struct db d;
static char said[65536];
static struct strbuf say;

static void
keep_line(void *arg, struct str line)
{
	strbuf_add(arg, line);
	strbuf_addc(arg, '\n');
}

static const struct schema_run RUN = { .print = keep_line, .arg = &say, .wait_s = 20 };

static void
on_server(const char *text)
{
	struct db plain = db_open(NULL);

	db_text(&plain, text);
	db_close(&plain);
}

static void
set_up(void)
{
	on_server("DROP DATABASE IF EXISTS tgo_t_schema");
	d = db_open(NULL);
	d.conf->db_name = S("tgo_t_schema");
	strbuf_init(&say, said, sizeof(said));
}

static void
tear_down(void)
{
	db_close(&d);
	on_server("DROP DATABASE IF EXISTS tgo_t_schema");
}

static enum err
migrate(const struct schema_set *set)
{
	return schema_migrate(&d.op, d.l, set, &RUN);
}

static void
migrate_well(const struct schema_set *set)
{
	enum err e = migrate(set);

	ck_assert_msg(e == ERR_OK, "%s\n%s", err_key(e), said);
}

static void
check_said(const char *what)
{
	ck_assert_msg(strstr(said, what) != NULL, "\"%s\" is not in\n%s", what, said);
}

static void
check_status(const struct schema_set *set, enum schema_state state, int applied)
{
	struct schema_status st = { 0 };

	ck_assert_int_eq(schema_status(&d.op, d.l, set, &st), ERR_OK);
	ck_assert_int_eq(st.state, state);
	ck_assert_int_eq(st.applied, applied);
}

/* "1:success 2:failed ..." */
static const char *
history(const struct schema_set *set)
{
	struct schema_row *rows = NULL;
	struct str all = S("");
	size_t n = 0;

	ck_assert_int_eq(schema_history(&d.op, d.l, set, &rows, &n), ERR_OK);
	for (size_t i = 0; i < n; i++)
		all = arena_printf(d.op.arena, "%.*s%s%d:%.*s", STR_ARG(all), i > 0 ? " " : "",
		    rows[i].version, STR_ARG(rows[i].status));
	return arena_z(d.op.arena, all);
}

START_TEST(from_nothing_and_again)
{
	struct schema_row *rows = NULL;
	size_t n = 0;

	migrate_well(SET(GOOD));
	check_said("created the database tgo_t_schema");
	check_said("the schema is at version 5");
	check_status(SET(GOOD), SCHEMA_OK, 5);
	ck_assert_int_eq(db_number(&d, "SELECT SUM(b) FROM a"), 2);
	ck_assert_str_eq(history(SET(GOOD)), "1:success 2:success 5:success");
	ck_assert_int_eq(schema_history(&d.op, d.l, SET(GOOD), &rows, &n), ERR_OK);
	ck_assert_uint_eq(rows[0].executed_at.len, 19);
	ck_assert(str_eq(rows[0].name, S("0001_a")));
	migrate_well(SET(GOOD));
	check_said("nothing to do");
	ck_assert_int_eq(db_number(&d, "SELECT SUM(b) FROM a"), 2);
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*) FROM schema_lock WHERE holder = ''"), 1);
}
END_TEST

START_TEST(states_have_their_names)
{
	on_server("CREATE DATABASE tgo_t_schema");
	check_status(SET(GOOD), SCHEMA_NONE, 0);
	ck_assert_str_eq(history(SET(GOOD)), "1:pending 2:pending 5:pending");
	migrate_well(SET(GOOD));
	check_status(SET(NEWER), SCHEMA_OLDER, 5);
	ck_assert_str_eq(history(SET(NEWER)), "1:success 2:success 5:success 6:pending");
	migrate_well(SET(NEWER));
	check_status(SET(GOOD), SCHEMA_NEWER, 6);
	ck_assert_str_eq(history(SET(GOOD)), "1:success 2:success 5:success 6:success");
	ck_assert_int_eq(migrate(SET(GOOD)), ERR_INTERNAL);
	check_said("use the newer release");
}
END_TEST

START_TEST(a_missing_database_is_known_as_such)
{
	struct schema_status st;

	ck_assert_int_eq(schema_status(&d.op, d.l, SET(GOOD), &st), ERR_UNAVAILABLE);
	ck_assert(sql_no_database(d.l));
}
END_TEST

START_TEST(a_failure_is_recorded_and_the_mended_one_goes_on)
{
	struct schema_row *rows = NULL;
	size_t n = 0;

	ck_assert_int_eq(migrate(SET(BAD)), ERR_INTERNAL);
	check_said("0002_b: FAILED: 1146: ");
	check_status(SET(BAD), SCHEMA_OLDER, 1);
	ck_assert_str_eq(history(SET(BAD)), "1:success 2:failed 5:pending");
	ck_assert_int_eq(schema_history(&d.op, d.l, SET(BAD), &rows, &n), ERR_OK);
	ck_assert(str_starts(rows[1].error, S("1146: ")));
	/* It stays so, and the lock is free. */
	ck_assert_int_eq(migrate(SET(BAD)), ERR_INTERNAL);
	migrate_well(SET(GOOD));
	check_said("skip  ALTER TABLE a ADD COLUMN b INT NOT NULL DEFAULT 0  (unless column a.b)");
	ck_assert_str_eq(history(SET(GOOD)), "1:success 2:success 5:success");
	ck_assert_int_eq(schema_history(&d.op, d.l, SET(GOOD), &rows, &n), ERR_OK);
	ck_assert_uint_eq(rows[1].error.len, 0);
	ck_assert_int_eq(db_number(&d, "SELECT SUM(b) FROM a"), 2);
}
END_TEST

START_TEST(a_guard_that_cannot_be_read_stops_it)
{
	ck_assert_int_eq(migrate(SET(UNREADABLE)), ERR_INTERNAL);
	check_said("a guard that cannot be read: if tabel a");
	check_status(SET(UNREADABLE), SCHEMA_NONE, 0);
}
END_TEST

START_TEST(what_the_files_need_to_know_is_set_before)
{
	struct str session[] = { S("SET @first = 41, @second = 'it''s'") };
	struct schema_run run = RUN;

	run.session = session;
	run.n_session = 1;
	ck_assert_int_eq(schema_migrate(&d.op, d.l, SET(ASKS), &run), ERR_OK);
	ck_assert_int_eq(db_number(&d, "SELECT id FROM a WHERE name = 'it''s'"), 41);
}
END_TEST

START_TEST(a_dry_run_of_nothing_leaves_nothing)
{
	struct schema_run run = RUN;

	run.dry_run = true;
	ck_assert_int_eq(schema_migrate(&d.op, d.l, SET(GOOD), &run), ERR_OK);
	check_said("the database tgo_t_schema does not exist and would be created");
	check_said("run   CREATE TABLE a");
	check_said("3 of 3 migrations would run; nothing was changed");
	ck_assert_int_eq(migrate(SET(BAD)), ERR_INTERNAL);
}
END_TEST

START_TEST(a_dry_run_says_what_would_happen_and_changes_nothing)
{
	struct schema_run run = RUN;

	on_server("CREATE DATABASE tgo_t_schema");
	db_text(&d, "CREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(10)) ENGINE=InnoDB");
	db_text(&d, "INSERT INTO a VALUES (1, 'p'), (2, 'q'), (3, 'r')");
	run.dry_run = true;
	ck_assert_int_eq(schema_migrate(&d.op, d.l, SET(GOOD), &run), ERR_OK);
	check_said("skip  CREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(10)) ENGINE=InnoDB  (unless table a)");
	check_said("a: 3 rows; locks the rows it changes until it is done");
	check_said("a: 3 rows; reads all rows in place; others may write meanwhile");
	check_said("a: 3 rows; may copy the table; writers wait meanwhile");
	check_said("(if table nowhere)");
	check_said("3 of 3 migrations would run");
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*) FROM information_schema.tables"
	    " WHERE table_schema = 'tgo_t_schema'"), 1);
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*) FROM information_schema.columns"
	    " WHERE table_schema = 'tgo_t_schema'"), 2);
	migrate_well(SET(GOOD));
}
END_TEST

/* Several processes start at the same moment: all succeed, each statement ran once. */
START_TEST(several_at_once_are_safe)
{
	enum { N = 4 };
	pid_t pids[N];
	int go[2];
	char byte;

	ck_assert_int_eq(pipe(go), 0);
	for (int i = 0; i < N; i++) {
		if ((pids[i] = fork()) != 0)
			continue;
		(void)close(go[1]);
		d.l = sql_open(d.conf);
		_exit(read(go[0], &byte, 1) == 0 && migrate(SET(GOOD)) == ERR_OK ? 0 : 1);
	}
	(void)close(go[1]);
	(void)close(go[0]);
	for (int i = 0; i < N; i++) {
		int status = -1;

		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	check_status(SET(GOOD), SCHEMA_OK, 5);
	ck_assert_int_eq(db_number(&d, "SELECT SUM(b) FROM a"), 2);
	ck_assert_int_eq(db_number(&d, "SELECT COUNT(*) FROM schema_lock WHERE holder = ''"), 1);
}
END_TEST

START_TEST(a_lock_that_is_held_is_waited_for_and_an_old_one_is_taken)
{
	struct schema_run run = RUN;

	ck_assert_int_eq(migrate(SET(BAD)), ERR_INTERNAL);
	run.wait_s = 1;
	db_text(&d, "UPDATE schema_lock SET holder = 'somebody', until_ms = 4000000000000");
	ck_assert_int_eq(schema_migrate(&d.op, d.l, SET(GOOD), &run), ERR_UNAVAILABLE);
	check_said("waiting for another migration (somebody");
	check_said("still runs after 1 s: giving up");
	check_status(SET(GOOD), SCHEMA_OLDER, 1);
	db_text(&d, "UPDATE schema_lock SET until_ms = 1");
	migrate_well(SET(GOOD));
}
END_TEST

START_TEST(a_killed_migration_frees_the_lock_by_itself)
{
	struct schema_run run = RUN;
	int64_t until = clock_mono_us() + 5000000;
	pid_t pid;

	on_server("CREATE DATABASE tgo_t_schema");
	if ((pid = fork()) == 0) {
		d.l = sql_open(d.conf);
		_exit(migrate(SET(SLOW)) != ERR_OK);
	}
	while (db_number(&d, "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'a'"
	    " AND table_schema = 'tgo_t_schema'") == 0)
		ck_assert(clock_mono_us() < until);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_str_eq(history(SET(SLOW)), "1:pending");
	run.wait_s = 1;
	ck_assert_int_eq(schema_migrate(&d.op, d.l, SET(SLOW), &run), ERR_UNAVAILABLE);
	check_said("waiting for another migration");
	/* As if the time of the lease had passed: its keeper is gone with it. */
	db_text(&d, "UPDATE schema_lock SET until_ms = until_ms - 31000");
	migrate_well(SET(SLOW));
}
END_TEST

/* The files of this release: from nothing, and once more with the records lost, as after failures
 * at every possible point. */
START_TEST(our_own_files_run_twice)
{
	migrate_well(&SCHEMA);
	check_status(&SCHEMA, SCHEMA_OK, SCHEMA.at[SCHEMA.n - 1].version);
	db_text(&d, "DELETE FROM schema_migrations");
	migrate_well(&SCHEMA);
	check_status(&SCHEMA, SCHEMA_OK, SCHEMA.at[SCHEMA.n - 1].version);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("db/schema");
	TCase *tc = tcase_create("schema");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, from_nothing_and_again);
	tcase_add_test(tc, states_have_their_names);
	tcase_add_test(tc, a_missing_database_is_known_as_such);
	tcase_add_test(tc, a_failure_is_recorded_and_the_mended_one_goes_on);
	tcase_add_test(tc, a_guard_that_cannot_be_read_stops_it);
	tcase_add_test(tc, what_the_files_need_to_know_is_set_before);
	tcase_add_test(tc, a_dry_run_of_nothing_leaves_nothing);
	tcase_add_test(tc, a_dry_run_says_what_would_happen_and_changes_nothing);
	tcase_add_test(tc, several_at_once_are_safe);
	tcase_add_test(tc, a_lock_that_is_held_is_waited_for_and_an_old_one_is_taken);
	tcase_add_test(tc, a_killed_migration_frees_the_lock_by_itself);
	tcase_add_test(tc, our_own_files_run_twice);
	suite_add_tcase(s, tc);
	return db_main(s);
}

/* What each error number of the server leads to: said by a real server, in the middle of a transaction.
 * SPDX-License-Identifier: MIT */
#include "sql/sql.h"

#include <unistd.h>

#include "support/db.h"

static struct db d, other;
static char log_path[] = "test_fault.log.XXXXXX";

static void
set_up(void)
{
	int fd = mkstemp(log_path);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	d = db_open(log_path);
	other = db_open(NULL);
	db_text(&d, "DROP TABLE IF EXISTS t_fault");
	db_text(&d, "CREATE TABLE t_fault (n INT NOT NULL) ENGINE=InnoDB");
}

static void
tear_down(void)
{
	db_close(&other);
	db_close(&d);
	(void)unlink(log_path);
}

/* What the server is made to say, how often, and how often it was asked. */
struct plan {
	int number;
	int n_times;
	int n_runs;
};

static enum err
insert_then_fail(struct op *op, struct sql_link *l, void *arg, bool *rollback_out)
{
	struct plan *p = arg;
	struct str why, text;
	enum err e;

	*rollback_out = false;
	p->n_runs++;
	if ((e = sql_text(op, l, S("INSERT INTO t_fault VALUES (1)"), &why)) != ERR_OK || p->n_runs > p->n_times)
		return e;
	text = arena_printf(op->arena, "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = %d", p->number);
	return sql_text(op, l, text, &why);
}

/* Numbers, and how often a transaction runs that hears it every time. */
static const struct {
	enum err want;
	int n_runs;
	int numbers[24];
} MEANT[] = {
	/* The server is there and cannot: 503 at once, nothing stays. */
	{ ERR_UNAVAILABLE, 1,
	    { 1040, 1203, 1226, 1053, 1047, 1290, 1792, 1836, 1874, 1021, 1114, 1026, 1030, 1016, 1036, 1037,
	        1038, 1041, 1206, 1637, 3, 20, 23 } },
	/* Again, from the start: five times. */
	{ ERR_UNAVAILABLE, 6, { 1213, 1205, 1020, 1927, 1317, 1969, 3024, 3101 } },
	/* The link is gone: once more over a new one. */
	{ ERR_UNAVAILABLE, 2, { 1152, 1158, 1159, 1160, 1161, 1180, 1184, 3169, 4031 } },
	/* A duplicate is the store's to read; anything else is our bug, or an operator's. */
	{ ERR_SQL_DUPLICATE, 1, { 1062, 1586 } },
	{ ERR_INTERNAL, 1, { 1146, 1054, 1142, 1364, 1406, 1451 } },
};

START_TEST(a_number_means_what_the_table_says)
{
	for (size_t i = 0; i < N_ELEMS(MEANT[_i].numbers) && MEANT[_i].numbers[i] != 0; i++) {
		struct plan p = { .number = MEANT[_i].numbers[i], .n_times = 99 };
		enum err e = tx_run(&d.op, d.l, insert_then_fail, &p);

		ck_assert_msg(e == MEANT[_i].want, "%d: %s", p.number, err_key(e));
		ck_assert_msg(p.n_runs == MEANT[_i].n_runs, "%d: %d times", p.number, p.n_runs);
		ck_assert_int_eq(db_number(&other, "SELECT COUNT(*) AS n FROM t_fault"), 0);
		/* And the next one finds everything in order. */
		p = (struct plan){ 0 };
		ck_assert_int_eq(tx_run(&d.op, d.l, insert_then_fail, &p), ERR_OK);
		db_text(&d, "DELETE FROM t_fault");
	}
}
END_TEST

static int
times_logged(const char *event)
{
	char line[4096];
	FILE *f = fopen(log_path, "r");
	int n = 0;

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, event) != NULL;
	(void)fclose(f);
	return n;
}

/* A server that is reached and refuses is not "back" with every connection, only when it takes a change. */
START_TEST(back_is_said_once)
{
	struct plan p = { .number = 1290, .n_times = 99 };

	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(tx_run(&d.op, d.l, insert_then_fail, &p), ERR_UNAVAILABLE);
	ck_assert_int_eq(times_logged("\"db_unavailable\""), 1);
	ck_assert_int_eq(times_logged("\"db_back\""), 0);
	p = (struct plan){ 0 };
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(tx_run(&d.op, d.l, insert_then_fail, &p), ERR_OK);
	ck_assert_int_eq(times_logged("\"db_back\""), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("db/fault");
	TCase *tc = tcase_create("fault");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, a_number_means_what_the_table_says, 0, N_ELEMS(MEANT));
	tcase_add_test(tc, back_is_said_once);
	suite_add_tcase(s, tc);
	return db_main(s);
}

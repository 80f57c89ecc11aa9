/* Migrations cut into statements, their guards, and what a statement does to a table.
 * SPDX-License-Identifier: MIT */
#include "schema/split.h"

#include <string.h>

#include "base/strbuf.h"
#include "schema/effect.h"
#include "support/unit.h"

static void
check_str(struct str got, const char *want)
{
	ck_assert_msg(str_eq(got, str_of(want)), "got \"%.*s\", want \"%s\"", STR_ARG(got), want);
}

/* What each text gives, '|' between statements; "!" and the reason when it ends badly. */
static const struct { const char *text, *want; } SPLITS[] = {
	{ "", "" },
	{ " \n\t\n", "" },
	{ "-- only prose\n", "" },
	{ "--\n-- \n", "" },
	{ "A;", "A" },
	{ "A;\nB;\n", "A|B" },
	{ "A;\r\nB;\r\n", "A|B" },
	{ "A\n  b;\n\n\nB;", "A\n  b|B" },
	{ "-- prose; with a sign\nA;\n-- more\n", "A" },
	{ "A ';' b;\nB;", "A ';' b|B" },
	{ "A ';\n' b;\nB;", "A ';\n' b|B" },
	{ "A 'it''s;' b;\nB;", "A 'it''s;' b|B" },
	{ "A '\\';' b;\nB;", "A '\\';' b|B" },
	{ "A `x;\n` b;\nB;", "A `x;\n` b|B" },
	{ "A \"x;\n\" b;\nB;", "A \"x;\n\" b|B" },
	{ "A -- don't;\n b;\nB;", "A -- don't;\n b|B" },
	{ "A # don't;\n b;\nB;", "A # don't;\n b|B" },
	{ "A /* don't;\n */ b;\nB;", "A /* don't;\n */ b|B" },
	{ "A 5--3;\nB;", "A 5--3|B" },               /* no blank, no comment */
	{ "A\nB", "!a statement without ';' at its end" },
	{ "A;\nB 'x;", "A|!a statement without ';' at its end" },
	{ "A;;\n", "A|!an empty statement" },
	{ "A;\n-- if table t\n", "A|!a guard without a statement" },
	{ "-- unless\nA;", "!a guard that cannot be read" },
	{ "-- if table\nA;", "!a guard that cannot be read" },
	{ "-- if tables t\nA;", "!a guard that cannot be read" },
	{ "-- if table t.c\nA;", "!a guard that cannot be read" },
	{ "-- if table t or so\nA;", "!a guard that cannot be read" },
	{ "-- if column t\nA;", "!a guard that cannot be read" },
	{ "-- if column t.\nA;", "!a guard that cannot be read" },
	{ "-- if column .c\nA;", "!a guard that cannot be read" },
	{ "-- if column t.c x\nA;", "!a guard that cannot be read" },
	{ "-- unless collation t.c\nA;", "!a guard that cannot be read" },
	{ "-- if table a\n-- if table a\n-- if table a\n-- if table a\n-- if table a\n-- if table a\n"
	  "-- if table a\n-- if table a\n-- if table a\nA;", "!too many guards before one statement" },
};

START_TEST(splits_as_the_table_says)
{
	struct str rest = str_of(SPLITS[_i].text);
	char storage[512];
	struct strbuf got;
	struct schema_stmt s;
	const char *why = "";
	enum schema_split r;

	strbuf_init(&got, storage, sizeof(storage));
	while ((r = schema_next(&rest, &s, &why)) == SPLIT_STMT) {
		strbuf_add(&got, got.len > 0 ? S("|") : S(""));
		strbuf_add(&got, s.text);
	}
	if (r == SPLIT_BAD)
		strbuf_addf(&got, "%s!%s", got.len > 0 ? "|" : "", why);
	ck_assert_str_eq(storage, SPLITS[_i].want);
}
END_TEST

static const struct {
	const char *line;
	bool unless;
	enum schema_guard_kind kind;
	const char *table, *item, *value;
} GUARDS[] = {
	{ "-- unless table rtc_room", true, GUARD_TABLE, "rtc_room", "", "" },
	{ "-- if table rtc_room", false, GUARD_TABLE, "rtc_room", "", "" },
	{ "--   if   table\trtc_room  ", false, GUARD_TABLE, "rtc_room", "", "" },
	{ "-- unless column rtc_room.seq", true, GUARD_COLUMN, "rtc_room", "seq", "" },
	{ "-- if index rtc_room.uk_a", false, GUARD_INDEX, "rtc_room", "uk_a", "" },
	{ "-- unless collation rtc_room.room_id utf8mb4_bin", true, GUARD_COLLATION, "rtc_room",
	  "room_id", "utf8mb4_bin" },
};

START_TEST(guards_as_the_table_says)
{
	char text[256];
	struct strbuf b;
	struct str rest;
	struct schema_stmt s;
	const char *why = "";

	strbuf_init(&b, text, sizeof(text));
	strbuf_addf(&b, "%s\r\n-- and prose\nA;", GUARDS[_i].line);
	rest = strbuf_str(&b);
	ck_assert_int_eq(schema_next(&rest, &s, &why), SPLIT_STMT);
	ck_assert_uint_eq(s.n_guards, 1);
	ck_assert_int_eq(s.guards[0].unless, GUARDS[_i].unless);
	ck_assert_int_eq(s.guards[0].kind, GUARDS[_i].kind);
	check_str(s.guards[0].table, GUARDS[_i].table);
	check_str(s.guards[0].item, GUARDS[_i].item);
	check_str(s.guards[0].value, GUARDS[_i].value);
	check_str(s.text, "A");
}
END_TEST

START_TEST(guards_belong_to_the_next_statement_only)
{
	struct str rest = S("-- if table a\n-- unless column a.b\n\nA;\nB;\n-- if table c\nC;\n");
	struct schema_stmt s;
	const char *why = "";

	ck_assert_int_eq(schema_next(&rest, &s, &why), SPLIT_STMT);
	ck_assert_uint_eq(s.n_guards, 2);
	check_str(s.guards[1].line, "unless column a.b");
	ck_assert_int_eq(schema_next(&rest, &s, &why), SPLIT_STMT);
	ck_assert_uint_eq(s.n_guards, 0);
	ck_assert_int_eq(schema_next(&rest, &s, &why), SPLIT_STMT);
	ck_assert_uint_eq(s.n_guards, 1);
	ck_assert_int_eq(schema_next(&rest, &s, &why), SPLIT_END);
}
END_TEST

static const struct { const char *stmt; enum schema_effect effect; const char *table; } EFFECTS[] = {
	{ "CREATE TABLE rtc_room (id INT)", EFFECT_CREATES, "rtc_room" },
	{ "create table if not exists `rtc_room` (modify INT)", EFFECT_CREATES, "rtc_room" },
	{ "ALTER TABLE t ADD COLUMN c INT", EFFECT_CATALOGUE, "t" },
	{ "ALTER TABLE t ADD COLUMN c INT COMMENT 'please MODIFY it'", EFFECT_CATALOGUE, "t" },
	{ "ALTER TABLE `t` ADD COLUMN c INT, ADD KEY k (c)", EFFECT_IN_PLACE, "t" },
	{ "ALTER TABLE t ADD UNIQUE KEY k (c)", EFFECT_IN_PLACE, "t" },
	{ "ALTER TABLE t ADD KEY k (c), MODIFY c BIGINT", EFFECT_COPIES, "t" },
	{ "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4", EFFECT_COPIES, "t" },
	{ "ALTER TABLE t ADD PRIMARY KEY (a)", EFFECT_COPIES, "t" },
	{ "ALTER TABLE t DROP INDEX k", EFFECT_CATALOGUE, "t" },
	{ "CREATE INDEX k ON t (a)", EFFECT_IN_PLACE, "t" },
	{ "CREATE UNIQUE INDEX k ON t (a)", EFFECT_IN_PLACE, "t" },
	{ "DROP INDEX k ON t", EFFECT_CATALOGUE, "t" },
	{ "DROP TABLE IF EXISTS t", EFFECT_CATALOGUE, "t" },
	{ "UPDATE t SET a = 1", EFFECT_LOCKS_ROWS, "t" },
	{ "DELETE FROM t WHERE a = 1", EFFECT_LOCKS_ROWS, "t" },
	{ "INSERT INTO t (a) VALUES (1)", EFFECT_LOCKS_ROWS, "t" },
	{ "SET @x = 1", EFFECT_NONE, "" },
	{ "DO 1", EFFECT_NONE, "" },
	{ "ALTER TABLE", EFFECT_CATALOGUE, "" },
	{ "CREATE INDEX", EFFECT_NONE, "" },
};

START_TEST(effects_as_the_table_says)
{
	struct str table;
	enum schema_effect e = schema_effect_of(str_of(EFFECTS[_i].stmt), &table);

	ck_assert_int_eq(e, EFFECTS[_i].effect);
	check_str(table, EFFECTS[_i].table);
	ck_assert_uint_gt(strlen(schema_effect_text(e)), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("schema/split");
	TCase *tc = tcase_create("split");

	tcase_add_loop_test(tc, splits_as_the_table_says, 0, N_ELEMS(SPLITS));
	tcase_add_loop_test(tc, guards_as_the_table_says, 0, N_ELEMS(GUARDS));
	tcase_add_test(tc, guards_belong_to_the_next_statement_only);
	tcase_add_loop_test(tc, effects_as_the_table_says, 0, N_ELEMS(EFFECTS));
	suite_add_tcase(s, tc);
	return unit_main(s);
}

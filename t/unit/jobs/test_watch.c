/* What probes say of a node.
 * SPDX-License-Identifier: MIT */
#include "jobs/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"

static struct watch *w;

static void
set_up(void)
{
	w = calloc(1, sizeof(*w));
	ck_assert_ptr_nonnull(w);
}

static void
tear_down(void)
{
	free(w);
}

/* Probes: O 200, 4 another answer, R refused, S silent. Changes: . none, D down, U up. */
static const struct { const char *probes, *changes; } STORIES[] = {
	{ "OOOO", "...." },
	{ "ORRO", ".D.U" },
	{ "R", "D" },
	{ "OSOSO", "....." },
	{ "OSSSO", "..D.U" },
	{ "SRO", ".DU" },
	{ "RSO", "D.U" },
	{ "S4SSO", "...DU" },
	{ "4444", "...." },
	{ "R4SO", "D..U" },
	{ "R44R4O", "D....U" },
	{ "ROROS", "DUDU." },
};

START_TEST(stories)
{
	static const char PROBES[] = "O4RS", CHANGES[] = ".DU";
	struct watched n = { 0 };

	for (size_t i = 0; STORIES[_i].probes[i] != '\0'; i++) {
		enum probe p = (enum probe)(strchr(PROBES, STORIES[_i].probes[i]) - PROBES);
		enum watch_change c = watch_take(&n, p);

		ck_assert_msg(CHANGES[c] == STORIES[_i].changes[i], "%s at %zu: %c", STORIES[_i].probes, i, CHANGES[c]);
		ck_assert_int_eq(n.refused, p == PROBE_REFUSED);
		ck_assert_int_eq(n.answered, p == PROBE_OK);
	}
}
END_TEST

START_TEST(who_is_not_met_again_is_forgotten)
{
	ck_assert_ptr_eq(watch_meet(w, S("a:1")), watch_meet(w, S("a:1")));
	watch_meet(w, S("b:1"))->down = true;
	ck_assert_uint_eq(w->n, 2);
	watch_end_round(w);
	ck_assert_uint_eq(w->n, 2);
	(void)watch_meet(w, S("b:1"));
	watch_end_round(w);
	ck_assert_uint_eq(w->n, 1);
	ck_assert_ptr_null(watch_find(w, S("a:1")));
	ck_assert(watch_find(w, S("b:1"))->down);
	watch_end_round(w);
	ck_assert_uint_eq(w->n, 0);
}
END_TEST

START_TEST(there_is_an_end_to_them)
{
	char addr[WATCH_TEXT_BYTES + 1];

	for (int i = 0; i < WATCHED_MAX; i++) {
		(void)snprintf(addr, sizeof(addr), "%d", i);
		ck_assert_ptr_nonnull(watch_meet(w, str_of(addr)));
	}
	ck_assert_ptr_null(watch_meet(w, S("one more")));
	ck_assert_ptr_nonnull(watch_meet(w, S("7")));
	w->n = 0;
	memset(addr, 'x', sizeof(addr));
	ck_assert_ptr_null(watch_meet(w, (struct str){ addr, WATCH_TEXT_BYTES }));
	ck_assert_uint_eq(w->n, 0);
}
END_TEST

START_TEST(an_id_is_another_once)
{
	struct watched n = { 0 };

	ck_assert(!watch_take_id(&n, S("")));
	ck_assert(watch_take_id(&n, S("ND_1")));
	ck_assert(!watch_take_id(&n, S("ND_1")));
	ck_assert(!watch_take_id(&n, S("")));
	ck_assert(watch_take_id(&n, S("ND_2")));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("jobs/watch");
	TCase *tc = tcase_create("watch");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, stories, 0, N_ELEMS(STORIES));
	tcase_add_test(tc, who_is_not_met_again_is_forgotten);
	tcase_add_test(tc, there_is_an_end_to_them);
	tcase_add_test(tc, an_id_is_another_once);
	suite_add_tcase(s, tc);
	return unit_main(s);
}

/* The window: queues by call, what may be tried, what waits, what is let go, and its bounds.
 * SPDX-License-Identifier: MIT */
#include "jobs/window.h"

#include <stdio.h>

#include "support/unit.h"

static struct window *w;

static void
set_up(void)
{
	w = window_new();
	ck_assert_ptr_nonnull(w);
}

static void
tear_down(void)
{
	window_abandon(w);
}

static void
add(int64_t pos, const char *room, int64_t next_try_at_ms, bool loose)
{
	const struct delivery_row r = { .pos = pos, .event_no = pos + 100, .room_id = str_of(room),
	    .type = S("room.started"), .event_id = S("id"), .data = S("{}"), .attempts = 3,
	    .first_try_at_ms = next_try_at_ms > 0 ? 1 : 0, .next_try_at_ms = next_try_at_ms };

	ck_assert(window_add(w, &r, loose));
}

/* "1 4 2": the ready in their order. */
static void
ck_ready(const char *want)
{
	char text[256] = "";
	size_t n = 0;

	for (const struct item *i = window_ready(w); i != NULL; i = i->next)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d", n > 0 ? " " : "", (int)i->pos);
	ck_assert_str_eq(text, want);
}

static struct item *
fly(int64_t pos)
{
	struct item *i = window_ready(w);

	while (i != NULL && i->pos != pos)
		i = i->next;
	ck_assert_ptr_nonnull(i);
	window_fly(w, i);
	return i;
}

START_TEST(only_heads_are_ready)
{
	struct item *i;

	add(1, "a", 0, false);
	add(2, "b", 0, false);
	add(3, "a", 0, false);
	add(4, "a", 0, false);
	add(5, "c", 0, true);
	add(3, "a", 0, false);                     /* there already */
	ck_assert_uint_eq(window_n(w), 5);
	ck_ready("1 2 5");
	i = fly(1);
	ck_ready("2 5");
	window_let_go(w, i);
	ck_ready("2 5 3");
	ck_assert_uint_eq(window_n(w), 5);         /* until it is written */
	add(1, "a", 0, false);                     /* read again meanwhile: still known */
	ck_ready("2 5 3");
	window_remove(w, i);
	ck_assert_uint_eq(window_n(w), 4);
	window_let_go(w, fly(5));
	ck_ready("2 3");
}
END_TEST

START_TEST(a_failed_head_holds_its_call)
{
	add(1, "a", 0, false);
	add(2, "a", 0, false);
	add(3, "b", 0, false);
	window_wait(w, fly(1), 5000);
	ck_ready("3");
	ck_assert_int_eq(window_waiting(w)->pos, 1);
	ck_assert_int_eq(window_wake(w, 4999), 5000);
	ck_ready("3");
	ck_assert_int_eq(window_wake(w, 5000), INT64_MAX);
	ck_ready("3 1");
	ck_assert_ptr_null(window_waiting(w));
}
END_TEST

START_TEST(a_waiting_head_is_let_go)
{
	struct item *i;

	add(1, "a", 9000, false);                  /* as it was read: tried before */
	add(2, "a", 0, false);
	ck_ready("");
	i = window_waiting(w);
	ck_assert_int_eq(i->attempts, 3);
	ck_assert_str_eq(i->room_id.at, "a");
	window_let_go(w, i);
	ck_assert_ptr_null(window_waiting(w));
	ck_ready("2");
	window_remove(w, i);
	ck_assert_uint_eq(window_n(w), 1);
}
END_TEST

START_TEST(an_older_one_comes_first_but_not_before_what_flies)
{
	struct item *i;

	add(5, "a", 0, false);
	add(9, "b", 0, false);
	i = fly(9);
	add(3, "a", 0, false);
	ck_ready("3");
	add(7, "b", 0, false);
	add(8, "b", 0, false);
	ck_ready("3");
	window_let_go(w, i);
	ck_ready("3 7");
	window_let_go(w, fly(3));
	window_let_go(w, fly(7));
	ck_ready("5 8");
}
END_TEST

START_TEST(clearing_keeps_what_is_under_way_or_to_be_written)
{
	struct item *flying, *over;

	add(1, "a", 0, false);
	add(2, "a", 0, false);
	add(3, "b", 0, false);
	add(4, "c", 700, false);
	flying = fly(1);
	over = fly(3);
	window_let_go(w, over);
	window_clear(w);
	ck_assert_uint_eq(window_n(w), 2);
	ck_assert(!flying->orphan);
	ck_ready("");
	ck_assert_ptr_null(window_waiting(w));
	add(2, "a", 0, false);
	add(3, "b", 0, false);
	ck_ready("");
	window_let_go(w, flying);
	ck_ready("2");
	window_remove(w, over);
	window_remove(w, flying);
}
END_TEST

START_TEST(abandoned_calls_under_way_are_orphans)
{
	struct item *i;

	add(1, "a", 0, false);
	add(2, "a", 0, false);
	i = fly(1);
	window_abandon(w);
	w = NULL;
	ck_assert(i->orphan);
	ck_assert_str_eq(i->data.at, "{}");
	item_free(i);
}
END_TEST

START_TEST(bounds)
{
	ck_assert(window_has_room(w, 64 << 20));   /* one must always fit */
	for (int i = 1; i <= WINDOW_ROWS; i++) {
		char room[16];

		ck_assert(window_has_room(w, 100));
		(void)snprintf(room, sizeof(room), "r%d", i % 1500);
		add(i, room, 0, false);
	}
	ck_assert(!window_has_room(w, 1));
	window_clear(w);
	ck_assert_uint_eq(window_n(w), 0);
	add(1, "a", 0, false);
	ck_assert(window_has_room(w, WINDOW_BYTES / 2));
	ck_assert(!window_has_room(w, WINDOW_BYTES));
}
END_TEST

START_TEST(the_tried_are_found)
{
	int64_t pos[4];

	add(1, "a", 500, false);
	add(2, "b", 0, false);
	add(3, "c", 500, true);                    /* loose: another state in the database */
	add(4, "d", 900, false);
	ck_assert_uint_eq(window_untried(w, pos, 4), 2);
	ck_assert_int_eq(pos[0] + pos[1], 5);
	ck_assert_uint_eq(window_untried(w, pos, 1), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("jobs/window");
	TCase *tc = tcase_create("window");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, only_heads_are_ready);
	tcase_add_test(tc, a_failed_head_holds_its_call);
	tcase_add_test(tc, a_waiting_head_is_let_go);
	tcase_add_test(tc, an_older_one_comes_first_but_not_before_what_flies);
	tcase_add_test(tc, clearing_keeps_what_is_under_way_or_to_be_written);
	tcase_add_test(tc, abandoned_calls_under_way_are_orphans);
	tcase_add_test(tc, bounds);
	tcase_add_test(tc, the_tried_are_found);
	suite_add_tcase(s, tc);
	return unit_main(s);
}

/* test_create - who rings, who is busy, how many seats.
 * SPDX-License-Identifier: MIT */
#include "rules/verbs.h"

#include "support/scene.h"

enum { MAX_UIDS = 12 };

/* "bob cat" as a list. */
static size_t
list_of(const char *line, struct str *out)
{
	struct str rest = word(line), w;
	size_t n = 0;

	while (rest.len > 0 && str_split(&rest, ' ', &w) && n < MAX_UIDS)
		out[n++] = w;
	return n;
}

static const struct {
	const char *setup, *invitees, *busy;
	enum err e;
	const char *to;
} CREATES[] = {
	{ "seats=2", "", "", ERR_OK, "room=0; ann=0" },
	{ "seats=2", "bob", "", ERR_OK, "room=0; bob=0 ann=0; invited(ann)invited[bob]@0" },
	{ "seats=2 invite_on=1", "bob", "", ERR_OK, "room=0; bob=0 ann=0; invited(ann)invited[bob]@0" },
	{ "seats=2", "bob", "bob", ERR_PARTICIPANT_IN_CALL,
	  "room=5 busy/; bob=5 ann=5; busy(ann)busy[bob]@5 finished@5" },
	{ "seats=9", "cat bob dan", "", ERR_OK,
	  "room=0; cat=0 bob=0 dan=0 ann=0; invited(ann)invited[cat,bob,dan]@0" },
	{ "seats=9 invite_on=1", "cat bob dan", "bob", ERR_OK,
	  "room=0; cat=0 bob=5 dan=0 ann=0; busy(ann)busy[bob]@0 invited(ann)invited[cat,dan]@0" },
	{ "seats=9", "cat bob dan", "bob cat", ERR_OK,
	  "room=0; cat=5 bob=5 dan=0 ann=0; busy(ann)busy[cat,bob]@0 invited(ann)invited[dan]@0" },
	{ "seats=9", "cat bob", "bob cat", ERR_PARTICIPANT_IN_CALL,
	  "room=5 busy/; cat=5 bob=5 ann=5; busy(ann)busy[cat,bob]@5 finished@5" },
	/* Who is busy and was not asked for does not matter. */
	{ "seats=9", "cat", "bob zoe", ERR_OK, "room=0; cat=0 ann=0; invited(ann)invited[cat]@0" },
};

START_TEST(creates)
{
	struct call *c = scene(CREATES[_i].setup);
	struct str invitees[MAX_UIDS], busy[MAX_UIDS];
	struct create_in in = { .creator = person("ann", "web", "d1"), .invitees = invitees, .busy = busy };
	struct before b = scene_before(c);

	in.creator.name = S("Ann");
	in.n_invitees = list_of(CREATES[_i].invitees, invitees);
	in.n_busy = list_of(CREATES[_i].busy, busy);
	ck_assert_int_eq((int)verb_create(c, &in), (int)CREATES[_i].e);
	ck_assert_str_eq(scene_text(c), CREATES[_i].to);
	scene_check(&b, c);
	ck_assert(c->changed);
	for (size_t i = 0; i < c->n_rows; i++) {
		const struct participant *p = c->rows[i];
		bool me = str_eq(p->uid, S("ann"));

		ck_assert_int_eq(p->deadline_ms, p->status == P_INVITING ? c->now_ms + RING_S * 1000 : 0);
		ck_assert_int_eq(p->claimed, p->status == P_INVITING);
		ck_assert(str_eq(p->left_how, str_of(p->status == P_BUSY ? "busy" : "")));
		ck_assert_uint_eq(p->device_type.len, me ? 3 : 0);
		ck_assert_uint_eq(p->name.len, me ? 3 : 0);
		ck_assert(p->dirty && p->join_time == 0);
	}
}
END_TEST

/* The events say why, and who from where. */
START_TEST(what_the_events_say)
{
	struct call *c = scene("seats=3");
	const struct str invitees[] = { S("bob"), S("cat") }, busy[] = { S("cat") };
	const struct create_in in = { .creator = person("ann", "web", "d1"), .invitees = invitees,
	    .n_invitees = 2, .busy = busy, .n_busy = 1 };
	const struct json *e;

	ck_assert(verb_create(c, &in) == ERR_OK);
	e = event_data(&c->events[1]);
	ck_assert(str_eq(json_str(json_get(e, "reason")), S("create")));
	ck_assert(str_eq(json_str(json_get(e, "device_type")), S("web")));
	ck_assert(str_eq(json_str(json_get(e, "device_id")), S("d1")));
	ck_assert_uint_eq(json_len(json_get(e, "uids")), 0);
	ck_assert_uint_eq(json_len(json_get(e, "participants")), 3);
	ck_assert_ptr_null(json_get(e, "busy_uids"));
	e = event_data(&c->events[0]);
	ck_assert_uint_eq(json_len(json_get(e, "uids")), 3);
	ck_assert_ptr_null(json_get(e, "invited_uids"));
}
END_TEST

static const struct { const char *uids, *creator, *kept; } CLEANED[] = {
	{ "", "ann", "" },
	{ "bob", "ann", "bob" },
	{ "bob bob", "ann", "bob" },
	{ "cat bob cat ann bob", "ann", "cat bob" },
	{ "ann", "ann", "" },
	{ "ann", "", "ann" },
	{ "Bob bob", "ann", "Bob bob" },
};

START_TEST(invitees_are_cleaned)
{
	struct str uids[MAX_UIDS], want[MAX_UIDS], *kept;
	size_t n = list_of(CLEANED[_i].uids, uids), n_want = list_of(CLEANED[_i].kept, want), n_kept;

	uids[n++] = S("");
	kept = verbs_invitees(scene_arena, uids, n, word(CLEANED[_i].creator), &n_kept);
	ck_assert_uint_eq(n_kept, n_want);
	for (size_t i = 0; i < n_want; i++)
		ck_assert(str_eq(kept[i], want[i]));
}
END_TEST

static const struct { int64_t asked; size_t n; int64_t seats; } SEATS[] = {
	{ 0, 0, 2 }, { 0, 1, 2 }, { 0, 2, 3 }, { -5, 9, 10 }, { -1, 0, 2 }, { 2, 1, 2 }, { 2, 2, 0 }, { 1, 0, 1 },
	{ 1, 1, 0 }, { 1000, 999, 1000 }, { 999, 999, 0 }, { 9, 1, 9 },
};

START_TEST(seats)
{
	ck_assert_int_eq(verbs_seats(SEATS[_i].asked, SEATS[_i].n), SEATS[_i].seats);
}
END_TEST

START_TEST(sorting_and_finding)
{
	struct str uids[] = { S("b"), S("ab"), S("a"), S("\xe7\x94\xb2"), S("B") };

	uids_sort(uids, N_ELEMS(uids));
	ck_assert(str_eq(uids[0], S("B")) && str_eq(uids[1], S("a")) && str_eq(uids[2], S("ab")));
	for (size_t i = 0; i < N_ELEMS(uids); i++)
		ck_assert(uid_in(uids[i], uids, N_ELEMS(uids)));
	ck_assert(!uid_in(S("A"), uids, N_ELEMS(uids)));
	ck_assert(!uid_in(S("a"), uids, 0));
	ck_assert(!uid_in(S("a"), NULL, 0));
	uids_sort(NULL, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rules/create");
	TCase *tc = tcase_create("create");

	SCENE_CASE(tc);
	tcase_add_loop_test(tc, creates, 0, (int)N_ELEMS(CREATES));
	tcase_add_test(tc, what_the_events_say);
	tcase_add_loop_test(tc, invitees_are_cleaned, 0, (int)N_ELEMS(CLEANED));
	tcase_add_loop_test(tc, seats, 0, (int)N_ELEMS(SEATS));
	tcase_add_test(tc, sorting_and_finding);
	suite_add_tcase(s, tc);
	return unit_main(s);
}

/* test_invite - ringing more people in a call that goes on.
 * SPDX-License-Identifier: MIT */
#include "rules/verbs.h"

#include "support/scene.h"

enum { MAX_UIDS = 12 };

static size_t
list_of(const char *line, struct str *out)
{
	struct str rest = word(line), w;
	size_t n = 0;

	while (rest.len > 0 && str_split(&rest, ' ', &w) && n < MAX_UIDS)
		out[n++] = w;
	return n;
}

static const char *
joined_up(const struct str *list, size_t n)
{
	struct strbuf b;

	strbuf_init_arena(&b, scene_arena, 64, 512);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&b, "%s%.*s", i > 0 ? " " : "", STR_ARG(list[i]));
	return b.at;
}

static const struct {
	const char *from, *uids, *busy, *by;
	enum err e;
	const char *to, *already, *out_busy;     /* to NULL: nothing changes */
} INVITES[] = {
	{ "seats=9 ann=1", "bob", "", "", ERR_OK,
	  "room=0; ann=1 bob=0; invited(ann)invited[bob]@0; forget(bob)", "", "" },
	{ "seats=9 invite_on=1 room=1 cat=1 ann=1", "bob dan", "", "cat", ERR_OK,
	  "room=1; cat=1 ann=1 bob=0 dan=0; invited(cat)invited[bob,dan]@1; "
	  "forget(bob) forget(dan)", "", "" },
	{ "seats=2 room=1 ann=1", "bob", "", "", ERR_OK,
	  "room=1; ann=1 bob=0; invited(ann)invited[bob]@1; forget(bob)", "", "" },
	/* the already active are reported */
	{ "seats=9 room=1 bob=0 cat=1 ann=1", "cat bob dan", "", "", ERR_OK,
	  "room=1; bob=0 cat=1 ann=1 dan=0; invited(ann)invited[dan]@1; forget(dan)", "cat bob", "" },
	{ "seats=9 room=1 bob=0 ann=1", "bob ann", "", "", ERR_OK, NULL, "bob ann", "" },
	{ "seats=9 room=1 bob=0 ann=1", "", "", "", ERR_OK, NULL, "", "" },
	/* a row that is active here is not busy elsewhere for us */
	{ "seats=9 room=1 bob=1 ann=1", "bob", "bob", "", ERR_OK, NULL, "bob", "" },
	/* rung again from every way of having gone */
	{ "seats=9 room=1 bob=2 ann=1", "bob", "", "", ERR_OK,
	  "room=1; bob=0 ann=1; invited(ann)invited[bob]@1; forget(bob)", "", "" },
	{ "seats=9 room=1 bob=3+ ann=1", "bob", "", "", ERR_OK,
	  "room=1; bob=0 ann=1; invited(ann)invited[bob]@1; forget(bob)", "", "" },
	{ "seats=9 room=1 bob=4 ann=1", "bob", "", "", ERR_OK,
	  "room=1; bob=0 ann=1; invited(ann)invited[bob]@1; forget(bob)", "", "" },
	{ "seats=9 room=1 bob=5 ann=1", "bob", "", "", ERR_OK,
	  "room=1; bob=0 ann=1; invited(ann)invited[bob]@1; forget(bob)", "", "" },
	{ "seats=9 room=1 bob=6 ann=1", "bob", "", "", ERR_OK,
	  "room=1; bob=0 ann=1; invited(ann)invited[bob]@1; forget(bob)", "", "" },
	{ "seats=9 room=1 bob=1 ann=3+", "ann", "", "bob", ERR_OK,
	  "room=1; bob=1 ann=0; invited(bob)invited[ann]@1; forget(ann)", "", "" },
	{ "seats=9 room=1 bob=3+! ann=1", "bob", "", "", ERR_OK,
	  "room=1; bob=0 ann=1; invited(ann)invited[bob]@1; forget(bob)", "", "" },
	/* busy */
	{ "seats=9 room=1 ann=1", "bob cat", "bob", "", ERR_OK,
	  "room=1; ann=1 bob=5 cat=0; busy(ann)busy[bob]@1 invited(ann)invited[cat]@1; "
	  "forget(cat)", "", "bob" },
	{ "seats=9 room=1 bob=3+ cat=5 ann=1", "bob cat dan", "bob cat", "", ERR_OK,
	  "room=1; bob=5 cat=5 ann=1 dan=0; busy(ann)busy[bob,cat]@1 invited(ann)invited[dan]@1; "
	  "forget(dan)", "", "bob cat" },
	{ "seats=9 room=1 ann=1", "bob cat", "bob cat", "", ERR_PARTICIPANT_IN_CALL, NULL, "", "bob cat" },
	{ "seats=9 room=1 dan=0 ann=1", "bob dan", "bob", "", ERR_PARTICIPANT_IN_CALL, NULL, "dan", "bob" },
	/* seats: the busy take none, the already active are counted once */
	{ "seats=3 room=1 bob=1 ann=1", "cat", "", "", ERR_OK,
	  "room=1; bob=1 ann=1 cat=0; invited(ann)invited[cat]@1; forget(cat)", "", "" },
	{ "seats=3 room=1 bob=1 ann=1", "cat dan", "", "", ERR_ROOM_FULL, NULL, "", "" },
	{ "seats=3 room=1 bob=1 ann=1", "cat dan", "dan", "", ERR_OK,
	  "room=1; bob=1 ann=1 dan=5 cat=0; busy(ann)busy[dan]@1 invited(ann)invited[cat]@1; "
	  "forget(cat)", "", "dan" },
	{ "seats=3 room=1 bob=1 ann=1", "bob cat", "", "", ERR_OK,
	  "room=1; bob=1 ann=1 cat=0; invited(ann)invited[cat]@1; forget(cat)", "bob", "" },
	{ "seats=2 room=1 bob=0 ann=1", "cat", "", "", ERR_ROOM_FULL, NULL, "", "" },
	{ "seats=3 room=1 bob=3+ cat=0 ann=1", "bob", "", "", ERR_OK,
	  "room=1; bob=0 cat=0 ann=1; invited(ann)invited[bob]@1; forget(bob)", "", "" },
	/* over */
	{ "seats=9 room=2 bob=3 ann=3", "cat", "", "", ERR_ROOM_NOT_ACTIVE, NULL, "", "" },
	{ "seats=9 room=6 bob=4 ann=4", "", "", "", ERR_ROOM_NOT_ACTIVE, NULL, "", "" },
};

START_TEST(invites)
{
	struct call *c = scene(INVITES[_i].from);
	struct str uids[MAX_UIDS + 3], busy[MAX_UIDS];
	struct invite_in in = { .uids = uids, .busy = busy, .by = word(INVITES[_i].by) };
	struct invite_out out = { 0 };
	struct before b = scene_before(c);

	in.n_uids = list_of(INVITES[_i].uids, uids);
	in.n_busy = list_of(INVITES[_i].busy, busy);
	/* Empties and repeats change nothing. */
	uids[in.n_uids++] = S("");
	if (in.n_uids > 1)
		uids[in.n_uids++] = uids[0];
	ck_assert_int_eq((int)verb_invite(c, &in, &out), (int)INVITES[_i].e);
	if (INVITES[_i].to == NULL)
		scene_unchanged(&b, c);
	else
		ck_assert_str_eq(scene_text(c), INVITES[_i].to);
	scene_check(&b, c);
	ck_assert_str_eq(joined_up(out.already, out.n_already), INVITES[_i].already);
	ck_assert_str_eq(joined_up(out.busy, out.n_busy), INVITES[_i].out_busy);
}
END_TEST

/* The room's ring time unless asked otherwise; the row starts anew but for what it was. */
START_TEST(a_row_that_rings_again)
{
	struct call *c = scene("seats=9 room=1 bob=3+ ann=1");
	struct participant *p = call_find(c, S("bob"));
	const struct str uids[] = { S("bob"), S("cat") };
	struct invite_in in = { .uids = uids, .n_uids = 2, .timeout_s = 5 };
	struct invite_out out;

	p->device_type = S("web");
	p->last_left_sid = S("PA_1");
	p->sid_at_ms = 99;
	ck_assert(verb_invite(c, &in, &out) == ERR_OK);
	for (size_t i = 0; i < 2; i++) {
		p = call_find(c, uids[i]);
		ck_assert_int_eq(p->deadline_ms, SCENE_NOW + 5000);
		ck_assert(p->claimed && p->dirty && p->left_how.len == 0 && p->device_type.len == 0);
	}
	p = call_find(c, S("bob"));
	ck_assert(p->invited_anew && str_eq(p->last_left_sid, S("PA_1")) && p->sid_at_ms == 99);
	ck_assert_int_gt(p->join_time, 0);
	ck_assert(str_eq(json_str(json_get(event_data(&c->events[0]), "reason")), S("invite")));
	ck_assert_uint_eq(json_len(json_get(event_data(&c->events[0]), "uids")), 1);
}
END_TEST

/* The room's own ring time. */
START_TEST(the_usual_time)
{
	struct call *c = scene("seats=9 room=1 ann=1");
	const struct str uids[] = { S("bob") };
	struct invite_in in = { .uids = uids, .n_uids = 1 };
	struct invite_out out;

	ck_assert(verb_invite(c, &in, &out) == ERR_OK);
	ck_assert_int_eq(call_find(c, S("bob"))->deadline_ms, SCENE_NOW + RING_S * 1000);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rules/invite");
	TCase *tc = tcase_create("invite");

	SCENE_CASE(tc);
	tcase_add_loop_test(tc, invites, 0, (int)N_ELEMS(INVITES));
	tcase_add_test(tc, a_row_that_rings_again);
	tcase_add_test(tc, the_usual_time);
	suite_add_tcase(s, tc);
	return unit_main(s);
}

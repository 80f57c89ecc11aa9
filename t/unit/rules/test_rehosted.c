/* test_rehosted - what a call keeps when it goes to another node because its own is dead.
 * SPDX-License-Identifier: MIT */
#include "rules/reconcile.h"

#include "rules/media.h"
#include "support/scene.h"

/* Joined long ago, with a media session of that age; NULL: none. */
static struct participant *
joined(struct call *c, const char *uid, const char *sid, int64_t age_ms)
{
	struct participant *p = call_find(c, word(uid));

	p->sid = word(sid);
	p->sid_at_ms = sid[0] != '\0' ? c->now_ms - age_ms : 0;
	p->session_from_ms = c->now_ms - age_ms;
	return p;
}

static struct call *
two_in_a_call(int64_t age_ms)
{
	struct call *c = scene("room=1 answered ann=1 bob=1");

	c->policy.join_grace_ms = 30000;
	c->policy.look_again_ms = 10000;
	(void)joined(c, "ann", "PA_ann", age_ms);
	(void)joined(c, "bob", "PA_bob", age_ms);
	return c;
}

START_TEST(who_was_connected_may_come_back)
{
	struct call *c = two_in_a_call(60000);
	struct before b = scene_before(c);

	call_rehosted(c);
	scene_check(&b, c);
	for (size_t i = 0; i < c->n_rows; i++) {
		ck_assert_int_eq(c->rows[i]->status, P_JOINED);
		ck_assert_int_eq(c->rows[i]->deadline_ms, c->now_ms + SCENE_GRACE_MS);
		ck_assert(c->rows[i]->dirty);
	}
	ck_assert(c->changed);
	ck_assert_uint_eq(c->n_events, 0);
}
END_TEST

/* Who asked to join just now has no session yet, and loses none. */
START_TEST(who_is_on_the_way_is_let_be)
{
	struct call *c = two_in_a_call(60000);
	struct participant *bob = joined(c, "bob", "", 100);

	call_rehosted(c);
	ck_assert_int_eq(bob->deadline_ms, 0);
	ck_assert_int_gt(call_find(c, S("ann"))->deadline_ms, 0);
}
END_TEST

/* The lists go on naming the sessions of the dead node. */
START_TEST(ghosts_do_not_count)
{
	static const int64_t AGES[] = { 60000, 1000, 0, -3000 };    /* LiveKit's clock may be ahead */
	const struct seen_room seen = { .heard = true, .listed = true, .host = HOST_ALIVE };

	for (size_t i = 0; i < N_ELEMS(AGES); i++) {
		struct call *c = two_in_a_call(AGES[i]);
		const struct media_session ghost = { .uid = S("ann"), .sid = S("PA_ann"),
		    .joined_at_ms = c->now_ms - AGES[i] };
		const struct media_session anew = { .uid = S("ann"), .sid = S("PA_2"),
		    .joined_at_ms = c->now_ms + (AGES[i] < 0 ? 3500 : 500) };

		call_rehosted(c);
		ck_assert(!media_counts(c, &seen, &ghost));
		ck_assert(media_counts(c, &seen, &anew));
	}
}
END_TEST

START_TEST(the_clock_of_hosts_only_goes_forward)
{
	struct call *c = two_in_a_call(60000);

	c->room.host_since_ms = c->now_ms + 1000;
	call_rehosted(c);
	ck_assert_int_eq(c->room.host_since_ms, c->now_ms + 1000);
}
END_TEST

START_TEST(without_a_grace_it_ends)
{
	struct call *c = two_in_a_call(60000);
	struct before b = scene_before(c);

	c->policy.rejoin_grace_ms = 0;
	call_rehosted(c);
	scene_check(&b, c);
	ck_assert_str_eq(scene_text(c), "room=2 lost/; ann=3 bob=3; left(ann)@1 left(bob)@1 finished@2; delete_room");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rehosted");
	TCase *t = tcase_create("rehosted");

	SCENE_CASE(t);
	tcase_add_test(t, who_was_connected_may_come_back);
	tcase_add_test(t, who_is_on_the_way_is_let_be);
	tcase_add_test(t, ghosts_do_not_count);
	tcase_add_test(t, the_clock_of_hosts_only_goes_forward);
	tcase_add_test(t, without_a_grace_it_ends);
	suite_add_tcase(s, t);
	return unit_main(s);
}

/* test_walk - thousands of random steps on calls, from fixed seeds: the API's verbs, ring deadlines, and a
 * LiveKit whose news come late, twice, out of order or never. After each step everything must hold.
 * SPDX-License-Identifier: MIT */
#include "rules/deadline.h"
#include "rules/media.h"
#include "rules/settle.h"

#include "support/scene.h"

enum { N_SEEDS = 16, N_CALLS = 30, N_STEPS = 60, N_STEPS_AFTER = 6, N_PEOPLE = 6, N_NEWS = 24 };
static const char *const PEOPLE[N_PEOPLE] = { "ann", "bob", "cat", "dan", "eve", "fay" };

/* xorshift64: the same walk for the same seed, everywhere. */
struct dice { uint64_t state; };

static int
roll(struct dice *d, int n)
{
	d->state ^= d->state << 13;
	d->state ^= d->state >> 7;
	d->state ^= d->state << 17;
	return (int)(d->state >> 11 & 0x7fffffff) % n;
}

struct walk {
	struct dice dice;
	struct call *c;
	/* Sessions LiveKit has or had: told of at any time, any number of times. */
	struct media_session news[N_NEWS];
	int n_news, n_sids;
	int finished;                    /* how often room.finished was told */
};

static struct str
somebody(struct walk *w)
{
	return word(PEOPLE[roll(&w->dice, N_PEOPLE)]);
}

static struct actor
some_actor(struct walk *w)
{
	static const char *const TYPES[] = { "", "app", "web" }, *const IDS[] = { "", "d1", "d2" };
	struct actor who = person("", TYPES[roll(&w->dice, 3)], IDS[roll(&w->dice, 3)]);

	who.uid = somebody(w);
	return who;
}

static struct str *
some_people(struct walk *w, size_t *n_out)
{
	struct str *uids = arena_array(scene_arena, N_PEOPLE, sizeof(*uids));
	size_t n = (size_t)roll(&w->dice, N_PEOPLE);

	for (size_t i = 0; i < n; i++)
		uids[i] = somebody(w);
	*n_out = n;
	return uids;
}

static enum err
some_invite(struct walk *w)
{
	struct invite_in in = { .timeout_s = roll(&w->dice, 2) * 5 };
	struct invite_out out;

	in.uids = some_people(w, &in.n_uids);
	in.busy = some_people(w, &in.n_busy);
	if (in.n_busy > 0) {
		struct str *busy = arena_array(scene_arena, in.n_busy, sizeof(*busy));

		memcpy(busy, in.busy, in.n_busy * sizeof(*busy));
		uids_sort(busy, in.n_busy);
		in.busy = busy;
	}
	return verb_invite(w->c, &in, &out);
}

/* A new session begins, near now by a clock that is not ours. */
static const struct media_session *
some_session(struct walk *w)
{
	struct media_session *s;

	if (w->n_news > 0 && roll(&w->dice, 2) == 0)
		return &w->news[roll(&w->dice, w->n_news < N_NEWS ? w->n_news : N_NEWS)];
	s = &w->news[w->n_news++ % N_NEWS];
	*s = (struct media_session){ .uid = somebody(w), .sid = arena_printf(scene_arena, "PA_%d", w->n_sids++),
	    .joined_at_ms = w->c->now_ms - 3000 + roll(&w->dice, 4000), .device_type = S("tv") };
	return s;
}

static void
some_news(struct walk *w)
{
	static const char *const SIDS[] = { "RM_1", "RM_2", "" };
	const struct media_room room = { .sid = word(SIDS[roll(&w->dice, 3)]),
	    .created_at_ms = w->c->now_ms - roll(&w->dice, 5000) };
	int what = roll(&w->dice, 8);

	if (what == 0)
		media_room_started(w->c, &room);
	else if (what == 1)
		media_room_finished(w->c, &room);
	else if (what < 5)
		media_participant_joined(w->c, &room, some_session(w));
	else
		media_participant_left(w->c, some_session(w), (enum media_left)(what - 5));
}

/* Time runs out, or is said to: LiveKit shows some, or nobody, or is silent. */
static enum err
some_deadline(struct walk *w)
{
	struct seen_room seen = { .heard = roll(&w->dice, 3) > 0, .host = (enum host_state)roll(&w->dice, 3) };
	const struct participant *p = call_find(w->c, somebody(w));
	struct fired fired;

	if (roll(&w->dice, 2) == 0)
		w->c->now_ms += roll(&w->dice, 2 * RING_S * 1000);
	if (p != NULL && p->status == P_INVITING && roll(&w->dice, 3) == 0)
		return verb_put_participant_status(w->c, p->uid, P_MISSED);
	seen.people = arena_array(scene_arena, 3, sizeof(*seen.people));
	while (seen.heard && seen.n_sessions < 3 && roll(&w->dice, 2) == 0)
		seen.people[seen.n_sessions++] = *some_session(w);
	call_fire(w->c, &seen, &fired);
	for (size_t i = 0; i < w->c->n_rows && seen.heard; i++)
		ck_assert(w->c->rows[i]->deadline_ms == 0 || w->c->rows[i]->deadline_ms > w->c->now_ms);
	return ERR_OK;
}

/* One transaction. */
static enum err
some_step(struct walk *w)
{
	struct actor who = some_actor(w);
	int what = roll(&w->dice, 40);

	w->c->policy.rejoin_grace_ms = roll(&w->dice, 4) == 0 ? 0 : SCENE_GRACE_MS;
	if (what < 8)
		return verb_join(w->c, &who, (enum takeover)roll(&w->dice, 3));
	if (what < 11)
		return verb_leave(w->c, &who);
	if (what < 13)
		return verb_reject(w->c, &who, (enum refusal)roll(&w->dice, 2));
	if (what < 17)
		return some_invite(w);
	if (what < 18)
		return roll(&w->dice, 4) == 0 ? verb_end(w->c, S("")) : ERR_OK;
	if (what < 19)
		return verb_remove(w->c, who.uid, S(""));
	if (what < 20)
		return verb_put_room_status(w->c, roll(&w->dice, 12), S(""));
	if (what < 23)
		return verb_put_participant_status(w->c, who.uid, roll(&w->dice, P_STATUS_COUNT));
	if (what < 25)
		return some_deadline(w);
	some_news(w);
	return ERR_OK;
}

static void
begin_call(struct walk *w)
{
	static const char *const SETUPS[] = { "seats=2", "seats=2 invite_on=1", "seats=4", "seats=4 invite_on=1",
		"seats=6", "seats=6 invite_on=1" };
	struct create_in in = { .creator = person("ann", "app", "d1") };
	struct before b;
	struct str *uids, *busy;
	size_t n;

	w->c = scene(SETUPS[roll(&w->dice, (int)N_ELEMS(SETUPS))]);
	w->n_news = w->n_sids = 0;
	b = scene_before(w->c);
	uids = some_people(w, &n);
	in.invitees = verbs_invitees(scene_arena, uids, n, in.creator.uid, &in.n_invitees);
	if ((int64_t)in.n_invitees >= w->c->room.max_participants)
		in.n_invitees = (size_t)w->c->room.max_participants - 1;
	busy = some_people(w, &in.n_busy);
	uids_sort(busy, in.n_busy);
	in.busy = busy;
	(void)!verb_create(w->c, &in);
	scene_check(&b, w->c);
	w->finished = (int)times_type(w->c, "room.finished");
	scene_commit(w->c);
}

static void
walk_on(struct walk *w)
{
	struct before b;
	enum err e;

	w->c->now_ms += roll(&w->dice, 3000);
	b = scene_before(w->c);
	e = some_step(w);
	if (e != ERR_OK)
		scene_unchanged(&b, w->c);
	scene_check(&b, w->c);
	w->finished += (int)times_type(w->c, "room.finished");
	ck_assert_int_eq(w->finished, room_status_final(w->c->room.status));
	scene_commit(w->c);
}

START_TEST(walks)
{
	struct walk w = { .dice = { 0x9e3779b97f4a7c15u + (uint64_t)_i * 0x2545f4914f6cdd1du } };

	for (int i = 0; i < N_CALLS; i++) {
		begin_call(&w);
		/* A while after its end too: nothing may bring it back. */
		for (int k = 0, after = 0; k < N_STEPS && after < N_STEPS_AFTER; k++) {
			walk_on(&w);
			after += room_status_final(w.c->room.status);
		}
		arena_reset(scene_arena);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rules/walk");
	TCase *tc = tcase_create("walk");

	SCENE_CASE(tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, walks, 0, N_SEEDS);
	suite_add_tcase(s, tc);
	return unit_main(s);
}

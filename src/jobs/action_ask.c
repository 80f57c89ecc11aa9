/* action_ask - asks LiveKit for what the actions want: which rooms there are, whether they still mean the
 * person who is there, and then the deed itself.
 * SPDX-License-Identifier: MIT */
#include "jobs/action.h"

#include "jobs/letter.h"
#include "livekit/census.h"
#include "livekit/twirp.h"

static void
settle_as(struct action *a, enum outcome outcome, struct str said)
{
	a->outcome = outcome;
	a->said = said;
}

/* ---- what needs no request of its own ---- */

static void
look_at_rooms(const struct batch *b)
{
	const struct census census = task_census(b->t);
	struct str *rooms = arena_array(b->op->arena, b->n, sizeof(*rooms));
	struct seen_room *seen = arena_array(b->op->arena, b->n, sizeof(*seen));

	for (size_t i = 0; i < b->n; i++)
		rooms[i] = b->all[i].row.room_id;
	census_rooms(b->op, &census, rooms, b->n, ACTION_CALL_MS, seen);
	for (size_t i = 0; i < b->n; i++)
		b->all[i].seen = seen[i];
}

/* A room that is not listed is none for LiveKit's API. A person on a node that is gone can be reached by
 * nobody: the room finds another node, or is closed. */
static void
triage(struct action *a)
{
	if (!a->closes && a->row.is_back)
		settle_as(a, DONE, S("came back"));
	else if (!a->seen.heard)
		settle_as(a, AGAIN, S("LiveKit does not say which rooms it has"));
	else if (!a->seen.listed)
		settle_as(a, DONE, S("not there"));
	else if (!a->closes && a->seen.host == HOST_GONE)
		settle_as(a, AGAIN, S("the node of the room does not live"));
}

/* ---- requests, those of all actions side by side ---- */

/* One kind of request in a round: which actions need it, how it is made, what its answer means. */
struct step {
	const char *method;
	bool (*needed)(const struct action *a);
	struct http_call (*make)(struct op *op, const struct conf *c, const struct action_row *r);
	/* e: ERR_OK, or ERR_PARTICIPANT_NOT_FOUND. */
	void (*take)(struct action *a, enum err e, const struct json *reply);
};

/* LiveKit cannot close a room whose node is gone; made anew on a living one, it can. */
static bool
must_revive(const struct action *a)
{
	return a->closes && a->seen.host == HOST_GONE;
}

static struct http_call
make_revive(struct op *op, const struct conf *c, const struct action_row *r)
{
	return twirp_create_room(op, c, r->room_id);
}

static void
take_revive(struct action *a, enum err e, const struct json *reply)
{
	(void)reply;
	if (e != ERR_OK)
		settle_as(a, AGAIN, S("the room could not be made anew"));
}

static bool
must_identify(const struct action *a)
{
	return !a->closes && a->row.sid.len > 0;
}

static struct http_call
make_identify(struct op *op, const struct conf *c, const struct action_row *r)
{
	return twirp_get_participant(op, c, r->room_id, r->uid);
}

static void
take_identify(struct action *a, enum err e, const struct json *reply)
{
	if (e != ERR_OK)
		settle_as(a, DONE, S("not there"));
	else if (!str_eq(json_str(json_get(reply, "sid")), a->row.sid))
		settle_as(a, DONE, S("another session"));
}

static bool
is_close(const struct action *a)
{
	return a->closes;
}

static struct http_call
make_close(struct op *op, const struct conf *c, const struct action_row *r)
{
	return twirp_delete_room(op, c, r->room_id);
}

static bool
is_removal(const struct action *a)
{
	return !a->closes;
}

static struct http_call
make_removal(struct op *op, const struct conf *c, const struct action_row *r)
{
	return twirp_remove_participant(op, c, r->room_id, r->uid);
}

static void
take_end(struct action *a, enum err e, const struct json *reply)
{
	(void)reply;
	settle_as(a, DONE, e == ERR_OK ? S("done") : S("not there"));
}

static const struct step PREPARE[] = {
	{ "CreateRoom", must_revive, make_revive, take_revive },
	{ "GetParticipant", must_identify, make_identify, take_identify },
};
static const struct step CARRY_OUT[] = {
	{ "DeleteRoom", is_close, make_close, take_end },
	{ "RemoveParticipant", is_removal, make_removal, take_end },
};

static const struct step *
step_for(const struct step steps[2], const struct action *a)
{
	if (a->outcome != PENDING)
		return NULL;
	for (size_t i = 0; i < 2; i++)
		if (steps[i].needed(a))
			return &steps[i];
	return NULL;
}

static struct str
what_went_wrong(struct op *op, const struct http_answer *a)
{
	struct str text = a->status == 0 ? a->why
	    : arena_printf(op->arena, "%d %.*s", a->status, STR_ARG(a->body));
	struct strbuf b;

	strbuf_init_arena(&b, op->arena, 64, 4 * ACTION_ERROR_CHARS + 1);
	letter_clean(&b, text, ACTION_ERROR_CHARS);
	return strbuf_str(&b);
}

static void
run_round(const struct batch *b, const struct step steps[2])
{
	const struct step *of[ACTIONS_A_PASS];
	struct action *who[ACTIONS_A_PASS];
	struct http_call *calls = arena_array(b->op->arena, b->n, sizeof(*calls));
	struct many_answer *answers = arena_array(b->op->arena, b->n, sizeof(*answers));
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		if ((of[n] = step_for(steps, &b->all[i])) == NULL)
			continue;
		who[n] = &b->all[i];
		calls[n] = of[n]->make(b->op, b->t->sv.conf, &who[n]->row);
		calls[n].timeout_ms = ACTION_CALL_MS;
		n++;
	}
	multi_all(b->op, b->t->sv.multi, calls, n, ACTIONS_A_PASS, answers);
	for (size_t i = 0; i < n; i++) {
		const struct http_answer *said = &answers[i].answer;
		const struct json *reply;
		enum err e = twirp_read(b->op, of[i]->method, answers[i].e, said, &reply);

		if (e == ERR_OK || e == ERR_PARTICIPANT_NOT_FOUND)
			of[i]->take(who[i], e, reply);
		else
			settle_as(who[i], AGAIN, what_went_wrong(b->op, said));
	}
}

void
action_ask(const struct batch *b)
{
	look_at_rooms(b);
	for (size_t i = 0; i < b->n; i++)
		triage(&b->all[i]);
	run_round(b, PREPARE);
	run_round(b, CARRY_OUT);
}

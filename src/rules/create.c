/* create - the rules of creating a call: who rings, who is busy, how many seats.
 * SPDX-License-Identifier: MIT */
#include "rules/verbs.h"

#include <stdlib.h>

#include "model/event.h"
#include "rules/settle.h"

static int
by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void
uids_sort(struct str *uids, size_t n)
{
	if (n > 1)
		qsort(uids, n, sizeof(*uids), by_bytes);
}

bool
uid_in(struct str uid, const struct str *sorted, size_t n)
{
	return n > 0 && bsearch(&uid, sorted, n, sizeof(*sorted), by_bytes) != NULL;
}

struct str *
verbs_invitees(struct arena *a, const struct str *uids, size_t n, struct str creator, size_t *n_out)
{
	struct str *kept = arena_array(a, n + 1, sizeof(*kept));
	size_t n_kept = 0;

	for (size_t i = 0; i < n; i++) {
		bool seen = uids[i].len == 0 || str_eq(uids[i], creator);

		for (size_t k = 0; k < n_kept && !seen; k++)
			seen = str_eq(kept[k], uids[i]);
		if (!seen)
			kept[n_kept++] = uids[i];
	}
	*n_out = n_kept;
	return kept;
}

int64_t
verbs_seats(int64_t asked, size_t n_invitees)
{
	int64_t people = 1 + (int64_t)n_invitees;

	if (asked <= 0)
		return people > 2 ? people : 2;
	return asked < people ? 0 : asked;
}

static struct participant *
add_person(struct call *c, struct str uid, bool busy)
{
	struct participant *p = call_add_row(c, uid);

	p->status = busy ? P_BUSY : P_INVITING;
	p->claimed = !busy;
	p->deadline_ms = busy ? 0 : c->now_ms + c->room.timeout_s * 1000;
	if (busy)
		p->left_how = str_of(left_how_name(LEFT_BUSY));
	return p;
}

/* Everybody asked for is in another call: history shows the attempt, nobody rings. */
static enum err
create_busy(struct call *c, const struct told *told)
{
	c->room.status = ROOM_BUSY;
	c->room.ended_at_ms = c->now_ms;
	c->room.end_reason = str_of(end_reason_name(END_BUSY));
	event_tell(c, EVENT_BUSY, told);
	event_tell(c, EVENT_ROOM_FINISHED, NULL);
	return ERR_PARTICIPANT_IN_CALL;
}

enum err
verb_create(struct call *c, const struct create_in *in)
{
	struct str *busy = arena_array(c->arena, in->n_invitees + 1, sizeof(*busy));
	struct str *rings = arena_array(c->arena, in->n_invitees + 1, sizeof(*rings));
	struct told told = { .device_type = in->creator.device_type, .device_id = in->creator.device_id };
	size_t n_busy = 0, n_rings = 0;
	struct participant *creator;
	bool all_busy;

	for (size_t i = 0; i < in->n_invitees; i++) {
		if (uid_in(in->invitees[i], in->busy, in->n_busy))
			busy[n_busy++] = in->invitees[i];
		else
			rings[n_rings++] = in->invitees[i];
	}
	all_busy = in->n_invitees > 0 && n_rings == 0;
	for (size_t i = 0; i < in->n_invitees; i++)
		add_person(c, in->invitees[i], uid_in(in->invitees[i], in->busy, in->n_busy));
	creator = add_person(c, in->creator.uid, all_busy);
	creator->name = in->creator.name;
	creator->device_type = in->creator.device_type;
	creator->device_id = in->creator.device_id;
	c->room.status = ROOM_RINGING;
	c->changed = true;

	told.uid = in->creator.uid;
	if (n_busy > 0) {
		told.busy = busy;
		told.n_busy = n_busy;
		if (all_busy)
			return create_busy(c, &told);
		event_tell(c, EVENT_BUSY, &told);
		told.busy = NULL;
	}
	if (n_rings > 0) {
		told.invited = rings;
		told.n_invited = n_rings;
		told.reason = S("create");
		event_tell(c, EVENT_INVITED, &told);
	}
	return ERR_OK;
}

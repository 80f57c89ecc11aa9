/* verbs - what people, backends and moderators do to a call (calls.md, "Operations"), on a call that was
 * loaded under its lock. No database, no clock: the same call and input give the same result.
 * Errors:    a verb that returns an error has changed nothing.
 * Idempotent: what is asked for and is so already is ERR_OK with c->changed untouched.
 * SPDX-License-Identifier: MIT */
#ifndef RULES_VERBS_H
#define RULES_VERBS_H

#include "base/err.h"
#include "model/call.h"

/* Who acts from where. Empty device fields name every device, but join, where the caller filled in "app". */
struct actor {
	struct str uid, name, device_type, device_id;
};

enum takeover { TAKEOVER_BY_DEFAULT, TAKEOVER_YES, TAKEOVER_NO };
enum refusal { REFUSE_DECLINED, REFUSE_BUSY };

/* create: c->room holds what was asked for and what the defaults gave; no rows yet. busy is sorted
 * bytewise. ERR_PARTICIPANT_IN_CALL: the call is stored all the same, as busy (c->changed). */
struct create_in {
	struct actor creator;
	const struct str *invitees;      /* cleaned: verbs_invitees */
	size_t n_invitees;
	const struct str *busy;
	size_t n_busy;
};
enum err verb_create(struct call *c, const struct create_in *in) MUST_CHECK;
/* Empties dropped, repeats dropped, creator removed; order kept. */
struct str *verbs_invitees(struct arena *a, const struct str *uids, size_t n, struct str creator, size_t *n_out);
/* Seats asked for (<= 0: none) and people -> seats; 0: too few for those people. */
int64_t verbs_seats(int64_t asked, size_t n_invitees);

enum err verb_join(struct call *c, const struct actor *who, enum takeover takeover) MUST_CHECK;
/* join's checks for somebody who is not joined, with a row or without: final, removed, uninvited, full. */
enum err verb_join_check(const struct call *c, struct str uid) MUST_CHECK;
enum err verb_leave(struct call *c, const struct actor *who) MUST_CHECK;
enum err verb_reject(struct call *c, const struct actor *who, enum refusal why) MUST_CHECK;

struct invite_in {
	const struct str *uids;          /* as asked */
	size_t n_uids;
	struct str by;                   /* empty: the creator */
	int64_t timeout_s;               /* 0: the room's */
	const struct str *busy;          /* sorted bytewise; active in another active call */
	size_t n_busy;
};
struct invite_out {
	struct str *already, *busy;
	size_t n_already, n_busy;
};
enum err verb_invite(struct call *c, const struct invite_in *in, struct invite_out *out) MUST_CHECK;

enum err verb_end(struct call *c, struct str by) MUST_CHECK;
enum err verb_remove(struct call *c, struct str uid, struct str by) MUST_CHECK;
enum err verb_put_room_status(struct call *c, int64_t status, struct str by) MUST_CHECK;
enum err verb_put_participant_status(struct call *c, struct str uid, int64_t status) MUST_CHECK;
/* 0 -> 1 and room.started, where it has not started yet. */
void verb_start(struct call *c);

bool uid_in(struct str uid, const struct str *sorted, size_t n);           /* binary search */
void uids_sort(struct str *uids, size_t n);                                /* bytewise */

#endif

/* change - one transaction on one call: lock, load, apply a rule, save; and what follows the commit.
 * Internal to the call room. SPDX-License-Identifier: MIT */
#ifndef CALL_CHANGE_H
#define CALL_CHANGE_H

#include "call/ops.h"

/* A rule on a locked call. May run several times (deadlock retry), each time on a freshly loaded call. */
typedef enum err (*change_rule)(struct op *op, struct call *c, void *arg);

/* ERR_OK: committed, or there was nothing to change; `after` is the call as it stands. */
enum err change_run(struct op *op, struct services *sv, struct str room_id, change_rule rule, void *arg,
    struct call *after) MUST_CHECK;

/* The same for who waits for an answer: *out shows the call to uid ("": to nobody in particular), before the commit
 * already, so that the answer can be kept with it (op->once; then ERR_REPLAYED, ERR_IDEMPOTENCY_MISMATCH). */
struct shown_change {
	struct str room_id;
	change_rule rule;
	void *arg;
	struct str uid;
	struct view *out;
};
enum err change_show(struct op *op, struct services *sv, const struct shown_change *ch) MUST_CHECK;

/* For transactions that do more: the locked call with our defaults filled in, and its saving. */
enum err change_lock(struct op *op, struct services *sv, struct sql_link *l, struct str room_id,
    struct call *c) MUST_CHECK;
/* Loads without a lock; ERR_ROOM_NOT_FOUND. */
enum err change_load(struct op *op, struct services *sv, struct str room_id, struct call *c) MUST_CHECK;
struct call_policy change_policy(const struct services *sv);
/* What a row read from the database lacks because the Go server wrote it. */
void change_fill_defaults(const struct services *sv, struct call *c);
/* What Redis keeps of a call. */
struct kv_room change_cached(struct op *op, const struct call *c);
/* After a commit that changed something, once: it is counted, Redis learns of it, waiting jobs are woken. */
void change_publish(struct op *op, struct services *sv, const struct call *c);
/* The same for the calls of one commit: those that changed. */
void change_publish_many(struct op *op, struct services *sv, const struct call *calls, size_t n);
/* The same after a transaction that may have changed nothing and then was rolled back: Redis is told all the same what is
 * true. The word of the commit before may have been lost, and whoever asks again is told that it is done. */
void change_tell(struct op *op, struct services *sv, const struct call *c);
/* After a transaction that ended with e, which it returns. ERR_OUTCOME_UNKNOWN, ERR_REPLAYED: something may have been
 * committed of which Redis was never told; what it has of the call is trusted no more. */
enum err change_failed(struct op *op, struct services *sv, struct str room_id, enum err e);

/* ERR_OK, ERR_ROOM_NOT_FOUND (a ticket without a row learns nothing), ERR_FORBIDDEN. */
enum err access_check(const struct access *a, const struct call *c) MUST_CHECK;

/* The view of uid on a call; uid empty: of nobody. */
void view_of(struct services *sv, const struct call *c, struct str uid, struct view *out);
/* Whether out->me can enter now: it rings for that person, or it is joined from the device that asks. */
bool view_may_enter(const struct view *v, const struct actor *who);
/* The token of out->me; rq may be NULL. ERR_UNAVAILABLE: LIVEKIT_CREATE_ROOM asks for a media room before
 * every token, and LiveKit did not make one. */
enum err view_add_token(struct op *op, struct services *sv, struct view *out, const struct join_req *rq) MUST_CHECK;

#endif

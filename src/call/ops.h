/* ops - the domain's operations, each one transaction on one call: the API, LiveKit's webhooks and the
 * jobs all come through here. Locks, retries and what follows a commit (cache, wake-up, log lines) are
 * the business of this room; what may happen is that of rules/.
 * Ownership: results live in op->arena.
 * Errors:    the domain's own (rules/), ERR_ROOM_NOT_FOUND, ERR_FORBIDDEN from access; ERR_UNAVAILABLE,
 *            ERR_OUTCOME_UNKNOWN, ERR_INTERNAL from below.
 * SPDX-License-Identifier: MIT */
#ifndef CALL_OPS_H
#define CALL_OPS_H

#include "call/services.h"
#include "livekit/room_api.h"
#include "livekit/webhook.h"
#include "rules/verbs.h"
#include "store/list_store.h"
#include "store/people_store.h"

/* What a ticket must be to do it, checked under the room's lock. `ticket` false: a key, no question. */
struct access {
	bool ticket;
	struct str uid;               /* of the ticket */
	bool row, active_row, creator;/* any that is set suffices */
};

/* A call as it stands after the operation, and what the asker gets with it. */
struct view {
	struct call call;
	const struct participant *me; /* NULL: no row, or nobody in particular */
	struct str token, url;
	struct invite_out invited;
};

struct create_req {
	struct actor creator;
	struct str room_id;           /* "": one is made */
	int64_t rtc_type, invite_on, max_participants, timeout_s, source_channel_type;
	struct str source_channel_id, metadata;
	const struct str *uids;
	size_t n_uids;
	bool no_token;                /* the view gets none: the creator joins next */
};
enum err op_create(struct op *op, struct services *sv, const struct create_req *rq, struct view *out) MUST_CHECK;

struct join_req {
	struct str room_id;
	struct actor who;
	enum takeover takeover;
	int64_t ttl_s;                /* 0: TOKEN_TTL */
	struct str token_metadata, token_attributes, token_room_config;   /* /token only; "" else */
	struct access access;
};
enum err op_join(struct op *op, struct services *sv, const struct join_req *rq, struct view *out) MUST_CHECK;
/* A room that nobody knows becomes an open call of who asked, and is joined; or, when another was first, only joined. */
enum err op_open_call(struct op *op, struct services *sv, const struct join_req *rq, struct view *out) MUST_CHECK;
/* A new token for who is joined, without changing anything; else ERR_FORBIDDEN. */
enum err op_refresh(struct op *op, struct services *sv, struct str room_id, struct str uid, int64_t ttl_s,
    struct view *out) MUST_CHECK;

enum err op_leave(struct op *op, struct services *sv, struct str room_id, const struct actor *who,
    const struct access *access, struct view *out) MUST_CHECK;
struct reject_req {
	struct str room_id;
	struct actor who;
	enum refusal why;
	struct access access;
};
enum err op_reject(struct op *op, struct services *sv, const struct reject_req *rq, struct view *out) MUST_CHECK;
enum err op_invite(struct op *op, struct services *sv, struct str room_id, const struct invite_in *in,
    const struct access *access, struct view *out) MUST_CHECK;
enum err op_end(struct op *op, struct services *sv, struct str room_id, const struct access *access,
    struct view *out) MUST_CHECK;
enum err op_remove(struct op *op, struct services *sv, struct str room_id, struct str uid,
    const struct access *access, struct view *out) MUST_CHECK;
enum err op_put_room_status(struct op *op, struct services *sv, struct str room_id, int64_t status,
    struct view *out) MUST_CHECK;
enum err op_put_participant_status(struct op *op, struct services *sv, struct str room_id, struct str uid,
    int64_t status, struct view *out) MUST_CHECK;
enum err op_mute(struct op *op, struct services *sv, struct str room_id, struct str uid,
    enum track_source source, bool muted, const struct access *access, struct view *out) MUST_CHECK;

/* LiveKit's event, once: a repeat, an unknown room and an unknown event are ERR_OK. */
enum err op_media(struct op *op, struct services *sv, const struct webhook *hook) MUST_CHECK;

/* ---- answers without a change ---- */
enum err op_get(struct op *op, struct services *sv, struct str room_id, const struct access *access,
    struct view *out) MUST_CHECK;
/* Calls the person can (re)enter from this device, each with a token. */
enum err op_sync(struct op *op, struct services *sv, const struct actor *who, struct view **out,
    size_t *n_out) MUST_CHECK;
enum err op_calling(struct op *op, struct services *sv, const struct str *uids, size_t n,
    struct calling_row **rows_out, size_t *n_out) MUST_CHECK;
/* A page of calls with their participants. total_out may be NULL. */
enum err op_list(struct op *op, struct services *sv, const struct list_filter *f, struct call **out,
    size_t *n_out, int64_t *total_out) MUST_CHECK;

#endif

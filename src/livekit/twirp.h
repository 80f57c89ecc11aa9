/* twirp - requests to LiveKit's RoomService, ready to be sent by whoever sends them (one by one, or many at
 * once), and what an answer is worth. Twirp over HTTP with JSON (wire facts: LiveKit 1.13.5, section 4 of
 * the notes; replies are snake_case, errors {"code","msg"}).
 * Counting:  an answer is counted once, by twirp_read, or by twirp_no_node where that is true.
 * Ownership: texts in op->arena. Tokens in them live 60 s: to be sent soon.
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_TWIRP_H
#define LIVEKIT_TWIRP_H

#include "base/jsonw.h"
#include "conf/conf.h"
#include "httpc/httpc.h"
#include "json/json.h"

enum { TWIRP_MS = 1500 };             /* time-out where the caller sets none */

/* The body of a request: an open object, to be closed by the caller. */
void twirp_begin(struct op *op, struct strbuf *b, struct jsonw *w);
/* grants: the "video" object of the token. */
struct http_call twirp_call(struct op *op, const struct conf *c, const char *method, struct str grants,
    struct str body);
struct str twirp_admin_of(struct op *op, struct str room_id);        /* grants: roomAdmin there */

struct http_call twirp_create_room(struct op *op, const struct conf *c, struct str room_id);
struct http_call twirp_list_rooms(struct op *op, const struct conf *c, const struct str *names, size_t n);
struct http_call twirp_list_participants(struct op *op, const struct conf *c, struct str room_id);
struct http_call twirp_get_participant(struct op *op, const struct conf *c, struct str room_id, struct str uid);
struct http_call twirp_remove_participant(struct op *op, const struct conf *c, struct str room_id,
    struct str uid);
/* Changes no subscription: goes to the node that has the person's session, past all lists. */
struct http_call twirp_ask_for(struct op *op, const struct conf *c, struct str room_id, struct str uid);
struct http_call twirp_delete_room(struct op *op, const struct conf *c, struct str room_id);

/* e: whether an HTTP answer came. ERR_OK with the reply, a JSON object; ERR_PARTICIPANT_NOT_FOUND (404 of the
 * service itself: a proxy's proves nothing); ERR_ILLEGAL_TRANSITION (412); else ERR_UNAVAILABLE, and that
 * was logged. */
enum err twirp_read(struct op *op, const char *method, enum err e, const struct http_answer *a,
    const struct json **reply_out) MUST_CHECK;
/* LiveKit found no node that answers for the room or the person (a proxy's 503 says nothing of the kind). */
bool twirp_no_node(struct op *op, const char *method, enum err e, const struct http_answer *a) MUST_CHECK;

#endif

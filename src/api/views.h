/* views - how calls look in answers (api.md): RoomResp with a token, Room without, participant.
 * SPDX-License-Identifier: MIT */
#ifndef API_VIEWS_H
#define API_VIEWS_H

#include "api/replay.h"
#include "base/jsonw.h"
#include "call/ops.h"
#include "http/http.h"

/* RoomResp. active_only: uids lists the active people (sync), else everybody. */
void view_room_resp(struct jsonw *w, const char *key, const struct view *v, bool active_only);
/* Room's fields into an object that the caller opened, so that more can stand beside them. */
void view_room_fields(struct jsonw *w, const struct call *c, struct str url);
void view_participant(struct jsonw *w, const char *key, const struct call *c, const struct participant *p);

/* Whole replies; `what` is a struct view. */
extern const struct answer_kind ANSWER_ROOM_RESP;
extern const struct answer_kind ANSWER_ROOM;
extern const struct answer_kind ANSWER_ROOM_INVITED;  /* with already and busy_uids */
enum err reply_participant(struct reply *rp, const struct view *v);

#endif

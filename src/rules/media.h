/* media - what LiveKit says happened, as hints (calls.md, "What LiveKit tells us"): late, doubled, out of
 * order, or never. Each rule decides whether it still counts.
 * SPDX-License-Identifier: MIT */
#ifndef RULES_MEDIA_H
#define RULES_MEDIA_H

#include "model/call.h"
#include "model/seen.h"

struct media_room {
	struct str sid;
	int64_t created_at_ms;       /* the event's, LiveKit's clock */
};
enum media_left { MEDIA_LEFT_CLIENT, MEDIA_LEFT_PUT_OUT, MEDIA_LEFT_OTHER };

void media_room_started(struct call *c, const struct media_room *r);
void media_participant_joined(struct call *c, const struct media_room *r, const struct media_session *s);
/* The same of somebody who is in LiveKit's list now and whose earlier sessions do not matter: none is too old. */
void media_participant_there(struct call *c, const struct media_session *s);
void media_participant_left(struct call *c, const struct media_session *s, enum media_left why);
void media_room_finished(struct call *c, const struct media_room *r);
/* Whether somebody whom LiveKit lists is believed to be there: the lists keep ghosts of a node that died. */
bool media_counts(const struct call *c, const struct seen_room *seen, const struct media_session *s);

#endif

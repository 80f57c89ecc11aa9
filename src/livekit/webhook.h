/* webhook - LiveKit's webhooks: the signature first, then the event (wire facts: LiveKit 1.13.5; protojson
 * in camelCase with defaults left out, int64 as text; JWT without "Bearer", sha256 claim in base64).
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_WEBHOOK_H
#define LIVEKIT_WEBHOOK_H

#include "base/op.h"
#include "conf/conf.h"

/* True: signed by one of LIVEKIT_KEYS for exactly this body, within 60 s of its times. */
bool webhook_verify(struct op *op, const struct conf *c, struct str authorization, struct str body,
    int64_t now_ms) MUST_CHECK;

enum webhook_kind {
	WEBHOOK_OTHER, WEBHOOK_ROOM_STARTED, WEBHOOK_ROOM_FINISHED, WEBHOOK_PARTICIPANT_JOINED,
	WEBHOOK_PARTICIPANT_LEFT, WEBHOOK_PARTICIPANT_ABORTED
};
struct webhook {
	enum webhook_kind kind;
	struct str event, id;               /* as LiveKit names them */
	int64_t created_at_ms;
	struct str room_id, room_sid;
	struct str uid, sid;
	int64_t joined_at_ms;
	struct str device_type, device_id;  /* from attributes, then metadata */
	struct str disconnect_reason;       /* "" = UNKNOWN_REASON */
	bool is_person;                     /* kind standard, not hidden, a valid uid */
};
/* ERR_INVALID_PARAMETERS: no JSON object. Whatever else is odd is WEBHOOK_OTHER. */
enum err webhook_parse(struct op *op, struct str body, struct webhook *out) MUST_CHECK;

#endif

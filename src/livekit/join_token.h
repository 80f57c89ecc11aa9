/* join_token - reads an access token as a LiveKit node does, and refuses it with the node's own status and words
 * (wire facts: LiveKit 1.13.5, sections 3.2, 3.3 and 7 of the notes), so that a node need not see it.
 * Words:     LiveKit repeats a token it refuses ("invalid token: eyJ.., error: .."); we leave it out.
 * Stricter:  a header or claims that only a lenient parser takes are an invalid token here.
 * Ownership: texts in op->arena, or of what was given.
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_JOIN_TOKEN_H
#define LIVEKIT_JOIN_TOKEN_H

#include "base/op.h"
#include "conf/conf.h"

struct join_token {
	bool given;                   /* there was one; else all else is empty */
	bool grants, joins;           /* claims video, video.roomJoin */
	struct str identity, room;    /* sub (else jti), video.room */
};
struct token_refusal {
	int status;
	struct str text;              /* one line of printable bytes */
};

/* What a node asks of a token on every path. authorization: the header, which wins; access_token: of the query, decoded.
 * True: it holds, or none was given. */
bool join_token_read(struct op *op, const struct conf *c, struct str authorization, struct str access_token,
    int64_t now_ms, struct join_token *out, struct token_refusal *no) MUST_CHECK;
/* What /rtc asks besides: that it joins a room, as somebody. */
bool join_token_joins(const struct join_token *t, struct token_refusal *no) MUST_CHECK;

#endif

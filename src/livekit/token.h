/* token - LiveKit access tokens (wire facts: LiveKit 1.13.5, section 7 of the notes; HS256, iss = API key,
 * sub = identity, video grants). Ours join one room and publish and subscribe in it: they cannot create,
 * list, record or moderate. Each token minted is one `LiveKit Token 生成成功` line, without the token.
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_TOKEN_H
#define LIVEKIT_TOKEN_H

#include "base/op.h"
#include "conf/conf.h"

struct token_for {
	struct str room_id, uid, name, device_type, device_id;
	struct str livekit_url, livekit_node;     /* what the room was assigned */
	struct str metadata;                      /* "": {"device_type": ...}, as the Go server's */
	struct str attributes;                    /* "": the device's; else a JSON object of strings */
	struct str room_config;                   /* "" or LiveKit's RoomConfiguration as JSON */
	int64_t ttl_s;                            /* 0: TOKEN_TTL */
};
struct str token_mint(struct op *op, const struct conf *c, const struct token_for *t);
/* For our own calls to LiveKit's API: grants as a JSON object for "video", life 60 s. Not logged. */
struct str token_for_api(struct op *op, const struct conf *c, struct str grants);

#endif

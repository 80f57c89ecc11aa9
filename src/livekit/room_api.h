/* room_api - the calls we make to LiveKit's RoomService: Twirp over HTTP with JSON (wire facts: LiveKit
 * 1.13.5, section 4 of the notes; replies are snake_case, errors {"code","msg"}).
 * Errors: ERR_OK; ERR_PARTICIPANT_NOT_FOUND (404); ERR_ILLEGAL_TRANSITION (412); ERR_UNAVAILABLE (no answer,
 * 5xx, or refused: then logged). SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_ROOM_API_H
#define LIVEKIT_ROOM_API_H

#include "conf/conf.h"
#include "httpc/httpc.h"

struct room_api {
	const struct conf *conf;
	struct httpc *http;
};
enum err room_api_create(struct op *op, const struct room_api *a, struct str room_id) MUST_CHECK;

enum track_source { TRACK_ALL, TRACK_CAMERA, TRACK_MICROPHONE, TRACK_SCREEN_SHARE };
/* Mutes (or unmutes) the published tracks of a person; ERR_PARTICIPANT_NOT_FOUND: not connected. */
enum err room_api_mute(struct op *op, const struct room_api *a, struct str room_id, struct str uid,
    enum track_source source, bool muted) MUST_CHECK;
/* For the doctor: does LiveKit take our key? *status_out is the HTTP status, 0 = no answer. */
enum err room_api_probe(struct op *op, const struct room_api *a, int *status_out, struct str *why_out) MUST_CHECK;

#endif

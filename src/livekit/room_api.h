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
/* The session of a person who is connected (GetParticipant); ERR_PARTICIPANT_NOT_FOUND. */
enum err room_api_session(struct op *op, const struct room_api *a, struct str room_id, struct str uid,
    struct str *sid_out) MUST_CHECK;
/* ERR_PARTICIPANT_NOT_FOUND: neither such a room nor such a person there. */
enum err room_api_remove(struct op *op, const struct room_api *a, struct str room_id, struct str uid) MUST_CHECK;
enum err room_api_delete(struct op *op, const struct room_api *a, struct str room_id) MUST_CHECK;

/* For the doctor: does LiveKit take our key? *status_out is the HTTP status, 0 = no answer. */
enum err room_api_probe(struct op *op, const struct room_api *a, int *status_out, struct str *why_out) MUST_CHECK;
/* Where the node that answers us takes its lists of people from: seen by what it says of a room that no node has. The
 * nodes themselves (enable_psrpc_for_get_list_participants) take 3 s to find that; Redis has an empty list of it. */
enum lists_from { LISTS_UNKNOWN, LISTS_FROM_REDIS, LISTS_FROM_NODES };
enum lists_from room_api_lists(struct op *op, const struct room_api *a);

#endif

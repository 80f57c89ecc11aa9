/* census - asks LiveKit about many rooms at once: its API for rooms and people, its Redis for who hosts them.
 * Nothing is locked meanwhile, nothing is believed here: model/seen.h says what the answer is worth.
 * SPDX-License-Identifier: MIT */
#ifndef LIVEKIT_CENSUS_H
#define LIVEKIT_CENSUS_H

#include "httpc/multi.h"
#include "livekit/nodes.h"
#include "model/seen.h"

struct census {
	const struct conf *conf;
	struct httpc_multi *multi;
	struct kv *livekit_kv;        /* NULL: hosts stay HOST_UNKNOWN */
	struct node_clock *clock;     /* the process's */
};
enum { CENSUS_NAMES_MAX = 500, CENSUS_PARALLEL = 64, CENSUS_BY_NAME_PARALLEL = 256 };

/* ListRooms for these names (in calls of CENSUS_NAMES_MAX, each within timeout_ms), and the map of hosts;
 * fills out[i] for rooms[i], people aside. Rooms of a call that failed stay !heard. */
void census_rooms(struct op *op, const struct census *c, const struct str *rooms, size_t n, int64_t timeout_ms,
    struct seen_room *out);
/* ListParticipants for those of out[] where wanted[i], CENSUS_PARALLEL at once. Wanted rooms that ListRooms did not
 * have are asked for all the same: a node that was frozen and came back may have wiped a living room out of LiveKit's
 * Redis, and only the node that hosts it knows. Nobody is in it (people_known) where LiveKit answers 404 or, for such a
 * room, 503: no node answered for it, which LiveKit finds after 3 s (give it 4). One whose call failed otherwise:
 * people_known stays false, heard becomes false. What is not wanted stays as it is. */
void census_people(struct op *op, const struct census *c, const struct str *rooms, const bool *wanted, size_t n,
    int64_t timeout_ms, struct seen_room *out);

/* A person the lists lack. Both lists may come from a node that hosts the room no longer (it was frozen, came back, and
 * answers for a room that lives elsewhere by now); a request to the person reaches the node that has the session, or
 * none, which LiveKit finds after 3 s (give it 4). */
struct missing_person {
	struct str room_id, uid;
	bool sure, there;
};
void census_by_name(struct op *op, const struct census *c, struct missing_person *people, size_t n,
    int64_t timeout_ms);

#endif

/* seen - what LiveKit's lists said of one room at one moment: gathered without a lock, applied under it
 * only when nothing changed in between. The lists lie in both directions (ghosts of a dead node; live
 * people erased by a frozen one), so each rule decides what it believes.
 * SPDX-License-Identifier: MIT */
#ifndef MODEL_SEEN_H
#define MODEL_SEEN_H

#include "base/str.h"

/* One media session of one person. */
struct media_session {
	struct str uid, sid;
	int64_t joined_at_ms;        /* LiveKit's clock */
	struct str device_type, device_id;
};

enum host_state {
	HOST_UNKNOWN,                /* LiveKit's Redis could not be read, or names no node */
	HOST_ALIVE,                  /* room_node_map names a node with a fresh record */
	HOST_GONE                    /* it names one without */
};

/* Somebody of whom the node that has the session was asked, by name: no list is behind the answer. */
struct asked_person {
	struct str uid;
	bool there;
};

struct seen_room {
	bool heard;                  /* LiveKit answered; false: nothing below means anything */
	bool listed;                 /* ListRooms has it */
	int64_t n_people;            /* its num_participants */
	bool people_known;           /* ListParticipants answered: `people` holds the persons (no agents, no hidden) */
	struct media_session *people;
	size_t n_sessions;
	struct asked_person *asked;  /* persons who were asked for by name, and whose answer is sure */
	size_t n_asked;
	enum host_state host;
	struct str node;             /* id of that node, or "" */
};

#endif

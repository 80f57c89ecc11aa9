/* action - one thing LiveKit was to be told, while it is carried out. Private to the task "actions".
 * SPDX-License-Identifier: MIT */
#ifndef JOBS_ACTION_H
#define JOBS_ACTION_H

#include "jobs/task.h"
#include "model/seen.h"
#include "store/action_store.h"

/* Asking takes at most three rounds of requests: over before the claim is. LiveKit itself may take 3 s. */
enum { ACTIONS_A_PASS = 16, ACTION_CALL_MS = 3200, ACTION_CLAIM_MS = 10000 };
enum { ACTION_ERROR_CHARS = 255 };        /* livekit_action.last_error */

enum outcome {
	PENDING,                      /* still to be asked for */
	DONE,
	AGAIN
};

struct action {
	struct action_row row;
	struct seen_room seen;
	bool closes;                  /* delete_room, not remove_participant */
	enum outcome outcome;
	struct str said;              /* why it is done, or what went wrong */
};

struct batch {
	struct task *t;
	struct op *op;
	struct action *all;
	size_t n;
};

/* Carries all of them out, side by side: none is PENDING after it. */
void action_ask(const struct batch *b);

#endif

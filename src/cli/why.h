/* why - somebody's way into a call: what the logs say of it, and what is to be said of each step; for `tgo-call why`.
 * Ownership: texts in the arena of the command.
 * SPDX-License-Identifier: MIT */
#ifndef CLI_WHY_H
#define CLI_WHY_H

#include "call/ops.h"
#include "cli/doctor.h"

/* The newest sighting of each kind; at_ms 0: none. */
struct trace {
	struct str uid;
	struct str uid_text;          /* as the logs spell it; filled by why_read_logs */
	struct { int64_t at_ms, timeout_s; struct str url, node; } token;      /* one was made */
	struct { int64_t at_ms; struct str error, route; } refused;            /* a request of theirs failed */
	struct {                                          /* nginx asked a route worker about them */
		int64_t at_ms, status;
		struct str request_id, node, bad_node, told;
		bool refused;
	} routed;
	struct {                                          /* nginx's line of that, written when it ended */
		int64_t at_ms, status;
		struct str upstream, node, seconds;
	} nginx;
	struct { int64_t at_ms; struct str event; } hook; /* LiveKit told of them */
};
struct sightings {
	struct str room_id, room_text;
	int64_t since_ms;             /* earlier lines are of another call */
	struct trace *people;
	size_t n;
	int64_t n_nameless;           /* connections refused whose token names nobody we could trust */
	bool no_app_log, no_nginx_log;/* could not be read */
};
/* The application's log first, then nginx's. */
void why_read_logs(struct cli *c, const char *app_log, const char *nginx_log, struct sightings *s);

enum { WHY_PEOPLE_MAX = 20, WHY_STEPS_MAX = 2 + 5 * WHY_PEOPLE_MAX };
struct step {
	struct str uid;               /* "": of the call */
	const char *name;
	enum verdict verdict;
	int64_t at_ms;                /* 0: no time */
	struct str said;
	const char *cure;             /* "": nothing to cure */
};
struct why {
	struct cli *c;
	struct view view;
	struct sightings seen;
	struct step steps[WHY_STEPS_MAX];
	size_t n;
	bool failed;
};
/* Each adds its steps; the logs were read. */
void why_judge_room(struct why *w);
void why_judge_person(struct why *w, const struct trace *t);

#endif

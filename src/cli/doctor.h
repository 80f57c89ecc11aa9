/* doctor - the findings of `tgo-call check`: what was looked at, how it is, and the cure.
 * SPDX-License-Identifier: MIT */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "cli/command.h"

enum verdict { WELL, WARNING, FAILURE };

enum { FINDINGS_MAX = 40 };
struct finding {
	const char *name;
	enum verdict verdict;
	struct str said, cure;
};
struct doctor {
	struct cli *c;
	const char *fcgi_socket, *route_socket;          /* of the workers; NULL: where the packages have them */
	struct finding findings[FINDINGS_MAX];
	size_t n;
	bool failed;
};

/* Notes one, and prints it at once for people. cure "" when there is nothing to cure. */
void doctor_finds(struct doctor *d, const char *name, enum verdict v, const char *cure,
    struct str said);

/* scheme://host:port of a url clients are told (ws, wss, http, https), as http or https. */
struct str doctor_origin(struct cli *c, struct str url);   /* check_peers.c */

/* What is looked at, in this order; each changes nothing of ours. */
void check_configuration(struct doctor *d);           /* check_host.c */
void check_log_file(struct doctor *d);
void check_sockets(struct doctor *d);                 /* check_sockets.c */
bool check_database(struct doctor *d);                /* check_db.c; false: away, the rest needs it */
void check_clocks(struct doctor *d);
void check_webhooks(struct doctor *d);
void check_jobs(struct doctor *d);                    /* check_jobs.c */
void check_redis(struct doctor *d);                   /* check_peers.c */
void check_livekit(struct doctor *d);
void check_livekit_redis(struct doctor *d);           /* check_cluster.c */
void check_nodes(struct doctor *d);
void check_livekit_version(struct doctor *d);
void check_route(struct doctor *d);                   /* check_route.c: joins a room of its own for a moment */
void check_nginx(struct doctor *d);
void check_receivers(struct doctor *d);               /* check_receivers.c */

#endif

/* The request loop.
 * SPDX-License-Identifier: MIT */
#include "app/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/route.h"
#include "api/serve.h"
#include "app/database.h"
#include "app/process.h"
#include "app/services.h"
#include "base/clock.h"
#include "http/fcgi.h"
#include "http/reply.h"
#include "i18n/i18n.h"

/* Bounds one request: the largest reply while its buffer grows, the largest body, their texts. */
/* What the end of a call of a thousand people takes: each is told of, with the ids of all. */
enum { ARENA_CAP_BYTES = 256 * 1024 * 1024 };

struct loop {
	const struct worker *w;
	struct services sv;
	struct arena *arena;
	struct fcgi *fcgi;
	bool schema_known;
};

static enum err
read_body(void *arg, struct arena *a, struct request *rq, int64_t max_bytes)
{
	return fcgi_read_body(arg, a, rq, max_bytes);
}

/* The names nginx logs and hides (operations.md, "Logs"). */
static void
finish(struct loop *lp, const struct op *op, const struct request *rq, const struct reply *rp)
{
	struct fcgi_header extra[6];
	size_t n = 0;

	extra[n++] = (struct fcgi_header){ "X-Request-Id", op->request_id };
	if (op->livekit_url.len > 0)
		extra[n++] = (struct fcgi_header){ "X-LiveKit-Url", op->livekit_url };
	if (op->livekit_node.len > 0)
		extra[n++] = (struct fcgi_header){ "X-LiveKit-Node", op->livekit_node };
	if (op->room_id.len > 0)
		extra[n++] = (struct fcgi_header){ "X-Room-Id", op->room_id };
	if (rp->refused_status > 0) {
		extra[n++] = (struct fcgi_header){ "X-Route-Status",
		    arena_printf(op->arena, "%d", rp->refused_status) };
		extra[n++] = (struct fcgi_header){ "X-Route-Text", rp->refused_text };
	}
	fcgi_finish(lp->fcgi, rq, rp, extra, n);
}

/* A database that was away at the start may come back with another schema than ours. Looked at
 * right after it has answered a request, so that nobody waits for it; /readyz says it too. */
static void
look_at_schema(struct loop *lp, struct op *op)
{
	enum database_state state;
	char cure[200];

	if (lp->schema_known || op->n_sql == 0)
		return;
	state = database_schema(op, lp->sv.db, cure, sizeof(cure));
	if (state == DATABASE_AWAY)
		return;
	lp->schema_known = true;
	if (state == DATABASE_OTHER_SCHEMA)
		log_note(lp->w->log, LOG_ERROR, "数据库结构版本不符", "schema_mismatch", cure);
}

static void
serve_one(struct loop *lp)
{
	struct request rq;
	struct reply rp = { 0 };
	struct op op = { .arena = lp->arena, .log = lp->w->log, .meter = lp->w->meter,
	    .lang = LANG_DEFAULT, .started_us = clock_mono_us(),
	    .nodes_ahead_s = node_clock_ahead_s(registry_clock(lp->sv.registry)) };

	fcgi_read(lp->fcgi, lp->arena, &rq);
	op.request_id = rq.request_id;
	if (rq.x_region.len == 0)
		rq.x_region = fcgi_header(lp->fcgi, lp->arena, lp->w->conf->region_header);
	reply_init(&rp, lp->arena);
	if (lp->w->part == PART_ROUTE)
		route_serve(&op, &lp->sv, &rq, &rp);
	else
		api_serve(&op, &lp->sv, &rq, read_body, lp->fcgi, &rp);
	finish(lp, &op, &rq, &rp);
	look_at_schema(lp, &op);
	arena_reset(lp->arena);
}

/* False: leave. */
static bool
take_signal(const struct loop *lp, int signo)
{
	if (signo == SIGUSR1)
		log_reopen(lp->w->log);
	return signo != SIGTERM && signo != SIGINT;
}

static int
serve(struct loop *lp)
{
	int64_t n_left = lp->w->conf->max_requests;
	bool bounded = n_left > 0;
	sigset_t set;
	int signo = 0;

	process_signals(&set);
	while (!bounded || n_left > 0) {
		switch (fcgi_wait(lp->fcgi, &set, &signo)) {
		case FCGI_REQUEST:
			serve_one(lp);
			n_left--;
			break;
		case FCGI_SIGNAL:
			if (!take_signal(lp, signo))
				return EXIT_SUCCESS;
			break;
		case FCGI_ERROR:
			log_note(lp->w->log, LOG_ERROR, "无法接受连接", "accept_failed", strerror(errno));
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}

/* False: a line was logged. */
static bool
open_all(struct loop *lp)
{
	if (!services_open(&lp->sv, lp->w->conf, lp->w->log))
		return false;
	lp->sv.meter = lp->w->meter;
	lp->sv.state = lp->w->state;
	lp->sv.links = lp->w->links;
	lp->arena = arena_new(ARENA_CAP_BYTES);
	lp->fcgi = fcgi_open(lp->w->listen_fd, lp->w->held);
	if (lp->arena == NULL || lp->fcgi == NULL) {
		log_note(lp->w->log, LOG_ERROR, "无法使用监听套接字", "fcgi_failed", strerror(errno));
		return false;
	}
	return true;
}

int
worker_run(const struct worker *w)
{
	struct loop lp = { .w = w, .schema_known = w->schema_known };
	int status = EXIT_FAILURE;

	if (open_all(&lp)) {
		process_say_up(w->ready_fd);
		status = serve(&lp);
	}
	fcgi_close(lp.fcgi);
	arena_free(lp.arena);
	services_close(&lp.sv);
	return status;
}

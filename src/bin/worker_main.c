/* tgo-call-worker: the FastCGI application.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <sysexits.h>

#include "api/metrics.h"
#include "api/serve.h"
#include "app/listen.h"
#include "app/master.h"
#include "app/process.h"
#include "app/worker.h"
#include "base/sample.h"

struct serving {
	struct listener listener;
	enum part part;
	struct sample *state, *links;
};

static int
serve(const struct child *c, void *arg)
{
	const struct serving *serving = arg;
	struct worker w = {
		.conf = c->setup->conf,
		.log = c->setup->log,
		.meter = c->meter,
		.state = serving->state,
		.links = serving->links,
		.held = c->held,
		.part = serving->part,
		.listen_fd = serving->listener.fd,
		.ready_fd = c->ready_fd,
		.schema_known = c->setup->schema_known,
	};

	return worker_run(&w);
}

/* What the workers of the API count by and have in common; without it /metrics has less to tell. */
static void
share(struct serving *serving, struct meter *m)
{
	if (serving->part != PART_API)
		return;
	api_routes_count_in(m);
	serving->state = sample_new(STATE_MAX_BYTES);
	serving->links = sample_new(LINKS_MAX_BYTES);
}

static bool
open_listener(const struct options *o, char *const *envp, struct listener *out)
{
	char err[512];
	bool open = o->listen != NULL ? listen_at(o->listen, out, err, sizeof(err))
	    : listen_inherit(envp, out, err, sizeof(err));

	if (!open)
		fprintf(stderr, "tgo-call-worker: %s\n", err);
	return open;
}

static int
run(const struct options *o, struct setup *s, char *const *envp)
{
	struct serving serving = { .part = o->part };
	struct plan plan = { .run = serve, .arg = &serving, .listener = &serving.listener,
		.watched = true };
	struct child alone = { .setup = s, .ready_fd = -1 };
	int status;

	if (!open_listener(o, envp, &serving.listener))
		return EX_CONFIG;
	if (serving.listener.beyond_loopback)
		log_note(s->log, LOG_WARN, "监听地址不限于本机：能连上的人都可以伪造请求",
		    "listening_beyond_loopback", o->listen);
	process_started(o, s, o->listen != NULL ? o->listen : "inherited",
	    o->no_master ? 1 : s->n_workers);
	plan.meter = alone.meter = process_meter(s, (size_t)s->n_workers);
	share(&serving, plan.meter);
	status = o->no_master ? serve(&alone, &serving) : master_run(o, s, &plan);
	log_note(s->log, LOG_INFO, "服务已停止", "stopped", NULL);
	meter_free(plan.meter);
	sample_free(serving.state);
	sample_free(serving.links);
	listen_close(&serving.listener);
	return status;
}

int
main(int argc, char **argv, char **envp)
{
	if (!api_routes_ok())
		return EX_SOFTWARE;
	return process_main(PROGRAM_WORKER, argc, argv, envp, run);
}

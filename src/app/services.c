/* What a process works with, opened and closed in one order.
 * SPDX-License-Identifier: MIT */
#include "app/services.h"

#include "call/recall.h"
#include "kv/kv_livekit.h"

/* Calls under way at the same time in one process of tgo-call-jobs: "hundreds in flight". */
enum { PARALLEL = 256 };

static bool
give_up(struct services *sv)
{
	log_note(sv->log, LOG_ERROR, "服务初始化失败", "services_failed", "libcurl cannot start");
	services_close(sv);
	return false;
}

/* The database and Redis connect when they are first used: neither keeps a process from starting. */
bool
services_open(struct services *sv, const struct conf *c, struct log *log)
{
	*sv = (struct services){ .conf = c, .log = log };
	sv->db = sql_open(c);
	sv->kv = kv_open(c);
	sv->livekit_kv = kv_open_livekit(c);
	sv->registry = registry_open(c);
	recall_nodes(sv->registry, sv->db);
	sv->pulse = pulse_open(c);
	sv->http = httpc_open();
	return sv->http != NULL || give_up(sv);
}

bool
services_open_jobs(struct services *sv, const struct conf *c, struct log *log)
{
	if (!services_open(sv, c, log))
		return false;
	sv->multi = multi_open(PARALLEL);
	return sv->multi != NULL || give_up(sv);
}

void
services_close(struct services *sv)
{
	multi_close(sv->multi);
	if (sv->http != NULL)
		httpc_close(sv->http);
	pulse_close(sv->pulse);
	registry_close(sv->registry);
	kv_close(sv->livekit_kv);
	kv_close(sv->kv);
	if (sv->db != NULL)
		sql_close(sv->db);
	*sv = (struct services){ 0 };
}

/* What a process works with, opened and closed in one order.
 * SPDX-License-Identifier: MIT */
#include "app/services.h"

/* The database and Redis connect when they are first used: neither keeps a worker from starting. */
bool
services_open(struct services *sv, const struct conf *c, struct log *log)
{
	*sv = (struct services){ .conf = c, .log = log };
	sv->db = sql_open(c);
	sv->kv = kv_open(c);
	sv->http = httpc_open();
	if (sv->db != NULL && sv->kv != NULL && sv->http != NULL)
		return true;
	log_note(log, LOG_ERROR, "服务初始化失败", "services_failed",
	    sv->http == NULL ? "libcurl cannot start" : "out of memory");
	services_close(sv);
	return false;
}

void
services_close(struct services *sv)
{
	if (sv->http != NULL)
		httpc_close(sv->http);
	if (sv->kv != NULL)
		kv_close(sv->kv);
	if (sv->db != NULL)
		sql_close(sv->db);
	*sv = (struct services){ 0 };
}

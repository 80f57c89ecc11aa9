/* services - what the domain's verbs work with; opened once per process by app/services.c.
 * SPDX-License-Identifier: MIT */
#ifndef CALL_SERVICES_H
#define CALL_SERVICES_H

#include "conf/conf.h"
#include "httpc/httpc.h"
#include "kv/kv.h"
#include "sql/sql.h"

struct services {
	const struct conf *conf;
	struct log *log;
	struct sql_link *db;
	struct kv *kv;
	struct httpc *http;
};

#endif

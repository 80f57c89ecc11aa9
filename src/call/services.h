/* services - what the domain's verbs work with; opened once per process by app/services.c.
 * SPDX-License-Identifier: MIT */
#ifndef CALL_SERVICES_H
#define CALL_SERVICES_H

#include "conf/conf.h"
#include "httpc/httpc.h"
#include "httpc/multi.h"
#include "kv/kv.h"
#include "livekit/pulse.h"
#include "livekit/registry.h"
#include "sql/sql.h"

struct sample;

struct services {
	const struct conf *conf;
	struct log *log;
	struct meter *meter;          /* this process's counters; NULL in a command */
	struct sample *state, *links; /* what the workers of a host know in common (api/metrics.h); NULL: nothing */
	struct sql_link *db;
	struct kv *kv;
	struct httpc *http;
	struct httpc_multi *multi;    /* many calls at once; tgo-call-jobs only, else NULL */
	struct kv *livekit_kv;        /* LiveKit's Redis */
	struct registry *registry;    /* LiveKit's nodes */
	struct pulse *pulse;          /* which of them answered just now */
};

#endif

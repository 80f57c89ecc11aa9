/* check_peers - Redis, LiveKit, and the way clients take through nginx.
 * SPDX-License-Identifier: MIT */
#include "cli/doctor.h"
#include "livekit/room_api.h"

enum { ROUTE_MS = 3000, SHOWN_BYTES = 200 };

void
check_redis(struct doctor *d)
{
	struct str policy;
	bool keeps;

	if (!kv_ping(&d->c->op, d->c->sv.kv)) {
		doctor_finds(d, "redis", FAILURE, "see REDIS_HOST, REDIS_PORT, REDIS_SOCKET, REDIS_PASSWORD",
		    S("does not answer: calls go on without its cache, LiveKit's nodes need theirs"));
		return;
	}
	policy = kv_eviction_policy(&d->c->op, d->c->sv.kv);
	keeps = str_eq(policy, S("noeviction")) || str_starts(policy, S("volatile-"));
	if (policy.len == 0)
		doctor_finds(d, "redis", WELL, "", S("answers; it does not tell its eviction policy"));
	else
		doctor_finds(d, "redis", keeps ? WELL : WARNING,
		    "set maxmemory-policy to noeviction or volatile-lru: LiveKit's keys must stay",
		    arena_printf(d->c->arena, "answers; maxmemory-policy %.*s", STR_ARG(policy)));
}

/* A node that was frozen leaves lists in Redis that lack people who talk. */
static void
check_lists(struct doctor *d, const struct room_api *api)
{
	switch (room_api_lists(&d->c->op, api)) {
	case LISTS_FROM_NODES:
		doctor_finds(d, "lists", WELL, "", S("LiveKit's lists of people come from the nodes themselves"));
		break;
	case LISTS_FROM_REDIS:
		doctor_finds(d, "lists", WARNING,
		    "set api.enable_psrpc_for_get_list_participants: true in every node's configuration",
		    S("LiveKit's lists of people come from its Redis, where a node that died leaves ghosts"));
		break;
	case LISTS_UNKNOWN:
		doctor_finds(d, "lists", WARNING, "try again when LiveKit is at rest",
		    S("LiveKit does not say who is in a room"));
		break;
	}
}

static struct str
beginning(struct str s)
{
	return s.len <= SHOWN_BYTES ? s : (struct str){ s.at, SHOWN_BYTES };
}

void
check_livekit(struct doctor *d)
{
	const struct conf *c = d->c->conf;
	const struct room_api api = { .conf = c, .http = d->c->sv.http };
	struct str why = S("");
	int status = 0;

	/* There is nothing to ask with; `secrets` has said so. */
	if (c->n_livekit_keys == 0)
		return;
	if (room_api_probe(&d->c->op, &api, &status, &why) != ERR_OK || status == 0)
		doctor_finds(d, "livekit", FAILURE, "start LiveKit, or see LIVEKIT_URL",
		    arena_printf(d->c->arena, "%.*s: %.*s", STR_ARG(c->livekit_url), STR_ARG(beginning(why))));
	else if (status == 401 || status == 403)
		doctor_finds(d, "livekit", FAILURE,
		    "set LIVEKIT_API_KEY and LIVEKIT_API_SECRET as in LiveKit's keys",
		    arena_printf(d->c->arena, "%.*s answers, and refuses the key %.*s", STR_ARG(c->livekit_url),
		    STR_ARG(c->livekit_keys[0].name)));
	else if (status != 200)
		doctor_finds(d, "livekit", FAILURE,
		    "see that LIVEKIT_URL leads to LiveKit, and that its nodes run",
		    arena_printf(d->c->arena, "%.*s answers %d: %.*s", STR_ARG(c->livekit_url), status,
		    STR_ARG(beginning(why))));
	else
		doctor_finds(d, "livekit", WELL, "", arena_printf(d->c->arena,
		    "%.*s answers and takes our key", STR_ARG(c->livekit_url)));
	if (status == 200)
		check_lists(d, &api);
}

struct str
doctor_origin(struct cli *c, struct str url)
{
	struct str rest = url, scheme, host;
	bool tls;

	if (!str_split(&rest, ':', &scheme) || rest.len < 2)
		return url;
	tls = str_eq_nocase(scheme, S("wss")) || str_eq_nocase(scheme, S("https"));
	rest = (struct str){ rest.at + 2, rest.len - 2 };
	(void)str_split(&rest, '/', &host);
	return arena_printf(c->arena, "http%s://%.*s", tls ? "s" : "", STR_ARG(host));
}

/* Clients reach LiveKit and the API by one address: our nginx stands there when it answers as we do. */
void
check_nginx(struct doctor *d)
{
	struct str origin = doctor_origin(d->c, d->c->conf->livekit_client_url);
	const struct http_call call = { .method = "GET", .timeout_ms = ROUTE_MS,
		.url = arena_printf(d->c->arena, "%.*s/health", STR_ARG(origin)) };
	struct http_answer answer = { 0 };

	if (httpc_call(&d->c->op, d->c->sv.http, &call, &answer) != ERR_OK)
		doctor_finds(d, "nginx", WARNING, "see LIVEKIT_CLIENT_URL, and nginx -t",
		    arena_printf(d->c->arena, "%.*s: %.*s", STR_ARG(call.url), STR_ARG(answer.why)));
	else if (answer.status != 200 || !str_eq(str_trim(answer.body), S("{\"status\":\"ok\"}")))
		doctor_finds(d, "nginx", WARNING,
		    "let LIVEKIT_CLIENT_URL lead to the nginx of nginx-conf/, and its /health to the worker",
		    arena_printf(d->c->arena, "%.*s answers %d, and not as we do", STR_ARG(call.url),
		    answer.status));
	else
		doctor_finds(d, "nginx", WELL, "", arena_printf(d->c->arena, "%.*s comes through to a worker",
		    STR_ARG(call.url)));
}

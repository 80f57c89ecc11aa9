/* token - a LiveKit token for a person who is joined or ringing in a call; changes nothing.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "call/ops.h"
#include "cli/command.h"
#include "livekit/token.h"

enum { TOKEN_TTL };
const struct flag TOKEN_FLAGS[] = {
	[TOKEN_TTL] = { "ttl", '\0', "S", "seconds it lets its holder connect (TOKEN_TTL; 60 to 86400)" },
	{ NULL, '\0', NULL, NULL }
};

enum { TTL_MIN_S = 60, TTL_MAX_S = 86400 };

static int
print_token(struct cli *c, const struct view *v, struct str token, int64_t ttl_s)
{
	struct strbuf b;
	struct jsonw w;

	if (!c->json) {
		(void)printf("url    %.*s\ntoken  %.*s\n", STR_ARG(v->url), STR_ARG(token));
		return CLI_OK;
	}
	cli_document(c, &b, &w);
	jsonw_obj(&w, NULL);
	jsonw_str(&w, "room_id", v->call.room.room_id);
	jsonw_str(&w, "uid", v->me->uid);
	jsonw_str(&w, "token", token);
	jsonw_str(&w, "url", v->url);
	jsonw_i64(&w, "ttl_s", ttl_s);
	jsonw_obj_end(&w);
	return cli_print(&b);
}

static int
mint(struct cli *c, const struct view *v, int64_t ttl_s)
{
	const struct participant *p = v->me;
	const struct token_for t = {
		.room_id = v->call.room.room_id, .uid = p->uid, .name = p->name,
		.device_type = p->device_type, .device_id = p->device_id,
		.livekit_url = v->url, .livekit_node = v->call.room.livekit_node,
		.ttl_s = ttl_s,
	};

	return print_token(c, v, token_mint(&c->op, c->conf, &t), ttl_s);
}

int
cmd_token(struct cli *c, const struct args *a)
{
	const struct access anybody = { .ticket = false };
	int64_t ttl_s = c->conf->token_ttl_s;
	struct view v = { 0 };
	enum err e;

	if (a->values[TOKEN_TTL] != NULL &&
	    !parse_i64(str_of(a->values[TOKEN_TTL]), TTL_MIN_S, TTL_MAX_S, &ttl_s))
		return cli_misuse("--ttl takes %d to %d seconds", TTL_MIN_S, TTL_MAX_S);
	if (c->conf->n_livekit_keys == 0)
		return cli_fail("no key to sign with: set LIVEKIT_API_KEY and LIVEKIT_API_SECRET");
	if (!cli_open_services(c))
		return CLI_FAILED;
	if ((e = op_get(&c->op, &c->sv, str_of(a->words[0]), &anybody, &v)) != ERR_OK)
		return cli_failed_with(c, e, a->words[0]);
	if (room_status_final(v.call.room.status))
		return cli_fail("%s: the call is over", a->words[0]);
	v.me = call_find(&v.call, str_of(a->words[1]));
	if (v.me == NULL || !participant_status_active(v.me->status))
		return cli_fail("%s: neither joined nor ringing in %s", a->words[1], a->words[0]);
	return mint(c, &v, ttl_s);
}

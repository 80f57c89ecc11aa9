/* hook - the door LiveKit's webhooks come in by.
 * SPDX-License-Identifier: MIT */
#include "api/handlers.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "call/ops.h"

HANDLER(api_livekit_hook)
{
	struct webhook hook;
	struct jsonw w;
	enum err e;

	(void)who;
	/* Nothing of the body is looked at before its signature holds. */
	if (!webhook_verify(op, sv->conf, rq->authorization, rq->body,
	    clock_wall_ms() + op->nodes_ahead_s * 1000)) {
		/* LiveKit takes a refusal for an answer and does not repeat: what it had to say is to be found out. */
		kv_hook_trouble_set(op, sv->kv);
		meter_add(sv->meter, METER_HOOKS, S("other"), S("refused"), 1);
		return ERR_UNAUTHORIZED;
	}
	if ((e = webhook_parse(op, rq->body, &hook)) != ERR_OK) {
		meter_add(sv->meter, METER_HOOKS, S("other"), S("unreadable"), 1);
		return e;
	}
	if ((e = op_media(op, sv, &hook)) != ERR_OK)
		return e;
	jsonw_init(&w, &rp->body);
	jsonw_obj(&w, NULL);
	jsonw_i64(&w, "code", 200);
	jsonw_z(&w, "message", "ok");
	jsonw_obj_end(&w);
	return jsonw_done(&w) ? ERR_OK : ERR_INTERNAL;
}

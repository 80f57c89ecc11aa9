/* ticket - makes the token an app shows instead of a key.
 * SPDX-License-Identifier: MIT */
#include "http/caller.h"

#include "base/jsonw.h"
#include "crypto/jwt.h"

/* Two ids of 64 characters, every byte of them escaped, and two times stay far below this. */
enum { CLAIMS_BYTES_MAX = 4096 };

struct str
ticket_mint(struct op *op, const struct conf *c, struct str uid, struct str device_id, int64_t now_ms,
    int64_t ttl_s)
{
	int64_t now_s = now_ms / 1000;
	struct strbuf b;
	struct jsonw w;

	/* Whatever is signed with the empty key, anybody can sign. */
	if (c->ticket_secret.len == 0)
		return S("");
	strbuf_init_arena(&b, op->arena, 256, CLAIMS_BYTES_MAX);
	jsonw_init(&w, &b);
	jsonw_obj(&w, NULL);
	jsonw_str(&w, "sub", uid);
	jsonw_i64(&w, "exp", now_s + ttl_s);
	jsonw_i64(&w, "iat", now_s);
	if (device_id.len > 0)
		jsonw_str(&w, "device_id", device_id);
	jsonw_obj_end(&w);
	if (!jsonw_done(&w))
		return S("");
	return jwt_sign(op->arena, c->ticket_secret, strbuf_str(&b));
}

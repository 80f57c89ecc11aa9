/* webhook - LiveKit's webhooks: only a signature over just this body holds; any body is read without harm.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "base/codec.h"
#include "crypto/digest.h"
#include "crypto/jwt.h"
#include "i18n/i18n.h"
#include "json/json.h"
#include "livekit/webhook.h"
#include "model/ids.h"

static const int64_t NOW_MS = 1763674516000;

static struct str
signed_for(struct arena *a, const struct name_value *key, struct str body)
{
	uint8_t hash[SHA256_BYTES];
	struct strbuf b;

	digest_sha256(body, hash);
	strbuf_init_arena(&b, a, 256, 512);
	strbuf_addf(&b, "{\"iss\":\"%.*s\",\"nbf\":1763674500,\"exp\":1763674800,\"sha256\":\"", STR_ARG(key->name));
	base64_encode(&b, hash, sizeof(hash));
	strbuf_addz(&b, "\"}");
	return jwt_sign(a, key->value, strbuf_str(&b));
}

static void
is_read(struct op *op, struct str body)
{
	struct webhook w;
	enum err e = webhook_parse(op, body, &w);

	holds((e == ERR_OK) == (json_type(json_parse(op->arena, body, NULL)) == JSON_OBJECT), "an object is an event");
	if (e != ERR_OK)
		return;
	holds(w.kind == WEBHOOK_OTHER || (room_id_ok(w.room_id) && w.id.len > 0 && w.id.len <= SID_MAX),
	    "an event that counts has a call and an id");
	holds(!w.is_person || (id_ok(w.uid) && w.sid.len > 0 && w.sid.len <= SID_MAX), "a person has a name and a session");
	holds(w.room_sid.len <= SID_MAX && w.joined_at_ms >= 0, "what would not fit is not there");
	holds(w.device_id.len == 0 || text_ok(w.device_id, 1, DEVICE_ID_MAX), "a device is a text");
}

void
fuzz_webhook(struct arena *a, struct str data)
{
	struct op op = { .arena = a, .lang = LANG_DEFAULT };
	struct name_value keys[] = { { S("old"), S("secret of the old key") }, { S("key"), S("secret of the key") } };
	struct conf c = { .livekit_keys = keys, .n_livekit_keys = N_ELEMS(keys) };
	struct str token = signed_for(a, &keys[1], data), whole = data, other;
	struct strbuf longer;

	strbuf_init_arena(&longer, a, data.len + 2, data.len + 2);
	strbuf_add(&longer, data);
	strbuf_addc(&longer, ' ');
	other = strbuf_str(&longer);
	is_read(&op, data);
	holds(webhook_verify(&op, &c, token, data, NOW_MS), "what LiveKit signed holds");
	holds(!webhook_verify(&op, &c, token, other, NOW_MS), "for no other body");
	holds(!webhook_verify(&op, &c, token, data, NOW_MS + 3600 * 1000), "and not for ever");
	holds(!webhook_verify(&op, &c, data, data, NOW_MS), "nothing holds by itself");
	holds(!webhook_verify(&op, &c, jwt_sign(a, keys[0].value, data), data, NOW_MS) || data.len > 0,
	    "no claims are no signature");
	holds(!webhook_verify(&op, &c, changed(a, token, &data), whole, NOW_MS), "one byte changed does not hold");
}

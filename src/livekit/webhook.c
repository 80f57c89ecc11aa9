/* webhook - verifies and reads what LiveKit sends.
 * SPDX-License-Identifier: MIT */
#include "livekit/webhook.h"

#include "base/codec.h"
#include "crypto/digest.h"
#include "crypto/jwt.h"
#include "livekit/person.h"
#include "model/ids.h"

enum { LEEWAY_S = 60 };
/* Beyond it a time in ms overflows. */
static const int64_t SECONDS_MAX = INT64_MAX / 2000;

static bool
times_hold(const struct json *claims, int64_t now_s)
{
	const struct json *exp = json_get(claims, "exp"), *nbf = json_get(claims, "nbf");
	int64_t t;

	/* Not t + LEEWAY_S: a time may be any number. */
	if (exp != NULL && (!json_i64(exp, &t) || now_s - LEEWAY_S > t))
		return false;
	return nbf == NULL || (json_i64(nbf, &t) && now_s + LEEWAY_S >= t);
}

static bool
body_is_meant(const struct json *claims, struct str body)
{
	struct str claim = json_str(json_get(claims, "sha256"));
	uint8_t said[SHA256_BYTES + 3], is[SHA256_BYTES];
	size_t n = sizeof(said);

	if (!base64_decode(claim, said, &n) || n != SHA256_BYTES)
		return false;
	digest_sha256(body, is);
	return digest_equal(said, is, SHA256_BYTES);
}

bool
webhook_verify(struct op *op, const struct conf *c, struct str authorization, struct str body, int64_t now_ms)
{
	struct str token = authorization, text;
	const struct json *claims;

	if (str_starts(token, S("Bearer ")))
		token = str_trim((struct str){ token.at + 7, token.len - 7 });
	for (size_t i = 0; i < c->n_livekit_keys; i++) {
		if (!jwt_verify(op->arena, token, c->livekit_keys[i].value, &text))
			continue;
		claims = json_parse(op->arena, text, NULL);
		if (str_eq(json_str(json_get(claims, "iss")), c->livekit_keys[i].name) &&
		    times_hold(claims, now_ms / 1000) && body_is_meant(claims, body))
			return true;
	}
	return false;
}

static enum webhook_kind
kind_of(struct str event)
{
	static const struct { const char *name; enum webhook_kind kind; } KINDS[] = {
		{ "room_started", WEBHOOK_ROOM_STARTED },
		{ "room_finished", WEBHOOK_ROOM_FINISHED },
		{ "participant_joined", WEBHOOK_PARTICIPANT_JOINED },
		{ "participant_left", WEBHOOK_PARTICIPANT_LEFT },
		{ "participant_connection_aborted", WEBHOOK_PARTICIPANT_ABORTED },
	};

	for (size_t i = 0; i < N_ELEMS(KINDS); i++)
		if (str_eq(event, str_of(KINDS[i].name)))
			return KINDS[i].kind;
	return WEBHOOK_OTHER;
}

static void
read_participant(struct op *op, const struct json *p, struct webhook *out)
{
	struct media_session m;

	out->is_person = person_read(op, p, &m);
	out->uid = m.uid;
	out->sid = m.sid;
	out->joined_at_ms = m.joined_at_ms;
	out->device_type = m.device_type;
	out->device_id = m.device_id;
	out->disconnect_reason = json_str(json_get(p, "disconnectReason"));
}

enum err
webhook_parse(struct op *op, struct str body, struct webhook *out)
{
	const struct json *doc = json_parse(op->arena, body, NULL);
	const struct json *room = json_get(doc, "room");
	int64_t at;

	*out = (struct webhook){ 0 };
	if (json_type(doc) != JSON_OBJECT) {
		op->bad_field = "";
		return ERR_INVALID_PARAMETERS;
	}
	out->event = json_str(json_get(doc, "event"));
	out->id = json_str(json_get(doc, "id"));
	if (json_i64(json_get(doc, "createdAt"), &at) && at > 0 && at <= SECONDS_MAX)
		out->created_at_ms = at * 1000;
	out->room_id = json_str(json_get(room, "name"));
	out->room_sid = json_str(json_get(room, "sid"));
	if (out->room_sid.len > SID_MAX)
		out->room_sid = S("");
	read_participant(op, json_get(doc, "participant"), out);
	out->kind = kind_of(out->event);
	if (!room_id_ok(out->room_id) || out->id.len == 0 || out->id.len > SID_MAX)
		out->kind = WEBHOOK_OTHER;
	return ERR_OK;
}

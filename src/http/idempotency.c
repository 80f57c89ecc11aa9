/* idempotency - reads the header Idempotency-Key.
 * SPDX-License-Identifier: MIT */
#include "http/idempotency.h"

#include "base/codec.h"
#include "crypto/digest.h"

/* What is kept of a caller's name, for people to read: more than any of ours takes. */
enum { NAME_BYTES_MAX = 160, HEX_BYTES = 2 * SHA256_BYTES + 1 };

static bool
is_key(struct str s)
{
	if (s.len < 1 || s.len > IDEMPOTENCY_KEY_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] <= ' ' || s.at[i] > '~')
			return false;
	}
	return true;
}

static struct str
name_of(struct arena *a, const struct caller *who)
{
	const char *kind = "key";
	struct str name = who->name;

	if (who->kind == CALLER_TICKET) {
		kind = "ticket";
		name = who->uid;
	} else if (who->kind == CALLER_OPEN) {
		kind = "open";
		name = who->address;
	}
	return arena_printf(a, "%s:%.*s", kind, STR_ARG(name));
}

static struct str
sha256_hex(struct arena *a, struct str data)
{
	uint8_t hash[SHA256_BYTES];
	struct strbuf b;

	digest_sha256(data, hash);
	strbuf_init_arena(&b, a, HEX_BYTES, HEX_BYTES);
	hex_encode(&b, hash, sizeof(hash));
	return strbuf_str(&b);
}

/* No part holds a NUL: a path with one is refused, and a header cannot. */
static void
add_part(struct strbuf *to, struct str part)
{
	strbuf_add(to, part);
	strbuf_addc(to, '\0');
}

enum err
idempotency_read(struct op *op, const struct request *rq, const struct caller *who, const struct route *route,
    struct idempotency *out)
{
	struct strbuf scope;
	size_t cap = IDEMPOTENCY_KEY_MAX + NAME_BYTES_MAX;

	if (!is_key(rq->idempotency_key)) {
		op->bad_field = "Idempotency-Key";
		return ERR_INVALID_PARAMETERS;
	}
	out->caller = name_of(op->arena, who);
	out->route = arena_printf(op->arena, "%.*s %.*s", STR_ARG(rq->method_text),
	    STR_ARG(route_name(op->arena, route)));
	out->body_sha256 = sha256_hex(op->arena, rq->body);
	cap += out->caller.len + out->route.len + rq->raw_path.len + ROUTE_ARGS_MAX + 4;
	strbuf_init_arena(&scope, op->arena, cap, cap);
	add_part(&scope, out->caller);
	add_part(&scope, out->route);
	for (size_t i = 0; i < ROUTE_ARGS_MAX; i++)
		add_part(&scope, rq->args[i]);
	add_part(&scope, rq->idempotency_key);
	if (!strbuf_ok(&scope))
		return ERR_INTERNAL;
	out->id = sha256_hex(op->arena, strbuf_str(&scope));
	return ERR_OK;
}

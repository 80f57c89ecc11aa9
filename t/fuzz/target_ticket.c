/* ticket - a ticket of ours lets in whom it names, and nothing else lets anybody in.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "crypto/jwt.h"
#include "http/caller.h"
#include "i18n/i18n.h"
#include "model/ids.h"

static const int64_t NOW_MS = 1763674516000, LIFE_S = 3600;

static enum err
identify_at(struct arena *a, const struct conf *c, struct str authorization, int64_t now_ms, struct caller *out)
{
	struct op op = { .arena = a, .lang = LANG_DEFAULT };
	struct request rq = { .authorization = authorization, .remote_addr = S("127.0.0.1") };

	return caller_identify(&op, c, &rq, now_ms, out);
}

static enum err
identify(struct arena *a, const struct conf *c, struct str authorization, struct caller *out)
{
	return identify_at(a, c, authorization, NOW_MS, out);
}

static void
ours_lets_in(struct arena *a, const struct conf *c, struct str *data)
{
	struct op op = { .arena = a, .lang = LANG_DEFAULT };
	struct str uid = take_text(data), device = take_text(data);
	struct str ticket = ticket_mint(&op, c, uid, device, NOW_MS, LIFE_S);
	bool good = id_ok(uid) && (device.len == 0 || text_ok(device, 1, DEVICE_ID_MAX));
	struct caller who;
	struct str header;

	if (ticket.len == 0 || !good)
		return;
	holds(identify(a, c, arena_printf(a, "Bearer %.*s", STR_ARG(ticket)), &who) == ERR_OK, "a ticket of ours holds");
	holds(who.kind == CALLER_TICKET && str_eq(who.uid, uid) && str_eq(who.device_id, device), "for whom it names");
	header = arena_printf(a, "Bearer %.*s", STR_ARG(ticket));
	holds(identify_at(a, c, header, NOW_MS + (LIFE_S + 61) * 1000, &who) == ERR_UNAUTHORIZED, "and not for ever");
	ticket = changed(a, ticket, data);
	holds(identify(a, c, arena_printf(a, "Bearer %.*s", STR_ARG(ticket)), &who) == ERR_UNAUTHORIZED,
	    "one byte changed lets nobody in");
}

void
fuzz_ticket(struct arena *a, struct str data)
{
	struct name_value key = { S("backend"), S("0000000000000000000000000000000000000000000000000000000000000000") };
	struct conf c = { .ticket_secret = S("the secret of the tickets"), .api_keys = &key, .n_api_keys = 1,
	    .auth_mode = AUTH_MODE_OPEN };
	struct str claims;
	struct caller who;

	if (data.len > 0)
		holds(identify(a, &c, data, &who) == ERR_UNAUTHORIZED, "a header that is wrong is refused, in open mode too");
	claims = jwt_sign(a, c.ticket_secret, data);
	if (identify(a, &c, arena_printf(a, "Bearer %.*s", STR_ARG(claims)), &who) == ERR_OK)
		holds(who.kind == CALLER_TICKET && id_ok(who.uid), "whatever is signed, a ticket is somebody's");
	ours_lets_in(a, &c, &data);
}

/* join_token - LiveKit's access tokens at the route: refusals are one printable line, and only a signature lets through.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "crypto/jwt.h"
#include "i18n/i18n.h"
#include "livekit/join_token.h"

struct question {
	struct op op;
	struct conf conf;
	struct name_value keys[2];
};

static bool
asks(struct question *q, struct str authorization, struct str token, struct join_token *out)
{
	struct token_refusal no = { 0 };
	bool good = join_token_read(&q->op, &q->conf, authorization, token, 1763674516000, out, &no);

	if (good && out->given)
		good = join_token_joins(out, &no);
	holds(no.status == (good ? 0 : no.status) && (no.status == 0 || no.status == 400 || no.status == 401),
	    "a refusal is a node's");
	holds(no.text.len < 256 && is_one_line(no.text), "and one line");
	for (size_t i = 0; i < no.text.len; i++)
		holds((unsigned char)no.text.at[i] < 0x80, "of ASCII");
	return good;
}

void
fuzz_join_token(struct arena *a, struct str data)
{
	struct question q = { .op = { .arena = a, .lang = LANG_DEFAULT },
	    .keys = { { S("other"), S("secret of the other") }, { S("key"), S("secret of the key") } } };
	struct join_token t;
	struct str token;

	q.conf.livekit_keys = q.keys;
	q.conf.n_livekit_keys = N_ELEMS(q.keys);
	if (data.len > 0) {
		holds(!asks(&q, S(""), data, &t), "nothing joins by itself");
		holds(!asks(&q, arena_printf(a, "Bearer %.*s", STR_ARG(data)), S(""), &t) || !t.given,
		    "nor in a header");
		(void)asks(&q, data, S(""), &t);
	}
	token = jwt_sign(a, q.keys[1].value, data);
	if (!asks(&q, S(""), token, &t))
		return;
	holds(t.given && t.joins && t.identity.len > 0 && t.room.len > 0, "who joins has a name and a room");
	holds(!asks(&q, S(""), changed(a, token, &data), &t), "one byte changed does not join");
}

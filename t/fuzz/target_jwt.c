/* jwt - what was signed verifies and says the same; one byte changed, and it does not.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "crypto/jwt.h"

void
fuzz_jwt(struct arena *a, struct str data)
{
	struct str whole = data, key = take_text(&data), claims = take_text(&data), token, out, other;

	holds(!jwt_verify(a, whole, S("a key that signed none of the examples"), &out), "nothing verifies by itself");
	token = jwt_sign(a, key, claims);
	holds(token.len > 0 && is_one_line(token), "a token is one line");
	holds(jwt_verify(a, token, key, &out) && str_eq(out, claims), "what was signed verifies");
	holds(jwt_peek(a, token, &out) && str_eq(out, claims), "and shows its claims");
	other = changed(a, token, &data);
	holds(!jwt_verify(a, other, key, &out), "one byte changed does not verify");
	other = (struct str){ token.at, token.len - 1 };
	holds(!jwt_verify(a, other, key, &out), "nor does a part of it");
	holds(!jwt_verify(a, arena_printf(a, "%.*s=", STR_ARG(token)), key, &out), "nor one that is padded");
	/* A trailing zero is the same key for HMAC, whatever else is not. */
	other = arena_printf(a, "x%.*s", STR_ARG(key));
	holds(!jwt_verify(a, token, other, &out), "nor another key");
}

/* query - any query is searched without harm, and a value that was encoded comes back byte for byte.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

#include "base/utf8.h"
#include "http/http.h"

/* As a browser's form does, or with everything escaped. */
static struct str
encoded(struct arena *a, struct str s, bool as_form)
{
	struct strbuf b;

	strbuf_init_arena(&b, a, 64, 3 * s.len + 64);
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if (as_form && c == ' ')
			strbuf_addc(&b, '+');
		else if (as_form && c > 0x20 && c < 0x7f && strchr("%&+=#", c) == NULL)
			strbuf_addc(&b, (char)c);
		else
			strbuf_addf(&b, "%%%02X", c);
	}
	return strbuf_str(&b);
}

static void
comes_back(struct arena *a, struct str value, bool as_form)
{
	struct str v = encoded(a, value, as_form), got;
	struct request rq = { .query = arena_printf(a, "limit=1&&%%zz=2&n%%61me=%.*s&name=x", STR_ARG(v)) };
	bool bad, readable = utf8_length(value) >= 0 && !has_byte(value, '\0');

	holds(request_query(a, &rq, "name", &got, &bad), "the name is found, however it is written");
	holds(bad == !readable, "what is no text is said to be bad");
	holds(str_eq(got, bad ? S("") : value), "a value comes back as it was");
}

void
fuzz_query(struct arena *a, struct str data)
{
	static const char *const NAMES[] = { "uid", "limit", "a", "", "access_token" };
	struct request rq = { .query = data };
	struct str value;
	bool bad;

	for (size_t i = 0; i < N_ELEMS(NAMES); i++) {
		if (!request_query(a, &rq, NAMES[i], &value, &bad))
			continue;
		holds(utf8_length(value) >= 0 && !has_byte(value, '\0'), "a value is UTF-8 without NUL");
		holds(!bad || value.len == 0, "a bad value is empty");
	}
	comes_back(a, data, false);
	comes_back(a, data, true);
}

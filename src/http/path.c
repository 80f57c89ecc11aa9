/* path - methods, paths and queries: what the request line says, decoded once.
 * SPDX-License-Identifier: MIT */
#include "http/http.h"

#include "base/codec.h"
#include "base/strbuf.h"
#include "base/utf8.h"

/* %XX at the beginning of s; -1 when it is cut short or not hexadecimal. */
static int
escaped_byte(struct str s)
{
	int high, low;

	if (s.len < 3)
		return -1;
	high = hex_value(s.at[1]);
	low = hex_value(s.at[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* False for a bad escape, a NUL, or bytes that are not UTF-8 once decoded. */
static bool
url_decode(struct arena *a, struct str s, bool plus_is_space, struct str *out)
{
	struct strbuf b;

	strbuf_init_arena(&b, a, s.len + 1, s.len + 1);
	for (size_t i = 0; i < s.len; i++) {
		int c = (unsigned char)s.at[i];

		if (c == '%') {
			c = escaped_byte((struct str){ s.at + i, s.len - i });
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		if (c <= 0)
			return false;
		strbuf_addc(&b, (char)c);
	}
	*out = strbuf_str(&b);
	return utf8_length(*out) >= 0;
}

bool
request_split_path(struct arena *a, struct request *rq)
{
	struct str rest = rq->raw_path, part;

	rq->n_segments = 0;
	if (!str_starts(rest, S("/")))
		return false;
	rest = (struct str){ rest.at + 1, rest.len - 1 };
	if (str_ends(rest, S("/")))
		rest.len--;
	else if (rest.len == 0)
		return true;
	while (str_split(&rest, '/', &part)) {
		if (rq->n_segments == PATH_SEGMENTS_MAX)
			return false;
		if (!url_decode(a, part, false, &rq->segments[rq->n_segments++]))
			return false;
	}
	return true;
}

bool
request_query(struct arena *a, const struct request *rq, const char *name, struct str *value_out,
    bool *bad_out)
{
	struct str rest = rq->query, pair, key, decoded;

	*bad_out = false;
	*value_out = S("");
	while (str_split(&rest, '&', &pair)) {
		if (!str_split(&pair, '=', &key) || !url_decode(a, key, true, &decoded))
			continue;
		if (!str_eq(decoded, str_of(name)))
			continue;
		/* What is left of the pair is its value: "a" without '=' is an empty one. */
		if (!url_decode(a, pair, true, &decoded))
			*bad_out = true;
		else
			*value_out = decoded;
		return true;
	}
	return false;
}

enum method
method_parse(struct str s)
{
	static const struct { const char *name; enum method method; } METHODS[] = {
		{ "GET", METHOD_GET },
		{ "HEAD", METHOD_GET },
		{ "POST", METHOD_POST },
		{ "PUT", METHOD_PUT },
		{ "DELETE", METHOD_DELETE },
		{ "OPTIONS", METHOD_OPTIONS },
	};

	for (size_t i = 0; i < N_ELEMS(METHODS); i++) {
		if (str_eq(s, str_of(METHODS[i].name)))
			return METHODS[i].method;
	}
	return METHOD_OTHER;
}

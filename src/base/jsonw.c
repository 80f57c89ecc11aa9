/* jsonw.c - the JSON writer: escapes, places commas, and refuses a document that would not parse.
 * SPDX-License-Identifier: MIT */
#include "base/jsonw.h"

#include <stdio.h>

#include "base/utf8.h"

enum { MAX_DEPTH = 32, ESCAPE_MAX = 7 };

/* Controls beyond ASCII, which drive terminals, and the separators that end a line for many a reader. */
static bool
is_hidden(uint32_t cp)
{
	return (cp >= 0x80 && cp < 0xa0) || cp == 0x2028 || cp == 0x2029;
}

/* Bytes of the character that s begins with when it may stand as it is, else 0. */
static size_t
plain_len(struct str s)
{
	unsigned char c = (unsigned char)s.at[0];
	uint32_t cp;
	size_t n;

	if (c < 0x80)
		return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
	n = utf8_next(s, &cp);
	return n > 0 && !is_hidden(cp) ? n : 0;
}

/* The written form of what s begins with, which may not stand as it is: *taken_out bytes. */
static size_t
escape(struct str s, char out[ESCAPE_MAX], size_t *taken_out)
{
	static const char SHORT[128] = {
		['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
		['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
	};
	unsigned char c = (unsigned char)s.at[0];
	uint32_t cp;
	int n;

	*taken_out = 1;
	if (c >= 0x80 && (*taken_out = utf8_next(s, &cp)) > 0) {
		n = snprintf(out, ESCAPE_MAX, "\\u%04x", (unsigned)cp);
	} else if (c >= 0x80) {
		*taken_out = 1;
		n = snprintf(out, ESCAPE_MAX, "\xef\xbf\xbd");
	} else if (SHORT[c] != 0) {
		n = snprintf(out, ESCAPE_MAX, "\\%c", SHORT[c]);
	} else {
		n = snprintf(out, ESCAPE_MAX, "\\u%04x", (unsigned)c);
	}
	return (size_t)n;
}

static void
add_string(struct strbuf *to, struct str v)
{
	strbuf_addc(to, '"');
	while (v.len > 0) {
		struct str run = { v.at, 0 };
		char esc[ESCAPE_MAX];
		size_t n;

		while (v.len > 0 && (n = plain_len(v)) > 0) {
			run.len += n;
			v.at += n;
			v.len -= n;
		}
		strbuf_add(to, run);
		if (v.len == 0)
			break;
		strbuf_add(to, (struct str){ esc, escape(v, esc, &n) });
		v.at += n;
		v.len -= n;
	}
	strbuf_addc(to, '"');
}

/* What stands before a value: a comma, and its key. False when no value may stand here. */
static bool
begin(struct jsonw *w, const char *key)
{
	if (w->to->failed)
		return false;
	if (w->object[w->depth] != (key != NULL) || (w->depth == 0 && w->comma[0])) {
		strbuf_fail(w->to);
		return false;
	}
	if (w->comma[w->depth])
		strbuf_addc(w->to, ',');
	w->comma[w->depth] = true;
	if (key != NULL) {
		add_string(w->to, str_of(key));
		strbuf_addc(w->to, ':');
	}
	return true;
}

static void
open_nest(struct jsonw *w, const char *key, bool object)
{
	if (!begin(w, key))
		return;
	if (w->depth == MAX_DEPTH) {
		strbuf_fail(w->to);
		return;
	}
	w->depth++;
	w->comma[w->depth] = false;
	w->object[w->depth] = object;
	strbuf_addc(w->to, object ? '{' : '[');
}

static void
close_nest(struct jsonw *w, bool object)
{
	if (w->to->failed)
		return;
	if (w->depth == 0 || w->object[w->depth] != object) {
		strbuf_fail(w->to);
		return;
	}
	w->depth--;
	strbuf_addc(w->to, object ? '}' : ']');
}

void
jsonw_init(struct jsonw *w, struct strbuf *to)
{
	*w = (struct jsonw){ .to = to };
}

void
jsonw_obj(struct jsonw *w, const char *key)
{
	open_nest(w, key, true);
}

void
jsonw_obj_end(struct jsonw *w)
{
	close_nest(w, true);
}

void
jsonw_arr(struct jsonw *w, const char *key)
{
	open_nest(w, key, false);
}

void
jsonw_arr_end(struct jsonw *w)
{
	close_nest(w, false);
}

void
jsonw_str(struct jsonw *w, const char *key, struct str v)
{
	if (begin(w, key))
		add_string(w->to, v);
}

void
jsonw_z(struct jsonw *w, const char *key, const char *v)
{
	jsonw_str(w, key, str_of(v));
}

void
jsonw_i64(struct jsonw *w, const char *key, int64_t v)
{
	if (begin(w, key))
		strbuf_add_i64(w->to, v);
}

void
jsonw_bool(struct jsonw *w, const char *key, bool v)
{
	jsonw_raw(w, key, v ? S("true") : S("false"));
}

void
jsonw_null(struct jsonw *w, const char *key)
{
	jsonw_raw(w, key, S("null"));
}

void
jsonw_raw(struct jsonw *w, const char *key, struct str json)
{
	if (begin(w, key))
		strbuf_add(w->to, json);
}

void
jsonw_strs(struct jsonw *w, const char *key, const struct str *v, size_t n)
{
	jsonw_arr(w, key);
	for (size_t i = 0; i < n; i++)
		jsonw_str(w, NULL, v[i]);
	jsonw_arr_end(w);
}

struct str
jsonw_fit(struct str v, size_t room)
{
	size_t used = 2;                           /* the quotes */
	struct str rest = v;

	while (rest.len > 0) {
		char esc[ESCAPE_MAX];
		size_t step = plain_len(rest);

		used += step > 0 ? step : escape(rest, esc, &step);
		if (used > room)
			break;
		rest.at += step;
		rest.len -= step;
	}
	return (struct str){ v.at, v.len - rest.len };
}

bool
jsonw_done(const struct jsonw *w)
{
	return !w->to->failed && w->depth == 0 && w->comma[0];
}

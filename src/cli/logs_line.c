/* logs_line - reads, judges and prettifies one line of the log.
 * SPDX-License-Identifier: MIT */
#include "cli/logs_line.h"

#include <string.h>

#include "base/clock.h"
#include "base/jsonw.h"

enum { LEVEL_WIDTH = 5 };

static struct str
cut(struct str s, size_t n)
{
	if (n > s.len)
		n = s.len;
	return (struct str){ s.at + n, s.len - n };
}

/* The length of the text that begins with a quote, 0 when it does not end. */
static size_t
quoted_length(struct str s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.at[i] == '\\')
			i++;
		else if (s.at[i] == '"')
			return i + 1;
	}
	return 0;
}

/* A text, a number or word, or an object or array with all that is in it; 0: no value. */
static size_t
value_length(struct str s)
{
	int depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (c == '"') {
			size_t n = quoted_length(cut(s, i));

			if (n == 0)
				return 0;
			i += n - 1;
		} else if (c == '[' || c == '{') {
			depth++;
		} else if (depth == 0 && (c == ',' || c == '}')) {
			return i;
		} else if (c == ']' || c == '}') {
			depth--;
		}
	}
	return 0;
}

bool
log_member_next(struct str *rest, struct log_member *out)
{
	struct str s = str_trim(*rest);
	size_t n;

	if (s.len == 0 || (s.at[0] != '{' && s.at[0] != ','))
		return false;
	s = cut(s, 1);
	if (s.len == 0 || s.at[0] != '"' || (n = quoted_length(s)) == 0)
		return false;
	out->key = (struct str){ s.at + 1, n - 2 };
	s = cut(s, n);
	if (s.len == 0 || s.at[0] != ':')
		return false;
	s = cut(s, 1);
	if ((n = value_length(s)) == 0)
		return false;
	out->value = (struct str){ s.at, n };
	*rest = cut(s, n);
	return true;
}

static struct str
unquoted(struct str v)
{
	if (v.len >= 2 && v.at[0] == '"')
		return (struct str){ v.at + 1, v.len - 2 };
	return v;
}

/* ["a","b"]: an element that is written like `quoted`. */
static bool
has_element(struct str array, struct str quoted)
{
	for (struct str s = array; s.len > 1; ) {
		size_t n;

		s = cut(s, 1);                 /* '[' or ',' */
		n = s.at[0] == '"' ? quoted_length(s) : 0;
		if (n == 0)
			return false;
		if (str_eq((struct str){ s.at, n }, quoted))
			return true;
		s = cut(s, n);
	}
	return false;
}

/* What a line says of those things that can be asked for. */
struct traits {
	bool room, uid, node, request, level, dated;
	int64_t at_ms;
};

static void
note_member(const struct log_wish *w, const struct log_member *m, struct traits *t)
{
	enum log_level level;

	if (str_eq(m->key, S("level"))) {
		t->level = log_level_parse(unquoted(m->value), &level) && level >= w->least;
	} else if (str_eq(m->key, S("timestamp"))) {
		t->dated = clock_parse(unquoted(m->value), &t->at_ms);
	} else if (str_eq(m->key, S("room_id"))) {
		t->room = str_eq(m->value, w->room);
	} else if (str_eq(m->key, S("request_id"))) {
		t->request = str_eq(m->value, w->request);
	} else if (str_eq(m->key, S("livekit_node")) || str_eq(m->key, S("node"))) {
		t->node = t->node || str_eq(m->value, w->node);
	} else if (str_eq(m->key, S("uid")) || str_eq(m->key, S("creator"))) {
		t->uid = t->uid || str_eq(m->value, w->uid);
	} else if (str_ends(m->key, S("uids")) && m->value.at[0] == '[') {
		t->uid = t->uid || (w->uid.len > 0 && has_element(m->value, w->uid));
	}
}

static bool
in_time(const struct log_wish *w, int64_t at_ms)
{
	return (w->since_ms == 0 || at_ms >= w->since_ms) && (w->until_ms == 0 || at_ms < w->until_ms);
}

bool
log_wanted(const struct log_wish *w, struct str line, struct log_last *last)
{
	struct traits t = { 0 };
	struct str rest = line;
	struct log_member m;
	bool is_ours = false;

	while (log_member_next(&rest, &m)) {
		note_member(w, &m, &t);
		is_ours = true;
	}
	/* Somebody else's words belong to the line of ours before them. */
	if (!is_ours)
		return last->wanted;
	if (t.dated)
		last->at_ms = t.at_ms;
	last->wanted = in_time(w, last->at_ms) && (w->any_level || t.level) &&
	    (w->room.len == 0 || t.room) && (w->uid.len == 0 || t.uid) &&
	    (w->node.len == 0 || t.node) && (w->request.len == 0 || t.request);
	return last->wanted;
}

struct str
log_quoted(struct arena *a, const char *text)
{
	struct strbuf b;
	struct jsonw w;

	if (text == NULL)
		return S("");
	strbuf_init_arena(&b, a, 128, 1 << 20);
	jsonw_init(&w, &b);
	jsonw_z(&w, NULL, text);
	return strbuf_str(&b);
}

/* What another program wrote may hold anything: control bytes, C1 ones in UTF-8 among them, stand as \x1b. */
static void
add_safe(struct strbuf *to, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];
		bool c1 = c >= 0x80 && c < 0xa0 && i > 0 && (unsigned char)s.at[i - 1] == 0xc2;

		if ((c < 0x20 && c != '\t') || c == 0x7f || c1)
			strbuf_addf(to, "\\x%02x", c);
		else
			strbuf_addc(to, s.at[i]);
	}
}

/* "2026-11-21T03:35:16.123+08:00  warn  what happened  room_id=r1 uid=u1". Escapes stay: what a line
 * holds must not drive a terminal. */
void
log_for_people(struct str line, struct strbuf *to)
{
	struct str rest = line, level = S(""), at = S(""), msg = S("");
	struct log_member m;
	bool is_ours = false;

	while (log_member_next(&rest, &m)) {
		is_ours = true;
		if (str_eq(m.key, S("level")))
			level = unquoted(m.value);
		else if (str_eq(m.key, S("timestamp")))
			at = unquoted(m.value);
		else if (str_eq(m.key, S("msg")))
			msg = unquoted(m.value);
	}
	if (!is_ours) {
		add_safe(to, line);
		return;
	}
	add_safe(to, at);
	strbuf_addz(to, "  ");
	add_safe(to, level);
	strbuf_addf(to, "%*s  ", level.len < LEVEL_WIDTH ? (int)(LEVEL_WIDTH - level.len) : 0, "");
	add_safe(to, msg);
	strbuf_addc(to, ' ');
	for (rest = line; log_member_next(&rest, &m); ) {
		if (str_eq(m.key, S("level")) || str_eq(m.key, S("timestamp")) || str_eq(m.key, S("msg")))
			continue;
		strbuf_addc(to, ' ');
		add_safe(to, m.key);
		strbuf_addc(to, '=');
		add_safe(to, unquoted(m.value));
	}
}

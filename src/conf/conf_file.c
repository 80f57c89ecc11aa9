/* conf_file.c - reads the text of an environment file; does no I/O.
 * SPDX-License-Identifier: MIT */
#include "conf/conf_file.h"

#include <string.h>

/* What is left of the text, and the number of the line it stands in. */
struct reader {
	struct str rest;
	size_t line;
};

static char
peek(const struct reader *r)
{
	return r->rest.len > 0 ? r->rest.at[0] : '\0';
}

static void
skip(struct reader *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		r->line += r->rest.at[i] == '\n';
	r->rest.at += n;
	r->rest.len -= n;
}

static void
skip_blanks(struct reader *r)
{
	while (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\r')
		skip(r, 1);
}

/* The rest of the line, without its end; goes past the end. */
static struct str
take_line(struct reader *r)
{
	struct str rest = r->rest, line;

	if (!str_split(&rest, '\n', &line))
		return (struct str){ NULL, 0 };
	skip(r, line.len < r->rest.len ? line.len + 1 : line.len);
	return line;
}

/* Nothing but white space or a comment up to the end of the line. */
static bool
take_line_end(struct reader *r)
{
	bool comment;

	skip_blanks(r);
	comment = peek(r) == '#';
	return str_trim(take_line(r)).len == 0 || comment;
}

static bool
is_name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    c == '_' || c == '.' || c == '-';
}

static struct str
take_name(struct reader *r)
{
	struct str name = { r->rest.at, 0 };

	while (name.len < r->rest.len && is_name_char(name.at[name.len]))
		name.len++;
	skip(r, name.len);
	return name;
}

static char
unescaped(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case '"':
	case '\\':
	case '$':
		return c;
	default:
		return '\0';                       /* a backslash before it is just that */
	}
}

/* From an opening quote to its twin. The value is never longer than its written form. */
static bool
take_quoted(struct arena *a, struct reader *r, struct str *out)
{
	char quote = peek(r);
	char *value = arena_alloc(a, r->rest.len);
	size_t n = 0;

	skip(r, 1);
	while (r->rest.len > 0 && peek(r) != quote) {
		char c = peek(r);

		if (c == '\\' && quote == '"' && r->rest.len > 1 &&
		    unescaped(r->rest.at[1]) != '\0') {
			c = unescaped(r->rest.at[1]);
			skip(r, 1);
		}
		value[n++] = c;
		skip(r, 1);
	}
	if (r->rest.len == 0)
		return false;
	skip(r, 1);
	*out = (struct str){ value, n };
	return take_line_end(r);
}

static struct str
take_plain(struct arena *a, struct reader *r)
{
	struct str line = take_line(r);

	for (size_t i = 1; i < line.len; i++) {
		if (line.at[i] == '#' && (line.at[i - 1] == ' ' || line.at[i - 1] == '\t')) {
			line.len = i;
			break;
		}
	}
	return arena_str(a, str_trim(line));
}

/* NAME=VALUE; the reader stands on the name. */
static bool
take_pair(struct arena *a, struct reader *r, struct name_value *out)
{
	struct str name = take_name(r);

	if (str_eq(name, S("export")) && (peek(r) == ' ' || peek(r) == '\t')) {
		skip_blanks(r);
		name = take_name(r);
	}
	skip_blanks(r);
	if (name.len == 0 || peek(r) != '=')
		return false;
	out->name = arena_str(a, name);
	skip(r, 1);
	if (peek(r) == '"' || peek(r) == '\'')
		return take_quoted(a, r, &out->value);
	out->value = take_plain(a, r);
	return true;
}

bool
conf_file_parse(struct arena *a, struct str text, struct conf_file *out, size_t *bad_line_out)
{
	struct reader r = { .rest = text, .line = 1 };
	size_t n_lines = 1;

	if (str_starts(text, S("\xef\xbb\xbf")))
		skip(&r, 3);
	for (size_t i = 0; i < text.len; i++)
		n_lines += text.at[i] == '\n';
	out->pairs = arena_array(a, n_lines, sizeof(*out->pairs));
	out->n_pairs = 0;
	while (r.rest.len > 0) {
		size_t line;

		skip_blanks(&r);
		line = r.line;
		if (peek(&r) == '\n' || peek(&r) == '#') {
			(void)take_line(&r);
			continue;
		}
		if (r.rest.len == 0)
			break;
		if (memchr(r.rest.at, '\0', r.rest.len) != NULL ||
		    !take_pair(a, &r, &out->pairs[out->n_pairs])) {
			*bad_line_out = line;
			return false;
		}
		out->n_pairs++;
	}
	return true;
}

struct str
conf_file_find(const struct conf_file *f, const char *name)
{
	for (size_t i = f->n_pairs; i > 0; i--)
		if (str_eq(f->pairs[i - 1].name, str_of(name)))
			return f->pairs[i - 1].value;
	return (struct str){ NULL, 0 };
}

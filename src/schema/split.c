/* split - cuts a migration's text into statements and reads the guards before each.
 * SPDX-License-Identifier: MIT */
#include "schema/split.h"

static const struct { const char *word; enum schema_guard_kind kind; } KINDS[] = {
	{ "table", GUARD_TABLE }, { "column", GUARD_COLUMN }, { "index", GUARD_INDEX },
	{ "collation", GUARD_COLLATION },
};

static struct str
skip(struct str s, size_t n)
{
	if (n > s.len)
		n = s.len;
	return (struct str){ s.at + n, s.len - n };
}

/* The next word of a line, "" at its end. */
static struct str
word(struct str *rest)
{
	struct str s = str_trim(*rest);
	size_t n = 0;

	while (n < s.len && s.at[n] != ' ' && s.at[n] != '\t')
		n++;
	*rest = skip(s, n);
	return (struct str){ s.at, n };
}

/* "T" for a table, "T.X" for everything else. */
static bool
parse_target(struct str target, struct schema_guard *g)
{
	struct str rest = target;

	if (!str_split(&rest, '.', &g->table) || g->table.len == 0)
		return false;
	if (g->kind == GUARD_TABLE)
		return rest.at == NULL;
	g->item = rest;
	return rest.at != NULL && rest.len > 0;
}

/* `line` begins with if or unless. */
static bool
parse_guard(struct str line, struct schema_guard *g)
{
	struct str rest = line, kind;
	bool known = false;

	*g = (struct schema_guard){ .line = line };
	g->unless = str_eq(word(&rest), S("unless"));
	kind = word(&rest);
	for (size_t i = 0; i < N_ELEMS(KINDS); i++) {
		if (str_eq(kind, str_of(KINDS[i].word))) {
			g->kind = KINDS[i].kind;
			known = true;
		}
	}
	if (!known || !parse_target(word(&rest), g))
		return false;
	g->value = word(&rest);
	return word(&rest).len == 0 && (g->value.len > 0) == (g->kind == GUARD_COLLATION);
}

/* A comment line before a statement; false when it is a guard that cannot be read. */
static bool
take_comment(struct str line, struct schema_stmt *out, const char **why_out)
{
	struct str text = str_trim(skip(line, 2)), rest = text, first = word(&rest);

	if (!str_eq(first, S("if")) && !str_eq(first, S("unless")))
		return true;
	out->text = text;
	if (out->n_guards == SCHEMA_MAX_GUARDS) {
		*why_out = "too many guards before one statement";
		return false;
	}
	*why_out = "a guard that cannot be read";
	return parse_guard(text, &out->guards[out->n_guards++]);
}

static bool
is_comment(struct str s)
{
	return str_starts(s, S("--")) &&
	    (s.len == 2 || s.at[2] == ' ' || s.at[2] == '\t' || s.at[2] == '\n' || s.at[2] == '\r');
}

static size_t
line_length(struct str s)
{
	size_t n = 0;

	while (n < s.len && s.at[n] != '\n')
		n++;
	return n;
}

/* How far one piece reaches: a quoted text, a comment, or a single byte. */
static size_t
piece_length(struct str s)
{
	char quote = s.at[0];
	size_t n = 1;

	if (is_comment(s) || quote == '#')
		return line_length(s);
	if (str_starts(s, S("/*"))) {
		for (n = 2; n < s.len && !str_starts(skip(s, n), S("*/")); n++)
			;
		return n + 2;
	}
	if (quote != '\'' && quote != '"' && quote != '`')
		return 1;
	while (n < s.len && s.at[n] != quote)
		n += s.at[n] == '\\' && quote != '`' ? 2 : 1;
	return n + 1;
}

/* Blank lines and comment lines before a statement. */
static bool
take_head(struct str *rest, struct schema_stmt *out, const char **why_out)
{
	for (;;) {
		size_t n;

		/* From the front only: trimming must not eat what ends the text. */
		while (rest->len > 0 && str_trim((struct str){ rest->at, 1 }).len == 0)
			*rest = skip(*rest, 1);
		if (!is_comment(*rest))
			return true;
		n = line_length(*rest);
		if (!take_comment((struct str){ rest->at, n }, out, why_out))
			return false;
		*rest = skip(*rest, n);
	}
}

enum schema_split
schema_next(struct str *rest, struct schema_stmt *out, const char **why_out)
{
	struct str s;

	*out = (struct schema_stmt){ .text = S("") };
	if (!take_head(rest, out, why_out))
		return SPLIT_BAD;
	if (rest->len == 0 && out->n_guards > 0) {
		*why_out = "a guard without a statement";
		return SPLIT_BAD;
	}
	if (rest->len == 0)
		return SPLIT_END;
	s = *rest;
	while (s.len > 0 && s.at[0] != ';')
		s = skip(s, piece_length(s));
	out->text = str_trim((struct str){ rest->at, rest->len - s.len });
	if (s.len == 0) {
		*why_out = "a statement without ';' at its end";
		return SPLIT_BAD;
	}
	*rest = skip(s, 1);
	if (out->text.len > 0)
		return SPLIT_STMT;
	*why_out = "an empty statement";
	return SPLIT_BAD;
}

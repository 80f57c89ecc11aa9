/* effect - reads off a statement's words which table it touches and how much it is in the way there.
 * The servers decide for themselves (versions differ); where they do, this names the heavier case.
 * SPDX-License-Identifier: MIT */
#include "schema/effect.h"

enum { MAX_WORDS = 1500 };

static const char *const TEXTS[EFFECT_COUNT] = {
	[EFFECT_NONE] = "touches no rows",
	[EFFECT_CREATES] = "new table",
	[EFFECT_CATALOGUE] = "a moment's lock on the table, no rows touched",
	[EFFECT_IN_PLACE] = "reads all rows in place; others may write meanwhile",
	[EFFECT_LOCKS_ROWS] = "locks the rows it changes until it is done",
	[EFFECT_COPIES] = "may copy the table; writers wait meanwhile",
};

/* Clauses of ALTER TABLE, longest match first; the heaviest one found counts. */
static const struct { const char *words[3]; enum schema_effect effect; } CLAUSES[] = {
	{ { "CONVERT", "TO" }, EFFECT_COPIES },
	{ { "MODIFY" }, EFFECT_COPIES },
	{ { "CHANGE" }, EFFECT_COPIES },
	{ { "ENGINE" }, EFFECT_COPIES },
	{ { "ADD", "PRIMARY", "KEY" }, EFFECT_COPIES },
	{ { "DROP", "PRIMARY", "KEY" }, EFFECT_COPIES },
	{ { "ADD", "UNIQUE" }, EFFECT_IN_PLACE },
	{ { "ADD", "INDEX" }, EFFECT_IN_PLACE },
	{ { "ADD", "KEY" }, EFFECT_IN_PLACE },
	{ { "ADD", "FULLTEXT" }, EFFECT_IN_PLACE },
	{ { "DROP", "COLUMN" }, EFFECT_IN_PLACE },
	{ { "STORED" }, EFFECT_COPIES },
};

/* Which word names the table, after the words a statement begins with. */
static const struct { const char *words[3]; enum schema_effect effect; } VERBS[] = {
	{ { "CREATE", "TABLE" }, EFFECT_CREATES },
	{ { "ALTER", "TABLE" }, EFFECT_CATALOGUE },
	{ { "DROP", "TABLE" }, EFFECT_CATALOGUE },
	{ { "TRUNCATE", "TABLE" }, EFFECT_CATALOGUE },
	{ { "RENAME", "TABLE" }, EFFECT_CATALOGUE },
	{ { "INSERT", "INTO" }, EFFECT_LOCKS_ROWS },
	{ { "REPLACE", "INTO" }, EFFECT_LOCKS_ROWS },
	{ { "DELETE", "FROM" }, EFFECT_LOCKS_ROWS },
	{ { "UPDATE" }, EFFECT_LOCKS_ROWS },
};

static bool
is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '_' || c == '$' || c == '.' || (unsigned char)c >= 0x80;
}

/* Words and names in order; quoted texts, numbers of columns and signs are left out. */
static size_t
words_of(struct str s, struct str *words)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len && n < MAX_WORDS;) {
		size_t from = i;
		char c = s.at[i];

		if (c == '\'' || c == '"' || c == '`') {
			for (i++; i < s.len && s.at[i] != c; i++)
				i += s.at[i] == '\\' && c != '`';
			if (c == '`' && i < s.len)
				words[n++] = (struct str){ s.at + from + 1, i - from - 1 };
			i++;
		} else if (is_name_byte(c)) {
			while (i < s.len && is_name_byte(s.at[i]))
				i++;
			words[n++] = (struct str){ s.at + from, i - from };
		} else {
			i++;
		}
	}
	return n;
}

/* How many words of the pattern stand at `at`; 0 when they are not all there. */
static size_t
matches(const struct str *at, size_t n, const char *const *pattern)
{
	size_t i = 0;

	while (i < 3 && pattern[i] != NULL) {
		if (i >= n || !str_eq_nocase(at[i], str_of(pattern[i])))
			return 0;
		i++;
	}
	return i;
}

static struct str
table_after(const struct str *words, size_t n, size_t at)
{
	/* IF NOT EXISTS, IF EXISTS */
	while (at < n && (str_eq_nocase(words[at], S("IF")) || str_eq_nocase(words[at], S("NOT")) ||
	    str_eq_nocase(words[at], S("EXISTS"))))
		at++;
	return at < n ? words[at] : S("");
}

static enum schema_effect
heaviest_clause(const struct str *words, size_t n)
{
	enum schema_effect worst = EFFECT_CATALOGUE;

	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < N_ELEMS(CLAUSES); c++)
			if (CLAUSES[c].effect > worst && matches(words + i, n - i, CLAUSES[c].words) > 0)
				worst = CLAUSES[c].effect;
	return worst;
}

/* CREATE [UNIQUE] INDEX name ON table, DROP INDEX name ON table */
static bool
is_index_stmt(const struct str *words, size_t n, struct str *table_out)
{
	size_t i = 1;

	if (n > 1 && str_eq_nocase(words[1], S("UNIQUE")))
		i++;
	if (n < i + 4 || !str_eq_nocase(words[i], S("INDEX")) || !str_eq_nocase(words[i + 2], S("ON")))
		return false;
	*table_out = words[i + 3];
	return true;
}

const char *
schema_effect_text(enum schema_effect e)
{
	return TEXTS[e];
}

enum schema_effect
schema_effect_of(struct str stmt, struct str *table_out)
{
	struct str words[MAX_WORDS];
	size_t n = words_of(stmt, words);

	*table_out = S("");
	if (is_index_stmt(words, n, table_out))
		return str_eq_nocase(words[0], S("CREATE")) ? EFFECT_IN_PLACE : EFFECT_CATALOGUE;
	for (size_t i = 0; i < N_ELEMS(VERBS); i++) {
		size_t used = matches(words, n, VERBS[i].words);

		if (used == 0)
			continue;
		*table_out = table_after(words, n, used);
		if (VERBS[i].effect == EFFECT_CATALOGUE)
			return heaviest_clause(words, n);
		return VERBS[i].effect;
	}
	return EFFECT_NONE;
}

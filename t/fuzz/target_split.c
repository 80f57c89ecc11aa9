/* split - migrations: statements are parts of the text, in its order, and the same when they are put together again.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "base/strbuf.h"
#include "schema/split.h"

/* A text as MySQL's client writes it: whatever it holds, the statement ends behind it. */
static void
quoted_ends(struct arena *a, struct str data, char quote)
{
	struct schema_stmt s;
	struct str rest;
	const char *why;
	struct strbuf b;

	strbuf_init_arena(&b, a, 64, 2 * data.len + 64);
	strbuf_addf(&b, "SELECT %c", quote);
	for (size_t i = 0; i < data.len; i++) {
		if (data.at[i] == quote)
			strbuf_addc(&b, quote == '\'' ? '\\' : quote);
		if (data.at[i] == '\\' && quote != '`')
			strbuf_addc(&b, '\\');
		strbuf_addc(&b, data.at[i]);
	}
	strbuf_addf(&b, "%c;SELECT 2;", quote);
	rest = strbuf_str(&b);
	holds(schema_next(&rest, &s, &why) == SPLIT_STMT && s.text.len == b.len - sizeof(";SELECT 2;") + 1,
	    "a quoted text ends where its quote does");
	holds(schema_next(&rest, &s, &why) == SPLIT_STMT && str_eq(s.text, S("SELECT 2")) &&
	    schema_next(&rest, &s, &why) == SPLIT_END, "and then the next statement begins");
}

void
fuzz_split(struct arena *a, struct str data)
{
	const char *why = NULL, *past = data.at;
	struct schema_stmt s, t;
	enum schema_split got;
	struct str rest = data, joined;
	struct strbuf b;

	quoted_ends(a, data, '\'');
	quoted_ends(a, data, '"');
	quoted_ends(a, data, '`');
	strbuf_init_arena(&b, a, 64, 4 * data.len + 64);
	while ((got = schema_next(&rest, &s, &why)) == SPLIT_STMT) {
		holds(s.text.len > 0 && s.text.at >= past && s.text.at + s.text.len <= data.at + data.len,
		    "a statement is the next part of the text");
		holds(s.n_guards <= SCHEMA_MAX_GUARDS, "with its guards");
		past = s.text.at + s.text.len;
		/* With a line's end behind it "--" would be a comment. */
		if (str_starts(s.text, S("--")))
			return;
		strbuf_add(&b, s.text);
		strbuf_addz(&b, "\n;\n");
	}
	holds(got != SPLIT_BAD || why != NULL, "a mistake is named");
	holds(strbuf_ok(&b), "statements are no longer than the text");
	for (joined = strbuf_str(&b), rest = data; schema_next(&rest, &s, &why) == SPLIT_STMT; )
		holds(schema_next(&joined, &t, &why) == SPLIT_STMT && str_eq(s.text, t.text), "they split alike again");
	holds(schema_next(&joined, &t, &why) == SPLIT_END, "and there are no more");
}

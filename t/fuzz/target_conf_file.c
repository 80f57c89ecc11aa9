/* conf_file - the environment file: a value written by its rules comes back byte for byte.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

#include "conf/conf_file.h"

static void
put_escaped(struct strbuf *b, struct str v)
{
	for (size_t i = 0; i < v.len; i++) {
		if (v.at[i] == '\n')
			strbuf_addz(b, "\\n");
		else if (strchr("\"\\$", v.at[i]) != NULL)
			strbuf_addf(b, "\\%c", v.at[i]);
		else
			strbuf_addc(b, v.at[i]);
	}
}

static void
comes_back(struct arena *a, struct str value, bool single)
{
	struct conf_file f;
	struct strbuf b;
	size_t line;

	strbuf_init_arena(&b, a, 256, 2 * value.len + 256);
	strbuf_addz(&b, "# first\nA=1\r\nexport NAME=");
	strbuf_addc(&b, single ? '\'' : '"');
	if (single)
		strbuf_add(&b, value);
	else
		put_escaped(&b, value);
	strbuf_addc(&b, single ? '\'' : '"');
	strbuf_addz(&b, " # why\nB=2\n");
	holds(conf_file_parse(a, strbuf_str(&b), &f, &line), "a quoted value is taken");
	holds(f.n_pairs == 3 && str_eq(conf_file_find(&f, "B"), S("2")), "and ends where its quote does");
	holds(str_eq(conf_file_find(&f, "NAME"), value), "a value comes back as it was");
}

void
fuzz_conf_file(struct arena *a, struct str data)
{
	struct conf_file f;
	size_t line = 0;

	if (conf_file_parse(a, data, &f, &line)) {
		for (size_t i = 0; i < f.n_pairs; i++) {
			holds(f.pairs[i].name.len > 0 && is_one_line(f.pairs[i].name), "a variable has a name");
			holds(!has_byte(f.pairs[i].value, '\0'), "a value has no NUL");
			holds(f.pairs[i].value.at[f.pairs[i].value.len] == '\0', "a value is a C string, too");
		}
	} else {
		holds(line >= 1, "a mistake stands in a line");
	}
	if (has_byte(data, '\0'))
		return;
	comes_back(a, data, false);
	if (!has_byte(data, '\''))
		comes_back(a, data, true);
}

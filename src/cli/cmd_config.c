/* config - what is in effect, the example file and the manual page's options, all from the one table.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

enum { CONFIG_EXAMPLE, CONFIG_MAN };
const struct flag CONFIG_FLAGS[] = {
	[CONFIG_EXAMPLE] = { "example", '\0', NULL, "an environment file with every option's default" },
	[CONFIG_MAN] = { "man", '\0', NULL, "the OPTIONS section of the manual page" },
	{ NULL, '\0', NULL, NULL }
};

enum { TEXT_BYTES = 4096, TEXT_MAX_BYTES = 1 << 20 };

static int
print_text(struct cli *c, void (*write)(struct strbuf *to))
{
	struct strbuf b;

	strbuf_init_arena(&b, c->arena, TEXT_BYTES, TEXT_MAX_BYTES);
	write(&b);
	if (b.len > 0 && b.at[b.len - 1] == '\n')
		b.at[--b.len] = '\0';
	return cli_print(&b);
}

static struct str
value_of(struct cli *c, const struct conf_option *o)
{
	struct strbuf b;

	strbuf_init_arena(&b, c->arena, 256, TEXT_MAX_BYTES);
	conf_show(c->conf, o, &b);
	return strbuf_str(&b);
}

static bool
begins_group(size_t i)
{
	return i == 0 || strcmp(CONF_OPTIONS[i].group, CONF_OPTIONS[i - 1].group) != 0;
}

static int
print_json(struct cli *c)
{
	struct strbuf b;
	struct jsonw w;
	bool open = false;

	cli_document(c, &b, &w);
	jsonw_obj(&w, NULL);
	for (size_t i = 0; i < N_CONF_OPTIONS; i++) {
		const struct conf_option *o = &CONF_OPTIONS[i];

		if (o->type == CONF_IGNORED)
			continue;
		if (begins_group(i) && open)
			jsonw_obj_end(&w);
		if (begins_group(i))
			jsonw_obj(&w, o->group);
		open = true;
		jsonw_str(&w, o->name, value_of(c, o));
	}
	jsonw_obj_end(&w);
	jsonw_obj_end(&w);
	return cli_print(&b);
}

static int
print_for_people(struct cli *c)
{
	for (size_t i = 0; i < N_CONF_OPTIONS; i++) {
		const struct conf_option *o = &CONF_OPTIONS[i];
		struct str v;

		if (o->type == CONF_IGNORED)
			continue;
		if (begins_group(i))
			(void)printf("%s## %s\n", i > 0 ? "\n" : "", o->group);
		v = value_of(c, o);
		(void)printf("%s=%.*s\n", o->name, STR_ARG(v));
	}
	return CLI_OK;
}

int
cmd_config(struct cli *c, const struct args *a)
{
	if (a->values[CONFIG_EXAMPLE] != NULL)
		return print_text(c, conf_print_example);
	if (a->values[CONFIG_MAN] != NULL)
		return print_text(c, conf_print_roff);
	if (c->conf == NULL)
		return cli_fail("%s", c->conf_error);
	return c->json ? print_json(c) : print_for_people(c);
}

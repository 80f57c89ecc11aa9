/* conf_print.c - the option table in words: effective values, the example file, the manual page.
 * SPDX-License-Identifier: MIT */
#include "conf/conf.h"

#include <string.h>

#include "conf/conf_endpoints.h"
#include "conf/conf_nodes.h"
#include "conf/conf_parse.h"
#include "conf/conf_rates.h"

enum { WRAP = 88 };

static const char *const LEVELS[] = {
	[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error",
};

static const void *
field(const struct conf *c, const struct conf_option *o)
{
	return (const char *)c + o->offset;
}

static void
show_text(const struct conf *c, const struct conf_option *o, struct strbuf *to)
{
	struct str v = *(const struct str *)field(c, o);

	if (o->secret && v.len > 0)
		v = S("***");
	strbuf_add(to, v);
}

/* The shortest text that reads back as the same. */
static void
show_seconds(int64_t ms, struct strbuf *to)
{
	int part = (int)(ms % 1000), digits = 3;

	strbuf_add_i64(to, ms / 1000);
	if (part == 0)
		return;
	for (; part % 10 == 0; part /= 10)
		digits--;
	strbuf_addf(to, ".%0*d", digits, part);
}

static void
show_seconds_list(const struct ms_list *list, struct strbuf *to)
{
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			strbuf_addc(to, ',');
		show_seconds(list->at[i], to);
	}
}

/* Names may be seen, what stands behind them not. */
static void
show_pairs(const struct name_value *v, size_t n, struct strbuf *to)
{
	for (size_t i = 0; i < n; i++)
		strbuf_addf(to, "%s%.*s:***", i == 0 ? "" : ",", STR_ARG(v[i].name));
}

static void
show_cidrs(const struct conf *c, struct strbuf *to)
{
	for (size_t i = 0; i < c->n_open_networks; i++) {
		if (i > 0)
			strbuf_addc(to, ',');
		cidr_format(&c->open_networks[i], to);
	}
}

void
conf_show(const struct conf *c, const struct conf_option *o, struct strbuf *to)
{
	switch (o->type) {
	case CONF_STR:
	case CONF_SHA256:
	case CONF_ADDRESS:
	case CONF_TZ:
	case CONF_URL_HTTP:
	case CONF_URL_CLIENT:
		show_text(c, o, to);
		break;
	case CONF_INT:
		strbuf_add_i64(to, *(const int64_t *)field(c, o));
		break;
	case CONF_BOOL:
		strbuf_addz(to, *(const bool *)field(c, o) ? "true" : "false");
		break;
	case CONF_SECONDS_MS:
		show_seconds(*(const int64_t *)field(c, o), to);
		break;
	case CONF_LEVEL:
		strbuf_addz(to, LEVELS[c->log_level]);
		break;
	case CONF_AUTH_MODE:
		strbuf_addz(to, c->auth_mode == AUTH_MODE_OPEN ? "open" : "key");
		break;
	case CONF_API_KEYS:
		show_pairs(c->api_keys, c->n_api_keys, to);
		break;
	case CONF_LIVEKIT_KEYS:
		show_pairs(c->livekit_keys, c->n_livekit_keys, to);
		break;
	case CONF_CIDRS:
		show_cidrs(c, to);
		break;
	case CONF_SECONDS_LIST:
		show_seconds_list(field(c, o), to);
		break;
	case CONF_URLS:
		conf_urls_show(*(const struct str *)field(c, o), to);
		break;
	case CONF_ENDPOINTS:
		conf_endpoints_show(c, to);
		break;
	case CONF_CHOICE:
		strbuf_addz(to, o->choices[*(const int64_t *)field(c, o)]);
		break;
	case CONF_FRACTION:
		strbuf_addf(to, "%g", (double)*(const int64_t *)field(c, o) / 100);
		break;
	case CONF_NODES:
		conf_nodes_show(c, to);
		break;
	case CONF_REGIONS:
		conf_regions_show(c, to);
		break;
	case CONF_RATES:
	case CONF_KEY_RATES:
		conf_rates_show(c, o->type == CONF_KEY_RATES, to);
		break;
	case CONF_IGNORED:
		break;
	}
}

/* A paragraph of comment lines, broken at spaces. */
static void
add_comment(struct strbuf *to, struct str text)
{
	struct str word;
	size_t column = 0;

	while (str_split(&text, ' ', &word)) {
		if (column == 0 || column + 1 + word.len > WRAP) {
			strbuf_addz(to, column == 0 ? "# " : "\n# ");
			column = 2;
		} else {
			strbuf_addc(to, ' ');
			column++;
		}
		strbuf_add(to, word);
		column += word.len;
	}
	strbuf_addc(to, '\n');
}

static bool
begins_group(size_t i)
{
	return i == 0 || strcmp(CONF_OPTIONS[i].group, CONF_OPTIONS[i - 1].group) != 0;
}

/* Whether what it takes is worth a sentence: any text needs none. */
static bool
has_form(const struct conf_option *o)
{
	return o->type != CONF_IGNORED && o->type != CONF_STR;
}

static void
add_example(struct strbuf *to, const struct conf_option *o)
{
	char text[512];
	struct strbuf b;

	strbuf_init(&b, text, sizeof(text));
	strbuf_addz(&b, o->help);
	if (has_form(o)) {
		strbuf_addz(&b, " Takes ");
		conf_takes(o, &b);
		strbuf_addc(&b, '.');
	}
	add_comment(to, strbuf_str(&b));
	strbuf_addf(to, "#%s=%s\n", o->name, o->def);
}

void
conf_print_example(struct strbuf *to)
{
	strbuf_addz(to,
	    "# The configuration of tgo-call: every option with its default. Take the # from\n"
	    "# what you change. The same names in the environment win over this file; empty is\n"
	    "# unset.\n");
	for (size_t i = 0; i < N_CONF_OPTIONS; i++) {
		if (begins_group(i))
			strbuf_addf(to, "\n## %s\n", CONF_OPTIONS[i].group);
		else
			strbuf_addc(to, '\n');
		add_example(to, &CONF_OPTIONS[i]);
	}
}

/* Text for roff: a backslash, a hyphen that must stay one, and a dot or quote that would be a
 * request at the start of a line. */
static void
add_roff(struct strbuf *to, const char *text)
{
	if (text[0] == '.' || text[0] == '\'')
		strbuf_addz(to, "\\&");
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			strbuf_addz(to, "\\e");
		else if (*text == '-')
			strbuf_addz(to, "\\-");
		else
			strbuf_addc(to, *text);
	}
}

static void
add_roff_option(struct strbuf *to, const struct conf_option *o)
{
	char text[256];
	struct strbuf takes;

	strbuf_addf(to, ".TP\n.B %s\n", o->name);
	add_roff(to, o->help);
	strbuf_addc(to, '\n');
	if (has_form(o)) {
		strbuf_init(&takes, text, sizeof(text));
		conf_takes(o, &takes);
		strbuf_addz(to, "Takes ");
		add_roff(to, takes.at);
		strbuf_addz(to, ".\n");
	}
	if (o->def[0] != '\0') {
		strbuf_addz(to, "Default: ");
		add_roff(to, o->def);
		strbuf_addz(to, ".\n");
	}
}

void
conf_print_roff(struct strbuf *to)
{
	strbuf_addz(to, ".SH OPTIONS\n");
	for (size_t i = 0; i < N_CONF_OPTIONS; i++) {
		if (begins_group(i))
			strbuf_addf(to, ".SS %s\n", CONF_OPTIONS[i].group);
		add_roff_option(to, &CONF_OPTIONS[i]);
	}
}

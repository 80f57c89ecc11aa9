/* conf - a value an option takes is shown in a form that it takes, too, and that means the same. The first byte names
 * the option.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

#include "conf/conf_nodes.h"
#include "conf/conf_parse.h"

static struct conf *
empty(struct arena *a)
{
	struct conf *c = arena_alloc(a, sizeof(*c));

	c->own = a;
	c->node_port = 7880;
	return c;
}

/* Receivers depend on each other (target endpoints), and a zone is a file of the machine. */
static bool
is_for_us(const struct conf_option *o)
{
	return o->type != CONF_IGNORED && o->type != CONF_ENDPOINTS && o->type != CONF_URLS && o->type != CONF_TZ;
}

static struct str
shown(struct arena *a, struct conf *c, const struct conf_option *o)
{
	struct strbuf b;

	strbuf_init_arena(&b, a, 256, 1024 * 1024);
	conf_show(c, o, &b);
	holds(strbuf_ok(&b), "a value can be shown");
	holds(is_one_line(strbuf_str(&b)), "on one line");
	return strbuf_str(&b);
}

/* What is not text is compared as it is stored. */
static bool
same_value(const struct conf *a, const struct conf *b, const struct conf_option *o)
{
	const char *x = (const char *)a + o->offset, *y = (const char *)b + o->offset;

	switch ((int)o->type) {
	case CONF_BOOL:
		return *x == *y;
	case CONF_INT:
	case CONF_SECONDS_MS:
	case CONF_LEVEL:
	case CONF_AUTH_MODE:
	case CONF_CHOICE:
	case CONF_FRACTION:
		return memcmp(x, y, sizeof(int64_t)) == 0;
	case CONF_SECONDS_LIST:
		return memcmp(x, y, sizeof(struct ms_list)) == 0;
	default:
		return true;
	}
}

void
fuzz_conf(struct arena *a, struct str data)
{
	const struct conf_option *o = &CONF_OPTIONS[take_byte(&data) % N_CONF_OPTIONS];
	struct conf *c = empty(a), *again = empty(a);
	struct str first;

	if (!is_for_us(o) || !conf_parse(c, o, data) || !conf_nodes_settle(c))
		return;
	first = shown(a, c, o);
	if (o->secret && o->type == CONF_STR)
		holds(str_eq(first, S("***")) || data.len == 0, "a secret is not shown");
	if (o->secret || o->type == CONF_API_KEYS || o->type == CONF_LIVEKIT_KEYS || first.len == 0)
		return;
	holds(conf_parse(again, o, first) && conf_nodes_settle(again), "what is shown is taken");
	holds(str_eq(shown(a, again, o), first) && same_value(c, again, o), "and means the same");
}

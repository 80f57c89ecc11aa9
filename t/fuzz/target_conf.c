/* conf - a value an option takes is shown in a form that it takes, too, and that means the same. The first byte names
 * the option.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

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

	conf_nodes_settle(c);
	strbuf_init_arena(&b, a, 256, 1024 * 1024);
	conf_show(c, o, &b);
	holds(strbuf_ok(&b), "a value can be shown");
	holds(is_one_line(strbuf_str(&b)), "on one line");
	return strbuf_str(&b);
}

void
fuzz_conf(struct arena *a, struct str data)
{
	const struct conf_option *o = &CONF_OPTIONS[take_byte(&data) % N_CONF_OPTIONS];
	struct conf *c = empty(a), *again = empty(a);
	struct str first;

	if (!is_for_us(o) || !conf_parse(c, o, data))
		return;
	first = shown(a, c, o);
	if (o->secret && o->type == CONF_STR)
		holds(str_eq(first, S("***")) || data.len == 0, "a secret is not shown");
	if (o->secret || o->type == CONF_API_KEYS || o->type == CONF_LIVEKIT_KEYS || first.len == 0)
		return;
	holds(conf_parse(again, o, first), "what is shown is taken");
	holds(str_eq(shown(a, again, o), first), "and shown alike");
}

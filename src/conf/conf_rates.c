/* How often a caller may ask.
 * SPDX-License-Identifier: MIT */
#include "conf/conf_rates.h"

#include <inttypes.h>

#include "base/arena.h"
#include "conf/conf_lists.h"

enum { RULES_MAX = 256, TIMES_MAX = 1000000, WINDOW_MAX_S = 86400 };

static const char *const WHAT[RATE_COUNT] = { "create", "invite", "token" };

const char *
rate_what_name(enum rate_what w)
{
	return WHAT[w];
}

static bool
parse_what(struct str s, int64_t *what_out)
{
	for (int64_t i = 0; i < RATE_COUNT; i++) {
		if (!str_eq(s, str_of(WHAT[i])))
			continue;
		*what_out = i;
		return true;
	}
	return false;
}

/* "30/60s" */
static bool
parse_pace(struct str s, struct rate_rule *r)
{
	struct str n;

	if (!str_split(&s, '/', &n) || s.len < 2 || s.at[s.len - 1] != 's')
		return false;
	s.len--;
	return parse_i64(n, 1, TIMES_MAX, &r->n) && parse_i64(s, 1, WINDOW_MAX_S, &r->window_s);
}

/* As API_KEYS names them: printable, without blanks. */
static bool
is_key_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] <= ' ' || s.at[i] > '~')
			return false;
	return s.len > 0;
}

static bool
parse_rule(struct arena *a, struct str item, bool keyed, struct rate_rule *r)
{
	struct str what;

	*r = (struct rate_rule){ .key_name = S("") };
	if (keyed) {
		if (!str_split(&item, ':', &r->key_name))
			return false;
		r->key_name = arena_str(a, str_trim(r->key_name));
		if (!is_key_name(r->key_name))
			return false;
	}
	return str_split(&item, '=', &what) && parse_what(what, &r->what) && parse_pace(item, r);
}

static bool
is_twice(const struct rate_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (rules[i].what == rules[n].what && str_eq(rules[i].key_name, rules[n].key_name))
			return true;
	}
	return false;
}

bool
conf_rates_parse(struct conf *c, struct str list, bool keyed)
{
	struct rate_rule *rules = arena_array(c->own, RULES_MAX, sizeof(*rules));
	struct str item;
	size_t n = 0;

	if (str_eq_nocase(list, S("off")))
		list = S("");
	while (conf_next_item(&list, &item)) {
		if (n == RULES_MAX || !parse_rule(c->own, item, keyed, &rules[n]) || is_twice(rules, n))
			return false;
		n++;
	}
	if (keyed) {
		c->key_rate_limits = rules;
		c->n_key_rate_limits = n;
	} else {
		c->rate_limits = rules;
		c->n_rate_limits = n;
	}
	return true;
}

void
conf_rates_show(const struct conf *c, bool keyed, struct strbuf *to)
{
	const struct rate_rule *rules = keyed ? c->key_rate_limits : c->rate_limits;
	size_t n = keyed ? c->n_key_rate_limits : c->n_rate_limits;

	if (n == 0 && !keyed)
		strbuf_addz(to, "off");
	for (size_t i = 0; i < n; i++)
		strbuf_addf(to, "%s%.*s%s%s=%" PRId64 "/%" PRId64 "s", i == 0 ? "" : ",",
		    STR_ARG(rules[i].key_name), keyed ? ":" : "", WHAT[rules[i].what], rules[i].n,
		    rules[i].window_s);
}

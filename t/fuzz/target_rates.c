/* rates - RATE_LIMITS and KEY_RATE_LIMITS: what is shown means what was read.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "conf/conf_rates.h"

static bool
same(const struct rate_rule *a, const struct rate_rule *b)
{
	return str_eq(a->key_name, b->key_name) && a->what == b->what && a->n == b->n && a->window_s == b->window_s;
}

static void
list(struct arena *a, struct str data, bool keyed)
{
	struct conf c = { .own = a }, again = { .own = a };
	const struct rate_rule *rules;
	struct strbuf b;
	size_t n;

	if (!conf_rates_parse(&c, data, keyed))
		return;
	strbuf_init_arena(&b, a, 256, 256 * 1024);
	conf_rates_show(&c, keyed, &b);
	holds(strbuf_ok(&b) && conf_rates_parse(&again, strbuf_str(&b), keyed), "what is shown is taken");
	rules = keyed ? c.key_rate_limits : c.rate_limits;
	n = keyed ? c.n_key_rate_limits : c.n_rate_limits;
	holds(n == (keyed ? again.n_key_rate_limits : again.n_rate_limits), "as many rules");
	for (size_t i = 0; i < n; i++) {
		holds(rules[i].what >= 0 && rules[i].what < RATE_COUNT && rules[i].n >= 1 && rules[i].window_s >= 1,
		    "a rule limits something");
		holds((rules[i].key_name.len > 0) == keyed, "somebody's, or everybody's");
		holds(same(&rules[i], keyed ? &again.key_rate_limits[i] : &again.rate_limits[i]), "to the same");
	}
}

void
fuzz_rates(struct arena *a, struct str data)
{
	list(a, data, false);
	list(a, data, true);
}

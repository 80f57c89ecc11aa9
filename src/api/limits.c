/* limits - asks Redis whether a caller may once more.
 * SPDX-License-Identifier: MIT */
#include "api/limits.h"

#include "conf/conf_rates.h"

/* The rule that holds for this caller; NULL: none does. */
static const struct rate_rule *
rule_of(const struct conf *c, const struct caller *who, enum rate_what what)
{
	bool keyed = who->kind == CALLER_KEY || who->kind == CALLER_OPS;
	const struct rate_rule *rules = keyed ? c->key_rate_limits : c->rate_limits;
	size_t n = keyed ? c->n_key_rate_limits : c->n_rate_limits;

	for (size_t i = 0; i < n; i++) {
		if (rules[i].what == (int64_t)what && (!keyed || str_eq(rules[i].key_name, who->name)))
			return &rules[i];
	}
	return NULL;
}

/* The first letter keeps them apart: no uid is a key's name. */
static struct str
counted_as(struct arena *a, const struct caller *who, struct str acting)
{
	switch (who->kind) {
	case CALLER_TICKET:
		return arena_printf(a, "t:%.*s", STR_ARG(who->uid));
	case CALLER_OPEN:
		if (acting.len > 0)
			return arena_printf(a, "o:%.*s", STR_ARG(acting));
		return arena_printf(a, "a:%.*s", STR_ARG(who->address));
	case CALLER_KEY:
	case CALLER_OPS:
	case CALLER_NONE:
		break;
	}
	return arena_printf(a, "k:%.*s", STR_ARG(who->name));
}

enum err
limit_check(struct op *op, const struct services *sv, const struct caller *who, enum rate_what what,
    struct str acting)
{
	const struct rate_rule *rule = rule_of(sv->conf, who, what);
	struct kv_rate_ask ask = { .what = str_of(rate_what_name(what)) };
	int64_t wait_ms = 0;

	if (rule == NULL)
		return ERR_OK;
	ask.who = counted_as(op->arena, who, acting);
	ask.n = rule->n;
	ask.window_s = rule->window_s;
	switch (kv_rate_take(op, sv->kv, &ask, &wait_ms)) {
	case KV_RATE_FREE:
		return ERR_OK;
	case KV_RATE_UNKNOWN:
		/* A cache that is away must not keep anybody from calling. */
		meter_add(op->meter, METER_RATE_UNCHECKED, S(""), S(""), 1);
		return ERR_OK;
	case KV_RATE_SPENT:
		break;
	}
	meter_add(op->meter, METER_RATE_LIMITED, ask.what, S(""), 1);
	op->retry_after_s = (int)((wait_ms + 999) / 1000);
	return ERR_RATE_LIMITED;
}

/* endpoints - BUSINESS_WEBHOOK_ENDPOINTS and _URLS: receivers that are taken can be reached, and are shown without their
 * secrets.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "conf/conf_endpoints.h"
#include "conf/conf_url.h"
#include "json/json.h"

static void
is_receiver(const struct endpoint *e)
{
	holds(url_receiver_ok(e->url) && e->url.len <= 500, "a receiver has an address");
	holds(e->id.len == 16 && is_one_line(e->id), "and an id");
	holds(e->timeout_ms >= 100 && e->timeout_ms <= 300000 && e->rate >= 0, "bounds of its own");
	holds(e->all || e->n_events > 0, "and wants something");
}

static void
shows_no_secret(struct arena *a, const struct conf *c)
{
	const struct json *list;
	struct strbuf b;

	strbuf_init_arena(&b, a, 1024, 1024 * 1024);
	conf_endpoints_show(c, &b);
	if (c->webhook_endpoints.len == 0)
		return;
	list = json_parse(a, strbuf_str(&b), NULL);
	holds(json_type(list) == JSON_ARRAY && json_len(list) == c->n_endpoints, "receivers are shown as JSON");
	for (size_t i = 0; i < c->n_endpoints; i++) {
		struct str secret = json_str(json_get(json_at(list, i), "secret"));

		holds(str_eq(secret, c->endpoints[i].secret.len > 0 ? S("***") : S("")), "without their secrets");
		holds(str_eq(json_str(json_get(json_at(list, i), "secret_old")),
		    c->endpoints[i].secret_old.len > 0 ? S("***") : S("")), "new and old");
	}
}

static void
settle(struct arena *a, struct conf *c)
{
	char text[512];
	struct strbuf why;
	const char *name = NULL;

	strbuf_init(&why, text, sizeof(text));
	if (!conf_endpoints_settle(c, &name, &why)) {
		holds(name != NULL, "the option at fault is named");
		return;
	}
	for (size_t i = 0; i < c->n_endpoints; i++)
		is_receiver(&c->endpoints[i]);
	shows_no_secret(a, c);
}

void
fuzz_endpoints(struct arena *a, struct str data)
{
	struct str text = arena_str(a, data);
	struct conf as_json = { .own = a, .webhook_timeout_s = 5, .webhook_endpoints = text };
	struct conf as_urls = { .own = a, .webhook_timeout_s = 5, .webhook_urls = text, .webhook_secret = S("s") };

	settle(a, &as_json);
	settle(a, &as_urls);
}

/* conf_endpoints - receivers as JSON or as a list of addresses, and how they are shown.
 * SPDX-License-Identifier: MIT */
#include "conf/conf_endpoints.h"

#include <string.h>

#include "base/codec.h"
#include "base/jsonw.h"
#include "conf/conf_lists.h"
#include "conf/conf_parse.h"
#include "conf/conf_url.h"
#include "crypto/digest.h"
#include "json/json.h"

enum {
	ENDPOINTS_MAX = 100,
	URL_MAX = 500,                         /* webhook_endpoint.url */
	TIMEOUT_MIN_MS = 100,
	TIMEOUT_MAX_MS = 300000,
	RATE_MAX = 1000000,
	ID_BYTES = 8
};

const char *const CONF_EVENT_TYPES[EVENT_TYPES] = {
	"room.started", "room.finished", "participant.joined", "participant.left", "participant.rejected",
	"participant.missed", "participant.cancelled", "participant.invited",
	"participant.accepted", "participant.busy",
};

static struct str
id_of(struct arena *a, struct str url)
{
	uint8_t hash[SHA256_BYTES];
	struct strbuf b;

	digest_sha256(url, hash);
	strbuf_init_arena(&b, a, 2 * ID_BYTES + 1, 2 * ID_BYTES + 1);
	hex_encode(&b, hash, ID_BYTES);
	return strbuf_str(&b);
}

static void
set_go_types(struct conf *c, struct endpoint *e)
{
	e->n_events = GO_EVENT_TYPES;
	e->events = arena_array(c->own, e->n_events, sizeof(*e->events));
	for (size_t i = 0; i < e->n_events; i++)
		e->events[i] = str_of(CONF_EVENT_TYPES[i]);
}

/* What is wrong with the address of e, or NULL. */
static const char *
set_url(struct conf *c, struct endpoint *e, struct str url)
{
	if (url.len > URL_MAX)
		return "url: at most 500 bytes";
	if (!url_receiver_ok(url))
		return "url takes http or https, then ://host, maybe a port, a path and a query";
	e->url = arena_str(c->own, url);
	e->id = id_of(c->own, url);
	for (const struct endpoint *b = c->endpoints; b < e; b++)
		if (str_eq(b->url, e->url))
			return "url: it was named before";
	return NULL;
}

static const char *
set_secrets(struct conf *c, struct endpoint *e, const struct json *v)
{
	const struct json *secret = json_get(v, "secret"), *old = json_get(v, "secret_old");

	if (secret != NULL && json_type(secret) != JSON_STRING)
		return "secret takes a text";
	if (old != NULL && json_type(old) != JSON_STRING)
		return "secret_old takes a text";
	e->secret = arena_str(c->own, json_str(secret));
	e->secret_old = arena_str(c->own, json_str(old));
	return NULL;
}

/* Nothing, zero or less: BUSINESS_WEBHOOK_TIMEOUT, as the Go server had it. */
static const char *
set_timeout(struct conf *c, struct endpoint *e, const struct json *v)
{
	struct str text = json_text(c->own, v);
	int64_t whole;

	e->timeout_ms = c->webhook_timeout_s * 1000;
	if (v == NULL)
		return NULL;
	if (json_type(v) != JSON_INT && json_type(v) != JSON_DOUBLE)
		return "timeout takes a number";
	if (text.at[0] == '-' || (parse_i64(text, 0, INT64_MAX, &whole) && whole == 0))
		return NULL;
	if (!conf_seconds(text, TIMEOUT_MIN_MS, TIMEOUT_MAX_MS, &e->timeout_ms))
		return "timeout takes seconds from 0.1 to 300";
	return NULL;
}

static const char *
set_rate(struct endpoint *e, const struct json *v)
{
	if (v == NULL)
		return NULL;
	if (json_type(v) != JSON_INT || !json_i64(v, &e->rate) || e->rate < 0 || e->rate > RATE_MAX)
		return "rate takes a whole number of events a second, 0 for no limit";
	return NULL;
}

static bool
is_event_type(struct str name)
{
	for (size_t i = 0; i < EVENT_TYPES; i++)
		if (str_eq(name, str_of(CONF_EVENT_TYPES[i])))
			return true;
	return false;
}

static const char *
set_events(struct conf *c, struct endpoint *e, const struct json *v)
{
	if (v == NULL) {
		set_go_types(c, e);
		return NULL;
	}
	if (json_type(v) != JSON_ARRAY || json_len(v) == 0)
		return "events takes an array of types, or [\"*\"]";
	e->events = arena_array(c->own, json_len(v), sizeof(*e->events));
	for (size_t i = 0; i < json_len(v); i++) {
		struct str name = json_str(json_at(v, i));

		if (str_eq(name, S("*")))
			e->all = true;
		else if (is_event_type(name))
			e->events[e->n_events++] = arena_str(c->own, name);
		else
			return "events: no event has such a name";
	}
	return NULL;
}

static const char *
set_endpoint(struct conf *c, struct endpoint *e, const struct json *v)
{
	const char *wrong;

	if (json_type(v) != JSON_OBJECT)
		return "an object with a url is wanted";
	if ((wrong = set_url(c, e, json_str(json_get(v, "url")))) != NULL ||
	    (wrong = set_secrets(c, e, v)) != NULL ||
	    (wrong = set_timeout(c, e, json_get(v, "timeout"))) != NULL ||
	    (wrong = set_rate(e, json_get(v, "rate"))) != NULL)
		return wrong;
	return set_events(c, e, json_get(v, "events"));
}

static bool
take_json(struct conf *c, struct strbuf *why)
{
	const char *field = "", *wrong;
	const struct json *list = json_parse(c->own, c->webhook_endpoints, &field);
	size_t n = json_len(list);

	if (json_type(list) != JSON_ARRAY) {
		strbuf_addf(why, "not a JSON array of objects%s%s", field[0] != '\0' ? "; look at " : "",
		    field);
		return false;
	}
	if (n > ENDPOINTS_MAX) {
		strbuf_addf(why, "at most %d receivers", ENDPOINTS_MAX);
		return false;
	}
	c->endpoints = arena_array(c->own, n, sizeof(*c->endpoints));
	for (; c->n_endpoints < n; c->n_endpoints++) {
		wrong = set_endpoint(c, &c->endpoints[c->n_endpoints], json_at(list, c->n_endpoints));
		if (wrong == NULL)
			continue;
		strbuf_addf(why, "receiver %zu: %s", c->n_endpoints + 1, wrong);
		return false;
	}
	return true;
}

static bool
take_urls(struct conf *c, struct strbuf *why)
{
	struct str rest = c->webhook_urls, url;

	c->endpoints = arena_array(c->own, ENDPOINTS_MAX, sizeof(*c->endpoints));
	while (conf_next_item(&rest, &url)) {
		struct endpoint *e = &c->endpoints[c->n_endpoints];
		const char *wrong = NULL;

		if (c->n_endpoints == ENDPOINTS_MAX)
			wrong = "there are too many";
		else if ((wrong = set_url(c, e, url)) == NULL) {
			e->secret = c->webhook_secret;
			e->secret_old = S("");
			e->timeout_ms = c->webhook_timeout_s * 1000;
			set_go_types(c, e);
		}
		c->n_endpoints++;
		if (wrong == NULL)
			continue;
		strbuf_addf(why, "receiver %zu: %s", c->n_endpoints, wrong);
		return false;
	}
	return true;
}

bool
conf_endpoints_settle(struct conf *c, const char **name_out, struct strbuf *why)
{
	*name_out = "BUSINESS_WEBHOOK_ENDPOINTS";
	if (c->webhook_endpoints.len > 0 && !take_json(c, why))
		return false;
	if (c->n_endpoints > 0)
		return true;
	/* An empty array too falls back to the list, as in the Go server. */
	*name_out = "BUSINESS_WEBHOOK_URLS";
	return take_urls(c, why);
}

static void
show_one(struct jsonw *w, const struct endpoint *e)
{
	const struct str every = S("*");
	char text[URL_MAX + 8];
	struct strbuf url;

	strbuf_init(&url, text, sizeof(text));
	url_mask(e->url, &url);
	jsonw_obj(w, NULL);
	jsonw_str(w, "url", strbuf_str(&url));
	jsonw_z(w, "secret", e->secret.len > 0 ? "***" : "");
	if (e->secret_old.len > 0)
		jsonw_z(w, "secret_old", "***");
	jsonw_i64(w, "timeout_ms", e->timeout_ms);
	if (e->rate > 0)
		jsonw_i64(w, "rate", e->rate);
	jsonw_strs(w, "events", e->all ? &every : e->events, e->all ? 1 : e->n_events);
	jsonw_obj_end(w);
}

void
conf_endpoints_show(const struct conf *c, struct strbuf *to)
{
	struct jsonw w;

	if (c->webhook_endpoints.len == 0)
		return;
	jsonw_init(&w, to);
	jsonw_arr(&w, NULL);
	for (size_t i = 0; i < c->n_endpoints; i++)
		show_one(&w, &c->endpoints[i]);
	jsonw_arr_end(&w);
}

void
conf_urls_show(struct str list, struct strbuf *to)
{
	struct str url;
	bool comma = false;

	while (conf_next_item(&list, &url)) {
		if (comma)
			strbuf_addc(to, ',');
		url_mask(url, to);
		comma = true;
	}
}

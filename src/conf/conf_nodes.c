/* conf_nodes - reads the list of nodes and the list of regions.
 * SPDX-License-Identifier: MIT */
#include "conf/conf_nodes.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_lists.h"
#include "conf/conf_parse.h"
#include "conf/conf_url.h"

enum { NODES_MAX = 1000, REGIONS_MAX = 200, WEIGHT = 100, WEIGHT_MAX = 1000, HOST_MAX = 253, NAME_MAX_BYTES = 64 };

/* Enough for all items of the list. */
static size_t
n_commas(struct str list)
{
	size_t n = 0;

	for (size_t i = 0; i < list.len; i++)
		n += list.at[i] == ',';
	return n;
}

static bool
name_ok(struct str s)
{
	return s.len > 0 && s.len <= NAME_MAX_BYTES && url_text_ok(s, ",;:");
}

/* host, host:port, [v6] or [v6]:port */
static bool
parse_address(struct str s, struct static_node *out)
{
	const char *colon = memrchr(s.at, ':', s.len), *bracket = memrchr(s.at, ']', s.len);
	struct str host = s;

	if (!url_authority_ok(s) || !url_text_ok(s, "/@?#"))
		return false;
	if (colon != NULL && (bracket == NULL || colon > bracket)) {
		host.len = (size_t)(colon - s.at);
		if (!parse_i64((struct str){ colon + 1, s.len - host.len - 1 }, 1, 65535, &out->port))
			return false;
	}
	if (str_starts(host, S("[")))
		host = (struct str){ host.at + 1, host.len - 2 };
	out->host = host;
	return host.len > 0 && host.len <= HOST_MAX;
}

static bool
url_ok(struct str s)
{
	return s.len < 255 && !str_ends(s, S("/")) && url_text_ok(s, "#?") &&
	    (str_starts(s, S("ws://")) || str_starts(s, S("wss://")) || str_starts(s, S("http://")) ||
	    str_starts(s, S("https://")));
}

static bool
ip_ok(struct str s)
{
	struct cidr whole;

	return cidr_parse(s, &whole) && memchr(s.at, '/', s.len) == NULL;
}

/* "url=..", "region=..", "weight=..", "ip=.." */
static bool
parse_detail(struct str s, struct static_node *out)
{
	struct str value = s, name;

	if (!str_split(&value, '=', &name) || value.at == NULL)
		return false;
	name = str_trim(name);
	value = str_trim(value);
	if (str_eq(name, S("weight")))
		return parse_i64(value, 1, WEIGHT_MAX, &out->weight);
	if (str_eq(name, S("ip"))) {
		out->ip = value;
		return ip_ok(value);
	}
	if (str_eq(name, S("region"))) {
		out->region = value;
		return name_ok(value);
	}
	out->url = value;
	return str_eq(name, S("url")) && url_ok(value);
}

static bool
parse_node(struct conf *c, struct str item, struct static_node *out)
{
	struct str part;

	*out = (struct static_node){ .weight = WEIGHT };
	if (!str_split(&item, ';', &part) || !parse_address(str_trim(part), out))
		return false;
	while (str_split(&item, ';', &part)) {
		part = str_trim(part);
		if (part.len > 0 && !parse_detail(part, out))
			return false;
	}
	out->host = arena_str(c->own, out->host);
	out->ip = arena_str(c->own, out->ip);
	out->url = arena_str(c->own, out->url);
	out->region = arena_str(c->own, out->region);
	return true;
}

static bool
is_there(const struct static_node *nodes, size_t n, const struct static_node *one)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_nocase(nodes[i].host, one->host) && nodes[i].port == one->port)
			return true;
	return false;
}

bool
conf_nodes_parse(struct conf *c, struct str list)
{
	struct static_node *nodes = arena_array(c->own, n_commas(list) + 1, sizeof(*nodes));
	struct str item;
	size_t n = 0;

	while (conf_next_item(&list, &item)) {
		if (n == NODES_MAX || !parse_node(c, item, &nodes[n]) || is_there(nodes, n, &nodes[n]))
			return false;
		n++;
	}
	c->nodes = nodes;
	c->n_nodes = n;
	return true;
}

bool
conf_nodes_settle(struct conf *c)
{
	for (size_t i = 0; i < c->n_nodes; i++) {
		if (c->nodes[i].port == 0)
			c->nodes[i].port = c->node_port;
		if (is_there(c->nodes, i, &c->nodes[i]))
			return false;
	}
	return true;
}

void
conf_nodes_show(const struct conf *c, struct strbuf *to)
{
	for (size_t i = 0; i < c->n_nodes; i++) {
		const struct static_node *n = &c->nodes[i];
		bool v6 = memchr(n->host.at, ':', n->host.len) != NULL;

		strbuf_addf(to, "%s%s%.*s%s:%" PRId64, i > 0 ? "," : "", v6 ? "[" : "", STR_ARG(n->host),
		    v6 ? "]" : "", n->port);
		if (n->url.len > 0)
			strbuf_addf(to, ";url=%.*s", STR_ARG(n->url));
		if (n->region.len > 0)
			strbuf_addf(to, ";region=%.*s", STR_ARG(n->region));
		if (n->weight != WEIGHT)
			strbuf_addf(to, ";weight=%" PRId64, n->weight);
		if (n->ip.len > 0)
			strbuf_addf(to, ";ip=%.*s", STR_ARG(n->ip));
	}
}

/* A decimal number without an exponent, within [-limit, limit]; kept are nine digits after the point, a tenth of a
 * millimetre. */
static bool
parse_degrees(struct str s, double limit, double *out)
{
	char text[32], *end;

	if (s.len == 0 || s.len >= sizeof(text))
		return false;
	memcpy(text, s.at, s.len);
	text[s.len] = '\0';
	if (strspn(text, "+-.0123456789") < s.len)
		return false;
	*out = round(strtod(text, &end) * 1e9) / 1e9;
	return *end == '\0' && *out >= -limit && *out <= limit;
}

bool
conf_regions_parse(struct conf *c, struct str list)
{
	struct region *regions = arena_array(c->own, n_commas(list) + 1, sizeof(*regions));
	struct str item, name, lat;
	size_t n = 0;

	while (conf_next_item(&list, &item)) {
		struct str rest = item;

		if (n == REGIONS_MAX || !str_split(&rest, ':', &name) || !str_split(&rest, ':', &lat))
			return false;
		if (rest.at == NULL || !name_ok(name) || !parse_degrees(lat, 90, &regions[n].lat) ||
		    !parse_degrees(rest, 180, &regions[n].lon))
			return false;
		regions[n++].name = arena_str(c->own, name);
	}
	c->regions = regions;
	c->n_regions = n;
	return true;
}

/* Exactly what was kept. */
static void
show_degrees(double v, struct strbuf *to)
{
	char text[32];
	struct str s = { text, (size_t)snprintf(text, sizeof(text), "%.9f", v) };

	while (str_ends(s, S("0")))
		s.len--;
	if (str_ends(s, S(".")))
		s.len--;
	strbuf_add(to, s);
}

void
conf_regions_show(const struct conf *c, struct strbuf *to)
{
	for (size_t i = 0; i < c->n_regions; i++) {
		strbuf_addf(to, "%s%.*s:", i > 0 ? "," : "", STR_ARG(c->regions[i].name));
		show_degrees(c->regions[i].lat, to);
		strbuf_addc(to, ':');
		show_degrees(c->regions[i].lon, to);
	}
}

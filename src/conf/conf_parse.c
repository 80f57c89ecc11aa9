/* conf_parse.c - one parser for each type of option, each beside the words for what it takes.
 * SPDX-License-Identifier: MIT */
#include "conf/conf_parse.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_lists.h"
#include "conf/conf_nodes.h"
#include "conf/conf_rates.h"
#include "conf/conf_url.h"

enum { VALUE_MAX = 64 * 1024 };

static const char *const TAKES[] = {
	[CONF_STR] = "a text without control characters",
	[CONF_BOOL] = "true or false",
	[CONF_TZ] = "a time zone known here, as Asia/Shanghai (package tzdata) or CST-8",
	[CONF_URL_HTTP] = "http, https, ws or wss, then ://host, maybe a port and a path",
	[CONF_URL_CLIENT] = "http, https, ws or wss, then ://host, maybe a port and a path",
	[CONF_LEVEL] = "debug, info, warn or error",
	[CONF_AUTH_MODE] = "key or open",
	[CONF_API_KEYS] = "a comma list of name:sha-256 of the key in hex",
	[CONF_LIVEKIT_KEYS] = "a comma list of key:secret",
	[CONF_CIDRS] = "a comma list of networks, as 10.0.0.0/8 or fd00::/8",
	[CONF_URLS] = "a comma list of http:// or https:// addresses",
	[CONF_ENDPOINTS] = "a JSON array of objects with a url",
	[CONF_NODES] = "a comma list of host[:port][;url=wss://..][;region=..][;weight=1..1000], no node twice",
	[CONF_RATES] = "a comma list of create=30/60s, invite=.. and token=.., or off",
	[CONF_KEY_RATES] = "a comma list of name:create=30/60s, name:invite=.. and name:token=..",
	[CONF_SHA256] = "a sha-256 in hex",
	[CONF_ADDRESS] = "address:port, as 127.0.0.1:9464 or [::1]:9464",
	[CONF_REGIONS] = "a comma list of name:latitude:longitude",
	[CONF_IGNORED] = "anything",
};

/* The field of c that an option fills. */
static void *
field(struct conf *c, const struct conf_option *o)
{
	return (char *)c + o->offset;
}

static bool
parse_text(struct conf *c, const struct conf_option *o, struct str v)
{
	for (size_t i = 0; i < v.len; i++)
		if ((unsigned char)v.at[i] < 0x20 || v.at[i] == 0x7f)
			return false;
	*(struct str *)field(c, o) = arena_str(c->own, v);
	return true;
}

static bool
parse_int(struct conf *c, const struct conf_option *o, struct str v)
{
	return parse_i64(v, o->min, o->max, field(c, o));
}

bool
conf_seconds(struct str v, int64_t min_ms, int64_t max_ms, int64_t *ms_out)
{
	struct str rest = v, whole, digits = S("0");
	int64_t s, part, ms;

	if (!str_split(&rest, '.', &whole) || !parse_i64(whole, 0, INT32_MAX, &s))
		return false;
	if (rest.at != NULL)
		digits = rest;
	if (digits.len > 3 || !parse_i64(digits, 0, 999, &part) || digits.at[0] == '-')
		return false;
	for (size_t i = digits.len; i < 3; i++)
		part *= 10;
	ms = s * 1000 + part;
	if (ms < min_ms || ms > max_ms)
		return false;
	*ms_out = ms;
	return true;
}

static bool
parse_seconds(struct conf *c, const struct conf_option *o, struct str v)
{
	return conf_seconds(v, o->min, o->max, field(c, o));
}

static bool
parse_bool(struct conf *c, const struct conf_option *o, struct str v)
{
	static const struct { struct str word; bool value; } WORDS[] = {
		{ { "true", 4 }, true }, { { "1", 1 }, true }, { { "yes", 3 }, true },
		{ { "on", 2 }, true }, { { "false", 5 }, false }, { { "0", 1 }, false },
		{ { "no", 2 }, false }, { { "off", 3 }, false },
	};

	for (size_t i = 0; i < N_ELEMS(WORDS); i++) {
		if (!str_eq_nocase(v, WORDS[i].word))
			continue;
		*(bool *)field(c, o) = WORDS[i].value;
		return true;
	}
	return false;
}

static bool
parse_level(struct conf *c, const struct conf_option *o, struct str v)
{
	enum log_level level;

	if (!log_level_parse(v, &level))
		return false;
	*(int64_t *)field(c, o) = level;
	return true;
}

static bool
parse_auth_mode(struct conf *c, const struct conf_option *o, struct str v)
{
	bool open = str_eq_nocase(v, S("open"));

	if (!open && !str_eq_nocase(v, S("key")))
		return false;
	*(int64_t *)field(c, o) = open ? AUTH_MODE_OPEN : AUTH_MODE_KEY;
	return true;
}

/* The C library takes a name it does not know for UTC, in silence, and wrong local times would
 * end up in the DATETIME columns: so the zone's file must be there. */
static bool
is_zone_file(struct arena *a, struct str name)
{
	const char *dir = getenv("TZDIR");
	char magic[4];
	int fd;
	bool ok;

	if (name.len > 0 && name.at[0] == '/')
		dir = "";
	else if (dir == NULL)
		dir = "/usr/share/zoneinfo";
	name = arena_printf(a, "%s/%.*s", dir, STR_ARG(name));
	if ((fd = open(name.at, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	ok = read(fd, magic, sizeof(magic)) == sizeof(magic) && memcmp(magic, "TZif", 4) == 0;
	(void)close(fd);
	return ok;
}

static bool
has_three_letters(struct str s)
{
	for (size_t i = 0; i < 3; i++)
		if (i >= s.len || !((s.at[i] >= 'A' && s.at[i] <= 'Z') || (s.at[i] >= 'a' && s.at[i] <= 'z')))
			return false;
	return true;
}

/* CST-8, <+08>-8, EST5EDT,M3.2.0,M11.1.0/2: an offset; a slash only in the rules after a comma. */
static bool
is_posix_zone(struct str s)
{
	struct str rest = s, name;
	bool digit = false;

	(void)str_split(&rest, ',', &name);
	/* The C library takes an offset without a name ("+8") for UTC, silently. */
	if (name.len < 4 || (name.at[0] != '<' && !has_three_letters(name)))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (name.at[i] == '/')
			return false;
		digit = digit || (name.at[i] >= '0' && name.at[i] <= '9');
	}
	return digit;
}

static bool
parse_tz(struct conf *c, const struct conf_option *o, struct str v)
{
	struct str name = v;

	if (str_starts(name, S(":"))) {
		name.at++;
		name.len--;
	}
	if (!str_eq(v, S("UTC")) && !is_posix_zone(v) && !is_zone_file(c->own, name))
		return false;
	return parse_text(c, o, v);
}

/* keep_scheme false: ws and wss become http and https. */
static bool
parse_url(struct conf *c, const struct conf_option *o, struct str v, bool keep_scheme)
{
	static const struct { struct str given, http; } SCHEMES[] = {
		{ { "http://", 7 }, { "http://", 7 } }, { { "https://", 8 }, { "https://", 8 } },
		{ { "ws://", 5 }, { "http://", 7 } }, { { "wss://", 6 }, { "https://", 8 } },
	};

	while (str_ends(v, S("/")))
		v.len--;
	for (size_t i = 0; i < N_ELEMS(SCHEMES); i++) {
		struct str given = SCHEMES[i].given, rest, tail, host;

		if (v.len <= given.len || !str_eq_nocase((struct str){ v.at, given.len }, given))
			continue;
		rest = tail = (struct str){ v.at + given.len, v.len - given.len };
		if (!str_split(&tail, '/', &host) || !url_authority_ok(host) ||
		    !url_text_ok(rest, "?#@"))
			return false;
		if (!keep_scheme)
			given = SCHEMES[i].http;
		*(struct str *)field(c, o) = arena_printf(c->own, "%.*s%.*s", STR_ARG(given),
		    STR_ARG(rest));
		return true;
	}
	return false;
}

static bool
parse_sha256(struct conf *c, const struct conf_option *o, struct str v)
{
	return v.len == 0 || (conf_sha256(c->own, &v) && parse_text(c, o, v));
}

/* Only addresses: a name could be another host tomorrow. */
static bool
parse_address(struct conf *c, const struct conf_option *o, struct str v)
{
	size_t colon = v.len;
	struct str port, host;
	struct cidr net;
	int64_t n;

	if (v.len == 0)
		return parse_text(c, o, v);
	while (colon > 0 && v.at[colon - 1] != ':')
		colon--;
	if (colon < 2)
		return false;
	port = (struct str){ v.at + colon, v.len - colon };
	host = (struct str){ v.at, colon - 1 };
	if (host.at[0] == '[' && host.at[host.len - 1] == ']')
		host = (struct str){ host.at + 1, host.len - 2 };
	return parse_i64(port, 0, 65535, &n) && cidr_parse(host, &net) && parse_text(c, o, v);
}

static bool
parse_choice(struct conf *c, const struct conf_option *o, struct str v)
{
	for (int64_t i = 0; o->choices[i] != NULL; i++) {
		if (!str_eq_nocase(v, str_of(o->choices[i])))
			continue;
		*(int64_t *)field(c, o) = i;
		return true;
	}
	return false;
}

/* Thousandths, as conf_seconds reads them, are tenths of a hundredth. */
static bool
parse_fraction(struct conf *c, const struct conf_option *o, struct str v)
{
	int64_t thousandths;

	if (!conf_seconds(v, o->min * 10, o->max * 10, &thousandths) || thousandths % 10 != 0)
		return false;
	*(int64_t *)field(c, o) = thousandths / 10;
	return true;
}

bool
conf_parse(struct conf *c, const struct conf_option *o, struct str value)
{
	struct str trimmed = str_trim(value);

	if (value.len > VALUE_MAX)
		return false;
	switch (o->type) {
	case CONF_STR:
		/* White space around a password may belong to it. */
		return parse_text(c, o, o->secret ? value : trimmed);
	case CONF_INT:
		return parse_int(c, o, trimmed);
	case CONF_BOOL:
		return parse_bool(c, o, trimmed);
	case CONF_SECONDS_MS:
		return parse_seconds(c, o, trimmed);
	case CONF_SECONDS_LIST:
		return conf_seconds_list(trimmed, o->min, o->max, field(c, o));
	case CONF_TZ:
		return parse_tz(c, o, trimmed);
	case CONF_URL_HTTP:
		return parse_url(c, o, trimmed, false);
	case CONF_URL_CLIENT:
		return parse_url(c, o, trimmed, true);
	case CONF_LEVEL:
		return parse_level(c, o, trimmed);
	case CONF_AUTH_MODE:
		return parse_auth_mode(c, o, trimmed);
	case CONF_API_KEYS:
	case CONF_LIVEKIT_KEYS:
		return conf_pairs_parse(c, o->type, trimmed);
	case CONF_CIDRS:
		return conf_cidrs_parse(c, trimmed);
	case CONF_URLS:
	case CONF_ENDPOINTS:
		*(struct str *)field(c, o) = arena_str(c->own, trimmed);
		return true;
	case CONF_CHOICE:
		return parse_choice(c, o, trimmed);
	case CONF_FRACTION:
		return parse_fraction(c, o, trimmed);
	case CONF_NODES:
		return conf_nodes_parse(c, trimmed);
	case CONF_REGIONS:
		return conf_regions_parse(c, trimmed);
	case CONF_RATES:
	case CONF_KEY_RATES:
		return conf_rates_parse(c, trimmed, o->type == CONF_KEY_RATES);
	case CONF_SHA256:
		return parse_sha256(c, o, trimmed);
	case CONF_ADDRESS:
		return parse_address(c, o, trimmed);
	case CONF_IGNORED:
		return true;
	}
	return false;
}

static void
add_choices(const struct conf_option *o, struct strbuf *to)
{
	for (size_t i = 0; o->choices[i] != NULL; i++)
		strbuf_addf(to, "%s%s", i == 0 ? "" : o->choices[i + 1] == NULL ? " or " : ", ", o->choices[i]);
}

void
conf_takes(const struct conf_option *o, struct strbuf *to)
{
	if (o->type == CONF_INT)
		strbuf_addf(to, "a whole number from %" PRId64 " to %" PRId64, o->min, o->max);
	else if (o->type == CONF_SECONDS_LIST)
		strbuf_addf(to, "up to %d times in seconds from %g to %g, separated by commas",
		    RETRIES_MAX, (double)o->min / 1000, (double)o->max / 1000);
	else if (o->type == CONF_SECONDS_MS)
		strbuf_addf(to, "seconds from %g to %g, as 15 or 0.5", (double)o->min / 1000,
		    (double)o->max / 1000);
	else if (o->type == CONF_FRACTION)
		strbuf_addf(to, "a number from %g to %g with at most two digits after the point",
		    (double)o->min / 100, (double)o->max / 100);
	else if (o->type == CONF_CHOICE)
		add_choices(o, to);
	else
		strbuf_addz(to, TAKES[o->type]);
}

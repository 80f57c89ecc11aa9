/* conf_url - addresses: their authority, their characters, and how they are shown.
 * SPDX-License-Identifier: MIT */
#include "conf/conf_url.h"

#include <string.h>

#include "conf/conf_parse.h"

enum { ZONE_MAX = 16 };

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* What libcurl takes for a name, and no more: letters of other scripts come as punycode. */
static bool
is_host(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_alnum(s.at[i]) && memchr("-._~", s.at[i], 4) == NULL)
			return false;
	return s.len > 0;
}

/* An IPv6 address, maybe with a zone: fe80::1%25eth0. */
static bool
is_v6(struct str s)
{
	struct str zone = s, address;
	struct cidr ignored;

	if (!str_split(&zone, '%', &address) || memchr(address.at, ':', address.len) == NULL ||
	    memchr(address.at, '/', address.len) != NULL || !cidr_parse(address, &ignored))
		return false;
	if (zone.at == NULL)
		return true;
	return zone.len > 2 && zone.len <= ZONE_MAX && str_starts(zone, S("25")) && is_host(zone);
}

bool
url_authority_ok(struct str s)
{
	struct str host = s, port = { NULL, 0 };
	const char *colon = memrchr(s.at, ':', s.len);
	const char *bracket = memrchr(s.at, ']', s.len);
	int64_t n;

	if (colon != NULL && (bracket == NULL || colon > bracket)) {
		host.len = (size_t)(colon - s.at);
		port = (struct str){ colon + 1, s.len - host.len - 1 };
		if (!parse_i64(port, 1, 65535, &n))
			return false;
	}
	if (host.len > 0 && host.at[0] == '[')
		return host.len > 2 && host.at[host.len - 1] == ']' &&
		    is_v6((struct str){ host.at + 1, host.len - 2 });
	return is_host(host);
}

bool
url_text_ok(struct str s, const char *refused)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] <= ' ' || s.at[i] > '~' || strchr("\"<>\\^`{|}", s.at[i]) != NULL ||
		    strchr(refused, s.at[i]) != NULL)
			return false;
	return true;
}

/* What stands between :// and the path, the query or the end. Its at is NULL when it is no http address. */
static struct str
authority_of(struct str url)
{
	const struct str schemes[] = { S("http://"), S("https://") };

	for (size_t i = 0; i < N_ELEMS(schemes); i++) {
		struct str rest = url;

		if (url.len < schemes[i].len ||
		    !str_eq_nocase((struct str){ url.at, schemes[i].len }, schemes[i]))
			continue;
		rest.at += schemes[i].len;
		rest.len = 0;
		while (rest.at + rest.len < url.at + url.len && rest.at[rest.len] != '/' &&
		    rest.at[rest.len] != '?')
			rest.len++;
		return rest;
	}
	return (struct str){ NULL, 0 };
}

/* The host without user:password@; *user_out is how many bytes those take. */
static struct str
host_of(struct str authority, size_t *user_out)
{
	const char *at = memrchr(authority.at, '@', authority.len);

	*user_out = at == NULL ? 0 : (size_t)(at + 1 - authority.at);
	return (struct str){ authority.at + *user_out, authority.len - *user_out };
}

bool
url_receiver_ok(struct str s)
{
	struct str authority = authority_of(s), host;
	size_t n_user;

	if (authority.at == NULL || !url_text_ok(s, "#"))
		return false;
	host = host_of(authority, &n_user);
	/* A second @ is another host to some. */
	return url_authority_ok(host) && (n_user == 0 || memchr(authority.at, '@', n_user - 1) == NULL);
}

void
url_mask_user(struct str s, struct strbuf *to)
{
	struct str authority = authority_of(s), host;
	size_t n_user = 0;

	if (authority.at != NULL) {
		host = host_of(authority, &n_user);
		if (n_user > 0) {
			strbuf_add(to, (struct str){ s.at, (size_t)(authority.at - s.at) });
			strbuf_addz(to, "***@");
			s = (struct str){ host.at, s.len - (size_t)(host.at - s.at) };
		}
	}
	strbuf_add(to, s);
}

void
url_mask(struct str s, struct strbuf *to)
{
	size_t n = 0;

	while (n < s.len && s.at[n] != '?')
		n++;
	if (n + 1 >= s.len) {
		url_mask_user(s, to);
		return;
	}
	url_mask_user((struct str){ s.at, n }, to);
	strbuf_addz(to, "?***");
}

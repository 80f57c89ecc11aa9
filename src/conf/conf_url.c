/* conf_url - addresses: their authority, their characters, and how they are shown.
 * SPDX-License-Identifier: MIT */
#include "conf/conf_url.h"

#include <string.h>

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
		return host.len > 2 && host.at[host.len - 1] == ']';
	return host.len > 0 && memchr(host.at, ':', host.len) == NULL;
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
	struct str authority = authority_of(s);
	size_t n_user;

	if (authority.at == NULL || !url_text_ok(s, "#"))
		return false;
	return url_authority_ok(host_of(authority, &n_user));
}

void
url_mask(struct str s, struct strbuf *to)
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

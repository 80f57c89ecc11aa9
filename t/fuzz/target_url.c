/* url - addresses of receivers: libcurl takes what we take, and what is shown names no password and no query.
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

#include <curl/curl.h>

#include "conf/conf_url.h"

/* A part of the address, "" for none; the caller gives it back with curl_free. */
static char *
part(CURLU *u, CURLUPart what)
{
	char *text = NULL;

	return curl_url_get(u, what, &text, 0) == CURLUE_OK ? text : NULL;
}

static void
curl_takes(const char *z)
{
	CURLU *u = curl_url();
	char *host, *scheme;

	holds(curl_url_set(u, CURLUPART_URL, z, 0) == CURLUE_OK, "libcurl takes an address that we take");
	host = part(u, CURLUPART_HOST);
	scheme = part(u, CURLUPART_SCHEME);
	holds(host != NULL && host[0] != '\0', "it has a host");
	holds(scheme != NULL && strncmp(scheme, "http", 4) == 0, "and goes by http");
	curl_free(host);
	curl_free(scheme);
	curl_url_cleanup(u);
}

static void
is_masked(const char *z)
{
	CURLU *u = curl_url();
	char *user, *password, *query;

	holds(curl_url_set(u, CURLUPART_URL, z, 0) == CURLUE_OK, "a masked address is one");
	user = part(u, CURLUPART_USER);
	password = part(u, CURLUPART_PASSWORD);
	holds(user == NULL || strcmp(user, "***") == 0, "the user is masked");
	query = part(u, CURLUPART_QUERY);
	holds(password == NULL, "there is no password");
	holds(query == NULL || query[0] == '\0' || strcmp(query, "***") == 0, "what the query holds is masked");
	curl_free(user);
	curl_free(password);
	curl_free(query);
	curl_url_cleanup(u);
}

void
fuzz_url(struct arena *a, struct str data)
{
	struct strbuf b;

	strbuf_init_arena(&b, a, 64, data.len + 64);
	url_mask(data, &b);
	holds(strbuf_ok(&b) && b.len <= data.len + 5, "any text can be masked");
	holds(!url_authority_ok(data) || (data.len > 0 && is_one_line(data)), "a host is something, on one line");
	if (!url_receiver_ok(data))
		return;
	holds(is_one_line(data) && !has_byte(data, ' ') && !has_byte(data, '"'), "an address is one word");
	curl_takes(arena_z(a, data));
	is_masked(strbuf_str(&b).at);
}

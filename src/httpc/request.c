/* request - sets a libcurl handle up for one call.
 * SPDX-License-Identifier: MIT */
#include "httpc/request.h"

#include <errno.h>

struct curl_slist *
request_add_header(struct arena *a, struct curl_slist *list, struct str line)
{
	struct curl_slist *longer = curl_slist_append(list, arena_z(a, line));

	return longer != NULL ? longer : list;
}

static struct curl_slist *
add_pair(struct arena *a, struct curl_slist *list, const char *name, struct str value)
{
	return request_add_header(a, list, arena_printf(a, "%s%.*s", name, STR_ARG(value)));
}

struct curl_slist *
request_headers(struct arena *a, const struct http_call *c)
{
	struct curl_slist *list = NULL;

	if (c->content_type.len > 0)
		list = add_pair(a, list, "Content-Type: ", c->content_type);
	if (c->bearer.len > 0)
		list = add_pair(a, list, "Authorization: Bearer ", c->bearer);
	/* No round trip to be told "100 Continue" before a large body. */
	return request_add_header(a, list, S("Expect:"));
}

static void
set_safe_options(CURL *curl)
{
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	(void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "tgo-call");
#if LIBCURL_VERSION_NUM >= 0x075500
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static void
set_method(CURL *curl, const struct http_call *c)
{
	struct str method = str_of(c->method);

	if (str_eq(method, S("GET"))) {
		(void)curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
		return;
	}
	/* The body is read where it lies: it outlives the call. */
	(void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, c->body.at != NULL ? c->body.at : "");
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body.len);
	if (!str_eq(method, S("POST")))
		(void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, c->method);
}

void
request_set(CURL *curl, struct arena *a, const struct http_call *c)
{
	set_safe_options(curl);
	set_method(curl, c);
	(void)curl_easy_setopt(curl, CURLOPT_URL, arena_z(a, c->url));
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)c->timeout_ms);
}

bool
request_refused(CURL *curl, CURLcode rc)
{
	long why = 0;

	(void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &why);
	return rc == CURLE_COULDNT_CONNECT && why == ECONNREFUSED;
}

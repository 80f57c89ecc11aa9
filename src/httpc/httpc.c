/* httpc - one libcurl handle a process; its connections outlive the calls, its options do not.
 * SPDX-License-Identifier: MIT */
#include "httpc/httpc.h"

#include <curl/curl.h>

#include "base/strbuf.h"

enum { ANSWER_MAX = 1 << 20 };

struct httpc {
	CURL *curl;
	struct arena *own;            /* this struct lives in it */
};

/* What the write callback fills. */
struct receiver {
	struct strbuf body;
};

struct httpc *
httpc_open(void)
{
	struct arena *own;
	struct httpc *h;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return NULL;
	own = arena_new(4096);
	h = arena_alloc(own, sizeof(*h));
	h->own = own;
	if ((h->curl = curl_easy_init()) != NULL)
		return h;
	arena_free(own);
	curl_global_cleanup();
	return NULL;
}

void
httpc_close(struct httpc *h)
{
	if (h == NULL)
		return;
	curl_easy_cleanup(h->curl);
	curl_global_cleanup();
	arena_free(h->own);
}

static size_t
receive(char *at, size_t size, size_t n, void *arg)
{
	struct receiver *r = arg;

	strbuf_add(&r->body, (struct str){ at, size * n });
	/* Anything but the full count ends the call. */
	return r->body.failed ? 0 : size * n;
}

static struct curl_slist *
add_header(struct op *op, struct curl_slist *list, const char *name, struct str value)
{
	const char *line = arena_z(op->arena, arena_printf(op->arena, "%s%.*s", name, STR_ARG(value)));
	struct curl_slist *longer = curl_slist_append(list, line);

	return longer != NULL ? longer : list;
}

static struct curl_slist *
headers_of(struct op *op, const struct http_call *c)
{
	struct curl_slist *list = NULL;

	if (c->content_type.len > 0)
		list = add_header(op, list, "Content-Type: ", c->content_type);
	if (c->bearer.len > 0)
		list = add_header(op, list, "Authorization: Bearer ", c->bearer);
	/* No round trip to be told "100 Continue" before a large body. */
	return add_header(op, list, "Expect:", S(""));
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

static struct str
reason(struct op *op, CURLcode rc, const char *words, const struct receiver *r)
{
	if (rc == CURLE_WRITE_ERROR && r->body.failed)
		return S("the answer is larger than 1 MiB");
	return arena_str(op->arena, str_of(words[0] != '\0' ? words : curl_easy_strerror(rc)));
}

enum err
httpc_call(struct op *op, struct httpc *h, const struct http_call *c, struct http_answer *out)
{
	char words[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = headers_of(op, c);
	struct receiver r;
	long status = 0;
	CURLcode rc;

	*out = (struct http_answer){ 0 };
	strbuf_init_arena(&r.body, op->arena, 1024, ANSWER_MAX + 1);
	curl_easy_reset(h->curl);              /* keeps the connections */
	set_safe_options(h->curl);
	set_method(h->curl, c);
	(void)curl_easy_setopt(h->curl, CURLOPT_URL, arena_z(op->arena, c->url));
	(void)curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(h->curl, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms);
	(void)curl_easy_setopt(h->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)c->timeout_ms);
	(void)curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, words);
	(void)curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, receive);
	(void)curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, &r);
	rc = curl_easy_perform(h->curl);
	(void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	/* The handle must not be left pointing at this frame or this request's memory. */
	curl_easy_reset(h->curl);
	curl_slist_free_all(headers);
	if (rc != CURLE_OK) {
		out->why = reason(op, rc, words, &r);
		return ERR_UNAVAILABLE;
	}
	out->status = (int)status;
	out->body = strbuf_str(&r.body);
	return ERR_OK;
}

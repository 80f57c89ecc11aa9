/* httpc - one libcurl handle a process; its connections outlive the calls, its options do not.
 * SPDX-License-Identifier: MIT */
#include "httpc/httpc.h"

#include "base/clock.h"
#include "base/strbuf.h"
#include "httpc/request.h"

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
	struct curl_slist *headers = request_headers(op->arena, c);
	int64_t start = clock_mono_us();
	struct receiver r;
	long status = 0;
	CURLcode rc;

	*out = (struct http_answer){ 0 };
	strbuf_init_arena(&r.body, op->arena, 1024, ANSWER_MAX + 1);
	curl_easy_reset(h->curl);              /* keeps the connections */
	request_set(h->curl, op->arena, c);
	(void)curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, words);
	(void)curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, receive);
	(void)curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, &r);
	rc = curl_easy_perform(h->curl);
	out->us = clock_mono_us() - start;
	out->refused = request_refused(h->curl, rc);
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

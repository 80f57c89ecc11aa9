/* slot - a call's way from libcurl's callbacks to its answer.
 * SPDX-License-Identifier: MIT */
#include "httpc/slot.h"

#include "httpc/reach.h"

enum {
	READ_MAX = 64 * 1024,         /* of an answer that is not kept */
	CALL_ARENA_BYTES = 16 << 20,
	BODY_BYTES = 1024             /* at first */
};

static size_t
on_body(char *at, size_t size, size_t n, void *arg)
{
	struct slot *s = arg;
	size_t len = size * n;
	size_t room = s->body.len < s->answer_max ? s->answer_max - s->body.len : 0;
	size_t limit = s->whole || s->answer_max > READ_MAX ? s->answer_max : READ_MAX;

	s->n_read += len;
	strbuf_add(&s->body, (struct str){ at, len < room ? len : room });
	/* Anything but the full count ends the call, and the connection with it. */
	s->cut = s->n_read > limit;
	return s->cut ? 0 : len;
}

static size_t
on_header(char *at, size_t size, size_t n, void *arg)
{
	struct slot *s = arg;
	struct str line = { at, size * n }, name;

	if (str_starts(line, S("HTTP/")))
		s->retry_after = S("");            /* of an interim answer */
	if (str_split(&line, ':', &name) && str_eq_nocase(name, S("Retry-After")))
		s->retry_after = arena_str(s->own, str_trim(line));
	return size * n;
}

/* The address a name led to, just before it is connected to. */
static curl_socket_t
on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct slot *s = arg;

	(void)purpose;
	if (reach_allows(s->reach, &a->addr))
		return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
	s->refused = true;
	s->refused_what = reach_text(s->own, &a->addr);
	return CURL_SOCKET_BAD;
}

static void
slot_set(struct slot *s, const struct multi_call *c)
{
	CURL *curl = s->easy;

	request_set(curl, s->own, &c->call);
	s->headers = request_headers(s->own, &c->call);
	for (size_t i = 0; i < c->n_headers; i++)
		s->headers = request_add_header(s->own, s->headers, c->headers[i]);
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, s->headers);
	(void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, s->words);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, s);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, s);
	(void)curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	(void)curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, s);
	(void)curl_easy_setopt(curl, CURLOPT_PRIVATE, s);
}

bool
slot_begin(struct slot *s, const struct multi_call *c, bool whole, bool fresh)
{
	if (s->easy == NULL && (s->easy = curl_easy_init()) == NULL)
		return false;
	curl_easy_reset(s->easy);              /* keeps the connections */
	s->own = arena_new(CALL_ARENA_BYTES);
	s->tag = c->tag;
	s->reach = c->reach;
	s->answer_max = c->answer_max;
	s->n_read = 0;
	s->whole = whole;
	s->cut = s->refused = false;
	s->refused_what = s->retry_after = S("");
	s->words[0] = '\0';
	strbuf_init_arena(&s->body, s->own, c->answer_max < BODY_BYTES ? c->answer_max + 1 : BODY_BYTES,
	    c->answer_max + 1);
	slot_set(s, c);
	if (fresh)
		(void)curl_easy_setopt(s->easy, CURLOPT_FRESH_CONNECT, 1L);
	return true;
}

static void
say_why(struct slot *s, CURLcode rc)
{
	struct strbuf b;

	strbuf_init(&b, s->done.why, sizeof(s->done.why));
	if (s->refused)
		strbuf_addf(&b, "the address %.*s is not allowed", STR_ARG(s->refused_what));
	else if (s->cut)
		strbuf_addz(&b, "the answer is too large");
	else
		strbuf_addf(&b, "%.250s", s->words[0] != '\0' ? s->words : curl_easy_strerror(rc));
}

/* An answer that we stopped reading is one; one that broke off is none. */
void
slot_end(struct slot *s, CURLcode rc)
{
	long status = 0;
	curl_off_t us = 0;

	(void)curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(s->easy, CURLINFO_TOTAL_TIME_T, &us);
	s->done = (struct multi_done){ .tag = s->tag, .us = us, .memory = s->own };
	s->done.answered = rc == CURLE_OK || (rc == CURLE_WRITE_ERROR && s->cut && !s->whole);
	if (s->done.answered) {
		s->done.status = (int)status;
		s->done.body = strbuf_str(&s->body);
		s->done.retry_after = s->retry_after;
	} else {
		s->done.refused_address = s->refused;
		s->done.refused = request_refused(s->easy, rc);
		s->done.timed_out = rc == CURLE_OPERATION_TIMEDOUT;
		say_why(s, rc);
	}
	s->own = NULL;
}

void
slot_clear(struct slot *s)
{
	curl_slist_free_all(s->headers);
	s->headers = NULL;
	arena_free(s->own);
	s->own = NULL;
	s->done = (struct multi_done){ 0 };
}

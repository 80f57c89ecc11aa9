/* websocket - RFC 6455 as far as one message goes, over a connection that libcurl makes.
 * SPDX-License-Identifier: MIT */
#include "httpc/websocket.h"

#include <curl/curl.h>
#include <poll.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/rng.h"
#include "base/strbuf.h"

enum {
	INPUT_MAX = 1 << 20, READ_BYTES = 16384, TEXT_MAX = 1024, KEY_BYTES = 16, KEY_TEXT = 32,
	OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9
};

/* What came so far, and how much of it was used. */
struct wire {
	CURL *curl;
	int64_t until_us;
	struct strbuf in;
	size_t used;
	const char *why;
};

struct frame {
	bool final;
	int opcode;
	struct str payload;
};

/* ---- bytes ---- */

static bool
wait_for(struct wire *w, short events)
{
	int64_t left_us = w->until_us - clock_mono_us();
	curl_socket_t fd = CURL_SOCKET_BAD;
	struct pollfd p;

	w->why = "no answer in time";
	if (left_us <= 0 || curl_easy_getinfo(w->curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
	    fd == CURL_SOCKET_BAD)
		return false;
	p = (struct pollfd){ .fd = fd, .events = events };
	return poll(&p, 1, (int)(left_us / 1000) + 1) > 0;
}

static bool
send_all(struct wire *w, struct str s)
{
	while (s.len > 0) {
		size_t n = 0;
		CURLcode rc = curl_easy_send(w->curl, s.at, s.len, &n);

		if (rc == CURLE_AGAIN) {
			if (!wait_for(w, POLLOUT))
				return false;
		} else if (rc != CURLE_OK) {
			w->why = curl_easy_strerror(rc);
			return false;
		}
		s = (struct str){ s.at + n, s.len - n };
	}
	return true;
}

/* Some more; false: there is none to come. */
static bool
receive(struct wire *w)
{
	char bytes[READ_BYTES];
	size_t n = 0;
	CURLcode rc;

	while ((rc = curl_easy_recv(w->curl, bytes, sizeof(bytes), &n)) == CURLE_AGAIN)
		if (!wait_for(w, POLLIN))
			return false;
	if (rc != CURLE_OK || n == 0) {
		w->why = rc != CURLE_OK ? curl_easy_strerror(rc) : "the connection was closed";
		return false;
	}
	strbuf_add(&w->in, (struct str){ bytes, n });
	w->why = "the answer is too large";
	return strbuf_ok(&w->in);
}

/* The next n bytes. */
static bool
take(struct wire *w, size_t n, struct str *out)
{
	if (n > INPUT_MAX) {
		w->why = "the answer is too large";
		return false;
	}
	while (w->in.len - w->used < n)
		if (!receive(w))
			return false;
	*out = (struct str){ w->in.at + w->used, n };
	w->used += n;
	return true;
}

/* ---- the handshake ---- */

/* "http://host:1/path?query" -> "host:1", "/path?query" */
static void
split_url(struct op *op, struct str url, struct str *host_out, struct str *target_out)
{
	struct str rest = url, part;

	(void)str_split(&rest, '/', &part);
	(void)str_split(&rest, '/', &part);
	(void)str_split(&rest, '/', host_out);
	*target_out = arena_printf(op->arena, "/%.*s", STR_ARG(rest));
}

static struct str
handshake(struct op *op, struct str url)
{
	char key_text[KEY_TEXT];
	uint8_t key[KEY_BYTES];
	struct str host, target;
	struct strbuf b;

	rng_bytes(key, sizeof(key));
	strbuf_init(&b, key_text, sizeof(key_text));
	base64_encode(&b, key, sizeof(key));
	split_url(op, url, &host, &target);
	return arena_printf(op->arena, "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: %.*s\r\nSec-WebSocket-Version: 13\r\nUser-Agent: tgo-call\r\n\r\n", STR_ARG(target),
	    STR_ARG(host), STR_ARG(strbuf_str(&b)));
}

/* Up to the empty line; *status_out of its first. */
static bool
read_head(struct wire *w, int *status_out)
{
	struct str c, code;
	int64_t n;
	size_t at = w->used;

	do {
		if (!take(w, 1, &c))
			return false;
	} while (!str_ends((struct str){ w->in.at + at, w->used - at }, S("\r\n\r\n")));
	w->why = "the answer is no HTTP";
	code = (struct str){ w->in.at + at + 9, 3 };
	if (w->used - at < 16 || !str_starts((struct str){ w->in.at + at, w->used - at }, S("HTTP/1.")) ||
	    !parse_i64(code, 100, 599, &n))
		return false;
	*status_out = (int)n;
	return true;
}

/* ---- frames ---- */

static uint64_t
big_endian(struct str s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n = n << 8 | (uint8_t)s.at[i];
	return n;
}

static bool
read_frame(struct wire *w, struct frame *out)
{
	struct str head, longer;
	uint64_t n;

	if (!take(w, 2, &head))
		return false;
	/* What is read next may move the bytes. */
	out->final = ((uint8_t)head.at[0] & 0x80) != 0;
	out->opcode = (uint8_t)head.at[0] & 0x0f;
	n = (uint8_t)head.at[1];
	w->why = "a frame that no server sends";
	if (n > 127)
		return false;
	if (n >= 126) {
		if (!take(w, n == 126 ? 2 : 8, &longer))
			return false;
		n = big_endian(longer);
	}
	return take(w, n < INPUT_MAX ? (size_t)n : INPUT_MAX + 1, &out->payload);
}

/* Past pings and the like. */
static bool
read_message(struct op *op, struct wire *w, struct str *out)
{
	struct frame f;

	do {
		if (!read_frame(w, &f))
			return false;
		w->why = "the server closed the WebSocket";
		if (f.opcode == OP_CLOSE)
			return false;
	} while (f.opcode >= OP_CLOSE);
	w->why = "a message in pieces";
	if (!f.final || (f.opcode != OP_TEXT && f.opcode != OP_BINARY))
		return false;
	*out = arena_str(op->arena, f.payload);
	return true;
}

/* Says good-bye: 1000, masked with zeroes. */
static void
say_close(struct wire *w)
{
	static const char CLOSE[] = { (char)0x88, (char)0x82, 0, 0, 0, 0, 0x03, (char)0xe8 };

	(void)send_all(w, (struct str){ CLOSE, sizeof(CLOSE) });
}

/* What a refusal says: as much of it as comes with the head. */
static struct str
refusal(struct op *op, struct wire *w)
{
	size_t n;

	if (w->in.len == w->used)
		(void)receive(w);
	n = w->in.len - w->used;
	return arena_str(op->arena, (struct str){ w->in.at + w->used, n < TEXT_MAX ? n : TEXT_MAX });
}

static bool
talk(struct op *op, struct wire *w, struct str url, struct websocket_answer *out)
{
	if (!send_all(w, handshake(op, url)) || !read_head(w, &out->status))
		return false;
	if (out->status != 101) {
		out->text = refusal(op, w);
		return true;
	}
	if (!read_message(op, w, &out->message))
		return false;
	say_close(w);
	return true;
}

/* ---- the connection ---- */

static CURLcode
join(struct op *op, CURL *curl, struct str url, int64_t timeout_ms)
{
	(void)curl_easy_setopt(curl, CURLOPT_URL, arena_z(op->arena, url));
	(void)curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	return curl_easy_perform(curl);
}

enum err
websocket_first(struct op *op, struct str url, int64_t timeout_ms, struct websocket_answer *out)
{
	struct wire w = { .curl = curl_easy_init(), .until_us = clock_mono_us() + timeout_ms * 1000, .why = "" };
	bool ok = false;
	CURLcode rc;

	*out = (struct websocket_answer){ 0 };
	if (w.curl == NULL) {
		out->why = S("a library could not be started");
		return ERR_UNAVAILABLE;
	}
	strbuf_init_arena(&w.in, op->arena, READ_BYTES, INPUT_MAX + READ_BYTES);
	rc = join(op, w.curl, url, timeout_ms);
	if (rc == CURLE_OK)
		ok = talk(op, &w, url, out);
	else
		w.why = curl_easy_strerror(rc);
	curl_easy_cleanup(w.curl);
	out->why = ok ? S("") : arena_str(op->arena, str_of(w.why));
	return ok ? ERR_OK : ERR_UNAVAILABLE;
}
